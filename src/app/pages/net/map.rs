//! A net too large to draw in full: a map that the browser paints, with pan and zoom, still live.

use super::{Node, marking::Marking};
use leptos::{ev, html, prelude::*};

/// What part of the net is seen: `scale` pixels a drawing unit, (`x`, `y`) at the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    pub x: f64,
    pub y: f64,
    pub scale: f64,
}

impl Camera {
    /// The whole of a drawing in a space of `width` × `height` pixels.
    #[cfg_attr(not(any(feature = "browser", test)), expect(dead_code))]
    pub fn fit(drawing: (f64, f64), width: f64, height: f64) -> Camera {
        let scale = (width / drawing.0.max(1.0)).min(height / drawing.1.max(1.0)).min(2.0);
        Camera { x: (drawing.0 - width / scale) / 2.0, y: (drawing.1 - height / scale) / 2.0, scale }
    }

    /// Closer by `factor`, keeping what is at pixel (`px`, `py`) there.
    pub fn zoom(self, factor: f64, px: f64, py: f64) -> Camera {
        let scale = (self.scale * factor).clamp(0.005, 8.0);
        let (x, y) = self.drawing(px, py);
        Camera { x: x - px / scale, y: y - py / scale, scale }
    }

    /// Where in the drawing a pixel is.
    pub fn drawing(self, px: f64, py: f64) -> (f64, f64) {
        (self.x + px / self.scale, self.y + py / self.scale)
    }
}

