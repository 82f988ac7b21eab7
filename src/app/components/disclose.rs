//! A form that opens in place, below its button. A `<details>`, so that it opens without JavaScript.

use super::Icon;
use leptos::{ev, html, prelude::*};

/// Opening puts the focus into `first`; Escape closes, and gives the focus back to the button.
#[component]
pub fn Disclose(
    #[prop(into)] label: String,
    /// Whether it is open from the start.
    open: bool,
    /// To close it from outside.
    details: NodeRef<html::Details>,
    /// What is filled in first.
    first: NodeRef<html::Input>,
    /// One deed among others, rather than what the page is for.
    #[prop(optional)]
    plain: bool,
    /// Told before what is inside is seen.
    #[prop(optional)]
    on_open: Option<Callback<()>>,
    children: Children,
) -> impl IntoView {
    let summary = NodeRef::<html::Summary>::new();
    let focus = move || {
        if let Some(first) = first.get_untracked() {
            _ = first.focus();
        }
    };
    let is_open = move || details.get_untracked().is_some_and(|details| details.open());
    Effect::new(move |_| {
        if open && first.get().is_some() {
            focus();
        }
    });
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape"
            && is_open()
            && let Some(details) = details.get_untracked()
        {
            event.stop_propagation();
            details.set_open(false);
            if let Some(summary) = summary.get_untracked() {
                _ = summary.focus();
            }
        }
    };
    view! {
        <details
            class="disclose"
            node_ref=details
            open=open
            on:toggle=move |_| {
                if is_open() {
                    if let Some(on_open) = on_open {
                        on_open.run(());
                    }
                    focus();
                }
            }
            on:keydown=on_key
        >
            <summary class="button" class:primary=!plain node_ref=summary>
                {(!plain).then(|| view! { <Icon name="plus"/> })}
                {label}
            </summary>
            <div class="disclosed">{children()}</div>
        </details>
    }
    .into_any()
}
