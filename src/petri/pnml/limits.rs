//! What a net file may ask of us.

use serde::{Deserialize, Serialize};

use crate::petri::net::MAX_COUNT;

/// Bounds on a file. Beyond any of them it is refused, never cut short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of the whole file.
    pub bytes: usize,
    /// Elements within elements.
    pub depth: usize,
    /// Places, transitions and references to them, together.
    pub nodes: usize,
    pub arcs: usize,
    /// Characters of an id or a name.
    pub name_chars: usize,
    /// Tokens of a place, or weight of an arc. Above [`MAX_COUNT`] it has no effect.
    pub count: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 32 << 20,
            depth: 64,
            nodes: 200_000,
            arcs: 1_000_000,
            name_chars: 1_000,
            count: MAX_COUNT,
        }
    }
}
