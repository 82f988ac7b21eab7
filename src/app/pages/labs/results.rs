//! What a lab has found: fetched with the page, and anew while it works and somebody looks.

use super::{
    plot::{Figure, Plot, PlotRow},
    words::{counted, goal_words},
};
use crate::{
    app::{
        components::{Part, ShareBar, TimeOfDay, Tone},
        error::ApiError,
        lab_actions::{lab_names, lab_results},
        lab_plan::NodeNames,
        labs::LabReport,
        live::plots::looked_at,
        pages::parts::{VerdictTable, extent, verdicts},
        store::use_store,
    },
    model::{Lab, LabGoal, LabPlan, LabState, Timestamp},
    petri::{
        NetReport, analysis,
        lab::{Estimate, estimate},
    },
    worker::protocol::LabResults,
};
use leptos::{prelude::*, task::spawn_local};
use std::sync::Arc;

/// While it works its results are asked for this often, milliseconds.
const ASK_EVERY_MS: u64 = 5_000;

#[component]
pub fn Results(lab: Memo<Arc<Lab>>) -> impl IntoView {
    let id = lab.with_untracked(|lab| lab.id);
    // As it stands now, before they are asked for: what it comes to meanwhile is not in them.
    let asked = lab.with_untracked(|lab| (lab.state, lab.revision));
    // At the same time: while rendering, what is asked for after a wait may come when the page was made already.
    let first = Resource::new_blocking(
        || (),
        move |()| async move { futures::future::join(lab_results(id), lab_names(id)).await },
    );
    view! {
        <Suspense fallback=|| view! { <p class="empty">"Fetching what it found…"</p> }>
            {move || Suspend::new(async move {
                let (found, names) = first.await;
                view! { <Found lab asked found names=names.unwrap_or_default()/> }.into_any()
            })}
        </Suspense>
    }
    .into_any()
}

/// Which kind of results there is to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    MonteCarlo,
    Exploring,
    Explored,
}

