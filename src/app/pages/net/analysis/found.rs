//! The verdicts and what goes with them.

use super::{
    super::{Node, bench::Bench},
    invariants::{Cycles, Sums},
    words,
};
use crate::{
    app::{
        components::{TimeOfDay, format, use_toasts},
        pages::parts::{Row, VerdictTable, extent, verdicts},
    },
    petri::report::{BuildLine, BuildReport, NetReport},
};
use leptos::prelude::*;

/// Names shown before "and so many more".
const SHOWN: usize = 12;
/// Firings of a path that are named in the page.
const NAMED: usize = 200;

#[component]
pub fn Found(report: BuildReport, bench: Option<Bench>) -> impl IntoView {
    let BuildReport { build, structure, report, log } = report;
    let shape = structure.as_ref().map(words::structure);
    let answers = report.zip(bench).map(|(report, bench)| {
        let took = build.started_at.zip(build.finished_at).map(|(from, to)| to.since(from));
        let rows = verdicts(&report, took);
        let (places, transitions) = (report.place_invariants.clone(), report.transition_invariants.clone());
        let explored = extent(&report);
        view! {
            <Verdicts rows report=report.clone() bench=bench.clone()/>
            <p class="quiet-text">{explored}</p>
            <Unbounded report=report.clone() bench=bench.clone()/>
            <Dead report bench=bench.clone()/>
            <Sums kept=places bench=bench.clone()/>
            <Cycles kept=transitions bench/>
        }
        .into_any()
    });
    view! {
        {answers}
        {shape.map(|shape| view! { <h3>"Structure"</h3> <p>{shape}</p> })}
        <Log log/>
    }
    .into_any()
}

#[component]
fn Verdicts(rows: [Row; 8], report: NetReport, bench: Bench) -> impl IntoView {
    let toasts = use_toasts();
    let path = StoredValue::new(report.deadlock_path.unwrap_or_default());
    let has_path = path.with_value(|path| !path.is_empty());
    let names = {
        let graph = bench.graph.clone();
        move || {
            path.with_value(|path| {
                let name = |t: &u32| {
                    graph.transitions.get(*t as usize).map(|it| it.name.clone()).unwrap_or_default()
                };
                path.iter().take(NAMED).map(name).collect::<Vec<_>>()
            })
        }
    };
    let more = path.with_value(Vec::len).saturating_sub(NAMED);
    let replaying = bench.replay;
    let show = move |_| {
        if !path.with_value(|path| bench.replay(path)) {
            toasts.error("The path cannot be replayed: it is not one of the net that is drawn.".to_owned());
        }
    };
    let of_deadlock = has_path.then(|| {
        view! {
            <span class="needs-script">
                " · "
                <button
                    type="button"
                    class="link"
                    on:click=show
                    aria-disabled=move || replaying.with(Option::is_some).then_some("true")
                >
                    "Show the path"
                </button>
            </span>
        }
        .into_any()
    });
    view! {
        <VerdictTable rows of_deadlock/>
        {has_path
            .then(|| {
                view! {
                    <details class="path">
                        <summary>"The path to the deadlock"</summary>
                        <ol>
                            {names().into_iter().map(|name| view! { <li>{name}</li> }).collect_view()}
                        </ol>
                        {(more > 0).then(|| view! { <p class="quiet-text">{format!("and {} more", format::count(more as u64))}</p> })}
                    </details>
                }
            })}
    }
    .into_any()
}

#[component]
fn Unbounded(report: NetReport, bench: Bench) -> impl IntoView {
    let place = report.unbounded_place? as usize;
    let name = bench.graph.places.get(place)?.name.clone();
    Some(
        view! {
            <p>
                "Grows without bound: "
                <button type="button" class="link" on:click=move |_| bench.select(Node::Place(place))>
                    {name}
                </button>
            </p>
        }
        .into_any(),
    )
}

#[component]
fn Dead(report: NetReport, bench: Bench) -> impl IntoView {
    let dead = report.dead_transitions.filter(|dead| !dead.is_empty())?;
    let count = dead.len();
    let shown = RwSignal::new(SHOWN);
    let dead = StoredValue::new(dead);
    let link = move |t: u32| {
        let bench = bench.clone();
        let name = bench.graph.transitions.get(t as usize).map(|it| it.name.clone()).unwrap_or_default();
        view! {
            <li>
                <button type="button" class="link" on:click=move |_| bench.select(Node::Transition(t as usize))>
                    {name}
                </button>
            </li>
        }
    };
    Some(
        view! {
            <h3>{format!("Never {}: {}", if count == 1 { "fires" } else { "fire" }, format::count(count as u64))}</h3>
            <ul class="neighbours dead">
                <For
                    each=move || dead.with_value(|dead| dead.iter().take(shown.get()).copied().collect::<Vec<_>>())
                    key=|t| *t
                    children=link
                />
            </ul>
            <More shown count/>
        }
        .into_any(),
    )
}

/// Shows more of a long list, some at a time.
#[component]
pub fn More(shown: RwSignal<usize>, count: usize) -> impl IntoView {
    const STEP: usize = 50;
    move || {
        let left = count.saturating_sub(shown.get());
        (left > 0).then(|| {
            view! {
                <p class="quiet-text">
                    {format!("and {} more ", format::count(left as u64))}
                    <button type="button" class="link needs-script" on:click=move |_| shown.update(|shown| *shown += STEP)>
                        {format!("Show {} of them", format::count(left.min(STEP) as u64))}
                    </button>
                </p>
            }
        })
    }
}

#[component]
fn Log(log: Vec<BuildLine>) -> impl IntoView {
    (!log.is_empty()).then(|| {
        let line = |line: BuildLine| {
            view! {
                <li>
                    <span class="quiet-text"><TimeOfDay at=line.at/></span>
                    <span>{line.text}</span>
                </li>
            }
        };
        view! {
            <details class="build-log">
                <summary>"Build log"</summary>
                <ol>{log.into_iter().map(line).collect_view()}</ol>
            </details>
        }
    })
}
