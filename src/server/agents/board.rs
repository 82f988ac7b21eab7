//! The latest figures of every host that was heard. Never stored, never versioned; the latest wins.

use crate::{
    model::{HostId, HostMetrics, HostTelemetry, Timestamp},
    server::turns::in_turn,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Written by the connections of the agents, read by whoever shows figures.
#[derive(Clone, Default)]
pub struct HostBoard(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    latest: BTreeMap<HostId, Entry>,
    /// The last host whose figures were due.
    turn: Option<HostId>,
}

struct Entry {
    telemetry: HostTelemetry,
    /// Not yet told by [`HostBoard::due`].
    is_new: bool,
}

impl HostBoard {
    pub fn put(&self, host_id: HostId, at: Timestamp, metrics: HostMetrics) {
        let telemetry = HostTelemetry { host_id, at, metrics: plausible(metrics) };
        self.entries().latest.insert(host_id, Entry { telemetry, is_new: true });
    }

    /// Of a host that was deleted nothing is known.
    pub fn forget(&self, host: HostId) {
        self.entries().latest.remove(&host);
    }

    pub fn latest(&self) -> Vec<HostTelemetry> {
        self.entries().latest.values().map(|entry| entry.telemetry.clone()).collect()
    }

    /// When a host's figures came last.
    pub fn heard(&self, host: HostId) -> Option<Timestamp> {
        self.entries().latest.get(&host).map(|entry| entry.telemetry.at)
    }

    /// What was put since it was told here last, of at most so many hosts: the others have their turn at the next calls. For the one task
    /// that tells the clients.
    pub fn due(&self, most: usize) -> Vec<HostTelemetry> {
        let mut entries = self.entries();
        let Entries { latest, turn } = &mut *entries;
        in_turn(latest, turn, most, |entry| {
            std::mem::take(&mut entry.is_new).then(|| entry.telemetry.clone())
        })
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Figures come from outside: one that is no number would make the whole frame unreadable.
fn plausible(mut metrics: HostMetrics) -> HostMetrics {
    let finite = |value: f32, most: f32| if value.is_finite() { value.clamp(0.0, most) } else { 0.0 };
    metrics.cpu_percent = finite(metrics.cpu_percent, 100.0);
    metrics.load = metrics.load.map(|load| finite(load, 1e6));
    metrics
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn host(n: u128) -> HostId {
        HostId(Uuid::from_u128(n))
    }

    #[test]
    fn the_latest_wins_and_every_host_has_its_turn() {
        let board = HostBoard::default();
        let mut told = [0; 6];
        for second in 1..=10 {
            (0..6).for_each(|n| board.put(host(n), Timestamp(second), HostMetrics::default()));
            let due = board.due(2);
            assert_eq!(due.len(), 2);
            for item in due {
                assert_eq!(item.at, Timestamp(second), "what is told is the latest");
                told[item.host_id.0.as_u128() as usize] += 1;
            }
        }
        assert!(told.iter().all(|count| (3..=4).contains(count)), "{told:?}");
        board.forget(host(0));
        assert_eq!((board.latest().len(), board.heard(host(0))), (5, None));
    }

    #[test]
    fn figures_that_are_no_numbers_reach_nobody() {
        let board = HostBoard::default();
        let metrics =
            HostMetrics { cpu_percent: f32::INFINITY, load: [f32::NAN, -1.0, 2.0], ..HostMetrics::default() };
        board.put(host(1), Timestamp(1), metrics);
        let shown = board.latest()[0].metrics;
        assert_eq!((shown.cpu_percent, shown.load), (0.0, [0.0, 0.0, 2.0]));
    }
}
