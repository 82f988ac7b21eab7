//! A labelled input with its hint and, beside it, what was wrong with what was entered.

use leptos::prelude::*;

/// `children` holds the input; it must carry `id`, and `aria-describedby` with `{id}-note`.
#[component]
pub fn Field(
    id: &'static str,
    #[prop(into)] label: String,
    #[prop(optional)] hint: &'static str,
    #[prop(optional, into)] error: Signal<Option<String>>,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="field" class:invalid=move || error.with(Option::is_some)>
            <label for=id>{label}</label>
            {children()}
            <p class="field-note" id=format!("{id}-note")>
                {move || error.get().unwrap_or_else(|| hint.to_owned())}
            </p>
        </div>
    }
    .into_any()
}
