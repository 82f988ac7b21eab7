//! Siphons and traps (Commoner 1972): a proof that a net cannot die, with no look at its markings.
//!
//! A *siphon* is a set of places that, once empty, stays empty: whatever adds tokens to it also takes some from it. A *trap*, once marked,
//! stays marked. In a deadlock of a net whose inputs all weigh 1 the empty places are a siphon. So if every siphon holds a trap that is
//! marked at the start, there is no deadlock; and if the net is also an asymmetric choice net (any two places that share a consumer: all
//! consumers of one are consumers of the other), it is live (Murata 1989, theorem 13).

use super::budget::Deadline;
use crate::petri::net::{PetriNet, PlaceIx, TransitionIx};

/// Sets looked at before the search gives up.
const MAX_SETS: usize = 400_000;

/// A set of places.
#[derive(Clone)]
struct Places(Vec<u64>);

impl Places {
    fn none(places: usize) -> Self {
        Self(vec![0; places.div_ceil(64)])
    }

    fn has(&self, place: PlaceIx) -> bool {
        self.0[place.index() / 64] >> (place.index() % 64) & 1 == 1
    }

    fn insert(&mut self, place: PlaceIx) {
        self.0[place.index() / 64] |= 1 << (place.index() % 64);
    }

    fn remove(&mut self, place: PlaceIx) {
        self.0[place.index() / 64] &= !(1 << (place.index() % 64));
    }

    fn iter(&self) -> impl Iterator<Item = PlaceIx> + '_ {
        self.0.iter().enumerate().flat_map(|(word, &bits)| {
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| PlaceIx((word * 64 + bit) as u32))
        })
    }
}

/// What siphons and traps prove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    pub no_deadlock: bool,
    pub live: bool,
}

/// `None`: nothing is proven this way.
pub fn prove(net: &PetriNet, deadline: &Deadline<'_>) -> Option<Proof> {
    let light = |t: TransitionIx| net.inputs(t).iter().all(|arc| arc.weight == 1);
    if net.transitions.is_empty() || !net.transition_indexes().all(light) {
        return None;
    }
    if net.transition_indexes().any(|t| net.inputs(t).is_empty()) {
        return Some(Proof { no_deadlock: true, live: false });
    }
    let mut search = Search { net, producers: producers(net), sets: 0, deadline };
    if !search.every_siphon_is_safe()? {
        return None;
    }
    let ordinary = net.transition_indexes().all(|t| net.outputs(t).iter().all(|arc| arc.weight == 1));
    Some(Proof { no_deadlock: true, live: ordinary && is_asymmetric_choice(net) })
}

/// Per place: the transitions that put tokens on it.
fn producers(net: &PetriNet) -> Vec<Vec<TransitionIx>> {
    let mut producers = vec![Vec::new(); net.places.len()];
    for t in net.transition_indexes() {
        for arc in net.outputs(t) {
            producers[arc.place.index()].push(t);
        }
    }
    producers
}

/// Any two places with a common consumer: the consumers of one are among those of the other.
fn is_asymmetric_choice(net: &PetriNet) -> bool {
    net.transition_indexes().all(|t| {
        let mut places: Vec<PlaceIx> = net.inputs(t).iter().map(|arc| arc.place).collect();
        places.sort_by_key(|&place| net.consumers(place).len());
        // Sorted by size, each set within the next: then any two are nested.
        places.windows(2).all(|pair| {
            let (few, many) = (net.consumers(pair[0]), net.consumers(pair[1]));
            few.iter().all(|one| many.iter().any(|other| one.transition == other.transition))
        })
    })
}

struct Search<'a> {
    net: &'a PetriNet,
    producers: Vec<Vec<TransitionIx>>,
    sets: usize,
    deadline: &'a Deadline<'a>,
}

/// A set to be grown to siphons, without places that were tried before.
struct Branch {
    set: Places,
    barred: Places,
}

impl Search<'_> {
    /// Whether every siphon holds a marked trap; `None` if there are too many to tell.
    fn every_siphon_is_safe(&mut self) -> Option<bool> {
        let mut barred = Places::none(self.net.places.len());
        for root in self.net.place_indexes() {
            let mut set = Places::none(self.net.places.len());
            set.insert(root);
            let mut open = vec![Branch { set, barred: barred.clone() }];
            while let Some(branch) = open.pop() {
                self.sets += 1;
                if self.sets > MAX_SETS || (self.sets.is_multiple_of(16) && self.deadline.passed()) {
                    return None;
                }
                if self.holds_marked_trap(&branch.set) {
                    continue;
                }
                match self.unfed(&branch.set) {
                    None => return Some(false),
                    Some(t) => self.grow(branch, t, &mut open),
                }
            }
            // All siphons with this place are done.
            barred.insert(root);
        }
        Some(true)
    }

    /// A transition that adds to the set and takes nothing from it, with the fewest inputs; `None` if the set is a siphon.
    fn unfed(&self, set: &Places) -> Option<TransitionIx> {
        set.iter()
            .flat_map(|place| &self.producers[place.index()])
            .copied()
            .filter(|&t| !self.net.inputs(t).iter().any(|arc| set.has(arc.place)))
            .min_by_key(|&t| self.net.inputs(t).len())
    }

    /// Every siphon around the set has one of the inputs of `t`.
    fn grow(&self, branch: Branch, t: TransitionIx, open: &mut Vec<Branch>) {
        let Branch { set, mut barred } = branch;
        for arc in self.net.inputs(t) {
            if barred.has(arc.place) {
                continue;
            }
            let mut wider = set.clone();
            wider.insert(arc.place);
            open.push(Branch { set: wider, barred: barred.clone() });
            barred.insert(arc.place);
        }
    }

    /// Whether the largest trap within the set is marked at the start.
    fn holds_marked_trap(&self, set: &Places) -> bool {
        let mut trap = set.clone();
        let mut check: Vec<PlaceIx> = trap.iter().collect();
        while let Some(place) = check.pop() {
            if !trap.has(place) {
                continue;
            }
            // Some consumer gives nothing back to the set: the place is not part of a trap.
            let drained =
                self.net.consumers(place).iter().any(|consumer| {
                    !self.net.outputs(consumer.transition).iter().any(|arc| trap.has(arc.place))
                });
            if drained {
                trap.remove(place);
                for &t in &self.producers[place.index()] {
                    check.extend(
                        self.net.inputs(t).iter().map(|arc| arc.place).filter(|&other| trap.has(other)),
                    );
                }
            }
        }
        trap.iter().any(|place| self.net.places[place.index()].initial > 0)
    }
}
