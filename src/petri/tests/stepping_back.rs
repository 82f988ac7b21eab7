//! What is taken back was never there, and what is written down can be had again.

use std::sync::Arc;

use proptest::prelude::*;

use super::running::{Act, act, any_act, any_net, own};
use crate::petri::engine::{Engine, Step};
use crate::petri::net::{MAX_COUNT, NetBuilder, PetriNet, PlaceIx, TransitionIx};
use crate::petri::{Recording, ReplayError, TakenBack};

/// All that can be told of an engine, the order of the enabled array included, and what it does next.
fn told(engine: &Engine) -> (Vec<u64>, Vec<TransitionIx>, Vec<u64>, u64, Vec<Step>) {
    let mut next = engine.clone();
    let steps = (0..12).map(|_| next.step()).collect();
    let marking = engine.marking().as_slice().to_vec();
    (marking, engine.enabled().collect(), engine.fired().to_vec(), engine.total_fired(), steps)
}

/// A transition that takes a token here and puts one there.
fn moves(net: &mut NetBuilder, id: &str, from: PlaceIx, to: PlaceIx) -> TransitionIx {
    let t = net.transition(id);
    net.input(from, t, 1);
    net.output(t, to, 1);
    t
}

/// A net in which one of three transitions cannot fire for want of room, which troubles the order of the enabled ones.
fn nearly_full() -> Arc<PetriNet> {
    let mut net = NetBuilder::new("full");
    let (a, b, full) = (net.place("a", 2), net.place("b", 1), net.place("full", MAX_COUNT));
    let [over, there, back] = ["over", "there", "back"].map(|id| net.transition(id));
    net.input(a, over, 1);
    net.output(over, full, 1);
    net.input(a, there, 2);
    net.output(there, b, 1);
    net.input(b, back, 1);
    net.output(back, a, 2);
    Arc::new(net.build().expect("a sound net"))
}

fn any_or_full_net() -> impl Strategy<Value = Arc<PetriNet>> {
    prop_oneof![9 => any_net(), 1 => Just(nearly_full())]
}

proptest! {
    #[test]
    fn so_many_forward_and_as_many_back_is_where_it_was(
        net in any_or_full_net(), acts in prop::collection::vec(any_act(), 1..30), seed: u64, watched: bool,
    ) {
        let mut engine = Engine::new(net, seed);
        engine.keep(2_000);
        engine.watch(watched);
        let mut stations = vec![(0, told(&engine))];
        for next in acts.iter().filter(|next| !matches!(next, Act::Reset | Act::Back(_))) {
            act(&mut engine, next);
            let here = (engine.kept(), told(&engine));
            // A pick that came to nothing is no step of its own: it goes when the step before it is taken back.
            stations.retain(|(kept, _)| *kept != here.0);
            stations.push(here);
        }
        for (kept, before) in stations.into_iter().rev() {
            while engine.kept() > kept {
                prop_assert!(engine.back().is_some());
            }
            prop_assert_eq!(told(&engine), before);
        }
        prop_assert_eq!(engine.back(), None);
    }

    #[test]
    fn a_recording_gives_the_same_run(
        net in any_or_full_net(), acts in prop::collection::vec(any_act(), 0..40), seed: u64,
    ) {
        let mut engine = Engine::new(net.clone(), seed);
        engine.keep(50);
        acts.iter().for_each(|next| act(&mut engine, next));
        let json = serde_json::to_string(engine.recording().expect("a short run")).expect("writes");
        let recording: Recording = serde_json::from_str(&json).expect("reads");
        let again = recording.replay(net).expect("its own net");
        prop_assert_eq!(told(&again), told(&engine));
        prop_assert_eq!(again.recording(), engine.recording());
    }
}

