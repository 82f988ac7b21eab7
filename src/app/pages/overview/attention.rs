//! What is wrong, with what mends it; then what came to its end. The panel is always there, so that trouble does not push the page down.

use super::super::parts::{
    HostButtons, NetBadge, NetButtons, WorkerBadge, WorkerButtons,
    host::{CommandNow, PresenceBadge},
};
use crate::{
    app::{
        components::format::counted,
        frame::trouble::{need_attention, trouble},
        store::{HostTrouble, NAMED, host_trouble, use_store},
        within::Within,
    },
    model::{Connection, HostId, NetAction, NetId, WorkerId},
};
use leptos::prelude::*;
use leptos_router::components::A;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Trouble {
    Worker(WorkerId),
    Net(NetId),
    Host(HostId),
}

fn class(trouble: usize) -> &'static str {
    if trouble > 0 { "panel attention tone-bad" } else { "panel attention" }
}

#[component]
pub fn Attention() -> impl IntoView {
    let store = use_store();
    let many = Memo::new(move |_| store.seen.with(trouble));
    // What is wrong elsewhere is not hidden by looking at a part.
    let elsewhere = Memo::new(move |_| store.summary.with(trouble).saturating_sub(many.get()));
    let rows = Memo::new(move |_| {
        store.seen.with(|summary| {
            let workers = summary.broken_workers.iter().copied().map(Trouble::Worker);
            let nets = summary.failed_nets.iter().copied().map(Trouble::Net);
            let hosts = summary.hosts.troubled_hosts.iter().copied().map(Trouble::Host);
            workers.chain(nets).chain(hosts).take(NAMED).collect::<Vec<_>>()
        })
    });
    let clusters = Memo::new(move |_| {
        store.clusters.with(|rows| {
            let chosen = store.within.get().cluster;
            let down = rows.iter().filter(|row| row.connection == Connection::Disconnected);
            let down = down.filter(|row| chosen.is_none_or(|chosen| row.id == chosen));
            down.map(|row| (row.id, row.name.to_string())).collect::<Vec<_>>()
        })
    });
    let more = Memo::new(move |_| many.get().saturating_sub(rows.with(Vec::len) + clusters.with(Vec::len)));
    let dead = Memo::new(move |_| store.seen.with(|seen| (seen.dead_nets.clone(), seen.nets_dead)));
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
                        .map(|(id, name)| {
                            view! {
                                <li class="line">
                                    <span class="line-name"><A href=format!("/clusters/{id}")>{name}</A></span>
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
                        Trouble::Host(id) => view! { <HostInTrouble id/> }.into_any(),
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
                                ", "
                                <A href="/hosts">"hosts"</A>
                            </p>
                        }
                    })
            }}
            {move || {
                (elsewhere.get() != 0)
                    .then(|| {
                        view! {
                            <p class="lines-more">
                                {move || format!("Outside of what you look at: {}. ", need_attention(elsewhere.get()))}
                                <a href=format!("/?{}", Within::default().write_out(""))>"Show all"</a>
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

/// A host that is away, has a compartment in error, or whose last command did not end well.
#[component]
fn HostInTrouble(id: HostId) -> impl IntoView {
    let store = use_store();
    let host = store.host_row(id)?;
    let name = host.with_untracked(|host| host.name.to_string());
    let shown_name = name.clone();
    let commands = store.commands_of(id);
    let why = Memo::new({
        let host = host.clone();
        move |_| {
            commands.track();
            let words =
                host_trouble(&host.get(), store.last_ended(id).as_deref()).into_iter().map(|trouble| {
                    match trouble {
                        HostTrouble::Offline => "its agent is not connected".to_owned(),
                        HostTrouble::Compartment(kind, message) => format!("{}: {message}", kind.label()),
                        HostTrouble::Command(_) => "its last command did not end well".to_owned(),
                    }
                });
            words.collect::<Vec<_>>().join(" · ")
        }
    });
    Some(
        view! {
        <li class="line" data-host=name>
            <span class="line-name">
                <A href=format!("/hosts/{id}")>{shown_name}</A>
            </span>
            <PresenceBadge host=host.clone()/>
            <CommandNow host=host.clone()/>
            <span class="line-error">{move || why.get()}</span>
            <span class="line-actions">
                <HostButtons host/>
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
