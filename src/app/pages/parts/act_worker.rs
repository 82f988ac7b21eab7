//! The actions that a worker's state permits.

use super::{InFlight, wire};
use crate::{
    app::{
        actions::ActOnWorker,
        components::{Menu, SecondStep},
        guard::use_desk,
        store::use_store,
    },
    model::{
        Worker, WorkerAction,
        lifecycle::{Verb, worker_actions},
    },
};
use leptos::{ev::SubmitEvent, form::FromFormData, prelude::*, task::spawn_local};
use server_fn::ServerFn;
use std::sync::Arc;

/// The most likely action as a button, the others in a menu. One form: which button sent it says which action, also without JavaScript.
#[component]
pub fn WorkerButtons(
    worker: ArcRwSignal<Arc<Worker>>,
    /// Show every action as a button.
    #[prop(optional)]
    all: bool,
    /// Nothing for browsers without scripts, and the menu when it is opened: where a script made it, as one of many.
    #[prop(optional)]
    lean: bool,
) -> impl IntoView {
    let (store, desk) = (use_store(), use_desk());
    // Told by `aria-disabled`: a button that is switched off loses the focus.
    let busy = RwSignal::new(false);
    let first = worker.get_untracked();
    let id = first.id;
    let permitted = Memo::new({
        let worker = worker.clone();
        move |_| {
            if store.may_act() { worker.with(|worker| worker_actions(worker).collect()) } else { Vec::new() }
        }
    });
    let operation = Memo::new({
        let worker = worker.clone();
        move |_| worker.with(|worker| worker.operation.clone())
    });
    let revision = Memo::new(move |_| worker.with(|worker| worker.state_revision));
    let on_submit = move |event: SubmitEvent| {
        let Ok(ask) = ActOnWorker::from_event(&event) else { return };
        event.prevent_default();
        if !busy.get_untracked() {
            busy.set(true);
            spawn_local(async move {
                desk.worker(ask).await;
                _ = busy.try_set(false);
            });
        }
    };
    view! {
        // Where its buttons are replaced by others, it keeps the focus that one of them had.
        <form class="actions" tabindex="-1" method="post" action=ActOnWorker::url() on:submit=on_submit aria-busy=move || busy.get().to_string()>
            <input type="hidden" name="id" value=id.to_string()/>
            <input type="hidden" name="state_revision" value=move || revision.get().to_string()/>
            <input type="hidden" name="key" value=move || format!("{}-{id}-{}", store.form_key.get(), revision.get())/>
            {move || operation.get().map(|operation| view! { <InFlight operation/> })}
            {move || {
                let actions = permitted.get();
                let shown = if all { actions.len() } else { usize::from(!actions.is_empty()) };
                let (buttons, rest) = actions.split_at(shown);
                // What loses something comes last.
                let mut rest = rest.to_vec();
                rest.sort_by_key(|action| loses(*action));
                view! {
                    {buttons.iter().map(|&action| view! { <ActionButton action class="button" busy lean/> }).collect_view()}
                    {(!rest.is_empty())
                        .then(|| {
                            view! {
                                <Menu label=format!("More actions on {}", first.name) lazy=lean>
                                    {rest
                                        .into_iter()
                                        .map(|action| view! { <ActionButton action class="menu-item" busy lean/> })
                                        .collect_view()}
                                </Menu>
                            }
                        })}
                }
            }}
        </form>
    }
    .into_any()
}

fn loses(action: WorkerAction) -> bool {
    matches!(action, WorkerAction::Destroy | WorkerAction::Delete)
}

/// What an action loses, in general: without JavaScript nothing is asked that could name it.
fn loss(action: WorkerAction) -> Option<&'static str> {
    match action {
        WorkerAction::Stop => Some("The nets loaded on it are unloaded, and their markings lost."),
        WorkerAction::Destroy => Some(
            "Its machine will be destroyed; the nets loaded on it are unloaded, and their markings lost. The record stays.",
        ),
        WorkerAction::Delete => Some(
            "Its machine and its record will be gone; its nets are no longer assigned, and their markings lost.",
        ),
        WorkerAction::UndoDelete | WorkerAction::Provision | WorkerAction::Start | WorkerAction::Refresh => {
            None
        }
    }
}

#[component]
fn ActionButton(
    action: WorkerAction,
    class: &'static str,
    busy: RwSignal<bool>,
    lean: bool,
) -> impl IntoView {
    let button = move || {
        view! {
            <button class=class class:danger=loses(action) name="action" value=wire(action) aria-disabled=move || busy.get().then_some("true")>
                {action.label()}
            </button>
        }
    };
    match loss(action).filter(|_| !lean) {
        Some(loss) => view! {
            <SecondStep label=action.label() name="action" value=wire(action) loss>
                {button()}
            </SecondStep>
        }
        .into_any(),
        None => button().into_any(),
    }
}
