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

#[cfg(feature = "browser")]
pub use browser::*;

#[cfg(feature = "browser")]
mod browser {
    use super::Seen;
    use crate::app::live::browser::{Listener, before_paint, window};
    use leptos::prelude::*;
    use std::{cell::Cell, rc::Rc};
    use wasm_bindgen::{JsCast, closure::Closure};
    use web_sys::{Element, HtmlElement};

    /// Scrolling moves what is seen by this much at least before it counts.
    const STEP: f64 = 32.0;

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

    /// Keeps `seen` as what of the element is seen while the current owner lives, and counts `turn` while `wanted` says that there is more to
    /// draw. Both once a frame and together: measured after something was drawn, the page would be laid out twice.
    pub fn watch(
        list: NodeRef<leptos::html::Div>,
        seen: RwSignal<Seen>,
        wanted: Signal<bool>,
        turn: RwSignal<u32>,
    ) {
        Effect::new(move |_| {
            let Some(list) = list.get() else { return };
            let list: HtmlElement = list.into();
            let scheduled = Rc::new(Cell::new(false));
            let look = move || {
                if !scheduled.replace(true) {
                    let (list, scheduled) = (list.clone(), scheduled.clone());
                    before_paint(move || {
                        scheduled.set(false);
                        if let Some(before) = seen.try_get_untracked() {
                            let now = self::seen(&list, before);
                            if now != before {
                                seen.set(now);
                            }
                            if wanted.try_get_untracked() == Some(true) {
                                turn.update(|turn| *turn = turn.wrapping_add(1));
                            }
                        }
                    });
                }
            };
            let on = |event| Listener::on(window(), event, look.clone());
            let kept = send_wrapper::SendWrapper::new([on("scroll"), on("resize")]);
            look();
            Effect::new(move |_| {
                if wanted.get() {
                    look();
                }
            });
            on_cleanup(move || drop(kept));
        });
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

    /// Runs `run` once what changed now is in the page and laid out.
    pub fn once_shown(run: impl FnOnce() + 'static) {
        before_paint(move || before_paint(run));
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
