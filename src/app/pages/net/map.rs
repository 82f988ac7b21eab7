//! A net too large to draw in full: a map that the browser paints, with pan and zoom, still live.

use super::{
    Node,
    marking::Marking,
    pan_zoom::{PanZoom, PanZoomSpace},
};
use leptos::{ev, html, prelude::*};
use std::{collections::HashSet, sync::Arc};

/// All of a map is seen no closer than this: beyond, it is one to look around in.
pub const MOST: f64 = 2.0;

#[component]
pub fn Map(
    marking: Marking,
    selected: RwSignal<Option<Node>>,
    highlighted: RwSignal<Arc<HashSet<Node>>>,
    pan_zoom: PanZoom,
) -> impl IntoView {
    let canvas = NodeRef::<html::Canvas>::new();
    let graph = marking.graph.clone();
    #[cfg(feature = "browser")]
    paint::keep_painted(marking.clone(), canvas, pan_zoom, selected, highlighted);
    #[cfg(not(feature = "browser"))]
    let _ = highlighted;
    let nearest = {
        let graph = graph.clone();
        move |x: f64, y: f64, within: f64| {
            let places = graph.places.iter().enumerate().map(|(i, place)| (Node::Place(i), place.x, place.y));
            let transitions =
                graph.transitions.iter().enumerate().map(|(i, t)| (Node::Transition(i), t.x, t.y));
            let near = places
                .chain(transitions)
                .map(|(node, nx, ny)| (node, (f64::from(nx) - x).hypot(f64::from(ny) - y)));
            near.filter(|(_, d)| *d <= within).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(node, _)| node)
        }
    };
    let on_click = move |event: ev::MouseEvent| {
        if let Some(spot) = crate::app::live::pointer::spot(&event) {
            let camera = untrack(|| pan_zoom.seen(spot.width, spot.height));
            let (x, y) = camera.drawing(spot.x, spot.y);
            selected.set(nearest(x, y, 24.0_f64.max(12.0 / camera.scale)));
        }
    };
    view! {
        <PanZoomSpace pan_zoom>
            <canvas
                class="map"
                node_ref=canvas
                tabindex="0"
                role="img"
                aria-label=format!(
                    "Map of {}: {} places and {} transitions. Arrow keys move, plus and minus zoom, 0 shows all.",
                    graph.name,
                    graph.places.len(),
                    graph.transitions.len(),
                )
                on:click=on_click
            ></canvas>
        </PanZoomSpace>
    }
    .into_any()
}

#[cfg(feature = "browser")]
mod paint {
    use super::{Marking, Node, PanZoom};
    use crate::app::{
        live::canvas::{Pen, Size, watch_size},
        pages::net::{
            camera::Camera,
            geometry::{PLACE, TRANSITION, short},
        },
    };
    use crate::petri::graph::GraphArc;
    use leptos::{html, prelude::*};
    use std::{collections::HashSet, sync::Arc};

    /// Lines painted at once.
    const MOST_LINES: usize = 8_000;
    /// From so many pixels of radius on a place is round.
    const ROUND: f64 = 2.0;

    /// Paints when something that is seen changed, once a frame at most.
    pub fn keep_painted(
        marking: Marking,
        canvas: NodeRef<html::Canvas>,
        pan_zoom: PanZoom,
        selected: RwSignal<Option<Node>>,
        highlighted: RwSignal<Arc<HashSet<Node>>>,
    ) {
        let size = RwSignal::new(None::<Size>);
        watch_size(canvas, size);
        Effect::new(move |_| {
            let (Some(canvas), Some(size)) = (canvas.get(), size.get()) else { return };
            marking.frame.track();
            let camera = pan_zoom.seen(size.width, size.height);
            if let Some(pen) = Pen::on(&canvas, size) {
                paint(&pen, &marking, camera, selected.get(), &highlighted.get());
            }
        });
    }

