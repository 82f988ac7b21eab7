//! Creating a worker: a form that opens in place, without JavaScript too.

use crate::app::{
    actions::CreateWorker as Create,
    components::{Disclose, use_toasts},
    store::use_store,
};
use crate::model::Provider;
use leptos::{form::ActionForm, html, prelude::*};
use leptos_router::hooks::use_query_map;

#[component]
pub fn CreateWorker() -> impl IntoView {
    let store = use_store();
    let toasts = use_toasts();
    let action = ServerAction::<Create>::new();
    let error = Memo::new(move |_| {
        action.value().with(|value| value.as_ref()?.as_ref().err().map(ToString::to_string))
    });
    let details = NodeRef::<html::Details>::new();
    let name = NodeRef::<html::Input>::new();
    let clusters = Memo::new(move |_| {
        store.clusters.with(|rows| {
            let mut all: Vec<_> = rows.iter().map(|row| (row.id, row.name.to_string())).collect();
            // The one that is looked at is the one that is meant.
            let looked_at = store.within.get().cluster;
            all.sort_by_key(|(id, _)| Some(*id) != looked_at);
            all
        })
    });
    // Only where there are machines of somebody else's is there an address to give.
    let external = Memo::new(move |_| {
        store.clusters.with(|rows| rows.iter().any(|row| row.provider == Provider::External))
    });
    // Where the chosen cluster is not such a one, its field is out of the way; without scripts it stays.
    let chosen = RwSignal::new(None::<String>);
    let not_asked = Memo::new(move |_| {
        chosen.with(|chosen| {
            let chosen = chosen.as_ref()?;
            store.clusters.with(|rows| {
                let chosen = rows.iter().find(|row| row.id.to_string() == *chosen)?;
                Some(chosen.provider != Provider::External)
            })
        }) == Some(true)
    });
    let cluster = NodeRef::<html::Select>::new();
    Effect::new(move |_| {
        clusters.track();
        if let Some(cluster) = cluster.get() {
            chosen.set(Some(cluster.value()));
        }
    });
    // A form that came back with an error, and one that is linked to, is open.
    let wanted = use_query_map().with_untracked(|query| query.get("new").is_some());
    let open = wanted || error.get_untracked().is_some();
    // Each worker made by this form gets its own key.
    let made = RwSignal::new(0_u32);
    Effect::new(move |_| {
        let message = action.value().with(|value| {
            value.as_ref().and_then(|value| value.as_ref().ok()).map(|done| done.message.clone())
        });
        if let Some(message) = message {
            toasts.success(message);
            made.update(|made| *made += 1);
            if let Some(name) = name.get_untracked() {
                name.set_value("");
            }
            if let Some(details) = details.get_untracked() {
                details.set_open(false);
            }
        }
    });
    let may_act = store.may_act();
    may_act.then(|| view! {
        <Disclose label="Create worker" open details first=name>
                <ActionForm action>
                    <input type="hidden" name="key" value=move || format!("{}-worker-{}", store.form_key.get(), made.get())/>
                    <div class="field">
                        <label for="worker-name">"Name"</label>
                        <input node_ref=name id="worker-name" class="input" name="name" maxlength="80" required=true autocomplete="off"/>
                    </div>
                    <div class="field">
                        <label for="worker-cluster">"Cluster"</label>
                        <select
                            id="worker-cluster"
                            name="cluster_id"
                            class="select"
                            node_ref=cluster
                            on:change=move |event| chosen.set(Some(event_target_value(&event)))
                        >
                            <For each=move || clusters.get() key=|cluster| cluster.clone() let:cluster>
                                <option value=cluster.0.to_string()>{cluster.1.clone()}</option>
                            </For>
                        </select>
                    </div>
                    <Show when=move || external.get()>
                        <div class="field" hidden=move || not_asked.get()>
                            <label for="worker-endpoint">"Address " <span class="field-note">"external clusters only"</span></label>
                            <input id="worker-endpoint" class="input" name="endpoint" type="url" disabled=move || not_asked.get() maxlength="300" placeholder="http://192.0.2.7:7070" autocomplete="off"/>
                        </div>
                    </Show>
                    <fieldset class="field">
                        <legend>"Kind"</legend>
                        <label class="choice">
                            <input type="radio" name="category" value="persistent" checked=true/>
                            <span>"Persistent" <span class="field-note">"can be stopped and started again"</span></span>
                        </label>
                        <label class="choice">
                            <input type="radio" name="category" value="ephemeral"/>
                            <span>"Ephemeral" <span class="field-note">"lives once"</span></span>
                        </label>
                    </fieldset>
                    <div class="field-pair">
                        <div class="field">
                            <label for="worker-cpus">"CPUs"</label>
                            <input id="worker-cpus" class="input" name="cpus" type="number" min="1" max="256" value="1" required=true/>
                        </div>
                        <div class="field">
                            <label for="worker-memory">"Memory, MB"</label>
                            <input id="worker-memory" class="input" name="memory_mb" type="number" min="64" max="1048576" value="512" required=true/>
                        </div>
                    </div>
                    <label class="choice">
                        <input type="checkbox" name="provision" value="true"/>
                        <span>"Provision it at once"</span>
                    </label>
                    {move || error.get().map(|error| view! { <p class="notice tone-bad" role="alert">{error}</p> })}
                    <div class="form-actions">
                        <button class="button primary" disabled=move || action.pending().get()>
                            "Create"
                        </button>
                    </div>
                </ActionForm>
        </Disclose>
    })
}
