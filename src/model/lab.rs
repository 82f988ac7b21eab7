//! A lab: an experiment that lives on a worker. A private copy of a net is run many times, or its state space is explored.
//!
//! The worker has the lab; this row is what the console last knew of it and since when. What it found is kept beside the row.

use super::{Actor, DefinitionHash, Incarnation, LabId, Name, NetId, ProjectId, Timestamp, WorkerId};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, ops::RangeInclusive, time::Duration};

/// How often a cluster's workers are asked for their labs where the cluster does not say otherwise.
pub const SYNC_EVERY: Duration = Duration::from_secs(30 * 60);
/// Minutes between two rounds that a cluster may say.
pub const SYNC_MINUTES: RangeInclusive<u64> = 1..=1_440;
/// A worker's labs can be asked for by hand once in this time.
pub const REFRESH_FLOOR: Duration = Duration::from_secs(10);
/// Entries of a lab's history that are kept.
pub const HISTORY: usize = 50;
/// Labs that one worker holds at most.
pub const LABS_ON_A_WORKER: usize = 32;

/// What a rate may be: times and their squares, over as many firings as a run may have, stay finite numbers.
pub const RATES: std::ops::RangeInclusive<f64> = 1e-9..=1e9;

/// A finite number above zero. There is no NaN among them, so that equality is what it seems.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(try_from = "f64", into = "f64")]
pub struct Positive(f64);

impl Eq for Positive {}

#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0} is not a number above zero")]
pub struct NotPositive(f64);

impl Positive {
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Positive {
    type Error = NotPositive;
    fn try_from(number: f64) -> Result<Self, NotPositive> {
        if number.is_finite() && number > 0.0 { Ok(Positive(number)) } else { Err(NotPositive(number)) }
    }
}

impl From<Positive> for f64 {
    fn from(number: Positive) -> f64 {
        number.0
    }
}

/// When a run of an experiment is at its goal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LabGoal {
    /// The place, named by its id in the file, holds so many tokens, or more.
    Tokens { place: String, at_least: u64 },
    /// Nothing is enabled. With braces: in a unit variant serde lets unknown fields pass.
    Deadlock {},
}

/// What a lab does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LabPlan {
    /// Many independent runs, and what they say on the average.
    MonteCarlo {
        runs: u64,
        /// Firings of a run at most.
        firings: u64,
        /// Decides every choice: the same net, plan and seed give the same figures.
        seed: u64,
        /// `None`: each run goes to its limit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        goal: Option<LabGoal>,
        /// Firings at the start of a run that the averages leave out.
        #[serde(default)]
        warm_up: u64,
        /// By the transition's id in the file: how often it fires a unit of time while it is enabled. Empty: no rates, a firing is a unit
        /// of time. Transitions that are not named have rate 1.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        rates: BTreeMap<String, Positive>,
        /// Units of time of a run at most; with rates only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time: Option<Positive>,
    },
    /// The whole state space, as far as the budget goes.
    Explore { seconds: u32, memory_mb: u32 },
}

impl LabPlan {
    pub fn word(&self) -> &'static str {
        match self {
            LabPlan::MonteCarlo { .. } => "Monte Carlo",
            LabPlan::Explore { .. } => "exploration",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LabState {
    /// Made, wiped or stopped; what was counted is kept.
    Idle,
    /// It waits for its turn.
    Queued,
    Running,
    /// All is done.
    Done,
    /// It came to a bad end on its worker.
    Failed,
    /// The process that had it is gone or cannot be reached. What was synced before is kept here.
    Lost,
}

impl LabState {
    pub fn word(self) -> &'static str {
        match self {
            LabState::Idle => "idle",
            LabState::Queued => "queued",
            LabState::Running => "running",
            LabState::Done => "done",
            LabState::Failed => "failed",
            LabState::Lost => "lost",
        }
    }

    /// Whether it works or will work by itself.
    pub fn is_active(self) -> bool {
        matches!(self, LabState::Queued | LabState::Running)
    }

    /// Whether it came to its end: what it found stays, whatever becomes of its worker.
    pub fn is_over(self) -> bool {
        matches!(self, LabState::Done | LabState::Failed)
    }
}

impl fmt::Display for LabState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How far a lab is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct LabProgress {
    /// Finished runs (Monte Carlo).
    pub runs: u64,
    /// Firings of all of them.
    pub firings: u64,
    /// Markings seen (exploration).
    pub states: u64,
}

/// What an operator can do to a lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LabAction {
    Create,
    Start,
    Stop,
    /// Forgets what was counted.
    Wipe,
    Delete,
}

/// One thing that was done to a lab, or that happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct LabEntry {
    pub at: Timestamp,
    pub actor: Actor,
    /// `None`: it happened by itself (it ended, it was lost, it was found again).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<LabAction>,
    /// A sentence without a final full stop.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Lab {
    pub id: LabId,
    /// The project that its net is in.
    pub project_id: ProjectId,
    pub net_id: NetId,
    /// The net's version that it has a copy of.
    pub version: u32,
    pub definition: DefinitionHash,
    /// Where it lives; `None` once that worker was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<WorkerId>,
    pub name: Name,
    pub plan: LabPlan,
    pub state: LabState,
    /// Of a failed or lost one: a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub progress: LabProgress,
    /// The process that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<Incarnation>,
    /// Up to when state and progress are known.
    pub synced_at: Timestamp,
    /// Oldest first, the last [`HISTORY`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<LabEntry>,
    /// Counts every change of this record.
    pub revision: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Lab {
    /// Writes down what happened to it.
    pub fn remember(&mut self, entry: LabEntry) {
        self.history.push(entry);
        let surplus = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..surplus);
    }
}

/// What a worker's row says of the labs on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct LabCounts {
    pub total: u32,
    /// Those that work or wait for their turn.
    pub active: u32,
    pub synced_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_numbers_above_zero_are_positive() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Positive::try_from(bad).is_err(), "{bad}");
        }
        assert_eq!(Positive::try_from(0.5).map(Positive::get), Ok(0.5));
        assert!(serde_json::from_str::<Positive>("-2").is_err());
    }

    #[test]
    fn a_plan_with_a_word_that_is_none_of_its_own_is_refused() {
        let plan = r#"{"kind":"monte_carlo","runs":10,"firings":100,"seed":1,"goals":null}"#;
        assert!(serde_json::from_str::<LabPlan>(plan).is_err());
        assert!(serde_json::from_str::<LabPlan>(&plan.replace(r#","goals":null"#, "")).is_ok());
    }
}
