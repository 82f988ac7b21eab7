//! Where the page is scrolled to, how high things are in it, and where the focus is. The numbers are CSS pixels.

use std::ops::Range;

/// What of an element is on the screen, and how its entries lie.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// Heights within the element, rounded to what makes a difference.
    pub top: f64,
    pub bottom: f64,
    /// From the top of an entry to the top of the next; 0 while there is none to be measured.
    pub pitch: f64,
    /// Entries beside each other.
    pub across: usize,
}

impl Seen {
    pub fn range(&self) -> Range<f64> {
        self.top..self.bottom
    }
}

/// How much of what is wanted of a list is in the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    Whole,
    Partly,
    /// Partly, and it cannot be seen like this.
    MidLine,
}

#[cfg(feature = "browser")]
pub use browser::*;

#[cfg(feature = "browser")]
mod browser {
    use super::{Drawn, Seen};
    use crate::app::live::browser::{Listener, before_paint, window};
    use leptos::prelude::*;
    use std::{cell::Cell, rc::Rc};
    use wasm_bindgen::{JsCast, closure::Closure};
    use web_sys::{Element, HtmlElement};

    /// Scrolling moves what is seen by this much at least before it counts.
    const STEP: f64 = 32.0;
    /// Milliseconds of a frame that rows may take to be made. The browser needs longer than that to lay out and paint them, and all of it is to
    /// be done within the 16 ms of a frame.
    const DRAWING: f64 = 5.0;

    /// Milliseconds since the page was opened.
    fn now() -> f64 {
        window().performance().map_or(0.0, |performance| performance.now())
    }

    /// Measures `list`, whose entries are its descendants of class `entry`.
    pub fn seen(list: &HtmlElement, before: Seen) -> Seen {
        let top = -list.get_bounding_client_rect().top();
        let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(0.0);
        let (pitch, across) = lie(list).unwrap_or((before.pitch, before.across.max(1)));
        let down = |y: f64| (y / STEP).floor() * STEP;
        Seen { top: down(top), bottom: down(top + height) + STEP, pitch, across }
    }

    /// From the top of an entry to the top of the next line, and how many stand beside each other.
    fn lie(list: &HtmlElement) -> Option<(f64, usize)> {
        let entry = list.query_selector(".entry:not(.open)").ok()??;
        let style = window().get_computed_style(&entry.parent_element()?).ok()??;
        let of = |property| style.get_property_value(property).unwrap_or_default();
        if of("display") != "grid" {
            return Some((entry.get_bounding_client_rect().height(), 1));
        }
        let gap: f64 = of("row-gap").trim_end_matches("px").parse().unwrap_or(0.0);
        let columns = of("grid-template-columns");
        let across = columns.split_whitespace().filter(|width| width.ends_with("px")).count().max(1);
        Some((entry.get_bounding_client_rect().height() + gap, across))
    }

    /// Keeps `seen` as what of the element is seen while the current owner lives, and counts `turn` while there is more to draw: as often as
    /// there is time for in a frame. Both together: measured after something was drawn, the page would be laid out twice.
    pub fn watch(
        list: NodeRef<leptos::html::Div>,
        seen: RwSignal<Seen>,
        drawn: Signal<Drawn>,
        turn: RwSignal<u32>,
    ) {
        Effect::new(move |_| {
            let Some(list) = list.get() else { return };
            let watch = Rc::new(Watch { list: list.into(), seen, drawn, turn, scheduled: Cell::new(false) });
            let on = |event| {
                let watch = watch.clone();
                Listener::on(window(), event, move || watch.look())
            };
            let kept = send_wrapper::SendWrapper::new([on("scroll"), on("resize")]);
            watch.look();
            Effect::new(move |_| {
                if drawn.get() != Drawn::Whole {
                    watch.look();
                }
            });
            on_cleanup(move || drop(kept));
        });
    }

    struct Watch {
        list: HtmlElement,
        seen: RwSignal<Seen>,
        drawn: Signal<Drawn>,
        turn: RwSignal<u32>,
        /// Whether a frame is on its way, or being drawn.
        scheduled: Cell<bool>,
    }

    impl Watch {
        /// Looks what is seen, and draws, in the next frame.
        fn look(self: &Rc<Watch>) {
            if !self.scheduled.replace(true) {
                let watch = self.clone();
                before_paint(move || {
                    let began = now();
                    let Some(before) = watch.seen.try_get_untracked() else { return };
                    let seen = seen(&watch.list, before);
                    if seen != before {
                        watch.seen.set(seen);
                    }
                    leptos::task::spawn_local(watch.draw(began));
                });
            }
        }

