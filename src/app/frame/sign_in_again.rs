//! The session ended while the page is open: asks for the password in place. What was shown is gone until then.

use crate::{
    app::{live::session::sign_in_again, store::use_store},
    sync::Status,
};
use leptos::{ev, html, prelude::*};

/// Whether the dialog is asked for; the badge asks again after it was put aside.
#[derive(Clone, Copy)]
pub struct SignInAgain(RwSignal<bool>);

impl SignInAgain {
    pub fn new() -> SignInAgain {
        SignInAgain(RwSignal::new(false))
    }

    pub fn ask(self) {
        self.0.set(true);
    }
}

#[component]
pub fn SignInAgainDialog() -> impl IntoView {
    let store = use_store();
    let SignInAgain(asked) = expect_context();
    let dialog = NodeRef::<html::Dialog>::new();
    let password = NodeRef::<html::Input>::new();
    let email = NodeRef::<html::Input>::new();
    let error = RwSignal::new(None::<String>);
    let address = store.me.with_untracked(|me| me.as_ref().map(|me| me.email.clone()).unwrap_or_default());
    let signed_out = Memo::new(move |_| store.link.with(|link| link.status == Status::SignedOut));
    Effect::new(move |_| asked.set(signed_out.get()));
    Effect::new(move |_| {
        let asked = asked.get();
        let Some(dialog) = dialog.get() else { return };
        if asked && !dialog.open() {
            error.set(None);
            _ = dialog.show_modal();
        } else if !asked && dialog.open() {
            dialog.close();
        }
    });
    let send = Action::new_local(move |(email, password): &(String, String)| {
        let (email, word) = (email.clone(), password.clone());
        async move {
            let answer = sign_in_again(email, word).await;
            error.set(answer.err().map(|error| error.to_string()));
        }
    });
    let on_submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let value = |field: NodeRef<html::Input>| {
            field.get_untracked().map(|field| field.value()).unwrap_or_default()
        };
        send.dispatch((value(email), value(password)));
        if let Some(field) = password.get_untracked() {
            field.set_value("");
        }
    };
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="again-title" on:close=move |_| asked.set(false)>
            <h2 id="again-title">"You are signed out"</h2>
            <p>"Your session ended, and nothing that you saw is kept on this page. Sign in to go on where you were."</p>
            <form method="post" on:submit=on_submit>
                <div class="field">
                    <label for="again-email">"Email address"</label>
                    <input node_ref=email id="again-email" class="input" type="email" autocomplete="username" required=true value=address/>
                </div>
                <div class="field">
                    <label for="again-password">"Password"</label>
                    <input
                        node_ref=password
                        id="again-password"
                        class="input"
                        type="password"
                        autocomplete="current-password"
                        required=true
                        autofocus=true
                    />
                </div>
                {move || error.get().map(|error| view! { <p class="notice tone-bad" role="alert">{error}</p> })}
                <div class="dialog-actions">
                    <button type="button" class="button" on:click=move |_| asked.set(false)>
                        "Not now"
                    </button>
                    <button class="button primary" disabled=move || send.pending().get()>
                        "Sign in"
                    </button>
                </div>
            </form>
        </dialog>
    }
    .into_any()
}
