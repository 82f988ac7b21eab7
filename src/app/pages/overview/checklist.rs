//! The way from an empty console to a loaded net: live conditions, each with what satisfies it. Gone when all hold.

use crate::{
    app::store::{Summary, use_store},
    model::WorkerAction,
};
use leptos::prelude::*;
use leptos_router::components::A;

/// Each step: what must hold, whether it does, and where to do it.
fn steps(summary: &Summary) -> [(&'static str, bool, &'static str, &'static str); 6] {
    [
        ("Cluster connected", summary.clusters_connected > 0, "/workers", "See clusters"),
        ("Worker created", summary.workers > 0, "/workers?new", "Create worker"),
        ("Worker ready", summary.workers_ready > 0, "/workers", worker_step(summary.remedy)),
        ("Net added", summary.nets > 0, "/nets?new", "Add net"),
        ("Net assigned", summary.nets_assigned > 0, "/nets", "Assign a net"),
        ("Net loaded", summary.nets_loaded > 0, "/nets", "Load a net"),
    ]
}

fn worker_step(remedy: Option<WorkerAction>) -> &'static str {
    match remedy {
        Some(WorkerAction::Start) => "Start a worker",
        Some(WorkerAction::Refresh) => "Check a worker",
        _ => "Provision a worker",
    }
}

#[component]
pub fn Checklist() -> impl IntoView {
    let store = use_store();
    let steps = Memo::new(move |_| store.summary.with(steps));
    let done = Memo::new(move |_| steps.get().iter().filter(|step| step.1).count());
    move || {
        (done.get() < 6).then(|| {
            view! {
                <section class="panel checklist" aria-labelledby="checklist-title">
                    <h2 id="checklist-title">"Set up" <span class="quiet-text">{move || format!(" {} of 6", done.get())}</span></h2>
                    <ol class="steps">
                        {(0..6)
                            .map(|i| {
                                let (label, _, href, _) = steps.get_untracked()[i];
                                let todo = Memo::new(move |_| steps.get()[i].3);
                                let holds = Memo::new(move |_| steps.get()[i].1);
                                let next = Memo::new(move |_| steps.get().iter().position(|step| !step.1) == Some(i));
                                view! {
                                    <li class="step" class:done=move || holds.get() class:next=move || next.get()>
                                        <svg class="glyph" viewBox="0 0 12 12" aria-hidden="true" focusable="false">
                                            <use href=move || if holds.get() { "#g-check" } else { "#g-ring" }></use>
                                        </svg>
                                        <span>{label}</span>
                                        <span class="visually-hidden">{move || if holds.get() { " (done)" } else { " (open)" }}</span>
                                        {move || (!holds.get()).then(|| view! { <A href=href attr:class="step-action">{move || todo.get()}</A> })}
                                    </li>
                                }
                            })
                            .collect_view()}
                    </ol>
                </section>
            }
        })
    }
}
