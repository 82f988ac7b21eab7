//! The first page: is all well, and if not, what needs attention; what to do next; what happened.

mod attention;
mod checklist;

use crate::app::{
    components::format::count, events::EventFilter, frame::freshness::FreshnessLine, store::use_store,
};
use attention::Attention;
use checklist::Checklist;
use leptos::prelude::*;
use leptos_meta::Title;

use super::parts::{EventList, NetLines};

#[component]
pub fn Overview() -> impl IntoView {
    let store = use_store();
    let no_nets = Memo::new(move |_| store.nets.with(Vec::is_empty));
    view! {
        <Title text="Overview"/>
        <div class="page-head">
            <h1>"Overview"</h1>
        </div>
        <Tiles/>
        <Checklist/>
        <Attention/>
        <div class="columns">
            <section class="panel" aria-labelledby="available-nets">
                <h2 id="available-nets">"Available nets"</h2>
                {move || no_nets.get().then(|| view! { <p class="quiet-text">"No nets yet."</p> })}
                <NetLines ids=store.nets with_worker=true/>
            </section>
            <EventList filter=EventFilter::default() title="Recent changes" id="recent-changes"/>
        </div>
        <FreshnessLine/>
    }
    .into_any()
}

/// The fleet in four figures.
#[component]
fn Tiles() -> impl IntoView {
    let store = use_store();
    let figures = Memo::new(move |_| {
        store.summary.with(|summary| {
            [
                ("Clusters connected", summary.clusters_connected, Some(summary.clusters), "/workers"),
                ("Workers ready", summary.workers_ready, Some(summary.workers), "/workers"),
                ("Nets loaded", summary.nets_loaded, Some(summary.nets), "/nets"),
                ("Nets running", summary.nets_running, None, "/nets"),
            ]
        })
    });
    view! {
        <dl class="tiles">
            {(0..4)
                .map(|i| {
                    let (label, _, _, _) = figures.get_untracked()[i];
                    view! {
                        <div class="tile">
                            <dt>{label}</dt>
                            <dd class="figure-large">
                                {move || count(figures.get()[i].1 as u64)}
                                <span class="quiet-text">
                                    {move || figures.get()[i].2.map(|all| format!(" of {}", count(all as u64)))}
                                </span>
                            </dd>
                        </div>
                    }
                })
                .collect_view()}
        </dl>
    }
    .into_any()
}
