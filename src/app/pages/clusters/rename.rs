//! Giving a cluster another name.

use crate::{
    app::{admin_actions::RenameCluster, components::Disclose, guard::use_desk, store::use_store},
    model::{Cluster, ClusterId},
};
use leptos::{ev::SubmitEvent, form::FromFormData, html, prelude::*, task::spawn_local};
use server_fn::ServerFn;
use std::sync::Arc;

#[component]
pub fn Rename(id: ClusterId, row: Memo<Option<Arc<Cluster>>>) -> impl IntoView {
    let (store, desk) = (use_store(), use_desk());
    let (details, name) = (NodeRef::<html::Details>::new(), NodeRef::<html::Input>::new());
    let busy = RwSignal::new(false);
    let now = move || row.get_untracked().map(|row| (row.revision, row.name.to_string())).unwrap_or_default();
    let (revision, first) = now();
    // What was shown when the form was opened: it is another one by the time it is sent if somebody else was quicker.
    let shown = RwSignal::new(revision);
    let on_open = Callback::new(move |()| {
        let (revision, called) = now();
        shown.set(revision);
        if let Some(name) = name.get_untracked() {
            name.set_value(&called);
        }
    });
    let on_submit = move |event: SubmitEvent| {
        let Ok(ask) = RenameCluster::from_event(&event) else { return };
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            if desk.rename_cluster(ask).await
                && let Some(details) = details.try_get_untracked().flatten()
            {
                details.set_open(false);
            }
            _ = busy.try_set(false);
        });
    };
    view! {
        <Disclose label="Rename" open=false details first=name plain=true on_open>
            <form method="post" action=RenameCluster::url() on:submit=on_submit>
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="revision" value=move || shown.get().to_string()/>
                <input type="hidden" name="key" value=format!("{}-{id}-{revision}", store.form_key.get_untracked())/>
                <div class="field">
                    <label for="cluster-rename">"Name"</label>
                    <input node_ref=name id="cluster-rename" class="input" name="name" value=first maxlength="80" required=true autocomplete="off"/>
                </div>
                <div class="form-actions">
                    <button class="button primary" aria-disabled=move || busy.get().then_some("true")>"Rename"</button>
                </div>
            </form>
        </Disclose>
    }
    .into_any()
}
