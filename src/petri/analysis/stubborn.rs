//! Stubborn sets (Valmari 1988), of the kind that keeps every deadlock: in each marking only some of the enabled transitions are followed.
//!
//! A set is stubborn if (1) for each enabled transition in it, all that take from one of its input places are in it too, and (2) for each
//! one that is not enabled, some input place with too few tokens has all those in it that add tokens to it. Then nothing outside the set
//! can disturb what is inside, and firing inside first loses no deadlock.

use super::sparse::Vector;
use crate::petri::net::{PetriNet, PlaceIx, TransitionIx};

/// Transitions that a set is grown from before the smallest so far is taken.
const SEEDS: usize = 24;

pub struct Stubborn {
    /// Per place: who adds tokens to it.
    producers: Vec<Vec<u32>>,
    enabled: Vec<bool>,
    /// Per transition: the last set it was in.
    stamps: Vec<u32>,
    stamp: u32,
    set: Vec<u32>,
}

impl Stubborn {
    pub fn of(net: &PetriNet, effects: &[Vector]) -> Self {
        let mut producers = vec![Vec::new(); net.places.len()];
        for (t, effect) in effects.iter().enumerate() {
            for &(place, _) in effect.iter().filter(|&&(_, delta)| delta > 0) {
                producers[place as usize].push(t as u32);
            }
        }
        let transitions = net.transitions.len();
        Self {
            producers,
            enabled: vec![false; transitions],
            stamps: vec![0; transitions],
            stamp: 0,
            set: Vec::new(),
        }
    }

    /// The enabled transitions of a small stubborn set; empty only in a deadlock.
    pub fn choose(&mut self, net: &PetriNet, tokens: impl Fn(usize) -> u64, chosen: &mut Vec<u32>) {
        let mut seeds = Vec::new();
        for t in net.transition_indexes() {
            let enabled = net.inputs(t).iter().all(|arc| tokens(arc.place.index()) >= arc.weight);
            self.enabled[t.index()] = enabled;
            if enabled {
                seeds.push(t.0);
            }
        }
        chosen.clear();
        let mut best = usize::MAX;
        for &seed in seeds.iter().take(SEEDS) {
            if best == 1 {
                break;
            }
            if self.grow(net, &tokens, seed, best) {
                chosen.clear();
                chosen.extend(self.set.iter().filter(|&&t| self.enabled[t as usize]));
                best = chosen.len();
            }
        }
    }

    /// Grows `set` from a transition; `false` if it has no fewer than `limit` enabled ones.
    fn grow(&mut self, net: &PetriNet, tokens: &impl Fn(usize) -> u64, seed: u32, limit: usize) -> bool {
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.stamps.fill(0);
            self.stamp = 1;
        }
        self.set.clear();
        let mut enabled = 0;
        self.include(seed);
        let mut next = 0;
        while let Some(&t) = self.set.get(next) {
            next += 1;
            let inputs = net.inputs(TransitionIx(t));
            if self.enabled[t as usize] {
                enabled += 1;
                if enabled >= limit {
                    return false;
                }
                for arc in inputs {
                    for consumer in net.consumers(arc.place) {
                        self.include(consumer.transition.0);
                    }
                }
            } else {
                let scarce = inputs.iter().filter(|arc| tokens(arc.place.index()) < arc.weight);
                let fewest =
                    scarce.map(|arc| arc.place).min_by_key(|place| self.producers[place.index()].len());
                self.include_producers(fewest);
            }
        }
        true
    }

    fn include_producers(&mut self, place: Option<PlaceIx>) {
        let Some(place) = place else { return };
        for nth in 0..self.producers[place.index()].len() {
            self.include(self.producers[place.index()][nth]);
        }
    }

    fn include(&mut self, t: u32) {
        let stamp = &mut self.stamps[t as usize];
        if *stamp != self.stamp {
            *stamp = self.stamp;
            self.set.push(t);
        }
    }
}
