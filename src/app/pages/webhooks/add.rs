//! Adding a webhook, and its secret, which is shown once.

use crate::app::{
    components::{Copyable, Disclose},
    webhook_actions::{CreateWebhook, NewWebhook},
};
use leptos::{form::ActionForm, html, prelude::*};

#[component]
pub fn AddWebhook(
    told: RwSignal<Option<NewWebhook>>,
    look: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let action = ServerAction::<CreateWebhook>::new();
    let error = Memo::new(move |_| {
        action.value().with(|value| value.as_ref()?.as_ref().err().map(ToString::to_string))
    });
    let (details, name) = (NodeRef::<html::Details>::new(), NodeRef::<html::Input>::new());
    let url = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        let made = action.value().with(|value| value.as_ref().and_then(|value| value.as_ref().ok().cloned()));
        if let Some(made) = made {
            told.set(Some(made));
            look();
            for input in [name, url].into_iter().filter_map(|input| input.get_untracked()) {
                input.set_value("");
            }
            if let Some(details) = details.get_untracked() {
                details.set_open(false);
            }
        }
    });
    view! {
        <div class="needs-script head-end">
            <Disclose label="Add webhook" open=false details first=name>
                <ActionForm action>
                    <div class="field">
                        <label for="webhook-name">"Name"</label>
                        <input node_ref=name id="webhook-name" class="input" name="name" maxlength="80" required=true autocomplete="off"/>
                    </div>
                    <div class="field">
                        <label for="webhook-url">"Address"</label>
                        <input node_ref=url id="webhook-url" class="input" name="url" type="url" required=true autocomplete="off" placeholder="https://example.com/events"/>
                    </div>
                    <div class="field">
                        <label for="webhook-kind">"Type of event"</label>
                        <input id="webhook-kind" class="input" name="kind" autocomplete="off" placeholder="every type; or worker.*"/>
                    </div>
                    <div class="field">
                        <label for="webhook-priority">"Of this priority or higher"</label>
                        <select id="webhook-priority" class="select" name="priority">
                            <option value="low">"low: everything"</option>
                            <option value="normal">"normal: warnings"</option>
                            <option value="high" selected=true>"high: errors"</option>
                        </select>
                    </div>
                    {move || error.get().map(|error| view! { <p class="notice tone-bad" role="alert">{error}</p> })}
                    <div class="form-actions">
                        <button class="button primary" disabled=move || action.pending().get()>"Add"</button>
                    </div>
                </ActionForm>
            </Disclose>
        </div>
    }
    .into_any()
}

/// The secret, told once, with what to do with it.
#[component]
pub fn SecretDialog(told: RwSignal<Option<NewWebhook>>) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let there = Memo::new(move |_| told.with(Option::is_some));
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if there.get() && !dialog.open() {
            _ = dialog.show_modal();
        } else if !there.get() && dialog.open() {
            dialog.close();
        }
    });
    let close = move || told.set(None);
    view! {
        <dialog class="dialog token" node_ref=dialog aria-labelledby="secret-title" on:close=move |_| close()>
            {move || told.get().map(|made| view! {
                <h2 id="secret-title">{format!("The secret of {}", made.webhook.plan.name)}</h2>
                <p>"It is shown this once. With it the receiver checks that a message is from this console: the header webhook-signature is made as the Standard Webhooks specification says, and libraries in many languages check it."</p>
                <p class="token-line"><Copyable text=made.secret what="secret"/></p>
                <div class="dialog-actions">
                    <button type="button" class="button primary" on:click=move |_| close()>"I have it"</button>
                </div>
            })}
        </dialog>
    }
    .into_any()
}
