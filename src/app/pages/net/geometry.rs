//! Where the lines of a drawing go. Pure.

use crate::petri::graph::{GraphArc, NetGraph};
use std::collections::HashSet;

/// Radius of a place.
pub const PLACE: f32 = 18.0;
/// Half the side of a transition.
pub const TRANSITION: f32 = 14.0;
/// Tokens are dots up to this many, then a number.
pub const DOTS: u64 = 5;
const DOT: f32 = 3.6;
/// How far an arc bends where there is one in the other direction too.
const BEND: f32 = 20.0;
/// Between the tip of an arrow and the node it points at.
const GAP: f32 = 2.0;

/// An arc as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// SVG path data.
    pub path: String,
    /// Where its weight is written, if it is not 1.
    pub weight: Option<(f32, f32, u64)>,
}

pub fn lines(graph: &NetGraph) -> Vec<Line> {
    let pairs =
        |arcs: &[GraphArc]| arcs.iter().map(|arc| (arc.place, arc.transition)).collect::<HashSet<_>>();
    let (inputs, outputs) = (pairs(&graph.inputs), pairs(&graph.outputs));
    let line = |arc: &GraphArc, into_transition: bool, both: bool| {
        let (place, transition) =
            (graph.places.get(arc.place.index())?, graph.transitions.get(arc.transition.index())?);
        let (p, t) = ((place.x, place.y), (transition.x, transition.y));
        let (from, to) = if into_transition { (p, t) } else { (t, p) };
        Some(curve(from, to, into_transition, if both { BEND } else { 0.0 }, arc.weight))
    };
    let inward =
        graph.inputs.iter().filter_map(|arc| line(arc, true, outputs.contains(&(arc.place, arc.transition))));
    let outward = graph
        .outputs
        .iter()
        .filter_map(|arc| line(arc, false, inputs.contains(&(arc.place, arc.transition))));
    inward.chain(outward).collect()
}

fn curve(from: (f32, f32), to: (f32, f32), into_transition: bool, bend: f32, weight: u64) -> Line {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy).max(1.0);
    let normal = (-dy / length, dx / length);
    let middle = ((from.0 + to.0) / 2.0 + normal.0 * bend, (from.1 + to.1) / 2.0 + normal.1 * bend);
    let (start, end) = if into_transition {
        (on_circle(from, middle, 0.0), on_square(to, middle, GAP))
    } else {
        (on_square(from, middle, 0.0), on_circle(to, middle, GAP))
    };
    let path = if bend == 0.0 {
        format!("M{:.1} {:.1}L{:.1} {:.1}", start.0, start.1, end.0, end.1)
    } else {
        format!("M{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}", start.0, start.1, middle.0, middle.1, end.0, end.1)
    };
    let beside = bend / 2.0 + 9.0;
    let centre = ((from.0 + to.0) / 2.0 + normal.0 * beside, (from.1 + to.1) / 2.0 + normal.1 * beside);
    Line { path, weight: (weight != 1).then_some((centre.0, centre.1, weight)) }
}

fn on_circle(centre: (f32, f32), towards: (f32, f32), gap: f32) -> (f32, f32) {
    let (dx, dy) = (towards.0 - centre.0, towards.1 - centre.1);
    let scale = (PLACE + gap) / dx.hypot(dy).max(1.0);
    (centre.0 + dx * scale, centre.1 + dy * scale)
}

fn on_square(centre: (f32, f32), towards: (f32, f32), gap: f32) -> (f32, f32) {
    let (dx, dy) = (towards.0 - centre.0, towards.1 - centre.1);
    let scale = (TRANSITION + gap) / dx.abs().max(dy.abs()).max(1.0);
    (centre.0 + dx * scale, centre.1 + dy * scale)
}

/// Path data of the dots for `tokens`, around (`x`, `y`); empty where there are none or too many for dots.
pub fn dots(x: f32, y: f32, tokens: u64) -> String {
    let d = 7.0;
    let at: &[(f32, f32)] = match tokens {
        1 => &[(0.0, 0.0)],
        2 => &[(-0.75, 0.0), (0.75, 0.0)],
        3 => &[(0.0, -0.85), (-0.85, 0.65), (0.85, 0.65)],
        4 => &[(-0.75, -0.75), (0.75, -0.75), (-0.75, 0.75), (0.75, 0.75)],
        DOTS => &[(0.0, 0.0), (-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)],
        _ => &[],
    };
    at.iter()
        .map(|(dx, dy)| {
            let (cx, cy, size) = (x + dx * d, y + dy * d, DOT * 2.0);
            format!("M{:.1} {cy:.1}a{DOT} {DOT} 0 1 0 {size} 0a{DOT} {DOT} 0 1 0 -{size} 0", cx - DOT)
        })
        .collect()
}

/// A name short enough to stand under its node.
pub fn short(name: &str) -> String {
    const MOST: usize = 16;
    if name.chars().count() <= MOST {
        name.to_owned()
    } else {
        name.chars().take(MOST - 1).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arc_ends_at_the_edge_of_its_nodes() {
        let line = curve((0.0, 0.0), (100.0, 0.0), true, 0.0, 1);
        assert_eq!(line, Line { path: "M18.0 0.0L84.0 0.0".into(), weight: None });
        assert_eq!(curve((0.0, 0.0), (100.0, 0.0), true, 0.0, 3).weight, Some((50.0, 9.0, 3)));
        assert!(
            !curve((5.0, 5.0), (5.0, 5.0), false, 0.0, 1).path.contains("NaN"),
            "nodes may lie on each other"
        );
    }

    #[test]
    fn tokens_are_dots_up_to_five() {
        let count = |tokens| dots(0.0, 0.0, tokens).matches('M').count();
        assert_eq!((0..8).map(count).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 0, 0]);
    }
}
