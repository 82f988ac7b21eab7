//! A place/transition net: places, transitions and weighted arcs, with what a firing needs at hand.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::model::NetSize;

/// The largest number of tokens or arc weight a net file may state: 2^53, the last integer that JavaScript and every
/// JSON reader keep exact. A running marking may grow beyond it, up to `u64`.
pub const MAX_COUNT: u64 = 1 << 53;

/// A place, by its position in [`PetriNet::places`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct PlaceIx(pub u32);

/// A transition, by its position in [`PetriNet::transitions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct TransitionIx(pub u32);

impl PlaceIx {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl TransitionIx {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A place. `position` is in the units of the file, y downwards (ISO/IEC 15909-2, 7.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub id: String,
    /// The label; the id where the file gives none.
    pub name: String,
    /// Tokens of the initial marking.
    pub initial: u64,
    pub position: Option<(f32, f32)>,
}

/// A transition; see [`Place`] for the units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    pub id: String,
    pub name: String,
    pub position: Option<(f32, f32)>,
}

/// An arc seen from its transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceArc {
    pub place: PlaceIx,
    pub weight: u64,
}

/// An arc seen from its place: a transition that consumes from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumer {
    pub transition: TransitionIx,
    pub weight: u64,
}

/// Many short lists in one allocation (compressed sparse rows).
#[derive(Clone, Debug, PartialEq)]
struct Rows<T> {
    ends: Vec<u32>,
    items: Vec<T>,
}

impl<T> Rows<T> {
    /// `items` must come sorted by row.
    fn new(rows: usize, items: impl Iterator<Item = (usize, T)>) -> Self {
        let mut ends = vec![0u32; rows];
        let items: Vec<T> = items
            .map(|(row, item)| {
                ends[row] += 1;
                item
            })
            .collect();
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        Self { ends, items }
    }

    fn row(&self, row: usize) -> &[T] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        &self.items[start..self.ends[row] as usize]
    }
}

/// A place/transition net. Built by [`NetBuilder`] only, which is why it holds these: every index is in range, every
/// weight is in `1..=MAX_COUNT`, there is at most one arc per direction between a place and a transition.
///
/// Not deserialisable: a net travels as the PNML it came from, or as a [`NetGraph`](super::NetGraph) to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct PetriNet {
    pub id: String,
    pub name: String,
    pub places: Vec<Place>,
    pub transitions: Vec<Transition>,
    inputs: Rows<PlaceArc>,
    outputs: Rows<PlaceArc>,
    consumers: Rows<Consumer>,
}

impl PetriNet {
    /// The places `t` consumes from, by place.
    pub fn inputs(&self, t: TransitionIx) -> &[PlaceArc] {
        self.inputs.row(t.index())
    }

    /// The places `t` produces into, by place.
    pub fn outputs(&self, t: TransitionIx) -> &[PlaceArc] {
        self.outputs.row(t.index())
    }

    /// The transitions that consume from `p`, by transition.
    pub fn consumers(&self, p: PlaceIx) -> &[Consumer] {
        self.consumers.row(p.index())
    }

    /// How large it is, as its record says.
    pub fn size(&self) -> NetSize {
        NetSize {
            places: self.places.len() as u32,
            transitions: self.transitions.len() as u32,
            arcs: self.arc_count() as u32,
        }
    }

    /// Whether there is nothing that could run.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty() && self.transitions.is_empty()
    }

    pub fn arc_count(&self) -> usize {
        self.inputs.items.len() + self.outputs.items.len()
    }

    pub fn transition_indexes(&self) -> impl Iterator<Item = TransitionIx> + use<> {
        (0..self.transitions.len() as u32).map(TransitionIx)
    }

    pub fn place_indexes(&self) -> impl Iterator<Item = PlaceIx> + use<> {
        (0..self.places.len() as u32).map(PlaceIx)
    }

    /// The place with this id. Looks through all of them; keep the index.
    pub fn place_by_id(&self, id: &str) -> Option<PlaceIx> {
        self.places.iter().position(|place| place.id == id).map(|ix| PlaceIx(ix as u32))
    }

    /// The transition with this id. Looks through all of them; keep the index.
    pub fn transition_by_id(&self, id: &str) -> Option<TransitionIx> {
        self.transitions.iter().position(|transition| transition.id == id).map(|ix| TransitionIx(ix as u32))
    }
}

/// Which way an arc points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From a place into a transition: consumed.
    Input,
    /// From a transition into a place: produced.
    Output,
}

/// An arc while the net is being built.
#[derive(Clone, Copy, Debug)]
pub struct ArcSpec {
    pub direction: Direction,
    pub place: PlaceIx,
    pub transition: TransitionIx,
    pub weight: u64,
}

