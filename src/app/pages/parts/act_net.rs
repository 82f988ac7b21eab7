//! The actions that a net's state permits, but for the controls of a run, which are the net page's.

use super::{InFlight, wire};
use crate::{
    app::{
        actions::ActOnNet,
        components::{Menu, SecondStep},
        frame::palette::{Layer, Palette},
        guard::{Desk, use_desk},
        store::{Store, use_store},
    },
    model::{
        Net, NetAction, NetId, Role, Worker, WorkerId,
        lifecycle::{Verb, assign_target, net_action},
    },
};
use leptos::{ev::SubmitEvent, form::FromFormData, prelude::*, task::spawn_local};
use server_fn::ServerFn;
use std::sync::Arc;

/// Takes over a form of net actions: guards it, sends it, and marks it busy meanwhile.
pub fn submit(desk: Desk, busy: RwSignal<bool>) -> impl Fn(SubmitEvent) + Copy + 'static {
    move |event| {
        let Ok(ask) = ActOnNet::from_event(&event) else { return };
        event.prevent_default();
        if !busy.get_untracked() {
            busy.set(true);
            spawn_local(async move {
                desk.net(ask).await;
                _ = busy.try_set(false);
            });
        }
    }
}

/// What of `among` the net permits now, tracked.
pub fn permitted(
    store: Store,
    net: &ArcRwSignal<Arc<Net>>,
    among: &'static [NetAction],
) -> Memo<Vec<NetAction>> {
    let net = net.clone();
    Memo::new(move |_| {
        let net = net.get();
        let worker = store.worker_of(&net);
        let may = |action: &NetAction| net_action(&net, worker.as_deref(), *action).is_ok();
        let may_at_all = store.may_in(net.project_id, Role::Operator);
        if may_at_all { among.iter().copied().filter(may).collect() } else { Vec::new() }
    })
}

/// The same as if no action were in flight: for controls that stay where they are while one is.
pub fn permitted_at_rest(
    store: Store,
    net: &ArcRwSignal<Arc<Net>>,
    among: &'static [NetAction],
) -> Memo<Vec<NetAction>> {
    let net = net.clone();
    Memo::new(move |_| {
        let net = Net { operation: None, ..Net::clone(&net.get()) };
        let worker = store.worker_of(&net);
        let may = |action: &NetAction| net_action(&net, worker.as_deref(), *action).is_ok();
        let may_at_all = store.may_in(net.project_id, Role::Operator);
        if may_at_all { among.iter().copied().filter(may).collect() } else { Vec::new() }
    })
}

/// The hidden inputs of every net form.
#[component]
pub fn NetHidden(id: NetId, net: ArcRwSignal<Arc<Net>>) -> impl IntoView {
    let store = use_store();
    let revision = Memo::new(move |_| net.with(|net| net.state_revision));
    view! {
        <input type="hidden" name="id" value=id.to_string()/>
        <input type="hidden" name="state_revision" value=move || revision.get().to_string()/>
        <input type="hidden" name="key" value=move || format!("{}-{id}-{}", store.form_key.get(), revision.get())/>
    }
    .into_any()
}

#[component]
pub fn NetButton(
    action: NetAction,
    busy: RwSignal<bool>,
    #[prop(optional)] class: &'static str,
) -> impl IntoView {
    let loses = action == NetAction::Delete;
    view! {
        <button
            class=if class.is_empty() { "button" } else { class }
            class:danger=loses
            name="action"
            value=wire(action)
            aria-disabled=move || busy.get().then_some("true")
        >
            {action.label()}
        </button>
    }
    .into_any()
}

