//! The project of a net, and moving it to another one.

use crate::{
    app::{admin_actions::MoveNet, guard::use_desk, store::use_store},
    model::{Net, ProjectId, Role},
};
use leptos::{ev::SubmitEvent, form::FromFormData, prelude::*, task::spawn_local};
use leptos_router::components::A;
use server_fn::ServerFn;
use std::sync::Arc;

/// With a form where the user may move it and there is another project that they may act in.
#[component]
pub fn ProjectOfNet(net: ArcRwSignal<Arc<Net>>) -> impl IntoView {
    let (store, desk) = (use_store(), use_desk());
    let id = net.with_untracked(|net| net.id);
    let busy = RwSignal::new(false);
    let now = Memo::new(move |_| net.with(|net| net.project_id));
    let name = Memo::new(move |_| {
        let id = now.get();
        store.projects.with(|rows| rows.iter().find(|row| row.id == id).map(|row| row.name.to_string()))
    });
    let targets = Memo::new(move |_| {
        let now = now.get();
        if !store.may_in(now, Role::Operator) {
            return Vec::new();
        }
        store.projects.with(|rows| {
            let others = rows.iter().filter(|row| row.id != now && store.may_in(row.id, Role::Operator));
            others.map(|row| (row.id, row.name.to_string())).collect::<Vec<(ProjectId, String)>>()
        })
    });
    let any = Memo::new(move |_| !targets.with(Vec::is_empty));
    let on_submit = move |event: SubmitEvent| {
        let Ok(ask) = MoveNet::from_event(&event) else { return };
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            desk.move_net(ask).await;
            _ = busy.try_set(false);
        });
    };
    view! {
        <span class="net-project">{move || {
            let id = now.get();
            name.get().map(|name| view! { <A href=format!("/projects/{id}")>{name}</A> })
        }}</span>
        {move || any.get().then(|| view! {
            <form class="actions" tabindex="-1" method="post" action=MoveNet::url() on:submit=on_submit>
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="key" value=move || format!("{}-{id}-{}", store.form_key.get(), now.get())/>
                <label class="visually-hidden" for="move-net-to">"Other project"</label>
                <select id="move-net-to" name="project_id" class="select">
                    <For each=move || targets.get() key=|target| target.clone() let:target>
                        <option value=target.0.to_string()>{target.1}</option>
                    </For>
                </select>
                <button class="button" aria-disabled=move || busy.get().then_some("true")>"Move"</button>
            </form>
        })}
    }
    .into_any()
}
