//! What an analysis found, in words for people. Pure.

use crate::{
    app::components::format,
    model::{Build, Timestamp},
    petri::{
        analysis::{Resource, Structure, Verdict},
        report::NetReport,
    },
};

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub question: &'static str,
    /// What the question means.
    pub meaning: &'static str,
    pub answer: String,
    pub weight: Weight,
}

/// How much a line is to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Plain,
    /// Not decided.
    Quiet,
    /// What an operator wants to know before they load it.
    Warn,
}

/// The eight verdicts. That of deadlocks is the first.
pub fn verdicts(report: &NetReport, build: &Build) -> [Row; 8] {
    let verdicts = &report.verdicts;
    let undecided = why_not(report, build);
    let answer =
        |verdict: &Verdict<bool>, yes: String, no: String, warns_at: Option<bool>| match verdict.value() {
            Some(value) => {
                let weight = if warns_at == Some(*value) { Weight::Warn } else { Weight::Plain };
                (if *value { yes } else { no }, weight)
            }
            None => (undecided.clone(), Weight::Quiet),
        };
    let count = |verdict: &Verdict<u64>| match verdict.value() {
        Some(value) => (format::count(*value), Weight::Plain),
        // Nothing ran out: there is no last one.
        None if report.unbounded_place.is_some() => ("without end".to_owned(), Weight::Warn),
        None => (undecided.clone(), Weight::Quiet),
    };
    let yes = || "yes".to_owned();
    let no = || "no".to_owned();
    let dies = match &report.deadlock_path {
        Some(path) if path.is_empty() => "yes, at once".to_owned(),
        Some(path) => format!("yes, after {}", format::counted(path.len(), "firing", "firings")),
        None => yes(),
    };
    let never = match &report.dead_transitions {
        Some(dead) if !dead.is_empty() => {
            format!(
                "no, {} never {}",
                format::count(dead.len() as u64),
                if dead.len() == 1 { "fires" } else { "fire" }
            )
        }
        _ => no(),
    };
    let row = |question, meaning, (answer, weight)| Row { question, meaning, answer, weight };
    [
        row(
            "Can deadlock",
            "Some marking that can be reached enables nothing",
            answer(&verdicts.deadlock, dies, no(), Some(true)),
        ),
        row(
            "Live",
            "Whatever happened before, every transition can fire again",
            answer(&verdicts.live, yes(), no(), None),
        ),
        row(
            "Every transition can fire",
            "For each there is a run in which it fires",
            answer(&verdicts.quasi_live, yes(), never, Some(false)),
        ),
        row("One-safe", "No place ever holds two tokens", answer(&verdicts.one_safe, yes(), no(), None)),
        row("Markings", "That can be reached", count(&verdicts.states)),
        row("Steps between them", "A marking, and a transition that it enables", count(&verdicts.edges)),
        row(
            "Most tokens on a place",
            "In any marking that can be reached",
            count(&verdicts.max_tokens_in_place),
        ),
        row(
            "Most tokens at once",
            "In any marking that can be reached",
            count(&verdicts.max_tokens_per_marking),
        ),
    ]
}

/// Why something is not decided.
fn why_not(report: &NetReport, build: &Build) -> String {
    let seconds = |from: Option<Timestamp>, to: Option<Timestamp>| Some(to?.since(from?).as_secs());
    match report.hit {
        Some(Resource::Time) => match seconds(build.started_at, build.finished_at) {
            Some(seconds) => format!("not decided: the time of {seconds} s was used up"),
            None => "not decided: the time was used up".to_owned(),
        },
        Some(Resource::Memory) => "not decided: the memory was used up".to_owned(),
        None if report.too_many_tokens => {
            "not decided: a place came to hold more tokens than are counted".to_owned()
        }
        None if report.unbounded_place.is_some() => "not decided: there is no end of markings".to_owned(),
        None => "not decided".to_owned(),
    }
}

/// How far the state space was looked at.
pub fn explored(report: &NetReport) -> String {
    let seen = format::counted(report.explored.states as usize, "marking", "markings");
    if report.explored.complete {
        format!("{seen} looked at: all there are.")
    } else {
        format!("{seen} looked at, not all there are.")
    }
}