#[component]
fn Found(
    lab: Memo<Arc<Lab>>,
    /// State and revision of the lab when `found` was asked for.
    asked: (LabState, u64),
    found: Result<Option<LabReport>, ApiError>,
    names: NodeNames,
) -> impl IntoView {
    let store = use_store();
    let (found, error) = match found {
        Ok(found) => (found, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let report = RwSignal::new(found);
    let error = RwSignal::new(error);
    // What was synced, how it stands, and while it works also that time goes by.
    let turn = Memo::new(move |_| {
        let (state, revision) = lab.with(|lab| (lab.state, lab.revision));
        (state, revision, if state.is_active() { store.ticks.get() / ASK_EVERY_MS } else { 0 })
    });
    let id = lab.with_untracked(|lab| lab.id);
    let asking = StoredValue::new(false);
    Effect::new(move |before: Option<(LabState, u64, u64)>| {
        let now = turn.get();
        let before = before.unwrap_or((asked.0, asked.1, now.2));
        let only_time = (before.0, before.1) == (now.0, now.1);
        if before == now || (only_time && (!looked_at() || asking.get_value())) {
            return now;
        }
        asking.set_value(true);
        spawn_local(async move {
            match lab_results(id).await {
                Ok(found) => {
                    // What is shown is never replaced by what is older.
                    let newer = report.try_with_untracked(|shown| at(&found) >= at(shown)) == Some(true);
                    if newer || found.is_none() {
                        _ = report.try_set(found);
                    }
                    _ = error.try_set(None);
                }
                Err(wrong) => _ = error.try_set(Some(wrong.to_string())),
            }
            _ = asking.try_set_value(false);
        });
        now
    });
    let kind = Memo::new(move |_| {
        report.with(|report| match report.as_ref().map(|report| &report.results) {
            None => Kind::None,
            Some(LabResults::MonteCarlo { results }) if results.runs == 0 => Kind::None,
            Some(LabResults::MonteCarlo { .. }) => Kind::MonteCarlo,
            Some(LabResults::Explore { report: None }) => Kind::Exploring,
            Some(LabResults::Explore { .. }) => Kind::Explored,
        })
    });
    let of = Memo::new(move |_| report.with(at));
    let nothing = move || {
        lab.with(|lab| {
            let words = match lab.state {
                LabState::Idle => "Nothing yet. Start it.",
                LabState::Queued => "Nothing yet. It waits for its turn on its worker.",
                LabState::Running => "Nothing yet. It has just begun.",
                LabState::Done => lab.error.as_deref().unwrap_or("Its results are on their way."),
                LabState::Failed => "It came to its end before it found anything.",
                LabState::Lost => "It was lost before anything of it was synced.",
            };
            words.to_owned()
        })
    };
    let names = StoredValue::new(names);
    view! {
        {move || error.get().map(|error| view! { <p class="notice tone-warn" role="status">{format!("Its results could not be fetched. {error}")}</p> })}
        {move || match kind.get() {
            Kind::None => view! { <p class="panel quiet-text lab-nothing">{nothing}</p> }.into_any(),
            Kind::Exploring => view! { <p class="panel quiet-text lab-nothing">"It is exploring. Verdicts come when it has ended; how many markings it saw is above."</p> }.into_any(),
            Kind::MonteCarlo => view! { <MonteCarlo lab report names=names.get_value()/> }.into_any(),
            Kind::Explored => {
                let explored = Memo::new(move |before: Option<&Option<NetReport>>| report.with(|report| match report.as_ref().map(|report| &report.results) {
                    Some(LabResults::Explore { report: Some(report) }) => Some(NetReport::clone(report)),
                    _ => before.cloned().flatten(),
                }));
                view! {
                    <section class="panel" aria-labelledby="lab-verdicts">
                        <h2 id="lab-verdicts">"Verdicts"</h2>
                        {move || explored.with(|report| report.as_ref().map(|report| view! {
                            <VerdictTable rows=verdicts(report, None)/>
                            <p class="quiet-text">{extent(report)} {more(report)}</p>
                        }))}
                    </section>
                }.into_any()
            }
        }}
        {move || of.get().map(|at| view! { <p class="lab-as-of quiet-text">"results as of " <TimeOfDay at/></p> })}
    }
    .into_any()
}

/// What to do where something ran out.
fn more(report: &NetReport) -> Option<&'static str> {
    match report.hit? {
        analysis::Resource::Time => Some(" A lab with more time may decide the rest."),
        analysis::Resource::Memory => Some(" A lab with more memory may decide the rest."),
    }
}

fn at(report: &Option<LabReport>) -> Option<Timestamp> {
    report.as_ref().map(|report| report.at)
}

fn nothing_known() -> Estimate {
    estimate::Moments::default().estimate()
}

#[component]
fn MonteCarlo(lab: Memo<Arc<Lab>>, report: RwSignal<Option<LabReport>>, names: NodeNames) -> impl IntoView {
    // While this is shown there are such results; between two of them the last stay.
    let results = Memo::new(move |before: Option<&Option<Arc<crate::petri::lab::Results>>>| {
        report.with(|report| match report.as_ref().map(|report| &report.results) {
            Some(LabResults::MonteCarlo { results }) => Some(Arc::new(results.clone())),
            _ => before.cloned().flatten(),
        })
    });
    let plan = lab.with_untracked(|lab| lab.plan.clone());
    let (goal, timed) = match &plan {
        LabPlan::MonteCarlo { goal, rates, .. } => (goal.clone(), !rates.is_empty()),
        LabPlan::Explore { .. } => (None, false),
    };
    let goal = goal.map(|goal| match goal {
        LabGoal::Tokens { place, at_least } => {
            let named = names.places.iter().find(|(id, _)| *id == place).map(|(_, name)| name.clone());
            LabGoal::Tokens { place: named.unwrap_or(place), at_least }
        }
        LabGoal::Deadlock {} => LabGoal::Deadlock {},
    });
    let has_goal = goal.is_some();
    let of = move |get: fn(&crate::petri::lab::Results) -> Option<Estimate>| {
        Memo::new(move |_| results.with(|results| results.as_ref().and_then(|results| get(results))))
    };
    let reached = of(|results| Some(results.reached));
    let firings = of(|results| results.firings_to_goal);
    let time = of(|results| results.time_to_goal);
    let known =
        move |memo: Memo<Option<Estimate>>| Signal::derive(move || memo.get().unwrap_or_else(nothing_known));
    let ends = Memo::new(move |_| {
        results.with(|results| {
            let Some(results) = results else { return Vec::new() };
            let over = results.dead + results.limited + results.overflowed;
            let part = |tone, count: u64, word| Part { tone, count: count as usize, word };
            vec![
                part(Tone::Good, results.runs.saturating_sub(over), "reached the goal"),
                part(Tone::Warn, results.dead, "came to a deadlock"),
                part(Tone::Quiet, results.limited, "came to a limit"),
                part(Tone::Bad, results.overflowed, "had too many tokens"),
            ]
        })
    });
    let runs = Memo::new(move |_| results.with(|results| results.as_ref().map_or(0, |results| results.runs)));
    let rows = move |names: Vec<(String, String)>, get: fn(&crate::petri::lab::Results) -> &Vec<Estimate>| {
        let names = StoredValue::new(names);
        Memo::new(move |_| {
            let estimates = results
                .with(|results| results.as_ref().map(|results| get(results).clone()))
                .unwrap_or_default();
            names.with_value(|names| {
                let rows = estimates.into_iter().enumerate().map(|(n, estimate)| {
                    let (id, name) = names.get(n).cloned().unwrap_or_else(|| {
                        let number = format!("number {}", n + 1);
                        (number.clone(), number)
                    });
                    PlotRow { id, name, estimate }
                });
                Arc::new(rows.collect::<Vec<_>>())
            })
        })
    };
    let throughput = rows(names.transitions, |results| &results.throughput);
    let tokens = rows(names.places, |results| &results.tokens);
    let measures = if timed {
        "firings a unit of time; mean and 95 % interval"
    } else {
        "share of all firings; mean and 95 % interval"
    };
    view! {
        <section class="panel" aria-labelledby="lab-runs-title">
            <h2 id="lab-runs-title">{move || format!("How {} ended", counted(runs.get(), "run", "runs"))}</h2>
            <ShareBar parts=ends/>
            {goal.map(|goal| view! { <p class="lab-goal quiet-text">{format!("Goal: {}", goal_words(&goal))}</p> })}
            {has_goal.then(|| view! {
                <dl class="plot-ones">
                    <Figure label="Goal reached" estimate=known(reached) shares=true of="runs"/>
                    {move || firings.with(Option::is_some).then(|| view! { <Figure label="Firings to the goal" estimate=known(firings) unit="firings" of="runs that reached it"/> })}
                    {move || time.with(Option::is_some).then(|| view! { <Figure label="Time to the goal" estimate=known(time) unit="units of time" of="runs that reached it"/> })}
                </dl>
            })}
        </section>
        <Plot id="lab-throughput" title="Throughput" what="Transition" measures rows=throughput/>
        <Plot id="lab-tokens" title="Tokens" what="Place" measures="tokens on the average over a run; mean and 95 % interval" rows=tokens/>
    }
    .into_any()
}
