//! A net drawn in full: SVG that the server renders and the browser keeps live.

use super::{
    Node,
    geometry::{DOTS, Sizes, dots, lines, name_lines},
    marking::Marking,
    pan_zoom::{PanZoom, PanZoomSpace},
};
use crate::app::components::format;
use leptos::{ev, prelude::*};
use std::{collections::HashSet, sync::Arc};

/// Up to so many nodes all names show.
const NAMED: usize = 70;

type Highlighted = RwSignal<Arc<HashSet<Node>>>;

#[component]
pub fn Drawing(
    marking: Marking,
    selected: RwSignal<Option<Node>>,
    highlighted: Highlighted,
    pan_zoom: PanZoom,
) -> impl IntoView {
    let graph = marking.graph.clone();
    let sizes = Sizes::of(&graph);
    let arcs = lines(&graph, sizes);
    // Names of so many nodes would be one grey carpet: then they show where one looks.
    let crowded = graph.places.len() + graph.transitions.len() > NAMED;
    let places = (0..graph.places.len())
        .map(|i| view! { <Place marking=marking.clone() i selected highlighted sizes/> })
        .collect_view();
    let transitions = (0..graph.transitions.len())
        .map(|i| view! { <Transition marking=marking.clone() i selected highlighted sizes/> })
        .collect_view();
    view! {
        <PanZoomSpace pan_zoom>
        <svg
            class="drawing"
            class:crowded=crowded
            font-size=format!("{:.1}", sizes.name)
            viewBox=move || pan_zoom.view_box()
            preserveAspectRatio="xMidYMid meet"
            role="group"
            aria-label=format!("Drawing of {}", graph.name)
        >
            <defs>
                <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
                    <path class="arrow" d="M0 0.5L8 4L0 7.5Z"></path>
                </marker>
            </defs>
            <g class="arcs">
                {arcs
                    .into_iter()
                    .map(|line| {
                        view! {
                            <path class="arc" d=line.path marker-end="url(#arrow)"></path>
                            {line
                                .weight
                                .map(|(x, y, weight)| {
                                    view! {
                                        <text class="weight" x=format!("{x:.1}") y=format!("{y:.1}")>
                                            {format::count(weight)}
                                        </text>
                                    }
                                })}
                        }
                    })
                    .collect_view()}
            </g>
            {transitions} {places}
        </svg>
        </PanZoomSpace>
    }
    .into_any()
}

/// Selects on click, Enter and Space.
fn select(
    selected: RwSignal<Option<Node>>,
    node: Node,
) -> (impl Fn(ev::MouseEvent), impl Fn(ev::KeyboardEvent)) {
    let on_click = move |_| selected.set(Some(node));
    let on_key = move |event: ev::KeyboardEvent| {
        if matches!(event.key().as_str(), "Enter" | " ") {
            event.prevent_default();
            selected.set(Some(node));
        }
    };
    (on_click, on_key)
}

#[component]
fn Place(
    marking: Marking,
    i: usize,
    selected: RwSignal<Option<Node>>,
    highlighted: Highlighted,
    sizes: Sizes,
) -> impl IntoView {
    let place = marking.graph.places[i].clone();
    let (x, y) = (place.x, place.y);
    let tokens = marking.tokens[i].clone();
    let tokens = Memo::new(move |_| tokens.get());
    let node = Node::Place(i);
    let (on_click, on_key) = select(selected, node);
    let is_selected = Memo::new(move |_| selected.get() == Some(node));
    let stands_out = Memo::new(move |_| highlighted.with(|all| all.contains(&node)));
    let name = place.name.clone();
    view! {
        <g
            class="place"
            class:selected=move || is_selected.get()
            class:highlighted=move || stands_out.get()
            tabindex="0"
            role="button"
            aria-pressed=move || is_selected.get().to_string()
            aria-label=move || format!("Place {name}, {}", format::counted(tokens.get() as usize, "token", "tokens"))
            data-place=place.id
            data-tokens=move || tokens.get().to_string()
            on:click=on_click
            on:keydown=on_key
        >
            <title>{place.name.clone()}</title>
            <circle class="place-shape" cx=x.to_string() cy=y.to_string() r=format!("{:.1}", sizes.place)></circle>
            <path class="tokens" d=move || dots(x, y, tokens.get(), sizes.scale)></path>
            <text aria-hidden="true" class="token-count" font-size=format!("{:.1}", 14.0 * sizes.scale) x=x.to_string() y=y.to_string()>
                {move || if tokens.get() > DOTS { number(tokens.get()) } else { String::new() }}
            </text>
            <Name name=place.name x y=y + sizes.place sizes/>
        </g>
    }
    .into_any()
}

