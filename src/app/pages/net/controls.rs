//! Step, run, stop, reset, above the drawing. They stay where they are whatever the net does: what its state does not permit is greyed and
//! says why on hover, so that the drawing below never moves.

use super::{
    super::parts::{NetHidden, submit, wire},
    marking::Marking,
};
use crate::{
    app::{
        actions::ActOnNet,
        components::format,
        guard::use_desk,
        store::{Store, use_store},
    },
    model::{
        Net, NetAction, NetId, RunState,
        lifecycle::{Verb, net_action},
    },
};
use leptos::prelude::*;
use server_fn::ServerFn;
use std::sync::Arc;

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

/// Why `action` is not permitted now, as if no action were in flight: the buttons are not to flicker while one is.
fn refusal(store: Store, net: &ArcRwSignal<Arc<Net>>, action: NetAction) -> Memo<Option<String>> {
    let net = net.clone();
    Memo::new(move |_| {
        let net = Net { operation: None, ..Net::clone(&net.get()) };
        let worker = store.worker_of(&net);
        net_action(&net, worker.as_deref(), action).err().map(|refusal| refusal.to_string())
    })
}

#[component]
fn Control(
    action: NetAction,
    refusal: Memo<Option<String>>,
    busy: RwSignal<bool>,
    #[prop(optional)] primary: bool,
    /// Another word than the action's own.
    #[prop(optional)]
    label: Option<Memo<&'static str>>,
) -> impl IntoView {
    view! {
        <button
            class="button"
            class:primary=primary
            name="action"
            value=wire(action)
            disabled=move || busy.get() || refusal.with(Option::is_some)
            title=move || refusal.get()
        >
            {move || label.map_or(action.label(), |label| label.get())}
        </button>
    }
    .into_any()
}

#[component]
pub fn Controls(net: ArcRwSignal<Arc<Net>>, marking: Marking) -> impl IntoView {
    let (store, desk) = (use_store(), use_desk());
    let busy = RwSignal::new(false);
    let first = net.get_untracked();
    let id = first.id;
    let [step, run, stop, reset] = [NetAction::Step, NetAction::Run, NetAction::Stop, NetAction::Reset]
        .map(|action| refusal(store, &net, action));
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
    let run_label = Memo::new(move |_| if running.get() { "Set rate" } else { "Run" });
    let firings = marking.firings.clone();
    view! {
        <div class="controls">
            {store
                .may_act()
                .then(|| {
                    view! {
                        <form class="actions" method="post" action=ActOnNet::url() on:submit=submit(desk, busy)>
                            <NetHidden id net=net.clone()/>
                            <Control action=NetAction::Step refusal=step busy/>
                            <Control action=NetAction::Stop refusal=stop busy/>
                            <Control action=NetAction::Reset refusal=reset busy/>
                        </form>
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
                            <Control action=NetAction::Run refusal=run busy primary=true label=run_label/>
                        </form>
                    }
                })}
            <p class="controls-said figure-left">
                {move || {
                    loaded
                        .get()
                        .then(|| {
                            let (firings, shown) = (firings.clone(), firings.clone());
                            view! {
                                <span data-firings=move || firings.get().to_string()>
                                    {move || format!("{} firings", format::count(shown.get()))}
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
