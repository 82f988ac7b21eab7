//! A hosted net shared between the scheduler's threads, the commands and its watchers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::broadcast;

use super::hosted::{Hosted, Notice};
use super::hub::{Hub, frame};
use super::protocol::{NetEvent, WorkerEvent};
use super::refusal::Refusal;
use crate::model::{LoadId, NetId};

/// Frames a slow watcher may be behind before it gets the whole marking instead.
const BACKLOG: usize = 32;
/// Between frames of a watched net: twenty a second.
const FRAME: Duration = Duration::from_millis(50);
/// How long the scheduler leaves a net alone that a command is waiting for.
const YIELD: Duration = Duration::from_micros(100);

/// What came of a slice.
#[derive(Debug, PartialEq)]
pub enum Slice {
    Again(Instant),
    /// It does not run any more, or the slice belonged to an earlier run.
    Done,
}

/// A net, its lock and its watchers.
#[derive(Debug)]
pub struct Cell {
    pub id: NetId,
    pub load_id: LoadId,
    hub: Hub,
    hosted: Mutex<Hosted>,
    /// Commands that wait for the lock. A net that runs as fast as it can would take it again before they wake.
    waiting: AtomicU32,
    /// Counts runs: a place in the scheduler's queue is good for the run it was made for.
    run: AtomicU64,
    gone: AtomicBool,
    watchers: broadcast::Sender<Bytes>,
    ticking: AtomicBool,
}

impl Cell {
    pub fn new(id: NetId, load_id: LoadId, hosted: Hosted, hub: Hub) -> Arc<Self> {
        Arc::new(Self {
            id,
            load_id,
            hub,
            hosted: Mutex::new(hosted),
            waiting: AtomicU32::new(0),
            run: AtomicU64::new(0),
            gone: AtomicBool::new(false),
            watchers: broadcast::Sender::new(BACKLOG),
            ticking: AtomicBool::new(false),
        })
    }

    /// Waits for the net, at most for a slice or another command. Not for async code: see [`Cell::call`].
    pub fn with<T>(&self, act: impl FnOnce(&mut Hosted) -> T) -> T {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut hosted = self.hosted.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        act(&mut hosted)
    }

    /// Runs a command on a thread that may wait, and tells what it changed. A panic fails this net and no other.
    pub async fn call<T: Send + 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&mut Hosted, &mut Vec<Notice>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let cell = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            cell.with(|hosted| {
                if cell.gone.load(Ordering::SeqCst) {
                    return Err(Refusal::NotLoaded);
                }
                cell.guarded(hosted, act).unwrap_or(Err(Refusal::Failed))
            })
        });
        task.await.unwrap_or(Err(Refusal::Internal))
    }

    /// One slice of the run numbered `run`. Never waits.
    pub fn slice(&self, run: u64) -> Slice {
        let busy = || Slice::Again(Instant::now() + YIELD);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            return busy();
        }
        let mut hosted: MutexGuard<'_, Hosted> = match self.hosted.try_lock() {
            Ok(hosted) => hosted,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return busy(),
        };
        if self.run.load(Ordering::SeqCst) != run || self.gone.load(Ordering::SeqCst) {
            return Slice::Done;
        }
        match self.guarded(&mut hosted, |hosted, notices| hosted.slice(Instant::now, notices)) {
            Some(Some(next)) => Slice::Again(next),
            Some(None) | None => Slice::Done,
        }
    }

    /// Runs `act` with the net locked, and tells its notices. `None` if it panicked, which fails the net.
    fn guarded<T>(
        &self,
        hosted: &mut Hosted,
        act: impl FnOnce(&mut Hosted, &mut Vec<Notice>) -> T,
    ) -> Option<T> {
        let mut notices = Vec::new();
        // The net may be left half changed; `fail` makes sure that nobody goes on with it.
        let result = catch_unwind(AssertUnwindSafe(|| act(hosted, &mut notices))).ok();
        if result.is_none() {
            hosted.fail(&mut notices);
        }
        for notice in notices {
            self.tell(hosted, notice);
        }
        result
    }

    fn tell(&self, hosted: &mut Hosted, notice: Notice) {
        match notice {
            Notice::RunState(run_state) => {
                let rate = hosted.describe().rate;
                self.hub.tell(&WorkerEvent::RunState { id: self.id, load_id: self.load_id, run_state, rate });
                self.flush(hosted);
                self.tell_watchers(&NetEvent::RunState { run_state, rate });
            }
            Notice::Log(level, text) => self.hub.log(level, Some(self.id), text),
            Notice::Jumped => {
                // What changed up to here is part of the whole.
                let _ = hosted.changes();
                if self.watchers.receiver_count() > 0 {
                    self.tell_watchers(&hosted.marking());
                }
            }
        }
    }

    fn tell_watchers(&self, event: &NetEvent) {
        if self.watchers.receiver_count() > 0 {
            let _ = self.watchers.send(frame("net", event));
        }
    }

    fn flush(&self, hosted: &mut Hosted) {
        if let Some(changes) = hosted.changes() {
            self.tell_watchers(&changes);
        }
    }

    /// Starts a new run as far as the scheduler is concerned; its number.
    pub fn next_run(&self) -> u64 {
        self.run.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The net leaves: it moves no more, and its watchers are told so.
    pub fn leave(&self) {
        self.with(|hosted| {
            self.gone.store(true, Ordering::SeqCst);
            self.flush(hosted);
            self.tell_watchers(&NetEvent::Gone);
        });
    }

    /// Joins the watchers: the whole picture, and what follows it without a gap.
    pub async fn watch(self: &Arc<Self>) -> (Vec<Bytes>, broadcast::Receiver<Bytes>) {
        let cell = self.clone();
        let joined = tokio::task::spawn_blocking(move || {
            cell.with(|hosted| {
                // Those who watch already must have what this one gets as part of the whole.
                cell.flush(hosted);
                hosted.watch(true);
                let receiver = cell.watchers.subscribe();
                let mut picture =
                    vec![frame("net", &hosted.marking()), frame("net", &hosted.run_state_event())];
                if cell.gone.load(Ordering::SeqCst) {
                    picture.push(frame("net", &NetEvent::Gone));
                }
                // Under the lock, as its end is: there is one as long as somebody watches.
                if !cell.ticking.swap(true, Ordering::SeqCst) {
                    tokio::spawn(cell.clone().tick());
                }
                (picture, receiver)
            })
        });
        match joined.await {
            Ok(joined) => joined,
            // The runtime is ending, and the stream with it.
            Err(_) => (vec![frame("net", &NetEvent::Gone)], self.watchers.subscribe()),
        }
    }

    /// Sends what changed, as long as somebody watches.
    async fn tick(self: Arc<Self>) {
        let mut frames = tokio::time::interval(FRAME);
        frames.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // The first tick is at once, and the picture has just been given.
        frames.tick().await;
        loop {
            frames.tick().await;
            let cell = self.clone();
            let more = tokio::task::spawn_blocking(move || {
                cell.with(|hosted| {
                    let watched = cell.watchers.receiver_count() > 0;
                    if watched {
                        cell.flush(hosted);
                    } else {
                        hosted.watch(false);
                        cell.ticking.store(false, Ordering::SeqCst);
                    }
                    watched
                })
            });
            if !more.await.unwrap_or(false) {
                return;
            }
        }
    }
}
