//! What the shape of a net tells without running it.

use serde::{Deserialize, Serialize};

use crate::petri::net::{PetriNet, TransitionIx};

/// Places and transitions are numbered from 0 in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
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

impl Structure {
    /// In time proportional to the net.
    pub fn of(net: &PetriNet) -> Structure {
        let (places, transitions) = (net.places.len(), net.transitions.len());
        // How many transitions lead to a place, and away from it.
        let (mut into, mut out) = (vec![0u32; places], vec![0u32; places]);
        let mut ordinary = true;
        for t in net.transition_indexes() {
            net.inputs(t).iter().for_each(|arc| out[arc.place.index()] += 1);
            net.outputs(t).iter().for_each(|arc| into[arc.place.index()] += 1);
            ordinary &= net.inputs(t).iter().chain(net.outputs(t)).all(|arc| arc.weight == 1);
        }
        let where_none = |counts: &[u32]| -> Vec<u32> {
            (0..).zip(counts).filter(|(_, count)| **count == 0).map(|(index, _)| index).collect()
        };
        let without = |arcs: &dyn Fn(TransitionIx) -> usize| -> Vec<u32> {
            net.transition_indexes().filter(|t| arcs(*t) == 0).map(|t| t.0).collect()
        };
        let links = Links::of(net);
        Structure {
            places: places as u32,
            transitions: transitions as u32,
            arcs: net.arc_count() as u32,
            tokens: net.places.iter().fold(0, |sum, place| sum.saturating_add(place.initial)),
            source_places: where_none(&into),
            source_transitions: without(&|t| net.inputs(t).len()),
            sink_places: where_none(&out),
            sink_transitions: without(&|t| net.outputs(t).len()),
            ordinary,
            state_machine: ordinary
                && net.transition_indexes().all(|t| net.inputs(t).len() == 1 && net.outputs(t).len() == 1),
            marked_graph: ordinary && into.iter().chain(&out).all(|count| *count == 1),
            free_choice: ordinary
                && net.transition_indexes().all(|t| {
                    let inputs = net.inputs(t);
                    inputs.len() <= 1 || inputs.iter().all(|arc| out[arc.place.index()] == 1)
                }),
            components: links.components(),
            strongly_connected: links.is_strongly_connected(),
        }
    }
}

/// The net as a graph: its places, and its transitions after them, with the nodes that the arcs lead to.
struct Links {
    /// Where the list of each node begins in `to`; one more at the end.
    begins: Vec<u32>,
    to: Vec<u32>,
}

impl Links {
    fn of(net: &PetriNet) -> Links {
        let places = net.places.len() as u32;
        let (mut begins, mut to) = (vec![0], Vec::with_capacity(net.arc_count()));
        for p in net.place_indexes() {
            to.extend(net.consumers(p).iter().map(|consumer| places + consumer.transition.0));
            begins.push(to.len() as u32);
        }
        for t in net.transition_indexes() {
            to.extend(net.outputs(t).iter().map(|arc| arc.place.0));
            begins.push(to.len() as u32);
        }
        Links { begins, to }
    }

    fn nodes(&self) -> usize {
        self.begins.len() - 1
    }

    fn from(&self, node: usize) -> &[u32] {
        &self.to[self.begins[node] as usize..self.begins[node + 1] as usize]
    }

    /// Parts that no arc joins, by union and find.
    fn components(&self) -> u32 {
        let mut above: Vec<u32> = (0..self.nodes() as u32).collect();
        let mut parts = self.nodes() as u32;
        for node in 0..self.nodes() {
            for &other in self.from(node) {
                let (a, b) = (root(&mut above, node as u32), root(&mut above, other));
                if a != b {
                    above[a as usize] = b;
                    parts -= 1;
                }
            }
        }
        parts
    }

    /// Tarjan's algorithm, without recursion: a net is as deep as it is large.
    fn is_strongly_connected(&self) -> bool {
        const UNSEEN: u32 = u32::MAX;
        let nodes = self.nodes();
        if nodes == 0 {
            return false;
        }
        let (mut number, mut low) = (vec![UNSEEN; nodes], vec![UNSEEN; nodes]);
        // The way to where we are: a node, and how many of its arcs were followed.
        let mut way: Vec<(u32, u32)> = vec![(0, 0)];
        let mut seen = 1u32;
        (number[0], low[0]) = (0, 0);
        while let Some((node, followed)) = way.last_mut() {
            let at = *node as usize;
            if let Some(&next) = self.from(at).get(*followed as usize) {
                *followed += 1;
                let next = next as usize;
                if number[next] == UNSEEN {
                    (number[next], low[next]) = (seen, seen);
                    seen += 1;
                    way.push((next as u32, 0));
                } else {
                    low[at] = low[at].min(number[next]);
                }
                continue;
            }
            way.pop();
            match way.last() {
                // A node that no way leads back from is a component of its own, and the net has more than one.
                Some(_) if low[at] == number[at] => return false,
                Some(&(before, _)) => low[before as usize] = low[before as usize].min(low[at]),
                None => {}
            }
        }
        seen as usize == nodes
    }
}

