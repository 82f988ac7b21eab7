//! Pictures that stand beside words. Their drawings are the symbols of `public/icons.svg`, which the shell puts into the page once.

use leptos::prelude::*;

/// A decorative picture; the words beside it carry the meaning.
#[component]
pub fn Icon(name: &'static str) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
            <use href=format!("#i-{name}")></use>
        </svg>
    }
    .into_any()
}
