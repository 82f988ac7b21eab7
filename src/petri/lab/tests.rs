//! The figures of experiments against those of the Markov chain, and that the seed alone decides them.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Estimate, Experiment, ExperimentError, Goal, Lab, Results, Tally};
use crate::petri::net::{MAX_COUNT, NetBuilder, PetriNet, PlaceIx, TransitionIx};
use crate::petri::pnml::{self, Limits};
use crate::petri::samples::sample;

const SEEDS: u64 = 1_000;
/// Of the thousand intervals of 95 %, so many at least must hold the truth.
const COVERED: usize = 930;

fn own(id: &str) -> Arc<PetriNet> {
    let bytes = sample(id).expect("a sample").pnml.as_bytes();
    Arc::new(pnml::read(bytes, &Limits::default()).expect("reads"))
}

fn results(net: &Arc<PetriNet>, experiment: Experiment) -> Results {
    let mut lab = Lab::new(net.clone(), experiment).expect("a sound experiment");
    lab.advance(u64::MAX, || false);
    assert!(lab.is_done());
    lab.results()
}

/// A net's markings and from each, with equal chances, where a firing leads.
struct Chain {
    markings: Vec<Vec<u64>>,
    next: Vec<Vec<(TransitionIx, usize)>>,
}

impl Chain {
    fn of(net: &PetriNet) -> Self {
        let initial: Vec<u64> = net.places.iter().map(|place| place.initial).collect();
        let (mut numbers, mut markings) = (HashMap::from([(initial.clone(), 0)]), vec![initial]);
        let mut next: Vec<Vec<(TransitionIx, usize)>> = Vec::new();
        while next.len() < markings.len() {
            let marking = markings[next.len()].clone();
            let enabled =
                |&t: &TransitionIx| net.inputs(t).iter().all(|arc| marking[arc.place.index()] >= arc.weight);
            let successors = net.transition_indexes().filter(enabled).map(|t| {
                let mut to = marking.clone();
                net.inputs(t).iter().for_each(|arc| to[arc.place.index()] -= arc.weight);
                net.outputs(t).iter().for_each(|arc| to[arc.place.index()] += arc.weight);
                let number = *numbers.entry(to.clone()).or_insert_with(|| {
                    markings.push(to);
                    markings.len() - 1
                });
                (t, number)
            });
            let successors = successors.collect();
            next.push(successors);
        }
        Self { markings, next }
    }

    /// How many firings it takes to reach a marking of `goal`, in the mean: h = 1 + P h outside the goal, solved.
    fn firings_to(&self, goal: impl Fn(usize) -> bool) -> f64 {
        let n = self.markings.len();
        let mut rows = vec![vec![0.0; n + 1]; n];
        for (from, row) in rows.iter_mut().enumerate() {
            row[from] = 1.0;
            if !goal(from) {
                row[n] = 1.0;
                let chance = 1.0 / self.next[from].len() as f64;
                self.next[from].iter().for_each(|&(_, to)| row[to] -= chance);
            }
        }
        solve(rows)[0]
    }

    /// The mean, over the first `firings` firings, of a figure of the marking before each.
    fn mean_before(&self, firings: usize, figure: impl Fn(usize) -> f64) -> f64 {
        let mut chances = vec![0.0; self.markings.len()];
        chances[0] = 1.0;
        let mut sum = 0.0;
        for _ in 0..firings {
            sum += chances.iter().enumerate().map(|(state, chance)| chance * figure(state)).sum::<f64>();
            let mut after = vec![0.0; chances.len()];
            for (state, chance) in chances.iter().enumerate() {
                let next = &self.next[state];
                next.iter().for_each(|&(_, to)| after[to] += chance / next.len() as f64);
            }
            chances = after;
        }
        sum / firings as f64
    }
}

