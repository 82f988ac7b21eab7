//! What the engine promises: enabledness, replay, atomic firings, deadness, changes.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::read;
use crate::petri::engine::{Engine, FireError, InjectError, RunEnd, Step};
use crate::petri::net::{MAX_COUNT, NetBuilder, PetriNet, PlaceIx, TransitionIx};
use crate::petri::samples::sample;

/// The definition of enabledness, straight from the arcs.
fn enabled_by_definition(net: &PetriNet, tokens: &[u64]) -> Vec<TransitionIx> {
    let has_all = |&t: &TransitionIx| net.inputs(t).iter().all(|arc| tokens[arc.place.index()] >= arc.weight);
    net.transition_indexes().filter(has_all).collect()
}

fn enabled(engine: &Engine) -> Vec<TransitionIx> {
    let mut enabled: Vec<_> = engine.enabled().collect();
    enabled.sort();
    enabled
}

pub(super) fn own(id: &str) -> Arc<PetriNet> {
    Arc::new(read(sample(id).expect("a sample").pnml).expect("reads"))
}

pub(super) fn any_net() -> impl Strategy<Value = Arc<PetriNet>> {
    let arc = (any::<bool>(), 0u32..8, 0u32..8, 1u64..4);
    (prop::collection::vec(0u64..5, 1..8), 1u32..8, prop::collection::vec(arc, 0..40)).prop_map(
        |(initial, transitions, arcs)| {
            let mut net = NetBuilder::new("any");
            let places: Vec<_> =
                initial.iter().enumerate().map(|(ix, &n)| net.place(&format!("p{ix}"), n)).collect();
            let transitions: Vec<_> = (0..transitions).map(|ix| net.transition(&format!("t{ix}"))).collect();
            for (input, p, t, weight) in arcs {
                let (p, t) = (places[p as usize % places.len()], transitions[t as usize % transitions.len()]);
                if input { net.input(p, t, weight) } else { net.output(t, p, weight) }
            }
            Arc::new(net.build().expect("valid"))
        },
    )
}

#[derive(Clone, Debug)]
pub(super) enum Act {
    Step,
    Run(u64),
    Fire(u32),
    Inject(u32, u64),
    Reset,
    /// So many steps back, as far as they are kept.
    Back(u32),
}

pub(super) fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Step),
        2 => (0u64..20).prop_map(Act::Run),
        4 => (0u32..8).prop_map(Act::Fire),
        2 => (0u32..8, 0u64..4).prop_map(|(p, n)| Act::Inject(p, n)),
        1 => Just(Act::Reset),
        2 => (1u32..25).prop_map(Act::Back),
    ]
}

pub(super) fn act(engine: &mut Engine, act: &Act) {
    let net = engine.net().clone();
    match *act {
        Act::Step => _ = engine.step(),
        Act::Run(n) => _ = engine.run(n),
        Act::Fire(t) => _ = engine.fire(TransitionIx(t % net.transitions.len() as u32)),
        Act::Inject(p, n) => _ = engine.inject(PlaceIx(p % net.places.len() as u32), n),
        Act::Reset => engine.reset(),
        Act::Back(n) => (0..n).for_each(|_| _ = engine.back()),
    }
}

