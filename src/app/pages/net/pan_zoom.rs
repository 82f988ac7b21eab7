//! Moving about in a drawing: by dragging, with two fingers, with Ctrl and the wheel, by keys and by buttons.

use super::camera::Camera;
use crate::app::live::pointer::{Spot, capture, middle, pointer, spot};
use leptos::{ev, html, prelude::*};

/// A pointer has to move so many pixels before that is a drag and no click.
const DRAG: f64 = 4.0;
/// Pixels that an arrow key moves.
const STEP: f64 = 60.0;
/// How much closer a key or button leads.
const CLOSER: f64 = 1.25;
/// How close a node that is looked at is seen.
const READABLE: f64 = 0.9;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Finger {
    id: i32,
    at: (f64, f64),
    moved: bool,
}

/// What part of a drawing is seen, and the hands that change it.
#[derive(Clone, Copy)]
pub struct PanZoom {
    /// `None`: all of it.
    pub camera: RwSignal<Option<Camera>>,
    pub space: NodeRef<html::Div>,
    /// Width and height of the drawing.
    drawing: (f64, f64),
    /// How close all of it may be seen.
    most: f64,
    fingers: StoredValue<Vec<Finger>>,
    /// Of the space, when the camera was last moved; pixels.
    size: StoredValue<(f64, f64)>,
    /// Whether the arrow keys move the drawing; not while they lead through a replay.
    pub keeps_arrows: StoredValue<bool>,
}

impl PanZoom {
    pub fn new(drawing: (f64, f64), most: f64) -> PanZoom {
        let drawing = (drawing.0.max(1.0), drawing.1.max(1.0));
        let (fingers, size) = (StoredValue::new(Vec::new()), StoredValue::new((1.0, 1.0)));
        let keeps_arrows = StoredValue::new(true);
        PanZoom {
            camera: RwSignal::new(None),
            space: NodeRef::new(),
            drawing,
            most,
            fingers,
            size,
            keeps_arrows,
        }
    }

    /// All of it.
    pub fn fit(self) {
        self.camera.set(None);
    }

    /// The same as a `viewBox`, tracked.
    pub fn view_box(self) -> String {
        match self.camera.get() {
            None => format!("0 0 {:.0} {:.0}", self.drawing.0, self.drawing.1),
            Some(Camera { x, y, scale }) => {
                let (width, height) = self.size.get_value();
                format!("{x:.2} {y:.2} {:.2} {:.2}", width / scale, height / scale)
            }
        }
    }

    /// The camera for a space of this size.
    pub fn seen(self, width: f64, height: f64) -> Camera {
        let fit = || Camera::fit(self.drawing, width, height, self.most);
        self.camera.get().unwrap_or_else(fit)
    }

    /// Closer by `factor`, around the middle.
    pub fn zoom(self, factor: f64) {
        if let Some(spot) = self.middle() {
            self.change(spot, |camera| camera.zoom(factor, spot.x, spot.y));
        }
    }

    /// Shows what is at (`x`, `y`) of the drawing.
    pub fn look_at(self, x: f64, y: f64) {
        if let Some(spot) = self.middle() {
            self.change(spot, |camera| camera.look_at(x, y, spot.width, spot.height, READABLE));
        }
    }

    fn middle(self) -> Option<Spot> {
        let space = self.space.get_untracked()?;
        middle(&space)
    }

    fn change(self, spot: Spot, with: impl FnOnce(Camera) -> Camera) {
        let fit = Camera::fit(self.drawing, spot.width, spot.height, self.most);
        let now = self.camera.get_untracked().unwrap_or(fit);
        self.size.set_value((spot.width, spot.height));
        self.camera.set(Some(with(now).held(self.drawing, spot.width, spot.height)));
    }

    /// The wheel alone scrolls the page; with Ctrl, which is also what a touchpad sends for two fingers, it zooms.
    fn wheel(self, event: &ev::WheelEvent) {
        if !(event.ctrl_key() || event.meta_key()) {
            return;
        }
        event.prevent_default();
        if let Some(spot) = spot(event) {
            // A notch of a wheel is about 100, a touchpad sends a few at a time.
            let factor = (-event.delta_y().clamp(-100.0, 100.0) * 0.003).exp();
            self.change(spot, |camera| camera.zoom(factor, spot.x, spot.y));
        }
    }

