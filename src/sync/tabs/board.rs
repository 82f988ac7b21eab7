//! The figures that a tab that joins would have to wait for.

use crate::{
    model::{Fleet, HostId, HostTelemetry, Telemetry, Timestamp, WorkerId},
    sync::message::TelemetryBatch,
};
use std::collections::BTreeMap;

/// The latest figures of each worker and host. The server sends them all to who opens a stream, which a tab that joins does not.
#[derive(Clone, Debug, Default)]
pub struct Board {
    workers: BTreeMap<WorkerId, Telemetry>,
    hosts: BTreeMap<HostId, HostTelemetry>,
}

impl Board {
    /// Takes over a batch. What is kept is bounded by the workers and hosts of `fleet`.
    pub fn push(&mut self, batch: &TelemetryBatch, fleet: &Fleet) {
        self.workers.extend(batch.workers.iter().map(|figures| (figures.worker_id, figures.clone())));
        if self.workers.len() > fleet.workers().len() {
            self.workers.retain(|id, _| fleet.worker(*id).is_some());
        }
        self.hosts.extend(batch.hosts.iter().map(|figures| (figures.host_id, figures.clone())));
        if self.hosts.len() > fleet.hosts().len() {
            self.hosts.retain(|id, _| fleet.host(*id).is_some());
        }
    }

    /// All of it, each with its own time; `server_time` is what the clock says now. `None` where there is nothing to tell.
    pub fn batch(&self, server_time: Timestamp) -> Option<TelemetryBatch> {
        let workers: Vec<Telemetry> = self.workers.values().cloned().collect();
        let hosts: Vec<HostTelemetry> = self.hosts.values().cloned().collect();
        (!workers.is_empty() || !hosts.is_empty()).then_some(TelemetryBatch { server_time, workers, hosts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Change, ClusterId, Name, Provider, Worker, WorkerCause, WorkerMetrics, WorkerStatus};
    use std::sync::Arc;
    use uuid::Uuid;

    fn id(n: u128) -> WorkerId {
        WorkerId(Uuid::from_u128(n))
    }

    fn fleet(of: &[u128]) -> Fleet {
        let mut fleet = Fleet::default();
        for n in of {
            let worker = Worker {
                status: WorkerStatus::Ready,
                ..Worker::pending(
                    id(*n),
                    Name::new(&format!("w{n}")).unwrap(),
                    ClusterId(Uuid::from_u128(1)),
                    Provider::Local,
                )
            };
            fleet.apply(&Change::WorkerPut { cause: WorkerCause::Created, worker: Arc::new(worker) });
        }
        fleet
    }

    fn batch(figures: &[(u128, u64)]) -> TelemetryBatch {
        let workers = figures.iter().map(|(n, at)| Telemetry {
            worker_id: id(*n),
            at: Timestamp(*at),
            worker: WorkerMetrics::default(),
            nets: Vec::new(),
            labs: Vec::new(),
        });
        TelemetryBatch { server_time: Timestamp(99), workers: workers.collect(), hosts: Vec::new() }
    }

    #[test]
    fn the_latest_of_each_worker_is_kept() {
        let (mut board, fleet) = (Board::default(), fleet(&[1, 2]));
        assert_eq!(board.batch(Timestamp(0)), None);
        board.push(&batch(&[(1, 10), (2, 10)]), &fleet);
        board.push(&batch(&[(2, 11)]), &fleet);
        let kept = TelemetryBatch { server_time: Timestamp(50), ..batch(&[(1, 10), (2, 11)]) };
        assert_eq!(board.batch(Timestamp(50)), Some(kept));
    }

    #[test]
    fn workers_that_are_gone_are_forgotten() {
        let mut board = Board::default();
        board.push(&batch(&[(1, 10), (2, 10)]), &fleet(&[1, 2]));
        board.push(&batch(&[(2, 11)]), &fleet(&[2]));
        assert_eq!(board.batch(Timestamp(99)), Some(batch(&[(2, 11)])));
    }
}
