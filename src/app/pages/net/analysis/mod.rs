//! What the build of a net found: its state, the verdicts, what is dead or grows, the sums that stay, and its log.

mod found;
mod invariants;
mod state;
mod words;

use super::{bench::Bench, tabs::Tab};
use crate::{
    app::{
        build_actions::{Built, net_report},
        error::ApiError,
        store::use_store,
    },
    model::{Build, BuildId, BuildStatus, Net, NetId},
};
use found::Found;
use leptos::prelude::*;
use state::{BuildAnew, BuildState, Failure};
use std::sync::Arc;

pub use state::{ExcerptView, build_state};

/// `None` while nobody wants to know.
type Answer = Option<Result<Option<Arc<Built>>, ApiError>>;

/// What is known of a build, and being asked for.
///
/// Made where the page of the net is made, not where the drawing has arrived: the order in which a page asks must be the same on the
/// server and in the browser.
#[derive(Clone)]
pub struct Known {
    answer: Resource<Answer>,
    stage: Memo<Option<(BuildId, BuildStatus)>>,
    row: ArcRwSignal<Option<Arc<Build>>>,
}

impl Known {
    /// `light`: it may stand in the page itself, where that is what was asked for.
    pub fn new(id: NetId, version: u32, net: &ArcRwSignal<Arc<Net>>, tab: Memo<Tab>, light: bool) -> Known {
        let row = use_store().build_of(id, version);
        let stage = Memo::new({
            let (net, row) = (net.clone(), row.clone());
            move |_| {
                let row = row.with(|build| build.as_ref().map(|build| (build.id, build.status)));
                let told = net.with(|net| {
                    let build = net.build.as_ref().filter(|build| build.version == version);
                    build.map(|build| (build.id, build.status))
                });
                told.into_iter().chain(row).max_by_key(|(id, _)| *id)
            }
        });
        let alive = RwSignal::new(false);
        Effect::new(move |_| alive.set(true));
        let wanted = Memo::new(move |_| alive.get() || (light && tab.get() == Tab::Analysis));
        let answer = Resource::new(
            move || wanted.get().then(|| stage.get()),
            move |asked| async move {
                match asked {
                    Some(_) => Some(net_report(id, version).await.map(|built| built.map(Arc::new))),
                    None => None,
                }
            },
        );
        Known { answer, stage, row }
    }
}

/// Shown while the tab is that of the analysis; what it knows is there for the drawing and the inspector in any case.
#[component]
pub fn Analysis(
    id: NetId,
    version: u32,
    net: ArcRwSignal<Arc<Net>>,
    known: Known,
    tab: Memo<Tab>,
    /// Around the drawing, if there is one.
    bench: Option<Bench>,
) -> impl IntoView {
    let Known { answer, stage, row } = known;
    if let Some(built) = bench.as_ref().map(|bench| bench.built) {
        Effect::new(move |_| {
            if let Some(Some(Ok(now))) = answer.get() {
                built.set(now);
            }
        });
    }
    let highlighted = bench.as_ref().map(|bench| bench.highlighted);
    let shown = Memo::new(move |_| tab.get() == Tab::Analysis);
    Effect::new(move |_| {
        // What stood out is named nowhere any more.
        if let (false, Some(highlighted)) = (shown.get(), highlighted)
            && highlighted.with_untracked(|all| !all.is_empty())
        {
            highlighted.set(Arc::default());
        }
    });
    move || {
        let (net, row, bench) = (net.clone(), row.clone(), bench.clone());
        shown.get().then(|| {
            view! {
                <section class="panel analysis" aria-labelledby="analysis-title">
                    <div class="panel-head">
                        <h2 id="analysis-title">{format!("Analysis of version {version}")}</h2>
                        <BuildAnew id version net=net.clone() stage/>
                    </div>
                    <BuildState row=row.clone() stage/>
                    <Newer id net/>
                    <Transition fallback=|| view! { <p class="quiet-text">"Fetching what it found…"</p> }>
                        {move || {
                            let bench = bench.clone();
                            Suspend::new(async move {
                                match answer.await {
                                    None => view! { <p class="quiet-text">"Fetching what it found…"</p> }.into_any(),
                                    Some(Ok(Some(built))) => view! { <Outcome built bench/> }.into_any(),
                                    Some(Ok(None)) => ().into_any(),
                                    Some(Err(error)) => {
                                        view! { <p class="notice tone-bad" role="alert">{error.to_string()}</p> }.into_any()
                                    }
                                }
                            })
                        }}
                    </Transition>
                </section>
            }
        })
    }
}

#[component]
fn Outcome(built: Arc<Built>, bench: Option<Bench>) -> impl IntoView {
    let failure = built.report.build.error.clone();
    let excerpt = built.excerpt.clone();
    view! {
        {failure.map(|error| view! { <Failure error excerpt/> })}
        <Found built bench/>
    }
    .into_any()
}

/// What is shown is not the newest version.
#[component]
fn Newer(id: NetId, net: ArcRwSignal<Arc<Net>>) -> impl IntoView {
    let newer = Memo::new(move |_| net.with(|net| net.newer.map(|newer| newer.number)));
    move || {
        newer.get().map(|number| {
            view! {
                <p class="quiet-text">
                    {format!("This is the version that was loaded. Version {number} is newer: ")}
                    <a href=Tab::Versions.of(id)>"see the versions"</a>
                </p>
            }
        })
    }
}
