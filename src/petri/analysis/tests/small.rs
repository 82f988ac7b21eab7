//! Nets small enough to know the answers by heart.

use std::cell::Cell;
use std::time::Duration;

use super::{naive, net, replay};
use crate::petri::analysis::invariants::incidence;
use crate::petri::analysis::packing::Packing;
use crate::petri::analysis::verdict::Verdict;
use crate::petri::analysis::walk::{Wanted, Witnesses};
use crate::petri::analysis::{Budget, Resource, analyse, analyse_up_to, siphon};
use crate::petri::generate::Family;
use crate::petri::net::{MAX_COUNT, PetriNet};

const MEMORY: usize = 64 << 20;

fn whole(net: &PetriNet) -> crate::petri::analysis::Report {
    analyse(net, &Budget::of_memory(MEMORY))
}

/// Two processes that take two locks in opposite order.
fn two_locks() -> PetriNet {
    net(
        &[1, 1, 1, 0, 1, 0],
        &[
            (&[(2, 1), (0, 1)], &[(3, 1)]),
            (&[(3, 1), (1, 1)], &[(2, 1), (0, 1), (1, 1)]),
            (&[(4, 1), (1, 1)], &[(5, 1)]),
            (&[(5, 1), (0, 1)], &[(4, 1), (0, 1), (1, 1)]),
        ],
    )
}

#[test]
fn two_locks_deadlock_after_two_firings_and_the_path_replays() {
    let net = two_locks();
    let report = whole(&net);
    assert_eq!(report.verdicts.deadlock, Verdict::Decided(true));
    assert_eq!(report.verdicts.live, Verdict::Decided(false));
    assert_eq!(report.verdicts.quasi_live, Verdict::Decided(true));
    assert_eq!(report.verdicts.one_safe, Verdict::Decided(true));
    assert_eq!(report.verdicts.states, Verdict::Decided(4));
    let path = report.deadlock_path.expect("a path");
    assert_eq!(path.len(), 2);
    let end = replay(&net, &path);
    assert!(net.transition_indexes().all(|t| naive::fire(&net, &end, t).is_none()));
}

#[test]
fn a_place_that_grows_for_ever_is_found_and_decides_what_it_can() {
    // A cycle that leaves a token behind with each round.
    let net = net(&[1, 0, 0], &[(&[(0, 1)], &[(1, 1)]), (&[(1, 1)], &[(0, 1), (2, 1)])]);
    let report = whole(&net);
    assert_eq!(report.unbounded.map(|place| place.index()), Some(2));
    assert_eq!(report.verdicts.states, Verdict::NOT_DECIDED);
    assert_eq!(report.verdicts.edges, Verdict::NOT_DECIDED);
    assert_eq!(report.verdicts.max_tokens_in_place, Verdict::NOT_DECIDED);
    assert_eq!(report.verdicts.one_safe, Verdict::Decided(false));
    assert_eq!(report.verdicts.quasi_live, Verdict::Decided(true));
    assert_eq!(report.hit, None);
}

#[test]
fn a_source_makes_a_net_unbounded_and_free_of_deadlock() {
    let report = whole(&net(&[0], &[(&[], &[(0, 1)])]));
    assert!(report.unbounded.is_some());
    assert_eq!(report.verdicts.deadlock, Verdict::Decided(false));
    assert_eq!(report.verdicts.one_safe, Verdict::Decided(false));
}

#[test]
fn a_net_that_grows_for_ever_and_can_die_is_found_to_do_both() {
    // A cycle that leaves a token behind with each round, and a way out of it that only three of those tokens open.
    let net = net(
        &[1, 0, 0, 0],
        &[(&[(0, 1)], &[(1, 1)]), (&[(1, 1)], &[(0, 1), (2, 1)]), (&[(0, 1), (2, 3)], &[(3, 1)])],
    );
    let report = whole(&net);
    assert_eq!(report.unbounded.map(|place| place.index()), Some(2));
    assert_eq!(report.verdicts.deadlock, Verdict::Decided(true));
    assert_eq!(report.verdicts.quasi_live, Verdict::Decided(true));
    assert_eq!(report.verdicts.live, Verdict::Decided(false));
    let end = replay(&net, &report.deadlock_path.expect("a path"));
    assert!(net.transition_indexes().all(|t| naive::fire(&net, &end, t).is_none()));
}

