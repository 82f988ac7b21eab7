//! One lab: how far it is, what it found, what was done to it.

use super::{
    super::{events::actor_words, not_found::GoneRow},
    buttons::LabButtons,
    known::{LabBadge, LabProgressBar, follow},
    list::with_stop,
    refresh::RefreshLabs,
    results::Results,
    words::{goal_words, plan_words, remedy},
};
use crate::{
    app::{
        components::{Ago, Copyable, Moment, format},
        frame::freshness::FreshnessLine,
        store::use_store,
    },
    model::{Lab, LabEntry, LabId, LabPlan, LabState},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{
    components::A,
    hooks::{use_navigate, use_params_map},
};
use std::sync::Arc;

#[component]
pub fn LabPage() -> impl IntoView {
    let store = use_store();
    let params = use_params_map();
    let id =
        Memo::new(move |_| params.with(|params| params.get("id")).and_then(|id| id.parse::<LabId>().ok()));
    let here = Memo::new(move |_| id.get().filter(|id| store.lab(*id).is_some()));
    let part = Memo::new(move |_| store.part.with(Option::is_some));
    move || match (here.get(), part.get()) {
        (Some(id), _) => view! { <Detail id/> }.into_any(),
        (None, true) => view! { <p class="empty" role="status">"Loading…"</p> }.into_any(),
        (None, false) => view! { <GoneRow what="lab" list="/nets" list_name="nets"/> }.into_any(),
    }
}

#[component]
fn Detail(id: LabId) -> impl IntoView {
    let store = use_store();
    let row = store.lab_row(id)?;
    let first = row.get_untracked();
    let lab = Memo::new(move |_| row.get());
    let known = follow(store, lab);
    let net_id = first.net_id;
    let net = Memo::new(move |_| store.net(net_id).map(|net| net.name.to_string()).unwrap_or_default());
    let worker = Memo::new(move |_| {
        let worker = lab.with(|lab| lab.worker_id).and_then(|id| store.worker(id));
        worker.map(|worker| (worker.id, worker.name.to_string(), worker.is_ready()))
    });
    let workers = Memo::new(move |_| lab.with(|lab| lab.worker_id.into_iter().collect::<Vec<_>>()));
    let synced = Memo::new(move |_| Some(lab.with(|lab| lab.synced_at)));
    let trouble = Memo::new(move |_| {
        let ready = worker.with(|worker| worker.as_ref().is_some_and(|(_, _, ready)| *ready));
        lab.with(|lab| trouble(lab, ready))
    });
    let navigate = use_navigate();
    let on_gone = Callback::new(move |()| {
        let path = store.within.get_untracked().carry(&format!("/nets/{net_id}?tab=labs"));
        navigate(&path, Default::default());
    });
    Some(
        view! {
        <Title text=first.name.to_string()/>
        <p class="trail">
            <A href="/nets">"Nets"</A> " / " <A href=format!("/nets/{net_id}?tab=labs")>{move || net.get()}</A>
        </p>
        <div class="page-head lab-head" data-lab=first.name.to_string()>
            <h1>{first.name.to_string()}</h1>
            <LabBadge known/>
            <LabButtons lab on_gone/>
        </div>
        <div class="lab-how-far lab-page-progress"><LabProgressBar lab known/></div>
        {move || trouble.get().map(|(tone, text)| view! { <p class=format!("notice tone-{tone}") role="status">{text}</p> })}
        <div class="columns">
            <div class="stack lab-results">
                <Results lab/>
            </div>
            <div class="stack">
                <section class="panel" aria-labelledby="lab-about">
                    <h2 id="lab-about">"Details"</h2>
                    <dl class="facts">
                        <dt>"Net"</dt>
                        <dd><A href=format!("/nets/{net_id}")>{move || net.get()}</A> " " <span class="quiet-text">{format!("version {}", first.version)}</span></dd>
                        <dt>"Worker"</dt>
                        <dd>
                            {move || match worker.get() {
                                Some((id, name, _)) => view! { <A href=format!("/workers/{id}?tab=labs")>{name}</A> }.into_any(),
                                None => view! { <span class="quiet-text">"deleted"</span> }.into_any(),
                            }}
                        </dd>
                        <PlanFacts plan=first.plan.clone()/>
                        <dt>"Synced"</dt>
                        <dd class="lab-synced"><RefreshLabs workers synced/></dd>
                        <dt>"Made"</dt>
                        <dd><Ago at=first.created_at/> " ago"</dd>
                        <dt>"Id"</dt>
                        <dd><Copyable text=id.to_string() what="id"/></dd>
                    </dl>
                </section>
                <History lab/>
            </div>
        </div>
        <FreshnessLine/>
        }
        .into_any(),
    )
}

/// What happened to one that failed or was lost, and what to do; with the tone in which it is said.
fn trouble(lab: &Lab, on_ready_worker: bool) -> Option<(&'static str, String)> {
    let remedy = remedy(lab, on_ready_worker)?;
    let what = match (&lab.error, lab.state) {
        (Some(error), _) => with_stop(error),
        (None, LabState::Failed) => "It came to a bad end on its worker.".to_owned(),
        (None, _) => "The process that had it is gone or cannot be reached.".to_owned(),
    };
    Some((if lab.state == LabState::Failed { "bad" } else { "warn" }, format!("{what} {remedy}")))
}

#[component]
fn PlanFacts(plan: LabPlan) -> impl IntoView {
    let words = plan_words(&plan);
    let more = match plan {
        LabPlan::MonteCarlo { goal, seed, warm_up, rates, .. } => {
            let goal = goal.as_ref().map_or("none: each run goes to its limit".to_owned(), goal_words);
            let rates: Vec<String> = rates.iter().map(|(id, rate)| format!("{id}={}", rate.get())).collect();
            let rates = match rates.len() {
                0 => "none: time is counted in firings".to_owned(),
                1..=20 => format!("{}; others 1", rates.join(", ")),
                n => format!("{}, and {} more; others 1", rates[..20].join(", "), n - 20),
            };
            Some(view! {
                <dt>"Goal"</dt>
                <dd>{goal}</dd>
                <dt>"Warm-up"</dt>
                <dd>{if warm_up == 0 { "none".to_owned() } else { format!("{} firings", format::count(warm_up)) }}</dd>
                <dt>"Rates"</dt>
                <dd class="lab-rates-said">{rates}</dd>
                <dt>"Seed"</dt>
                <dd class="mono">{seed.to_string()}</dd>
            })
        }
        LabPlan::Explore { .. } => None,
    };
    view! {
        <dt>"Plan"</dt>
        <dd>{words}</dd>
        {more}
    }
    .into_any()
}

/// What was done to it and what happened, the newest first.
#[component]
fn History(lab: Memo<Arc<Lab>>) -> impl IntoView {
    let entries = Memo::new(move |_| {
        lab.with(|lab| lab.history.iter().cloned().enumerate().rev().collect::<Vec<(usize, LabEntry)>>())
    });
    view! {
        <section class="panel" aria-labelledby="lab-history">
            <h2 id="lab-history">"History"</h2>
            <ol class="events lab-history" aria-labelledby="lab-history">
                <For each=move || entries.get() key=|(n, entry)| (*n, entry.at) let:entry>
                    <li class="lab-entry">
                        <span class="event-text">{entry.1.text.clone()}</span>
                        <span class="event-when quiet-text">{actor_words(&entry.1.actor)} " · " <Moment at=entry.1.at/></span>
                    </li>
                </For>
            </ol>
        </section>
    }
    .into_any()
}
