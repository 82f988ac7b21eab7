//! The last things that happened to a net, kept so that they can be taken back. Its size is bounded by what was asked for, not by the run.

use std::collections::VecDeque;

use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use super::net::{PlaceIx, TransitionIx};

/// Changes of enabledness that are kept for each step, on the average. A step that makes more of them costs older steps their place.
const TOGGLES: usize = 16;

/// What a step back has taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenBack {
    Fired(TransitionIx),
    Injected { place: PlaceIx, tokens: u64 },
}

/// A transition that became enabled or disabled: where it lay in the enabled array before, if it did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Toggle {
    pub transition: u32,
    pub slot: u32,
}

/// Something that happened. The generator is as it was before it was asked.
#[derive(Clone, Debug)]
pub(super) enum Happened {
    /// A transition was picked and fired.
    Picked {
        transition: u32,
        before: Xoshiro256PlusPlus,
    },
    /// A transition was picked and could not fire, for a place would have overflowed.
    Tried {
        before: Xoshiro256PlusPlus,
    },
    /// This very transition was fired.
    Fired {
        transition: u32,
    },
    Injected {
        place: PlaceIx,
        tokens: u64,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Log {
    limit: usize,
    /// With how many toggles each made.
    steps: VecDeque<(Happened, u32)>,
    /// Of all steps, the oldest first.
    toggles: VecDeque<Toggle>,
    /// Toggles of the step that is under way.
    open: u32,
}

impl Log {
    /// For so many steps, at least one.
    pub fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), steps: VecDeque::new(), toggles: VecDeque::new(), open: 0 }
    }

    pub fn limit(&self) -> usize {
        self.limit
    }

    pub fn clear(&mut self) {
        self.steps.clear();
        self.toggles.clear();
        self.open = 0;
    }

    pub fn toggle(&mut self, toggle: Toggle) {
        self.toggles.push_back(toggle);
        self.open += 1;
    }

    /// The step that made the toggles since the last one.
    pub fn step(&mut self, happened: Happened) {
        self.steps.push_back((happened, std::mem::take(&mut self.open)));
        while self.steps.len() > self.limit || self.toggles.len() > self.limit.saturating_mul(TOGGLES) {
            let Some((_, toggles)) = self.steps.pop_front() else { break };
            self.toggles.drain(..toggles as usize);
        }
    }

    /// How many steps can be taken back.
    pub fn len(&self) -> usize {
        self.steps.iter().filter(|(happened, _)| !matches!(happened, Happened::Tried { .. })).count()
    }

    /// The last step and its toggles, the last one first.
    pub fn pop(&mut self) -> Option<(Happened, Vec<Toggle>)> {
        let (happened, toggles) = self.steps.pop_back()?;
        let of_step = self.toggles.split_off(self.toggles.len() - toggles as usize);
        Some((happened, of_step.into_iter().rev().collect()))
    }
}
