//! First start: the one-time link makes the administrator.

use crate::app::{actions::SetUp, error::ApiError};
use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

#[component]
pub fn SetupPage() -> impl IntoView {
    let action = ServerAction::<SetUp>::new();
    let error = Memo::new(move |_| {
        action.value().with(|value| match value.as_ref()?.as_ref().err()? {
            ApiError::Gone { .. } | ApiError::Forbidden { .. } => Some(
                "This setup link is used up. Sign in, or look for a newer link in the server's output."
                    .to_owned(),
            ),
            error => Some(error.to_string()),
        })
    });
    let token = use_params_map().with_untracked(|params| params.get("token")).unwrap_or_default();
    view! {
        <Title text="Set up"/>
        <main class="lone">
            <h1>"Set up Muster"</h1>
            <p>"Create the first user. It may do everything, and invite others."</p>
            <ActionForm action>
                <input type="hidden" name="token" value=token/>
                <div class="field">
                    <label for="name">"Your name"</label>
                    <input id="name" name="name" autocomplete="name" maxlength="80" autofocus=true aria-describedby="name-note"/>
                    <p class="field-note" id="name-note">
                        "Others see it beside what you do. Empty: the part of your address before the @."
                    </p>
                </div>
                <div class="field">
                    <label for="email">"Email address"</label>
                    <input id="email" name="email" type="email" autocomplete="username" required=true/>
                </div>
                <div class="field">
                    <label for="password">"Password"</label>
                    <input
                        id="password"
                        name="password"
                        type="password"
                        autocomplete="new-password"
                        minlength="10"
                        required=true
                        aria-describedby="password-note"
                    />
                    <p class="field-note" id="password-note">
                        "At least 10 characters."
                    </p>
                </div>
                {move || error.get().map(|error| view! { <p class="notice tone-bad" role="alert">{error}</p> })}
                <button class="button primary wide" disabled=move || action.pending().get()>
                    "Create user and sign in"
                </button>
            </ActionForm>
        </main>
    }
    .into_any()
}
