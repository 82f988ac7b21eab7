//! Where it is said that a worker has something to tell of its labs, and where turns are taken.

use crate::model::{WorkerId, lab::REFRESH_FLOOR};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{Mutex as Turns, Notify, OwnedMutexGuard};

/// How much of what a worker has of its labs is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// States and progress, and the results of what does not work any more.
    Over,
    /// Also what those that work have found up to now.
    All,
}

/// A clone is a handle on the same one.
#[derive(Clone, Default)]
pub struct Desk(Arc<Inner>);

#[derive(Default)]
struct Inner {
    called: Mutex<BTreeMap<WorkerId, Reach>>,
    bell: Notify,
    turns: Mutex<HashMap<WorkerId, Arc<Turns<()>>>>,
    asked: Mutex<HashMap<WorkerId, Instant>>,
}

impl Desk {
    /// Says that a worker is to be asked soon. Several calls become one time of asking.
    pub fn call(&self, worker: WorkerId, reach: Reach) {
        let mut called = lock(&self.0.called);
        let wanted = called.entry(worker).or_insert(reach);
        *wanted = reach.max(*wanted);
        drop(called);
        self.0.bell.notify_one();
    }

    /// Returns once somebody called.
    pub async fn is_called(&self) {
        self.0.bell.notified().await;
    }

    pub fn take(&self) -> BTreeMap<WorkerId, Reach> {
        std::mem::take(&mut *lock(&self.0.called))
    }

    /// The turn to speak with a worker about its labs. Whoever has it is alone with them: what is written of them is what the worker said
    /// last, and a lab that was just made there is not taken for one that nobody wants.
    pub async fn turn(&self, worker: WorkerId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = lock(&self.0.turns);
            // Those that nobody has or waits for.
            if turns.len() > 1_000 {
                turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            }
            turns.entry(worker).or_default().clone()
        };
        turn.lock_owned().await
    }

    /// Whether somebody may have a worker asked by hand now; otherwise after how long. Who may counts as having asked.
    pub fn may_ask(&self, worker: WorkerId) -> Result<(), Duration> {
        let (mut asked, now) = (lock(&self.0.asked), Instant::now());
        asked.retain(|_, at| now.saturating_duration_since(*at) < REFRESH_FLOOR);
        match asked.get(&worker) {
            Some(at) => Err(REFRESH_FLOOR.saturating_sub(now.saturating_duration_since(*at))),
            None => {
                asked.insert(worker, now);
                Ok(())
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
