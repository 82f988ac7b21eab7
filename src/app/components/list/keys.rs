//! Keys of a list: `j` `k` rows (on a row also the arrows), `x` select, `Enter` open, `.` actions of the row or of those picked, `o` more of it,
//! `Esc` back, one layer at a time.

use super::{Key, rows::Screen};
#[cfg(feature = "browser")]
use leptos::{ev, prelude::*};

/// Gives the focus to the row at `place`, or the last one; soon, once it is in the page.
#[cfg(feature = "browser")]
pub(super) fn focus_place<K: Key>(screen: Screen<K>, place: usize) {
    browser::go_to(screen, place);
}

/// Listens while the current owner lives.
pub(super) fn list_keys<K: Key>(screen: Screen<K>) {
    #[cfg(feature = "browser")]
    Effect::new(move |_| {
        let handle = window_event_listener(ev::keydown, move |event| {
            use crate::app::components::keyboard::{in_dialog, typing};
            let plain = !event.ctrl_key() && !event.meta_key() && !event.alt_key();
            if plain
                && !event.default_prevented()
                && !typing()
                && !in_dialog()
                && browser::pressed(screen, &event.key())
            {
                event.prevent_default();
            }
        });
        on_cleanup(move || handle.remove());
    });
    #[cfg(feature = "browser")]
    Effect::new(move |before: Option<u32>| {
        let times = screen.list.entered.get();
        if before.is_some_and(|before| before != times) {
            // What was typed last may still be on its way to the address.
            crate::app::live::viewport::once_shown(move || focus_place(screen, 0));
        }
        times
    });
    #[cfg(not(feature = "browser"))]
    let _ = screen;
}

#[cfg(feature = "browser")]
mod browser {
    use super::*;
    use crate::app::live::viewport::{close_menu, find, once_shown, scroll_to};
    use leptos::web_sys::Element;

    /// What stays above the list while it is scrolled: the top bar and the heads of the columns.
    const FIXED: f64 = 96.0;

    /// Whether the key meant something.
    pub fn pressed<K: Key>(screen: Screen<K>, key: &str) -> bool {
        let list = screen.list;
        match (key, list.current.get_untracked()) {
            ("j", _) => step(screen, 1),
            ("k", _) => step(screen, -1),
            ("ArrowDown", Some(row)) if on_row(screen, row) => step(screen, 1),
            ("ArrowUp", Some(row)) if on_row(screen, row) => step(screen, -1),
            ("x", Some(row)) => {
                list.pick(row, false);
                true
            }
            ("o", Some(row)) => {
                list.turn(row);
                true
            }
            // A focused control keeps its own Enter.
            ("Enter", Some(row)) if on_row(screen, row) => click(screen, row, ".cell-name a"),
            (".", _) if !list.picked.with_untracked(|picked| picked.is_empty()) && focus_selection() => true,
            (".", Some(row)) if click(screen, row, ".cell-actions .menu > summary") => {
                // What is in the menu may be made only now.
                crate::app::live::viewport::once_made(move || {
                    _ = focus(screen, row, ".cell-actions .menu-items button");
                });
                true
            }
            (".", Some(row)) => focus(
                screen,
                row,
                ".cell-actions .actions > button, .cell-actions .actions .needs-script button",
            ),
            ("Escape", row) => back(screen, row),
            _ => false,
        }
    }

    fn step<K: Key>(screen: Screen<K>, by: isize) -> bool {
        let list = screen.list;
        let now = list.current.get_untracked();
        let now = list.with_untracked(|index| now.and_then(|row| index.place_of(row)));
        go_to(screen, now.map_or(0, |now| now.saturating_add_signed(by)))
    }