        /// Counts `turn` until all is drawn or there is no time left in this frame. What a turn changes is in the document before the next
        /// turn, and all of it before the frame is painted.
        async fn draw(self: Rc<Watch>, began: f64) {
            let unfinished = loop {
                leptos::task::tick().await;
                match self.drawn.try_get_untracked() {
                    None | Some(Drawn::Whole) => break false,
                    Some(Drawn::Partly) if now() - began >= DRAWING => break true,
                    Some(Drawn::Partly | Drawn::MidLine) => {
                        self.turn.update(|turn| *turn = turn.wrapping_add(1));
                    }
                }
            };
            self.scheduled.set(false);
            if unfinished {
                self.look();
            }
        }
    }

    /// Calls `on` with the height of `element` now and whenever it changes, while the current owner lives.
    pub fn watch_height(element: &Element, on: impl Fn(f64) + 'static) {
        let watched = element.clone();
        let closure = Closure::<dyn FnMut()>::new(move || on(watched.get_bounding_client_rect().height()));
        if let Ok(observer) = web_sys::ResizeObserver::new(closure.as_ref().unchecked_ref()) {
            observer.observe(element);
            let kept = send_wrapper::SendWrapper::new((observer, closure));
            on_cleanup(move || kept.0.disconnect());
        }
    }

    /// Gives an element a height. By its style object: the content security policy forbids `style` attributes, not this.
    pub fn set_height(element: &HtmlElement, height: f64) {
        _ = element.style().set_property("height", &format!("{height}px"));
    }

    /// Scrolls just far enough that what is between two heights of `list` is on the screen, below what is fixed above it.
    pub fn scroll_to(list: &HtmlElement, top: f64, bottom: f64, fixed: f64) {
        let start = list.get_bounding_client_rect().top();
        let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(0.0);
        let by = if start + top < fixed {
            start + top - fixed
        } else if start + bottom > height {
            start + bottom - height
        } else {
            return;
        };
        window().scroll_by_with_x_and_y(0.0, by);
    }

    /// Gives the focus back to an element that was moved within the document and lost it by that, out of sight; whether it has it.
    pub fn refocus(element: &HtmlElement) -> bool {
        let Some(document) = window().document() else { return false };
        let lost = document.active_element().is_none_or(|active| active.tag_name() == "BODY");
        let place = element.get_bounding_client_rect();
        let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(0.0);
        let unseen = place.bottom() < 0.0 || place.top() > height;
        if lost && unseen && element.is_connected() {
            // Taking the focus scrolls to it, and it is not where the operator looks.
            let (x, y) = (window().scroll_x().unwrap_or(0.0), window().scroll_y().unwrap_or(0.0));
            _ = element.focus();
            window().scroll_to_with_x_and_y(x, y);
        }
        document.active_element().as_ref() == Some(element.as_ref())
    }

    /// Closes the menu that is open, if any.
    pub fn close_menu() -> bool {
        let open = document().query_selector("details.menu[open]").ok().flatten();
        open.inspect(super::super::focus::close_details).is_some()
    }

    /// The first descendant of `list` that `selector` finds.
    pub fn find(list: &HtmlElement, selector: &str) -> Option<HtmlElement> {
        list.query_selector(selector).ok()??.dyn_into().ok()
    }

    /// Runs `run` once what changed now is in the page and painted. Not in the frame after that: rows may have been made in it already, and
    /// what is measured then is laid out once more.
    pub fn once_shown(run: impl FnOnce() + 'static) {
        before_paint(move || {
            gloo_timers::callback::Timeout::new(0, run).forget();
        });
    }

    /// Runs `run` once the views that depend on what changed now are made.
    pub fn once_made(run: impl FnOnce() + 'static) {
        before_paint(run);
    }

    fn key_of(target: &str) -> String {
        format!("muster-list-{target}")
    }

    /// What was remembered under `name` in this browser.
    pub fn remembered(name: &str) -> Option<String> {
        window().local_storage().ok()??.get_item(&key_of(name)).ok()?
    }

    /// Remembers `what`. Where the browser keeps nothing it is forgotten; nothing depends on it.
    pub fn remember(name: &str, what: &str) {
        if let Ok(Some(storage)) = window().local_storage() {
            _ = storage.set_item(&key_of(name), what);
        }
    }
}