proptest! {
    #[test]
    fn kept_enabledness_is_the_defined_one(net in any_net(), acts in prop::collection::vec(any_act(), 0..60), seed: u64) {
        let mut engine = Engine::new(net.clone(), seed);
        engine.keep(20);
        prop_assert_eq!(enabled(&engine), enabled_by_definition(&net, engine.marking().as_slice()));
        for next in &acts {
            act(&mut engine, next);
            prop_assert_eq!(enabled(&engine), enabled_by_definition(&net, engine.marking().as_slice()));
            prop_assert_eq!(engine.is_dead(), engine.enabled_count() == 0);
            prop_assert_eq!(engine.fired().iter().sum::<u64>(), engine.total_fired());
        }
    }

    #[test]
    fn a_run_is_replayed_from_its_seed(net in any_net(), acts in prop::collection::vec(any_act(), 0..40), seed: u64) {
        let (mut one, mut two) = (Engine::new(net.clone(), seed), Engine::new(net, seed));
        two.watch(true);
        one.keep(20);
        two.keep(20);
        for next in &acts {
            act(&mut one, next);
            act(&mut two, next);
        }
        prop_assert_eq!(one.marking(), two.marking());
        prop_assert_eq!(one.fired(), two.fired());
        prop_assert_eq!(one.step(), two.step());
    }

    #[test]
    fn a_watcher_of_changes_knows_the_net(net in any_net(), acts in prop::collection::vec(any_act(), 0..40), seed: u64) {
        let mut engine = Engine::new(net, seed);
        engine.watch(true);
        engine.keep(20);
        let mut tokens = engine.marking().as_slice().to_vec();
        let mut able: BTreeSet<TransitionIx> = engine.enabled().collect();
        for next in &acts {
            let before = engine.total_fired();
            act(&mut engine, next);
            let changes = engine.take_changes();
            let places: BTreeSet<_> = changes.tokens.iter().map(|(p, _)| *p).collect();
            prop_assert_eq!(places.len(), changes.tokens.len(), "each place once");
            changes.tokens.iter().for_each(|&(p, n)| tokens[p.index()] = n);
            prop_assert!(changes.enabled.iter().all(|t| able.insert(*t)));
            prop_assert!(changes.disabled.iter().all(|t| able.remove(t)));
            prop_assert_eq!(&tokens[..], engine.marking().as_slice());
            prop_assert_eq!(able.iter().copied().collect::<Vec<_>>(), enabled(&engine));
            let fired = engine.total_fired().saturating_sub(before);
            prop_assert_eq!(changes.skipped + changes.fired.len() as u64, fired);
        }
        prop_assert!(engine.take_changes().is_empty());
    }

    #[test]
    fn a_firing_moves_what_its_arcs_say(net in any_net(), seed: u64) {
        let mut engine = Engine::new(net.clone(), seed);
        for _ in 0..30 {
            let mut tokens = engine.marking().as_slice().to_vec();
            let Step::Fired(t) = engine.step() else { break };
            net.inputs(t).iter().for_each(|arc| tokens[arc.place.index()] -= arc.weight);
            net.outputs(t).iter().for_each(|arc| tokens[arc.place.index()] += arc.weight);
            prop_assert_eq!(&tokens[..], engine.marking().as_slice());
        }
    }
}

#[test]
fn reset_replays_the_same_run() {
    let mut engine = Engine::new(own("producer-consumer"), 7);
    let first: Vec<Step> = (0..200).map(|_| engine.step()).collect();
    engine.reset();
    assert_eq!(engine.total_fired(), 0);
    let second: Vec<Step> = (0..200).map(|_| engine.step()).collect();
    assert_eq!(first, second);
}