/// Those of `among` that are permitted, as buttons of one form; an action in flight is named instead.
#[component]
pub fn NetButtons(
    net: ArcRwSignal<Arc<Net>>,
    among: &'static [NetAction],
    /// Nothing for browsers without scripts, and the menu when it is opened: where a script made it, as one of many.
    #[prop(optional)]
    lean: bool,
) -> impl IntoView {
    let (store, desk) = (use_store(), use_desk());
    let busy = RwSignal::new(false);
    let first = net.get_untracked();
    let (id, name) = (first.id, first.name.to_string());
    // On every list of a net's actions: it is the only one while it may be.
    let undo = self::permitted(store, &net, &[NetAction::UndoDelete]);
    let undoable = Memo::new(move |_| !undo.with(Vec::is_empty));
    let permitted = permitted(store, &net, among);
    let operation = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.operation.clone())
    });
    let loaded = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.is_loaded())
    });
    view! {
        <form class="actions" tabindex="-1" method="post" action=ActOnNet::url() on:submit=submit(desk, busy)>
            <NetHidden id net/>
            {move || operation.get().map(|operation| view! { <InFlight operation/> })}
            {move || {
                let (loses, rest): (Vec<_>, Vec<_>) =
                    permitted.get().into_iter().partition(|action| *action == NetAction::Delete);
                view! {
                    {undoable
                        .get()
                        .then(|| view! { <NetButton action=NetAction::UndoDelete busy/> })}
                    {rest
                        .into_iter()
                        .map(|action| {
                            let loses = loaded.get() && matches!(action, NetAction::Unload | NetAction::Unassign);
                            if loses && !lean {
                                view! {
                                    <SecondStep
                                        label=action.label()
                                        name="action"
                                        value=wire(action)
                                        loss="It stops if it runs, and its marking is lost."
                                    >
                                        <NetButton action busy/>
                                    </SecondStep>
                                }
                                    .into_any()
                            } else {
                                view! { <NetButton action busy/> }.into_any()
                            }
                        })
                        .collect_view()}
                    {(!loses.is_empty())
                        .then(|| {
                            view! {
                                <Menu label=format!("More actions on {name}") lazy=lean>
                                    {if lean {
                                        view! { <NetButton action=NetAction::Delete busy class="menu-item"/> }.into_any()
                                    } else {
                                        view! {
                                            <SecondStep
                                                label=NetAction::Delete.label()
                                                name="action"
                                                value=wire(NetAction::Delete)
                                                loss="Its definition and its history here will be gone."
                                            >
                                                <NetButton action=NetAction::Delete busy class="menu-item"/>
                                            </SecondStep>
                                        }
                                            .into_any()
                                    }}
                                </Menu>
                            }
                        })}
                }
            }}
        </form>
    }
    .into_any()
}

/// A choice of more workers than this is searched, not scrolled.
const CHOICES: usize = 40;

/// A worker in the choice: its id, how it is called there, and whether the net can go there now.
type Choice = (WorkerId, String, bool);

/// Where a net can go: a choice of the workers, those that cannot take it now greyed and with their state; with many workers a button
/// that searches them. Absent where the net may not be assigned now, or where nothing could take it.
#[component]
pub fn AssignForm(net: ArcRwSignal<Arc<Net>>) -> impl IntoView {
    let (store, desk) = (use_store(), use_desk());
    let palette: Palette = expect_context();
    let busy = RwSignal::new(false);
    let first = net.get_untracked();
    let id = first.id;
    let may = permitted(store, &net, &[NetAction::Assign]);
    let many = Memo::new(move |_| store.summary.with(|all| all.workers) > CHOICES);
    let targets = Memo::new({
        let net = net.clone();
        move |_| {
            if may.with(Vec::is_empty) || many.get() {
                return Vec::new();
            }
            let net = net.get();
            let workers = store.workers.get().into_iter().filter_map(|id| store.worker(id));
            let choice = |worker: Arc<Worker>| -> Choice {
                match assign_target(&net, &worker) {
                    Ok(()) => (worker.id, worker.name.to_string(), true),
                    Err(_) => (worker.id, format!("{} ({})", worker.name, worker.status), false),
                }
            };
            let mut choices: Vec<Choice> = workers.map(choice).collect();
            choices.sort_by_key(|(_, _, fits)| !fits);
            choices
        }
    });
    let shown = Memo::new(move |_| targets.with(|targets| targets.iter().any(|(_, _, fits)| *fits)));
    let searched = Memo::new(move |_| many.get() && !may.with(Vec::is_empty));
    let choice_id = format!("assign-{id}");
    move || {
        if searched.get() {
            return Some(
                view! {
                    <button
                        type="button"
                        class="button needs-script"
                        aria-haspopup="dialog"
                        on:click=move |_| palette.open_at(Layer::AssignTo(id))
                    >
                        "Assign…"
                    </button>
                }
                .into_any(),
            );
        }
        shown.get().then(|| {
            let (net, name, choice_id) = (net.clone(), first.name.to_string(), choice_id.clone());
            view! {
                <form class="actions" tabindex="-1" method="post" action=ActOnNet::url() on:submit=submit(desk, busy)>
                    <NetHidden id net/>
                    <label class="visually-hidden" for=choice_id.clone()>
                        {format!("Worker for {name}")}
                    </label>
                    <select id=choice_id name="worker_id" class="select">
                        <For each=move || targets.get() key=|target| target.clone() let:target>
                            <option value=target.0.to_string() disabled=!target.2>
                                {target.1.clone()}
                            </option>
                        </For>
                    </select>
                    <NetButton action=NetAction::Assign busy/>
                </form>
            }
            .into_any()
        })
    }
}
