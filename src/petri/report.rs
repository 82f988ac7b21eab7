//! What an analysis found, in the form in which it is kept and sent: indexes instead of borrowed nets, and no more of anything than a page
//! can show.

use serde::{Deserialize, Serialize};

use super::analysis::{
    Explored, Report, Resource, Structure, Verdicts,
    invariants::{Invariants, Weights},
};
use crate::model::{Build, BuildSummary, Timestamp};

/// Invariants that are kept of each kind, and weights in all of them together.
const KEPT: usize = 500;
const KEPT_WEIGHTS: usize = 100_000;
/// Transitions of a path to a deadlock that are kept; a longer path is not told, as half of one leads nowhere.
const KEPT_STEPS: usize = 100_000;

/// Places and transitions are numbered from 0 in the order of the file, as everywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct NetReport {
    pub verdicts: Verdicts,
    pub explored: Explored,
    /// What ran out, if anything did before all was decided.
    pub hit: Option<Resource>,
    /// A run from the initial marking to one that enables nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadlock_path: Option<Vec<u32>>,
    /// A place that grows without bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unbounded_place: Option<u32>,
    /// A place came to hold more tokens than are counted.
    #[serde(default)]
    pub too_many_tokens: bool,
    /// The transitions that never fire; `None` if not all is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_transitions: Option<Vec<u32>>,
    /// Weighted sums of tokens that no firing changes.
    pub place_invariants: KeptInvariants,
    /// Counts of firings that change nothing.
    pub transition_invariants: KeptInvariants,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct KeptInvariants {
    /// Of minimal support, without a negative weight; the smallest first.
    pub semiflows: Vec<Weights>,
    /// How many were found; more than `semiflows` holds where some were left out here.
    pub found: usize,
    /// Whether all there are were found.
    pub complete: bool,
    /// How many independent ones there are, with negative weights or without; `None` if not worked out.
    pub independent: Option<usize>,
}

impl From<&Invariants> for KeptInvariants {
    fn from(invariants: &Invariants) -> Self {
        let mut smallest: Vec<&Weights> = invariants.semiflows.iter().collect();
        smallest.sort_by_key(|weights| weights.len());
        let mut left = KEPT_WEIGHTS;
        let semiflows = smallest
            .into_iter()
            .take(KEPT)
            .take_while(|weights| {
                let fits = weights.len() <= left;
                left = left.saturating_sub(weights.len());
                fits
            })
            .cloned()
            .collect();
        Self {
            semiflows,
            found: invariants.semiflows.len(),
            complete: invariants.complete,
            independent: invariants.basis.as_ref().map(Vec::len),
        }
    }
}

impl From<&Report> for NetReport {
    fn from(report: &Report) -> Self {
        let numbers = |path: &Vec<super::TransitionIx>| path.iter().map(|t| t.0).collect();
        Self {
            verdicts: report.verdicts.clone(),
            explored: report.explored,
            hit: report.hit,
            deadlock_path: (report.deadlock_path.as_ref())
                .filter(|path| path.len() <= KEPT_STEPS)
                .map(numbers),
            unbounded_place: report.unbounded.map(|place| place.0),
            too_many_tokens: report.too_many_tokens,
            dead_transitions: report.dead_transitions.as_ref().map(numbers),
            place_invariants: (&report.place_invariants).into(),
            transition_invariants: (&report.transition_invariants).into(),
        }
    }
}

impl From<&NetReport> for BuildSummary {
    fn from(report: &NetReport) -> Self {
        let verdicts = &report.verdicts;
        let bounded = match report.unbounded_place {
            Some(_) => Some(false),
            // A largest number of tokens was found, or all there is was seen.
            None => {
                (verdicts.states.is_decided() || verdicts.max_tokens_per_marking.is_decided()).then_some(true)
            }
        };
        Self {
            states: verdicts.states.value().copied(),
            deadlock: verdicts.deadlock.value().copied(),
            live: verdicts.live.value().copied(),
            bounded,
            decided: verdicts.decided() as u8,
        }
    }
}

/// All that a build found out and did, as the page of its net shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct BuildReport {
    pub build: Build,
    /// `None` while it runs, and of one that failed.
    pub structure: Option<Structure>,
    pub report: Option<NetReport>,
    pub log: Vec<BuildLine>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct BuildLine {
    pub at: Timestamp,
    /// A sentence without a final full stop.
    pub text: String,
}
