//! The rules the analysis holds, as tests: small nets with known answers, random nets against a naive explorer, and the contest's nets.

mod naive;
mod properties;
mod shared;
mod small;

use crate::petri::net::{NetBuilder, PetriNet, PlaceIx, TransitionIx};

/// A transition of a net written by hand: places and weights it takes from and gives to.
type Move<'a> = (&'a [(u32, u64)], &'a [(u32, u64)]);

/// A net with these tokens on its places.
fn net(initial: &[u64], moves: &[Move<'_>]) -> PetriNet {
    let mut builder = NetBuilder::new("net");
    for (nth, &tokens) in initial.iter().enumerate() {
        builder.place(&format!("p{nth}"), tokens);
    }
    for (nth, (inputs, outputs)) in moves.iter().enumerate() {
        let t = builder.transition(&format!("t{nth}"));
        inputs.iter().for_each(|&(place, weight)| builder.input(PlaceIx(place), t, weight));
        outputs.iter().for_each(|&(place, weight)| builder.output(t, PlaceIx(place), weight));
    }
    builder.build().expect("a sound net")
}

/// Fires these transitions one after the other, each of them enabled, and returns the marking.
fn replay(net: &PetriNet, path: &[TransitionIx]) -> Vec<u64> {
    let mut marking = naive::initial(net);
    for &t in path {
        marking = naive::fire(net, &marking, t).expect("an enabled transition");
    }
    marking
}
