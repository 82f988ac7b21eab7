//! What is to be tried, checked against the net before any worker is asked for it. Each refusal names the field.

use crate::{
    model::{LabGoal, LabPlan, action::whole_number_wanted, lab::RATES},
    petri::{
        PetriNet,
        lab::experiment::{MAX_FIRINGS, MAX_RUNS},
        net::MAX_COUNT,
    },
};
use std::ops::RangeInclusive;

/// What JavaScript's numbers are exact up to.
const SEED: RangeInclusive<u64> = 0..=1 << 53;
/// Seconds that an exploration may take.
pub const SECONDS: RangeInclusive<u64> = 1..=86_400;
/// Mebibytes that it may take: the most that a worker gives.
pub const MEMORY_MB: RangeInclusive<u64> = 1..=256;

/// A sentence on the first thing that is wrong with `plan` for this net.
pub fn check(plan: &LabPlan, net: &PetriNet) -> Result<(), String> {
    match plan {
        LabPlan::MonteCarlo { runs, firings, seed, goal, warm_up, rates, time } => {
            within("plan.runs", &(1..=MAX_RUNS), *runs)?;
            within("plan.firings", &(1..=MAX_FIRINGS), *firings)?;
            within("plan.seed", &SEED, *seed)?;
            within("plan.warm_up", &(0..=firings - 1), *warm_up)?;
            if let Some(LabGoal::Tokens { place, at_least }) = goal {
                within("plan.goal.at_least", &(1..=MAX_COUNT), *at_least)?;
                if !net.places.iter().any(|known| known.id == *place) {
                    return Err(unknown("plan.goal.place", "place", place));
                }
            }
            if let Some((transition, rate)) = rates.iter().find(|(_, rate)| !RATES.contains(&rate.get())) {
                return Err(format!(
                    "plan.rates gives the transition \"{transition}\" the rate {:e}; a rate is between {:e} and {:e}.",
                    rate.get(),
                    RATES.start(),
                    RATES.end()
                ));
            }
            let known: std::collections::BTreeSet<&str> =
                net.transitions.iter().map(|transition| transition.id.as_str()).collect();
            if let Some(stranger) = rates.keys().find(|id| !known.contains(id.as_str())) {
                return Err(unknown("plan.rates", "transition", stranger));
            }
            if time.is_some() && rates.is_empty() {
                return Err(
                    "plan.time needs plan.rates with one transition at least (those not named have rate 1): without rates time is counted in firings, and plan.firings bounds it."
                        .to_owned(),
                );
            }
            Ok(())
        }
        LabPlan::Explore { seconds, memory_mb } => {
            within("plan.seconds", &SECONDS, u64::from(*seconds))?;
            within("plan.memory_mb", &MEMORY_MB, u64::from(*memory_mb))
        }
    }
}

fn within(field: &str, bounds: &RangeInclusive<u64>, given: u64) -> Result<(), String> {
    match bounds.contains(&given) {
        true => Ok(()),
        false => Err(whole_number_wanted(field, bounds, &given.to_string())),
    }
}

fn unknown(field: &str, what: &str, id: &str) -> String {
    let id: String = id.chars().take(80).collect();
    format!(
        "{field} names the {what} {id:?}, which this version of the net does not have. Take its id in the file."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::petri::pnml;

    const RING: &[u8] = br#"<pnml xmlns="http://www.pnml.org/version-2009/grammar/pnml"><net id="ring" type="http://www.pnml.org/version-2009/grammar/ptnet"><page id="page"><place id="a"><initialMarking><text>1</text></initialMarking></place><place id="b"/><transition id="s"/><arc id="1" source="a" target="s"/><arc id="2" source="s" target="b"/></page></net></pnml>"#;

    #[test]
    fn each_mistake_is_told_with_its_field() {
        let net = pnml::read(RING, &pnml::Limits::default()).unwrap();
        let said = |plan: &str| {
            let plan: LabPlan = serde_json::from_str(&format!("{{{plan}}}")).unwrap();
            check(&plan, &net).err().unwrap_or_default()
        };
        let mc = |more: &str| said(&format!(r#""kind":"monte_carlo","seed":1,{more}"#));
        assert_eq!(mc(r#""runs":10,"firings":5"#), "");
        let goal = |place: &str, at_least: u64| {
            mc(&format!(
                r#""runs":10,"firings":5,"goal":{{"kind":"tokens","place":"{place}","at_least":{at_least}}}"#
            ))
        };
        assert_eq!(goal("b", 1), "");
        for (said, begins) in [
            (mc(r#""runs":0,"firings":5"#), "plan.runs must be a whole number from 1 to 10000000; it is 0."),
            (mc(r#""runs":1,"firings":0"#), "plan.firings must be"),
            (mc(r#""runs":1,"firings":5,"warm_up":5"#), "plan.warm_up must be a whole number from 0 to 4"),
            (mc(r#""runs":1,"firings":5,"time":2"#), "plan.time needs plan.rates"),
            (
                mc(r#""runs":1,"firings":5,"rates":{"t":1.7e308}"#),
                "plan.rates gives the transition \"t\" the rate 1.7e308; a rate is between 1e-9 and 1e9",
            ),
            (
                mc(r#""runs":1,"firings":5,"rates":{"t":1e-300}"#),
                "plan.rates gives the transition \"t\" the rate 1e-300",
            ),
            (
                mc(r#""runs":1,"firings":5,"time":2,"rates":{}"#),
                "plan.time needs plan.rates with one transition",
            ),
            (mc(r#""runs":1,"firings":5,"rates":{"t":2}"#), "plan.rates names the transition \"t\""),
            (goal("c", 1), "plan.goal.place names the place \"c\""),
            (goal("a", 0), "plan.goal.at_least must be"),
            (said(r#""kind":"explore","seconds":0,"memory_mb":64"#), "plan.seconds must be"),
            (said(r#""kind":"explore","seconds":9,"memory_mb":5000"#), "plan.memory_mb must be"),
        ] {
            assert!(said.starts_with(begins), "{said} / {begins}");
        }
    }
}