#[test]
fn walks_see_every_transition_of_a_thousand_philosophers_fire_and_the_deadlock() {
    let net = Family::Philosophers.net(1_000);
    let mut witnesses = Witnesses::of(&net);
    let wanted = Wanted { deadlock: true, firings: true, in_place: None, in_all: None, unbounded: false };
    witnesses.search(&net, &incidence(&net), &wanted, 7, &Budget::of_memory(MEMORY).end());
    assert!(witnesses.all_fired());
    let end = replay(&net, &witnesses.deadlock.expect("a path"));
    assert!(net.transition_indexes().all(|t| naive::fire(&net, &end, t).is_none()));
}

#[test]
fn a_net_with_no_transitions_is_one_dead_marking() {
    let report = whole(&net(&[3, 0], &[]));
    assert_eq!(report.verdicts.states, Verdict::Decided(1));
    assert_eq!(report.verdicts.edges, Verdict::Decided(0));
    assert_eq!(report.verdicts.deadlock, Verdict::Decided(true));
    assert_eq!(report.verdicts.max_tokens_per_marking, Verdict::Decided(3));
    assert_eq!(report.deadlock_path.map(|path| path.len()), Some(0));
}

#[test]
fn a_transition_that_never_fires_is_named() {
    let report =
        whole(&net(&[1, 0, 0], &[(&[(0, 1)], &[(1, 1)]), (&[(1, 1)], &[(0, 1)]), (&[(2, 1)], &[(0, 1)])]));
    assert_eq!(report.verdicts.quasi_live, Verdict::Decided(false));
    assert_eq!(report.verdicts.live, Verdict::Decided(false));
    assert_eq!(
        report.dead_transitions.map(|dead| dead.iter().map(|t| t.0).collect::<Vec<_>>()),
        Some(vec![2])
    );
}

#[test]
fn huge_counts_are_counted_exactly_until_they_are_too_many() {
    // All tokens at once, there and back.
    let swap = net(
        &[MAX_COUNT, 0],
        &[(&[(0, MAX_COUNT)], &[(1, MAX_COUNT)]), (&[(1, MAX_COUNT)], &[(0, MAX_COUNT)])],
    );
    let report = whole(&swap);
    assert_eq!(report.verdicts.states, Verdict::Decided(2));
    assert_eq!(report.verdicts.max_tokens_in_place, Verdict::Decided(MAX_COUNT));
    assert_eq!(report.verdicts.live, Verdict::Decided(true));
    // Nine rounds of adding as much as may be: no figure for what is beyond the range.
    let report = whole(&net(&[0, 9], &[(&[(1, 1)], &[(0, MAX_COUNT)])]));
    assert!(report.too_many_tokens);
    assert_eq!(report.verdicts.states, Verdict::NOT_DECIDED);
    assert_eq!(report.verdicts.one_safe, Verdict::Decided(false));
    assert_eq!(report.verdicts.quasi_live, Verdict::Decided(true));
}

#[test]
fn places_outgrow_their_fields_and_no_marking_is_lost() {
    // One place pours into the next, seven for one, and no semiflow bounds it: the sink takes five at a time.
    let net = net(&[40, 0], &[(&[(0, 1)], &[(1, 7)]), (&[(1, 5)], &[])]);
    let report = analyse_up_to(&net, &Budget::of_memory(MEMORY), u64::MAX, u64::MAX);
    let truth = naive::answers(&net, 100_000).expect("a finite net");
    assert_eq!(report.verdicts.states, Verdict::Decided(truth.states));
    assert_eq!(report.verdicts.edges, Verdict::Decided(truth.edges));
    assert_eq!(report.verdicts.max_tokens_in_place, Verdict::Decided(280));
}

