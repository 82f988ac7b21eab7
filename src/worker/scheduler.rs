//! The threads that run nets: one queue by the time each net is due, a short slice each, in turn.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use super::cell::{Cell, Slice};

/// A net that waits for its next slice.
struct Turn {
    due: Instant,
    /// Among nets due at the same time, first come first served.
    ticket: u64,
    run: u64,
    cell: Arc<Cell>,
}

impl Turn {
    fn key(&self) -> (Instant, u64) {
        (self.due, self.ticket)
    }
}

impl PartialEq for Turn {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Turn {}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[derive(Default)]
struct Queue {
    turns: BinaryHeap<Reverse<Turn>>,
    tickets: u64,
    ended: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// Hands out turns to a fixed number of threads. Idle threads sleep until the next turn is due.
pub struct Scheduler {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Scheduler {
    pub fn start(threads: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let threads = (0..threads)
            .map(|n| {
                let shared = shared.clone();
                std::thread::Builder::new().name(format!("nets-{n}")).spawn(move || shared.work())
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { shared, threads: Mutex::new(threads) })
    }

    /// The net runs from now on; turns of an earlier run are void.
    pub fn begin(&self, cell: &Arc<Cell>) {
        self.shared.put(Instant::now(), cell.next_run(), cell.clone());
    }

    /// Ends the threads after their present slices, and waits for them.
    pub fn end(&self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread that ran nets had panicked");
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, due: Instant, run: u64, cell: Arc<Cell>) {
        let mut queue = self.lock();
        queue.tickets += 1;
        let ticket = queue.tickets;
        queue.turns.push(Reverse(Turn { due, ticket, run, cell }));
        drop(queue);
        self.changed.notify_one();
    }

    fn work(&self) {
        while let Some(Turn { run, cell, .. }) = self.next() {
            if let Slice::Again(due) = cell.slice(run) {
                self.put(due, run, cell);
            }
        }
    }

    /// The next turn once it is due; `None` at the end.
    fn next(&self) -> Option<Turn> {
        let mut queue = self.lock();
        loop {
            if queue.ended {
                return None;
            }
            let now = Instant::now();
            match queue.turns.peek() {
                Some(Reverse(turn)) if turn.due <= now => {
                    let turn = queue.turns.pop().map(|Reverse(turn)| turn);
                    // Another thread may have slept through this one's being first in the queue.
                    if !queue.turns.is_empty() {
                        self.changed.notify_one();
                    }
                    return turn;
                }
                Some(Reverse(turn)) => {
                    let wait = turn.due - now;
                    (queue, _) =
                        self.changed.wait_timeout(queue, wait).unwrap_or_else(PoisonError::into_inner);
                }
                None => queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LoadId, NetId, RunState};
    use crate::petri::pnml::{self, Limits};
    use crate::petri::samples::sample;
    use crate::worker::hosted::Hosted;
    use crate::worker::hub::Hub;
    use std::time::Duration;
    use uuid::Uuid;

    fn cell() -> Arc<Cell> {
        let pnml = sample("producer-consumer").expect("a sample").pnml;
        let net = pnml::read(pnml.as_bytes(), &Limits::default()).expect("reads");
        let (id, load_id) = (NetId(Uuid::new_v4()), LoadId(Uuid::new_v4()));
        Cell::new(id, load_id, Hosted::new(id, load_id, Arc::new(net), 1, Instant::now()), Hub::new())
    }

    async fn start(scheduler: &Scheduler, cell: &Arc<Cell>, rate: u32) {
        cell.call(move |hosted, notices| hosted.run(rate, Instant::now(), notices)).await.expect("it may");
        scheduler.begin(cell);
    }

    fn firings(cell: &Cell) -> u64 {
        cell.with(|hosted| hosted.describe().firings)
    }

    async fn until(what: &str, mut condition: impl FnMut() -> bool) {
        let waiting = async {
            while !condition() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting)
            .await
            .unwrap_or_else(|_| panic!("never: {what}"));
    }

    #[tokio::test]
    async fn nets_that_run_as_fast_as_they_can_share_one_thread() {
        let scheduler = Scheduler::start(1).expect("a thread");
        let cells: Vec<_> = (0..20).map(|_| cell()).collect();
        for cell in &cells {
            start(&scheduler, cell, 0).await;
        }
        let before: Vec<u64> = cells.iter().map(|cell| firings(cell)).collect();
        let since = || cells.iter().zip(&before).map(|(cell, before)| firings(cell) - before);
        // Some dozens of slices each, so that one more or less does not matter.
        until("all of them moved", || since().all(|fired| fired > 200_000)).await;
        let counts: Vec<u64> = since().collect();
        scheduler.end();
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(*most < 3 * least, "{counts:?}");
    }

    #[tokio::test]
    async fn a_panic_in_one_net_stops_that_net_only() {
        let scheduler = Scheduler::start(1).expect("a thread");
        let (bad, good) = (cell(), cell());
        start(&scheduler, &bad, 0).await;
        start(&scheduler, &good, 0).await;
        bad.with(|hosted| hosted.panic_next = true);
        until("the bad one stopped", || bad.with(|hosted| hosted.run_state()) == RunState::Idle).await;
        let seen = firings(&good);
        until("the good one goes on", || firings(&good) > seen).await;
        let refused = bad.call(|hosted, notices| hosted.step(notices)).await;
        assert_eq!(refused, Err(crate::worker::refusal::Refusal::Failed));
        scheduler.end();
    }

    #[tokio::test]
    async fn a_stopped_net_stays_stopped_and_a_new_rate_takes_effect_at_once() {
        let scheduler = Scheduler::start(2).expect("threads");
        let cell = cell();
        // One firing at once; the next turn is a second away.
        start(&scheduler, &cell, 1).await;
        until("the first firing", || firings(&cell) == 1).await;
        start(&scheduler, &cell, 0).await;
        until("many firings, well before that second", || firings(&cell) > 10_000).await;
        cell.call(|hosted, notices| hosted.stop(notices)).await.expect("it may");
        let stopped_at = firings(&cell);
        scheduler.end();
        assert_eq!(firings(&cell), stopped_at);
    }
}
