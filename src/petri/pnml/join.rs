//! Joins arcs to their nodes, once all are known.

use super::error::PnmlErrorKind as Kind;
use super::ids::{Id, Ids, Meaning};
use super::value::{Fault, not_xml};
use crate::petri::net::{
    ArcSpec, BuildError, Direction, MAX_COUNT, NetBuilder, PetriNet, PlaceIx, TransitionIx,
};

/// An arc before its ends are known. `at` is its byte offset.
pub(super) struct RawArc {
    pub source: Id,
    pub target: Id,
    pub weight: u64,
    pub at: usize,
}

/// All ids are known now: joins the arcs and builds the net.
pub(super) fn join(mut net: NetBuilder, mut ids: Ids, arcs: &[RawArc]) -> Result<PetriNet, Fault> {
    ids.follow_references().map_err(|(id, at, what)| {
        let what = what.to_string();
        match ids.circle(id) {
            Some(path) => (at, Kind::CircularReference { path, what }),
            None => (at, Kind::DanglingReference { id: ids.name(id), what }),
        }
    })?;
    net.arcs.reserve_exact(arcs.len());
    for arc in arcs {
        let spec = |direction, place, transition| ArcSpec {
            direction,
            place: PlaceIx(place),
            transition: TransitionIx(transition),
            weight: arc.weight,
        };
        let spec = match (ids.meaning(arc.source), ids.meaning(arc.target)) {
            (Meaning::Place(p), Meaning::Transition(t)) => spec(Direction::Input, p, t),
            (Meaning::Transition(t), Meaning::Place(p)) => spec(Direction::Output, p, t),
            (Meaning::Place(_), Meaning::Place(_)) => {
                return Err((arc.at, Kind::ArcBetweenEquals { what: "places".into() }));
            }
            (Meaning::Transition(_), Meaning::Transition(_)) => {
                return Err((arc.at, Kind::ArcBetweenEquals { what: "transitions".into() }));
            }
            (Meaning::Place(_) | Meaning::Transition(_), _) => {
                return Err((arc.at, Kind::DanglingArc { end: "target".into(), id: ids.name(arc.target) }));
            }
            _ => {
                return Err((arc.at, Kind::DanglingArc { end: "source".into(), id: ids.name(arc.source) }));
            }
        };
        net.arcs.push(spec);
    }
    net.build_unique().map_err(|e| match e {
        BuildError::ParallelWeight { arc } => (arcs[arc].at, Kind::ParallelWeight { limit: MAX_COUNT }),
        // Checked above, one by one; said anyhow rather than assumed.
        other => (0, not_xml(other)),
    })
}
