//! The drawing of a net and what stands around it: controls, inspector, firings, analysis; or a path that is replayed.

use super::{
    Node,
    analysis::{Analysis, Known},
    controls::{Controls, silent_for},
    drawing::Drawing,
    find::show,
    inspector::Inspector,
    log::FiringLog,
    map::{self, Map},
    marking::{Marking, follow},
    note::DrawingNote,
    pan_zoom::PanZoom,
    replay::{Replay, ReplayBar},
    tabs::Tab,
};
use crate::{
    app::{build_actions::Built, store::use_store},
    model::{Net, NetId},
    petri::graph::NetGraph,
};
use leptos::prelude::*;
use std::{collections::HashSet, sync::Arc};

/// What those around one drawing share.
#[derive(Clone)]
pub struct Bench {
    pub graph: Arc<NetGraph>,
    /// The net's own marking.
    pub live: Marking,
    pub selected: RwSignal<Option<Node>>,
    /// What stands out besides: the places of a sum, the transitions of a cycle.
    pub highlighted: RwSignal<Arc<HashSet<Node>>>,
    pub pan_zoom: PanZoom,
    /// Whether the drawing is a map.
    pub large: bool,
    pub replay: RwSignal<Option<Replay>>,
    /// What the build of the version that is drawn came to, once that is known here.
    pub built: RwSignal<Option<Arc<Built>>>,
}

impl Bench {
    pub fn new(graph: Arc<NetGraph>, large: bool) -> Bench {
        let drawing = (f64::from(graph.width), f64::from(graph.height));
        Bench {
            live: Marking::new(graph.clone()),
            graph,
            selected: RwSignal::new(None),
            highlighted: RwSignal::default(),
            pan_zoom: PanZoom::new(drawing, if large { map::MOST } else { f64::INFINITY }),
            large,
            replay: RwSignal::new(None),
            built: RwSignal::new(None),
        }
    }

    /// The marking that is drawn: the replay's while there is one. Tracked.
    pub fn shown(&self) -> Marking {
        self.replay.with(|replay| replay.as_ref().map_or_else(|| self.live.clone(), |it| it.marking.clone()))
    }

    pub fn select(&self, node: Node) {
        show(&self.graph, node, self.selected, self.pan_zoom, self.large);
    }

    /// Whether the path is one of this net, and is replayed now.
    pub fn replay(&self, path: &[u32]) -> bool {
        let replay = Replay::of(&self.graph, path);
        let found = replay.is_some();
        self.pan_zoom.keeps_arrows.set_value(!found);
        self.replay.set(replay);
        found
    }

    pub fn stop_replay(&self) {
        self.pan_zoom.keeps_arrows.set_value(true);
        self.replay.set(None);
    }
}

#[component]
pub fn BenchPage(
    id: NetId,
    version: u32,
    net: ArcRwSignal<Arc<Net>>,
    bench: Bench,
    known: Known,
    tab: Memo<Tab>,
) -> impl IntoView {
    follow(id, net.clone(), bench.live.clone());
    let loaded = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.is_loaded())
    });
    let silent = silent_for(use_store(), id, loaded);
    let replay = bench.replay;
    let replaying = Memo::new(move |_| replay.with(Option::is_some));
    let (selected, pan_zoom, highlighted) = (bench.selected, bench.pan_zoom, bench.highlighted);
    let top = {
        let (net, bench) = (net.clone(), bench.clone());
        move || match replay.get() {
            Some(replay) => view! { <ReplayBar bench=bench.clone() replay/> }.into_any(),
            None => view! { <Controls net=net.clone() marking=bench.live.clone()/> }.into_any(),
        }
    };
    let drawing = {
        let bench = bench.clone();
        move || {
            let marking = bench.shown();
            if bench.large {
                view! { <Map marking selected highlighted pan_zoom/> }.into_any()
            } else {
                view! { <Drawing marking selected highlighted pan_zoom/> }.into_any()
            }
        }
    };
    let note = {
        let (net, source) = (net.clone(), bench.live.source.clone());
        move || {
            let (net, source) = (net.clone(), source.clone());
            (!replaying.get()).then(|| view! { <DrawingNote net source loaded silent/> })
        }
    };
    let analysed = Memo::new(move |_| tab.get() == Tab::Analysis);
    let firings = bench.live.clone();
    view! {
        <div class="bench" class:analysed=move || analysed.get()>
            <div class="bench-main">
                {top}
                <div
                    class="drawing-space"
                    class:replaying=move || replaying.get()
                    class:silent=move || silent.get().is_some() && !replaying.get()
                >
                    {drawing} {note}
                </div>
            </div>
            <aside class="bench-side" aria-label="About the net">
                <Analysis id version net=net.clone() known tab bench=Some(bench.clone())/>
                <Inspector net bench/>
                {move || {
                    let marking = firings.clone();
                    (!analysed.get()).then(|| view! { <FiringLog marking/> })
                }}
            </aside>
        </div>
    }
    .into_any()
}
