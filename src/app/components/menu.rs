//! Rarer actions behind a button. A `<details>`, so that it opens without JavaScript.

use super::Icon;
#[cfg(feature = "browser")]
use crate::app::live::focus;
use leptos::{ev, html, prelude::*};
use std::sync::{Arc, Mutex};

/// Closes after a click inside, on Escape, and when the focus leaves it; what opens it then has the focus that was inside. The arrows go from
/// one item to the next.
#[component]
pub fn Menu(
    /// What the button is called.
    #[prop(into)]
    label: String,
    /// What it is called instead, where that changes.
    #[prop(optional)]
    named: Option<Signal<String>>,
    /// The button shows this instead of three dots.
    #[prop(optional)]
    face: Option<AnyView>,
    /// What is inside is made when it is first opened; only for what the server did not render.
    #[prop(optional)]
    lazy: bool,
    children: Children,
) -> impl IntoView {
    let details = NodeRef::<html::Details>::new();
    let called = move || named.map_or_else(|| label.clone(), |named| named.get());
    let title = called.clone();
    let made = RwSignal::new(!lazy);
    let children = Arc::new(Mutex::new(Some(children)));
    let items = move || {
        let make =
            || children.lock().ok().and_then(|mut children| children.take()).map(|children| children());
        made.get().then(make)
    };
    // Once only: what is made stays.
    let make = move || {
        if !made.get_untracked() {
            made.set(true);
        }
    };
    let close = move || {
        #[cfg(feature = "browser")]
        if let Some(details) = details.try_get_untracked().flatten() {
            focus::close_details(&details);
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        let Some(details) = details.get_untracked() else { return };
        let (key, open) = (event.key(), details.open());
        match key.as_str() {
            "Escape" if open => close(),
            "ArrowDown" | "ArrowUp" => {
                make();
                details.set_open(true);
                #[cfg(feature = "browser")]
                crate::app::live::viewport::once_made(move || {
                    if let Ok(Some(items)) = details.query_selector(".menu-items") {
                        focus::step_within(&items, if key == "ArrowDown" { 1 } else { -1 });
                    }
                });
            }
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    // What had the focus may go together with all of this: then there is nothing to ask any more.
    let on_blur = move |event: ev::FocusEvent| {
        use leptos::wasm_bindgen::JsCast;
        let into = event.related_target().and_then(|to| to.dyn_into::<leptos::web_sys::Node>().ok());
        let stays =
            details.try_get_untracked().flatten().is_some_and(|details| details.contains(into.as_ref()));
        // Without a target the focus left the page, or a bare place was clicked; only the latter closes, and a click does that.
        if into.is_some() && !stays {
            close();
        }
    };
    view! {
        <details class="menu" node_ref=details on:keydown=on_key on:focusout=on_blur>
            <summary class="button quiet" aria-label=called title=title on:click=move |_| make()>
                {face.unwrap_or_else(|| view! { <Icon name="more"/> }.into_any())}
            </summary>
            <div class="menu-items" on:click=move |_| close()>
                {items}
            </div>
        </details>
    }
    .into_any()
}