    /// The row at `place`, or the last one, has the focus once it is in the page; whether there is any.
    pub fn go_to<K: Key>(screen: Screen<K>, place: usize) -> bool {
        let list = screen.list;
        // The list may be gone by now.
        if list.current.try_get_untracked().is_none() {
            return false;
        }
        let place = list.with_untracked(|index| place.min(index.len().saturating_sub(1)));
        let Some(row) = list.with_untracked(|index| index.page(place, 1).next()) else { return false };
        list.current.set(Some(row));
        screen.held.set(Some(row));
        show(screen, place);
        focus_when_shown(screen, row, document().active_element(), 10);
        true
    }

    /// Gives the row the focus once it is in the page, unless the next key has gone on meanwhile: to another row, to which the list would
    /// be taken back, or to something that has the focus instead of what had it at `from`.
    fn focus_when_shown<K: Key>(screen: Screen<K>, row: K, from: Option<Element>, tries: u8) {
        once_shown(move || {
            if screen.list.current.try_get_untracked() != Some(Some(row)) {
                return;
            }
            // What is around the list has it only for want of anything better.
            let around = |active: &Element| {
                screen.space.get_untracked().is_some_and(|space| active.contains(Some(&space)))
            };
            let active = document().active_element();
            let elsewhere = active != from && active.is_some_and(|active| !around(&active));
            if !elsewhere && !focus(screen, row, "> tr") && tries > 0 {
                focus_when_shown(screen, row, from, tries - 1);
            }
        });
    }

    /// Scrolls to the row at `place`, in the page or not.
    fn show<K: Key>(screen: Screen<K>, place: usize) {
        let Some(space) = screen.space.get_untracked() else { return };
        let layout =
            untrack(|| screen.list.with(|index| screen.layout(index.len(), |row| index.place_of(row))));
        let line = place / layout.across.max(1);
        let head = find(&space, "thead").map_or(0.0, |head| head.get_bounding_client_rect().height());
        scroll_to(&space, head + layout.top(line), head + layout.top(line) + layout.pitch, FIXED);
    }

    fn entry(key: impl std::fmt::Display, rest: &str) -> String {
        format!("[data-key=\"{key}\"] {rest}")
    }

    fn click<K: Key>(screen: Screen<K>, row: K, what: &str) -> bool {
        let found = screen.space.get_untracked().and_then(|space| find(&space, &entry(row, what)));
        found.inspect(|element| element.click()).is_some()
    }

    fn focus<K: Key>(screen: Screen<K>, row: K, what: &str) -> bool {
        let found = screen.space.get_untracked().and_then(|space| find(&space, &entry(row, what)));
        found.inspect(|element| _ = element.focus()).is_some()
    }

    /// Whether the row itself has the focus, not something in it.
    fn on_row<K: Key>(screen: Screen<K>, row: K) -> bool {
        let found = screen.space.get_untracked().and_then(|space| find(&space, &entry(row, "> tr")));
        found.is_some_and(|found| document().active_element().as_ref() == Some(found.as_ref()))
    }

    /// The first of what can be done with the picked rows has the focus, if it is offered.
    fn focus_selection() -> bool {
        use leptos::wasm_bindgen::JsCast;
        let first = document().query_selector(".selection button").ok().flatten();
        let first = first.and_then(|first| first.dyn_into::<leptos::web_sys::HtmlElement>().ok());
        first.inspect(|first| _ = first.focus()).is_some()
    }

    fn back<K: Key>(screen: Screen<K>, row: Option<K>) -> bool {
        let list = screen.list;
        if close_menu() {
            return true;
        }
        if let Some(row) = row.filter(|row| list.open.with_untracked(|open| open.contains(row))) {
            list.turn(row);
        } else if !list.picked.with_untracked(|picked| picked.is_empty()) {
            list.drop_picks();
        } else if row.is_some() {
            list.current.set(None);
            if let Some(element) = document().active_element().and_then(|element| {
                use leptos::wasm_bindgen::JsCast;
                element.dyn_into::<leptos::web_sys::HtmlElement>().ok()
            }) {
                _ = element.blur();
            }
        } else {
            return false;
        }
        true
    }
}
