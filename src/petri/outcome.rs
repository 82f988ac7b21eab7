//! What came of asking the engine for something.

use serde::{Deserialize, Serialize};

use super::net::{PlaceIx, TransitionIx};

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Fired(TransitionIx),
    /// Nothing is enabled: the marking is dead. Only [`Engine::inject`](super::Engine::inject) or [`Engine::reset`](super::Engine::reset) can change that.
    Dead,
    /// The transition picked would put more tokens on the place than a `u64` holds. Nothing has changed.
    Overflow {
        transition: TransitionIx,
        place: PlaceIx,
    },
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// As many firings as were asked for.
    Limit,
    Dead,
    Overflow {
        transition: TransitionIx,
        place: PlaceIx,
    },
}

/// How far a run got. `fired` counts this run only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutcome {
    pub fired: u64,
    pub end: RunEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FireError {
    #[error("the net has no transition number {}", .0.0)]
    Unknown(TransitionIx),
    #[error("the transition is not enabled in the present marking")]
    NotEnabled(TransitionIx),
    #[error("firing would put more tokens on a place than can be counted")]
    Overflow { transition: TransitionIx, place: PlaceIx },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InjectError {
    #[error("the net has no place number {}", .0.0)]
    Unknown(PlaceIx),
    #[error("the place would hold more tokens than can be counted")]
    Overflow(PlaceIx),
}
