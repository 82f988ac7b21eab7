//! The event log: what happened, in a sentence, with what it happened to.

use super::{
    Actor, Build, BuildCause, BuildStatus, Change, ClusterId, Command, CommandCause, CommandStatus,
    Connection, Draft, EventId, Host, HostCause, HostId, Lab, LabState, LoadState, Name, Net, NetCause,
    NetId, PipelineStatus, ProjectId, RunState, Timestamp, Worker, WorkerCause, WorkerId, WorkerStatus,
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
    /// It tells of hosts in general (a pipeline, a pull request), or of who may do what: a user, a token, a webhook.
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
    /// One that says nothing yet.
    pub fn blank(id: EventId, at: Timestamp, actor: Actor) -> Event {
        Event {
            id,
            at,
            kind: String::new(),
            severity: Severity::Info,
            actor,
            text: String::new(),
            cluster_id: None,
            project_id: None,
            worker_id: None,
            net_id: None,
            host_id: None,
            of_hosts: false,
            data: BTreeMap::new(),
            acknowledged: None,
        }
    }

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
    pub data: BTreeMap<String, String>,
}

impl Said {
    fn new(severity: Severity, text: String) -> Said {
        Said {
            severity,
            text,
            cluster_id: None,
            project_id: None,
            worker_id: None,
            net_id: None,
            host_id: None,
            of_hosts: false,
            data: BTreeMap::new(),
        }
    }

    /// Says for programs what the sentence says: `worker`, `net`, `cluster`, `project`, `host`, `pipeline` and `pull_request` are names, `from` and `to`
    /// states, `reason` says why.
    fn with(mut self, key: &str, value: impl ToString) -> Said {
        self.data.insert(key.to_owned(), value.to_string());
        self
    }

