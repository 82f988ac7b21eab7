//! Two versions in one drawing: what was added, removed and changed by colour, line and sign.

use super::{
    super::geometry::{DOTS, Sizes, dots, lines, name_lines},
    compare::sign,
};
use crate::{
    app::components::format,
    petri::diff::{DiffDrawing, Mark, Marked},
};
use leptos::prelude::*;

#[component]
pub fn DiffDrawingView(drawing: DiffDrawing) -> impl IntoView {
    let DiffDrawing { graph, places, transitions, inputs, outputs, .. } = drawing;
    let sizes = Sizes::of(&graph);
    let marks = inputs.into_iter().chain(outputs);
    let arcs = lines(&graph, sizes).into_iter().zip(marks).map(|(line, marked)| {
        let weight = line.weight.map(|(_, _, weight)| weight).unwrap_or(1);
        let told = marked.was.map_or_else(
            || (weight != 1).then(|| format::count(weight)),
            |was| Some(format!("{}→{}", format::count(was), format::count(weight))),
        );
        let text = told.map(|told| {
            let (x, y) = line.beside;
            view! { <text class="weight" x=format!("{x:.1}") y=format!("{y:.1}")>{told}</text> }
        });
        view! {
            <g class=format!("diff-{}", marked.mark.word())>
                <path class="arc" d=line.path marker-end=format!("url(#diff-arrow-{})", marked.mark.word())></path>
                {text}
            </g>
        }
    });
    let shape = |marked: Marked, name: &str, what: &str, x: f32, y: f32, beside: f32| {
        let (sign, _) = sign(marked.mark);
        let label = match marked.mark {
            Mark::Same => format!("{what} {name}"),
            mark => format!("{what} {name}, {}", mark.word()),
        };
        let sign = (marked.mark != Mark::Same).then(|| {
            view! {
                <text
                    class="diff-sign"
                    aria-hidden="true"
                    font-size=format!("{:.1}", 18.0 * sizes.scale)
                    x=format!("{:.1}", x + beside)
                    y=format!("{:.1}", y - beside)
                >
                    {sign}
                </text>
            }
        });
        let lines = name_lines(name);
        let last = lines.len().saturating_sub(1);
        let lines = lines.into_iter().enumerate().map(|(n, line)| {
            // A blank between the lines: to whom they are read they are one name.
            let line = if n < last { line + " " } else { line };
            let y = y + beside + sizes.name * (1.0 + 1.1 * n as f32);
            view! { <tspan x=x.to_string() y=format!("{y:.1}")>{line}</tspan> }
        });
        let lines = lines.collect_view();
        let name = view! { <text aria-hidden="true" class="node-name">{lines}</text> };
        (label, sign, name)
    };
    let places = graph.places.iter().zip(places).map(|(place, marked)| {
        let (x, y) = (place.x, place.y);
        let (label, sign, name) = shape(marked, &place.name, "Place", x, y, sizes.place);
        let tokens = match marked.was {
            Some(was) => format!("{was}→{}", place.initial),
            None if place.initial > DOTS => place.initial.to_string(),
            None => String::new(),
        };
        let drawn = if marked.was.is_some() { String::new() } else { dots(x, y, place.initial, sizes.scale) };
        view! {
            <g class=format!("place diff-{}", marked.mark.word()) role="img" aria-label=label.clone()>
                <title>{label.clone()}</title>
                <circle class="place-shape" cx=x.to_string() cy=y.to_string() r=format!("{:.1}", sizes.place)></circle>
                <path class="tokens" d=drawn></path>
                <text aria-hidden="true" class="token-count" font-size=format!("{:.1}", 12.0 * sizes.scale) x=x.to_string() y=y.to_string()>
                    {tokens}
                </text>
                {sign} {name}
            </g>
        }
    });
    let half = sizes.transition;
    let side = format!("{:.1}", half * 2.0);
    let transitions = graph.transitions.iter().zip(transitions).map(|(transition, marked)| {
        let (x, y) = (transition.x, transition.y);
        let (label, sign, name) = shape(marked, &transition.name, "Transition", x, y, half);
        view! {
            <g class=format!("transition diff-{}", marked.mark.word()) role="img" aria-label=label.clone()>
                <title>{label.clone()}</title>
                <rect
                    class="transition-shape"
                    x=format!("{:.1}", x - half)
                    y=format!("{:.1}", y - half)
                    width=side.clone()
                    height=side.clone()
                    rx="2"
                ></rect>
                {sign} {name}
            </g>
        }
    });
    let arrow = |mark: Mark| {
        view! {
            <marker
                id=format!("diff-arrow-{}", mark.word())
                viewBox="0 0 8 8"
                refX="7"
                refY="4"
                markerWidth="7"
                markerHeight="7"
                orient="auto"
            >
                <path class=format!("arrow diff-{}", mark.word()) d="M0 0.5L8 4L0 7.5Z"></path>
            </marker>
        }
    };
    view! {
        <div class="drawing-space diff-space">
            <svg
                class="drawing diff"
                font-size=format!("{:.1}", sizes.name)
                viewBox=format!("0 0 {:.0} {:.0}", graph.width, graph.height)
                preserveAspectRatio="xMidYMid meet"
                role="group"
                aria-label=format!("Both versions of {} in one drawing", graph.name)
            >
                <defs>{[Mark::Same, Mark::Added, Mark::Removed, Mark::Changed].map(arrow).collect_view()}</defs>
                <g class="arcs">{arcs.collect_view()}</g>
                {transitions.collect_view()}
                {places.collect_view()}
            </svg>
        </div>
        <p class="diff-legend quiet-text" aria-hidden="true">
            <span class="tone-good">"+ added"</span>
            " · "
            <span class="tone-bad">"− removed (dashed)"</span>
            " · "
            <span class="tone-warn">"≠ changed"</span>
        </p>
    }
    .into_any()
}
