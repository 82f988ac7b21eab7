//! A marking: how many tokens lie on each place.

use serde::{Deserialize, Serialize};

use super::net::{MAX_COUNT, PetriNet, PlaceIx};

/// Tokens per place, in the order of [`PetriNet::places`]. As JSON, an array of numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marking(pub(super) Vec<u64>);

/// More tokens than every reader of JSON can count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the place would hold more than {MAX_COUNT} tokens")]
pub struct TokenOverflow;

impl Marking {
    /// The marking a net starts with.
    pub fn initial(net: &PetriNet) -> Self {
        Self(net.places.iter().map(|place| place.initial).collect())
    }

    /// Tokens on `place`; `None` if the net has no such place.
    pub fn get(&self, place: PlaceIx) -> Option<u64> {
        self.0.get(place.index()).copied()
    }

    pub fn as_slice(&self) -> &[u64] {
        &self.0
    }

    /// All tokens of the net. Saturates: it is a figure to look at, nothing is decided by it.
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum: u64, &tokens| sum.saturating_add(tokens))
    }
}

/// `tokens` changed by `delta`, where the caller knows that enough tokens are there. Neither is more than [`MAX_COUNT`], so that their sum
/// does not wrap.
#[inline(always)]
pub(super) fn shifted(tokens: u64, delta: i64) -> Result<u64, TokenOverflow> {
    let tokens = tokens.wrapping_add_signed(delta);
    if tokens > MAX_COUNT { Err(TokenOverflow) } else { Ok(tokens) }
}
