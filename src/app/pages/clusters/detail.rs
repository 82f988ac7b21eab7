//! One cluster: its state with the reasons, its workers, what happened to it.

use super::{
    super::{
        events::Timeline,
        labs::LabSyncField,
        not_found::GoneRow,
        parts::{DeleteGroup, GroupLinks, HealthBadge, Reasons, WorkerBadge, cluster_health},
    },
    LastHeard, parts_of,
    rename::Rename,
    row_of, workers_of,
};
use crate::{
    app::{
        admin_actions::DeleteCluster,
        components::{Ago, Copyable, ShareBar},
        frame::freshness::FreshnessLine,
        guard::use_desk,
        store::{FIRST, use_store},
        within::Within,
    },
    model::{ClusterId, Connection, EntityRef, WorkerId},
};
use leptos::{ev::SubmitEvent, form::FromFormData, prelude::*, task::spawn_local};
use leptos_meta::Title;
use leptos_router::{
    components::A,
    hooks::{use_navigate, use_params_map},
};
use server_fn::ServerFn;

#[component]
pub fn ClusterPage() -> impl IntoView {
    let store = use_store();
    let params = use_params_map();
    let id = Memo::new(move |_| {
        params.with(|params| params.get("id")).and_then(|id| id.parse::<ClusterId>().ok())
    });
    let here = Memo::new(move |_| {
        id.get().filter(|id| store.clusters.with(|rows| rows.iter().any(|row| row.id == *id)))
    });
    move || match here.get() {
        Some(id) => view! { <Detail id/> }.into_any(),
        None => view! { <GoneRow what="cluster" list="/clusters" list_name="clusters"/> }.into_any(),
    }
}

#[component]
fn Detail(id: ClusterId) -> impl IntoView {
    let (store, desk, navigate) = (use_store(), use_desk(), use_navigate());
    let row = row_of(store, id);
    let first = row.get_untracked()?;
    let name =
        Memo::new(move |_| row.with(|row| row.as_ref().map(|row| row.name.to_string()).unwrap_or_default()));
    let connection = Memo::new(move |_| row.with(|row| row.as_ref().map(|row| row.connection)));
    let health = cluster_health(store, id);
    let within = Within { cluster: Some(id), project: None };
    let group = Memo::new(move |_| store.groups.with(|groups| groups.cluster(id)));
    let workers = Memo::new(move |_| {
        group.with(|group| {
            // Those in trouble first.
            let others = group.first_workers.iter().filter(|worker| !group.broken_workers.contains(worker));
            group.broken_workers.iter().chain(others).take(FIRST).copied().collect::<Vec<WorkerId>>()
        })
    });
    let on_delete = Callback::new(move |event: SubmitEvent| {
        let Ok(ask) = DeleteCluster::from_event(&event) else { return };
        event.prevent_default();
        let navigate = navigate.clone();
        spawn_local(async move {
            if desk.delete_cluster(ask).await {
                navigate(&store.within.get_untracked().carry("/clusters"), Default::default());
            }
        });
    });
    Some(
        view! {
        <Title text=move || name.get()/>
        <p class="trail">
            <A href="/clusters">"Clusters"</A>
        </p>
        <div class="page-head" data-cluster=move || name.get()>
            <h1>{move || name.get()}</h1>
            <HealthBadge health/>
            {store.may_administer().then(|| view! {
                <Rename id row/>
                <DeleteGroup id=id.to_string() what="cluster" action=DeleteCluster::url() on_submit=on_delete/>
            })}
        </div>
        <Reasons health/>
        <div class="columns">
            <section class="panel" aria-labelledby="cluster-workers">
                <h2 id="cluster-workers">"Workers"</h2>
                <ShareBar parts=parts_of(store, id)/>
                <ul class="lines">
                    <For each=move || workers.get() key=|id| *id let:worker>
                        <WorkerLine id=worker/>
                    </For>
                </ul>
                <p class="lines-more">
                    "In the list: " <GroupLinks list="/workers" within label=workers_of(store, id)/>
                </p>
            </section>
            <section class="panel" aria-labelledby="cluster-about">
                <h2 id="cluster-about">"Details"</h2>
                <dl class="facts">
                    <dt>"Provider"</dt>
                    <dd>{first.provider.as_str()}</dd>
                    <dt>"Region"</dt>
                    <dd>{first.region.clone().unwrap_or_else(|| "none".to_owned())}</dd>
                    <dt>"Connection"</dt>
                    <dd>{move || match connection.get() {
                        Some(Connection::Unknown) => "nothing in it was reached yet",
                        Some(Connection::Connected) => "connected",
                        Some(Connection::Disconnected) => "disconnected",
                        None => "",
                    }}</dd>
                    <dt>"Labs synced"</dt>
                    <dd><LabSyncField id/></dd>
                    <dt>"Last contact"</dt>
                    <dd><LastHeard id/></dd>
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
        <div class="below">
            <Timeline resource=EntityRef::Cluster(id) id="cluster-events"/>
        </div>
        <FreshnessLine/>
        }
        .into_any(),
    )
}

#[component]
fn WorkerLine(id: WorkerId) -> impl IntoView {
    let worker = use_store().worker_row(id)?;
    let name = worker.with_untracked(|row| row.name.to_string());
    let shown_name = name.clone();
    let reason = Memo::new({
        let worker = worker.clone();
        move |_| worker.with(|worker| worker.status_reason.clone())
    });
    Some(
        view! {
            <li class="line" data-worker=name>
                <span class="line-name">
                    <A href=format!("/workers/{id}")>{shown_name}</A>
                </span>
                <WorkerBadge worker/>
                {move || reason.get().map(|reason| view! { <span class="line-error">{reason}</span> })}
            </li>
        }
        .into_any(),
    )
}
