//! The analysis as one would write it on a blackboard: a set of markings, a list of edges, and fixed points over them.

use std::collections::BTreeMap;

use crate::petri::net::{PetriNet, TransitionIx};

pub fn initial(net: &PetriNet) -> Vec<u64> {
    net.places.iter().map(|place| place.initial).collect()
}

/// The marking after a firing; `None` if the transition is not enabled.
pub fn fire(net: &PetriNet, marking: &[u64], t: TransitionIx) -> Option<Vec<u64>> {
    let mut next = marking.to_vec();
    for arc in net.inputs(t) {
        let tokens = &mut next[arc.place.index()];
        *tokens = tokens.checked_sub(arc.weight)?;
    }
    net.outputs(t).iter().for_each(|arc| next[arc.place.index()] += arc.weight);
    Some(next)
}

/// The eight answers.
#[derive(Debug, PartialEq)]
pub struct Answers {
    pub states: u64,
    pub edges: u64,
    pub max_tokens_in_place: u64,
    pub max_tokens_per_marking: u64,
    pub deadlock: bool,
    pub one_safe: bool,
    pub quasi_live: bool,
    pub live: bool,
}

/// All answers, or `None` for a net with more than `limit` markings.
pub fn answers(net: &PetriNet, limit: usize) -> Option<Answers> {
    let mut numbers = BTreeMap::from([(initial(net), 0usize)]);
    let mut markings = vec![initial(net)];
    let mut edges: Vec<(usize, TransitionIx, usize)> = Vec::new();
    let mut next = 0;
    while next < markings.len() {
        let marking = markings[next].clone();
        for t in net.transition_indexes() {
            if let Some(to) = fire(net, &marking, t) {
                let fresh = markings.len();
                let number = *numbers.entry(to.clone()).or_insert(fresh);
                if number == fresh {
                    markings.push(to);
                }
                edges.push((next, t, number));
            }
        }
        if markings.len() > limit {
            return None;
        }
        next += 1;
    }
    let tokens = || markings.iter().map(|marking| marking.iter().sum::<u64>());
    let most = markings.iter().flatten().copied().max().unwrap_or(0);
    let leaves = |state: usize| edges.iter().any(|&(from, ..)| from == state);
    let fires = |t: TransitionIx| edges.iter().any(|&(_, other, _)| other == t);
    Some(Answers {
        states: markings.len() as u64,
        edges: edges.len() as u64,
        max_tokens_in_place: most,
        max_tokens_per_marking: tokens().max().unwrap_or(0),
        deadlock: (0..markings.len()).any(|state| !leaves(state)),
        one_safe: most <= 1,
        quasi_live: net.transition_indexes().all(fires),
        live: net.transition_indexes().all(|t| can_always_fire(&edges, markings.len(), t)),
    })
}

/// Whether from every marking a run leads to one that enables `t`.
fn can_always_fire(edges: &[(usize, TransitionIx, usize)], states: usize, t: TransitionIx) -> bool {
    let mut can = vec![false; states];
    edges.iter().filter(|&&(_, other, _)| other == t).for_each(|&(from, ..)| can[from] = true);
    loop {
        let mut changed = false;
        for &(from, _, to) in edges {
            if can[to] && !can[from] {
                can[from] = true;
                changed = true;
            }
        }
        if !changed {
            return !can.contains(&false);
        }
    }
}
