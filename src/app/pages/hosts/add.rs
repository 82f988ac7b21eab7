//! Adding a host: a name, and then its token, which is shown once.

use crate::app::{
    components::{Copyable, Disclose, use_toasts},
    guard::use_host_desk,
    host_actions::CreateHost,
    live::page::origin,
    store::use_store,
};
use leptos::{form::ActionForm, html, prelude::*};
use leptos_router::hooks::use_query_map;

/// For administrators. It takes a script, as nothing else could show the token.
#[component]
pub fn AddHost() -> impl IntoView {
    let (store, desk, toasts) = (use_store(), use_host_desk(), use_toasts());
    let action = ServerAction::<CreateHost>::new();
    let error = Memo::new(move |_| {
        action.value().with(|value| value.as_ref()?.as_ref().err().map(ToString::to_string))
    });
    let (details, name) = (NodeRef::<html::Details>::new(), NodeRef::<html::Input>::new());
    let open = use_query_map().with_untracked(|query| query.get("new").is_some());
    // Each host made by this form gets its own key.
    let made = RwSignal::new(0_u32);
    Effect::new(move |_| {
        let done = action.value().with(|value| value.as_ref().and_then(|value| value.as_ref().ok().cloned()));
        if let Some(done) = done {
            toasts.announce(done.message.clone());
            desk.tell_token(&done);
            made.update(|made| *made += 1);
            if let Some(name) = name.get_untracked() {
                name.set_value("");
            }
            if let Some(details) = details.get_untracked() {
                details.set_open(false);
            }
        }
    });
    store.may_administer().then(|| view! {
        <div class="needs-script head-end">
        <Disclose label="Add host" open details first=name>
            <ActionForm action>
                <input type="hidden" name="key" value=move || format!("{}-host-{}", store.form_key.get(), made.get())/>
                <div class="field">
                    <label for="host-name">"Name"</label>
                    <input node_ref=name id="host-name" class="input" name="name" maxlength="80" required=true autocomplete="off"/>
                </div>
                <p class="field-note">"Next you get its token and the command that starts its agent."</p>
                {move || error.get().map(|error| view! { <p class="notice tone-bad" role="alert">{error}</p> })}
                <div class="form-actions">
                    <button class="button primary" disabled=move || action.pending().get()>"Add"</button>
                </div>
            </ActionForm>
        </Disclose>
        </div>
    })
}

/// A token, told once, with what to do with it.
#[component]
pub fn TokenDialog() -> impl IntoView {
    let desk = use_host_desk();
    let dialog = NodeRef::<html::Dialog>::new();
    let there = Memo::new(move |_| desk.told.with(Option::is_some));
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if there.get() && !dialog.open() {
            _ = dialog.show_modal();
        } else if !there.get() && dialog.open() {
            dialog.close();
        }
    });
    // It is the server's word once, and the page's until the dialog is closed.
    let close = move || desk.told.set(None);
    view! {
        <dialog class="dialog token" node_ref=dialog aria-labelledby="token-title" on:close=move |_| close()>
            {move || {
                desk.told.get().map(|told| {
                    let file = format!("{}.token", told.name);
                    let start = format!("muster agent --server {} --token-file {file}", origin());
                    view! {
                        <h2 id="token-title">{format!("The token of {}", told.name)}</h2>
                        <p>"It is shown this once; only its hash is kept. Whoever has it can speak for this host."</p>
                        <p class="token-line">
                            <Copyable text=told.token what="token"/>
                        </p>
                        <ol class="token-steps">
                            <li>"On the host, put it into the file " <code class="mono">{file}</code> ", readable by the agent's user only."</li>
                            <li>
                                "Start the agent:"
                                <p class="token-line"><Copyable text=start what="command"/></p>
                                <p class="field-note">"Without more it only reports. With --config FILE it also runs the commands that the file allows."</p>
                            </li>
                        </ol>
                        <div class="dialog-actions">
                            <button type="button" class="button primary" on:click=move |_| close()>"I have it"</button>
                        </div>
                    }
                })
            }}
        </dialog>
    }
    .into_any()
}
