//! Step, run, stop, reset: what the state of the net permits, above its drawing.

use super::{
    super::parts::{NetButton, NetHidden, permitted, submit},
    marking::{Marking, Source},
};
use crate::{
    app::{actions::ActOnNet, components::format, guard::use_desk, store::use_store},
    model::{Net, NetAction, RunState},
};
use leptos::prelude::*;
use server_fn::ServerFn;
use std::sync::Arc;

const CONTROLS: &[NetAction] = &[NetAction::Step, NetAction::Stop, NetAction::Reset];

#[component]
pub fn Controls(net: ArcRwSignal<Arc<Net>>, marking: Marking) -> impl IntoView {
    let (store, desk) = (use_store(), use_desk());
    let busy = RwSignal::new(false);
    let first = net.get_untracked();
    let id = first.id;
    let may = permitted(store, &net, CONTROLS);
    let may_run = permitted(store, &net, &[NetAction::Run]);
    let running = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.run_state == RunState::Running)
    });
    let loaded = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.is_loaded())
    });
    let figures = store.net_figures(id);
    let rate =
        Memo::new(move |_| figures.with(|dated| dated.as_ref().map(|dated| format::rate(dated.value.rate))));
    let (firings, source) = (marking.firings.clone(), marking.source.clone());
    let said = Memo::new(move |_| match source.get() {
        Source::Initial if loaded.get() => "Marking not known yet.",
        Source::Initial => "Not loaded: this is its initial marking.",
        Source::Opening => "Waiting for its marking…",
        Source::Live => "",
        Source::Lost => "The last marking known; connecting again…",
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
                                    value="10"
                                    required=true
                                    title="Firings per second; 0 is as fast as possible"
                                />
                                <span class="quiet-text">"firings/s, 0 = as fast as possible"</span>
                                <button class="button primary" name="action" value="run" disabled=move || busy.get()>
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
