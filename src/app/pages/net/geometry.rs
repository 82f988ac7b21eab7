//! Where the lines of a drawing go. Pure.

use crate::petri::graph::{GraphArc, NetGraph};
use std::collections::HashSet;

/// Radius of a place where there is room.
pub const PLACE: f32 = 18.0;
/// Half the side of a transition where there is room.
pub const TRANSITION: f32 = 14.0;
/// An arc this long leaves room for nodes and their names.
const ROOMY: f32 = 52.0;
/// Tokens are dots up to this many, then a number.
pub const DOTS: u64 = 5;
const DOT: f32 = 3.6;
/// How far an arc bends where there is one in the other direction too.
const BEND: f32 = 20.0;
/// Between the tip of an arrow and the node it points at.
const GAP: f32 = 2.0;

/// How large the nodes of a drawing are: as large as its arcs leave room for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizes {
    /// Against the sizes where there is room.
    pub scale: f32,
    /// Radius of a place.
    pub place: f32,
    /// Half the side of a transition.
    pub transition: f32,
    /// Height of the letters of a name.
    pub name: f32,
}

impl Sizes {
    pub fn of(graph: &NetGraph) -> Sizes {
        let arcs = graph.inputs.iter().chain(&graph.outputs).filter_map(|arc| {
            let (place, t) =
                (graph.places.get(arc.place.index())?, graph.transitions.get(arc.transition.index())?);
            Some((place.x - t.x).hypot(place.y - t.y))
        });
        let mut lengths: Vec<f32> = arcs.collect();
        lengths.sort_by(f32::total_cmp);
        // A few short arcs may touch; that all are small because of them would be worse.
        let short = lengths.get(lengths.len() / 10).copied().unwrap_or(ROOMY);
        let scale = (short / ROOMY).clamp(0.4, 1.0);
        // A drawing is shown in about this space, and its names should be as large as other small text.
        let shown = (820.0 / graph.width.max(1.0)).min(600.0 / graph.height.max(1.0));
        let name = (10.0 / shown).clamp(8.0, 15.0);
        Sizes { scale, place: PLACE * scale, transition: TRANSITION * scale, name }
    }
}

/// An arc as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// SVG path data.
    pub path: String,
    /// Where its weight is written, if it is not 1.
    pub weight: Option<(f32, f32, u64)>,
    /// Beside its middle.
    pub beside: (f32, f32),
}

pub fn lines(graph: &NetGraph, sizes: Sizes) -> Vec<Line> {
    let pairs =
        |arcs: &[GraphArc]| arcs.iter().map(|arc| (arc.place, arc.transition)).collect::<HashSet<_>>();
    let (inputs, outputs) = (pairs(&graph.inputs), pairs(&graph.outputs));
    let line = |arc: &GraphArc, into_transition: bool, both: bool| {
        let (place, transition) =
            (graph.places.get(arc.place.index())?, graph.transitions.get(arc.transition.index())?);
        let (p, t) = ((place.x, place.y), (transition.x, transition.y));
        let (from, to) = if into_transition { (p, t) } else { (t, p) };
        Some(curve(from, to, into_transition, if both { BEND * sizes.scale } else { 0.0 }, arc.weight, sizes))
    };
    let inward =
        graph.inputs.iter().filter_map(|arc| line(arc, true, outputs.contains(&(arc.place, arc.transition))));
    let outward = graph
        .outputs
        .iter()
        .filter_map(|arc| line(arc, false, inputs.contains(&(arc.place, arc.transition))));
    inward.chain(outward).collect()
}

fn curve(
    from: (f32, f32),
    to: (f32, f32),
    into_transition: bool,
    bend: f32,
    weight: u64,
    sizes: Sizes,
) -> Line {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy).max(1.0);
    let normal = (-dy / length, dx / length);
    let middle = ((from.0 + to.0) / 2.0 + normal.0 * bend, (from.1 + to.1) / 2.0 + normal.1 * bend);
    let (start, end) = if into_transition {
        (beyond_circle(from, middle, sizes.place), beyond_square(to, middle, sizes.transition + GAP))
    } else {
        (beyond_square(from, middle, sizes.transition), beyond_circle(to, middle, sizes.place + GAP))
    };
    let path = if bend == 0.0 {
        format!("M{:.1} {:.1}L{:.1} {:.1}", start.0, start.1, end.0, end.1)
    } else {
        format!("M{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}", start.0, start.1, middle.0, middle.1, end.0, end.1)
    };
    let beside = bend / 2.0 + 9.0;
    let centre = ((from.0 + to.0) / 2.0 + normal.0 * beside, (from.1 + to.1) / 2.0 + normal.1 * beside);
    Line { path, weight: (weight != 1).then_some((centre.0, centre.1, weight)), beside: centre }
}

