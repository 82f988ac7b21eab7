//! Rarer actions behind a button. A `<details>`, so that it opens without JavaScript.

use super::Icon;
use leptos::{ev, html, prelude::*};

/// Closes after a click inside, on Escape, and when the focus leaves it.
#[component]
pub fn Menu(
    /// What the button is called.
    #[prop(into)]
    label: String,
    /// The button shows this instead of three dots.
    #[prop(optional)]
    face: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    let details = NodeRef::<html::Details>::new();
    let close = move || {
        if let Some(details) = details.get_untracked() {
            details.set_open(false);
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        let open = details.get_untracked().is_some_and(|details| details.open());
        if event.key() == "Escape" && open {
            event.stop_propagation();
            close();
        }
    };
    let on_blur = move |event: ev::FocusEvent| {
        use leptos::wasm_bindgen::JsCast;
        let into = event.related_target().and_then(|to| to.dyn_into::<leptos::web_sys::Node>().ok());
        let stays = details.get_untracked().is_some_and(|details| details.contains(into.as_ref()));
        // Without a target the focus left the page, or a bare place was clicked; only the latter closes, and a click does that.
        if into.is_some() && !stays {
            close();
        }
    };
    view! {
        <details class="menu" node_ref=details on:keydown=on_key on:focusout=on_blur>
            <summary class="button quiet" aria-label=label.clone() title=label>
                {face.unwrap_or_else(|| view! { <Icon name="more"/> }.into_any())}
            </summary>
            <div class="menu-items" on:click=move |_| close()>
                {children()}
            </div>
        </details>
    }
    .into_any()
}