/// Gauss and Jordan's elimination with pivots.
fn solve(mut rows: Vec<Vec<f64>>) -> Vec<f64> {
    let n = rows.len();
    for column in 0..n {
        let pivot = (column..n).max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()));
        rows.swap(column, pivot.expect("a row"));
        let pivot = rows[column].clone();
        assert!(pivot[column].abs() > 1e-9, "the goal cannot be reached from everywhere");
        for (at, row) in rows.iter_mut().enumerate() {
            let factor = if at == column { 0.0 } else { row[column] / pivot[column] };
            if factor != 0.0 {
                row.iter_mut().zip(&pivot).for_each(|(value, pivot)| *value -= factor * pivot);
            }
        }
    }
    (0..n).map(|row| rows[row][n] / rows[row][row]).collect()
}

/// Runs the experiment with a thousand seeds; of each figure, counts the intervals that hold the truth.
#[track_caller]
fn covers<const N: usize>(
    net: &Arc<PetriNet>,
    experiment: &Experiment,
    truths: [f64; N],
    figures: impl Fn(&Results) -> [Estimate; N],
) {
    let mut covered = [0; N];
    let mut lab = Lab::new(net.clone(), experiment.clone()).expect("a sound experiment");
    for seed in 1..=SEEDS {
        lab.experiment.seed = seed;
        lab.wipe();
        lab.advance(u64::MAX, || false);
        for ((covered, truth), figure) in covered.iter_mut().zip(truths).zip(figures(&lab.results())) {
            let (low, high) = figure.interval.expect("many runs");
            *covered += usize::from(low <= truth && truth <= high);
        }
    }
    println!("covered in {covered:?} of {SEEDS}: {truths:?}");
    assert!(covered.iter().all(|&covered| covered >= COVERED), "{covered:?}");
    // An interval that always holds the truth is wider than it says.
    assert!(covered.iter().all(|&covered| covered < SEEDS as usize), "{covered:?}");
}

#[test]
fn firings_to_a_deadlock_are_those_of_the_markov_chain() {
    let net = own("two-locks");
    let chain = Chain::of(&net);
    let truth = chain.firings_to(|state| chain.next[state].is_empty());
    let experiment = Experiment { goal: Some(Goal::Deadlock), ..Experiment::new(300, 1_000_000, 0) };
    covers(&net, &experiment, [truth], |results| [results.firings_to_goal.expect("all reach it")]);
}

#[test]
fn firings_until_a_place_holds_so_many_are_those_of_the_markov_chain() {
    let net = own("readers-writers");
    let place = net.place_by_id("reading").expect("there");
    let chain = Chain::of(&net);
    let truth = chain.firings_to(|state| chain.markings[state][place.index()] >= 3);
    let goal = Some(Goal::Tokens { place, at_least: 3 });
    let experiment = Experiment { goal, ..Experiment::new(300, 1_000_000, 0) };
    covers(&net, &experiment, [truth], |results| [results.firings_to_goal.expect("all reach it")]);
}

#[test]
fn throughput_and_averages_are_those_of_the_markov_chain() {
    const FIRINGS: u64 = 30;
    let net = own("readers-writers");
    let place = net.place_by_id("reading").expect("there").index();
    let write = net.transition_by_id("write").expect("there");
    let chain = Chain::of(&net);
    let tokens = chain.mean_before(FIRINGS as usize, |state| chain.markings[state][place] as f64);
    let fires = |state: usize| {
        let next = &chain.next[state];
        next.iter().filter(|(t, _)| *t == write).count() as f64 / next.len() as f64
    };
    let throughput = chain.mean_before(FIRINGS as usize, fires);
    covers(&net, &Experiment::new(60, FIRINGS, 0), [tokens, throughput], |results| {
        [results.tokens[place], results.throughput[write.index()]]
    });
}

/// A transition that takes a token here and puts one there.
fn moves(net: &mut NetBuilder, id: &str, from: PlaceIx, to: PlaceIx) -> TransitionIx {
    let t = net.transition(id);
    net.input(from, t, 1);
    net.output(t, to, 1);
    t
}

