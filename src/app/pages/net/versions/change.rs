//! Giving a net a new version.

use crate::{
    app::{
        build_actions::{ChangeNet as Ask, change_net},
        components::{Disclose, use_toasts},
        error::ApiError,
        live::files,
        pages::nets::{PnmlError, PnmlFields, wrong_at},
        store::use_store,
    },
    model::{Net, NetId},
};
use leptos::{ev, form::form_data_from_event, html, prelude::*, server::ServerActionError};
use server_fn::{ServerFn, error::ServerFnUrlError};
use std::sync::Arc;

#[component]
pub fn ChangeNet(id: NetId, net: ArcRwSignal<Arc<Net>>) -> impl IntoView {
    let (store, toasts) = (use_store(), use_toasts());
    let details = NodeRef::<html::Details>::new();
    let chosen = NodeRef::<html::Input>::new();
    let text = NodeRef::<html::Textarea>::new();
    // What went wrong with this form when it was sent without JavaScript.
    let came_back = use_context::<ServerActionError>()
        .filter(|error| error.path() == Ask::PATH)
        .map(|error| ServerFnUrlError::<ApiError>::decode_err(error.err()));
    let open = came_back.is_some();
    let error = RwSignal::new(came_back.map(|error| (error, None)));
    let (busy, sent) = (RwSignal::new(false), RwSignal::new(0_u32));
    let revision = Memo::new(move |_| net.with(|net| net.state_revision));
    let on_submit = move |event: ev::SubmitEvent| {
        let Ok(data) = form_data_from_event(&event) else { return };
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let file = chosen.get_untracked().and_then(|input| files::chosen(&input).into_iter().next());
        let pasted = text.get_untracked().map(|text| text.value()).unwrap_or_default();
        leptos::task::spawn_local(async move {
            // Each sending is another one: what is wrong with the file may be put right meanwhile.
            _ = sent.try_update(|sent| *sent += 1);
            match change_net(data.into()).await {
                Ok(done) => {
                    toasts.success(done.message);
                    _ = error.try_set(None);
                    if let Some(details) = details.try_get_untracked().flatten() {
                        details.set_open(false);
                    }
                    if let Some(form) = text.try_get_untracked().flatten().and_then(|text| text.form()) {
                        form.reset();
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
    view! {
        <Disclose label="Change net" open details first=chosen plain=true>
            <form method="post" enctype="multipart/form-data" action=Ask::url() on:submit=on_submit>
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="state_revision" value=move || revision.get().to_string()/>
                <input
                    type="hidden"
                    name="key"
                    value=move || format!("{}-{id}-change-{}", store.form_key.get(), sent.get())
                />
                <p class="field-note">
                    "It becomes a new version; the ones before stay. What is loaded goes on as it is until it is loaded anew."
                </p>
                <PnmlFields prefix="change" chosen text/>
                <div id="change-error">
                    <PnmlError error busy/>
                </div>
                <div class="form-actions">
                    <button class="button primary" disabled=move || busy.get()>
                        "Make a new version"
                    </button>
                </div>
            </form>
        </Disclose>
    }
    .into_any()
}
