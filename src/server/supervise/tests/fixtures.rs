//! Rows, made short.

use crate::{
    model::{
        Category, Cluster, ClusterId, Connection, DefinitionHash, Incarnation, LoadId, LoadState, Machine,
        Name, Net, NetId, NetSize, Operation, OperationId, Project, ProjectId, Provider, RunState, Timestamp,
        Worker, WorkerAction, WorkerId, WorkerMetrics, WorkerStatus,
    },
    worker::protocol::{Health, HostedNet},
};
use uuid::Uuid;

pub const CLUSTER: ClusterId = ClusterId(Uuid::from_u128(1));
pub const PROJECT: ProjectId = ProjectId(Uuid::from_u128(2));
pub const PNML: &[u8] = b"<pnml/>";
pub const WORKER: WorkerId = WorkerId(Uuid::from_u128(3));

pub fn incarnation(n: u128) -> Incarnation {
    Incarnation(Uuid::from_u128(n))
}
pub fn load_id(n: u128) -> LoadId {
    LoadId(Uuid::from_u128(n))
}
pub fn net_id(n: u128) -> NetId {
    NetId(Uuid::from_u128(n))
}

pub fn cluster() -> Cluster {
    Cluster {
        id: CLUSTER,
        name: Name::new("local").unwrap(),
        provider: Provider::Local,
        region: None,
        connection: Connection::Connected,
        lab_sync_minutes: None,
        revision: 1,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
    }
}

pub fn project() -> Project {
    Project {
        id: PROJECT,
        name: Name::new("plant").unwrap(),
        quotas: Default::default(),
        revision: 1,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
    }
}

pub fn machine(endpoint: &str) -> Machine {
    Machine {
        provider_ref: "4242@99".into(),
        endpoint: endpoint.into(),
        incarnation: incarnation(1),
        software_version: "1.0.0".into(),
    }
}

pub fn worker(status: WorkerStatus) -> Worker {
    Worker {
        category: Category::Ephemeral,
        status,
        machine: match status {
            WorkerStatus::Pending | WorkerStatus::Provisioning => None,
            _ => Some(machine("http://127.0.0.1:1")),
        },
        revision: 1,
        state_revision: 1,
        ..Worker::pending(WORKER, Name::new("w1").unwrap(), CLUSTER, Provider::Local)
    }
}

/// A net on the worker, loaded under load id `id`.
pub fn net(id: u128) -> Net {
    Net {
        worker_id: Some(WORKER),
        load_state: LoadState::Loaded,
        load_id: Some(load_id(id)),
        revision: 1,
        state_revision: 1,
        ..Net::unassigned(
            net_id(id),
            Name::new(&format!("net-{id}")).unwrap(),
            PROJECT,
            DefinitionHash::of(PNML),
            NetSize::default(),
        )
    }
}

pub fn unloaded(id: u128) -> Net {
    Net { load_state: LoadState::Unloaded, ..net(id) }
}

/// The net as its worker holds it when all is well.
pub fn held(id: u128) -> HostedNet {
    HostedNet { id: net_id(id), load_id: load_id(id), run_state: RunState::Idle, rate: 0, firings: 0 }
}

pub fn health(nets: impl IntoIterator<Item = HostedNet>) -> Health {
    Health {
        worker_id: WORKER,
        incarnation: incarnation(1),
        version: "1.0.0".into(),
        nets: nets.into_iter().collect(),
        labs: Vec::new(),
        metrics: WorkerMetrics::default(),
    }
}

pub fn operation<A>(action: A, deadline: Timestamp) -> Operation<A> {
    let id = OperationId(Uuid::from_u128(77));
    Operation { id, action, actor: crate::model::Actor::System, since: Timestamp(0), deadline, waiting: None }
}

pub fn busy(status: WorkerStatus, action: WorkerAction) -> Worker {
    Worker { operation: Some(operation(action, Timestamp(u64::MAX))), ..worker(status) }
}