/// The promise of the module's head: if this fails, old seeds no longer replay.
#[test]
fn the_firings_of_a_seed_never_change() {
    let net = own("producer-consumer");
    let mut engine = Engine::new(net.clone(), 1);
    let fired: Vec<&str> = (0..12)
        .map(|_| match engine.step() {
            Step::Fired(t) => net.transitions[t.index()].id.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(fired, GOLDEN);
}

const GOLDEN: [&str; 12] = [
    "produce", "put", "produce", "put", "produce", "put", "produce", "put", "fetch", "produce", "put",
    "consume",
];

#[test]
fn philosophers_starve_and_the_buffer_never_does() {
    let mut philosophers = Engine::new(own("dining-philosophers"), 3);
    let outcome = philosophers.run(1_000_000);
    assert_eq!(outcome.end, RunEnd::Dead);
    assert!(philosophers.is_dead());
    assert_eq!(philosophers.step(), Step::Dead);
    let outcome = Engine::new(own("producer-consumer"), 3).run(100_000);
    assert_eq!((outcome.fired, outcome.end), (100_000, RunEnd::Limit));
}

#[test]
fn tokens_from_outside_revive_a_dead_net() {
    let mut engine = Engine::new(own("dining-philosophers"), 3);
    engine.run(u64::MAX);
    let fork = engine.net().place_by_id("fork1").expect("there");
    engine.inject(fork, 1).expect("fits");
    assert!(!engine.is_dead());
    assert!(matches!(engine.step(), Step::Fired(_)));
}

#[test]
fn a_firing_that_overflows_changes_nothing() {
    let mut net = NetBuilder::new("n");
    let (a, b, c) = (net.place("a", 1), net.place("b", 0), net.place("c", 0));
    let t = net.transition("t");
    net.input(a, t, 1);
    net.output(t, b, 1);
    net.output(t, c, 2);
    let mut engine = Engine::new(Arc::new(net.build().expect("valid")), 0);
    engine.inject(c, MAX_COUNT - 1).expect("fits");
    assert_eq!(engine.inject(c, u64::MAX), Err(InjectError::Overflow(c)));
    assert_eq!(engine.inject(c, 2), Err(InjectError::Overflow(c)));
    assert_eq!(engine.fire(t), Err(FireError::Overflow { transition: t, place: c }));
    assert_eq!(engine.step(), Step::Overflow { transition: t, place: c });
    assert_eq!(engine.run(5).end, RunEnd::Overflow { transition: t, place: c });
    assert_eq!(engine.marking().as_slice(), [1, 0, MAX_COUNT - 1]);
    assert_eq!((engine.total_fired(), enabled(&engine)), (0, vec![t]));
    assert_eq!(engine.marking().total(), MAX_COUNT);
}

#[test]
fn a_self_loop_needs_its_tokens_and_keeps_them() {
    let mut net = NetBuilder::new("n");
    let p = net.place("p", 1);
    let t = net.transition("t");
    net.input(p, t, 2);
    net.output(t, p, 2);
    let mut engine = Engine::new(Arc::new(net.build().expect("valid")), 0);
    assert_eq!(engine.fire(t), Err(FireError::NotEnabled(t)));
    engine.inject(p, 1).expect("fits");
    assert_eq!(engine.run(10).fired, 10);
    assert_eq!(engine.marking().as_slice(), [2]);
}

#[test]
fn what_the_net_does_not_have_is_an_error() {
    let mut engine = Engine::new(own("producer-consumer"), 0);
    assert_eq!(engine.fire(TransitionIx(99)), Err(FireError::Unknown(TransitionIx(99))));
    assert_eq!(engine.inject(PlaceIx(99), 1), Err(InjectError::Unknown(PlaceIx(99))));
    assert!(engine.take_changes().is_empty(), "nobody watches");
}

#[test]
fn picks_are_uniform() {
    let mut net = NetBuilder::new("n");
    let p = net.place("p", 1);
    for ix in 0..5 {
        let t = net.transition(&format!("t{ix}"));
        net.input(p, t, 1);
        net.output(t, p, 1);
    }
    let mut engine = Engine::new(Arc::new(net.build().expect("valid")), 11);
    engine.run(100_000);
    // Binomial with mean 20,000 and standard deviation 126: five of them either way.
    assert!(engine.fired().iter().all(|n| n.abs_diff(20_000) < 640), "{:?}", engine.fired());
}

#[test]
fn the_last_firings_are_told_and_the_others_counted() {
    let (mut told, mut whole) =
        (Engine::new(own("producer-consumer"), 5), Engine::new(own("producer-consumer"), 5));
    told.watch(true);
    told.run(120);
    let fired: Vec<TransitionIx> = (0..120)
        .map(|_| match whole.step() {
            Step::Fired(t) => t,
            other => panic!("{other:?}"),
        })
        .collect();
    let changes = told.take_changes();
    assert_eq!((&changes.fired[..], changes.skipped), (&fired[70..], 70));
}