#[component]
pub fn Map(marking: Marking, selected: RwSignal<Option<Node>>) -> impl IntoView {
    let canvas = NodeRef::<html::Canvas>::new();
    let camera = RwSignal::new(None::<Camera>);
    let drag = RwSignal::new(None::<(f64, f64, bool)>);
    let graph = marking.graph.clone();
    #[cfg(feature = "browser")]
    paint::keep_painted(marking.clone(), canvas, camera, selected);
    let change = move |with: &dyn Fn(Camera) -> Camera| camera.update(|camera| *camera = camera.map(with));
    let on_wheel = move |event: ev::WheelEvent| {
        event.prevent_default();
        let factor = (-event.delta_y() * 0.0015).exp();
        let (px, py) = (f64::from(event.offset_x()), f64::from(event.offset_y()));
        change(&|camera: Camera| camera.zoom(factor, px, py));
    };
    let on_down = move |event: ev::PointerEvent| {
        drag.set(Some((event.offset_x().into(), event.offset_y().into(), false)))
    };
    let on_move = move |event: ev::PointerEvent| {
        let Some((px, py, moved)) = drag.get_untracked() else { return };
        let (nx, ny) = (f64::from(event.offset_x()), f64::from(event.offset_y()));
        if moved || (nx - px).hypot(ny - py) > 3.0 {
            change(&|camera: Camera| Camera {
                x: camera.x - (nx - px) / camera.scale,
                y: camera.y - (ny - py) / camera.scale,
                ..camera
            });
            drag.set(Some((nx, ny, true)));
        }
    };
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
    let on_up = move |event: ev::PointerEvent| {
        let clicked = drag.get_untracked().is_some_and(|(_, _, moved)| !moved);
        drag.set(None);
        if let (true, Some(camera)) = (clicked, camera.get_untracked()) {
            let (x, y) = camera.drawing(event.offset_x().into(), event.offset_y().into());
            selected.set(nearest(x, y, 24.0_f64.max(12.0 / camera.scale)));
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        let step = 60.0;
        let pan = |dx: f64, dy: f64| {
            change(&move |camera: Camera| Camera {
                x: camera.x + dx / camera.scale,
                y: camera.y + dy / camera.scale,
                ..camera
            });
        };
        match event.key().as_str() {
            "ArrowLeft" => pan(-step, 0.0),
            "ArrowRight" => pan(step, 0.0),
            "ArrowUp" => pan(0.0, -step),
            "ArrowDown" => pan(0.0, step),
            "+" | "=" => change(&|camera: Camera| camera.zoom(1.25, 300.0, 200.0)),
            "-" => change(&|camera: Camera| camera.zoom(0.8, 300.0, 200.0)),
            "0" => camera.set(None),
            _ => return,
        }
        event.prevent_default();
    };
    view! {
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
            on:wheel=on_wheel
            on:pointerdown=on_down
            on:pointermove=on_move
            on:pointerup=on_up
            on:pointerleave=move |_| drag.set(None)
            on:keydown=on_key
        ></canvas>
        <div class="map-tools">
            <button type="button" class="button" on:click=move |_| camera.set(None)>
                "Show all"
            </button>
        </div>
    }
    .into_any()
}

#[cfg(feature = "browser")]
mod paint {
    use super::{Camera, Marking, Node};
    use crate::app::{
        live::canvas::{Pen, Size, watch_size},
        pages::net::geometry::{PLACE, TRANSITION, short},
    };
    use leptos::{html, prelude::*};

    /// Paints when something that is seen changed, once a frame at most.
    pub fn keep_painted(
        marking: Marking,
        canvas: NodeRef<html::Canvas>,
        camera: RwSignal<Option<Camera>>,
        selected: RwSignal<Option<Node>>,
    ) {
        let size = RwSignal::new(None::<Size>);
        watch_size(canvas, size);
        let graph = marking.graph.clone();
        Effect::new(move |_| {
            let (Some(canvas), Some(size)) = (canvas.get(), size.get()) else { return };
            marking.frame.track();
            let fit = Camera::fit((graph.width.into(), graph.height.into()), size.width, size.height);
            let Some(camera_now) = camera.get() else {
                camera.set(Some(fit));
                return;
            };
            if let Some(pen) = Pen::on(&canvas, size) {
                paint(&pen, &marking, camera_now, selected.get());
            }
        });
    }

    fn paint(pen: &Pen, marking: &Marking, camera: Camera, selected: Option<Node>) {
        let graph = &marking.graph;
        pen.clear();
        let at = |x: f32, y: f32| {
            ((f64::from(x) - camera.x) * camera.scale, (f64::from(y) - camera.y) * camera.scale)
        };
        let seen = |(x, y): (f64, f64)| pen.holds(x, y, 40.0);
        // Lines only where they can be told apart.
        if camera.scale > 0.06 {
            pen.lines(
                "--line-strong",
                graph.inputs.iter().chain(&graph.outputs).filter_map(|arc| {
                    let place = graph.places.get(arc.place.index())?;
                    let transition = graph.transitions.get(arc.transition.index())?;
                    let (from, to) = (at(place.x, place.y), at(transition.x, transition.y));
                    (seen(from) || seen(to)).then_some((from, to))
                }),
            );
        }
        let radius = (f64::from(PLACE) * camera.scale).max(1.0);
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
        pen.circles(
            "--surface",
            "--ink-quiet",
            radius,
            places().filter(|(i, _)| tokens(*i) == 0).map(|(_, p)| p),
        );
        pen.circles(
            "--token-fill",
            "--ink",
            radius,
            places().filter(|(i, _)| tokens(*i) > 0).map(|(_, p)| p),
        );
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
}

#[cfg(test)]
mod tests {
    use super::Camera;

    #[test]
    fn zooming_keeps_what_is_under_the_pointer() {
        let camera = Camera::fit((1_000.0, 500.0), 400.0, 400.0);
        let before = camera.drawing(120.0, 80.0);
        let after = camera.zoom(1.7, 120.0, 80.0).drawing(120.0, 80.0);
        assert!((before.0 - after.0).abs() < 1e-6 && (before.1 - after.1).abs() < 1e-6);
    }

    #[test]
    fn fitting_shows_the_whole_drawing_in_the_middle() {
        let camera = Camera::fit((1_000.0, 500.0), 500.0, 500.0);
        assert_eq!(camera, Camera { x: 0.0, y: -250.0, scale: 0.5 });
    }
}
