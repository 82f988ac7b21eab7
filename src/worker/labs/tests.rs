//! Labs by their rules: what is counted does not depend on how the work was cut, and nobody waits for anybody.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{Labs, Runner, priority};
use crate::model::lab::LABS_ON_A_WORKER;
use crate::model::{LabGoal, LabId, LabPlan, LabProgress, LabState, NetId};
use crate::petri::analysis::{Budget, Resource, analyse};
use crate::petri::generate::Family;
use crate::petri::lab::{Experiment, Goal, Lab, Results};
use crate::petri::pnml::{self, Limits};
use crate::petri::samples::sample;
use crate::petri::{NetReport, PetriNet};
use crate::worker::hub::Hub;
use crate::worker::protocol::{HostedLab, LabResults, NewLab};
use crate::worker::refusal::Refusal;

fn labs() -> Labs {
    Labs::new(Hub::new(), Arc::new(Runner::new()))
}

fn id(n: u128) -> LabId {
    LabId(Uuid::from_u128(n))
}

fn new(n: u128, plan: LabPlan, pnml: &str) -> NewLab {
    NewLab { id: id(n), net_id: NetId(Uuid::nil()), plan, pnml: pnml.to_string() }
}

fn live() -> &'static str {
    sample("readers-writers").expect("a sample").pnml
}

fn read(pnml: &str) -> PetriNet {
    pnml::read(pnml.as_bytes(), &Limits::default()).expect("reads")
}

fn monte_carlo(runs: u64, firings: u64) -> LabPlan {
    LabPlan::MonteCarlo {
        runs,
        firings,
        seed: 11,
        goal: Some(LabGoal::Tokens { place: "reading".to_string(), at_least: 1_000 }),
        warm_up: 5,
        rates: Default::default(),
        time: None,
    }
}

/// More than anybody waits for.
fn endless() -> LabPlan {
    monte_carlo(10_000_000, 1_000)
}

/// The figures of [`monte_carlo`] without a worker.
fn figures(runs: u64, firings: u64) -> Results {
    let net = Arc::new(read(live()));
    let place = net.place_by_id("reading").expect("there");
    let goal = Some(Goal::Tokens { place, at_least: 1_000 });
    let mut lab = Lab::new(net, Experiment { goal, warm_up: 5, ..Experiment::new(runs, firings, 11) })
        .expect("a sound experiment");
    lab.advance(u64::MAX, || false);
    lab.results()
}

fn of(labs: &Labs, n: u128) -> HostedLab {
    labs.describe().into_iter().find(|lab| lab.id == id(n)).expect("it is there")
}

fn states(labs: &Labs) -> Vec<LabState> {
    labs.describe().iter().map(|lab| lab.state).collect()
}

fn results(labs: &Labs, n: u128) -> Results {
    match labs.results(id(n)) {
        Ok(LabResults::MonteCarlo { results }) => results,
        other => panic!("{other:?}"),
    }
}

