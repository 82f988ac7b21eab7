//! A plan names places and transitions as its file does. Here its words become numbers of the net as it was read.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::model::{LabGoal, LabPlan, Positive, lab::RATES};
use crate::petri::PetriNet;
use crate::petri::lab::{Experiment, Goal};
use crate::worker::refusal::Refusal;

/// Bytes of a plan as JSON. All plans of a worker travel in one frame.
const LARGEST_PLAN: usize = 64 << 10;
/// Seconds of an exploration at most: a day.
const LONGEST: u32 = 24 * 60 * 60;
/// Megabytes of an exploration at most, whatever its plan says.
const MOST_MEMORY: u32 = 256;

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    MonteCarlo(Experiment),
    /// `memory` in bytes.
    Explore {
        time: Duration,
        memory: usize,
    },
}

pub fn check_size(plan: &LabPlan) -> Result<(), Refusal> {
    match serde_json::to_vec(plan) {
        Ok(json) if json.len() <= LARGEST_PLAN => Ok(()),
        Ok(_) => Err(bad(format!("the plan is larger than {LARGEST_PLAN} bytes; give fewer rates"))),
        Err(_) => Err(Refusal::Internal),
    }
}

/// The task that `plan` is for `net`. Its numbers are checked where they are used first.
pub fn task(plan: &LabPlan, net: &PetriNet) -> Result<Task, Refusal> {
    match plan {
        LabPlan::MonteCarlo { runs, firings, seed, goal, warm_up, rates, time } => {
            let goal = goal.as_ref().map(|goal| goal_in(goal, net)).transpose()?;
            Ok(Task::MonteCarlo(Experiment {
                runs: *runs,
                seed: *seed,
                goal,
                firings: *firings,
                warm_up: *warm_up,
                rates: rates_in(rates, net)?,
                time: time.map(Positive::get),
            }))
        }
        LabPlan::Explore { seconds, memory_mb } => {
            if !(1..=LONGEST).contains(seconds) {
                return Err(bad(format!(
                    "an exploration cannot take {seconds} seconds; 1 to {LONGEST} it can"
                )));
            }
            if *memory_mb == 0 {
                return Err(bad("an exploration needs memory: 1 MB or more".to_string()));
            }
            let memory = (*memory_mb).min(MOST_MEMORY) as usize;
            Ok(Task::Explore { time: Duration::from_secs(u64::from(*seconds)), memory: memory << 20 })
        }
    }
}

fn goal_in(goal: &LabGoal, net: &PetriNet) -> Result<Goal, Refusal> {
    match goal {
        LabGoal::Deadlock {} => Ok(Goal::Deadlock),
        LabGoal::Tokens { place, at_least } => match net.place_by_id(place) {
            Some(place) => Ok(Goal::Tokens { place, at_least: *at_least }),
            None => Err(bad(format!("the net has no place \"{place}\""))),
        },
    }
}

/// By transition; those that are not named have rate 1. `None`: the plan has no rates.
fn rates_in(rates: &BTreeMap<String, Positive>, net: &PetriNet) -> Result<Option<Vec<f64>>, Refusal> {
    if rates.is_empty() {
        return Ok(None);
    }
    let ids: HashMap<&str, usize> =
        net.transitions.iter().enumerate().map(|(at, transition)| (transition.id.as_str(), at)).collect();
    let mut all = vec![1.0; net.transitions.len()];
    for (id, rate) in rates {
        let at = ids.get(id.as_str()).ok_or_else(|| bad(format!("the net has no transition \"{id}\"")))?;
        if !RATES.contains(&rate.get()) {
            let (least, most) = (RATES.start(), RATES.end());
            return Err(bad(format!(
                "the rate of transition \"{id}\" is not between {least:e} and {most:e}"
            )));
        }
        all[*at] = rate.get();
    }
    Ok(Some(all))
}

