//! A net: a Petri net that can be loaded on a worker and run there. (Seed 004 calls it a workload.)

use super::lifecycle::NetAction;
use super::{
    Actor, DefinitionHash, LastAction, LoadId, Name, NetBuild, NetId, NetSize, Operation, ProjectId,
    Timestamp, WorkerId,
};
use serde::{Deserialize, Serialize};

/// Whether a net is on its worker (seed 000).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LoadState {
    Unloaded,
    /// Confirmed active on a ready worker.
    Loaded,
    /// The worker is alive and refused or failed to load it.
    Error,
}

impl LoadState {
    pub fn as_str(self) -> &'static str {
        match self {
            LoadState::Unloaded => "unloaded",
            LoadState::Loaded => "loaded",
            LoadState::Error => "error",
        }
    }
}

/// What a loaded net is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    Idle,
    Running,
    /// No transition is enabled.
    Dead,
}

impl RunState {
    pub fn as_str(self) -> &'static str {
        match self {
            RunState::Idle => "idle",
            RunState::Running => "running",
            RunState::Dead => "dead",
        }
    }
}

/// A version of a net: what it was made of since it was changed for the `number`-th time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct NetVersion {
    /// 1, 2, 3 … within the net.
    pub number: u32,
    pub definition: DefinitionHash,
    pub size: NetSize,
}

/// A version of a net with who made it when, and how its build stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct VersionRow {
    #[serde(flatten)]
    pub version: NetVersion,
    pub at: Timestamp,
    pub actor: Actor,
    /// `None` where it was never built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<NetBuild>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Net {
    pub id: NetId,
    pub project_id: ProjectId,
    pub name: Name,
    /// Of the version in force: the one that was loaded or is being loaded, else the newest.
    pub definition: DefinitionHash,
    pub size: NetSize,
    /// The number of that version.
    #[serde(default = "first")]
    pub version: u32,
    /// The newest version, where another one is in force. Not before the net was loaded: what is nowhere has its newest version in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<NetVersion>,
    /// Of the newest version; `None` before it was ever built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<NetBuild>,
    /// The worker it is assigned to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<WorkerId>,
    pub load_state: LoadState,
    /// Why it is not loaded. The text may stay after the net became `unloaded`, to be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_error: Option<String>,
    /// The loading last made on `worker_id`. It outlives the worker's `error`, so that a net that kept running there can be adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_id: Option<LoadId>,
    pub run_state: RunState,
    /// The rate last asked for, in firings per second; 0 is as fast as possible.
    pub rate: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation<NetAction>>,
    /// Who changed its state last, if an action did. A change that no action made takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_action: Option<LastAction<NetAction>>,
    /// Counts every change of this record.
    pub revision: u64,
    /// Counts changes of what decides whether an action is permitted: load state, worker, definition and operation. `If-Match` compares
    /// this one, so that a net that starts running does not make an action stale.
    pub state_revision: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Net {
    /// A net as it begins: assigned to no worker. Revisions and times are counted by the [`Draft`](super::Draft) that creates it.
    pub fn unassigned(
        id: NetId,
        name: Name,
        project_id: ProjectId,
        definition: DefinitionHash,
        size: NetSize,
    ) -> Net {
        Net {
            id,
            project_id,
            name,
            definition,
            size,
            version: first(),
            newer: None,
            build: None,
            worker_id: None,
            load_state: LoadState::Unloaded,
            load_error: None,
            load_id: None,
            run_state: RunState::Idle,
            rate: 0,
            operation: None,
            last_action: None,
            revision: 0,
            state_revision: 0,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        }
    }

    /// The version that loading takes unless another one is named.
    pub fn newest(&self) -> NetVersion {
        self.newer.unwrap_or(NetVersion {
            number: self.version,
            definition: self.definition,
            size: self.size,
        })
    }

    /// Puts a version in force. `newest` stays known.
    pub fn put_in_force(&mut self, version: NetVersion) {
        let newest = self.newest();
        (self.version, self.definition, self.size) = (version.number, version.definition, version.size);
        self.newer = Some(newest).filter(|newest| newest.number > version.number);
    }

    pub fn is_loaded(&self) -> bool {
        self.load_state == LoadState::Loaded
    }

    /// Whether its newest version cannot be loaded.
    pub fn build_failed(&self) -> bool {
        self.build.as_ref().is_some_and(super::NetBuild::is_broken)
    }

    /// Whether `self` and `before` differ in what decides which actions are permitted.
    pub(super) fn state_differs(&self, before: &Net) -> bool {
        self.load_state != before.load_state
            || self.worker_id != before.worker_id
            || self.definition != before.definition
            || self.newer != before.newer
            || self.operation != before.operation
            || self.build_failed() != before.build_failed()
    }
}

fn first() -> u32 {
    1
}