/// The name of a node that ends at `y`, below it; the whole of it is the node's title.
#[component]
fn Name(name: String, x: f32, y: f32, sizes: Sizes) -> impl IntoView {
    let lines = name_lines(&name);
    let last = lines.len().saturating_sub(1);
    // A blank between the lines: to whom they are read they are one name.
    let line = |(n, line): (usize, String)| {
        let line = if n < last { line + " " } else { line };
        let y = y + sizes.name * (1.0 + 1.1 * n as f32);
        view! { <tspan x=x.to_string() y=format!("{y:.1}")>{line}</tspan> }
    };
    let lines = lines.into_iter().enumerate().map(line).collect_view();
    view! {
        <text aria-hidden="true" class="node-name">
            {lines}
        </text>
    }
    .into_any()
}

/// A number that fits into a place.
fn number(n: u64) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..1_000_000 => format!("{}k", n / 1_000),
        1_000_000..1_000_000_000 => format!("{}M", n / 1_000_000),
        _ => format!("{:.0e}", n as f64),
    }
}

#[component]
fn Transition(
    marking: Marking,
    i: usize,
    selected: RwSignal<Option<Node>>,
    highlighted: Highlighted,
    sizes: Sizes,
) -> impl IntoView {
    let transition = marking.graph.transitions[i].clone();
    let (x, y) = (transition.x, transition.y);
    let enabled = marking.enabled[i].clone();
    let enabled = Memo::new(move |_| enabled.get());
    let node = Node::Transition(i);
    let (on_click, on_key) = select(selected, node);
    let is_selected = Memo::new(move |_| selected.get() == Some(node));
    let stands_out = Memo::new(move |_| highlighted.with(|all| all.contains(&node)));
    // Only where a path is replayed: others have nobody to tell them, and there may be thousands.
    let turn = marking.around.clone().map(|around| {
        Memo::new(move |_| {
            let (last, next) = around.get();
            (last == Some(i), next == Some(i))
        })
    });
    let is_last = move || turn.is_some_and(|turn| turn.get().0);
    let is_next = move || turn.is_some_and(|turn| turn.get().1);
    let name = transition.name.clone();
    let half = sizes.transition;
    let side = format!("{:.1}", half * 2.0);
    view! {
        <g
            class="transition"
            class:enabled=move || enabled.get()
            class:selected=move || is_selected.get()
            class:highlighted=move || stands_out.get()
            class:fired-last=is_last
            class:comes-next=is_next
            tabindex="0"
            role="button"
            aria-pressed=move || is_selected.get().to_string()
            aria-label=move || {
                let enabled = if enabled.get() { ", enabled" } else { "" };
                let last = if is_last() { ", fired last" } else { "" };
                let next = if is_next() { ", fires next" } else { "" };
                format!("Transition {name}{enabled}{last}{next}")
            }
            data-transition=transition.id
            on:click=on_click
            on:keydown=on_key
        >
            <title>{transition.name.clone()}</title>
            <rect
                class="transition-shape"
                x=format!("{:.1}", x - half)
                y=format!("{:.1}", y - half)
                width=side.clone()
                height=side
                rx="2"
            ></rect>
            <Name name=transition.name x y=y + sizes.transition sizes/>
        </g>
    }
    .into_any()
}
