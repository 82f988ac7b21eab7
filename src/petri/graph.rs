//! The drawing of a net as it travels to a browser.

use serde::{Deserialize, Serialize};

use super::layout::layout;
use super::net::{PetriNet, PlaceIx, TransitionIx};

/// A place: `[id, name, x, y, initial]` in JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(from = "PlaceRow", into = "PlaceRow")]
pub struct GraphPlace {
    pub id: String,
    pub name: String,
    pub x: f32,
    pub y: f32,
    /// Tokens of the initial marking.
    pub initial: u64,
}

/// A transition: `[id, name, x, y]` in JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(from = "TransitionRow", into = "TransitionRow")]
pub struct GraphTransition {
    pub id: String,
    pub name: String,
    pub x: f32,
    pub y: f32,
}

/// An arc: `[place, transition, weight]` in JSON, by index.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(from = "ArcRow", into = "ArcRow")]
pub struct GraphArc {
    pub place: PlaceIx,
    pub transition: TransitionIx,
    pub weight: u64,
}

/// A net to be drawn: positions in drawing units, y downwards, within `width` × `height`. Places and transitions are in
/// the order of the net, so a marking's index finds its place. Rows are arrays, and a name equal to its id is sent as
/// `null`: a net of 10,000 nodes stays below a megabyte.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct NetGraph {
    pub id: String,
    pub name: String,
    pub width: f32,
    pub height: f32,
    pub places: Vec<GraphPlace>,
    pub transitions: Vec<GraphTransition>,
    /// From places to transitions.
    pub inputs: Vec<GraphArc>,
    /// From transitions to places.
    pub outputs: Vec<GraphArc>,
}

impl NetGraph {
    /// Of a file that cannot be read.
    pub fn empty() -> Self {
        let (id, name) = Default::default();
        let (places, transitions, inputs, outputs) = Default::default();
        Self { id, name, width: 0.0, height: 0.0, places, transitions, inputs, outputs }
    }

    /// Lays out and draws a net.
    pub fn of(net: &PetriNet) -> Self {
        let layout = layout(net);
        let places = net.places.iter().zip(&layout.places).map(|(place, &(x, y))| GraphPlace {
            id: place.id.clone(),
            name: place.name.clone(),
            x,
            y,
            initial: place.initial,
        });
        let transitions = net.transitions.iter().zip(&layout.transitions).map(|(transition, &(x, y))| {
            GraphTransition { id: transition.id.clone(), name: transition.name.clone(), x, y }
        });
        let arcs = |of: fn(&PetriNet, TransitionIx) -> &[super::net::PlaceArc]| {
            net.transition_indexes()
                .flat_map(|transition| {
                    of(net, transition).iter().map(move |arc| GraphArc {
                        place: arc.place,
                        transition,
                        weight: arc.weight,
                    })
                })
                .collect()
        };
        Self {
            id: net.id.clone(),
            name: net.name.clone(),
            width: layout.width,
            height: layout.height,
            places: places.collect(),
            transitions: transitions.collect(),
            inputs: arcs(PetriNet::inputs),
            outputs: arcs(PetriNet::outputs),
        }
    }
}

impl NetGraph {
    /// For each transition, whether the initial marking enables it.
    pub fn initially_enabled(&self) -> Vec<bool> {
        let mut enabled = vec![true; self.transitions.len()];
        for arc in &self.inputs {
            let tokens = self.places.get(arc.place.index()).map_or(0, |place| place.initial);
            if let Some(enabled) = enabled.get_mut(arc.transition.index()) {
                *enabled &= tokens >= arc.weight;
            }
        }
        enabled
    }
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
struct PlaceRow(String, Option<String>, f32, f32, u64);
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
struct TransitionRow(String, Option<String>, f32, f32);
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
struct ArcRow(PlaceIx, TransitionIx, u64);

fn unless_id(id: &str, name: String) -> Option<String> {
    (id != name).then_some(name)
}

impl From<GraphPlace> for PlaceRow {
    fn from(place: GraphPlace) -> Self {
        let name = unless_id(&place.id, place.name);
        Self(place.id, name, place.x, place.y, place.initial)
    }
}

impl From<PlaceRow> for GraphPlace {
    fn from(PlaceRow(id, name, x, y, initial): PlaceRow) -> Self {
        Self { name: name.unwrap_or_else(|| id.clone()), id, x, y, initial }
    }
}

impl From<GraphTransition> for TransitionRow {
    fn from(transition: GraphTransition) -> Self {
        let name = unless_id(&transition.id, transition.name);
        Self(transition.id, name, transition.x, transition.y)
    }
}

impl From<TransitionRow> for GraphTransition {
    fn from(TransitionRow(id, name, x, y): TransitionRow) -> Self {
        Self { name: name.unwrap_or_else(|| id.clone()), id, x, y }
    }
}

impl From<GraphArc> for ArcRow {
    fn from(arc: GraphArc) -> Self {
        Self(arc.place, arc.transition, arc.weight)
    }
}

impl From<ArcRow> for GraphArc {
    fn from(ArcRow(place, transition, weight): ArcRow) -> Self {
        Self { place, transition, weight }
    }
}
