//! Small browser things: clocks, timers, listeners that end with their owner.

use std::rc::Rc;
use wasm_bindgen::{JsCast, closure::Closure};

/// The browser's monotonic clock, milliseconds.
pub fn monotonic() -> u64 {
    window().performance().map_or(0.0, |performance| performance.now()) as u64
}

/// The wall clock, milliseconds. It may jump; only [`crate::sync::tabs`] uses it, where it need not be right.
pub fn wall() -> u64 {
    js_sys::Date::now() as u64
}

/// Evenly from 0 to 1.
pub fn jitter() -> f64 {
    js_sys::Math::random()
}

pub fn window() -> web_sys::Window {
    web_sys::window().expect("the frontend runs in a window")
}

pub fn hidden() -> bool {
    window()
        .document()
        .is_some_and(|document| document.visibility_state() == web_sys::VisibilityState::Hidden)
}

/// A listener that is taken off when dropped.
pub struct Listener {
    target: web_sys::EventTarget,
    event: &'static str,
    closure: Closure<dyn FnMut()>,
}

impl Listener {
    pub fn on(
        target: impl Into<web_sys::EventTarget>,
        event: &'static str,
        run: impl FnMut() + 'static,
    ) -> Listener {
        let target = target.into();
        let closure = Closure::new(run);
        _ = target.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
        Listener { target, event, closure }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        _ = self
            .target
            .remove_event_listener_with_callback(self.event, self.closure.as_ref().unchecked_ref());
    }
}

/// Runs `run` before the next frame is painted; a hidden page paints none, so there it runs soon.
pub fn before_paint(run: impl FnOnce() + 'static) {
    if hidden() {
        gloo_timers::callback::Timeout::new(100, run).forget();
    } else {
        let closure = Closure::once_into_js(run);
        _ = window().request_animation_frame(closure.unchecked_ref());
    }
}

/// A request that can be called off.
#[derive(Clone)]
pub struct Abort(Rc<web_sys::AbortController>);

impl Abort {
    pub fn new() -> Option<Abort> {
        web_sys::AbortController::new().ok().map(|controller| Abort(Rc::new(controller)))
    }

    pub fn signal(&self) -> web_sys::AbortSignal {
        self.0.signal()
    }

    pub fn abort(&self) {
        self.0.abort();
    }
}
