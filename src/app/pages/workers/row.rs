//! A worker in the list: a table row, a card on a phone; opened, also its nets.

use super::super::{
    labs::{count_words, counts_title},
    parts::{NetLines, WorkerBadge, WorkerButtons},
};
use super::trend::WorkerTrend;
use crate::{
    app::{
        components::{
            Ago, Icon, Meter, format,
            list::{List, PickBox, RowPlace, measured},
        },
        live::glow::glow,
        store::{Dated, Store, use_store},
    },
    model::{NetId, Worker, WorkerId},
};
use leptos::{html, prelude::*};
use leptos_router::components::A;
use std::{sync::Arc, time::Duration};

/// Figures come every second; older than three of them they are not shown as current.
const FRESH: Duration = Duration::from_secs(5);
/// Of a large fleet the server tells the figures of so many workers a second, in turn.
const TOLD_A_SECOND: usize = 1_000;

#[component]
pub fn WorkerRow(list: List<WorkerId>, place: RowPlace<WorkerId>) -> impl IntoView {
    let store = use_store();
    let RowPlace { key: id, index } = place;
    let worker = store.worker_row(id)?;
    let row = worker.get_untracked();
    let name = row.name.to_string();
    let shown_name = name.clone();
    let open = list.is_open(id);
    let lean = list.alive.get_untracked();
    let entry = NodeRef::<html::Tbody>::new();
    measured(entry, id, open);
    let glows = glow(worker.clone());
    let picked = Memo::new(move |_| list.picked.with(|picked| picked.contains(&id)));
    let since = Memo::new({
        let worker = worker.clone();
        move |_| worker.with(|worker| worker.status_since)
    });
    let ready = Memo::new({
        let worker = worker.clone();
        move |_| worker.with(|worker| worker.is_ready())
    });
    let place = Memo::new({
        let worker = worker.clone();
        move |_| {
            let worker = worker.get();
            let cluster = store.cluster_name(worker.cluster_id);
            match &worker.region {
                Some(region) => format!("{cluster} · {region}"),
                None => cluster,
            }
        }
    });
    let nets = store.nets_on(id);
    let nets_count = Memo::new({
        let nets = nets.clone();
        move |_| nets.with(Vec::len)
    });
    let loaded = Memo::new({
        let nets = nets.clone();
        move |_| nets.get().iter().filter(|id| store.net(**id).is_some_and(|net| net.is_loaded())).count()
    });
    let reason = Memo::new({
        let worker = worker.clone();
        move |_| worker.with(|worker| worker.status_reason.clone())
    });
    let more = worker.clone();
    Some(
        view! {
        <tbody
            class="entry"
            class:open=move || open.get()
            class:glow=move || glows.get()
            class:picked=move || picked.get()
            role="rowgroup"
            data-key=id.to_string()
            data-worker=name.clone()
            node_ref=entry
        >
            <tr role="row" tabindex="-1" aria-rowindex=move || index.get().to_string()>
                {store.may_act().then(|| view! { <td class="cell-pick" role="cell"><PickBox list key=id name=name.clone()/></td> })}
                <td class="cell-open" role="cell">
                    <button
                        type="button"
                        class="button quiet"
                        aria-expanded=move || open.get().to_string()
                        aria-label=format!("Nets of {name}")
                        on:click=move |_| list.turn(id)
                    >
                        <Icon name="chevron"/>
                    </button>
                </td>
                <th class="cell-name" scope="row" role="rowheader">
                    <A href=format!("/workers/{id}")>{shown_name}</A>
                    <span class="quiet-text cell-kind">{row.category.as_str()}</span>
                </th>
                <td class="cell-status" role="cell" data-label="Status">
                    <WorkerBadge worker=worker.clone()/>
                    {move || reason.get().map(|reason| view! { <span class="cell-reason" title=reason.clone()>{reason.clone()}</span> })}
                </td>
                <td class="figure cell-since" role="cell" data-label="Since">
                    <Ago at=since/>
                </td>
                <td class="cell-place" role="cell" data-label="Region">
                    {move || place.get()}
                </td>
                <td class="cell-nets" role="cell" data-label="Nets">
                    {move || match nets_count.get() {
                        0 => "none".to_owned(),
                        all => format!("{} of {} loaded", format::count(loaded.get() as u64), format::count(all as u64)),
                    }}
                </td>
                <LabsCell worker=worker.clone()/>
                <Figures id cpus=row.cpus ready/>
                <td class="cell-actions" role="cell">
                    <WorkerButtons worker lean/>
                </td>
            </tr>
            {move || {
                let (nets, worker) = (nets.clone(), more.clone());
                open.get()
                    .then(|| {
                        view! {
                            <tr class="entry-more" role="row">
                                <td role="cell">
                                    <More id worker=worker.clone() nets/>
                                </td>
                            </tr>
                        }
                    })
            }}
        </tbody>
        }
        .into_any(),
    )
}

