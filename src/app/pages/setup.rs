//! First start: the one-time link makes the administrator.

use crate::app::{
    actions::{SetUp, SetupState, setup_link},
    error::ApiError,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_params_map};

#[component]
pub fn SetupPage() -> impl IntoView {
    let token = use_params_map().with_untracked(|params| params.get("token")).unwrap_or_default();
    let asked = token.clone();
    let link = Resource::new_blocking(|| (), move |()| setup_link(asked.clone()));
    view! {
        <Title text="Set up"/>
        <main class="lone">
            <h1>"Set up Muster"</h1>
            <Suspense>
                {move || {
                    let token = token.clone();
                    Suspend::new(async move {
                        match link.await {
                            Ok(SetupState::Good) => view! { <SetupForm token/> }.into_any(),
                            Ok(SetupState::Used) => {
                                view! {
                                    <p class="notice tone-warn">
                                        "This console is set up already: its first user was created, and the link is used up."
                                    </p>
                                    <p>
                                        <A href="/sign-in">"Sign in"</A>
                                        ", or ask whoever set it up for an account."
                                    </p>
                                }
                                    .into_any()
                            }
                            Ok(SetupState::Unknown) => {
                                view! {
                                    <p class="notice tone-warn">
                                        "This is not the setup link of this console: it is mistyped, or the server was started anew and printed another one."
                                    </p>
                                    <p>"Open the newest link in the server's output. It stands after “Set it up at”."</p>
                                }
                                    .into_any()
                            }
                            Err(error) => view! { <p class="notice tone-bad" role="alert">{error.to_string()}</p> }.into_any(),
                        }
                    })
                }}
            </Suspense>
        </main>
    }
    .into_any()
}

#[component]
fn SetupForm(token: String) -> impl IntoView {
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
    view! {
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
    }
    .into_any()
}
