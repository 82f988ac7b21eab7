//! Where an invitation's link leads: its user chooses a password.

use crate::app::account::{Invitee, Join, invitation};
use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_params_map};

#[component]
pub fn JoinPage() -> impl IntoView {
    let token = use_params_map().with_untracked(|params| params.get("token")).unwrap_or_default();
    let asked = token.clone();
    let invited = Resource::new_blocking(|| (), move |()| invitation(asked.clone()));
    view! {
        <Title text="Join"/>
        <main class="lone">
            <h1>"Join Muster"</h1>
            <Suspense>
                {move || {
                    let token = token.clone();
                    Suspend::new(async move {
                        match invited.await {
                            Ok(Some(invited)) => view! { <JoinForm token invited/> }.into_any(),
                            Ok(None) => {
                                view! {
                                    <p class="notice tone-warn">
                                        "This link is good for nothing: it was used, it is older than a week, or a newer one was made."
                                    </p>
                                    <p>
                                        <A href="/sign-in">"Sign in"</A>
                                        ", or ask an administrator for another link."
                                    </p>
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
fn JoinForm(token: String, invited: Invitee) -> impl IntoView {
    let action = ServerAction::<Join>::new();
    let error = Memo::new(move |_| {
        action.value().with(|value| value.as_ref()?.as_ref().err().map(ToString::to_string))
    });
    let Invitee { name, email } = invited;
    view! {
        <p>{format!("You are {name}. Choose the password with which you sign in from now on.")}</p>
        <ActionForm action>
            <input type="hidden" name="token" value=token/>
            <div class="field">
                <label for="email">"Email address"</label>
                <input id="email" type="email" autocomplete="username" value=email readonly=true/>
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
                    autofocus=true
                    aria-describedby="password-note"
                />
                <p class="field-note" id="password-note">
                    "At least 10 characters."
                </p>
            </div>
            {move || error.get().map(|error| view! { <p class="notice tone-bad" role="alert">{error}</p> })}
            <button class="button primary wide" disabled=move || action.pending().get()>
                "Choose password and sign in"
            </button>
        </ActionForm>
    }
    .into_any()
}
