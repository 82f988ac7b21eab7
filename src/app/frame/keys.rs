//! Keys that work on every page, and the map of them.

use leptos::{ev, html, prelude::*};
use leptos_router::hooks::use_navigate;
use std::time::Duration;

/// After `g`, the second key must come within this.
const SECOND_KEY: Duration = Duration::from_secs(1);

/// Where `g` and a second key lead.
const PLACES: &[(&str, &str, &str)] =
    &[("o", "/", "Overview"), ("w", "/workers", "Workers"), ("n", "/nets", "Nets")];

/// Whether keys are text where the focus is.
fn typing() -> bool {
    document()
        .active_element()
        .is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
}

#[component]
pub fn Keys() -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let navigate = use_navigate();
    let going = RwSignal::new(false);
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let handle = window_event_listener(ev::keydown, move |event| {
            if event.ctrl_key() || event.meta_key() || event.alt_key() || typing() {
                return;
            }
            let key = event.key();
            if going.get_untracked() {
                going.set(false);
                if let Some((_, path, _)) = PLACES.iter().find(|(second, _, _)| *second == key) {
                    event.prevent_default();
                    navigate(path, Default::default());
                }
            } else if key == "g" {
                going.set(true);
                set_timeout(move || _ = going.try_set(false), SECOND_KEY);
            } else if key == "?"
                && let Some(dialog) = dialog.get_untracked()
                && !dialog.open()
            {
                event.prevent_default();
                _ = dialog.show_modal();
            }
        });
        on_cleanup(move || handle.remove());
    });
    let row = |keys: String, what: String| {
        view! {
            <dt>
                <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
        }
    };
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="keys-title">
            <h2 id="keys-title">"Keys"</h2>
            <dl class="facts">
                {row("?".into(), "This list".into())} {row("/".into(), "Filter the list".into())}
                {PLACES.iter().map(|(key, _, name)| row(format!("g {key}"), (*name).to_owned())).collect_view()}
                {row("Enter".into(), "Select in a drawing, open a link".into())}
                {row("Esc".into(), "Close a menu or a dialog".into())}
            </dl>
            <form method="dialog" class="dialog-actions">
                <button class="button">"Close"</button>
            </form>
        </dialog>
    }
    .into_any()
}
