//! Random small nets: a few places and transitions, mostly weights of one, some of them unbounded, some dead at once.

use muster::petri::PetriNet;
use muster::petri::net::NetBuilder;
use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

pub fn random(seed: u64) -> PetriNet {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut below = |bound: u64| ((u128::from(random.next_u64()) * u128::from(bound)) >> 64) as u64;
    let mut net = NetBuilder::new(format!("random-{seed}"));
    let places: Vec<_> = (0..2 + below(5))
        .map(|n| (n, below(4)))
        .map(|(n, tokens)| net.place(&format!("p{n}"), tokens))
        .collect();
    for n in 0..2 + below(5) {
        let t = net.transition(&format!("t{n}"));
        // Mostly as many tokens go as come, or hardly a net would be finite; seldom none come, for that is never finite.
        let inputs = if below(15) == 0 { 0 } else { 1 + below(2) };
        let outputs = if below(4) > 0 { inputs } else { below(3) };
        for _ in 0..inputs {
            let weight = if below(6) == 0 { 2 + below(2) } else { 1 };
            net.input(places[below(places.len() as u64) as usize], t, weight);
        }
        for _ in 0..outputs {
            let weight = if below(12) == 0 { 2 } else { 1 };
            net.output(t, places[below(places.len() as u64) as usize], weight);
        }
    }
    net.build().expect("a sound net")
}
