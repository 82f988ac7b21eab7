//! A run written down: its seed and what was asked of the engine. Whoever has the net can have the same run again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::engine::Engine;
use super::net::{PetriNet, PlaceIx, TransitionIx};
use super::outcome::{FireError, InjectError};

/// Acts that are written down. Steps in a row are one act, however many.
const MAX_ACTS: usize = 10_000;

/// Something that was asked of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// So many times a transition was picked by lot and fired, or could not be for want of room.
    Picks(u64),
    /// This very transition was fired.
    Fire(TransitionIx),
    Inject {
        place: PlaceIx,
        tokens: u64,
    },
}

/// A run from the initial marking on. What was taken back is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    pub seed: u64,
    pub acts: Vec<Act>,
    /// More happened than is written down.
    #[serde(default)]
    cut_short: bool,
}

/// The recording is of another net.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    #[error("act {act} of the recording cannot be done: {source}")]
    Fire { act: usize, source: FireError },
    #[error("act {act} of the recording cannot be done: {source}")]
    Inject { act: usize, source: InjectError },
    #[error("act {act} of the recording picks a transition where none is enabled")]
    Dead { act: usize },
}

impl Recording {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, acts: Vec::new(), cut_short: false }
    }

    pub(super) fn is_whole(&self) -> bool {
        !self.cut_short
    }

    pub(super) fn picks(&mut self, more: u64) {
        match self.acts.last_mut() {
            _ if more == 0 => {}
            Some(Act::Picks(picks)) if !self.cut_short => *picks += more,
            _ => self.push(Act::Picks(more)),
        }
    }

    pub(super) fn push(&mut self, act: Act) {
        if self.acts.len() < MAX_ACTS && !self.cut_short {
            self.acts.push(act);
        } else {
            self.cut_short = true;
        }
    }

    /// The last thing was taken back. Of a recording that was cut short, nobody knows whether it is in there.
    pub(super) fn pop(&mut self) {
        match self.acts.last_mut() {
            _ if self.cut_short => {}
            Some(Act::Picks(picks)) if *picks > 1 => *picks -= 1,
            _ => _ = self.acts.pop(),
        }
    }

    /// Runs it again. Takes as long as the run took.
    pub fn replay(&self, net: Arc<PetriNet>) -> Result<Engine, ReplayError> {
        let mut engine = Engine::new(net, self.seed);
        for (act, &what) in self.acts.iter().enumerate() {
            match what {
                Act::Picks(picks) => engine.pick_again(picks).map_err(|_| ReplayError::Dead { act })?,
                Act::Fire(t) => engine.fire(t).map_err(|source| ReplayError::Fire { act, source })?,
                Act::Inject { place, tokens } => {
                    engine.inject(place, tokens).map_err(|source| ReplayError::Inject { act, source })?;
                }
            }
        }
        Ok(engine)
    }
}
