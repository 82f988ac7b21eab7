//! A build: one version of a net read, checked and analysed, before anybody loads it.
//!
//! The row says how far it is and, in short, what it found; the whole report is kept beside it and fetched where it is shown.

use super::{BuildId, DefinitionHash, NetId, ProjectId, Timestamp};
use serde::{Deserialize, Serialize};

/// How many ended builds the snapshot holds.
pub const BUILDS_IN_SNAPSHOT: usize = 100;
/// A build that ended with the console is begun again so often; then it has failed.
pub const ATTEMPTS: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BuildStatus {
    Queued,
    Running,
    /// The file was read. What could not be found out within the budget is "not decided"; that is no failure.
    Succeeded,
    /// The file cannot be read as a net, or building it came to a bad end. Such a version cannot be loaded.
    Failed,
}

impl BuildStatus {
    pub fn is_over(self) -> bool {
        matches!(self, BuildStatus::Succeeded | BuildStatus::Failed)
    }

    pub fn word(self) -> &'static str {
        match self {
            BuildStatus::Queued => "queued",
            BuildStatus::Running => "running",
            BuildStatus::Succeeded => "succeeded",
            BuildStatus::Failed => "failed",
        }
    }
}

/// What a running build is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BuildPhase {
    Reading,
    Structure,
    Invariants,
    /// The state space.
    States,
}

impl BuildPhase {
    pub fn word(self) -> &'static str {
        match self {
            BuildPhase::Reading => "reading",
            BuildPhase::Structure => "structure",
            BuildPhase::Invariants => "invariants",
            BuildPhase::States => "states",
        }
    }
}

/// Why a build failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct BuildError {
    /// A sentence.
    pub text: String,
    /// Line and column of the file, from 1, where the error is in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<(u32, u32)>,
}

/// What a build found, in short. `None` is not decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct BuildSummary {
    /// Reachable markings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub states: Option<u64>,
    /// Some reachable marking enables nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadlock: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<bool>,
    /// Whether the number of tokens has a bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounded: Option<bool>,
    /// How many of the eight verdicts are decided.
    pub decided: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Build {
    pub id: BuildId,
    /// The project that its net is in.
    pub project_id: ProjectId,
    pub net_id: NetId,
    /// Of the net's versions.
    pub version: u32,
    pub definition: DefinitionHash,
    pub status: BuildStatus,
    /// While it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<BuildPhase>,
    /// How often it was begun. More than once: the console ended while it ran.
    pub attempts: u32,
    /// Of a failed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<BuildError>,
    /// Of one that succeeded. Of a version that is built anew, what was found before; it holds also if this build fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<BuildSummary>,
    pub queued_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Counts every change of this record.
    pub revision: u64,
}

/// What a net's row says of the build of its newest version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct NetBuild {
    pub id: BuildId,
    pub version: u32,
    pub status: BuildStatus,
    /// Of a failed one, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<BuildError>,
    /// Where it failed: what an earlier build of the same version found, and what still holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<BuildSummary>,
}

impl NetBuild {
    /// Whether the version cannot be loaded. That building it anew failed is nothing against what was found before.
    pub fn is_broken(&self) -> bool {
        self.status == BuildStatus::Failed && self.summary.is_none()
    }
}

impl From<&Build> for NetBuild {
    fn from(build: &Build) -> NetBuild {
        NetBuild {
            id: build.id,
            version: build.version,
            status: build.status,
            error: build.error.clone(),
            summary: build.summary,
        }
    }
}

impl Build {
    /// A build as it begins: it waits for its turn. Its revision is counted by the [`Draft`](super::Draft) that puts it.
    pub fn queued(
        id: BuildId,
        net_id: NetId,
        project_id: ProjectId,
        version: u32,
        definition: DefinitionHash,
        now: Timestamp,
    ) -> Build {
        Build {
            id,
            project_id,
            net_id,
            version,
            definition,
            status: BuildStatus::Queued,
            phase: None,
            attempts: 0,
            error: None,
            summary: None,
            queued_at: now,
            started_at: None,
            finished_at: None,
            revision: 0,
        }
    }
}
