//! One net: its drawing with the tokens as they are now, what can be done with it, what fires; what its build found; its versions.

mod analysis;
mod bench;
mod camera;
mod controls;
mod drawing;
mod find;
mod geometry;
mod inspector;
mod log;
mod map;
mod marking;
mod note;
mod pan_zoom;
mod replay;
mod tabs;
mod versions;

use super::{
    events::Timeline,
    labs::NetLabs,
    not_found::GoneRow,
    parts::{AssignForm, NetBadge, NetButtons},
    projects::ProjectOfNet,
};
use crate::{
    app::{
        actions::net_graph,
        components::{Ago, Copyable},
        frame::freshness::FreshnessLine,
        live::http,
        snapshot::Drawn,
        store::use_store,
    },
    model::{EntityRef, Net, NetAction, NetId},
    petri::graph::NetGraph,
};
pub use analysis::ExcerptView;

use analysis::{Analysis, Known};
use bench::{Bench, BenchPage};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_params_map};
use std::sync::Arc;
use tabs::{NetTabs, Tab, use_tab};
use versions::Versions;

/// Up to so many places and transitions a net is drawn in full, and within the page; beyond, it is a map that the browser draws.
const DRAWN_IN_FULL: u32 = 300;

/// What is selected in the drawing, by its position in the net.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    Place(usize),
    Transition(usize),
}

#[component]
pub fn NetPage() -> impl IntoView {
    let store = use_store();
    let params = use_params_map();
    let id =
        Memo::new(move |_| params.with(|params| params.get("id")).and_then(|id| id.parse::<NetId>().ok()));
    let here = Memo::new(move |_| id.get().filter(|id| store.net(*id).is_some()));
    move || match here.get() {
        Some(id) => view! { <Detail id/> }.into_any(),
        None => view! { <GoneRow what="net" list="/nets" list_name="nets"/> }.into_any(),
    }
}

#[component]
fn Detail(id: NetId) -> impl IntoView {
    let store = use_store();
    let net = store.net_row(id)?;
    let first = net.get_untracked();
    let project = net.clone();
    let tab = use_tab();
    let definition = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.definition.to_string())
    });
    let body = net.clone();
    // The drawing stays as it is while what stands beside it changes.
    let drawn = Memo::new(move |_| matches!(tab.get(), Tab::Net | Tab::Analysis));
    Some(
        view! {
        <Title text=first.name.to_string()/>
        <p class="trail">
            <A href="/nets">"Nets"</A>
        </p>
        <div class="page-head" data-net=first.name.to_string()>
            <h1>{first.name.to_string()}</h1>
            <NetBadge net=net.clone()/>
            <Where net=net.clone()/>
            <NetButtons
                net=net.clone()
                among=&[NetAction::Load, NetAction::Unload, NetAction::Unassign, NetAction::Delete]
            />
        </div>
        <NetTabs id tab/>
        {move || {
            let net = body.clone();
            if drawn.get() {
                view! { <Shape id net tab/> }.into_any()
            } else {
                match tab.get() {
                    Tab::Versions => view! { <Versions id net/> }.into_any(),
                    Tab::Labs => view! { <NetLabs id/> }.into_any(),
                    Tab::Net | Tab::Analysis => ().into_any(),
                }
            }
        }}
        <div class="below columns">
            <Timeline resource=EntityRef::Net(id) id="net-events"/>
            <section class="panel" aria-labelledby="net-about">
                <h2 id="net-about">"Details"</h2>
                <dl class="facts">
                    <dt>"Project"</dt>
                    <dd><ProjectOfNet net=project/></dd>
                    <dt>"Id"</dt>
                    <dd>
                        <Copyable text=id.to_string() what="id"/>
                    </dd>
                    <dt>"Definition"</dt>
                    <dd>
                        {move || view! { <Copyable text=definition.get() what="hash of the definition"/> }}
                    </dd>
                    <dt>"Added"</dt>
                    <dd>
                        <Ago at=first.created_at/>
                        " ago"
                    </dd>
                </dl>
            </section>
        </div>
        <FreshnessLine/>
        }
        .into_any(),
    )
}

