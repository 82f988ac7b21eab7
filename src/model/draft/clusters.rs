//! Clusters in a transaction, and whether they can be reached.

use super::Draft;
use crate::model::{
    Change, Cluster, ClusterId, Connection, ErrorDetail, Name, Provider, Worker, WorkerStatus,
};
use std::sync::Arc;

impl Draft<'_> {
    /// Puts a cluster; its revision and times are counted here.
    pub fn put_cluster(&mut self, mut cluster: Cluster) -> Arc<Cluster> {
        let before = self.cluster(cluster.id);
        cluster.revision = before.map_or(1, |before| before.revision + 1);
        cluster.updated_at = self.now;
        let (created, reconnected) =
            (before.is_none(), before.is_some_and(|before| before.connection != cluster.connection));
        let cluster = Arc::new(cluster);
        self.record(Change::ClusterPut { created, reconnected, cluster: cluster.clone() });
        self.clusters.insert(cluster.id, cluster.clone());
        cluster
    }

    fn cluster(&self, id: ClusterId) -> Option<&Arc<Cluster>> {
        self.clusters.get(&id).or_else(|| self.fleet.cluster(id))
    }

    /// A cluster of other people's machines is as far away as its workers are: connected once one was reached, and disconnected when the
    /// last of them is out of reach.
    pub(super) fn follow_connection(&mut self, worker: &Worker) {
        let Some(cluster) = self.cluster(worker.cluster_id) else { return };
        if cluster.provider == Provider::Local {
            return;
        }
        let unreachable = WorkerStatus::Error(ErrorDetail::Unreachable);
        let now = match worker.status {
            WorkerStatus::Ready => Connection::Connected,
            status if status == unreachable && !self.has_ready_worker(worker.cluster_id) => {
                Connection::Disconnected
            }
            _ => return,
        };
        // What was never reached cannot be lost.
        let lost = cluster.connection == Connection::Unknown && now == Connection::Disconnected;
        if cluster.connection != now && !lost {
            let cluster = Cluster { connection: now, ..Cluster::clone(cluster) };
            self.put_cluster(cluster);
        }
    }

    fn has_ready_worker(&self, cluster: ClusterId) -> bool {
        let is_so = |worker: &Arc<Worker>| worker.cluster_id == cluster && worker.is_ready();
        let kept = self.fleet.workers().filter(|worker| !self.workers.contains_key(&worker.id));
        kept.chain(self.workers.values().flatten()).any(is_so)
    }

    /// Deletes a cluster. That nothing is in it any more is for the caller to see to.
    pub fn delete_cluster(&mut self, id: ClusterId) {
        self.record(Change::ClusterDeleted { id });
    }

    pub fn cluster_name_taken(&self, name: &Name) -> bool {
        self.fleet.clusters().any(|cluster| cluster.name == *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Actor, Fleet, Timestamp, WorkerCause, WorkerId};
    use uuid::Uuid;

    const CLUSTER: ClusterId = ClusterId(Uuid::from_u128(1));
    const UNREACHABLE: WorkerStatus = WorkerStatus::Error(ErrorDetail::Unreachable);

    fn worker(n: u128) -> WorkerId {
        WorkerId(Uuid::from_u128(n))
    }

    /// A cluster with two workers that nobody has reached.
    fn fleet(provider: Provider) -> Fleet {
        let mut fleet = Fleet::default();
        let name = |text: &str| Name::new(text).unwrap();
        let changes = {
            let mut draft = Draft::new(&fleet, Actor::System, Timestamp(1));
            draft.put_cluster(Cluster {
                id: CLUSTER,
                name: name("racks"),
                provider,
                region: None,
                connection: Connection::at_first(provider),
                lab_sync_minutes: None,
                revision: 0,
                created_at: Timestamp(1),
                updated_at: Timestamp(1),
            });
            for n in [2, 3] {
                draft.create_worker(Worker::pending(worker(n), name(&format!("w{n}")), CLUSTER, provider));
            }
            draft.finish()
        };
        fleet.apply_all(&changes);
        fleet
    }

    /// The types of events that tell of the cluster after these workers were brought to these states, one transaction each.
    fn told(fleet: &mut Fleet, steps: &[(u128, WorkerStatus)]) -> Vec<String> {
        let mut told = Vec::new();
        for (n, status) in steps {
            let changes = {
                let mut draft = Draft::new(fleet, Actor::System, Timestamp(2));
                draft.edit_worker(worker(*n), WorkerCause::Status, |row| row.status = *status).unwrap();
                draft.finish()
            };
            fleet.apply_all(&changes);
            let events = changes.iter().filter_map(|change| match change {
                Change::EventLogged { event } => Some(event.kind.clone()),
                _ => None,
            });
            told.extend(events.filter(|kind| kind.starts_with("cluster.")));
        }
        told
    }

    #[test]
    fn a_cluster_is_connected_once_one_of_its_workers_was_reached_and_away_with_the_last() {
        let mut fleet = fleet(Provider::External);
        let connection = |fleet: &Fleet| fleet.cluster(CLUSTER).unwrap().connection;
        assert_eq!(told(&mut fleet, &[(2, UNREACHABLE)]), [""; 0], "what was never reached cannot be lost");
        assert_eq!(connection(&fleet), Connection::Unknown);
        assert_eq!(told(&mut fleet, &[(2, WorkerStatus::Ready)]), ["cluster.connected"]);
        assert_eq!(told(&mut fleet, &[(3, WorkerStatus::Ready), (2, UNREACHABLE)]), [""; 0]);
        assert_eq!(connection(&fleet), Connection::Connected);
        assert_eq!(told(&mut fleet, &[(3, UNREACHABLE)]), ["cluster.disconnected"]);
        assert_eq!(told(&mut fleet, &[(3, WorkerStatus::Ready)]), ["cluster.connected"]);
        assert_eq!(told(&mut fleet, &[(3, WorkerStatus::Pending)]), [""; 0], "it was let go, not lost");
        assert_eq!(connection(&fleet), Connection::Connected);
    }

    #[test]
    fn a_cluster_of_the_consoles_own_machine_is_always_there() {
        let mut fleet = fleet(Provider::Local);
        assert_eq!(fleet.cluster(CLUSTER).unwrap().connection, Connection::Connected);
        assert_eq!(told(&mut fleet, &[(2, WorkerStatus::Ready), (2, UNREACHABLE)]), [""; 0]);
    }
}