/// The shape of a net, in a line or two.
pub fn structure(structure: &Structure) -> String {
    let mut kinds = Vec::new();
    if structure.state_machine {
        kinds.push("a state machine");
    }
    if structure.marked_graph {
        kinds.push("a marked graph");
    }
    if structure.free_choice {
        kinds.push("free choice");
    }
    if structure.ordinary {
        kinds.push("every arc of weight 1");
    }
    let parts = match structure.components {
        0 => "Empty".to_owned(),
        1 if structure.strongly_connected => {
            "In one part, with a way from everywhere to everywhere".to_owned()
        }
        1 => "In one part".to_owned(),
        parts => format!("In {} that no arc joins", format::counted(parts as usize, "part", "parts")),
    };
    let ends =
        |nodes: &[u32], one, many| (!nodes.is_empty()).then(|| format::counted(nodes.len(), one, many));
    let begins = [
        ends(&structure.source_places, "place that nothing fills", "places that nothing fills"),
        ends(&structure.source_transitions, "transition that needs nothing", "transitions that need nothing"),
        ends(&structure.sink_places, "place that nothing empties", "places that nothing empties"),
        ends(&structure.sink_transitions, "transition that gives nothing", "transitions that give nothing"),
    ];
    let mut said =
        std::iter::once(parts).chain(kinds.into_iter().map(str::to_owned)).collect::<Vec<_>>().join("; ");
    said.push('.');
    let begins: Vec<String> = begins.into_iter().flatten().collect();
    if !begins.is_empty() {
        said.push_str(&format!(" It has {}.", begins.join(", ")));
    }
    said
}

/// `p1 + 2·p2`, with so many terms at most.
pub fn sum(weights: &[(u32, i64)], most: usize, name: impl Fn(u32) -> String) -> String {
    let mut said = String::new();
    for (n, (node, weight)) in weights.iter().take(most).enumerate() {
        let sign = match (n, *weight < 0) {
            (0, false) => "",
            (0, true) => "−",
            (_, false) => " + ",
            (_, true) => " − ",
        };
        said.push_str(sign);
        if weight.unsigned_abs() != 1 {
            said.push_str(&format!("{}·", format::count(weight.unsigned_abs())));
        }
        said.push_str(&name(*node));
    }
    if weights.len() > most {
        said.push_str(&format!(" + {} more", format::count((weights.len() - most) as u64)));
    }
    said
}

/// A weighted sum of tokens. A place that is not there holds none.
pub fn value(weights: &[(u32, i64)], tokens: impl Fn(usize) -> Option<u64>) -> i128 {
    let term =
        |(place, weight): &(u32, i64)| i128::from(*weight) * i128::from(tokens(*place as usize).unwrap_or(0));
    weights.iter().map(term).fold(0, i128::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{BuildId, DefinitionHash, NetId, ProjectId},
        petri::{
            analysis::{Budget, analyse},
            samples,
        },
    };
    use uuid::Uuid;

    fn build() -> Build {
        let (id, hash) = (Uuid::nil(), DefinitionHash::of(b"x"));
        let build = Build::queued(BuildId(id), NetId(id), ProjectId(id), 1, hash, Timestamp(0));
        Build { started_at: Some(Timestamp(1_000)), finished_at: Some(Timestamp(21_000)), ..build }
    }

    fn philosophers() -> NetReport {
        let net = samples::sample("dining-philosophers").expect("the sample is there");
        let net = crate::petri::pnml::read(net.pnml.as_bytes(), &Default::default()).expect("it can be read");
        NetReport::from(&analyse(&net, &Budget::of_memory(1 << 26)))
    }

    #[test]
    fn a_deadlock_is_told_first_with_how_far_it_is() {
        let rows = verdicts(&philosophers(), &build());
        assert_eq!(rows[0].question, "Can deadlock");
        assert!(rows[0].answer.starts_with("yes, after "), "{}", rows[0].answer);
        assert_eq!(rows[0].weight, Weight::Warn);
    }

    #[test]
    fn what_ran_out_is_named() {
        let mut report = philosophers();
        report.verdicts.live = Verdict::NOT_DECIDED;
        report.hit = Some(Resource::Time);
        assert_eq!(verdicts(&report, &build())[1].answer, "not decided: the time of 20 s was used up");
        report.hit = Some(Resource::Memory);
        assert_eq!(verdicts(&report, &build())[1].answer, "not decided: the memory was used up");
        (report.hit, report.unbounded_place) = (None, Some(0));
        report.verdicts.states = Verdict::NOT_DECIDED;
        assert_eq!(verdicts(&report, &build())[4].answer, "without end");
    }

    #[test]
    fn a_sum_reads_as_one() {
        let name = |n: u32| format!("p{n}");
        assert_eq!(sum(&[(0, 1), (1, 2), (2, -1)], 8, name), "p0 + 2·p1 − p2");
        assert_eq!(sum(&[(0, -3), (1, 1), (2, 1)], 2, name), "−3·p0 + p1 + 1 more");
        assert_eq!(value(&[(0, 1), (1, 2), (9, 5)], |n| [1, 1].get(n).copied()), 3);
    }

    #[test]
    fn the_shape_of_a_net_is_told_in_a_line() {
        let shape = Structure { components: 1, ordinary: true, free_choice: true, ..Structure::default() };
        assert_eq!(structure(&shape), "In one part; free choice; every arc of weight 1.");
        let shape = Structure { components: 2, sink_places: vec![1], ..Structure::default() };
        assert_eq!(structure(&shape), "In 2 parts that no arc joins. It has 1 place that nothing empties.");
    }
}
