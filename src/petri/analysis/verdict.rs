//! What is known about a net, and what is not.

use serde::{Deserialize, Serialize};

use super::budget::Resource;
use super::invariants::Invariants;
use crate::petri::net::{PlaceIx, TransitionIx};

/// A fact, or the admission that it was not found out. As JSON the value itself, or `"not decided"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema), schemars(rename = "{T}_verdict"))]
#[serde(untagged)]
pub enum Verdict<T> {
    Decided(T),
    NotDecided(Undecided),
}

/// The text that stands where a value would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub enum Undecided {
    #[serde(rename = "not decided")]
    NotDecided,
}

impl<T> Verdict<T> {
    pub const NOT_DECIDED: Self = Verdict::NotDecided(Undecided::NotDecided);

    pub fn value(&self) -> Option<&T> {
        match self {
            Verdict::Decided(value) => Some(value),
            Verdict::NotDecided(_) => None,
        }
    }

    pub fn is_decided(&self) -> bool {
        self.value().is_some()
    }
}

impl<T> From<Option<T>> for Verdict<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::NOT_DECIDED, Verdict::Decided)
    }
}

impl<T: std::fmt::Display> std::fmt::Display for Verdict<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Verdict::Decided(value) => value.fmt(f),
            Verdict::NotDecided(_) => f.write_str("not decided"),
        }
    }
}

/// The eight questions of the Model Checking Contest's state space and global properties examinations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Verdicts {
    /// Reachable markings.
    pub states: Verdict<u64>,
    /// Pairs of a reachable marking and a transition that it enables.
    pub edges: Verdict<u64>,
    pub max_tokens_in_place: Verdict<u64>,
    pub max_tokens_per_marking: Verdict<u64>,
    /// Some reachable marking enables nothing.
    pub deadlock: Verdict<bool>,
    /// No reachable marking has two tokens on a place.
    pub one_safe: Verdict<bool>,
    /// Every transition fires in some run.
    pub quasi_live: Verdict<bool>,
    /// Every transition can fire again, whatever happened before.
    pub live: Verdict<bool>,
}

impl Verdicts {
    pub const NONE: Self = Self {
        states: Verdict::NOT_DECIDED,
        edges: Verdict::NOT_DECIDED,
        max_tokens_in_place: Verdict::NOT_DECIDED,
        max_tokens_per_marking: Verdict::NOT_DECIDED,
        deadlock: Verdict::NOT_DECIDED,
        one_safe: Verdict::NOT_DECIDED,
        quasi_live: Verdict::NOT_DECIDED,
        live: Verdict::NOT_DECIDED,
    };

    /// How many of the eight are decided.
    pub fn decided(&self) -> usize {
        let counts = [&self.states, &self.edges, &self.max_tokens_in_place, &self.max_tokens_per_marking];
        let answers = [&self.deadlock, &self.one_safe, &self.quasi_live, &self.live];
        counts.iter().filter(|verdict| verdict.is_decided()).count()
            + answers.iter().filter(|verdict| verdict.is_decided()).count()
    }
}

/// How far the state space was explored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Explored {
    pub states: u64,
    pub edges: u64,
    /// Bytes held for them: markings, index and parents.
    pub bytes: u64,
    /// Nothing reachable was left out.
    pub complete: bool,
}

/// What an analysis found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub verdicts: Verdicts,
    /// A run from the initial marking to one that enables nothing.
    pub deadlock_path: Option<Vec<TransitionIx>>,
    /// A place that grows without bound. The state space is infinite then.
    pub unbounded: Option<PlaceIx>,
    /// A place came to hold more tokens than are counted, so that the exploration ended.
    pub too_many_tokens: bool,
    /// The transitions that never fire, where all is known.
    pub dead_transitions: Option<Vec<TransitionIx>>,
    pub explored: Explored,
    /// Sums of tokens that no firing changes.
    pub place_invariants: Invariants,
    /// Firings that lead back to where they began.
    pub transition_invariants: Invariants,
    /// What ran out, if anything did before all was decided.
    pub hit: Option<Resource>,
}
