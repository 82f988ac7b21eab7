//! Adding nets: PNML files that are chosen, dropped on the page or pasted, or pasted text. What is wrong with one is said here, with line
//! and column, and nothing of it is stored unless it is to be kept all the same.

mod batch;
mod fields;
mod wrong;

pub use fields::PnmlFields;
pub use wrong::{PnmlError, wrong_at};

use crate::app::{
    actions::{CreateNet, create_net},
    components::{Disclose, keyboard::typing, use_toasts},
    error::ApiError,
    live::files::{self, Dragged, Upload},
    store::use_store,
};
use crate::model::Role;
use batch::{Batch, BatchResults};
use leptos::{ev, form::form_data_from_event, html, prelude::*, server::ServerActionError};
use leptos_router::hooks::{use_navigate, use_query_map};
use server_fn::{ServerFn, error::ServerFnUrlError};

#[component]
pub fn AddNet() -> impl IntoView {
    let store = use_store();
    let toasts = use_toasts();
    let details = NodeRef::<html::Details>::new();
    let chosen = NodeRef::<html::Input>::new();
    let text = NodeRef::<html::Textarea>::new();
    let project = NodeRef::<html::Select>::new();
    // What went wrong with this form when it was sent without JavaScript.
    let came_back = use_context::<ServerActionError>()
        .filter(|error| error.path() == CreateNet::PATH)
        .map(|error| ServerFnUrlError::<ApiError>::decode_err(error.err()));
    let made = RwSignal::new(0_u32);
    let error = RwSignal::new(came_back.map(|error| (error, None)));
    let batch = Batch::new(toasts);
    let busy = batch.busy;
    let projects = Memo::new(move |_| {
        store.projects.with(|rows| {
            let mine = rows.iter().filter(|row| store.may_in(row.id, Role::Operator));
            let mut mine: Vec<_> = mine.map(|row| (row.id, row.name.to_string())).collect();
            // The one that is looked at is the one that is meant.
            let looked_at = store.within.get().project;
            mine.sort_by_key(|(id, _)| Some(*id) != looked_at);
            mine
        })
    });
    let open = use_query_map().with_untracked(|query| query.get("new").is_some())
        || error.with_untracked(Option::is_some);
    let navigate = use_navigate();
    let key = move || format!("{}-net-{}", store.form_key.get_untracked(), made.get_untracked());
    let send_all = move |files: Vec<Upload>| {
        if files.is_empty() {
            return;
        }
        if let Some(details) = details.get_untracked() {
            details.set_open(true);
        }
        error.set(None);
        let project = project.get_untracked().map(|project| project.value()).unwrap_or_default();
        batch.send(files, project, key());
        made.update(|made| *made += 1);
    };
    let on_submit = move |event: ev::SubmitEvent| {
        let files = chosen.get_untracked().map(|input| files::chosen(&input)).unwrap_or_default();
        if files.len() > 1 {
            event.prevent_default();
            send_all(files);
            return;
        }
        let Ok(data) = form_data_from_event(&event) else { return };
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let navigate = navigate.clone();
        let file = files.into_iter().next();
        let pasted = text.get_untracked().map(|text| text.value()).unwrap_or_default();
        leptos::task::spawn_local(async move {
            match create_net(data.into()).await {
                Ok(done) => {
                    toasts.success(done.message.clone());
                    _ = made.try_update(|made| *made += 1);
                    _ = error.try_set(None);
                    if let Some(net) = &done.net {
                        let path = format!("/nets/{}", net.id);
                        navigate(&store.within.get_untracked().carry(&path), Default::default());
                    }
                }
                Err(why) => {
                    let excerpt = wrong_at(&why, file, pasted).await;
                    _ = error.try_set(Some((why, excerpt)));
                }
            }
            _ = busy.try_set(false);
        });
    };
    let over = RwSignal::new(false);
    let paste_text = move |pasted: String| {
        if let (Some(details), Some(text)) = (details.get_untracked(), text.get_untracked()) {
            details.set_open(true);
            text.set_value(&pasted);
            _ = text.focus();
        }
    };
    if store.may_act_on_nets() {
        listen(over, send_all, paste_text);
    }
    store.may_act_on_nets().then(|| view! {
        <Disclose label="Add net" open details first=chosen>
            <form method="post" enctype="multipart/form-data" action=CreateNet::url() on:submit=on_submit>
                <input type="hidden" name="key" value=move || format!("{}-net-{}", store.form_key.get(), made.get())/>
                <PnmlFields prefix="net" chosen text several=true/>
                <div class="field">
                    <label for="net-name">"Name"</label>
                    <input id="net-name" class="input" name="name" autocomplete="off" aria-describedby="net-name-note"/>
                    <p class="field-note" id="net-name-note">"Empty: the name in the file. Several files keep theirs."</p>
                </div>
                <div class="field">
                    <label for="net-project">"Project"</label>
                    <select id="net-project" name="project_id" class="select" node_ref=project>
                        <For each=move || projects.get() key=|project| project.clone() let:project>
                            <option value=project.0.to_string()>{project.1.clone()}</option>
                        </For>
                    </select>
                </div>
                <div id="net-error">
                    <PnmlError error busy/>
                </div>
                <BatchResults batch/>
                <div class="form-actions">
                    <button class="button primary" disabled=move || busy.get()>
                        "Add"
                    </button>
                </div>
            </form>
        </Disclose>
        {move || over.get().then(|| view! { <div class="drop-here"><p>"Drop PNML files to add them"</p></div> })}
    })
}

/// Takes files that are dropped anywhere on the page, and what is pasted where nothing is being typed.
fn listen(
    over: RwSignal<bool>,
    send_all: impl Fn(Vec<Upload>) + Copy + 'static,
    paste_text: impl Fn(String) + Copy + 'static,
) {
    Effect::new(move |_| {
        let dragover = window_event_listener(ev::dragover, move |event| {
            if let Dragged::Files = files::dragged(&event) {
                // Else the browser would show the file instead of the page.
                event.prevent_default();
                over.set(true);
            }
        });
        let dragleave = window_event_listener(ev::dragleave, move |event| {
            if event.related_target().is_none() {
                over.set(false);
            }
        });
        let dropped = window_event_listener(ev::drop, move |event| {
            over.set(false);
            if let Dragged::Files = files::dragged(&event) {
                event.prevent_default();
                send_all(files::dropped(&event));
            }
        });
        let pasted = window_event_listener(ev::paste, move |event| {
            let (files, text) = files::pasted(&event);
            if !files.is_empty() {
                event.prevent_default();
                send_all(files);
            } else if !typing() && text.contains("<pnml") {
                event.prevent_default();
                paste_text(text);
            }
        });
        on_cleanup(move || {
            dragover.remove();
            dragleave.remove();
            dropped.remove();
            pasted.remove();
        });
    });
}