/// How many labs are on it, and how many of them work: a dash where it was never asked.
#[component]
fn LabsCell(worker: ArcRwSignal<Arc<Worker>>) -> impl IntoView {
    let counts = Memo::new(move |_| worker.with(|worker| worker.labs));
    let some = Memo::new(move |_| counts.with(|counts| counts.is_some_and(|counts| counts.total > 0)));
    view! {
        <td class="cell-labs" role="cell" data-label="Labs" title=move || counts_title(counts.get())>
            {move || count_words(counts.get())}
            {move || some.get().then(|| view! { <span class="labs-word">" running"</span> })}
        </td>
    }
    .into_any()
}

/// What an open row adds: the nets, and what the columns have no room for.
#[component]
fn More(id: WorkerId, worker: ArcRwSignal<Arc<Worker>>, nets: ArcRwSignal<Vec<NetId>>) -> impl IntoView {
    let store = use_store();
    let none = Memo::new({
        let nets = nets.clone();
        move |_| nets.with(Vec::is_empty)
    });
    let facts = Memo::new(move |_| {
        let row = worker.get();
        let mut facts = vec![
            ("Provider", row.provider.as_str().to_owned()),
            ("Kind", row.category.as_str().to_owned()),
            (
                "Size",
                format!(
                    "{}, {} MB",
                    format::counted(row.cpus.into(), "CPU", "CPUs"),
                    format::count(row.memory_mb.into())
                ),
            ),
        ];
        if let Some(reason) = &row.status_reason {
            facts.insert(0, ("Why", reason.clone()));
        }
        if let Some(machine) = &row.machine {
            facts.push(("Endpoint", machine.endpoint.clone()));
            facts.push(("Software", machine.software_version.clone()));
        }
        facts
    });
    view! {
        <div class="more">
            <div class="more-nets">
                {move || {
                    none.get()
                        .then(|| {
                            let assign = store.may_act().then(|| view! { " " <A href="/nets?worker=not%20assigned">"Assign one"</A> });
                            view! { <p class="quiet-text">"No net is assigned to it." {assign}</p> }
                        })
                }}
                <NetLines ids=nets/>
                <WorkerTrend id/>
            </div>
            <dl class="facts more-facts">
                {move || {
                    facts.get().into_iter().map(|(what, value)| view! { <dt>{what}</dt> <dd>{value}</dd> }).collect_view()
                }}
                <dt>"Id"</dt>
                <dd class="mono">{id.to_string()}</dd>
            </dl>
        </div>
    }
    .into_any()
}

/// CPU and memory: never a false zero. What is old is a dash, with the last value and its age on hover.
#[component]
pub fn Figures(id: WorkerId, cpus: u16, ready: Memo<bool>) -> impl IntoView {
    let store = use_store();
    let figures = store.worker_figures(id);
    let fresh = fresh(store, id, ready);
    let latest = Memo::new(move |_| figures.with(|dated| dated.as_ref().map(|dated| dated.value)));
    let current = move || if fresh.get() { latest.get() } else { None };
    let load = Memo::new(move |_| {
        current().map(|value| f64::from(value.cpu_percent) / (100.0 * f64::from(cpus.max(1))))
    });
    let last = move |words: fn(crate::model::WorkerMetrics) -> String| {
        if fresh.get() { None } else { latest.get().map(|value| format!("Last known: {}", words(value))) }
    };
    view! {
        <td class="cell-cpu" role="cell" data-label="CPU" title=move || last(|value| format!("{:.0} %", value.cpu_percent))>
            <Meter value=load label="CPU"/>
            <span class="figure">{move || current().map_or("—".to_owned(), |value| format!("{:.0} %", value.cpu_percent))}</span>
        </td>
        <td class="figure cell-memory" role="cell" data-label="Memory" title=move || last(|value| format::bytes(value.memory_bytes))>
            {move || current().map_or("—".to_owned(), |value| format::bytes(value.memory_bytes))}
        </td>
    }
    .into_any()
}

/// Whether the worker's figures are of now.
pub fn fresh(store: Store, id: WorkerId, ready: Memo<bool>) -> Memo<bool> {
    let (figures, now) = (store.worker_figures(id), store.now);
    Memo::new(move |_| {
        let young = |dated: &Dated<_>| now.get().since(dated.at) <= fresh_for(store);
        ready.get() && figures.with(|dated| dated.as_ref().is_some_and(young))
    })
}

/// How old figures may be and still be shown as current: three turns of what the server tells.
fn fresh_for(store: Store) -> Duration {
    let turns = store.summary.with_untracked(|summary| summary.workers) / TOLD_A_SECOND;
    FRESH + Duration::from_secs(3 * turns as u64)
}
