//! Sums of tokens that no firing changes, with what they are now; and firings that lead back to where they began.

use super::{
    super::{Node, bench::Bench},
    found::More,
    words::{sum, value},
};
use crate::{
    app::components::format,
    petri::{analysis::invariants::Weights, report::KeptInvariants},
};
use leptos::prelude::*;
use std::{collections::HashSet, sync::Arc};

/// Terms of a sum that are written out.
const TERMS: usize = 8;
/// Sums shown at first.
const FIRST: usize = 10;
/// With more weights than this in all of them together, only the sums on the page are watched.
const WATCHED: usize = 10_000;

type List = Arc<[Weights]>;

/// How many there are, as far as it is known.
fn counted(kept: &KeptInvariants, one: &str, many: &str) -> String {
    let found = format::counted(kept.found, one, many);
    match (kept.found > kept.semiflows.len(), kept.complete) {
        (true, true) => {
            format!("{found}; the smallest {} are here", format::count(kept.semiflows.len() as u64))
        }
        (true, false) => format!(
            "{found} found, there are more; the smallest {} are here",
            format::count(kept.semiflows.len() as u64)
        ),
        (false, true) => found,
        (false, false) => format!("{found} found, there may be more"),
    }
}

#[component]
pub fn Sums(kept: KeptInvariants, bench: Bench) -> impl IntoView {
    let said = counted(&kept, "sum", "sums");
    let list: List = kept.semiflows.into();
    let count = list.len();
    let shown = RwSignal::new(FIRST);
    let all: usize = list.iter().map(Vec::len).sum();
    let broken = Memo::new({
        let (list, bench) = (list.clone(), bench.clone());
        move |_| {
            if all > WATCHED {
                return 0;
            }
            let marking = bench.shown();
            marking.frame.track();
            let now = |place: usize| marking.tokens.get(place).map(|tokens| tokens.get_untracked());
            let first = |place: usize| bench.graph.places.get(place).map(|place| place.initial);
            list.iter().filter(|weights| value(weights, now) != value(weights, first)).count()
        }
    });
    let row =
        move |n: usize| list.get(n).cloned().map(|weights| view! { <Sum weights bench=bench.clone()/> });
    view! {
        <h3>"Sums that stay " <span class="quiet-text">{said}</span></h3>
        {move || {
            (broken.get() > 0)
                .then(|| {
                    view! {
                        <p class="notice tone-bad" role="alert">
                            {format!(
                                "{} not what {} at first. No firing does that: tokens were injected, or what runs is not this net.",
                                if broken.get() == 1 { "A sum is".to_owned() } else { format!("{} sums are", broken.get()) },
                                if broken.get() == 1 { "it was" } else { "they were" },
                            )}
                        </p>
                    }
                })
        }}
        {(count == 0).then(|| view! { <p class="quiet-text">"None: no weighted sum of tokens stays the same."</p> })}
        <ul class="sums" aria-label="Sums that stay">
            <For each=move || 0..shown.get().min(count) key=|n| *n children=row/>
        </ul>
        <More shown count/>
    }
    .into_any()
}

/// Makes these stand out, or not any more.
fn toggle(highlighted: RwSignal<Arc<HashSet<Node>>>, nodes: &Arc<HashSet<Node>>) {
    let out = highlighted.with_untracked(|now| Arc::ptr_eq(now, nodes));
    highlighted.set(if out { Arc::default() } else { nodes.clone() });
}

#[component]
fn Sum(weights: Weights, bench: Bench) -> impl IntoView {
    let graph = bench.graph.clone();
    let place = |n: u32| graph.places.get(n as usize);
    let text = sum(&weights, TERMS, |n| place(n).map(|place| place.name.clone()).unwrap_or_default());
    let first = value(&weights, |n| graph.places.get(n).map(|place| place.initial));
    let nodes: Arc<HashSet<Node>> = Arc::new(weights.iter().map(|(n, _)| Node::Place(*n as usize)).collect());
    let highlighted = bench.highlighted;
    let now = Memo::new(move |_| {
        let marking = bench.shown();
        marking.frame.track();
        value(&weights, |n| marking.tokens.get(n).map(|tokens| tokens.get_untracked()))
    });
    let pressed = Memo::new({
        let nodes = nodes.clone();
        move |_| highlighted.with(|now| Arc::ptr_eq(now, &nodes))
    });
    view! {
        <li class="sum" class:broken=move || now.get() != first>
            <button
                type="button"
                class="sum-terms"
                title="Show its places"
                aria-pressed=move || pressed.get().to_string()
                on:click=move |_| toggle(highlighted, &nodes)
            >
                {text}
            </button>
            <span class="sum-value">
                " = "
                <strong>{move || now.get().to_string()}</strong>
                {move || (now.get() != first).then(|| format!(" ✕ was {first} at first"))}
            </span>
        </li>
    }
    .into_any()
}

#[component]
pub fn Cycles(kept: KeptInvariants, bench: Bench) -> impl IntoView {
    let said = counted(&kept, "cycle", "cycles");
    let list: List = kept.semiflows.into();
    let count = list.len();
    let shown = RwSignal::new(FIRST);
    let row =
        move |n: usize| list.get(n).cloned().map(|weights| view! { <Cycle weights bench=bench.clone()/> });
    (count > 0).then(|| {
        view! {
            <h3>"Firings that change nothing together " <span class="quiet-text">{said}</span></h3>
            <ul class="sums" aria-label="Firings that change nothing together">
                <For each=move || 0..shown.get().min(count) key=|n| *n children=row.clone()/>
            </ul>
            <More shown count/>
        }
    })
}

#[component]
fn Cycle(weights: Weights, bench: Bench) -> impl IntoView {
    let graph = bench.graph.clone();
    let name = |n: u32| graph.transitions.get(n as usize).map(|it| it.name.clone()).unwrap_or_default();
    let text = sum(&weights, TERMS, name);
    let nodes: Arc<HashSet<Node>> =
        Arc::new(weights.iter().map(|(n, _)| Node::Transition(*n as usize)).collect());
    let highlighted = bench.highlighted;
    let pressed = Memo::new({
        let nodes = nodes.clone();
        move |_| highlighted.with(|now| Arc::ptr_eq(now, &nodes))
    });
    view! {
        <li class="sum">
            <button
                type="button"
                class="sum-terms"
                title="Show its transitions"
                aria-pressed=move || pressed.get().to_string()
                on:click=move |_| toggle(highlighted, &nodes)
            >
                {text}
            </button>
        </li>
    }
    .into_any()
}
