//! The plan of a lab as it is typed, and what is wrong with it: asked by the form before it is sent, and by the server after.

use crate::{
    model::{LabGoal, LabPlan, Positive, action::whole_number_wanted},
    petri::{
        NetGraph,
        lab::experiment::{MAX_FIRINGS, MAX_RUNS},
    },
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::RangeInclusive};

/// Seconds that an exploration may be given.
pub const SECONDS: RangeInclusive<u64> = 1..=86_400;
/// Mebibytes that an exploration may be given.
pub const MEMORY_MB: RangeInclusive<u64> = 1..=256;

/// What the places and transitions of a net are called: id and name, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeNames {
    pub places: Vec<(String, String)>,
    pub transitions: Vec<(String, String)>,
}

impl NodeNames {
    pub fn of(graph: NetGraph) -> NodeNames {
        NodeNames {
            places: graph.places.into_iter().map(|place| (place.id, place.name)).collect(),
            transitions: graph.transitions.into_iter().map(|one| (one.id, one.name)).collect(),
        }
    }
}

/// The id of what is called `given`: by its id, or by its name where only one has it.
fn id_of(nodes: &[(String, String)], given: &str) -> Option<String> {
    if nodes.iter().any(|(id, _)| id == given) {
        return Some(given.to_owned());
    }
    let mut named = nodes.iter().filter(|(_, name)| name == given);
    match (named.next(), named.next()) {
        (Some((id, _)), None) => Some(id.clone()),
        _ => None,
    }
}

/// What is typed into the form, field by field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// `monte_carlo` or `explore`.
    pub kind: String,
    pub runs: String,
    pub firings: String,
    /// `none`, `deadlock` or `tokens`.
    pub goal: String,
    pub place: String,
    pub at_least: String,
    pub warm_up: String,
    pub seed: String,
    pub rates: String,
    pub time: String,
    pub seconds: String,
    pub memory_mb: String,
}

/// The field that something is wrong with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    Name,
    Kind,
    Runs,
    Firings,
    Goal,
    Place,
    AtLeast,
    WarmUp,
    Seed,
    Rates,
    Time,
    Seconds,
    Memory,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub at: At,
    /// A sentence.
    pub text: String,
}

/// Reads one field after the other, and remembers what is wrong.
struct Reader(Vec<Mistake>);

impl Reader {
    fn wrong(&mut self, at: At, text: impl Into<String>) {
        self.0.push(Mistake { at, text: text.into() });
    }

    fn whole(&mut self, at: At, field: &str, bounds: &RangeInclusive<u64>, given: &str) -> u64 {
        let given = given.trim();
        let number = given.parse().ok().filter(|number| bounds.contains(number));
        number.unwrap_or_else(|| {
            let given = if given.is_empty() { "empty" } else { given };
            self.wrong(at, whole_number_wanted(field, bounds, given));
            *bounds.start()
        })
    }
}

/// The plan, or every mistake in it. With `names`, places and transitions may be called by their names, and are looked for.
pub fn read(typed: &Typed, names: Option<&NodeNames>) -> Result<LabPlan, Vec<Mistake>> {
    let mut reader = Reader(Vec::new());
    let plan = match typed.kind.as_str() {
        "explore" => LabPlan::Explore {
            seconds: reader.whole(At::Seconds, "Time", &SECONDS, &typed.seconds) as u32,
            memory_mb: reader.whole(At::Memory, "Memory", &MEMORY_MB, &typed.memory_mb) as u32,
        },
        "monte_carlo" => monte_carlo(&mut reader, typed, names),
        _ => {
            reader.wrong(At::Kind, "Choose Monte Carlo or exploration.");
            LabPlan::Explore { seconds: 1, memory_mb: 1 }
        }
    };
    if reader.0.is_empty() { Ok(plan) } else { Err(reader.0) }
}

fn monte_carlo(reader: &mut Reader, typed: &Typed, names: Option<&NodeNames>) -> LabPlan {
    let runs = reader.whole(At::Runs, "Runs", &(1..=MAX_RUNS), &typed.runs);
    let firings = reader.whole(At::Firings, "Firings of a run", &(1..=MAX_FIRINGS), &typed.firings);
    let warm_up = match typed.warm_up.trim() {
        "" => 0,
        given => reader.whole(At::WarmUp, "Warm-up", &(0..=MAX_FIRINGS), given),
    };
    if warm_up >= firings {
        reader.wrong(At::WarmUp, format!("The warm-up leaves nothing of a run of {firings} firings."));
    }
    let seed = reader.whole(At::Seed, "Seed", &(0..=u64::MAX), &typed.seed);
    let goal = goal(reader, typed, names);
    let rates = rates(reader, &typed.rates, names);
    let time = match typed.time.trim() {
        "" => None,
        _ if rates.is_empty() => {
            reader.wrong(At::Time, "A limit of time needs rates: without them time is counted in firings.");
            None
        }
        given => {
            let time = positive(given);
            if time.is_none() {
                reader.wrong(
                    At::Time,
                    format!("Time must be a number above zero; it is {}.", shortened(given)),
                );
            }
            time
        }
    };
    LabPlan::MonteCarlo { runs, firings, seed, goal, warm_up, rates, time }
}

