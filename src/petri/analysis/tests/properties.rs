//! Random small nets: all that is said of them is what the naive explorer finds.

use proptest::prelude::*;

use super::naive::{self, Answers};
use super::replay;
use crate::petri::analysis::invariants::{self, Weights};
use crate::petri::analysis::verdict::Verdict;
use crate::petri::analysis::{Budget, Report, analyse, analyse_up_to};
use crate::petri::net::{NetBuilder, PetriNet, PlaceIx};

const MEMORY: usize = 64 << 20;
/// Markings that the naive explorer takes on.
const LIMIT: usize = 600;

prop_compose! {
    fn nets()(places in 1..6usize, transitions in 1..6usize)(
        initial in prop::collection::vec(prop_oneof![3 => Just(0u64), 3 => Just(1u64), 1 => 2..5u64], places),
        moves in prop::collection::vec(
            (prop::collection::vec((0..places as u32, weight()), 0..4), prop::collection::vec((0..places as u32, weight()), 0..3)),
            transitions,
        ),
    ) -> PetriNet {
        let mut builder = NetBuilder::new("random");
        for (nth, tokens) in initial.into_iter().enumerate() {
            builder.place(&format!("p{nth}"), tokens);
        }
        for (nth, (inputs, outputs)) in moves.into_iter().enumerate() {
            let t = builder.transition(&format!("t{nth}"));
            inputs.into_iter().for_each(|(place, weight)| builder.input(PlaceIx(place), t, weight));
            outputs.into_iter().for_each(|(place, weight)| builder.output(t, PlaceIx(place), weight));
        }
        builder.build().expect("a sound net")
    }
}

fn weight() -> impl Strategy<Value = u64> {
    prop_oneof![8 => Just(1u64), 1 => Just(2u64), 1 => Just(3u64)]
}

/// Nothing that is decided differs from the truth.
fn agrees(report: &Report, truth: &Answers) -> Result<(), TestCaseError> {
    fn same<T: PartialEq + std::fmt::Debug>(
        name: &str,
        said: &Verdict<T>,
        truth: &T,
    ) -> Result<(), TestCaseError> {
        prop_assert!(said.value().is_none_or(|said| said == truth), "{name}: said {said:?}, is {truth:?}");
        Ok(())
    }
    let said = &report.verdicts;
    same("states", &said.states, &truth.states)?;
    same("edges", &said.edges, &truth.edges)?;
    same("max_tokens_in_place", &said.max_tokens_in_place, &truth.max_tokens_in_place)?;
    same("max_tokens_per_marking", &said.max_tokens_per_marking, &truth.max_tokens_per_marking)?;
    same("deadlock", &said.deadlock, &truth.deadlock)?;
    same("one_safe", &said.one_safe, &truth.one_safe)?;
    same("quasi_live", &said.quasi_live, &truth.quasi_live)?;
    same("live", &said.live, &truth.live)?;
    prop_assert!(report.unbounded.is_none(), "a finite net was called unbounded");
    Ok(())
}

fn path_leads_to_deadlock(net: &PetriNet, report: &Report) -> Result<(), TestCaseError> {
    if let Some(path) = &report.deadlock_path {
        let end = replay(net, path);
        let stuck = net.transition_indexes().all(|t| naive::fire(net, &end, t).is_none());
        prop_assert!(stuck, "the path ends in a marking that is not dead");
    }
    Ok(())
}

fn weighted(weights: &Weights, marking: &[u64]) -> i64 {
    weights.iter().map(|&(place, weight)| weight * marking[place as usize] as i64).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn a_complete_analysis_says_what_the_naive_explorer_finds(net in nets()) {
        let Some(truth) = naive::answers(&net, LIMIT) else { return Ok(()) };
        let report = analyse(&net, &Budget::of_memory(MEMORY));
        prop_assert_eq!(report.verdicts.decided(), 8);
        agrees(&report, &truth)?;
        prop_assert_eq!(report.deadlock_path.is_some(), truth.deadlock);
        path_leads_to_deadlock(&net, &report)?;
    }

    #[test]
    fn what_is_said_without_exploring_is_never_wrong(net in nets()) {
        let Some(truth) = naive::answers(&net, LIMIT) else { return Ok(()) };
        let report = analyse_up_to(&net, &Budget::of_memory(MEMORY), 0, 0);
        prop_assert!(!report.verdicts.states.is_decided());
        // The reduced state space of a finite net is explored to its end.
        prop_assert!(report.verdicts.deadlock.is_decided());
        agrees(&report, &truth)?;
        path_leads_to_deadlock(&net, &report)?;
    }

    #[test]
    fn what_is_said_after_a_few_markings_is_never_wrong(net in nets(), markings in 1..30u64) {
        let Some(truth) = naive::answers(&net, LIMIT) else { return Ok(()) };
        let report = analyse_up_to(&net, &Budget::of_memory(MEMORY), markings, markings * 2);
        agrees(&report, &truth)?;
        path_leads_to_deadlock(&net, &report)?;
    }

    #[test]
    fn place_invariants_hold_along_every_run(net in nets(), picks in prop::collection::vec(0..64usize, 60)) {
        let found = invariants::of_places(&net, MEMORY, &Budget::of_memory(MEMORY).end());
        let basis = found.basis.clone().expect("a basis of a small net");
        let mut marking = naive::initial(&net);
        let sums = |marking: &[u64]| -> Vec<i64> {
            found.semiflows.iter().chain(&basis).map(|weights| weighted(weights, marking)).collect()
        };
        let before = sums(&marking);
        for pick in picks {
            let enabled: Vec<_> = net.transition_indexes().filter_map(|t| naive::fire(&net, &marking, t)).collect();
            if enabled.is_empty() {
                break;
            }
            marking = enabled[pick % enabled.len()].clone();
            prop_assert_eq!(&sums(&marking), &before);
        }
    }

    #[test]
    fn transition_invariants_change_no_place(net in nets()) {
        let found = invariants::of_transitions(&net, MEMORY, &Budget::of_memory(MEMORY).end());
        let effects = invariants::incidence(&net);
        for counts in found.semiflows.iter().chain(found.basis.iter().flatten()) {
            let mut change = vec![0i64; net.places.len()];
            for &(t, count) in counts {
                effects[t as usize].iter().for_each(|&(place, delta)| change[place as usize] += count * delta);
            }
            prop_assert!(change.iter().all(|&change| change == 0));
        }
        prop_assert!(found.semiflows.iter().flatten().all(|&(_, count)| count > 0));
    }

    #[test]
    fn a_net_with_an_unbounded_place_is_never_called_finite(net in nets()) {
        // So many markings of so small a net are mostly infinitely many; whichever they are, the limits hold.
        if naive::answers(&net, LIMIT).is_none() {
            let report = analyse_up_to(&net, &Budget::of_memory(4 << 20), 2_000, 4_000);
            if report.unbounded.is_some() {
                prop_assert!(!report.verdicts.states.is_decided());
                prop_assert_eq!(report.verdicts.one_safe.value(), Some(&false));
            }
            path_leads_to_deadlock(&net, &report)?;
        }
    }
}
