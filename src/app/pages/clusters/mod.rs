//! Clusters: all of them with their state, and one of them.

mod create;
mod detail;
mod rename;

pub use detail::ClusterPage;

use super::parts::{GroupLinks, HealthBadge, Reasons, cluster_health};
use crate::{
    app::{
        components::{Ago, Part, ShareBar, Tone, format},
        frame::freshness::FreshnessLine,
        store::{Store, use_store},
        within::Within,
    },
    model::{Cluster, ClusterId},
};
use create::CreateCluster;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use std::sync::Arc;

#[component]
pub fn ClustersPage() -> impl IntoView {
    let store = use_store();
    let all =
        Memo::new(move |_| store.clusters.with(|rows| rows.iter().map(|row| row.id).collect::<Vec<_>>()));
    view! {
        <Title text="Clusters"/>
        <div class="page-head">
            <h1>"Clusters " <span class="quiet-text">{move || format::count(all.with(Vec::len) as u64)}</span></h1>
            <CreateCluster/>
        </div>
        {move || all.with(Vec::is_empty).then(|| view! { <p class="empty">"No clusters yet. A cluster is a provider account or a region whose machines become workers."</p> })}
        <ul class="groups">
            <For each=move || all.get() key=|id| *id let:id>
                <ClusterCard id/>
            </For>
        </ul>
        <FreshnessLine/>
    }
    .into_any()
}

/// The row now, and as long as there is one.
fn row_of(store: Store, id: ClusterId) -> Memo<Option<Arc<Cluster>>> {
    Memo::new(move |_| store.clusters.with(|rows| rows.iter().find(|row| row.id == id).cloned()))
}

/// What a cluster's workers are, as parts of all.
fn parts_of(store: Store, id: ClusterId) -> Memo<Vec<Part>> {
    Memo::new(move |_| {
        let group = store.groups.with(|groups| groups.cluster(id));
        let rest = group.workers.saturating_sub(group.workers_ready + group.workers_broken);
        let part = |tone, count, word| Part { tone, count, word };
        vec![
            part(Tone::Good, group.workers_ready, "ready"),
            part(Tone::Bad, group.workers_broken, "in error"),
            part(Tone::Quiet, rest, "not running"),
        ]
    })
}

/// `14 workers`, of a cluster.
fn workers_of(store: Store, id: ClusterId) -> Signal<String> {
    let count = Memo::new(move |_| store.groups.with(|groups| groups.cluster(id).workers));
    Signal::derive(move || format::counted(count.get(), "worker", "workers"))
}

#[component]
fn ClusterCard(id: ClusterId) -> impl IntoView {
    let store = use_store();
    let row = row_of(store, id);
    let name =
        Memo::new(move |_| row.with(|row| row.as_ref().map(|row| row.name.to_string()).unwrap_or_default()));
    let place = Memo::new(move |_| row.with(|row| row.as_ref().map(|row| place(row)).unwrap_or_default()));
    let health = cluster_health(store, id);
    let within = Within { cluster: Some(id), project: None };
    view! {
        <li class="group panel" data-cluster=move || name.get()>
            <div class="group-head">
                <h2>
                    <A href=format!("/clusters/{id}")>{move || name.get()}</A>
                </h2>
                <HealthBadge health/>
            </div>
            <Reasons health/>
            <ShareBar parts=parts_of(store, id)/>
            <p class="group-foot quiet-text">
                <span>{move || place.get()}</span>
                <span><LastHeard id/></span>
                <GroupLinks list="/workers" within label=workers_of(store, id)/>
            </p>
        </li>
    }
    .into_any()
}

/// `local`, `fly, ams`.
fn place(row: &Cluster) -> String {
    match &row.region {
        Some(region) => format!("{}, {region}", row.provider.as_str()),
        None => row.provider.as_str().to_owned(),
    }
}

/// When any of its workers was heard last, as far as this console knows.
#[component]
fn LastHeard(id: ClusterId) -> impl IntoView {
    let heard = use_store().heard(id);
    let heard = Memo::new(move |_| heard.get());
    let known = Memo::new(move |_| heard.with(Option::is_some));
    let at = Signal::derive(move || heard.get().unwrap_or_default());
    move || match known.get() {
        true => view! { "heard " <Ago at/> " ago" }.into_any(),
        false => "not heard yet".into_any(),
    }
}