#[component]
fn Where(net: ArcRwSignal<Arc<Net>>) -> impl IntoView {
    let store = use_store();
    let at = Memo::new({
        let net = net.clone();
        move |_| store.worker_of(&net.get()).map(|worker| (worker.id, worker.name.to_string(), worker.status))
    });
    move || match at.get() {
        Some((id, name, status)) => {
            let state = if status == crate::model::WorkerStatus::Ready {
                String::new()
            } else {
                format!(" ({status})")
            };
            view! {
                <span>
                    "on " <A href=format!("/workers/{id}")>{name}</A> <span class="quiet-text">{state}</span>
                </span>
            }
            .into_any()
        }
        None => view! {
            <span class="quiet-text">"not assigned"</span>
            <AssignForm net=net.clone()/>
        }
        .into_any(),
    }
}

/// What is drawn: the version in force, anew when another one is.
#[component]
fn Shape(id: NetId, net: ArcRwSignal<Arc<Net>>, tab: Memo<Tab>) -> impl IntoView {
    let shape = Memo::new({
        let net = net.clone();
        move |_| {
            net.with(|net| {
                let broken = net.build_failed() && net.newer.is_none();
                (net.version, net.size.places + net.size.transitions > DRAWN_IN_FULL, broken)
            })
        }
    });
    move || {
        let net = net.clone();
        match shape.get() {
            (version, _, true) => view! { <Unreadable id version net/> }.into_any(),
            (version, true, false) => view! { <Large id version net tab/> }.into_any(),
            (version, false, false) => view! { <Small id version net tab/> }.into_any(),
        }
    }
}

/// There is nothing to draw: the file is no net.
#[component]
fn Unreadable(id: NetId, version: u32, net: ArcRwSignal<Arc<Net>>) -> impl IntoView {
    let tab = Memo::new(|_| Tab::Analysis);
    let known = Known::new(id, version, &net, tab, true);
    view! {
        <div class="unreadable">
            <Analysis id version net known tab bench=None/>
        </div>
    }
    .into_any()
}

/// The graph is in the page.
#[component]
fn Small(id: NetId, version: u32, net: ArcRwSignal<Arc<Net>>, tab: Memo<Tab>) -> impl IntoView {
    let drawn = Resource::new_blocking(move || id, net_graph);
    let known = Known::new(id, version, &net, tab, true);
    // What the build found comes after a navigation, and is waited for in here: the drawing stays meanwhile.
    view! {
        <Transition fallback=|| view! { <p class="empty">"Loading the drawing…"</p> }>
            {move || {
                let (net, built) = (net.clone(), known.clone());
                Suspend::new(async move {
                    match drawn.await {
                        Ok(Drawn { graph, marking }) => {
                            let bench = Bench::new(Arc::new(graph), false);
                            if let Some(known) = marking {
                                bench.live.came_with_page(known);
                            }
                            view! { <BenchPage id version net bench known=built tab/> }.into_any()
                        }
                        Err(error) => view! { <p class="notice tone-bad" role="alert">{error.to_string()}</p> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
    .into_any()
}

/// The graph is fetched when the page is alive: in the page it would weigh more than everything else.
#[component]
fn Large(id: NetId, version: u32, net: ArcRwSignal<Arc<Net>>, tab: Memo<Tab>) -> impl IntoView {
    let graph = RwSignal::<Option<Result<Arc<NetGraph>, String>>>::new(None);
    Effect::new(move |_| {
        leptos::task::spawn_local(async move {
            let answer = http::get_json::<NetGraph>(&format!("/api/nets/{id}/graph")).await;
            _ = graph.try_set(Some(answer.map(Arc::new).map_err(|error| error.to_string())));
        });
    });
    let known = Known::new(id, version, &net, tab, false);
    let size = net.get_untracked().size;
    move || {
        match graph.get() {
        None => view! {
            <p class="empty">
                {format!("A net of {} places and {} transitions. Its map is being fetched…", size.places, size.transitions)}
            </p>
            <p class="without-script quiet-text">"The map of a net this large needs JavaScript."</p>
        }
        .into_any(),
        Some(Ok(graph)) => {
            view! { <BenchPage id version net=net.clone() bench=Bench::new(graph, true) known=known.clone() tab/> }.into_any()
        }
        Some(Err(error)) => view! { <p class="notice tone-bad" role="alert">{error}</p> }.into_any(),
    }
    }
}