pub fn bad(what: String) -> Refusal {
    Refusal::BadPlan(what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::petri::pnml::{self, Limits};
    use crate::petri::samples::sample;

    fn net() -> PetriNet {
        let pnml = sample("readers-writers").expect("a sample").pnml;
        pnml::read(pnml.as_bytes(), &Limits::default()).expect("reads")
    }

    fn plan(json: &str) -> LabPlan {
        serde_json::from_str(json).expect("a plan")
    }

    #[test]
    fn places_and_transitions_are_found_by_the_ids_of_the_file() {
        let net = net();
        let goal = r#"{"kind":"tokens","place":"reading","at_least":3}"#;
        let plan = plan(&format!(
            r#"{{"kind":"monte_carlo","runs":10,"firings":100,"seed":7,"goal":{goal},"rates":{{"write":2.5}},"time":9}}"#
        ));
        let Ok(Task::MonteCarlo(experiment)) = task(&plan, &net) else { panic!("a sound plan") };
        let place = net.place_by_id("reading").expect("there");
        assert_eq!(experiment.goal, Some(Goal::Tokens { place, at_least: 3 }));
        let write = net.transition_by_id("write").expect("there").index();
        let rates = experiment.rates.expect("it has rates");
        assert!(rates.iter().enumerate().all(|(at, &rate)| rate == if at == write { 2.5 } else { 1.0 }));
        assert_eq!((experiment.runs, experiment.firings, experiment.seed), (10, 100, 7));
        assert_eq!(experiment.time, Some(9.0));
    }

    #[test]
    fn without_rates_there_are_none() {
        let plan = plan(r#"{"kind":"monte_carlo","runs":1,"firings":1,"seed":0,"goal":{"kind":"deadlock"}}"#);
        let experiment = Experiment { goal: Some(Goal::Deadlock), ..Experiment::new(1, 1, 0) };
        assert_eq!(task(&plan, &net()), Ok(Task::MonteCarlo(experiment)));
    }

    #[test]
    fn what_the_net_does_not_have_is_named() {
        let goal = r#"{"kind":"monte_carlo","runs":1,"firings":1,"seed":0,
            "goal":{"kind":"tokens","place":"nowhere","at_least":1}}"#;
        let refused = task(&plan(goal), &net()).expect_err("must be refused");
        assert_eq!(refused.to_string(), "the net has no place \"nowhere\"");
        let rates = r#"{"kind":"monte_carlo","runs":1,"firings":1,"seed":0,"rates":{"never":1}}"#;
        let refused = task(&plan(rates), &net()).expect_err("must be refused");
        assert_eq!(refused.to_string(), "the net has no transition \"never\"");
        let rates = r#"{"kind":"monte_carlo","runs":1,"firings":1,"seed":0,"rates":{"write":1.7e308}}"#;
        let refused = task(&plan(rates), &net()).expect_err("must be refused");
        assert!(refused.to_string().contains("is not between 1e-9 and 1e9"), "{refused}");
    }

    #[test]
    fn an_exploration_has_a_budget_of_a_day_and_256_megabytes_at_most() {
        let explore = |seconds, memory_mb| task(&LabPlan::Explore { seconds, memory_mb }, &net());
        let within = |memory: usize| Ok(Task::Explore { time: Duration::from_secs(5), memory: memory << 20 });
        assert_eq!((explore(5, 64), explore(5, 4_000)), (within(64), within(256)));
        for (seconds, memory) in [(0, 1), (LONGEST + 1, 1), (1, 0)] {
            assert!(matches!(explore(seconds, memory), Err(Refusal::BadPlan(_))), "{seconds} {memory}");
        }
    }

    #[test]
    fn a_plan_that_would_fill_the_frames_is_refused() {
        let rates = (0..5_000).map(|n| (format!("transition-{n}"), Positive::try_from(1.5).expect("it is")));
        let plan = LabPlan::MonteCarlo {
            runs: 1,
            firings: 1,
            seed: 0,
            goal: None,
            warm_up: 0,
            rates: rates.collect(),
            time: None,
        };
        assert!(matches!(check_size(&plan), Err(Refusal::BadPlan(_))));
        assert_eq!(check_size(&LabPlan::Explore { seconds: 1, memory_mb: 1 }), Ok(()));
    }
}