    fn paint(
        pen: &Pen,
        marking: &Marking,
        camera: Camera,
        selected: Option<Node>,
        highlighted: &HashSet<Node>,
    ) {
        let graph = &marking.graph;
        pen.clear();
        let at = |x: f32, y: f32| {
            ((f64::from(x) - camera.x) * camera.scale, (f64::from(y) - camera.y) * camera.scale)
        };
        let seen = |(x, y): (f64, f64)| pen.holds(x, y, 40.0);
        // Lines only where they can be told apart.
        if camera.scale > 0.06 {
            let arcs = graph.inputs.iter().chain(&graph.outputs);
            let ends = |arc: &GraphArc| {
                let place = graph.places.get(arc.place.index())?;
                let transition = graph.transitions.get(arc.transition.index())?;
                let (from, to) = (at(place.x, place.y), at(transition.x, transition.y));
                (seen(from) || seen(to)).then_some((from, to))
            };
            // Of more lines than this a part shows the shape as well, and in time for the next frame.
            let every = 1 + arcs.clone().filter(|arc| ends(arc).is_some()).count() / MOST_LINES;
            pen.lines(
                "--line-strong",
                // Where lines lie close together they must not become one grey surface.
                (camera.scale * 2.5).clamp(0.1, 1.0),
                arcs.filter_map(ends).step_by(every),
            );
        }
        let radius = (f64::from(PLACE) * camera.scale).max(1.0);
        if !highlighted.is_empty() {
            // Behind the nodes, and seen from any distance.
            let points = highlighted.iter().filter_map(|node| match *node {
                Node::Place(i) => graph.places.get(i).map(|it| at(it.x, it.y)),
                Node::Transition(i) => graph.transitions.get(i).map(|it| at(it.x, it.y)),
            });
            pen.circles("--warn-soft", "--warn", radius + 4.0, points.filter(|p| seen(*p)));
        }
        let half = (f64::from(TRANSITION) * camera.scale).max(1.0);
        let places = || {
            graph
                .places
                .iter()
                .enumerate()
                .map(|(i, place)| (i, at(place.x, place.y)))
                .filter(|(_, p)| seen(*p))
        };
        let tokens = |i: usize| marking.tokens.get(i).map_or(0, |tokens| tokens.get_untracked());
        let empty = places().filter(|(i, _)| tokens(*i) == 0).map(|(_, p)| p);
        let marked = places().filter(|(i, _)| tokens(*i) > 0).map(|(_, p)| p);
        if radius < ROUND {
            // No eye tells these from circles, and they are painted in a fraction of the time.
            pen.squares("--surface", "--ink-quiet", radius, empty);
            pen.squares("--token-fill", "--ink", radius, marked);
        } else {
            pen.circles("--surface", "--ink-quiet", radius, empty);
            pen.circles("--token-fill", "--ink", radius, marked);
        }
        let transitions =
            || graph.transitions.iter().enumerate().map(|(i, t)| (i, at(t.x, t.y))).filter(|(_, p)| seen(*p));
        let enabled = |i: usize| marking.enabled.get(i).is_some_and(|enabled| enabled.get_untracked());
        pen.squares(
            "--surface",
            "--ink-quiet",
            half,
            transitions().filter(|(i, _)| !enabled(*i)).map(|(_, p)| p),
        );
        pen.squares("--accent", "--accent", half, transitions().filter(|(i, _)| enabled(*i)).map(|(_, p)| p));
        if camera.scale > 0.45 {
            for (i, (x, y)) in places() {
                if tokens(i) > 0 {
                    pen.text("--ink", x, y + 4.0, &tokens(i).to_string());
                }
                if camera.scale > 0.7 {
                    pen.text("--ink-quiet", x, y + radius + 12.0, &short(&graph.places[i].name));
                }
            }
            if camera.scale > 0.7 {
                for (i, (x, y)) in transitions() {
                    pen.text("--ink-quiet", x, y + half + 12.0, &short(&graph.transitions[i].name));
                }
            }
        }
        if let Some(node) = selected {
            paint_neighbours(pen, marking, camera, node);
        }
        let chosen = match selected {
            Some(Node::Place(i)) => graph.places.get(i).map(|place| at(place.x, place.y)),
            Some(Node::Transition(i)) => {
                graph.transitions.get(i).map(|transition| at(transition.x, transition.y))
            }
            None => None,
        };
        if let Some(at) = chosen {
            pen.ring("--focus", radius.max(half) + 4.0, at);
        }
    }

    /// What the selected node is joined to stands out, with names, however far away one is.
    fn paint_neighbours(pen: &Pen, marking: &Marking, camera: Camera, node: Node) {
        let graph = &marking.graph;
        let at = |x: f32, y: f32| {
            ((f64::from(x) - camera.x) * camera.scale, (f64::from(y) - camera.y) * camera.scale)
        };
        let joined = graph.inputs.iter().chain(&graph.outputs).filter(|arc| match node {
            Node::Place(i) => arc.place.index() == i,
            Node::Transition(i) => arc.transition.index() == i,
        });
        let ends: Vec<_> = joined
            .filter_map(|arc| {
                let place = graph.places.get(arc.place.index())?;
                let transition = graph.transitions.get(arc.transition.index())?;
                Some((at(place.x, place.y), at(transition.x, transition.y), place, transition))
            })
            .collect();
        pen.lines("--focus", 1.0, ends.iter().map(|(place, transition, _, _)| (*place, *transition)));
        // More names than this would hide each other.
        const NAMED: usize = 12;
        for (p, t, place, transition) in ends.iter().take(NAMED) {
            let (at, name) = match node {
                Node::Place(_) => (*t, &transition.name),
                Node::Transition(_) => (*p, &place.name),
            };
            pen.ring("--focus", (f64::from(PLACE) * camera.scale).max(3.0), at);
            pen.text("--ink", at.0, at.1 - (f64::from(PLACE) * camera.scale).max(3.0) - 5.0, &short(name));
        }
    }
}
