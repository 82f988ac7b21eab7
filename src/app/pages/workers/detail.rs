//! One worker: its state, its nets, its machine.

use super::super::{
    events::Timeline,
    labs::{WorkerLabs, count_words, counts_title},
    not_found::GoneRow,
    parts::{NetLines, WorkerBadge, WorkerButtons},
};
use super::{row::fresh, trend::WorkerTrend};
use crate::{
    app::{
        components::{Ago, Copyable, format},
        frame::freshness::FreshnessLine,
        store::use_store,
    },
    model::{EntityRef, WorkerId, WorkerMetrics},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{
    components::A,
    hooks::{use_params_map, use_query_map},
};

#[component]
pub fn WorkerPage() -> impl IntoView {
    let store = use_store();
    let params = use_params_map();
    let id =
        Memo::new(move |_| params.with(|params| params.get("id")).and_then(|id| id.parse::<WorkerId>().ok()));
    let here = Memo::new(move |_| id.get().filter(|id| store.worker(*id).is_some()));
    move || match here.get() {
        Some(id) => view! { <Detail id/> }.into_any(),
        None => view! { <GoneRow what="worker" list="/workers" list_name="workers"/> }.into_any(),
    }
}

#[component]
fn Detail(id: WorkerId) -> impl IntoView {
    let store = use_store();
    let worker = store.worker_row(id)?;
    let first = worker.get_untracked();
    let row = Memo::new({
        let worker = worker.clone();
        move |_| worker.get()
    });
    let figures = store.worker_figures(id);
    let figures = Memo::new(move |_| figures.get());
    // What is old is a dash; the last that was known is on hover, and its age below.
    let ready = Memo::new(move |_| row.with(|row| row.is_ready()));
    let fresh = fresh(store, id, ready);
    let said = move |words: fn(WorkerMetrics) -> String| {
        figures.with(|dated| dated.as_ref().map(|dated| words(dated.value)))
    };
    let now = move |words| move || said(words).filter(|_| fresh.get()).unwrap_or_else(|| "—".to_owned());
    let last =
        move |words| move || said(words).filter(|_| !fresh.get()).map(|value| format!("Last known: {value}"));
    let nets = store.nets_on(id);
    let none = Memo::new({
        let nets = nets.clone();
        move |_| nets.with(Vec::is_empty)
    });
    let status = Memo::new(move |_| row.with(|row| sentence_case(&row.status.to_string())));
    let reason = Memo::new(move |_| row.with(|row| row.status_reason.clone()));
    let query = use_query_map();
    let labs = Memo::new(move |_| query.with(|query| query.get("tab").as_deref() == Some("labs")));
    let counts = Memo::new(move |_| row.with(|row| row.labs));
    let tab = move |of: &'static str| move || store.within.get().carry(&format!("/workers/{id}{of}"));
    let machine = Memo::new(move |_| row.with(|row| row.machine.clone()));
    Some(
        view! {
        <Title text=first.name.to_string()/>
        <p class="trail">
            <A href="/workers">"Workers"</A>
        </p>
        <div class="page-head" data-worker=first.name.to_string()>
            <h1>{first.name.to_string()}</h1>
            <WorkerBadge worker=worker.clone()/>
            <WorkerButtons worker=worker.clone() all=true/>
        </div>
        // Always a line, so that nothing moves when a reason comes.
        <p class="page-said" title=move || reason.get()>
            {move || status.get()}
            " for "
            <Ago at=Signal::derive(move || row.with(|row| row.status_since))/>
            {move || reason.get().map(|reason| view! { <span class="page-reason">{format!(" — {reason}")}</span> })}
        </p>
        <nav class="tabs" aria-label="Worker">
            // Not the router's own links: to it, both are the page that is open.
            <a href=tab("") aria-current=move || (!labs.get()).then_some("page") data-noscroll="">"Worker"</a>
            <a href=tab("?tab=labs") aria-current=move || labs.get().then_some("page") data-noscroll="">
                "Labs "
                <span class="quiet-text" title=move || counts_title(counts.get())>{move || count_words(counts.get())}</span>
            </a>
        </nav>
        {move || labs.get().then(|| view! { <WorkerLabs id/> })}
        <div class="columns" hidden=move || labs.get()>
            <section class="panel" aria-labelledby="worker-nets">
                <h2 id="worker-nets">"Nets"</h2>
                {move || {
                    none.get()
                        .then(|| view! { <p class="quiet-text">"No net is assigned to it. " <A href="/nets">"Assign one"</A></p> })
                }}
                <NetLines ids=nets.clone()/>
                <h2 class="later">"Figures"</h2>
                <WorkerTrend id/>
            </section>
            <section class="panel" aria-labelledby="worker-about">
                <h2 id="worker-about">"Details"</h2>
                <dl class="facts">
                    <dt>"Cluster"</dt>
                    <dd>{move || store.cluster_name(row.with(|row| row.cluster_id))}</dd>
                    <dt>"Provider"</dt>
                    <dd>{first.provider.as_str()}</dd>
                    <dt>"Kind"</dt>
                    <dd>{first.category.as_str()}</dd>
                    <dt>"Size"</dt>
                    <dd>{move || row.with(|row| format!("{}, {} MB", format::counted(row.cpus as usize, "CPU", "CPUs"), format::count(row.memory_mb.into())))}</dd>
                    <dt>"CPU"</dt>
                    <dd class="figure-left" title=last(|value| format!("{:.0} %", value.cpu_percent))>
                        {now(|value| format!("{:.0} %", value.cpu_percent))}
                    </dd>
                    <dt>"Memory"</dt>
                    <dd class="figure-left" title=last(|value| format::bytes(value.memory_bytes))>
                        {now(|value| format::bytes(value.memory_bytes))}
                    </dd>
                    <dt>"Figures of"</dt>
                    <dd>
                        {move || {
                            figures
                                .with(|dated| dated.as_ref().map(|dated| dated.at))
                                .map(|at| view! { <Ago at/> " ago" })
                        }}
                    </dd>
                    {move || {
                        machine
                            .get()
                            .map(|machine| {
                                view! {
                                    <dt>"Machine"</dt>
                                    <dd>
                                        <Copyable text=machine.provider_ref what="machine's name"/>
                                    </dd>
                                    <dt>"Endpoint"</dt>
                                    <dd>
                                        <Copyable text=machine.endpoint what="address"/>
                                    </dd>
                                    <dt>"Software"</dt>
                                    <dd>{machine.software_version}</dd>
                                }
                            })
                    }}
                    <dt>"Id"</dt>
                    <dd>
                        <Copyable text=id.to_string() what="id"/>
                    </dd>
                    <dt>"Created"</dt>
                    <dd>
                        <Ago at=first.created_at/>
                        " ago"
                    </dd>
                </dl>
            </section>
        </div>
        <div class="below" hidden=move || labs.get()>
            <Timeline resource=EntityRef::Worker(id) id="worker-events"/>
        </div>
        <FreshnessLine/>
        }
        .into_any(),
    )
}

/// With a capital letter.
fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
