//! The focus of somebody who uses keys alone is never lost: what had it may be replaced, hidden or switched off by what it did, and the
//! browser would then begin at the top of the page again.

#[cfg(feature = "browser")]
pub use browser::*;

/// Keeps the focus near where it was while the current owner lives.
#[cfg(not(feature = "browser"))]
pub fn keep_focus() {}

#[cfg(feature = "browser")]
mod browser {
    use crate::app::live::{browser::window, viewport::once_shown};
    use leptos::{ev, prelude::*};
    use wasm_bindgen::JsCast;
    use web_sys::{Element, HtmlElement};

    /// Who takes the focus where nothing nearer does.
    const LAST: &str = "main";

    /// Keeps the focus near where it was while the current owner lives: what lost it by being gone leaves it to the nearest around it that
    /// can have it (`tabindex`) and is still there, at last to the page's main part.
    pub fn keep_focus() {
        Effect::new(move |_| {
            let handle = window_event_listener(ev::focusout, move |event| {
                let target = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
                if let Some(target) = target.filter(|_| event.related_target().is_none()) {
                    // Removed from the document, it will not say any more what it was in.
                    let around = around(&target);
                    once_shown(move || {
                        if is_lost() && !can_have_focus(&target) {
                            let last =
                                document().get_element_by_id(LAST).and_then(|last| last.dyn_into().ok());
                            if let Some(next) = around.iter().chain(&last).find(|next| can_have_focus(next)) {
                                focus_still(next);
                            }
                        }
                    });
                }
            });
            on_cleanup(move || handle.remove());
        });
    }

    fn around(element: &Element) -> Vec<HtmlElement> {
        let mut around = Vec::new();
        let mut at = element.parent_element();
        while let Some(element) = at {
            at = element.parent_element();
            if element.has_attribute("tabindex") {
                around.extend(element.dyn_into::<HtmlElement>());
            }
        }
        around
    }

    /// Whether nothing has the focus.
    pub fn is_lost() -> bool {
        document().active_element().is_none_or(|active| active.tag_name() == "BODY")
    }

    /// Whether `element` is there, seen and not switched off.
    pub fn can_have_focus(element: &HtmlElement) -> bool {
        let matches = |selector| element.matches(selector).unwrap_or(false);
        let place = element.get_bounding_client_rect();
        element.is_connected()
            && !matches(":disabled")
            && !matches("details:not([open]) > :not(summary), details:not([open]) > :not(summary) *")
            && place.width() > 0.0
            && place.height() > 0.0
    }

    /// Gives `element` the focus without scrolling to it.
    pub fn focus_still(element: &HtmlElement) {
        let (x, y) = (window().scroll_x().unwrap_or(0.0), window().scroll_y().unwrap_or(0.0));
        _ = element.focus();
        window().scroll_to_with_x_and_y(x, y);
    }

    /// Closes a menu; the focus, if it is in there, goes to what opens it.
    pub fn close_details(details: &Element) {
        let within = document().active_element().is_some_and(|active| details.contains(Some(&active)));
        if within
            && let Ok(Some(summary)) = details.query_selector("summary")
            && let Ok(summary) = summary.dyn_into::<HtmlElement>()
        {
            _ = summary.focus();
        }
        _ = details.remove_attribute("open");
    }

    fn collect(within: &Element, into: &mut Vec<HtmlElement>) {
        let mut child = within.first_element_child();
        while let Some(element) = child {
            if element.matches("button, a[href], input").unwrap_or(false) {
                into.extend(element.clone().dyn_into::<HtmlElement>().ok().filter(can_have_focus));
            } else {
                collect(&element, into);
            }
            child = element.next_element_sibling();
        }
    }

    /// Gives the focus to what stands `by` places after what has it, among what can have it in `within`; to the first or last from outside.
    pub fn step_within(within: &Element, by: isize) {
        let mut all = Vec::new();
        collect(within, &mut all);
        let active = document().active_element();
        let now = all.iter().position(|one| active.as_ref() == Some(one.as_ref()));
        let to = match now {
            Some(now) => (now as isize + by).rem_euclid(all.len() as isize) as usize,
            None if by > 0 => 0,
            None => all.len().saturating_sub(1),
        };
        if let Some(to) = all.get(to) {
            _ = to.focus();
        }
    }
}