#[test]
fn packed_markings_fire_as_plain_ones_do() {
    let net =
        net(&[3, 1, 0, 9], &[(&[(0, 2), (3, 4)], &[(1, 1), (2, 3)]), (&[(1, 1), (2, 1)], &[(2, 1), (0, 5)])]);
    let bits = Packing::initial_bits(&net);
    let packing = Packing::new(&net, &bits, &[false; 4]);
    let mut from = vec![0; packing.words()];
    packing.pack([3, 1, 0, 9].into_iter(), &mut from);
    let mut to = from.clone();
    assert!(packing.is_enabled::<0>(&from, 0) && !packing.is_enabled::<0>(&from, 1));
    assert!(packing.fire::<0>(&from, 0, &mut to) || packing.outgrown(&to).is_some());
    assert_eq!(packing.unpack_wide(&to).collect::<Vec<_>>(), [1, 2, 3, 5]);
}

/// A ring of cells, each with a token that may go round: many markings.
fn ring(cells: u32) -> PetriNet {
    let moves: Vec<_> = (0..cells).map(|cell| ([(cell, 1)], [((cell + 1) % cells, 1)])).collect();
    let moves: Vec<super::Move<'_>> = moves.iter().map(|(from, to)| (&from[..], &to[..])).collect();
    net(&vec![1; cells as usize], &moves)
}

#[test]
fn time_that_ran_out_is_reported_and_what_was_seen_still_decides() {
    // The clock is asked a few times before it strikes.
    let asked = Cell::new(0);
    let elapsed = || {
        asked.set(asked.get() + 1);
        Duration::from_millis(asked.get() * 20)
    };
    let report =
        analyse(&ring(14), &Budget { time: Duration::from_secs(1), memory: MEMORY, elapsed: &elapsed });
    assert_eq!(report.hit, Some(Resource::Time));
    assert_eq!(report.verdicts.states, Verdict::NOT_DECIDED);
    assert_eq!(report.verdicts.one_safe, Verdict::Decided(false));
    assert!(asked.get() < 2_000, "the clock was not heeded");
}

#[test]
fn memory_that_ran_out_is_reported_and_never_exceeded() {
    let limit = 2 << 20;
    let report = analyse(&ring(12), &Budget::of_memory(limit));
    assert_eq!(report.hit, Some(Resource::Memory));
    assert_eq!(report.verdicts.states, Verdict::NOT_DECIDED);
    assert!(report.explored.bytes <= limit as u64, "{} bytes", report.explored.bytes);
    // The structure still tells: a ring of one siphon that is a marked trap is live, and all tokens may meet.
    assert_eq!(report.verdicts.deadlock, Verdict::Decided(false));
    assert_eq!(report.verdicts.live, Verdict::Decided(true));
    assert_eq!(report.verdicts.max_tokens_per_marking, Verdict::Decided(12));
}

#[test]
fn siphons_prove_a_marked_ring_live_and_say_nothing_of_two_locks() {
    let budget = Budget::of_memory(MEMORY);
    let proof = siphon::prove(&ring(5), &budget.end()).expect("a proof");
    assert!(proof.no_deadlock && proof.live);
    assert_eq!(siphon::prove(&two_locks(), &budget.end()), None);
}

#[test]
fn the_invariants_of_two_locks_are_its_processes_and_its_locks() {
    let report = whole(&two_locks());
    let mut supports: Vec<Vec<u32>> = report
        .place_invariants
        .semiflows
        .iter()
        .map(|weights| weights.iter().map(|&(place, _)| place).collect())
        .collect();
    supports.sort();
    assert!(report.place_invariants.complete);
    // Lock 0 is free or held by the first process; the second holds it only within one firing. Likewise the other.
    assert_eq!(supports, [vec![0, 3], vec![1, 5], vec![2, 3], vec![4, 5]]);
    assert_eq!(report.place_invariants.basis.map(|basis| basis.len()), Some(4));
}
