//! What the shape of a net tells without running it.

use serde::{Deserialize, Serialize};

/// Places and transitions are numbered from 0 in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Structure {
    pub places: u32,
    pub transitions: u32,
    pub arcs: u32,
    /// Tokens of the initial marking.
    pub tokens: u64,
    /// Nothing leads to them.
    pub source_places: Vec<u32>,
    pub source_transitions: Vec<u32>,
    /// Nothing leads away from them.
    pub sink_places: Vec<u32>,
    pub sink_transitions: Vec<u32>,
    /// Every arc has weight 1.
    pub ordinary: bool,
    /// Every transition has one place before it and one behind it.
    pub state_machine: bool,
    /// Every place has one transition before it and one behind it.
    pub marked_graph: bool,
    /// Where two transitions take from one place, neither takes from another.
    pub free_choice: bool,
    /// Parts that no arc joins.
    pub components: u32,
    /// From every node a way along the arcs leads to every other one.
    pub strongly_connected: bool,
}
