//! What an analysis found, in words for people: of a build and of an exploration alike.

use crate::{
    app::components::format,
    petri::{
        analysis::{Resource, Verdict},
        report::NetReport,
    },
};
use leptos::prelude::*;
use std::time::Duration;

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

/// The eight verdicts, of an analysis that took so long. That of deadlocks is the first.
pub fn verdicts(report: &NetReport, took: Option<Duration>) -> [Row; 8] {
    let verdicts = &report.verdicts;
    let undecided = why_not(report, took);
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
fn why_not(report: &NetReport, took: Option<Duration>) -> String {
    match (report.hit, took) {
        (Some(Resource::Time), Some(took)) => {
            format!("not decided: the time of {} s was used up", took.as_secs())
        }
        (Some(Resource::Time), None) => "not decided: the time was used up".to_owned(),
        (Some(Resource::Memory), _) => "not decided: the memory was used up".to_owned(),
        (None, _) if report.too_many_tokens => {
            "not decided: a place came to hold more tokens than are counted".to_owned()
        }
        (None, _) if report.unbounded_place.is_some() => {
            "not decided: there is no end of markings".to_owned()
        }
        (None, _) => "not decided".to_owned(),
    }
}

/// How far the markings were looked at.
pub fn extent(report: &NetReport) -> String {
    let explored = &report.explored;
    let seen = format!(
        "{} and {} seen, in {}",
        format::counted(explored.states as usize, "marking", "markings"),
        format::counted(explored.edges as usize, "step", "steps"),
        format::bytes(explored.bytes)
    );
    if explored.complete { format!("{seen}: all there are.") } else { format!("{seen}; there are more.") }
}

/// The verdicts as a table.
#[component]
pub fn VerdictTable(
    rows: [Row; 8],
    /// What can be done about the deadlock, beside its answer.
    #[prop(default = None)]
    of_deadlock: Option<AnyView>,
) -> impl IntoView {
    let mut beside = of_deadlock;
    let line = move |row: Row| {
        let class = match row.weight {
            Weight::Plain => "verdict",
            Weight::Quiet => "verdict quiet-text",
            Weight::Warn => "verdict tone-warn",
        };
        view! {
            <tr>
                <th scope="row" title=row.meaning>{row.question}</th>
                <td class=class>
                    {(row.weight == Weight::Warn).then(|| view! { <span aria-hidden="true">"▲ "</span> })} {row.answer}
                    {beside.take()}
                </td>
            </tr>
        }
    };
    view! {
        <table class="verdicts">
            <caption class="visually-hidden">"Verdicts"</caption>
            <tbody>{rows.into_iter().map(line).collect_view()}</tbody>
        </table>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::petri::{
        Limits,
        analysis::{Budget, Verdicts, analyse},
        pnml, samples,
    };

    fn report_of(name: &str) -> NetReport {
        let net = samples::sample(name).expect("the sample is there");
        let net = pnml::read(net.pnml.as_bytes(), &Limits::default()).expect("it can be read");
        NetReport::from(&analyse(&net, &Budget::of_memory(1 << 26)))
    }

    #[test]
    fn a_deadlock_is_told_first_with_how_far_it_is() {
        let rows = verdicts(&report_of("dining-philosophers"), None);
        assert_eq!(rows[0].question, "Can deadlock");
        assert!(rows[0].answer.starts_with("yes, after "), "{}", rows[0].answer);
        assert_eq!(rows[0].weight, Weight::Warn);
    }

    #[test]
    fn what_ran_out_is_named() {
        let took = Some(Duration::from_millis(20_400));
        let mut report = report_of("dining-philosophers");
        assert!(extent(&report).ends_with(": all there are."), "{}", extent(&report));
        report.verdicts.live = Verdict::NOT_DECIDED;
        report.hit = Some(Resource::Time);
        assert_eq!(verdicts(&report, took)[1].answer, "not decided: the time of 20 s was used up");
        report.hit = Some(Resource::Memory);
        assert_eq!(verdicts(&report, took)[1].answer, "not decided: the memory was used up");
        (report.hit, report.unbounded_place) = (None, Some(0));
        report.verdicts.states = Verdict::NOT_DECIDED;
        assert_eq!(verdicts(&report, took)[4].answer, "without end");
    }

    #[test]
    fn what_is_not_known_is_never_a_no() {
        let none = NetReport { verdicts: Verdicts::NONE, dead_transitions: None, ..report_of("two-locks") };
        assert!(verdicts(&none, None).iter().all(|row| row.answer == "not decided"));
    }
}
