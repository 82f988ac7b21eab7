//! An id that can be taken along.

use super::{Icon, use_toasts};
use crate::app::live::page::copy;
use leptos::{prelude::*, task::spawn_local};

/// `text` in letters of equal width, with a button that puts it on the clipboard.
#[component]
pub fn Copyable(
    #[prop(into)] text: String,
    /// What it is, for the button: `id`.
    what: &'static str,
) -> impl IntoView {
    let toasts = use_toasts();
    let taken = text.clone();
    let on_click = move |_| {
        let text = taken.clone();
        spawn_local(async move {
            match copy(&text).await {
                true => toasts.success(format!("Copied the {what}.")),
                false => toasts.warning(format!(
                    "The browser does not let us copy the {what}. Select it and copy it yourself."
                )),
            }
        });
    };
    view! {
        <span class="copyable">
            <span class="mono">{text}</span>
            <button
                type="button"
                class="button quiet needs-script"
                aria-label=format!("Copy the {what}")
                title=format!("Copy the {what}")
                on:click=on_click
            >
                <Icon name="copy"/>
            </button>
        </span>
    }
    .into_any()
}
