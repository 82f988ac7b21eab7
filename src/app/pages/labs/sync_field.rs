//! How often the labs of a cluster's workers are asked for; administrators can change it.

use crate::{
    app::{guard::use_desk, lab_actions::SetLabSync, store::use_store},
    model::{
        ClusterId,
        lab::{SYNC_EVERY, SYNC_MINUTES},
    },
};
use leptos::{ev::SubmitEvent, form::FromFormData, html, prelude::*, task::spawn_local};
use server_fn::ServerFn;

#[component]
pub fn LabSyncField(id: ClusterId) -> impl IntoView {
    let (store, desk) = (use_store(), use_desk());
    let usual = SYNC_EVERY.as_secs() / 60;
    let minutes = Memo::new(move |_| {
        let said = store.clusters.with(|rows| rows.iter().find(|row| row.id == id)?.lab_sync_minutes);
        said.map_or(usual, u64::from)
    });
    let busy = RwSignal::new(false);
    let field = NodeRef::<html::Input>::new();
    // Somebody else may have changed it meanwhile.
    Effect::new(move |before: Option<u64>| {
        let now = minutes.get();
        if let (true, Some(field)) = (before.is_some_and(|before| before != now), field.get_untracked()) {
            field.set_value(&now.to_string());
        }
        now
    });
    let on_submit = move |event: SubmitEvent| {
        let Ok(ask) = SetLabSync::from_event(&event) else { return };
        event.prevent_default();
        if !busy.get_untracked() {
            busy.set(true);
            spawn_local(async move {
                desk.lab_sync(ask).await;
                _ = busy.try_set(false);
            });
        }
    };
    if !store.may_administer() {
        return view! { {move || format!("every {} min", minutes.get())} }.into_any();
    }
    view! {
        <form class="lab-sync" method="post" action=SetLabSync::url() on:submit=on_submit>
            <input type="hidden" name="id" value=id.to_string()/>
            <input type="hidden" name="key" value=move || format!("{}-{id}-{}", store.form_key.get(), minutes.get())/>
            <label for="lab-sync">"every"<span class="visually-hidden">" so many minutes"</span></label>
            <input
                node_ref=field
                id="lab-sync"
                class="input"
                name="minutes"
                type="number"
                min=SYNC_MINUTES.start().to_string()
                max=SYNC_MINUTES.end().to_string()
                value=minutes.get_untracked().to_string()
                required=true
                title="How often the labs of its workers are asked for; what a worker tells by itself is seen at once"
            />
            <span>"min"</span>
            <button class="button" aria-disabled=move || busy.get().then_some("true")>"Set"</button>
        </form>
    }
    .into_any()
}
