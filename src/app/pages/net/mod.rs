//! One net: its drawing with the tokens as they are now, what can be done with it, and what fires.

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

use super::{
    events::Timeline,
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
    worker::protocol::NetEvent,
};
use controls::{Controls, silent_for};
use drawing::Drawing;
use inspector::Inspector;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_params_map};
use log::FiringLog;
use map::Map;
use marking::{Marking, follow};
use note::DrawingNote;
use pan_zoom::PanZoom;
use std::sync::Arc;

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
    let large = first.size.places + first.size.transitions > DRAWN_IN_FULL;
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
        {if large {
            view! { <Large id net/> }.into_any()
        } else {
            view! { <Small id net/> }.into_any()
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
                        <Copyable text=first.definition.to_string() what="hash of the definition"/>
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

/// The graph is in the page.
#[component]
fn Small(id: NetId, net: ArcRwSignal<Arc<Net>>) -> impl IntoView {
    let drawn = Resource::new_blocking(move || id, net_graph);
    view! {
        <Suspense fallback=|| view! { <p class="empty">"Loading the drawing…"</p> }>
            {move || {
                let net = net.clone();
                Suspend::new(async move {
                    match drawn.await {
                        Ok(Drawn { graph, marking }) => {
                            view! { <Bench id net graph=Arc::new(graph) known=marking large=false/> }.into_any()
                        }
                        Err(error) => view! { <p class="notice tone-bad" role="alert">{error.to_string()}</p> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

/// The graph is fetched when the page is alive: in the page it would weigh more than everything else.
#[component]
fn Large(id: NetId, net: ArcRwSignal<Arc<Net>>) -> impl IntoView {
    let graph = RwSignal::<Option<Result<Arc<NetGraph>, String>>>::new(None);
    Effect::new(move |_| {
        leptos::task::spawn_local(async move {
            let answer = http::get_json::<NetGraph>(&format!("/api/nets/{id}/graph")).await;
            _ = graph.try_set(Some(answer.map(Arc::new).map_err(|error| error.to_string())));
        });
    });
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
        Some(Ok(graph)) => view! { <Bench id net=net.clone() graph known=None large=true/> }.into_any(),
        Some(Err(error)) => view! { <p class="notice tone-bad" role="alert">{error}</p> }.into_any(),
    }
    }
}

/// Controls, drawing, inspector and log around one live marking.
#[component]
fn Bench(
    id: NetId,
    net: ArcRwSignal<Arc<Net>>,
    graph: Arc<NetGraph>,
    /// The marking that came with the page: what is shown until the stream brings a newer one, and for good where no script runs.
    known: Option<NetEvent>,
    large: bool,
) -> impl IntoView {
    let marking = Marking::new(graph);
    if let Some(known) = known {
        marking.came_with_page(known);
    }
    let selected = RwSignal::new(None::<Node>);
    let drawing = (f64::from(marking.graph.width), f64::from(marking.graph.height));
    let pan_zoom = PanZoom::new(drawing, if large { map::MOST } else { f64::INFINITY });
    follow(id, net.clone(), marking.clone());
    let loaded = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.is_loaded())
    });
    let silent = silent_for(use_store(), id, loaded);
    view! {
        <div class="bench">
            <div class="bench-main">
                <Controls net=net.clone() marking=marking.clone()/>
                <div class="drawing-space" class:silent=move || silent.get().is_some()>
                    {if large {
                        view! { <Map marking=marking.clone() selected pan_zoom/> }.into_any()
                    } else {
                        view! { <Drawing marking=marking.clone() selected pan_zoom/> }.into_any()
                    }}
                    <DrawingNote net=net.clone() source=marking.source.clone() loaded silent/>
                </div>
            </div>
            <aside class="bench-side">
                <Inspector net=net.clone() marking=marking.clone() selected pan_zoom/>
                <FiringLog marking/>
            </aside>
        </div>
    }
    .into_any()
}
