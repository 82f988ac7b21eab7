//! What is wrong, with what mends it; then what came to its end. The panel is always there, so that trouble does not push the page down.

use super::super::parts::{NetBadge, NetButtons, WorkerBadge, WorkerButtons};
use crate::{
    app::{
        components::format::counted,
        frame::trouble::{need_attention, trouble},
        store::{NAMED, use_store},
    },
    model::{Connection, NetAction, NetId, WorkerId},
};
use leptos::prelude::*;
use leptos_router::components::A;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Trouble {
    Worker(WorkerId),
    Net(NetId),
}

fn class(trouble: usize) -> &'static str {
    if trouble > 0 { "panel attention tone-bad" } else { "panel attention" }
}

#[component]
pub fn Attention() -> impl IntoView {
    let store = use_store();
    let many = Memo::new(move |_| store.summary.with(trouble));
    let rows = Memo::new(move |_| {
        store.summary.with(|summary| {
            let workers = summary.broken_workers.iter().copied().map(Trouble::Worker);
            let nets = summary.failed_nets.iter().copied().map(Trouble::Net);
            workers.chain(nets).take(NAMED).collect::<Vec<_>>()
        })
    });
    let clusters = Memo::new(move |_| {
        store.clusters.with(|rows| {
            let down = rows.iter().filter(|row| row.connection == Connection::Disconnected);
            down.map(|row| row.name.to_string()).collect::<Vec<_>>()
        })
    });
    let more = Memo::new(move |_| many.get().saturating_sub(rows.with(Vec::len) + clusters.with(Vec::len)));
    let dead =
        Memo::new(move |_| store.summary.with(|summary| (summary.dead_nets.clone(), summary.nets_dead)));
    view! {
        <section
            class=move || class(many.get())
            aria-labelledby="attention-title"
        >
            <h2 id="attention-title">
                {move || match many.get() {
                    0 => "Nothing needs attention".to_owned(),
                    n => need_attention(n),
                }}
            </h2>
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
                <For each=move || rows.get() key=|trouble| *trouble let:trouble>
                    {match trouble {
                        Trouble::Worker(id) => view! { <WorkerTrouble id/> }.into_any(),
                        Trouble::Net(id) => view! { <NetTrouble id/> }.into_any(),
                    }}
                </For>
            </ul>
            {move || {
                (more.get() != 0)
                    .then(|| {
                        view! {
                            <p class="lines-more">
                                {move || format!("and {} more: ", more.get())}
                                <A href="/workers?status=error">"workers in error"</A>
                                ", "
                                <A href="/nets?status=error">"nets with a load error"</A>
                            </p>
                        }
                    })
            }}
            {move || {
                (dead.with(|(_, all)| *all != 0))
                    .then(|| {
                        view! {
                            <details class="came-to-end">
                                <summary>
                                    {move || {
                                        dead.with(|(_, all)| {
                                            format!("{} came to an end: no transition is enabled", counted(*all, "net", "nets"))
                                        })
                                    }}
                                </summary>
                                <ul class="lines">
                                    <For each=move || dead.with(|(ids, _)| ids.clone()) key=|id| *id let:id>
                                        <NetTrouble id/>
                                    </For>
                                </ul>
                            </details>
                        }
                    })
            }}
        </section>
    }
    .into_any()
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