/// A token that goes to and fro.
fn to_and_fro() -> Arc<PetriNet> {
    let mut net = NetBuilder::new("n");
    let (here, there) = (net.place("here", 1), net.place("there", 0));
    moves(&mut net, "go", here, there);
    moves(&mut net, "come", there, here);
    Arc::new(net.build().expect("a sound net"))
}

#[test]
fn with_rates_time_is_that_of_the_markov_chain() {
    let (net, [go, come], time) = (to_and_fro(), [0.5, 2.0], 8.0);
    // From the equations of two states: the chance of the first at time t is its share plus what is left of the start, e^-(go + come)t.
    let sum: f64 = go + come;
    let share = come / sum;
    let here = share + (1.0 - share) * (1.0 - (-sum * time).exp()) / (sum * time);
    // Each token here goes at its rate.
    let throughput = go * here;
    let experiment =
        Experiment { rates: Some(vec![go, come]), time: Some(time), ..Experiment::new(300, 1_000_000, 0) };
    covers(&net, &experiment, [here, throughput], |results| [results.tokens[0], results.throughput[0]]);
    let goal = Some(Goal::Tokens { place: PlaceIx(1), at_least: 1 });
    let experiment = Experiment { rates: Some(vec![go, come]), goal, ..Experiment::new(200, 10, 0) };
    covers(&net, &experiment, [1.0 / go], |results| [results.time_to_goal.expect("all reach it")]);
}

#[test]
fn with_rates_the_faster_fires_more_often() {
    let mut net = NetBuilder::new("n");
    let p = net.place("p", 1);
    moves(&mut net, "a", p, p);
    moves(&mut net, "b", p, p);
    let net = Arc::new(net.build().expect("a sound net"));
    let experiment = Experiment { rates: Some(vec![1.0, 3.0]), ..Experiment::new(200, 500, 7) };
    let results = results(&net, experiment);
    let [a, b] = [0, 1].map(|t| results.throughput[t].mean.expect("many runs"));
    assert!((a - 1.0).abs() < 0.02 && (b - 3.0).abs() < 0.05, "{a} {b}");
    assert_eq!(
        results.tokens[0].mean,
        Some(1.0),
        "a place that is taken from and given to at once stays as it is"
    );
}

#[test]
fn slices_stops_and_a_restart_change_nothing() {
    let net = own("dining-philosophers");
    let experiment = Experiment {
        goal: Some(Goal::Deadlock),
        rates: Some((1..=net.transitions.len()).map(|n| n as f64).collect()),
        ..Experiment::new(40, 10_000, 9)
    };
    let mut whole = Lab::new(net.clone(), experiment.clone()).expect("sound");
    whole.advance(u64::MAX, || false);
    let mut sliced = Lab::new(net.clone(), experiment.clone()).expect("sound");
    let mut kept = serde_json::to_string(sliced.tally()).expect("writes");
    for slice in 0.. {
        if sliced.is_done() {
            break;
        }
        assert!(sliced.advance(7, || false) <= 7);
        if slice % 50 == 49 {
            // The program ends, another begins.
            kept = serde_json::to_string(sliced.tally()).expect("writes");
            let tally: Tally = serde_json::from_str(&kept).expect("reads");
            sliced = Lab::new(net.clone(), experiment.clone()).expect("sound");
            sliced.resume(tally).expect("its own");
        }
    }
    assert!(kept.len() < 10_000);
    assert_eq!(sliced.tally(), whole.tally());
    assert_eq!(sliced.results(), whole.results());
    assert_eq!(whole.advance(100, || false), 0, "done is done");
    sliced.wipe();
    assert_eq!((sliced.tally().runs, sliced.results().tokens[0].mean), (0, None));
    let mut asked = 0;
    sliced.advance(u64::MAX, || {
        asked += 1;
        asked == 2
    });
    assert!(!sliced.is_done());
    sliced.advance(u64::MAX, || false);
    assert_eq!(sliced.tally(), whole.tally());
    assert!(
        Lab::new(to_and_fro(), Experiment::new(1, 1, 1))
            .expect("sound")
            .resume(whole.tally().clone())
            .is_err()
    );
}

