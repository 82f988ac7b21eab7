//! A few nets, a line each: on a worker's row, on the overview.

use super::{AssignForm, NetBadge, NetButtons};
use crate::{
    app::{components::format, live::glow::glow, store::use_store},
    model::{NetAction, NetId},
};
use leptos::prelude::*;
use leptos_router::components::A;

/// More than this belong in the list of nets.
const MOST: usize = 50;

#[component]
pub fn NetLines(
    #[prop(into)] ids: Signal<Vec<NetId>>,
    /// Also show where each net is assigned, and offer to assign it.
    #[prop(optional)]
    with_worker: bool,
) -> impl IntoView {
    let more = Memo::new(move |_| ids.with(Vec::len).saturating_sub(MOST));
    view! {
        <ul class="lines">
            <For each=move || ids.with(|ids| ids.iter().take(MOST).copied().collect::<Vec<_>>()) key=|id| *id let:id>
                <NetLine id with_worker/>
            </For>
        </ul>
        {move || {
            (more.get() > 0)
                .then(|| view! { <p class="quiet-text">{format!("and {} more in ", format::count(more.get() as u64))} <A href="/nets">"Nets"</A></p> })
        }}
    }
    .into_any()
}

#[component]
fn NetLine(id: NetId, with_worker: bool) -> impl IntoView {
    let store = use_store();
    let net = store.net_row(id)?;
    let row = net.get_untracked();
    let name = row.name.to_string();
    let shown_name = name.clone();
    let glows = glow(net.clone());
    let error = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.load_error.clone())
    });
    let at = Memo::new({
        let net = net.clone();
        move |_| store.worker_of(&net.get()).map(|worker| (worker.id, worker.name.to_string()))
    });
    let actions: &[NetAction] = if with_worker {
        &[NetAction::Load, NetAction::Unload]
    } else {
        &[NetAction::Load, NetAction::Unload, NetAction::Unassign]
    };
    Some(
        view! {
        <li class="line" class:glow=move || glows.get() data-net=name.clone()>
            <span class="line-name">
                <A href=format!("/nets/{id}")>{shown_name}</A>
            </span>
            <NetBadge net=net.clone()/>
            {with_worker
                .then(|| {
                    view! {
                        <span class="line-where">
                            {move || match at.get() {
                                Some((id, name)) => view! { "on " <A href=format!("/workers/{id}")>{name}</A> }.into_any(),
                                None => view! { <span class="quiet-text">"not assigned"</span> }.into_any(),
                            }}
                        </span>
                    }
                })}
            {move || error.get().map(|error| view! { <span class="line-error">{error}</span> })}
            <span class="line-actions">
                <NetButtons net=net.clone() among=actions/>
                {with_worker
                    .then(|| view! { {move || at.with(Option::is_none).then(|| view! { <AssignForm net=net.clone()/> })} })}
            </span>
        </li>
        }
        .into_any(),
    )
}
