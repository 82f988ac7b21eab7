//! What an exploration found out.

use crate::{
    app::components::{Glyph, State, StateBadge, Tone, format},
    petri::{
        NetReport,
        analysis::{Resource, Verdict},
    },
};
use leptos::prelude::*;

/// A question, and the answer: in shape, colour and word where it is a yes or a no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub question: &'static str,
    pub state: State,
}

fn number(verdict: &Verdict<u64>) -> State {
    match verdict.value() {
        Some(number) => State::new(Glyph::Dot, Tone::Quiet, format::count(*number)),
        None => undecided(),
    }
}

/// `good` is the answer that nobody has to look into.
fn yes_or_no(verdict: &Verdict<bool>, good: Option<bool>) -> State {
    let Some(yes) = verdict.value() else { return undecided() };
    let word = if *yes { "yes" } else { "no" };
    match good {
        Some(good) if good == *yes => State::new(Glyph::Check, Tone::Good, word),
        Some(_) => State::new(Glyph::Triangle, Tone::Warn, word),
        None => State::new(Glyph::Dot, Tone::Quiet, word),
    }
}

fn undecided() -> State {
    State::new(Glyph::Dashed, Tone::Quiet, "not decided")
}

/// The eight verdicts, in the order in which they are asked.
pub fn answers(report: &NetReport) -> Vec<Answer> {
    let verdicts = &report.verdicts;
    let answer = |question, state| Answer { question, state };
    vec![
        answer("Can it come to a deadlock?", yes_or_no(&verdicts.deadlock, Some(false))),
        answer("Can every transition fire again, whatever happened?", yes_or_no(&verdicts.live, Some(true))),
        answer("Does every transition fire in some run?", yes_or_no(&verdicts.quasi_live, Some(true))),
        answer("Never two tokens on a place?", yes_or_no(&verdicts.one_safe, None)),
        answer("Reachable markings", number(&verdicts.states)),
        answer("Steps between them", number(&verdicts.edges)),
        answer("Most tokens on a place", number(&verdicts.max_tokens_in_place)),
        answer("Most tokens in all", number(&verdicts.max_tokens_per_marking)),
    ]
}

/// How far it went, and why no further.
pub fn extent(report: &NetReport) -> String {
    let explored = &report.explored;
    let seen = format!(
        "{} and {} seen, in {}",
        format::counted(explored.states as usize, "marking", "markings"),
        format::counted(explored.edges as usize, "step", "steps"),
        format::bytes(explored.bytes)
    );
    match (explored.complete, report.hit, report.unbounded_place, report.too_many_tokens) {
        (true, ..) => format!("{seen}: all there are."),
        (_, _, Some(_), _) => {
            format!("{seen}. A place can grow without bound, so that there is no end of them.")
        }
        (_, _, _, true) => format!("{seen}. A place came to hold more tokens than are counted."),
        (_, Some(Resource::Time), ..) => format!("{seen}. The time was up; give it more to decide the rest."),
        (_, Some(Resource::Memory), ..) => {
            format!("{seen}. The memory was used up; give it more to decide the rest.")
        }
        (_, None, ..) => format!("{seen}."),
    }
}

#[component]
pub fn Verdicts(#[prop(into)] report: Signal<NetReport>) -> impl IntoView {
    view! {
        <section class="panel" aria-labelledby="lab-verdicts">
            <h2 id="lab-verdicts">"Verdicts"</h2>
            <table class="verdicts">
                <tbody>
                    {move || report.with(answers).into_iter().map(|Answer { question, state }| view! {
                        <tr>
                            <th scope="row">{question}</th>
                            <td><StateBadge state=Signal::stored(state)/></td>
                        </tr>
                    }).collect_view()}
                </tbody>
            </table>
            <p class="quiet-text">{move || report.with(extent)}</p>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::petri::{Limits, analysis, pnml, samples};

    fn report_of(name: &str) -> NetReport {
        let sample = samples::sample(name).expect("a sample");
        let net = pnml::read(sample.pnml.as_bytes(), &Limits::default()).expect("reads");
        (&analysis::analyse(&net, &analysis::Budget::of_memory(1 << 26))).into()
    }

    #[test]
    fn verdicts_read_as_answers() {
        let found = answers(&report_of("two-locks"));
        let word = |question: &str| {
            found
                .iter()
                .find(|answer| answer.question.contains(question))
                .map(|answer| answer.state.word.clone())
        };
        assert_eq!(word("deadlock").as_deref(), Some("yes"));
        assert_eq!(word("fire again").as_deref(), Some("no"));
        assert!(extent(&report_of("two-locks")).ends_with("all there are."));
    }

    #[test]
    fn what_is_not_known_is_never_a_no() {
        let none = NetReport { verdicts: analysis::Verdicts::NONE, ..report_of("two-locks") };
        assert!(answers(&none).iter().all(|answer| answer.state.word == "not decided"));
    }
}
