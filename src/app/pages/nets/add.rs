//! Adding a net from a PNML file or from pasted text. What is wrong with it is said here, with line and column, and nothing is stored.

use crate::app::{
    actions::{CreateNet, create_net},
    components::{Icon, use_toasts},
    error::ApiError,
    store::use_store,
};
use crate::model::Done;
use leptos::{ev::SubmitEvent, form::form_data_from_event, html, prelude::*, server::ServerActionError};
use leptos_router::hooks::{use_navigate, use_query_map};
use server_fn::{ServerFn, error::ServerFnUrlError};

#[component]
pub fn AddNet() -> impl IntoView {
    let store = use_store();
    let toasts = use_toasts();
    let form = NodeRef::<html::Form>::new();
    // What went wrong with this form when it was sent without JavaScript.
    let came_back = use_context::<ServerActionError>()
        .filter(|error| error.path() == CreateNet::PATH)
        .map(|error| Err(ServerFnUrlError::<ApiError>::decode_err(error.err())));
    let made = RwSignal::new(0_u32);
    let value = RwSignal::<Option<Result<Done, ApiError>>>::new(came_back);
    let busy = RwSignal::new(false);
    let error =
        Memo::new(move |_| value.with(|value| value.as_ref()?.as_ref().err().map(ToString::to_string)));
    let projects = Memo::new(move |_| {
        store.projects.with(|rows| rows.iter().map(|row| (row.id, row.name.to_string())).collect::<Vec<_>>())
    });
    let open =
        use_query_map().with_untracked(|query| query.get("new").is_some()) || error.get_untracked().is_some();
    let navigate = use_navigate();
    let on_submit = move |event: SubmitEvent| {
        let Ok(data) = form_data_from_event(&event) else { return };
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let navigate = navigate.clone();
        leptos::task::spawn_local(async move {
            let answer = create_net(data.into()).await;
            if let Ok(done) = &answer {
                toasts.success(done.message.clone());
                _ = made.try_update(|made| *made += 1);
                if let Some(net) = &done.net {
                    navigate(&format!("/nets/{}", net.id), Default::default());
                }
            }
            _ = value.try_set(Some(answer));
            _ = busy.try_set(false);
        });
    };
    store.may_act().then(|| view! {
        <details class="disclose" open=open>
            <summary class="button primary">
                <Icon name="plus"/>
                "Add net"
            </summary>
            <div class="disclosed">
                <form
                    node_ref=form
                    method="post"
                    enctype="multipart/form-data"
                    action=CreateNet::url()
                    on:submit=on_submit
                >
                    <input type="hidden" name="key" value=move || format!("{}-net-{}", store.form_key.get(), made.get())/>
                    <div class="field">
                        <label for="net-file">"PNML file"</label>
                        <input id="net-file" name="file" type="file" accept=".pnml,.xml,application/xml,text/xml"/>
                    </div>
                    <div class="field">
                        <label for="net-text">"or paste it"</label>
                        <textarea id="net-text" class="input mono" name="text" rows="5" spellcheck="false" aria-describedby="net-error"></textarea>
                    </div>
                    <div class="field">
                        <label for="net-name">"Name"</label>
                        <input id="net-name" class="input" name="name" autocomplete="off" aria-describedby="net-name-note"/>
                        <p class="field-note" id="net-name-note">"Empty: the name in the file."</p>
                    </div>
                    <div class="field">
                        <label for="net-project">"Project"</label>
                        <select id="net-project" name="project_id" class="select">
                            <For each=move || projects.get() key=|project| project.clone() let:project>
                                <option value=project.0.to_string()>{project.1.clone()}</option>
                            </For>
                        </select>
                    </div>
                    <div id="net-error" aria-live="polite">
                        {move || error.get().map(|error| view! { <p class="notice tone-bad" role="alert">{error}</p> })}
                    </div>
                    <div class="form-actions">
                        <button class="button primary" disabled=move || busy.get()>
                            "Add"
                        </button>
                    </div>
                </form>
            </div>
        </details>
    })
}
