//! A worker: a machine that runs nets.

use super::lifecycle::WorkerAction;
use super::{ClusterId, Incarnation, LabCounts, LastAction, Name, Operation, Timestamp, WorkerId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether a worker may be stopped and started again, or lives once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Category {
    Ephemeral,
    Persistent,
}

impl Category {
    pub fn as_str(self) -> &'static str {
        match self {
            Category::Ephemeral => "ephemeral",
            Category::Persistent => "persistent",
        }
    }
}

/// Who makes a cluster's machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Processes on the console's own machine.
    Local,
    Fly,
    Ec2,
    /// Machines that somebody else makes; they are only addressed.
    External,
}

impl Provider {
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::Local => "local",
            Provider::Fly => "fly",
            Provider::Ec2 => "ec2",
            Provider::External => "external",
        }
    }
}

/// What is wrong with a worker in `error`; it decides the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorDetail {
    /// The provider says the machine exists and is stopped.
    MachineStopped,
    /// The provider says the machine is gone.
    MachineDestroyed,
    /// The machine may be there; it does not answer.
    Unreachable,
    /// No machine could be made.
    ProvisionFailed,
}

impl ErrorDetail {
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorDetail::MachineStopped => "machine stopped",
            ErrorDetail::MachineDestroyed => "machine destroyed",
            ErrorDetail::Unreachable => "unreachable",
            ErrorDetail::ProvisionFailed => "provision failed",
        }
    }
}

/// The state of a worker (seed 000). On the wire `status`, and for `error` also `status_detail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(tag = "status", content = "status_detail", rename_all = "snake_case")]
pub enum WorkerStatus {
    /// A record only; no machine.
    Pending,
    /// The machine is being made.
    Provisioning,
    /// The machine is confirmed running.
    Ready,
    /// Stopped on purpose (persistent workers only).
    Stopped,
    /// Unreachable or gone.
    Error(ErrorDetail),
}

impl WorkerStatus {
    /// The word on the wire and in filters.
    pub fn word(self) -> &'static str {
        match self {
            WorkerStatus::Pending => "pending",
            WorkerStatus::Provisioning => "provisioning",
            WorkerStatus::Ready => "ready",
            WorkerStatus::Stopped => "stopped",
            WorkerStatus::Error(_) => "error",
        }
    }
}

/// `ready`, `error · unreachable`: as the console shows it.
impl fmt::Display for WorkerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WorkerStatus::Error(detail) => write!(f, "error · {}", detail.as_str()),
            other => f.write_str(other.word()),
        }
    }
}

/// The machine behind a worker, as its provider and its own process told us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Machine {
    /// How the provider calls it; for `local` the process id and its start time.
    pub provider_ref: String,
    /// Base address of the worker protocol, for example `http://127.0.0.1:40123`.
    pub endpoint: String,
    pub incarnation: Incarnation,
    pub software_version: String,
}

/// A worker's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Worker {
    pub id: WorkerId,
    pub cluster_id: ClusterId,
    pub name: Name,
    pub category: Category,
    pub provider: Provider,
    #[serde(flatten)]
    pub status: WorkerStatus,
    /// Since when it has this status.
    pub status_since: Timestamp,
    /// A sentence on why it has this status, where that needs saying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// Where its machine answers, if the machine is somebody else's ([`Provider::External`]); the operator gave it. Others have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The machine last known. It may be there in `error` (to be reached again or cleaned up), never in `pending`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    pub cpus: u16,
    /// Mebibytes.
    pub memory_mb: u32,
    /// The labs on it, as it last said; `None` before it was ever asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labs: Option<LabCounts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation<WorkerAction>>,
    /// Who changed its state last, if an action did. A change that no action made takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_action: Option<LastAction<WorkerAction>>,
    /// Counts every change of this record.
    pub revision: u64,
    /// Counts changes of what decides whether an action is permitted: status, machine and operation. `If-Match` compares this one.
    pub state_revision: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Worker {
    /// A worker as it begins: a record of the smallest size, for a machine that nobody has made. Revisions and times are counted by the
    /// [`Draft`](super::Draft) that creates it.
    pub fn pending(id: WorkerId, name: Name, cluster_id: ClusterId, provider: Provider) -> Worker {
        Worker {
            id,
            cluster_id,
            name,
            category: Category::Persistent,
            provider,
            status: WorkerStatus::Pending,
            status_since: Timestamp::default(),
            status_reason: None,
            endpoint: None,
            machine: None,
            region: None,
            cpus: 1,
            memory_mb: 64,
            labs: None,
            operation: None,
            last_action: None,
            revision: 0,
            state_revision: 0,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        }
    }

    pub fn is_ready(&self) -> bool {
        self.status == WorkerStatus::Ready
    }

    /// Whether `self` and `before` differ in what decides which actions are permitted.
    pub(super) fn state_differs(&self, before: &Worker) -> bool {
        self.status != before.status || self.machine != before.machine || self.operation != before.operation
    }
}
