//! What can be asked of the fleet: the argument of `server::actions::perform`, from whichever door it comes.

use super::{
    Category, Cluster, ClusterId, Command, CommandId, CommandKind, EventId, EventRules, Host, HostId, Lab,
    LabAction, LabId, LabPlan, Net, NetId, Pipeline, PipelineId, Plan, Project, ProjectId, Provider, Quotas,
    Worker, WorkerId,
    lifecycle::{HostAction, NetAction, PipelineAction, WorkerAction},
};
use serde::{Deserialize, Serialize};
use std::{ops::RangeInclusive, sync::Arc};

/// CPUs that a worker may be asked for with.
pub const CPUS: RangeInclusive<u64> = 1..=256;
/// Memory that a worker may be asked for with, mebibytes.
pub const MEMORY_MB: RangeInclusive<u64> = 16..=1 << 20;
/// A PNML file may have this many bytes, by whichever door it comes.
pub const MAX_PNML_BYTES: usize = 16 << 20;
/// Firings per second; 0 is as fast as possible.
pub const RATE: RangeInclusive<u64> = 0..=10_000_000;
/// Tokens that may be added at once. JavaScript's numbers are exact up to the end of it, and so is every count of tokens.
pub const TOKENS: RangeInclusive<u64> = 1..=1 << 53;

/// What to say of a value that is not the whole number it should be: the field, its bounds, and what was given.
pub fn whole_number_wanted(field: &str, bounds: &RangeInclusive<u64>, given: &str) -> String {
    let given: String = given.chars().take(40).collect();
    format!("{field} must be a whole number from {} to {}; it is {given}.", bounds.start(), bounds.end())
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWorker {
    pub name: String,
    pub cluster_id: ClusterId,
    pub category: Category,
    pub cpus: u64,
    /// Mebibytes.
    pub memory_mb: u64,
    /// Where its machine answers: needed in an external cluster, and in no other.
    #[serde(default)]
    pub endpoint: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCluster {
    pub name: String,
    pub provider: Provider,
    #[serde(default)]
    pub region: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewProject {
    pub name: String,
    #[serde(default)]
    pub quotas: Quotas,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewNet {
    /// Empty: the name in the PNML file.
    pub name: String,
    pub project_id: ProjectId,
    pub pnml: Vec<u8>,
    /// Record it although it cannot be read: its build fails with the line, and it cannot be loaded.
    #[serde(default)]
    pub keep_broken: bool,
}

/// A new version of a net.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedNet {
    pub pnml: Vec<u8>,
    /// As for a new net.
    #[serde(default)]
    pub keep_broken: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewLab {
    pub net_id: NetId,
    /// Absent: the one in force.
    #[serde(default)]
    pub version: Option<u32>,
    /// Absent: the worker that the net is assigned to.
    #[serde(default)]
    pub worker_id: Option<WorkerId>,
    pub name: String,
    pub plan: LabPlan,
    /// Start it at once.
    #[serde(default)]
    pub start: bool,
}

/// A net action with what it needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum NetRequest {
    Assign {
        worker_id: WorkerId,
    },
    Unassign,
    /// Without a version: the newest.
    Load {
        #[serde(default)]
        version: Option<u32>,
    },
    Unload,
    Step,
    Run {
        rate: u32,
    },
    Stop,
    Reset,
    Inject {
        place: String,
        tokens: u64,
    },
    Delete,
    UndoDelete,
}

impl NetRequest {
    pub fn action(&self) -> NetAction {
        match self {
            NetRequest::Assign { .. } => NetAction::Assign,
            NetRequest::Unassign => NetAction::Unassign,
            NetRequest::Load { .. } => NetAction::Load,
            NetRequest::Unload => NetAction::Unload,
            NetRequest::Step => NetAction::Step,
            NetRequest::Run { .. } => NetAction::Run,
            NetRequest::Stop => NetAction::Stop,
            NetRequest::Reset => NetAction::Reset,
            NetRequest::Inject { .. } => NetAction::Inject,
            NetRequest::Delete => NetAction::Delete,
            NetRequest::UndoDelete => NetAction::UndoDelete,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    CreateCluster(NewCluster),
    RenameCluster {
        id: ClusterId,
        name: String,
    },
    DeleteCluster(ClusterId),
    CreateProject(NewProject),
    /// Gives a project this name and these bounds.
    EditProject {
        id: ProjectId,
        edit: NewProject,
    },
    DeleteProject(ProjectId),
    /// Moves a net to another project.
    MoveNet {
        id: NetId,
        project_id: ProjectId,
    },
    /// Says that one knows of these events.
    AcknowledgeEvents(Vec<EventId>),
    /// Replaces the rules for events; `if_match` is their revision.
    SetRules(EventRules),
    CreateWorker(NewWorker),
    Worker {
        id: WorkerId,
        action: WorkerAction,
    },
    CreateNet(NewNet),
    Net {
        id: NetId,
        request: NetRequest,
    },
    /// Gives a net a new version.
    ChangeNet {
        id: NetId,
        changed: ChangedNet,
    },
    /// Builds the newest version of a net anew.
    BuildNet(NetId),
    CreateLab(NewLab),
    Lab {
        id: LabId,
        action: LabAction,
    },
    /// Asks a worker for its labs now.
    RefreshLabs(WorkerId),
    /// How often the labs of a cluster's workers are asked for; `None` as usual.
    SetLabSync {
        id: ClusterId,
        minutes: Option<u32>,
    },
    /// Adds a host; the answer holds its token, once.
    CreateHost {
        name: String,
    },
    Host {
        id: HostId,
        action: HostAction,
    },
    /// Queues one command a host.
    RunCommand {
        host_ids: Vec<HostId>,
        kind: CommandKind,
    },
    CancelCommand(CommandId),
    StartPipeline {
        title: String,
        plan: Plan,
    },
    Pipeline {
        id: PipelineId,
        action: PipelineAction,
    },
    /// Merges a pull request if its head is still `head_sha`, then, if asked to, starts a pipeline.
    MergePullRequest {
        number: u64,
        head_sha: String,
        deploy: Option<Plan>,
    },
}

/// What a caller adds to an action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// The `state_revision` the caller decided on; another one now means the action is refused with the current row.
    #[serde(default)]
    pub if_match: Option<u64>,
    /// The idempotency key: the same key by the same user gets the first answer again, and nothing is done twice.
    #[serde(default)]
    pub key: Option<String>,
}

/// An action that was done, or that goes on as an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Done {
    /// A sentence: `worker-1 is ready`.
    pub message: String,
    /// The rows as they are now; absent when deleted or not concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<Arc<Worker>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<Arc<Net>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Arc<Host>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lab: Option<Arc<Lab>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Arc<Command>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<Arc<Pipeline>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Arc<Project>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Arc<Cluster>>,
    /// The token of a host, told this once: only its hash is kept, here and in the answers to idempotency keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}
