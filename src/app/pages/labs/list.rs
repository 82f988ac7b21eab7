//! The labs of a net or on a worker, a line each, with what can be done with them.

use super::{
    buttons::LabButtons,
    known::{LabBadge, LabProgressBar, follow},
    make::{MadeFor, MakeLab},
    refresh::RefreshLabs,
    words::{plan_words, remedy},
};
use crate::{
    app::{components::format, live::glow::glow, store::use_store},
    model::{LabId, NetId, WorkerId},
};
use leptos::prelude::*;
use leptos_router::components::A;

/// So many lines are shown before anybody asks for more.
const SHOWN: usize = 50;

/// What a line says besides the lab itself: where it is, or of what it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Net,
    Worker,
}

/// The labs of a net, wherever they are.
#[component]
pub fn NetLabs(id: NetId) -> impl IntoView {
    let store = use_store();
    let ids = store.labs_of(id);
    let ids = Memo::new(move |_| ids.get());
    let some = Memo::new(move |_| !ids.with(Vec::is_empty));
    let rows = Memo::new(move |_| ids.get().into_iter().filter_map(|id| store.lab(id)).collect::<Vec<_>>());
    let workers = Memo::new(move |_| {
        let mut workers: Vec<WorkerId> =
            rows.with(|rows| rows.iter().filter_map(|row| row.worker_id).collect());
        workers.sort_unstable();
        workers.dedup();
        workers
    });
    let synced = Memo::new(move |_| rows.with(|rows| rows.iter().map(|row| row.synced_at).min()));
    view! {
        <section class="panel labs" aria-labelledby="labs-title">
            <div class="panel-head labs-head">
                <h2 id="labs-title">"Labs"</h2>
                {move || some.get().then(|| view! { <RefreshLabs workers synced/> })}
                <MakeLab of=MadeFor::Net(id)/>
            </div>
            <Lines ids says=Says::Worker none="No lab of this net yet. A lab has a private copy of the net, and runs it many times or explores all its markings, beside what runs here."/>
        </section>
    }
    .into_any()
}

/// The labs on a worker.
#[component]
pub fn WorkerLabs(id: WorkerId) -> impl IntoView {
    let store = use_store();
    let ids = store.labs_on(id);
    let ids = Memo::new(move |_| ids.get());
    let synced = Memo::new(move |_| store.worker(id).and_then(|row| row.labs).map(|labs| labs.synced_at));
    let workers = Signal::stored(vec![id]);
    view! {
        <section class="panel labs" aria-labelledby="labs-title">
            <div class="panel-head labs-head">
                <h2 id="labs-title">"Labs"</h2>
                <RefreshLabs workers synced/>
                <MakeLab of=MadeFor::Worker(id)/>
            </div>
            <Lines ids says=Says::Net none="No lab is on this worker. A lab has a private copy of a net, and runs it many times or explores all its markings, beside what runs here."/>
        </section>
    }
    .into_any()
}

#[component]
fn Lines(ids: Memo<Vec<LabId>>, says: Says, none: &'static str) -> impl IntoView {
    let most = RwSignal::new(SHOWN);
    let shown = Memo::new(move |_| ids.with(|ids| ids.iter().take(most.get()).copied().collect::<Vec<_>>()));
    let more = Memo::new(move |_| ids.with(Vec::len).saturating_sub(most.get()));
    view! {
        {move || ids.with(Vec::is_empty).then(|| view! { <p class="quiet-text labs-none">{none}</p> })}
        <ul class="lines" aria-labelledby="labs-title">
            <For each=move || shown.get() key=|id| *id let:id>
                <LabLine id says/>
            </For>
        </ul>
        {move || (more.get() > 0).then(|| view! {
            <p class="lines-more">
                <button type="button" class="link needs-script" on:click=move |_| most.update(|most| *most += SHOWN)>
                    {format!("{} more", format::count(more.get() as u64))}
                </button>
            </p>
        })}
    }
    .into_any()
}

#[component]
fn LabLine(id: LabId, says: Says) -> impl IntoView {
    let store = use_store();
    let row = store.lab_row(id)?;
    let first = row.get_untracked();
    let glows = glow(row.clone());
    let lab = Memo::new(move |_| row.get());
    let known = follow(store, lab);
    let at = Memo::new(move |_| match says {
        Says::Net => {
            let id = lab.with(|lab| lab.net_id);
            store.net(id).map(|net| (format!("/nets/{id}"), net.name.to_string()))
        }
        Says::Worker => {
            let worker = lab.with(|lab| lab.worker_id).and_then(|id| store.worker(id));
            worker.map(|worker| (format!("/workers/{}", worker.id), worker.name.to_string()))
        }
    });
    let said = Memo::new(move |_| {
        let lab = lab.get();
        let ready = lab.worker_id.and_then(|id| store.worker(id)).is_some_and(|row| row.is_ready());
        let remedy = remedy(&lab, ready)?;
        Some(match &lab.error {
            Some(error) => format!("{} {remedy}", with_stop(error)),
            None => remedy.to_owned(),
        })
    });
    let before = match says {
        Says::Net => "of ",
        Says::Worker => "on ",
    };
    let name = first.name.to_string();
    let shown_name = name.clone();
    Some(
        view! {
            <li class="line lab-line" class:glow=move || glows.get() data-lab=name.clone()>
                <span class="lab-what">
                    <span class="line-name"><A href=format!("/labs/{id}")>{shown_name}</A></span>
                    " "
                    <span class="line-where">
                        {move || match at.get() {
                            Some((href, name)) => view! { {before} <A href>{name}</A> }.into_any(),
                            None => view! { <span class="quiet-text">"its worker was deleted"</span> }.into_any(),
                        }}
                    </span>
                    <span class="lab-plan quiet-text">{format!("{}, version {}", plan_words(&first.plan), first.version)}</span>
                </span>
                <LabBadge known/>
                <span class="lab-how-far"><LabProgressBar lab known/></span>
                {move || said.get().map(|said| view! { <span class="line-error">{said}</span> })}
                <span class="line-actions"><LabButtons lab/></span>
            </li>
        }
        .into_any(),
    )
}

/// As a sentence among others.
pub fn with_stop(text: &str) -> String {
    if text.ends_with(['.', '?', '!']) { text.to_owned() } else { format!("{text}.") }
}
