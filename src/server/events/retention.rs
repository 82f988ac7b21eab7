//! How much of the event log is kept.

use crate::server::{
    clock::Clock,
    storage::{StorageError, Store, events::Forget},
};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// The past that is kept of the log; what a snapshot may hold stays in any case.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    pub within: Duration,
    /// The newest so many.
    pub most: u64,
}

/// The log is looked at this often.
const EVERY: Duration = Duration::from_secs(300);
/// Events that go at once. Whoever changes the fleet meanwhile waits for one batch at most: a few milliseconds.
const BATCH: u32 = 100;

/// Forgets what is too old or too much, until the console shuts down.
pub async fn run(store: Store, keep: Keep, clock: Clock, shutdown: CancellationToken) {
    let mut every = interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = every.tick() => {}
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            forgotten = trim(&store, keep, &clock) => match forgotten {
                Ok(0) => {}
                Ok(events) => tracing::info!(events, "old events were forgotten"),
                Err(error) => tracing::warn!(%error, "old events could not be forgotten; it is tried again"),
            },
        }
    }
}

/// Forgets all of it, batch after batch. Between two batches everything that waits to be written is.
pub async fn trim(store: &Store, keep: Keep, clock: &Clock) -> Result<u64, StorageError> {
    let mut all = 0;
    loop {
        let before = crate::model::Timestamp(clock.now().0.saturating_sub(keep.within.as_millis() as u64));
        let forgotten = store.forget_events(Forget { before, keep: keep.most, most: BATCH }).await?;
        if forgotten == 0 {
            return Ok(all);
        }
        all += forgotten;
    }
}