fn goal(reader: &mut Reader, typed: &Typed, names: Option<&NodeNames>) -> Option<LabGoal> {
    match typed.goal.as_str() {
        "" | "none" => None,
        "deadlock" => Some(LabGoal::Deadlock {}),
        "tokens" => {
            let at_least = reader.whole(At::AtLeast, "Tokens", &(1..=1 << 53), &typed.at_least);
            let given = typed.place.trim();
            let place = match names {
                _ if given.is_empty() => {
                    reader.wrong(At::Place, "Choose the place.");
                    return None;
                }
                Some(names) => id_of(&names.places, given),
                None => Some(given.to_owned()),
            };
            if place.is_none() {
                reader.wrong(At::Place, format!("The net has no place {}.", shortened(given)));
            }
            Some(LabGoal::Tokens { place: place?, at_least })
        }
        _ => {
            reader.wrong(At::Goal, "Choose when a run is at its goal.");
            None
        }
    }
}

/// Lines of `transition = rate`. Empty lines mean nothing.
fn rates(reader: &mut Reader, text: &str, names: Option<&NodeNames>) -> BTreeMap<String, Positive> {
    let mut rates = BTreeMap::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match rate_line(line, names) {
            Ok((id, _)) if rates.contains_key(&id) => {
                reader.wrong(At::Rates, format!("Line {}: {} has a rate already.", n + 1, shortened(&id)));
            }
            Ok((id, rate)) => _ = rates.insert(id, rate),
            Err(why) => reader.wrong(At::Rates, format!("Line {}: {why}", n + 1)),
        }
    }
    rates
}

fn rate_line(line: &str, names: Option<&NodeNames>) -> Result<(String, Positive), String> {
    // An id may have an equals sign in it; a rate has none.
    let (name, rate) = line.rsplit_once('=').ok_or("write transition=rate, for example t1=0.5.")?;
    let name = name.trim();
    let id = match names {
        Some(names) => id_of(&names.transitions, name),
        None => Some(name.to_owned()).filter(|name| !name.is_empty()),
    };
    let id = id.ok_or_else(|| format!("the net has no transition {}.", shortened(name)))?;
    let rate = positive(rate).ok_or_else(|| {
        format!(
            "the rate of {} must be a number above zero; it is {}.",
            shortened(name),
            shortened(rate.trim())
        )
    })?;
    Ok((id, rate))
}

fn positive(text: &str) -> Option<Positive> {
    text.trim().parse::<f64>().ok().and_then(|number| Positive::try_from(number).ok())
}

fn shortened(text: &str) -> String {
    match text {
        "" => "empty".to_owned(),
        _ => text.chars().take(40).collect(),
    }
}

/// The rate that the lines give a transition, as it is written there.
pub fn rate_in(text: &str, id: &str) -> Option<String> {
    let lines = text.lines().filter_map(|line| line.rsplit_once('='));
    let mut of_it = lines.filter(|(name, _)| name.trim() == id);
    of_it.next().map(|(_, rate)| rate.trim().to_owned())
}

/// The lines with another rate for a transition; an empty one takes its line away.
pub fn with_rate(text: &str, id: &str, rate: &str) -> String {
    let is_its = |line: &&str| line.rsplit_once('=').is_some_and(|(name, _)| name.trim() == id);
    let rate = rate.trim();
    let mut lines: Vec<String> = Vec::new();
    let mut written = false;
    for line in text.lines() {
        if !is_its(&line) {
            lines.push(line.to_owned());
        } else if !rate.is_empty() && !written {
            lines.push(format!("{id}={rate}"));
            written = true;
        }
    }
    if !rate.is_empty() && !written {
        lines.push(format!("{id}={rate}"));
    }
    lines.join("\n")
}