fn beyond_circle(centre: (f32, f32), towards: (f32, f32), radius: f32) -> (f32, f32) {
    let (dx, dy) = (towards.0 - centre.0, towards.1 - centre.1);
    let scale = radius / dx.hypot(dy).max(1.0);
    (centre.0 + dx * scale, centre.1 + dy * scale)
}

fn beyond_square(centre: (f32, f32), towards: (f32, f32), half: f32) -> (f32, f32) {
    let (dx, dy) = (towards.0 - centre.0, towards.1 - centre.1);
    let scale = half / dx.abs().max(dy.abs()).max(1.0);
    (centre.0 + dx * scale, centre.1 + dy * scale)
}

/// Path data of the dots for `tokens`, around (`x`, `y`); empty where there are none or too many for dots.
pub fn dots(x: f32, y: f32, tokens: u64, scale: f32) -> String {
    let (d, dot) = (7.0 * scale, DOT * scale);
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
            let (cx, cy, size) = (x + dx * d, y + dy * d, dot * 2.0);
            format!(
                "M{:.1} {cy:.1}a{dot:.1} {dot:.1} 0 1 0 {size:.1} 0a{dot:.1} {dot:.1} 0 1 0 -{size:.1} 0",
                cx - dot
            )
        })
        .collect()
}

/// Letters of a line under a node.
const LINE: usize = 16;

/// A name as it stands under its node: one line, or two where it is long.
pub fn name_lines(name: &str) -> Vec<String> {
    let name = name.trim();
    if name.chars().count() <= LINE {
        return vec![name.to_owned()];
    }
    // Broken after a word, or after what joins words, if that leaves something worth a line.
    let breaks =
        name.char_indices().take(LINE + 1).filter(|(_, c)| c.is_whitespace() || "_-.:/".contains(*c));
    let cut = breaks.map(|(at, c)| at + c.len_utf8()).filter(|cut| *cut >= LINE / 4).last();
    match cut.filter(|cut| name[..*cut].trim_end().chars().count() <= LINE) {
        Some(cut) => vec![name[..cut].trim_end().to_owned(), short(name[cut..].trim_start())],
        None => vec![short(name)],
    }
}

/// As much of a name as a line holds; of several words, whole ones.
pub fn short(name: &str) -> String {
    const MOST: usize = LINE;
    if name.chars().count() <= MOST {
        return name.to_owned();
    }
    let begin: String = name.chars().take(MOST - 1).collect();
    match begin.rsplit_once(char::is_whitespace) {
        Some((words, _)) if !words.trim().is_empty() => format!("{words} …"),
        _ => begin + "…",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Sizes = Sizes { scale: 1.0, place: PLACE, transition: TRANSITION, name: 11.0 };

    #[test]
    fn an_arc_ends_at_the_edge_of_its_nodes() {
        let line = curve((0.0, 0.0), (100.0, 0.0), true, 0.0, 1, ROOM);
        assert_eq!((line.path.as_str(), line.weight), ("M18.0 0.0L84.0 0.0", None));
        assert_eq!(curve((0.0, 0.0), (100.0, 0.0), true, 0.0, 3, ROOM).weight, Some((50.0, 9.0, 3)));
        assert!(
            !curve((5.0, 5.0), (5.0, 5.0), false, 0.0, 1, ROOM).path.contains("NaN"),
            "nodes may lie on each other"
        );
    }

    #[test]
    fn a_long_name_is_broken_between_words_and_then_cut() {
        assert_eq!(name_lines("put in the buffer"), ["put in the", "buffer"]);
        assert_eq!(name_lines("a-name-without-spaces"), ["a-name-without-", "spaces"]);
        assert_eq!(name_lines("consumer ready"), ["consumer ready"]);
        assert_eq!(name_lines("abcdefghijklmnopqrstuvw"), ["abcdefghijklmno…"]);
        assert_eq!(name_lines("a"), ["a"]);
        assert_eq!(
            name_lines("the order is checked by the second clerk"),
            ["the order is", "checked by the …"]
        );
    }

    #[test]
    fn tokens_are_dots_up_to_five() {
        let count = |tokens| dots(0.0, 0.0, tokens, 1.0).matches('M').count();
        assert_eq!((0..8).map(count).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 0, 0]);
    }
}
