//! The normal tests' share of the simulation.

use super::*;
use std::time::Instant;

/// Runs seeds on both halves of a small machine; the first failure's story.
fn first_failure(seeds: std::ops::Range<u64>, plant: Option<Break>) -> Option<(Plan, Box<Failure>)> {
    seeds.into_iter().find_map(|seed| {
        let plan = Plan { plant, ..Plan::new(seed) };
        run(&plan).err().map(|failure| (plan, failure))
    })
}

#[test]
fn every_guarantee_holds_for_300_seeds() {
    let began = Instant::now();
    let halves = [0..150, 150..300].map(|seeds| std::thread::spawn(move || first_failure(seeds, None)));
    for half in halves {
        if let Some((plan, failure)) = half.join().expect("a seed panicked") {
            let (plan, failure) = shrink(&plan, &failure);
            panic!("{}", story(&plan, &failure));
        }
    }
    println!("300 seeds in {:?}", began.elapsed());
}

#[test]
fn every_planted_bug_is_caught_within_300_seeds() {
    for plant in Break::ALL {
        let (plan, failure) = first_failure(0..300, Some(*plant))
            .unwrap_or_else(|| panic!("{} goes unnoticed", plant.name()));
        println!("{:<28} seed {:>3}: not {}", plant.name(), plan.seed, failure.violation.guarantee);
    }
}

#[test]
fn a_seed_always_tells_the_same_story() {
    let plan = Plan { plant: Some(Break::ResumeOffByOne), tell: true, ..Plan::new(0) };
    let seed = (0..).find(|seed| run(&Plan { seed: *seed, ..plan.clone() }).is_err()).expect("it is caught");
    let tell = || run(&Plan { seed, ..plan.clone() }).expect_err("it is caught").story;
    assert_eq!(tell(), tell());
}