#[test]
fn what_is_kept_is_bounded_and_the_last_of_the_run() {
    let mut engine = Engine::new(own("producer-consumer"), 4);
    engine.run(1_000);
    assert_eq!((engine.kept(), engine.back()), (0, None), "nothing is kept unless asked for");
    engine.keep(5);
    engine.run(995);
    let five_before = told(&engine);
    engine.run(5);
    assert_eq!(engine.kept(), 5);
    let taken: Vec<_> = std::iter::from_fn(|| engine.back()).collect();
    assert_eq!(taken.len(), 5);
    assert_eq!(told(&engine), five_before);
    let redone: Vec<_> = (0..5).map(|_| engine.step()).collect();
    let backwards = taken.iter().rev().map(|taken| match taken {
        TakenBack::Fired(t) => Step::Fired(*t),
        TakenBack::Injected { .. } => panic!("nothing was injected"),
    });
    assert_eq!(redone, backwards.collect::<Vec<_>>(), "the same transitions by lot as before");
    engine.keep(0);
    assert_eq!(engine.back(), None);
}

#[test]
fn a_transition_that_changes_many_costs_older_steps_their_place_and_no_memory() {
    let mut net = NetBuilder::new("wide");
    let (here, there) = (net.place("here", 1), net.place("there", 0));
    let (go, come) = (moves(&mut net, "go", here, there), moves(&mut net, "come", there, here));
    for n in 0..100 {
        moves(&mut net, &format!("t{n}"), here, here);
    }
    let mut engine = Engine::new(Arc::new(net.build().expect("a sound net")), 1);
    engine.keep(1_000);
    let first = told(&engine);
    for _ in 0..1_000 {
        engine.fire(go).expect("enabled");
        engine.fire(come).expect("enabled");
    }
    assert!((100..1_000).contains(&engine.kept()), "{}", engine.kept());
    while engine.back().is_some() {}
    assert_eq!(told(&engine).0, first.0);
}

#[test]
fn an_injection_is_taken_back_like_a_firing() {
    let mut engine = Engine::new(own("dining-philosophers"), 3);
    engine.keep(10);
    engine.run(u64::MAX);
    let fork = engine.net().place_by_id("fork1").expect("there");
    engine.inject(fork, 2).expect("fits");
    assert!(!engine.is_dead());
    assert_eq!(engine.back(), Some(TakenBack::Injected { place: fork, tokens: 2 }));
    assert!(engine.is_dead());
}

#[test]
fn firings_taken_back_are_not_told_and_those_forgotten_not_made_up() {
    let (mut told, mut whole) =
        (Engine::new(own("producer-consumer"), 5), Engine::new(own("producer-consumer"), 5));
    told.watch(true);
    told.keep(100);
    told.run(120);
    (0..30).for_each(|_| _ = told.back());
    let fired: Vec<_> = (0..120).map(|_| whole.step()).collect();
    let changes = told.take_changes();
    let expected: Vec<_> = fired[70..90].to_vec();
    assert_eq!(changes.fired.iter().map(|t| Step::Fired(*t)).collect::<Vec<_>>(), expected);
    assert_eq!(changes.skipped, 70, "the last fifty are told, of which thirty are gone");
    (0..10).for_each(|_| _ = told.back());
    assert!(told.take_changes().fired.is_empty(), "what was told before stays told");
}

#[test]
fn a_recording_of_another_net_is_an_error() {
    let mut engine = Engine::new(own("producer-consumer"), 1);
    engine.run(10);
    let recording = engine.recording().expect("short").clone();
    let mut net = NetBuilder::new("dead");
    net.transition("t");
    let p = net.place("p", 0);
    net.input(p, TransitionIx(0), 1);
    let dead = Arc::new(net.build().expect("a sound net"));
    assert_eq!(recording.replay(dead.clone()).err(), Some(ReplayError::Dead { act: 0 }));
    engine.reset();
    assert!(engine.recording().is_some_and(|recording| recording.acts.is_empty()));
    let first = engine.enabled().next().expect("live");
    engine.fire(first).expect("enabled");
    let by_hand = engine.recording().expect("short").clone();
    assert!(matches!(by_hand.replay(dead), Err(ReplayError::Fire { act: 0, .. })));
}

#[test]
fn a_recording_that_became_too_long_is_none() {
    let mut engine = Engine::new(own("producer-consumer"), 1);
    for _ in 0..10_000 {
        engine.inject(PlaceIx(2), 1).expect("fits");
    }
    assert!(engine.recording().is_some());
    engine.run(1);
    assert!(engine.recording().is_none());
    engine.reset();
    assert!(engine.recording().is_some());
}