/// The node that stands for the part that `node` is in; ways there become shorter as they are walked.
fn root(above: &mut [u32], mut node: u32) -> u32 {
    while above[node as usize] != node {
        above[node as usize] = above[above[node as usize] as usize];
        node = above[node as usize];
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::petri::{NetBuilder, generate::Family, net::PlaceIx};

    /// Places `p0`, `p1` … with one token on the first, and transitions with their input and output places.
    fn net(places: usize, transitions: &[(&[u32], &[u32])]) -> PetriNet {
        let mut net = NetBuilder::new("n");
        for p in 0..places {
            net.place(&format!("p{p}"), u64::from(p == 0));
        }
        for (n, (inputs, outputs)) in transitions.iter().enumerate() {
            let t = net.transition(&format!("t{n}"));
            inputs.iter().for_each(|p| net.input(PlaceIx(*p), t, 1));
            outputs.iter().for_each(|p| net.output(t, PlaceIx(*p), 1));
        }
        net.build().expect("a sound net")
    }

    #[test]
    fn a_ring_is_everything_that_a_net_can_be() {
        let ring = Structure::of(&net(2, &[(&[0], &[1]), (&[1], &[0])]));
        assert_eq!((ring.places, ring.transitions, ring.arcs, ring.tokens), (2, 2, 4, 1));
        assert!(ring.ordinary && ring.state_machine && ring.marked_graph && ring.free_choice, "{ring:?}");
        assert!(ring.strongly_connected && ring.components == 1, "{ring:?}");
        assert!(ring.source_places.is_empty() && ring.sink_transitions.is_empty(), "{ring:?}");
    }

    #[test]
    fn where_nothing_leads_to_or_away_is_named() {
        let line = Structure::of(&net(3, &[(&[0], &[1]), (&[], &[1]), (&[1], &[])]));
        assert_eq!((line.source_places, line.sink_places), (vec![0, 2], vec![2]));
        assert_eq!((line.source_transitions, line.sink_transitions), (vec![1], vec![2]));
        assert_eq!((line.components, line.strongly_connected), (2, false));
    }

    #[test]
    fn a_choice_is_free_only_where_nothing_else_is_waited_for() {
        let free = net(3, &[(&[0], &[1]), (&[0], &[2])]);
        assert!(Structure::of(&free).free_choice);
        // The first waits for p1 as well.
        let asymmetric = net(3, &[(&[0, 1], &[2]), (&[0], &[2])]);
        assert!(!Structure::of(&asymmetric).free_choice);
        let synchronised = net(3, &[(&[0, 1], &[2])]);
        let synchronised = Structure::of(&synchronised);
        assert!(synchronised.free_choice && !synchronised.state_machine && !synchronised.marked_graph);
    }

    #[test]
    fn a_heavier_arc_is_not_ordinary() {
        let mut net = NetBuilder::new("n");
        let (p, t) = (net.place("p", 1), net.transition("t"));
        net.input(p, t, 2);
        net.output(t, p, 2);
        let heavy = Structure::of(&net.build().expect("a sound net"));
        assert!(!heavy.ordinary && !heavy.state_machine && !heavy.marked_graph && !heavy.free_choice);
        assert!(heavy.strongly_connected);
    }

    #[test]
    fn two_rings_that_lead_one_way_are_not_strongly_connected() {
        let one_way = net(4, &[(&[0], &[1]), (&[1], &[0]), (&[1], &[2]), (&[2], &[3]), (&[3], &[2])]);
        let one_way = Structure::of(&one_way);
        assert_eq!((one_way.components, one_way.strongly_connected), (1, false));
        let back = net(4, &[(&[2], &[3]), (&[3], &[2]), (&[3], &[0]), (&[0], &[1]), (&[1], &[2])]);
        assert!(Structure::of(&back).strongly_connected);
        assert!(!Structure::of(&net(0, &[])).strongly_connected);
    }

    #[test]
    fn the_largest_net_that_is_read_takes_no_stack() {
        let ring: Vec<(Vec<u32>, Vec<u32>)> =
            (0..100_000).map(|p| (vec![p], vec![(p + 1) % 100_000])).collect();
        let ring: Vec<(&[u32], &[u32])> = ring.iter().map(|(a, b)| (a.as_slice(), b.as_slice())).collect();
        let ring = Structure::of(&net(100_000, &ring));
        assert!(ring.strongly_connected && ring.components == 1);
        let family = Structure::of(&Family::ALL[0].net(20_000));
        assert_eq!(family.components, 1);
    }
}
