//! Giving a project another name or other quotas.

use crate::{
    app::{admin_actions::EditProject, components::Disclose, guard::use_desk, store::use_store},
    model::{Project, ProjectId, Quotas},
};
use leptos::{ev::SubmitEvent, form::FromFormData, html, prelude::*, task::spawn_local};
use server_fn::ServerFn;
use std::sync::Arc;

#[component]
pub fn Edit(id: ProjectId, row: Memo<Option<Arc<Project>>>) -> impl IntoView {
    let (store, desk) = (use_store(), use_desk());
    let (details, name) = (NodeRef::<html::Details>::new(), NodeRef::<html::Input>::new());
    let busy = RwSignal::new(false);
    let now = move || row.get_untracked().map(|row| (row.revision, row.name.to_string(), row.quotas));
    let (revision, first, quotas) = now().unwrap_or_default();
    // What was shown when the form was opened: it is another one by the time it is sent if somebody else was quicker.
    let shown = RwSignal::new((revision, quotas));
    let on_open = Callback::new(move |()| {
        let Some((revision, called, quotas)) = now() else { return };
        shown.set((revision, quotas));
        if let Some(name) = name.get_untracked() {
            name.set_value(&called);
        }
    });
    let on_submit = move |event: SubmitEvent| {
        let Ok(ask) = EditProject::from_event(&event) else { return };
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            if desk.edit_project(ask).await
                && let Some(details) = details.try_get_untracked().flatten()
            {
                details.set_open(false);
            }
            _ = busy.try_set(false);
        });
    };
    view! {
        <Disclose label="Edit" open=false details first=name plain=true on_open>
            <form method="post" action=EditProject::url() on:submit=on_submit>
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="revision" value=move || shown.get().0.to_string()/>
                <input type="hidden" name="key" value=format!("{}-{id}-{revision}", store.form_key.get_untracked())/>
                <div class="field">
                    <label for="project-rename">"Name"</label>
                    <input node_ref=name id="project-rename" class="input" name="name" value=first maxlength="80" required=true autocomplete="off"/>
                </div>
                // Made anew when the form is opened, with what holds then.
                {move || view! { <QuotaFields prefix="edit" quotas=shown.get().1/> }}
                <div class="form-actions">
                    <button class="button primary" aria-disabled=move || busy.get().then_some("true")>"Save"</button>
                </div>
            </form>
        </Disclose>
    }
    .into_any()
}

/// The fields for quotas; an empty one is no bound.
#[component]
pub fn QuotaFields(prefix: &'static str, quotas: Quotas) -> impl IntoView {
    let text = |quota: Option<u32>| quota.map(|quota| quota.to_string()).unwrap_or_default();
    let (nets, workers, note) =
        (format!("{prefix}-quota-nets"), format!("{prefix}-quota-workers"), format!("{prefix}-quota-note"));
    view! {
        <div class="field-pair">
            <div class="field">
                <label for=nets.clone()>"Nets at most"</label>
                <input id=nets class="input" name="nets" type="number" min="0" max="1000000" value=text(quotas.nets) aria-describedby=note.clone()/>
            </div>
            <div class="field">
                <label for=workers.clone()>"Workers at most"</label>
                <input id=workers class="input" name="workers" type="number" min="0" max="1000000" value=text(quotas.workers) aria-describedby=note.clone()/>
            </div>
        </div>
        <p class="field-note" id=note>"Empty: no bound. What is there already stays."</p>
    }
    .into_any()
}