/// A seed out of what was drawn for the page; another for each lab made on it. Small enough to be read out.
pub fn drawn_seed(form_key: &str, nth: u32) -> u64 {
    let digits: String = form_key.chars().filter(char::is_ascii_hexdigit).take(6).collect();
    u64::from_str_radix(&digits, 16).unwrap_or(1) + u64::from(nth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed() -> Typed {
        let text = |text: &str| text.to_owned();
        Typed {
            kind: text("monte_carlo"),
            runs: text("1000"),
            firings: text("10000"),
            goal: text("none"),
            seed: text("7"),
            seconds: text("60"),
            memory_mb: text("128"),
            ..Typed::default()
        }
    }

    fn names() -> NodeNames {
        let node = |id: &str, name: &str| (id.to_owned(), name.to_owned());
        NodeNames {
            places: vec![node("p1", "free"), node("p2", "busy"), node("p3", "busy")],
            transitions: vec![node("t1", "take"), node("a=b", "odd")],
        }
    }

    fn mistakes(typed: &Typed) -> Vec<At> {
        read(typed, Some(&names())).unwrap_err().iter().map(|mistake| mistake.at).collect()
    }

    #[test]
    fn what_is_typed_well_is_a_plan() {
        let plan = read(&typed(), Some(&names())).unwrap();
        assert!(matches!(
            plan,
            LabPlan::MonteCarlo { runs: 1000, firings: 10_000, seed: 7, goal: None, warm_up: 0, .. }
        ));
        let explore = Typed { kind: "explore".into(), runs: "nonsense".into(), ..typed() };
        assert_eq!(read(&explore, None), Ok(LabPlan::Explore { seconds: 60, memory_mb: 128 }));
    }

    #[test]
    fn each_mistake_is_told_at_its_field() {
        let all = Typed {
            runs: "0".into(),
            firings: "ten".into(),
            seed: String::new(),
            time: "5".into(),
            rates: "t1=-1".into(),
            goal: "tokens".into(),
            at_least: "0".into(),
            ..typed()
        };
        assert_eq!(
            mistakes(&all),
            [At::Runs, At::Firings, At::Seed, At::AtLeast, At::Place, At::Rates, At::Time]
                .into_iter()
                .collect::<Vec<_>>()
        );
        assert_eq!(mistakes(&Typed { warm_up: "10000".into(), ..typed() }), [At::WarmUp]);
        assert_eq!(mistakes(&Typed { kind: "dice".into(), ..typed() }), [At::Kind]);
    }

    #[test]
    fn places_and_transitions_go_by_id_or_by_a_name_that_only_one_has() {
        let goal = |place: &str| Typed {
            goal: "tokens".into(),
            place: place.into(),
            at_least: "2".into(),
            ..typed()
        };
        let Ok(LabPlan::MonteCarlo { goal: Some(LabGoal::Tokens { place, .. }), .. }) =
            read(&goal("free"), Some(&names()))
        else {
            panic!("no goal")
        };
        assert_eq!(place, "p1");
        assert_eq!(mistakes(&goal("busy")), [At::Place], "two have it");
        assert_eq!(mistakes(&goal("nowhere")), [At::Place]);
        let rates = Typed { rates: "take = 0.5\n\na=b=2".into(), time: "10".into(), ..typed() };
        let Ok(LabPlan::MonteCarlo { rates, time, .. }) = read(&rates, Some(&names())) else {
            panic!("no rates")
        };
        assert_eq!(rates.keys().collect::<Vec<_>>(), ["a=b", "t1"]);
        assert_eq!(time.map(Positive::get), Some(10.0));
        assert_eq!(mistakes(&Typed { rates: "t1=1\ntake=2".into(), ..typed() }), [At::Rates], "twice");
    }

    #[test]
    fn a_rate_is_changed_in_its_line_and_the_others_stay() {
        let text = "t1=0.5\nt2 = 2";
        assert_eq!(rate_in(text, "t2").as_deref(), Some("2"));
        assert_eq!(with_rate(text, "t2", "3"), "t1=0.5\nt2=3");
        assert_eq!(with_rate(text, "t3", "1"), "t1=0.5\nt2 = 2\nt3=1");
        assert_eq!(with_rate(text, "t1", ""), "t2 = 2");
        assert_eq!(with_rate("", "t1", ""), "");
    }

    #[test]
    fn a_seed_is_drawn_from_the_page_and_differs_from_lab_to_lab() {
        let key = "0192f3aa-0000-4000-8000-000000000000";
        assert_eq!(drawn_seed(key, 0), 0x0192f3);
        assert_ne!(drawn_seed(key, 0), drawn_seed(key, 1));
        assert_eq!(drawn_seed("", 0), 1);
    }
}
