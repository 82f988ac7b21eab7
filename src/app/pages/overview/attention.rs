//! What is wrong, with what mends it. Nothing at all when nothing is.

use super::super::parts::{NetBadge, NetButtons, WorkerBadge, WorkerButtons};
use crate::{
    app::store::use_store,
    model::{Connection, NetAction, NetId, WorkerId},
};
use leptos::prelude::*;
use leptos_router::components::A;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Trouble {
    Worker(WorkerId),
    Net(NetId),
}

/// More than this is a number.
const SHOWN: usize = 8;

#[component]
pub fn Attention() -> impl IntoView {
    let store = use_store();
    let all = Memo::new(move |_| {
        store.summary.with(|summary| {
            let workers = summary.broken_workers.iter().copied().map(Trouble::Worker);
            workers.chain(summary.broken_nets.iter().copied().map(Trouble::Net)).collect::<Vec<_>>()
        })
    });
    let clusters = Memo::new(move |_| {
        store.clusters.with(|rows| {
            let down = rows.iter().filter(|row| row.connection == Connection::Disconnected);
            down.map(|row| row.name.to_string()).collect::<Vec<_>>()
        })
    });
    let shown = Memo::new(move |_| !all.with(Vec::is_empty) || !clusters.with(Vec::is_empty));
    move || {
        shown.get().then(|| {
            view! {
                <section class="panel attention" aria-labelledby="attention-title">
                    <h2 id="attention-title">"Needs attention"</h2>
                    <ul class="lines">
                        {move || {
                            clusters
                                .get()
                                .into_iter()
                                .map(|name| {
                                    view! {
                                        <li class="line">
                                            <span class="line-name">{name}</span>
                                            <span class="state tone-bad">"cluster disconnected"</span>
                                        </li>
                                    }
                                })
                                .collect_view()
                        }}
                        <For
                            each=move || all.with(|all| all.iter().take(SHOWN).copied().collect::<Vec<_>>())
                            key=|trouble| *trouble
                            let:trouble
                        >
                            {match trouble {
                                Trouble::Worker(id) => view! { <WorkerTrouble id/> }.into_any(),
                                Trouble::Net(id) => view! { <NetTrouble id/> }.into_any(),
                            }}
                        </For>
                    </ul>
                    {move || {
                        let more = all.with(Vec::len).saturating_sub(SHOWN);
                        (more > 0).then(|| view! { <p class="quiet-text">{format!("and {more} more")}</p> })
                    }}
                </section>
            }
        })
    }
}

#[component]
fn WorkerTrouble(id: WorkerId) -> impl IntoView {
    let worker = use_store().worker_row(id)?;
    let row = worker.get_untracked();
    let name = row.name.to_string();
    let shown_name = name.clone();
    let reason = Memo::new({
        let worker = worker.clone();
        move |_| worker.with(|worker| worker.status_reason.clone())
    });
    Some(
        view! {
        <li class="line" data-worker=name.clone()>
            <span class="line-name">
                <A href=format!("/workers/{id}")>{shown_name}</A>
            </span>
            <WorkerBadge worker=worker.clone()/>
            {move || reason.get().map(|reason| view! { <span class="line-error">{reason}</span> })}
            <span class="line-actions">
                <WorkerButtons worker/>
            </span>
        </li>
        }
        .into_any(),
    )
}

#[component]
fn NetTrouble(id: NetId) -> impl IntoView {
    let net = use_store().net_row(id)?;
    let row = net.get_untracked();
    let name = row.name.to_string();
    let shown_name = name.clone();
    let reason = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.load_error.clone())
    });
    Some(
        view! {
        <li class="line" data-net=name.clone()>
            <span class="line-name">
                <A href=format!("/nets/{id}")>{shown_name}</A>
            </span>
            <NetBadge net=net.clone()/>
            {move || reason.get().map(|reason| view! { <span class="line-error">{reason}</span> })}
            <span class="line-actions">
                <NetButtons net among=&[NetAction::Load, NetAction::Reset, NetAction::Unload]/>
            </span>
        </li>
        }
        .into_any(),
    )
}