    fn down(self, event: &ev::PointerEvent) {
        let (id, counts) = pointer(event);
        if let (true, Some(spot)) = (counts, spot(event)) {
            self.fingers.update_value(|fingers| {
                fingers.retain(|finger| finger.id != id);
                fingers.push(Finger { id, at: (spot.x, spot.y), moved: false });
            });
        }
    }

    fn moved(self, event: &ev::PointerEvent) {
        let (id, _) = pointer(event);
        let fingers = self.fingers.get_value();
        let Some(before) = fingers.iter().find(|finger| finger.id == id).copied() else { return };
        let Some(spot) = spot(event) else { return };
        let now = (spot.x, spot.y);
        let far = (now.0 - before.at.0).hypot(now.1 - before.at.1);
        if !before.moved && far < DRAG {
            return;
        }
        if !before.moved {
            capture(event);
        }
        match fingers.iter().find(|finger| finger.id != id) {
            // Two: what lies between them stays between them.
            Some(other) => {
                let apart = |at: (f64, f64)| (at.0 - other.at.0).hypot(at.1 - other.at.1).max(1.0);
                let factor = apart(now) / apart(before.at);
                let centre = ((now.0 + other.at.0) / 2.0, (now.1 + other.at.1) / 2.0);
                let (dx, dy) = ((before.at.0 - now.0) / 2.0, (before.at.1 - now.1) / 2.0);
                self.change(spot, |camera| camera.pan(dx, dy).zoom(factor, centre.0, centre.1));
            }
            None => self.change(spot, |camera| camera.pan(before.at.0 - now.0, before.at.1 - now.1)),
        }
        self.fingers.update_value(|fingers| {
            if let Some(finger) = fingers.iter_mut().find(|finger| finger.id == id) {
                (finger.at, finger.moved) = (now, true);
            }
        });
    }

    fn up(self, event: &ev::PointerEvent) {
        let (id, _) = pointer(event);
        self.fingers.update_value(|fingers| fingers.retain(|finger| finger.id != id));
    }

    fn key(self, event: &ev::KeyboardEvent) {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        if !self.keeps_arrows.get_value() && event.key().starts_with("Arrow") {
            return;
        }
        let pan = |dx: f64, dy: f64| {
            if let Some(spot) = self.middle() {
                self.change(spot, |camera| camera.pan(dx, dy));
            }
        };
        match event.key().as_str() {
            "ArrowLeft" => pan(-STEP, 0.0),
            "ArrowRight" => pan(STEP, 0.0),
            "ArrowUp" => pan(0.0, -STEP),
            "ArrowDown" => pan(0.0, STEP),
            "+" | "=" => self.zoom(CLOSER),
            "-" => self.zoom(1.0 / CLOSER),
            "0" => self.fit(),
            _ => return,
        }
        event.prevent_default();
    }
}

/// The space that a drawing is moved about in, and its buttons.
#[component]
pub fn PanZoomSpace(pan_zoom: PanZoom, children: Children) -> impl IntoView {
    let zoomed = Memo::new(move |_| pan_zoom.camera.with(Option::is_some));
    view! {
        <div
            class="pan-zoom"
            class:zoomed=move || zoomed.get()
            node_ref=pan_zoom.space
            on:wheel=move |event| pan_zoom.wheel(&event)
            on:pointerdown=move |event| pan_zoom.down(&event)
            on:pointermove=move |event| pan_zoom.moved(&event)
            on:pointerup=move |event| pan_zoom.up(&event)
            on:pointercancel=move |event| pan_zoom.up(&event)
            on:pointerleave=move |event| pan_zoom.up(&event)
            on:keydown=move |event| pan_zoom.key(&event)
        >
            {children()}
        </div>
        <div class="map-tools needs-script" role="group" aria-label="View">
            <button type="button" class="button" aria-label="Closer" title="Closer (+)" on:click=move |_| pan_zoom.zoom(CLOSER)>
                "+"
            </button>
            <button type="button" class="button" aria-label="Further" title="Further (−)" on:click=move |_| pan_zoom.zoom(1.0 / CLOSER)>
                "−"
            </button>
            <button
                type="button"
                class="button"
                title="All of it (0)"
                disabled=move || !zoomed.get()
                on:click=move |_| pan_zoom.fit()
            >
                "Fit"
            </button>
        </div>
    }
    .into_any()
}
