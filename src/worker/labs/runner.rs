//! The threads that work on labs: first come, first served, a lab at a time from its start to its end.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::held::Held;
use super::priority;

/// Labs that are worked on at once, in a process.
pub const THREADS: usize = 2;

/// A place in the queue, good for one run of a lab.
pub struct Turn {
    pub lab: Arc<Held>,
    pub run: u64,
}

/// Hands out turns to threads of lowest priority. There is none before the first turn, and never more than [`THREADS`].
pub struct Runner(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    ended: AtomicBool,
}

#[derive(Default)]
struct Queue {
    turns: VecDeque<Turn>,
    threads: usize,
    /// Threads that wait for a turn.
    idle: usize,
}

impl Runner {
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Puts a turn at the end of the queue. Fails only if there is no thread and none can be started.
    pub fn put(&self, turn: Turn) -> io::Result<()> {
        let mut queue = self.0.lock();
        if queue.turns.len() >= queue.idle && queue.threads < THREADS {
            let shared = self.0.clone();
            let name = format!("labs-{}", queue.threads);
            match std::thread::Builder::new().name(name).spawn(move || shared.work()) {
                Ok(_) => queue.threads += 1,
                Err(error) if queue.threads == 0 => return Err(error),
                Err(error) => tracing::warn!(%error, "labs have one thread less"),
            }
        }
        queue.turns.push_back(turn);
        drop(queue);
        self.0.changed.notify_one();
        Ok(())
    }

    /// Takes turns of runs that are over out of the queue, so that they hold no lab that was deleted.
    pub fn sweep(&self) {
        self.0.lock().turns.retain(|turn| turn.lab.is_current(turn.run));
    }

    /// The threads end by themselves soon. Nobody waits for them.
    pub fn end(&self) {
        self.0.ended.store(true, Ordering::SeqCst);
        self.0.lock().turns.clear();
        self.0.changed.notify_all();
    }

    #[cfg(test)]
    pub fn threads(&self) -> usize {
        self.0.lock().threads
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        priority::lowest();
        let ended = || self.ended.load(Ordering::SeqCst);
        while let Some(turn) = self.next(&ended) {
            turn.lab.take_turn(turn.run, &ended);
        }
    }

    /// `None` at the end.
    fn next(&self, ended: &dyn Fn() -> bool) -> Option<Turn> {
        let mut queue = self.lock();
        while !ended() {
            if let Some(turn) = queue.turns.pop_front() {
                return Some(turn);
            }
            queue.idle += 1;
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
        None
    }
}