fn report(labs: &Labs, n: u128) -> Option<Box<NetReport>> {
    match labs.results(id(n)) {
        Ok(LabResults::Explore { report }) => report,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn however_often_it_is_stopped_the_figures_are_those_of_one_go() {
    let labs = labs();
    labs.make(new(1, monte_carlo(60, 2_000), live())).expect("makes");
    let mut stops = 0;
    while of(&labs, 1).state != LabState::Done {
        let before = of(&labs, 1).progress.runs;
        labs.start(id(1)).expect("starts");
        until("a run more", || {
            let lab = of(&labs, 1);
            lab.progress.runs > before || lab.state == LabState::Done
        });
        labs.stop(id(1)).expect("stops");
        stops += 1;
    }
    assert!(stops > 1, "it was done before it could be stopped");
    assert_eq!(results(&labs, 1), figures(60, 2_000));
    let progress = of(&labs, 1).progress;
    assert_eq!((progress.runs, progress.firings), (60, 120_000));
}

#[test]
fn wiped_it_has_counted_nothing_and_comes_out_the_same() {
    let labs = labs();
    labs.make(new(1, monte_carlo(60, 2_000), live())).expect("makes");
    labs.start(id(1)).expect("starts");
    until("a run", || of(&labs, 1).progress.runs > 0);
    assert_eq!(labs.wipe(id(1)), Err(Refusal::LabActive));
    labs.stop(id(1)).expect("stops");
    // Its thread may still be at work on what is forgotten here.
    let wiped = labs.wipe(id(1)).expect("wipes");
    assert_eq!((wiped.state, wiped.progress), (LabState::Idle, LabProgress::default()));
    assert_eq!(results(&labs, 1).runs, 0);
    for _ in 0..2 {
        labs.start(id(1)).expect("starts");
        until("its end", || of(&labs, 1).state == LabState::Done);
        assert_eq!(labs.start(id(1)).map(|lab| lab.state), Ok(LabState::Done), "there is nothing left to do");
        assert_eq!(results(&labs, 1), figures(60, 2_000));
        labs.wipe(id(1)).expect("wipes");
    }
}

#[test]
fn two_work_at_once_and_the_others_in_the_order_they_came() {
    use LabState::{Idle, Queued, Running};
    let labs = labs();
    (1..=4).for_each(|n| drop(labs.make(new(n, endless(), live())).expect("makes")));
    assert_eq!(labs.runner.threads(), 0, "no thread before the first lab starts");
    for n in [1, 4, 3, 2] {
        let state = labs.start(id(n)).expect("starts").state;
        assert!(state.is_active(), "{state}");
    }
    until("two work", || states(&labs) == [Running, Queued, Queued, Running]);
    assert_eq!(labs.start(id(1)).map(|lab| lab.state), Ok(Running), "it works on");
    assert_eq!(labs.figures().len(), 4);
    labs.stop(id(4)).expect("stops");
    until("the next in the queue", || states(&labs) == [Running, Queued, Running, Idle]);
    labs.delete(id(1));
    until("the last", || states(&labs) == [Running, Running, Idle]);
    assert_eq!((labs.runner.threads(), labs.figures().len()), (2, 2));
    // Out of the queue before its turn.
    labs.start(id(4)).expect("starts");
    assert_eq!(labs.stop(id(4)).map(|lab| lab.state), Ok(Idle));
    labs.leave();
    assert_eq!(labs.start(id(2)), Err(Refusal::NoLab));
}

#[test]
fn a_panic_fails_its_lab_and_no_other() {
    let labs = labs();
    (1..=2).for_each(|n| drop(labs.make(new(n, endless(), live())).expect("makes")));
    labs.start(id(2)).expect("starts");
    labs.get(id(1)).expect("there").work().panic_next.store(true, Ordering::SeqCst);
    labs.start(id(1)).expect("starts");
    until("its end", || of(&labs, 1).state == LabState::Failed);
    assert!(of(&labs, 1).error.is_some());
    assert_eq!(labs.start(id(1)), Err(Refusal::LabFailed));
    let seen = of(&labs, 2).progress.runs;
    until("the other goes on", || of(&labs, 2).progress.runs > seen);
    let wiped = labs.wipe(id(1)).expect("wipes");
    assert_eq!((wiped.state, wiped.error), (LabState::Idle, None));
    labs.start(id(1)).expect("starts");
    until("it works after all", || of(&labs, 1).progress.runs > 0);
}

#[test]
fn results_are_given_while_it_works() {
    let labs = labs();
    labs.make(new(1, endless(), live())).expect("makes");
    assert_eq!(results(&labs, 1).runs, 0);
    labs.start(id(1)).expect("starts");
    until("figures of some runs", || results(&labs, 1).runs > 5);
    assert_eq!(of(&labs, 1).state, LabState::Running);
}

#[test]
fn an_exploration_finds_what_the_analysis_finds() {
    let labs = labs();
    labs.make(new(1, LabPlan::Explore { seconds: 60, memory_mb: 64 }, live())).expect("makes");
    assert_eq!(report(&labs, 1), None);
    labs.start(id(1)).expect("starts");
    until("its end", || of(&labs, 1).state == LabState::Done);
    let elapsed = || Duration::ZERO;
    let budget = Budget { time: Duration::from_secs(60), memory: 64 << 20, elapsed: &elapsed };
    let expected = NetReport::from(&analyse(&read(live()), &budget));
    assert_eq!(of(&labs, 1).progress.states, expected.explored.states);
    assert_eq!(report(&labs, 1).as_deref(), Some(&expected));
}

#[test]
fn an_exploration_that_is_stopped_keeps_what_it_found_and_begins_anew() {
    // 3^12 markings and more: seconds of work.
    let pnml = pnml::write(&Family::Kanban.net(12));
    let labs = labs();
    labs.make(new(1, LabPlan::Explore { seconds: 600, memory_mb: 256 }, &pnml)).expect("makes");
    labs.start(id(1)).expect("starts");
    until("some markings", || of(&labs, 1).progress.states > 1_000);
    labs.stop(id(1)).expect("stops");
    until("what it found", || report(&labs, 1).is_some());
    let found = report(&labs, 1).expect("it is there");
    assert_eq!((found.hit, of(&labs, 1).progress.states), (Some(Resource::Time), found.explored.states));
    labs.start(id(1)).expect("starts");
    until("it explores anew", || of(&labs, 1).state == LabState::Running && report(&labs, 1).is_none());
    labs.delete(id(1));
    assert_eq!(labs.results(id(1)).err(), Some(Refusal::NoLab));
}

#[test]
fn the_same_lab_is_made_once_and_no_more_than_fit() {
    let labs = labs();
    let made = labs.make(new(1, endless(), live())).expect("makes");
    labs.start(id(1)).expect("starts");
    until("a run", || of(&labs, 1).progress.runs > 0);
    let again = labs.make(new(1, endless(), live())).expect("it is there");
    assert_eq!((again.plan, again.definition, again.state), (made.plan, made.definition, LabState::Running));
    assert_eq!(labs.make(new(1, monte_carlo(1, 10), live())), Err(Refusal::LabExists));
    (2..=LABS_ON_A_WORKER as u128).for_each(|n| drop(labs.make(new(n, endless(), live())).expect("makes")));
    assert_eq!(labs.make(new(99, endless(), live())), Err(Refusal::LabLimit(LABS_ON_A_WORKER)));
    assert!(labs.make(new(1, endless(), live())).is_ok(), "that one is there");
    labs.delete(id(1));
    assert!(labs.make(new(99, endless(), live())).is_ok());
}

#[test]
fn what_cannot_be_tried_is_refused_when_it_is_made() {
    let labs = labs();
    let refused = |plan: LabPlan| labs.make(new(1, plan, live())).expect_err("must be refused");
    for plan in [monte_carlo(0, 10), monte_carlo(10, 0), monte_carlo(10, 5)] {
        assert!(matches!(refused(plan.clone()), Refusal::BadPlan(_)), "{plan:?}");
    }
    let bad = labs.make(new(1, endless(), "<pnml>")).expect_err("must be refused");
    assert!(matches!(bad, Refusal::BadPnml(_)));
    assert!(labs.describe().is_empty());
}

#[test]
fn the_labs_of_many_workers_share_the_threads() {
    let runner = Arc::new(Runner::new());
    let workers = [1, 2, 3].map(|n| {
        let labs = Labs::new(Hub::new(), runner.clone());
        labs.make(new(n, endless(), live())).expect("makes");
        labs.start(id(n)).expect("starts");
        labs
    });
    until("two work", || of(&workers[0], 1).progress.runs > 0 && of(&workers[1], 2).progress.runs > 0);
    assert_eq!((runner.threads(), of(&workers[2], 3).state), (2, LabState::Queued));
    workers[0].leave();
    until("the third", || of(&workers[2], 3).progress.runs > 0);
    assert_eq!(runner.threads(), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn its_threads_stand_back_and_no_others() {
    let before = priority::present();
    let lab = std::thread::spawn(|| {
        priority::lowest();
        priority::present()
    });
    assert_eq!(lab.join().expect("no panic"), 19);
    assert_eq!(priority::present(), before);
}
