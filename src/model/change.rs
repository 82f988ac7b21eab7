//! Every way the fleet can change.
//!
//! A change carries the whole row as it is afterwards, with the cause beside it, as etcd's watch does: applying one is putting a row, a row
//! that enters somebody's scope needs no special form, and two replicas that hold the same revision hold the same row. The price is bytes;
//! rows are small, because telemetry and definitions are not in them.

use super::{
    Build, BuildId, BuildStatus, Cluster, ClusterId, Command, CommandId, Event, EventId, EventRules, Host,
    HostId, Lab, LabId, Net, NetId, Pipeline, PipelineId, Project, ProjectId, PullRequest, Repository,
    Severity, Worker, WorkerId,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Why a worker's row changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerCause {
    Created,
    /// Name, size or another property.
    Edited,
    /// Status or detail; the operation may have ended with it.
    Status,
    /// An operation began, ended or was given up; the status stayed.
    Operation,
    /// Its machine was destroyed: seed 001's `worker.terminated`.
    Terminated,
    /// It was asked for its labs.
    Labs,
}

/// Why a net's row changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetCause {
    Created,
    Edited,
    LoadState,
    RunState,
    Assigned,
    Unassigned,
    Operation,
    /// It has a new version.
    Version,
    /// The build of its newest version went on or ended.
    Build,
}

/// Why a host's row changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostCause {
    Added,
    Edited,
    /// Its agent connected.
    Online,
    /// Its agent's connection ended.
    Offline,
    /// Its agent reported, or what is expected of it changed.
    Reported,
    /// A command was sent to it or ended.
    Command,
}

/// Why a command's row changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandCause {
    Queued,
    Started,
    /// Sent, asked to end, looked at again afterwards.
    Progress,
    Finished,
}

/// Why a build's row changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuildCause {
    Queued,
    Started,
    /// It is at another phase, or begins again after the console ended.
    Progress,
    Finished,
    /// Its net moved to another project.
    Moved,
}

/// One change of the fleet. A transaction is a list of these, and is applied whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    ClusterPut {
        created: bool,
        /// Its connection is another than before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        reconnected: bool,
        cluster: Arc<Cluster>,
    },
    ClusterDeleted {
        id: ClusterId,
    },
    ProjectPut {
        created: bool,
        project: Arc<Project>,
    },
    ProjectDeleted {
        id: ProjectId,
    },
    WorkerPut {
        cause: WorkerCause,
        worker: Arc<Worker>,
    },
    WorkerDeleted {
        id: WorkerId,
    },
    NetPut {
        cause: NetCause,
        net: Arc<Net>,
        /// The project it was in before, if it moved: that project's scopes see a removal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        moved_from: Option<ProjectId>,
    },
    NetDeleted {
        id: NetId,
        /// The project it was in; `None` in the removal that a scope sees when a net leaves it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        project_id: Option<ProjectId>,
    },
    HostPut {
        cause: HostCause,
        host: Arc<Host>,
    },
    HostDeleted {
        id: HostId,
    },
    CommandPut {
        cause: CommandCause,
        command: Arc<Command>,
    },
    /// A command that is over leaves the snapshot; the history keeps it.
    CommandTrimmed {
        id: CommandId,
    },
    PipelinePut {
        pipeline: Arc<Pipeline>,
    },
    /// A pipeline that is over leaves the snapshot; the history keeps it.
    PipelineTrimmed {
        id: PipelineId,
    },
    /// A build goes with its net: the removal of a net is the removal of its builds and labs.
    BuildPut {
        cause: BuildCause,
        build: Arc<Build>,
    },
    /// A build that is over leaves the snapshot; the history keeps it.
    BuildTrimmed {
        id: BuildId,
    },
    LabPut {
        lab: Arc<Lab>,
    },
    LabDeleted {
        id: LabId,
        project_id: ProjectId,
    },
    PullRequestPut {
        pull_request: Arc<PullRequest>,
    },
    /// It was merged or closed.
    PullRequestGone {
        number: u64,
    },
    RepositoryPut {
        repository: Arc<Repository>,
    },
    EventLogged {
        event: Arc<Event>,
    },
    /// The event as it is now. One that left the snapshot does not come back to it.
    EventAcknowledged {
        event: Arc<Event>,
    },
    RulesPut {
        rules: Arc<EventRules>,
    },
    /// Events before `before` leave the snapshot; the history keeps them.
    EventsTrimmed {
        before: EventId,
    },
}

impl Change {
    /// The name of this change in the event stream (DESIGN.md section 3), or `None` for what only keeps the state small.
    pub fn event_type(&self) -> Option<&'static str> {
        Some(match self {
            Change::ClusterPut { reconnected: true, cluster, .. } => match cluster.connection {
                super::Connection::Connected => "cluster.connected",
                super::Connection::Disconnected => "cluster.disconnected",
                super::Connection::Unknown => "cluster.status.updated",
            },
            Change::ClusterPut { .. } | Change::ClusterDeleted { .. } => "cluster.status.updated",
            Change::ProjectPut { created: true, .. } => "project.created",
            Change::ProjectPut { created: false, .. } => "project.status.updated",
            Change::ProjectDeleted { .. } => "project.deleted",
            Change::WorkerPut { cause, .. } => match cause {
                WorkerCause::Created => "worker.created",
                WorkerCause::Edited | WorkerCause::Operation => "worker.updated",
                WorkerCause::Status => "worker.status.updated",
                WorkerCause::Terminated => "worker.terminated",
                WorkerCause::Labs => "worker.labs.updated",
            },
            Change::WorkerDeleted { .. } => "worker.deleted",
            Change::NetPut { cause, .. } => match cause {
                NetCause::Created => "net.created",
                NetCause::Edited | NetCause::Operation | NetCause::Version | NetCause::Build => "net.updated",
                NetCause::LoadState => "net.load_state.updated",
                NetCause::RunState => "net.run_state.updated",
                NetCause::Assigned => "net.assigned",
                NetCause::Unassigned => "net.unassigned",
            },
            Change::NetDeleted { .. } => "net.deleted",
            Change::HostPut { cause, .. } => match cause {
                HostCause::Added => "host.added",
                HostCause::Offline => "host.offline",
                HostCause::Edited | HostCause::Online | HostCause::Reported | HostCause::Command => {
                    "host.updated"
                }
            },
            Change::HostDeleted { .. } => "host.removed",
            Change::CommandPut { cause, .. } => match cause {
                CommandCause::Queued => "command.queued",
                CommandCause::Started => "command.started",
                CommandCause::Progress => "command.progress",
                CommandCause::Finished => "command.finished",
            },
            Change::PipelinePut { .. } => "pipeline.updated",
            Change::BuildPut { cause: BuildCause::Finished, build } => match build.status {
                BuildStatus::Failed => "build.failed",
                _ => "build.completed",
            },
            Change::BuildPut { .. } | Change::BuildTrimmed { .. } => return None,
            Change::LabPut { .. } | Change::LabDeleted { .. } => "lab.updated",
            Change::PullRequestPut { .. } | Change::PullRequestGone { .. } => "pull_request.updated",
            Change::RepositoryPut { .. } | Change::CommandTrimmed { .. } | Change::PipelineTrimmed { .. } => {
                return None;
            }
            Change::EventLogged { event } if event.severity == Severity::Error => "error.reported",
            Change::EventLogged { .. } | Change::EventAcknowledged { .. } => "event.logged",
            Change::RulesPut { .. } => return None,
            Change::EventsTrimmed { .. } => return None,
        })
    }
}
