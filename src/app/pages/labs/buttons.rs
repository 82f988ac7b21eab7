//! The actions that a lab's state permits.

use super::super::parts::wire;
use crate::{
    app::{
        components::SecondStep,
        guard::{lab_action_loses, use_desk},
        lab_actions::ActOnLab,
        store::use_store,
    },
    model::{
        Lab, LabAction, Role,
        lifecycle::{Verb, lab_action},
    },
};
use leptos::{ev::SubmitEvent, form::FromFormData, prelude::*, task::spawn_local};
use server_fn::ServerFn;
use std::sync::Arc;

const OFFERED: [LabAction; 4] = [LabAction::Start, LabAction::Stop, LabAction::Wipe, LabAction::Delete];

#[component]
pub fn LabButtons(
    lab: Memo<Arc<Lab>>,
    /// Told when it was deleted.
    #[prop(optional)]
    on_gone: Option<Callback<()>>,
) -> impl IntoView {
    let (store, desk) = (use_store(), use_desk());
    let busy = RwSignal::new(None::<LabAction>);
    let first = lab.get_untracked();
    let id = first.id;
    let may_at_all = store.may_in(first.project_id, Role::Operator);
    let permitted = Memo::new(move |_| {
        let lab = lab.get();
        let worker = lab.worker_id.and_then(|id| store.worker(id));
        let may = |action: &LabAction| may_at_all && lab_action(&lab, worker.as_deref(), *action).is_ok();
        OFFERED.into_iter().filter(may).collect::<Vec<_>>()
    });
    let revision = Memo::new(move |_| lab.with(|lab| lab.revision));
    let on_submit = move |event: SubmitEvent| {
        let Ok(ask) = ActOnLab::from_event(&event) else { return };
        event.prevent_default();
        if busy.get_untracked().is_some() {
            return;
        }
        busy.set(Some(ask.action));
        spawn_local(async move {
            let deleted = ask.action == LabAction::Delete;
            let done = desk.lab(ask).await;
            _ = busy.try_set(None);
            if let (true, true, Some(on_gone)) = (done, deleted, on_gone) {
                on_gone.run(());
            }
        });
    };
    let button = move |action: LabAction| {
        let label = move || if busy.get() == Some(action) { action.doing() } else { action.label() };
        let button = view! {
            <button
                class="button"
                class:danger=action == LabAction::Delete
                name="action"
                value=wire(action)
                aria-disabled=move || busy.get().map(|_| "true")
            >
                {label}
            </button>
        };
        match action {
            _ if !lab_action_loses(action) => button.into_any(),
            LabAction::Wipe => view! {
                <SecondStep label=action.label() name="action" value=wire(action) loss="All that it has counted and found is forgotten.">
                    {button}
                </SecondStep>
            }
            .into_any(),
            _ => view! {
                <SecondStep label=action.label() name="action" value=wire(action) loss="Its plan, its history and all that it has found will be gone.">
                    {button}
                </SecondStep>
            }
            .into_any(),
        }
    };
    view! {
        <form class="actions lab-actions" tabindex="-1" method="post" action=ActOnLab::url() on:submit=on_submit>
            <input type="hidden" name="id" value=id.to_string()/>
            <input type="hidden" name="key" value=move || format!("{}-{id}-{}", store.form_key.get(), revision.get())/>
            <For each=move || permitted.get() key=|action| wire(*action) let:action>
                {button(action)}
            </For>
        </form>
    }
    .into_any()
}