#[test]
fn each_end_of_a_run_is_counted_as_what_it_is() {
    let net = own("two-locks");
    let lock = net.place_by_id("lock1").expect("there");
    let never = Some(Goal::Tokens { place: lock, at_least: 2 });
    let ended = results(&net, Experiment { goal: never, ..Experiment::new(50, 5, 1) });
    assert_eq!((ended.reached.mean, ended.runs), (Some(0.0), 50));
    assert!(ended.dead > 0 && ended.limited > 0 && ended.dead + ended.limited == 50);
    assert_eq!(ended.firings_to_goal, None);
    // At once: there is nothing to take an average of.
    let at_once = Some(Goal::Tokens { place: lock, at_least: 1 });
    let ended = results(&net, Experiment { goal: at_once, ..Experiment::new(10, 5, 1) });
    assert_eq!((ended.reached.mean, ended.tokens[0].mean), (Some(1.0), None));
    assert_eq!(ended.firings_to_goal.and_then(|firings| firings.mean), Some(0.0));
    let mut full = NetBuilder::new("full");
    let (p, t) = (full.place("p", MAX_COUNT), full.transition("t"));
    full.output(t, p, 1);
    let full = Arc::new(full.build().expect("a sound net"));
    assert_eq!(results(&full, Experiment::new(3, 5, 1)).overflowed, 3);
    assert_eq!(
        results(&full, Experiment { rates: Some(vec![1.0]), ..Experiment::new(3, 5, 1) }).overflowed,
        3
    );
}

#[test]
fn a_warm_up_is_left_out() {
    // The first firing takes the token away for good; then nothing is there any more.
    let mut net = NetBuilder::new("n");
    let (p, q) = (net.place("p", 1), net.place("q", 0));
    moves(&mut net, "first", p, q);
    moves(&mut net, "on", q, q);
    let net = Arc::new(net.build().expect("a sound net"));
    let cold = results(&net, Experiment::new(2, 10, 1));
    let warm = results(&net, Experiment { warm_up: 1, ..Experiment::new(2, 10, 1) });
    assert_eq!((cold.tokens[0].mean, cold.throughput[0].mean), (Some(0.1), Some(0.1)));
    assert_eq!(
        (warm.tokens[0].mean, warm.throughput[0].mean, warm.throughput[1].mean),
        (Some(0.0), Some(0.0), Some(1.0))
    );
}

#[test]
fn what_cannot_be_tried_is_refused() {
    let net = to_and_fro();
    let refused = |experiment: Experiment| Lab::new(net.clone(), experiment).expect_err("must be refused");
    let sound = Experiment::new(10, 10, 1);
    assert!(matches!(refused(Experiment { runs: 0, ..sound.clone() }), ExperimentError::Runs { .. }));
    assert!(matches!(refused(Experiment { firings: 0, ..sound.clone() }), ExperimentError::Firings { .. }));
    assert!(matches!(refused(Experiment { warm_up: 10, ..sound.clone() }), ExperimentError::WarmUp { .. }));
    let nowhere = Some(Goal::Tokens { place: PlaceIx(2), at_least: 1 });
    assert!(matches!(
        refused(Experiment { goal: nowhere, ..sound.clone() }),
        ExperimentError::NoSuchPlace(_)
    ));
    let rates = |rates: &[f64]| Experiment { rates: Some(rates.to_vec()), ..sound.clone() };
    assert!(matches!(refused(rates(&[1.0])), ExperimentError::RateCount { given: 1, wanted: 2 }));
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(refused(rates(&[1.0, wrong])), ExperimentError::Rate { transition: 1, .. }));
    }
    assert_eq!(refused(Experiment { time: Some(1.0), ..sound.clone() }), ExperimentError::TimeWithoutRates);
    assert_eq!(refused(Experiment { time: Some(0.0), ..rates(&[1.0, 1.0]) }), ExperimentError::Time(0.0));
}
