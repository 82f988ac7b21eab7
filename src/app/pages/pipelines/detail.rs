//! One pipeline: how far it is, what can be done with it, and its matrix.

use super::{super::not_found::GoneRow, PipelineBadge, ProgressBar, by, lanes::Lanes, permitted};
use crate::{
    app::{
        components::{Ago, use_clock},
        frame::freshness::FreshnessLine,
        guard::use_host_desk,
        host_actions::ActOnPipeline,
        pages::parts::wire,
        store::use_store,
    },
    model::{
        PipelineId,
        lifecycle::{PipelineAction, Verb},
        time::age,
    },
};
use leptos::{ev::SubmitEvent, form::FromFormData, prelude::*, task::spawn_local};
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_params_map};
use server_fn::ServerFn;

#[component]
pub fn PipelinePage() -> impl IntoView {
    let store = use_store();
    let params = use_params_map();
    let id = Memo::new(move |_| {
        params.with(|params| params.get("id")).and_then(|id| id.parse::<PipelineId>().ok())
    });
    let here = Memo::new(move |_| id.get().filter(|id| store.pipeline(*id).is_some()));
    let part = Memo::new(move |_| store.part.with(Option::is_some));
    move || match (here.get(), part.get()) {
        (Some(id), _) => view! { <Detail id/> }.into_any(),
        (None, true) => view! { <p class="empty" role="status">"Loading…"</p> }.into_any(),
        (None, false) => {
            view! { <GoneRow what="pipeline" list="/pipelines" list_name="pipelines"/> }.into_any()
        }
    }
}

#[component]
fn Detail(id: PipelineId) -> impl IntoView {
    let (store, clock) = (use_store(), use_clock());
    let row = store.pipeline_row(id)?;
    let first = row.get_untracked();
    let pipeline = Memo::new(move |_| row.get());
    let took = Memo::new(move |_| {
        let now = clock.now.get();
        pipeline.with(|row| age(row.finished_at.unwrap_or(now).since(row.created_at)))
    });
    let over = Memo::new(move |_| pipeline.with(|row| row.status.is_over()));
    let reason = Memo::new(move |_| pipeline.with(|row| row.reason.clone()));
    let plan = format!(
        "{} at once, {}, stops after {}",
        first.concurrency,
        match first.canary {
            0 => "no canary".to_owned(),
            1 => "1 canary first".to_owned(),
            n => format!("{n} canaries first"),
        },
        match first.stop_after_failures {
            1 => "1 failed host".to_owned(),
            n => format!("{n} failed hosts"),
        }
    );
    Some(
        view! {
        <Title text=first.title.clone()/>
        <p class="trail"><A href="/pipelines">"Pipelines"</A></p>
        <div class="page-head" data-pipeline=id.to_string()>
            <h1>{first.title.clone()}</h1>
            <PipelineBadge pipeline/>
            <Buttons id/>
        </div>
        <p class="page-said">
            {by(&first)} "begun " <Ago at=first.created_at/> " ago, "
            {move || if over.get() { "took " } else { "at it for " }} {move || took.get()} " · " {plan}
            {move || reason.get().map(|reason| view! { <span class="page-reason">{format!(" — {reason}")}</span> })}
        </p>
        <ProgressBar pipeline/>
        <Lanes pipeline/>
        <FreshnessLine/>
        }
        .into_any(),
    )
}

/// One form: which button sent it says which action.
#[component]
fn Buttons(id: PipelineId) -> impl IntoView {
    let (store, desk) = (use_store(), use_host_desk());
    let busy = RwSignal::new(false);
    let may = Memo::new(move |_| {
        if !store.may_act() {
            return Vec::new();
        }
        store.pipeline(id).map(|row| permitted(&row)).unwrap_or_default()
    });
    let on_submit = move |event: SubmitEvent| {
        let Ok(ask) = ActOnPipeline::from_event(&event) else { return };
        event.prevent_default();
        if !busy.get_untracked() {
            busy.set(true);
            spawn_local(async move {
                desk.pipeline(id, ask.action).await;
                _ = busy.try_set(false);
            });
        }
    };
    view! {
        <form class="actions" method="post" action=ActOnPipeline::url() on:submit=on_submit aria-busy=move || busy.get().to_string()>
            <input type="hidden" name="id" value=id.to_string()/>
            <input type="hidden" name="key" value=move || format!("{}-{id}", store.form_key.get())/>
            {move || {
                may.get()
                    .into_iter()
                    .map(|action| view! {
                        <button class="button" class:danger=action == PipelineAction::Cancel name="action" value=wire(action) disabled=move || busy.get()>
                            {action.label()}
                        </button>
                    })
                    .collect_view()
            }}
        </form>
    }
    .into_any()
}
