//! Creating a project: a form that opens in place, without JavaScript too. For administrators.

use super::edit::QuotaFields;
use crate::{
    app::{
        admin_actions::CreateProject as Create,
        components::{Disclose, use_toasts},
        store::use_store,
    },
    model::Quotas,
};
use leptos::{form::ActionForm, html, prelude::*};
use leptos_router::hooks::use_query_map;

#[component]
pub fn CreateProject() -> impl IntoView {
    let (store, toasts) = (use_store(), use_toasts());
    let action = ServerAction::<Create>::new();
    let error = Memo::new(move |_| {
        action.value().with(|value| value.as_ref()?.as_ref().err().map(ToString::to_string))
    });
    let (details, name) = (NodeRef::<html::Details>::new(), NodeRef::<html::Input>::new());
    let wanted = use_query_map().with_untracked(|query| query.get("new").is_some());
    let open = wanted || error.get_untracked().is_some();
    // Each one made by this form gets its own key.
    let made = RwSignal::new(0_u32);
    Effect::new(move |_| {
        let done = action.value().with(|value| value.as_ref().and_then(|value| value.as_ref().ok().cloned()));
        if let Some(done) = done {
            toasts.success(done.message);
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
        <Disclose label="Create project" open details first=name>
            <ActionForm action>
                <input type="hidden" name="key" value=move || format!("{}-project-{}", store.form_key.get(), made.get())/>
                <div class="field">
                    <label for="project-name">"Name"</label>
                    <input node_ref=name id="project-name" class="input" name="name" maxlength="80" required=true autocomplete="off"/>
                </div>
                <QuotaFields prefix="new" quotas=Quotas::default()/>
                {move || error.get().map(|error| view! { <p class="notice tone-bad" role="alert">{error}</p> })}
                <div class="form-actions">
                    <button class="button primary" disabled=move || action.pending().get()>"Create"</button>
                </div>
            </ActionForm>
        </Disclose>
    })
}
