//! The verdicts and what goes with them.

use super::{
    super::{Node, bench::Bench},
    invariants::{Cycles, Sums},
    words,
};
use crate::{
    app::{
        build_actions::Built,
        components::{TimeOfDay, format, use_toasts},
        live::frames::step_by_step,
        pages::parts::{Row, VerdictTable, extent, verdicts},
    },
    petri::report::{BuildLine, BuildReport},
};
use leptos::prelude::*;
use std::sync::Arc;

/// Names shown before "and so many more".
const SHOWN: usize = 12;
/// Firings of a path that are named at first.
const NAMED: usize = 50;

/// The parts, one after the other: those of a large net are made in a frame each.
const PARTS: u8 = 3;

#[component]
pub fn Found(built: Arc<Built>, bench: Option<Bench>) -> impl IntoView {
    // A large net has no page from the server that this would have to be the same as.
    let large = bench.as_ref().is_some_and(|bench| bench.large);
    let made = RwSignal::new(if large { 0 } else { PARTS });
    step_by_step(made, PARTS);
    let part = move |n: u8| Memo::new(move |_| made.get() >= n);
    let answered = built.report.report.is_some().then_some(bench).flatten();
    let answers = answered.map(|bench| {
        let (first, second, third) = (part(1), part(2), part(3));
        let (verdicts, sums, cycles) = (built.clone(), built.clone(), built.clone());
        let (for_verdicts, for_sums, for_cycles) = (bench.clone(), bench.clone(), bench);
        view! {
            {move || {
                let (built, bench) = (verdicts.clone(), for_verdicts.clone());
                first.get().then(|| view! { <Answers built bench/> })
            }}
            {move || {
                let kept = sums.report.report.as_ref().filter(|_| second.get())?.place_invariants.clone();
                Some(view! { <Sums kept bench=for_sums.clone()/> })
            }}
            {move || {
                let kept = cycles.report.report.as_ref().filter(|_| third.get())?.transition_invariants.clone();
                Some(view! { <Cycles kept bench=for_cycles.clone()/> })
            }}
        }
        .into_any()
    });
    let last = part(PARTS);
    let rest = move || {
        let BuildReport { structure, log, .. } = &built.report;
        last.get().then(|| {
            let shape = structure.as_ref().map(words::structure);
            view! {
                {shape.map(|shape| view! { <h3>"Structure"</h3> <p>{shape}</p> })}
                <Log log=log.clone()/>
            }
        })
    };
    view! { {answers} {rest} }.into_any()
}

/// What was asked of every net, and what is not as it should be.
#[component]
fn Answers(built: Arc<Built>, bench: Bench) -> impl IntoView {
    let BuildReport { build, report, .. } = &built.report;
    let report = report.as_ref()?;
    let took = build.started_at.zip(build.finished_at).map(|(from, to)| to.since(from));
    let rows = verdicts(report, took);
    let path = report.deadlock_path.clone().unwrap_or_default();
    let dead = report.dead_transitions.clone().unwrap_or_default();
    Some(
        view! {
            <Verdicts rows path bench=bench.clone()/>
            <p class="quiet-text">{extent(report)}</p>
            <Unbounded place=report.unbounded_place bench=bench.clone()/>
            <Dead dead bench/>
        }
        .into_any(),
    )
}

#[component]
fn Verdicts(rows: [Row; 8], path: Vec<u32>, bench: Bench) -> impl IntoView {
    let toasts = use_toasts();
    let path = StoredValue::new(path);
    let has_path = path.with_value(|path| !path.is_empty());
    let count = path.with_value(Vec::len);
    let named = RwSignal::new(NAMED);
    let graph = bench.graph.clone();
    let name = move |at: usize| {
        let t = path.with_value(|path| path.get(at).copied()).and_then(|t| usize::try_from(t).ok());
        t.and_then(|t| graph.transitions.get(t)).map(|it| it.name.clone()).unwrap_or_default()
    };
    let replaying = bench.replay;
    let show = move |_| {
        if !path.with_value(|path| bench.replay(path)) {
            toasts.error("The path cannot be replayed: it is not one of the net that is drawn.".to_owned());
        }
    };
    let of_deadlock = has_path.then(|| {
        view! {
            <span class="needs-script">
                " "
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
                            <For
                                each=move || 0..named.get().min(count)
                                key=|at| *at
                                children=move |at| view! { <li>{name(at)}</li> }
                            />
                        </ol>
                        <More shown=named count/>
                    </details>
                }
            })}
    }
    .into_any()
}

#[component]
fn Unbounded(place: Option<u32>, bench: Bench) -> impl IntoView {
    let place = place? as usize;
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
fn Dead(dead: Vec<u32>, bench: Bench) -> impl IntoView {
    let count = dead.len();
    if count == 0 {
        return None;
    }
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
