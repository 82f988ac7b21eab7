//! Signing in.

use crate::app::actions::{SignIn, needs_setup};
use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

#[component]
pub fn SignInPage() -> impl IntoView {
    let action = ServerAction::<SignIn>::new();
    let error = Memo::new(move |_| {
        action.value().with(|value| value.as_ref()?.as_ref().err().map(ToString::to_string))
    });
    let next = use_query_map().with_untracked(|query| query.get("next")).unwrap_or_default();
    let waits = Resource::new_blocking(|| (), |()| needs_setup());
    view! {
        <Title text="Sign in"/>
        <main class="lone">
            <h1>"Sign in to Muster"</h1>
            <Suspense>
                {move || Suspend::new(async move {
                    matches!(waits.await, Ok(true))
                        .then(|| {
                            view! {
                                <p class="notice tone-warn">
                                    "This console has no users yet. Open the one-time setup link that its server printed when it started."
                                </p>
                            }
                        })
                })}
            </Suspense>
            <ActionForm action>
                <input type="hidden" name="next" value=next/>
                <div class="field">
                    <label for="email">"Email address"</label>
                    <input id="email" name="email" type="email" autocomplete="username" required=true autofocus=true/>
                </div>
                <div class="field">
                    <label for="password">"Password"</label>
                    <input id="password" name="password" type="password" autocomplete="current-password" required=true/>
                </div>
                {move || error.get().map(|error| view! { <p class="notice tone-bad" role="alert">{error}</p> })}
                <button class="button primary wide" disabled=move || action.pending().get()>
                    "Sign in"
                </button>
            </ActionForm>
        </main>
    }
    .into_any()
}