    fn with_some(self, key: &str, value: Option<impl ToString>) -> Said {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    fn between(self, from: Option<impl ToString>, to: impl ToString) -> Said {
        self.with_some("from", from).with("to", to)
    }
}

/// The sentence for a change that is about to be recorded in `draft`, or `None` for one that needs none.
pub(super) fn describe(draft: &Draft, change: &Change) -> Option<Said> {
    match change {
        Change::ClusterPut { created, cluster, .. } => {
            let before = draft.before().cluster(cluster.id);
            if let Some(before) = before.filter(|before| before.name != cluster.name) {
                let said = renamed("Cluster", &before.name, &cluster.name).with("cluster", &cluster.name);
                return Some(Said { cluster_id: Some(cluster.id), ..said });
            }
            let before = before.map(|before| before.connection);
            let (severity, text) = match cluster.connection {
                _ if *created => (Severity::Info, format!("Cluster {} added", cluster.name)),
                now if before == Some(now) => return None,
                Connection::Unknown => return None,
                Connection::Connected => {
                    (Severity::Success, format!("Cluster {} is connected", cluster.name))
                }
                Connection::Disconnected => {
                    (Severity::Error, format!("Cluster {} is disconnected", cluster.name))
                }
            };
            let said = Said::new(severity, text)
                .with("cluster", &cluster.name)
                .between(before.map(Connection::as_str), cluster.connection.as_str());
            Some(Said { cluster_id: Some(cluster.id), ..said })
        }
        Change::ProjectPut { created: true, project } => {
            let said = Said::new(Severity::Info, format!("Project {} added", project.name))
                .with("project", &project.name);
            Some(Said { project_id: Some(project.id), ..said })
        }
        Change::ProjectPut { created: false, project } => {
            let before = draft.before().project(project.id)?;
            let said = if before.name != project.name {
                renamed("Project", &before.name, &project.name)
            } else if before.quotas != project.quotas {
                Said::new(Severity::Info, format!("The quotas of project {} were changed", project.name))
            } else {
                return None;
            };
            Some(Said { project_id: Some(project.id), ..said.with("project", &project.name) })
        }
        Change::ProjectDeleted { id } => {
            let project = draft.before().project(*id)?;
            let said = Said::new(Severity::Info, format!("Project {} deleted", project.name))
                .with("project", &project.name);
            Some(Said { project_id: Some(*id), ..said })
        }
        Change::NetPut { net, moved_from: Some(before), .. } => {
            let name = |id| draft.before().project(id).map(|project| project.name.to_string());
            let to = name(net.project_id).unwrap_or_default();
            // Its members may not know the project that it was in, hence not by name.
            let said = Said::new(Severity::Info, format!("Net {} was moved to project {to}", net.name))
                .with("net", &net.name)
                .with("project", to)
                .with("from_project_id", before);
            Some(Said {
                project_id: Some(net.project_id),
                net_id: Some(net.id),
                worker_id: net.worker_id,
                ..said
            })
        }
        Change::WorkerPut { cause, worker } => {
            let said = describe_worker(draft, *cause, worker)?.with("worker", &worker.name);
            Some(Said { cluster_id: Some(worker.cluster_id), worker_id: Some(worker.id), ..said })
        }
        Change::WorkerDeleted { id } => {
            let worker = draft.before().worker(*id)?;
            let lost = draft.before().labs_on(*id).filter(|lab| !lab.state.is_over()).count();
            let text = format!("Worker {} deleted{}", worker.name, and_labs(lost));
            let said = Said::new(Severity::Info, text).with("worker", &worker.name);
            Some(Said { cluster_id: Some(worker.cluster_id), worker_id: Some(*id), ..said })
        }
        Change::NetPut { cause, net, .. } => {
            let said = describe_net(draft, *cause, net)?.with("net", &net.name);
            Some(Said {
                project_id: Some(net.project_id),
                net_id: Some(net.id),
                worker_id: net.worker_id,
                ..said
            })
        }
        Change::NetDeleted { id, project_id } => {
            let net = draft.before().net(*id)?;
            let labs = draft.before().labs().filter(|lab| lab.net_id == *id).count();
            let text = format!("Net {} deleted{}", net.name, with_labs(labs));
            let said = Said::new(Severity::Info, text).with("net", &net.name);
            Some(Said { project_id: *project_id, net_id: Some(*id), ..said })
        }
        Change::ClusterDeleted { id } => {
            let cluster = draft.before().cluster(*id)?;
            let said = Said::new(Severity::Info, format!("Cluster {} deleted", cluster.name))
                .with("cluster", &cluster.name);
            Some(Said { cluster_id: Some(*id), ..said })
        }
        Change::HostPut { cause, host } => {
            let said = describe_host(draft, *cause, host)?.with("host", &host.name);
            Some(Said { host_id: Some(host.id), ..said })
        }
        Change::HostDeleted { id } => {
            let host = draft.before().host(*id)?;
            let said =
                Said::new(Severity::Info, format!("Host {} deleted", host.name)).with("host", &host.name);
            Some(Said { host_id: Some(*id), ..said })
        }
        Change::CommandPut { cause, command } => {
            let said = describe_command(draft, *cause, command)?;
            Some(Said { host_id: Some(command.host_id), ..said })
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
            let said = Said::new(severity, text)
                .with("pipeline", &pipeline.title)
                .with("pipeline_id", pipeline.id)
                .between(before.map(PipelineStatus::word), pipeline.status.word())
                .with_some("reason", pipeline.reason.as_ref());
            Some(Said { of_hosts: true, ..said })
        }
        Change::BuildPut { cause, build } => {
            let net = draft.net(build.net_id).ok()?;
            let said = describe_build(*cause, build, &net.name)?;
            Some(Said { project_id: Some(build.project_id), net_id: Some(build.net_id), ..said })
        }
        Change::LabPut { lab } => {
            let said = describe_lab(draft, lab)?;
            Some(of_lab(lab, said))
        }
        Change::LabDeleted { id, .. } => {
            let lab = draft.before().lab(*id)?;
            let said = Said::new(Severity::Info, format!("Lab {} deleted", lab.name)).with("lab", &lab.name);
            Some(of_lab(lab, said))
        }
        Change::PullRequestPut { pull_request } => {
            let before = draft.before().pull_request(pull_request.number);
            before.is_none().then_some(())?;
            let text = format!("Pull request #{} is open: {}", pull_request.number, pull_request.title);
            let said = Said::new(Severity::Info, text)
                .with("pull_request", pull_request.number)
                .with("title", &pull_request.title);
            Some(Said { of_hosts: true, ..said })
        }
        Change::PullRequestGone { number } => {
            let text = format!("Pull request #{number} is not open any more");
            let said = Said::new(Severity::Info, text).with("pull_request", number);
            Some(Said { of_hosts: true, ..said })
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
            let said = Said::new(severity, text).with_some("reason", repository.error.as_ref());
            Some(Said { of_hosts: true, ..said })
        }
        Change::CommandTrimmed { .. }
        | Change::PipelineTrimmed { .. }
        | Change::BuildTrimmed { .. }
        | Change::EventLogged { .. }
        | Change::EventAcknowledged { .. }
        | Change::RulesPut { .. }
        | Change::EventsTrimmed { .. } => None,
    }
}

/// What a change leaves in the log of a project besides: a net that went away. Where it went is not for everybody there to know.
pub(super) fn left_behind(draft: &Draft, change: &Change) -> Option<Said> {
    let Change::NetPut { net, moved_from: Some(before), .. } = change else { return None };
    let from = draft.before().project(*before).map(|project| project.name.to_string()).unwrap_or_default();
    let said = Said::new(Severity::Info, format!("Net {} was moved out of project {from}", net.name))
        .with("net", &net.name)
        .with("project", from);
    Some(Said { project_id: Some(*before), net_id: Some(net.id), ..said })
}

fn renamed(what: &str, from: &Name, to: &Name) -> Said {
    Said::new(Severity::Info, format!("{what} {from} is named {to} now")).between(Some(from), to)
}

fn describe_worker(draft: &Draft, cause: WorkerCause, worker: &Worker) -> Option<Said> {
    let name = &worker.name;
    Some(match cause {
        WorkerCause::Created => Said::new(Severity::Info, format!("Worker {name} created")),
        WorkerCause::Terminated => {
            Said::new(Severity::Info, format!("The machine of worker {name} was destroyed"))
        }
        WorkerCause::Status => {
            let severity = match worker.status {
                WorkerStatus::Ready => Severity::Success,
                WorkerStatus::Error(_) => Severity::Error,
                WorkerStatus::Pending | WorkerStatus::Provisioning | WorkerStatus::Stopped => Severity::Info,
            };
            let why = worker.status_reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            // What nobody asked for is drift: then what was believed before matters as much.
            let before = draft.before().worker(worker.id).map(|before| before.status);
            let text =
                match before.filter(|before| *draft.actor() == Actor::System && *before != worker.status) {
                    Some(before) => format!("Worker {name} was {before} and is {}{why}", worker.status),
                    None => format!("Worker {name} is {}{why}", worker.status),
                };
            let detail = match worker.status {
                WorkerStatus::Error(detail) => Some(detail.as_str()),
                _ => None,
            };
            Said::new(severity, text)
                .between(before.map(WorkerStatus::word), worker.status.word())
                .with_some("detail", detail)
                .with_some("reason", worker.status_reason.as_ref())
        }
        WorkerCause::Edited | WorkerCause::Operation | WorkerCause::Labs => return None,
    })
}

fn describe_host(draft: &Draft, cause: HostCause, host: &Host) -> Option<Said> {
    let name = &host.name;
    let before = draft.before().host(host.id);
    let was = |what: fn(&Host) -> bool| before.is_some_and(|before| what(before));
    Some(match cause {
        HostCause::Added => Said::new(Severity::Info, format!("Host {name} added")),
        HostCause::Online if was(|host| host.online) => return None,
        HostCause::Online => {
            Said::new(Severity::Success, format!("Host {name} is online")).between(Some("offline"), "online")
        }
        HostCause::Offline => {
            Said::new(Severity::Warning, format!("Host {name} is offline")).between(Some("online"), "offline")
        }
        HostCause::Edited if host.revoked && !was(|host| host.revoked) => {
            Said::new(Severity::Warning, format!("The token of host {name} was revoked"))
        }
        HostCause::Edited | HostCause::Reported | HostCause::Command => return None,
    })
}

fn describe_command(draft: &Draft, cause: CommandCause, command: &Command) -> Option<Said> {
    let host = draft.host(command.host_id).map(|host| host.name.to_string()).unwrap_or_default();
    let (kind, why) =
        (&command.kind, command.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default());
    let (severity, text) = match (cause, command.status) {
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
    };
    let before = draft.before().command(command.id).map(|before| before.status);
    let said = Said::new(severity, text)
        .with("host", host)
        .with("command", kind)
        .with("command_id", command.id)
        .between(before.map(CommandStatus::word), command.status.word())
        .with_some("exit_code", command.exit_code)
        .with_some("reason", command.reason.as_ref());
    Some(said)
}

fn describe_net(draft: &Draft, cause: NetCause, net: &Net) -> Option<Said> {
    let name = &net.name;
    let worker = draft.worker_of(net).map(|worker| worker.name.to_string());
    let on = worker.clone().unwrap_or_default();
    let before = draft.before().net(net.id);
    let said = match cause {
        NetCause::Created => Said::new(Severity::Info, format!("Net {name} added")),
        NetCause::Assigned => Said::new(Severity::Info, format!("Net {name} assigned to {on}")),
        NetCause::Unassigned => Said::new(Severity::Info, format!("Net {name} unassigned")),
        NetCause::LoadState => {
            let (severity, text) = match net.load_state {
                LoadState::Loaded => (Severity::Success, format!("Net {name} loaded on {on}")),
                LoadState::Unloaded => match &net.load_error {
                    Some(why) => {
                        (Severity::Warning, format!("Net {name} is not loaded on {on} any more: {why}"))
                    }
                    None => (Severity::Info, format!("Net {name} unloaded from {on}")),
                },
                LoadState::Error => {
                    let why = net.load_error.as_deref().unwrap_or("no reason given");
                    (Severity::Error, format!("Net {name} could not be loaded on {on}: {why}"))
                }
            };
            Said::new(severity, text)
                .between(before.map(|before| before.load_state.as_str()), net.load_state.as_str())
                .with_some("reason", net.load_error.as_ref())
        }
        NetCause::RunState => {
            let (severity, text) = match net.run_state {
                RunState::Running if net.rate == 0 => {
                    (Severity::Info, format!("Net {name} runs as fast as possible"))
                }
                RunState::Running => (Severity::Info, format!("Net {name} runs at {} firings/s", net.rate)),
                RunState::Idle => (Severity::Info, format!("Net {name} is idle")),
                RunState::Dead => {
                    (Severity::Warning, format!("Net {name} is dead: no transition is enabled"))
                }
            };
            Said::new(severity, text)
                .between(before.map(|before| before.run_state.as_str()), net.run_state.as_str())
        }
        NetCause::Version => {
            Said::new(Severity::Info, format!("Net {name} has a new version, number {}", net.newest().number))
                .with("version", net.newest().number)
        }
        // The build tells of itself.
        NetCause::Edited | NetCause::Operation | NetCause::Build => return None,
    };
    Some(said.with_some("worker", worker))
}

fn describe_build(cause: BuildCause, build: &Build, net: &Name) -> Option<Said> {
    if cause != BuildCause::Finished {
        return None;
    }
    let version = build.version;
    let (severity, text) = match (build.status, &build.error) {
        (BuildStatus::Failed, Some(error)) => {
            let at = error.at.map(|(line, column)| format!(" at line {line}, column {column}"));
            let at = at.unwrap_or_default();
            (
                Severity::Error,
                format!("The build of net {net}, version {version}, failed{at}: {}", error.text),
            )
        }
        (BuildStatus::Failed, None) => {
            (Severity::Error, format!("The build of net {net}, version {version}, failed"))
        }
        _ => {
            let found = match build.summary.and_then(|summary| summary.deadlock) {
                Some(true) => ": it can deadlock",
                Some(false) => ": it cannot deadlock",
                None => ": whether it can deadlock is not decided",
            };
            (Severity::Info, format!("Net {net}, version {version}, was built{found}"))
        }
    };
    let said = Said::new(severity, text)
        .with("net", net)
        .with("version", version)
        .with("build_id", build.id)
        .with("to", build.status.word())
        .with_some("reason", build.error.as_ref().map(|error| &error.text))
        .with_some("line", build.error.as_ref().and_then(|error| error.at).map(|(line, _)| line));
    Some(said)
}

/// What else goes with a net.
pub fn with_labs(labs: usize) -> String {
    match labs {
        0 => String::new(),
        1 => " with its lab and what that found".to_owned(),
        labs => format!(" with its {labs} labs and what they found"),
    }
}

/// What becomes of the labs of a worker that is gone.
fn and_labs(lost: usize) -> String {
    match lost {
        0 => String::new(),
        1 => "; its lab is lost but for what was synced".to_owned(),
        labs => format!("; its {labs} labs are lost but for what was synced"),
    }
}

/// A lab's history is what is told of it.
fn describe_lab(draft: &Draft, lab: &Lab) -> Option<Said> {
    let before = draft.before().lab(lab.id);
    let last = lab.history.last()?;
    if before.is_some_and(|before| before.history.last() == Some(last)) {
        return None;
    }
    let severity = match lab.state {
        _ if last.action.is_some() => Severity::Info,
        LabState::Done => Severity::Success,
        LabState::Failed => Severity::Error,
        LabState::Lost => Severity::Warning,
        LabState::Idle | LabState::Queued | LabState::Running => Severity::Info,
    };
    let said = Said::new(severity, format!("Lab {}: {}", lab.name, last.text))
        .with("lab", &lab.name)
        .with("lab_id", lab.id)
        .between(before.map(|before| before.state), lab.state)
        .with_some("reason", lab.error.as_ref());
    Some(said)
}

fn of_lab(lab: &Lab, said: Said) -> Said {
    Said { project_id: Some(lab.project_id), net_id: Some(lab.net_id), worker_id: lab.worker_id, ..said }
}
