//! The event log: what happened, in a sentence, with what it happened to.

use super::{
    Actor, Change, ClusterId, Command, CommandCause, CommandStatus, Connection, Draft, EventId, Host,
    HostCause, HostId, LoadState, Net, NetCause, NetId, PipelineStatus, ProjectId, RunState, Timestamp,
    Worker, WorkerCause, WorkerId, WorkerStatus,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_id: Option<HostId>,
    /// It tells of hosts in general: a pipeline, a pull request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_hosts: bool,
    /// What the sentence says, for programs: `from` and `to` of a status, `reason`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, String>,
    /// Somebody said that they know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledged>,
}

/// Who took notice of an event, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Acknowledged {
    pub by: Actor,
    pub at: Timestamp,
}

impl Event {
    /// Whether it takes a role in the whole fleet to see it.
    pub fn is_of_hosts(&self) -> bool {
        self.of_hosts || self.host_id.is_some()
    }
}

/// What an entry says of a change.
pub(super) struct Said {
    pub severity: Severity,
    pub text: String,
    pub cluster_id: Option<ClusterId>,
    pub project_id: Option<ProjectId>,
    pub worker_id: Option<WorkerId>,
    pub net_id: Option<NetId>,
    pub host_id: Option<HostId>,
    pub of_hosts: bool,
}

/// The sentence for a change that is about to be recorded in `draft`, or `None` for one that needs none.
pub(super) fn describe(draft: &Draft, change: &Change) -> Option<Said> {
    let said = |severity, text| {
        Some(Said {
            severity,
            text,
            cluster_id: None,
            project_id: None,
            worker_id: None,
            net_id: None,
            host_id: None,
            of_hosts: false,
        })
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
        Change::HostPut { cause, host } => {
            let (severity, text) = describe_host(draft, *cause, host)?;
            Some(Said { host_id: Some(host.id), ..said(severity, text)? })
        }
        Change::HostDeleted { id } => {
            let host = draft.before().host(*id)?;
            Some(Said { host_id: Some(*id), ..said(Severity::Info, format!("Host {} deleted", host.name))? })
        }
        Change::CommandPut { cause, command } => {
            let (severity, text) = describe_command(draft, *cause, command)?;
            Some(Said { host_id: Some(command.host_id), ..said(severity, text)? })
        }
        Change::PipelinePut { pipeline } => {
            let before = draft.before().pipeline(pipeline.id).map(|before| before.status);
            if before == Some(pipeline.status) {
                return None;
            }
            let severity = match pipeline.status {
                PipelineStatus::Succeeded => Severity::Success,
                PipelineStatus::Failed => Severity::Error,
                PipelineStatus::Stopping | PipelineStatus::Cancelled => Severity::Warning,
                PipelineStatus::Running | PipelineStatus::Paused | PipelineStatus::Cancelling => {
                    Severity::Info
                }
            };
            let why = pipeline.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let verb = match pipeline.status {
                PipelineStatus::Succeeded | PipelineStatus::Failed => "",
                PipelineStatus::Cancelled => "was ",
                _ => "is ",
            };
            let text = format!("Pipeline {} {verb}{}{why}", pipeline.title, pipeline.status.word());
            Some(Said { of_hosts: true, ..said(severity, text)? })
        }
        Change::PullRequestPut { pull_request } => {
            let before = draft.before().pull_request(pull_request.number);
            let text = format!("Pull request #{} is open: {}", pull_request.number, pull_request.title);
            before.is_none().then_some(())?;
            Some(Said { of_hosts: true, ..said(Severity::Info, text)? })
        }
        Change::PullRequestGone { number } => {
            let text = format!("Pull request #{number} is not open any more");
            Some(Said { of_hosts: true, ..said(Severity::Info, text)? })
        }
        Change::RepositoryPut { repository } => {
            let before = draft.before().repository();
            let (severity, text) = match (&repository.error, before.and_then(|before| before.error.as_ref()))
            {
                (Some(error), None) => {
                    (Severity::Warning, format!("The repository of the hosts cannot be read: {error}"))
                }
                (None, Some(_)) => {
                    (Severity::Success, "The repository of the hosts is read again".to_owned())
                }
                _ => return None,
            };
            Some(Said { of_hosts: true, ..said(severity, text)? })
        }
        Change::CommandTrimmed { .. }
        | Change::PipelineTrimmed { .. }
        | Change::ProjectPut { created: false, .. }
        | Change::ProjectDeleted { .. }
        | Change::EventLogged { .. }
        | Change::EventAcknowledged { .. }
        | Change::RulesPut { .. }
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

fn describe_host(draft: &Draft, cause: HostCause, host: &Host) -> Option<(Severity, String)> {
    let name = &host.name;
    let before = draft.before().host(host.id);
    let was = |what: fn(&Host) -> bool| before.is_some_and(|before| what(before));
    Some(match cause {
        HostCause::Added => (Severity::Info, format!("Host {name} added")),
        HostCause::Online if was(|host| host.online) => return None,
        HostCause::Online => (Severity::Success, format!("Host {name} is online")),
        HostCause::Offline => (Severity::Warning, format!("Host {name} is offline")),
        HostCause::Edited if host.revoked && !was(|host| host.revoked) => {
            (Severity::Warning, format!("The token of host {name} was revoked"))
        }
        HostCause::Edited | HostCause::Reported | HostCause::Command => return None,
    })
}

fn describe_command(draft: &Draft, cause: CommandCause, command: &Command) -> Option<(Severity, String)> {
    let host = draft.host(command.host_id).map(|host| host.name.to_string()).unwrap_or_default();
    let (kind, why) =
        (&command.kind, command.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default());
    Some(match (cause, command.status) {
        (CommandCause::Queued, _) => (Severity::Info, format!("{} queued {kind} on {host}", command.actor)),
        (CommandCause::Finished, CommandStatus::Succeeded) => {
            (Severity::Success, format!("{kind} on {host} succeeded"))
        }
        (CommandCause::Finished, CommandStatus::Cancelled) => {
            (Severity::Info, format!("{kind} on {host} was cancelled{why}"))
        }
        (CommandCause::Finished, CommandStatus::TimedOut) => {
            (Severity::Error, format!("{kind} on {host} timed out{why}"))
        }
        (CommandCause::Finished, CommandStatus::Lost) => {
            (Severity::Error, format!("{kind} on {host} is lost{why}"))
        }
        (CommandCause::Finished, _) => (Severity::Error, format!("{kind} on {host} failed{why}")),
        (CommandCause::Started | CommandCause::Progress, _) => return None,
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
