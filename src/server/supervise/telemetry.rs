//! The latest figures of every worker that is heard. Never stored, never versioned; the latest wins.

use crate::{
    model::{History, Telemetry, Timestamp, Trend, WorkerId},
    server::turns::in_turn,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// Histories are kept this long after the worker was last heard, and tidied after so many puts.
const KEPT: Duration = Duration::from_secs(3_600);
const TIDY_EVERY: u64 = 10_000;

/// Written by the streams of the workers, read by whoever shows figures.
#[derive(Clone)]
pub struct TelemetryBoard(Arc<Board>);

struct Board {
    entries: Mutex<Entries>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Entries {
    /// Counts every put and every removal.
    count: u64,
    latest: BTreeMap<WorkerId, Entry>,
    /// The last worker whose figures were due.
    turn: Option<WorkerId>,
    /// The last hour of each, also of those that are not heard any more.
    histories: BTreeMap<WorkerId, History>,
}

struct Entry {
    telemetry: Telemetry,
    /// Not yet told by [`TelemetryBoard::due`].
    is_new: bool,
}

impl Default for TelemetryBoard {
    fn default() -> TelemetryBoard {
        TelemetryBoard(Arc::new(Board { entries: Mutex::default(), changes: watch::Sender::new(0) }))
    }
}

impl TelemetryBoard {
    pub fn put(&self, telemetry: Telemetry) {
        let mut entries = self.entries();
        entries.count += 1;
        let count = entries.count;
        entries.histories.entry(telemetry.worker_id).or_default().put(&telemetry);
        if count.is_multiple_of(TIDY_EVERY) {
            entries.histories.retain(|_, history| telemetry.at.since(history.latest()) < KEPT);
        }
        entries.latest.insert(telemetry.worker_id, Entry { telemetry, is_new: true });
        drop(entries);
        self.0.changes.send_replace(count);
    }

    /// A worker that is no longer heard has no figures.
    pub fn forget(&self, worker: WorkerId) {
        let mut entries = self.entries();
        if entries.latest.remove(&worker).is_some() {
            entries.count += 1;
            let count = entries.count;
            drop(entries);
            self.0.changes.send_replace(count);
        }
    }

    /// The latest of every worker that is heard.
    pub fn latest(&self) -> Vec<Telemetry> {
        self.entries().latest.values().map(|entry| entry.telemetry.clone()).collect()
    }

    /// The last hour of a worker, as of `now`; empty for one that was not heard in it.
    pub fn trend(&self, worker: WorkerId, now: Timestamp) -> Trend {
        match self.entries().histories.get(&worker) {
            Some(history) => history.trend(now),
            None => History::default().trend(now),
        }
    }

    pub fn of(&self, worker: WorkerId) -> Option<Telemetry> {
        self.entries().latest.get(&worker).map(|entry| entry.telemetry.clone())
    }

    /// What was put since it was told here last, of at most so many workers: the others have their turn at the next calls. For the one
    /// task that tells the clients.
    pub fn due(&self, most: usize) -> Vec<Telemetry> {
        let mut entries = self.entries();
        let Entries { latest, turn, .. } = &mut *entries;
        in_turn(latest, turn, most, |entry| {
            std::mem::take(&mut entry.is_new).then(|| entry.telemetry.clone())
        })
    }

    /// Changes whenever [`TelemetryBoard::latest`] does.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Timestamp, WorkerMetrics};
    use uuid::Uuid;

    fn telemetry(worker: u128, at: u64) -> Telemetry {
        let worker_id = WorkerId(Uuid::from_u128(worker));
        Telemetry {
            worker_id,
            at: Timestamp(at),
            worker: WorkerMetrics::default(),
            nets: Vec::new(),
            labs: Vec::new(),
        }
    }

    #[test]
    fn the_latest_wins_and_a_reader_is_told_what_is_new_to_it() {
        let board = TelemetryBoard::default();
        let changes = board.changes();
        board.put(telemetry(1, 10));
        board.put(telemetry(2, 10));
        assert_eq!(board.due(10), [telemetry(1, 10), telemetry(2, 10)]);
        assert!(changes.has_changed().unwrap());

        board.put(telemetry(1, 11));
        assert_eq!(board.due(10), [telemetry(1, 11)]);
        board.forget(WorkerId(Uuid::from_u128(1)));
        assert_eq!(board.latest(), [telemetry(2, 10)]);
        assert_eq!(board.due(10), []);
    }

    #[test]
    fn in_a_large_fleet_every_worker_has_its_turn_however_often_the_others_tell() {
        let board = TelemetryBoard::default();
        let mut told = [0; 10];
        for second in 1..=20 {
            (0..10).for_each(|worker| board.put(telemetry(worker, second)));
            let due = board.due(3);
            assert_eq!(due.len(), 3);
            for item in due {
                assert_eq!(item.at, Timestamp(second), "what is told is the latest");
                told[item.worker_id.0.as_u128() as usize] += 1;
            }
        }
        assert_eq!(told, [6; 10]);
    }
}
