//! Shapes and sums in words for people. Pure.

use crate::{app::components::format, petri::analysis::Structure};

/// The shape of a net, in a line or two.
pub fn structure(structure: &Structure) -> String {
    let mut kinds = Vec::new();
    if structure.state_machine {
        kinds.push("a state machine");
    }
    if structure.marked_graph {
        kinds.push("a marked graph");
    }
    if structure.free_choice {
        kinds.push("free choice");
    }
    if structure.ordinary {
        kinds.push("every arc of weight 1");
    }
    let parts = match structure.components {
        0 => "Empty".to_owned(),
        1 if structure.strongly_connected => {
            "In one part, with a way from everywhere to everywhere".to_owned()
        }
        1 => "In one part".to_owned(),
        parts => format!("In {} that no arc joins", format::counted(parts as usize, "part", "parts")),
    };
    let ends =
        |nodes: &[u32], one, many| (!nodes.is_empty()).then(|| format::counted(nodes.len(), one, many));
    let begins = [
        ends(&structure.source_places, "place that nothing fills", "places that nothing fills"),
        ends(&structure.source_transitions, "transition that needs nothing", "transitions that need nothing"),
        ends(&structure.sink_places, "place that nothing empties", "places that nothing empties"),
        ends(&structure.sink_transitions, "transition that gives nothing", "transitions that give nothing"),
    ];
    let mut said =
        std::iter::once(parts).chain(kinds.into_iter().map(str::to_owned)).collect::<Vec<_>>().join("; ");
    said.push('.');
    let begins: Vec<String> = begins.into_iter().flatten().collect();
    if !begins.is_empty() {
        said.push_str(&format!(" It has {}.", begins.join(", ")));
    }
    said
}

/// `p1 + 2·p2`, with so many terms at most.
pub fn sum(weights: &[(u32, i64)], most: usize, name: impl Fn(u32) -> String) -> String {
    let mut said = String::new();
    for (n, (node, weight)) in weights.iter().take(most).enumerate() {
        let sign = match (n, *weight < 0) {
            (0, false) => "",
            (0, true) => "−",
            (_, false) => " + ",
            (_, true) => " − ",
        };
        said.push_str(sign);
        if weight.unsigned_abs() != 1 {
            said.push_str(&format!("{}·", format::count(weight.unsigned_abs())));
        }
        said.push_str(&name(*node));
    }
    if weights.len() > most {
        said.push_str(&format!(" + {} more", format::count((weights.len() - most) as u64)));
    }
    said
}

/// A weighted sum of tokens. A place that is not there holds none.
pub fn value(weights: &[(u32, i64)], tokens: impl Fn(usize) -> Option<u64>) -> i128 {
    let term =
        |(place, weight): &(u32, i64)| i128::from(*weight) * i128::from(tokens(*place as usize).unwrap_or(0));
    weights.iter().map(term).fold(0, i128::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_reads_as_one() {
        let name = |n: u32| format!("p{n}");
        assert_eq!(sum(&[(0, 1), (1, 2), (2, -1)], 8, name), "p0 + 2·p1 − p2");
        assert_eq!(sum(&[(0, -3), (1, 1), (2, 1)], 2, name), "−3·p0 + p1 + 1 more");
        assert_eq!(value(&[(0, 1), (1, 2), (9, 5)], |n| [1, 1].get(n).copied()), 3);
    }

    #[test]
    fn the_shape_of_a_net_is_told_in_a_line() {
        let shape = Structure { components: 1, ordinary: true, free_choice: true, ..Structure::default() };
        assert_eq!(structure(&shape), "In one part; free choice; every arc of weight 1.");
        let shape = Structure { components: 2, sink_places: vec![1], ..Structure::default() };
        assert_eq!(structure(&shape), "In 2 parts that no arc joins. It has 1 place that nothing empties.");
    }
}
