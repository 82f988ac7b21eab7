//! Pipelines: the list, and one of them as a matrix of hosts and stages.

mod detail;
mod lanes;

pub use detail::PipelinePage;

use super::parts::host_states::pipeline_state;
use crate::{
    app::{
        components::{Ago, StateBadge, format::counted},
        frame::freshness::FreshnessLine,
        live::glow::glow,
        store::use_store,
    },
    model::{Actor, Cell, CommandStatus, Pipeline, PipelineId, lifecycle::PipelineAction},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use std::sync::Arc;

/// How far a pipeline is: hosts that are through, that failed, that were left out, and all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    done: usize,
    failed: usize,
    skipped: usize,
    active: usize,
    all: usize,
}

impl Progress {
    fn of(pipeline: &Pipeline) -> Progress {
        let mut progress = Progress { all: pipeline.lanes.len(), ..Progress::default() };
        for lane in &pipeline.lanes {
            let has = |wanted: fn(&Cell) -> bool| lane.cells.iter().any(wanted);
            let failed = |cell: &Cell| matches!(cell, Cell::Ended { status, .. } if *status != CommandStatus::Succeeded);
            if has(failed) {
                progress.failed += 1;
            } else if has(|cell| *cell == Cell::Skipped) {
                progress.skipped += 1;
            } else if lane.cells.iter().all(|cell| matches!(cell, Cell::Ended { .. })) {
                progress.done += 1;
            } else if has(|cell| *cell != Cell::Waiting) {
                progress.active += 1;
            }
        }
        progress
    }

    fn words(self) -> String {
        let mut words = format!("{} of {} done", self.done, counted(self.all, "host", "hosts"));
        for (count, what) in [(self.active, "under way"), (self.failed, "failed"), (self.skipped, "skipped")]
        {
            if count > 0 {
                words.push_str(&format!(", {count} {what}"));
            }
        }
        words
    }
}

fn by(pipeline: &Pipeline) -> Option<String> {
    match &pipeline.actor {
        Actor::System => None,
        Actor::User { name, .. } => Some(format!("{name} · ")),
    }
}

/// What an operator may do to a pipeline now.
fn permitted(pipeline: &Pipeline) -> Vec<PipelineAction> {
    let may = |action: &PipelineAction| crate::model::lifecycle::pipeline_action(pipeline, *action).is_ok();
    PipelineAction::ALL.iter().copied().filter(may).collect()
}

#[component]
pub fn PipelinesPage() -> impl IntoView {
    let store = use_store();
    let part = Memo::new(move |_| store.part.with(Option::is_some));
    let none = Memo::new(move |_| store.pipelines.with(Vec::is_empty));
    view! {
        <Title text="Pipelines"/>
        <div class="page-head">
            <h1>"Pipelines"</h1>
        </div>
        {move || match (part.get(), none.get()) {
            (true, true) => Some(view! { <p class="empty" role="status">"Loading…"</p> }.into_any()),
            (false, true) => Some(view! {
                <p class="empty">"No pipeline yet. Choose hosts on " <A href="/hosts">"Hosts"</A> ", then start one."</p>
            }.into_any()),
            _ => None,
        }}
        <ul class="lines panel pipelines" class:no-rows=move || none.get()>
            <For each=move || store.pipelines.get() key=|id| *id let:id>
                <PipelineLine id/>
            </For>
        </ul>
        <FreshnessLine/>
    }
    .into_any()
}

#[component]
fn PipelineLine(id: PipelineId) -> impl IntoView {
    let row = use_store().pipeline_row(id)?;
    let glows = glow(row.clone());
    let first = row.get_untracked();
    let (title, by, at) = (first.title.clone(), by(&first), first.created_at);
    let pipeline = Memo::new(move |_| row.get());
    Some(
        view! {
        <li class="line" class:glow=move || glows.get() data-pipeline=id.to_string()>
            <span class="line-name"><A href=format!("/pipelines/{id}")>{title}</A></span>
            <PipelineBadge pipeline/>
            <ProgressBar pipeline/>
            <span class="line-actions quiet-text">{by} <Ago at/> " ago"</span>
            {move || pipeline.with(|row| row.reason.clone()).map(|reason| view! { <span class="line-error">{reason}</span> })}
        </li>
        }
        .into_any(),
    )
}

#[component]
fn PipelineBadge(pipeline: Memo<Arc<Pipeline>>) -> impl IntoView {
    let state = Memo::new(move |_| pipeline.with(|row| pipeline_state(row.status)));
    view! { <StateBadge state/> }
}

/// A bar in words and colours: through, under way, failed, left out.
#[component]
fn ProgressBar(pipeline: Memo<Arc<Pipeline>>) -> impl IntoView {
    let progress = Memo::new(move |_| pipeline.with(|row| Progress::of(row)));
    let share = move |count: fn(Progress) -> usize| {
        let progress = progress.get();
        1_000.0 * count(progress) as f64 / progress.all.max(1) as f64
    };
    let done = move || share(|progress| progress.done);
    let failed = move || share(|progress| progress.failed);
    let active = move || share(|progress| progress.active);
    view! {
        <span class="pipeline-progress">
            <svg class="progress-bar" viewBox="0 0 1000 8" preserveAspectRatio="none" aria-hidden="true">
                <rect class="progress-track" width="1000" height="8"></rect>
                <rect class="progress-done" width=move || done().to_string() height="8"></rect>
                <rect class="progress-failed" x=move || done().to_string() width=move || failed().to_string() height="8"></rect>
                <rect class="progress-active" x=move || (done() + failed()).to_string() width=move || active().to_string() height="8"></rect>
            </svg>
            <span class="figure">{move || progress.get().words()}</span>
        </span>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HostId, Plan, Timestamp};
    use uuid::Uuid;

    #[test]
    fn every_host_counts_once() {
        let plan = Plan {
            host_ids: (0..5).map(|n| HostId(Uuid::from_u128(n))).collect(),
            stages: vec!["pull".parse().unwrap(), "switch".parse().unwrap()],
            concurrency: 2,
            canary: 0,
            stop_after_failures: 1,
        };
        let mut pipeline =
            Pipeline::begin(PipelineId(Uuid::nil()), "x".into(), plan, Actor::System, Timestamp(1));
        let ended = |status| Cell::Ended { command: None, status };
        pipeline.lanes[0].cells = vec![ended(CommandStatus::Succeeded), ended(CommandStatus::Succeeded)];
        pipeline.lanes[1].cells = vec![ended(CommandStatus::Failed), Cell::Skipped];
        pipeline.lanes[2].cells = vec![ended(CommandStatus::Succeeded), Cell::Waiting];
        pipeline.lanes[3].cells = vec![Cell::Skipped, Cell::Skipped];
        let progress = Progress::of(&pipeline);
        assert_eq!(progress, Progress { done: 1, failed: 1, skipped: 1, active: 1, all: 5 });
        assert_eq!(progress.words(), "1 of 5 hosts done, 1 under way, 1 failed, 1 skipped");
    }
}
