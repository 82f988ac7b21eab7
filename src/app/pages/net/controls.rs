//! Step, run, stop, reset: what the state of the net permits, above its drawing.

use super::{
    super::parts::{NetButton, NetHidden, permitted_at_rest, submit},
    marking::{Marking, Source},
};
use crate::{
    app::{
        actions::ActOnNet,
        components::format,
        guard::use_desk,
        store::{Store, use_store},
    },
    model::{Net, NetAction, NetId, RunState},
};
use leptos::prelude::*;
use server_fn::ServerFn;
use std::sync::Arc;

const CONTROLS: &[NetAction] = &[NetAction::Step, NetAction::Stop, NetAction::Reset];

/// Figures come every second. After so many without, what is shown is not the present any more.
const SILENT_AFTER: u64 = 3;

/// For how many seconds the worker has said nothing of this loaded net, once that is too long.
pub fn silent_for(store: Store, id: NetId, loaded: Memo<bool>) -> Memo<Option<u64>> {
    let (figures, now) = (store.net_figures(id), store.now);
    Memo::new(move |_| {
        let heard = figures.with(|dated| dated.as_ref().map(|dated| dated.at))?;
        let seconds = now.get().since(heard).as_secs();
        (loaded.get() && seconds >= SILENT_AFTER).then_some(seconds)
    })
}

#[component]
pub fn Controls(net: ArcRwSignal<Arc<Net>>, marking: Marking) -> impl IntoView {
    let (store, desk) = (use_store(), use_desk());
    let busy = RwSignal::new(false);
    let first = net.get_untracked();
    let id = first.id;
    let may = permitted_at_rest(store, &net, CONTROLS);
    let may_run = permitted_at_rest(store, &net, &[NetAction::Run]);
    let in_flight = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.operation.is_some())
    });
    let rate_now = if first.rate > 0 || first.run_state == RunState::Running { first.rate } else { 10 };
    let running = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.run_state == RunState::Running)
    });
    let loaded = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.is_loaded())
    });
    let figures = store.net_figures(id);
    let silent = silent_for(store, id, loaded);
    let rate = Memo::new(move |_| {
        let heard = silent.get().is_none();
        figures.with(|dated| dated.as_ref().filter(|_| heard).map(|dated| format::rate(dated.value.rate)))
    });
    let (firings, source) = (marking.firings.clone(), marking.source.clone());
    let said = Memo::new(move |_| {
        if let Some(seconds) = silent.get() {
            return format!("No word from its worker for {seconds} s. This is the last marking known.");
        }
        let said = match source.get() {
            Source::Initial if loaded.get() => "Marking not known yet.",
            Source::Initial => "Not loaded: this is its initial marking.",
            Source::Opening => "Waiting for its marking…",
            Source::Page => "As it was when this page was made.",
            Source::Live => "",
            Source::Lost => "The last marking known; connecting again…",
        };
        said.to_owned()
    });
    view! {
        <div class="controls">
            <form class="actions" method="post" action=ActOnNet::url() on:submit=submit(desk, busy)>
                <NetHidden id net=net.clone()/>
                {move || may.get().into_iter().map(|action| view! { <NetButton action busy/> }).collect_view()}
            </form>
            {move || {
                let net = net.clone();
                (!may_run.with(Vec::is_empty))
                    .then(|| {
                        view! {
                            <form class="actions" method="post" action=ActOnNet::url() on:submit=submit(desk, busy)>
                                <NetHidden id net/>
                                <label for="rate">"at"</label>
                                <input
                                    id="rate"
                                    class="input rate"
                                    name="rate"
                                    type="number"
                                    min="0"
                                    max="10000000"
                                    value=rate_now.to_string()
                                    required=true
                                    title="Firings per second; 0 is as fast as possible"
                                />
                                <span class="quiet-text">"firings/s, 0 = as fast as possible"</span>
                                <button class="button primary" name="action" value="run" disabled=move || busy.get() || in_flight.get()>
                                    {move || if running.get() { "Set rate" } else { "Run" }}
                                </button>
                            </form>
                        }
                    })
            }}
            <p class="controls-said">
                {move || said.get()}
                {move || {
                    loaded
                        .get()
                        .then(|| {
                            let firings = firings.clone();
                            view! {
                                <span class="figure-left" data-firings=move || firings.get().to_string()>
                                    {
                                        let firings = firings.clone();
                                        move || format!(" {} firings", format::count(firings.get()))
                                    }
                                    {move || {
                                        running
                                            .get()
                                            .then(|| rate.get().map(|rate| format!(" · {rate} /s")))
                                            .flatten()
                                    }}
                                </span>
                            }
                        })
                }}
            </p>
        </div>
    }
    .into_any()
}
