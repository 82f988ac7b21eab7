//! Keys that work on every page, and the map of all keys there are.

use super::palette::Palette;
use crate::app::{
    components::keyboard::{in_dialog, typing},
    store::use_store,
};
use leptos::{ev, html, prelude::*};
use leptos_router::hooks::use_navigate;
use std::time::Duration;

/// After `g`, the second key must come within this.
const SECOND_KEY: Duration = Duration::from_secs(1);

/// Where `g` and a second key lead.
const PLACES: &[(&str, &str)] = &[
    ("o", "/"),
    ("w", "/workers"),
    ("n", "/nets"),
    ("h", "/hosts"),
    ("p", "/pipelines"),
    ("e", "/events"),
    ("c", "/clusters"),
    ("r", "/projects"),
    ("s", "/settings"),
];

/// Every key of the console, as the map shows them.
const MAP: &[(&str, &[(&str, &str)])] = &[
    (
        "Everywhere",
        &[
            ("Ctrl K", "Search or act (⌘ K on a Mac)"),
            ("?", "This map"),
            ("/", "Filter the list; Enter goes to its rows"),
            ("Esc", "Back out, one layer at a time"),
        ],
    ),
    (
        "Go to",
        &[
            ("g o", "Overview"),
            ("g w", "Workers"),
            ("g n", "Nets"),
            ("g h", "Hosts"),
            ("g p", "Pipelines"),
            ("g e", "Events"),
            ("g c", "Clusters"),
            ("g r", "Projects"),
            ("g s", "Settings"),
        ],
    ),
    (
        "Replaying a path",
        &[("→ ←", "Next step, step before"), ("Home End", "The first, the last"), ("Esc", "Back to live")],
    ),
    (
        "In a list",
        &[
            ("j k", "Next row, row before"),
            ("x", "Pick the row, or let it go"),
            ("Enter", "Open its page"),
            ("o", "More of it, here"),
            (".", "What can be done with it, or with those picked"),
        ],
    ),
    (
        "In a drawing or map",
        &[
            ("Tab Enter", "Next place or transition; select it"),
            ("+ −", "Closer, further (also Ctrl and the wheel)"),
            ("← ↑ → ↓", "Move"),
            ("0", "All of it"),
        ],
    ),
];

/// Opens the map of keys from elsewhere.
#[derive(Clone, Copy)]
pub struct KeyMap(NodeRef<html::Dialog>);

impl KeyMap {
    pub fn new() -> KeyMap {
        KeyMap(NodeRef::new())
    }

    pub fn show(self) {
        if let Some(dialog) = self.0.get_untracked()
            && !dialog.open()
        {
            _ = dialog.show_modal();
        }
    }
}

#[component]
pub fn Keys() -> impl IntoView {
    let map: KeyMap = expect_context();
    let palette: Palette = expect_context();
    let store = use_store();
    let navigate = use_navigate();
    let going = RwSignal::new(false);
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let handle = window_event_listener(ev::keydown, move |event| {
            let key = event.key();
            let with = event.ctrl_key() || event.meta_key();
            if with && !event.alt_key() && !event.shift_key() && key.eq_ignore_ascii_case("k") {
                // The browser's own search bar would open.
                event.prevent_default();
                if palette.is_open() {
                    palette.close();
                } else if !in_dialog() {
                    palette.open();
                }
                return;
            }
            if with || event.alt_key() || typing() || in_dialog() {
                return;
            }
            if going.get_untracked() {
                going.set(false);
                if let Some((_, path)) = PLACES.iter().find(|(second, _)| *second == key) {
                    event.prevent_default();
                    navigate(&store.within.get_untracked().carry(path), Default::default());
                }
            } else if key == "g" {
                going.set(true);
                set_timeout(move || _ = going.try_set(false), SECOND_KEY);
            } else if key == "?" {
                event.prevent_default();
                map.show();
            }
        });
        on_cleanup(move || handle.remove());
    });
    view! {
        <dialog class="dialog keys" node_ref=map.0 aria-labelledby="keys-title">
            <h2 id="keys-title">"Keys"</h2>
            {MAP
                .iter()
                .map(|(section, keys)| {
                    view! {
                        <h3>{*section}</h3>
                        <dl class="facts">
                            {keys
                                .iter()
                                .map(|(keys, what)| {
                                    view! {
                                        <dt>{keys.split(' ').map(|key| view! { <kbd>{key}</kbd> }).collect_view()}</dt>
                                        <dd>{*what}</dd>
                                    }
                                })
                                .collect_view()}
                        </dl>
                    }
                })
                .collect_view()}
            <form method="dialog" class="dialog-actions">
                <button class="button">"Close"</button>
            </form>
        </dialog>
    }
    .into_any()
}
