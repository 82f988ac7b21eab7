//! Rows, made short.

use crate::{
    model::{
        Category, Cluster, ClusterId, Connection, DefinitionHash, Incarnation, Lab, LabId, LabPlan,
        LabProgress, LabState, LoadId, LoadState, Machine, Name, Net, NetId, NetSize, Operation, OperationId,
        Project, ProjectId, Provider, RunState, Timestamp, Worker, WorkerAction, WorkerId, WorkerMetrics,
        WorkerStatus,
    },
    worker::protocol::{Health, HostedLab, HostedNet},
};
use std::collections::BTreeMap;
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
pub fn lab_id(n: u128) -> LabId {
    LabId(Uuid::from_u128(n))
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

/// A lab on the worker that has not begun, with a copy of net `net`.
pub fn lab(id: u128, net: u128) -> Lab {
    Lab {
        id: lab_id(id),
        project_id: PROJECT,
        net_id: net_id(net),
        version: 1,
        definition: DefinitionHash::of(PNML),
        worker_id: Some(WORKER),
        name: Name::new(&format!("lab-{id}")).unwrap(),
        plan: lab_plan(),
        state: LabState::Idle,
        error: None,
        progress: LabProgress::default(),
        incarnation: Some(incarnation(1)),
        synced_at: Timestamp(0),
        history: Vec::new(),
        revision: 1,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
    }
}

pub fn lab_plan() -> LabPlan {
    let (runs, firings, seed) = (10, 100, 1);
    LabPlan::MonteCarlo { runs, firings, seed, goal: None, warm_up: 0, rates: BTreeMap::new(), time: None }
}

/// The lab as its worker has it.
pub fn hosted(lab: &Lab, state: LabState, runs: u64) -> HostedLab {
    HostedLab {
        id: lab.id,
        net_id: lab.net_id,
        definition: lab.definition,
        plan: lab.plan.clone(),
        state,
        error: None,
        progress: LabProgress { runs, firings: runs * 100, states: 0 },
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
