//! A bulk action, from the first look to the last answer. Pure.

use crate::{
    app::{components::format::counted, error::ApiError},
    model::{CommandKind, Done, NetAction, WorkerAction, lifecycle::Verb},
};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    Worker(WorkerAction),
    Net(NetAction),
    /// Runs a command on hosts.
    Run(CommandKind),
}

impl Deed {
    pub fn label(&self) -> String {
        match self {
            Deed::Worker(action) => action.label().to_owned(),
            Deed::Net(action) => action.label().to_owned(),
            Deed::Run(kind) => format!("Run {kind} on"),
        }
    }

    /// `1 worker`, `43 workers`.
    pub fn counted(&self, n: usize) -> String {
        match self {
            Deed::Run(_) => counted(n, "host", "hosts"),
            Deed::Worker(_) => counted(n, "worker", "workers"),
            Deed::Net(_) => counted(n, "net", "nets"),
        }
    }

    /// Whether something is lost that does not come back by the opposite action.
    pub fn loses(&self) -> bool {
        matches!(
            self,
            Deed::Worker(WorkerAction::Destroy | WorkerAction::Delete) | Deed::Net(NetAction::Delete)
        )
    }
}

/// Where a row stands in a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its state does not permit it; the words of the lifecycle.
    Refused(String),
    Waiting,
    InFlight,
    Done,
    Failed {
        why: String,
        /// It may have been done all the same: a retry must use the same key.
        perhaps: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub id: Uuid,
    pub name: String,
    /// As it was looked at; the request is for this revision only.
    pub revision: u64,
    pub key: String,
    pub step: Step,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    Looking,
    /// The rows could not be looked at; why.
    Blind(String),
    Planned,
    Running,
    Over,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub deed: Deed,
    /// How many rows it was asked for.
    pub asked: usize,
    pub phase: Phase,
    pub items: Vec<Item>,
    /// What will be lost, a sentence each.
    pub losses: Vec<String>,
    /// Nothing more is sent.
    pub halted: bool,
}

/// How many items are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub refused: usize,
    pub waiting: usize,
    pub in_flight: usize,
    pub done: usize,
    pub failed: usize,
}

impl Job {
    pub fn looking(deed: Deed, asked: usize) -> Job {
        Job { deed, asked, phase: Phase::Looking, items: Vec::new(), losses: Vec::new(), halted: false }
    }

    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for item in &self.items {
            *match item.step {
                Step::Refused(_) => &mut tally.refused,
                Step::Waiting => &mut tally.waiting,
                Step::InFlight => &mut tally.in_flight,
                Step::Done => &mut tally.done,
                Step::Failed { .. } => &mut tally.failed,
            } += 1;
        }
        tally
    }

    /// The places of the items that are still to be sent.
    pub fn waiting(&self) -> Vec<usize> {
        (0..self.items.len()).filter(|n| self.items[*n].step == Step::Waiting).collect()
    }

    /// The item goes on its way: its id, revision and key. `None` if it does not.
    pub fn take(&mut self, n: usize) -> Option<(Uuid, u64, String)> {
        let halted = self.halted;
        let item = self.items.get_mut(n).filter(|item| item.step == Step::Waiting && !halted)?;
        item.step = Step::InFlight;
        Some((item.id, item.revision, item.key.clone()))
    }

    pub fn ended(&mut self, n: usize, outcome: Result<Done, ApiError>) {
        let Some(item) = self.items.get_mut(n) else { return };
        item.step = match outcome {
            Ok(_) => Step::Done,
            Err(error) => Step::Failed {
                perhaps: matches!(error, ApiError::Unknown { .. } | ApiError::Unreachable { .. }),
                why: error.to_string(),
            },
        };
    }

    /// What failed, with the key to try again with where a new one could do it twice.
    pub fn failed(&self) -> Vec<(Uuid, Option<String>)> {
        let failed = self.items.iter().filter_map(|item| match item.step {
            Step::Failed { perhaps, .. } => Some((item.id, perhaps.then(|| item.key.clone()))),
            _ => None,
        });
        failed.collect()
    }

    /// What became of it, in a sentence.
    pub fn outcome(&self) -> String {
        let tally = self.tally();
        let what = match &self.deed {
            Deed::Run(kind) => format!("Run {kind}"),
            other => other.label(),
        };
        let mut words = format!("{what}: {} of {} done", tally.done, self.deed.counted(self.asked));
        for (n, what) in [(tally.failed, "failed"), (tally.refused, "refused"), (tally.waiting, "not sent")] {
            if n > 0 {
                words.push_str(&format!(", {n} {what}"));
            }
        }
        words.push('.');
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(steps: &[Step]) -> Job {
        let item = |(n, step): (usize, &Step)| Item {
            id: Uuid::from_u128(n as u128),
            name: n.to_string(),
            revision: 1,
            key: format!("key-{n}"),
            step: step.clone(),
        };
        let items = steps.iter().enumerate().map(item).collect();
        Job { phase: Phase::Planned, items, ..Job::looking(Deed::Worker(WorkerAction::Stop), steps.len()) }
    }

    #[test]
    fn what_is_refused_is_never_sent_and_each_item_is_sent_once() {
        let mut job = job(&[Step::Waiting, Step::Refused("no".into()), Step::Waiting]);
        assert_eq!(job.waiting(), [0, 2]);
        assert!(job.take(1).is_none());
        assert!(job.take(0).is_some());
        assert!(job.take(0).is_none(), "it is on its way");
        job.halted = true;
        assert!(job.take(2).is_none(), "halted");
        job.ended(0, Err(ApiError::Unauthorized));
        assert_eq!(job.outcome(), "Stop: 0 of 3 workers done, 1 failed, 1 refused, 1 not sent.");
    }

    #[test]
    fn what_may_have_been_done_is_tried_again_under_its_key() {
        let mut job = job(&[Step::Waiting, Step::Waiting]);
        job.ended(0, Err(ApiError::Unreachable { detail: "cut".into() }));
        job.ended(1, Err(ApiError::Gone { what: "worker".into() }));
        assert_eq!(job.failed(), [(Uuid::from_u128(0), Some("key-0".into())), (Uuid::from_u128(1), None)]);
    }
}