/// Why a net could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    #[error("arc {arc} names a place or transition that does not exist")]
    NoSuchNode { arc: usize },
    #[error("arc {arc} has a weight outside 1..={MAX_COUNT}")]
    Weight { arc: usize },
    #[error("arc {arc} and those parallel to it have a weight over {MAX_COUNT} together")]
    ParallelWeight { arc: usize },
    #[error("place `{id}` starts with more than {MAX_COUNT} tokens")]
    Initial { id: String },
    #[error("the id `{id}` is used twice")]
    DuplicateId { id: String },
}

/// Collects a net in any order, then checks it once.
#[derive(Clone, Debug, Default)]
pub struct NetBuilder {
    pub id: String,
    pub name: String,
    pub places: Vec<Place>,
    pub transitions: Vec<Transition>,
    pub arcs: Vec<ArcSpec>,
}

impl NetBuilder {
    pub fn new(id: impl Into<String>) -> Self {
        let id = id.into();
        Self { name: id.clone(), id, ..Self::default() }
    }

    pub fn place(&mut self, id: &str, initial: u64) -> PlaceIx {
        self.places.push(Place { id: id.into(), name: id.into(), initial, position: None });
        PlaceIx(self.places.len() as u32 - 1)
    }

    pub fn transition(&mut self, id: &str) -> TransitionIx {
        self.transitions.push(Transition { id: id.into(), name: id.into(), position: None });
        TransitionIx(self.transitions.len() as u32 - 1)
    }

    pub fn input(&mut self, place: PlaceIx, transition: TransitionIx, weight: u64) {
        self.arcs.push(ArcSpec { direction: Direction::Input, place, transition, weight });
    }

    pub fn output(&mut self, transition: TransitionIx, place: PlaceIx, weight: u64) {
        self.arcs.push(ArcSpec { direction: Direction::Output, place, transition, weight });
    }

    /// Checks and packs the net. Parallel arcs are merged into one with their summed weight, which is what they mean.
    pub fn build(self) -> Result<PetriNet, BuildError> {
        let mut ids = HashSet::with_capacity(self.places.len() + self.transitions.len());
        let all = self.places.iter().map(|p| &p.id).chain(self.transitions.iter().map(|t| &t.id));
        if let Some(id) = all.into_iter().find(|id| !ids.insert(id.as_str())) {
            return Err(BuildError::DuplicateId { id: id.clone() });
        }
        self.build_unique()
    }

    /// [`build`](Self::build) for a caller that has made sure that ids are unique, as the reader has.
    pub(super) fn build_unique(self) -> Result<PetriNet, BuildError> {
        if let Some(place) = self.places.iter().find(|place| place.initial > MAX_COUNT) {
            return Err(BuildError::Initial { id: place.id.clone() });
        }
        let inputs = self.merged(Direction::Input)?;
        let outputs = self.merged(Direction::Output)?;
        let mut consumers: Vec<(usize, Consumer)> = inputs
            .iter()
            .map(|&(t, arc)| {
                (arc.place.index(), Consumer { transition: TransitionIx(t as u32), weight: arc.weight })
            })
            .collect();
        // Stable: the inputs come by transition, so each place's consumers stay so.
        consumers.sort_by_key(|&(place, _)| place);
        let (places, transitions) = (self.places.len(), self.transitions.len());
        Ok(PetriNet {
            id: self.id,
            name: self.name,
            places: self.places,
            transitions: self.transitions,
            inputs: Rows::new(transitions, inputs.into_iter()),
            outputs: Rows::new(transitions, outputs.into_iter()),
            consumers: Rows::new(places, consumers.into_iter()),
        })
    }

    /// The arcs of one direction sorted by transition and place, parallel ones merged.
    fn merged(&self, direction: Direction) -> Result<Vec<(usize, PlaceArc)>, BuildError> {
        let mut order: Vec<u32> = Vec::with_capacity(self.arcs.len());
        for (ix, arc) in self.arcs.iter().enumerate().filter(|(_, arc)| arc.direction == direction) {
            if arc.place.index() >= self.places.len() || arc.transition.index() >= self.transitions.len() {
                return Err(BuildError::NoSuchNode { arc: ix });
            }
            if arc.weight == 0 || arc.weight > MAX_COUNT {
                return Err(BuildError::Weight { arc: ix });
            }
            order.push(ix as u32);
        }
        order.sort_unstable_by_key(|&ix| {
            let arc = &self.arcs[ix as usize];
            (arc.transition, arc.place, ix)
        });
        let mut merged: Vec<(usize, PlaceArc)> = Vec::with_capacity(order.len());
        for ix in order {
            let arc = &self.arcs[ix as usize];
            match merged.last_mut() {
                Some((t, last)) if *t == arc.transition.index() && last.place == arc.place => {
                    // Both are at most 2^53, so the sum cannot wrap before it is compared.
                    last.weight += arc.weight;
                    if last.weight > MAX_COUNT {
                        return Err(BuildError::ParallelWeight { arc: ix as usize });
                    }
                }
                _ => merged.push((arc.transition.index(), PlaceArc { place: arc.place, weight: arc.weight })),
            }
        }
        Ok(merged)
    }
}
