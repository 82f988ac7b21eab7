//! The event log: what happened, in a sentence, with what it happened to.

use super::{
    Actor, Change, ClusterId, Connection, Draft, EventId, LoadState, Net, NetCause, NetId, ProjectId,
    RunState, Timestamp, Worker, WorkerCause, WorkerId, WorkerStatus,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Success,
    Warning,
    Error,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Success => "success",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub id: EventId,
    pub at: Timestamp,
    /// The name of the change it tells of, for example `worker.status.updated`.
    #[serde(rename = "type")]
    pub kind: String,
    pub severity: Severity,
    pub actor: Actor,
    /// A sentence without a final full stop, names included, so that it still reads when the entity is gone.
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<ClusterId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<WorkerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_id: Option<NetId>,
}

/// What an entry says of a change.
pub(super) struct Said {
    pub severity: Severity,
    pub text: String,
    pub cluster_id: Option<ClusterId>,
    pub project_id: Option<ProjectId>,
    pub worker_id: Option<WorkerId>,
    pub net_id: Option<NetId>,
}

/// The sentence for a change that is about to be recorded in `draft`, or `None` for one that needs none.
pub(super) fn describe(draft: &Draft, change: &Change) -> Option<Said> {
    let said = |severity, text| {
        Some(Said { severity, text, cluster_id: None, project_id: None, worker_id: None, net_id: None })
    };
    match change {
        Change::ClusterPut { created, cluster } => {
            let before = draft.before().cluster(cluster.id).map(|before| before.connection);
            let (severity, text) = match cluster.connection {
                _ if *created => (Severity::Info, format!("Cluster {} added", cluster.name)),
                now if before == Some(now) => return None,
                Connection::Connected => {
                    (Severity::Success, format!("Cluster {} is connected", cluster.name))
                }
                Connection::Disconnected => {
                    (Severity::Error, format!("Cluster {} is disconnected", cluster.name))
                }
            };
            Some(Said { cluster_id: Some(cluster.id), ..said(severity, text)? })
        }
        Change::ProjectPut { created: true, project } => Some(Said {
            project_id: Some(project.id),
            ..said(Severity::Info, format!("Project {} added", project.name))?
        }),
        Change::WorkerPut { cause, worker } => {
            let (severity, text) = describe_worker(draft, *cause, worker)?;
            Some(Said {
                cluster_id: Some(worker.cluster_id),
                worker_id: Some(worker.id),
                ..said(severity, text)?
            })
        }
        Change::WorkerDeleted { id } => {
            let worker = draft.before().worker(*id)?;
            let text = format!("Worker {} deleted", worker.name);
            Some(Said {
                cluster_id: Some(worker.cluster_id),
                worker_id: Some(*id),
                ..said(Severity::Info, text)?
            })
        }
        Change::NetPut { cause, net, .. } => {
            let (severity, text) = describe_net(draft, *cause, net)?;
            let (project_id, net_id) = (Some(net.project_id), Some(net.id));
            Some(Said { project_id, net_id, worker_id: net.worker_id, ..said(severity, text)? })
        }
        Change::NetDeleted { id, project_id } => {
            let net = draft.before().net(*id)?;
            let text = format!("Net {} deleted", net.name);
            Some(Said { project_id: *project_id, net_id: Some(*id), ..said(Severity::Info, text)? })
        }
        Change::ClusterDeleted { id } => {
            let cluster = draft.before().cluster(*id)?;
            said(Severity::Info, format!("Cluster {} deleted", cluster.name))
        }
        Change::ProjectPut { created: false, .. }
        | Change::ProjectDeleted { .. }
        | Change::EventLogged { .. }
        | Change::EventsTrimmed { .. } => None,
    }
}

fn describe_worker(draft: &Draft, cause: WorkerCause, worker: &Worker) -> Option<(Severity, String)> {
    let name = &worker.name;
    Some(match cause {
        WorkerCause::Created => (Severity::Info, format!("Worker {name} created")),
        WorkerCause::Terminated => (Severity::Info, format!("The machine of worker {name} was destroyed")),
        WorkerCause::Status => {
            let severity = match worker.status {
                WorkerStatus::Ready => Severity::Success,
                WorkerStatus::Error(_) => Severity::Error,
                WorkerStatus::Pending | WorkerStatus::Provisioning | WorkerStatus::Stopped => Severity::Info,
            };
            let why = worker.status_reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            // What nobody asked for is drift: then what was believed before matters as much.
            let before = draft.before().worker(worker.id).map(|before| before.status);
            match before.filter(|before| *draft.actor() == Actor::System && *before != worker.status) {
                Some(before) => {
                    (severity, format!("Worker {name} was {before} and is {}{why}", worker.status))
                }
                None => (severity, format!("Worker {name} is {}{why}", worker.status)),
            }
        }
        WorkerCause::Edited | WorkerCause::Operation => return None,
    })
}

fn describe_net(draft: &Draft, cause: NetCause, net: &Net) -> Option<(Severity, String)> {
    let name = &net.name;
    let worker = draft.worker_of(net).map(|worker| worker.name.to_string()).unwrap_or_default();
    Some(match cause {
        NetCause::Created => (Severity::Info, format!("Net {name} added")),
        NetCause::Assigned => (Severity::Info, format!("Net {name} assigned to {worker}")),
        NetCause::Unassigned => (Severity::Info, format!("Net {name} unassigned")),
        NetCause::LoadState => match net.load_state {
            LoadState::Loaded => (Severity::Success, format!("Net {name} loaded on {worker}")),
            LoadState::Unloaded => match &net.load_error {
                Some(why) => {
                    (Severity::Warning, format!("Net {name} is not loaded on {worker} any more: {why}"))
                }
                None => (Severity::Info, format!("Net {name} unloaded from {worker}")),
            },
            LoadState::Error => {
                let why = net.load_error.as_deref().unwrap_or("no reason given");
                (Severity::Error, format!("Net {name} could not be loaded on {worker}: {why}"))
            }
        },
        NetCause::RunState => match net.run_state {
            RunState::Running if net.rate == 0 => {
                (Severity::Info, format!("Net {name} runs as fast as possible"))
            }
            RunState::Running => (Severity::Info, format!("Net {name} runs at {} firings/s", net.rate)),
            RunState::Idle => (Severity::Info, format!("Net {name} is idle")),
            RunState::Dead => (Severity::Warning, format!("Net {name} is dead: no transition is enabled")),
        },
        NetCause::Edited | NetCause::Operation => return None,
    })
}
