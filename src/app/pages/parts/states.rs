//! How the states of workers and nets look.

use crate::{
    app::components::{Glyph, State, StateBadge, Tone},
    model::{BuildStatus, LoadState, Net, RunState, Worker, WorkerStatus},
};
use leptos::prelude::*;
use std::sync::Arc;

fn worker_state(status: WorkerStatus) -> State {
    let (glyph, tone) = match status {
        WorkerStatus::Pending => (Glyph::Ring, Tone::Quiet),
        WorkerStatus::Provisioning => (Glyph::Half, Tone::Busy),
        WorkerStatus::Ready => (Glyph::Dot, Tone::Good),
        WorkerStatus::Stopped => (Glyph::Square, Tone::Quiet),
        WorkerStatus::Error(_) => (Glyph::Cross, Tone::Bad),
    };
    State::new(glyph, tone, status.to_string())
}

fn net_state(net: &Net) -> State {
    match (net.load_state, net.run_state) {
        (LoadState::Unloaded, _) => State::new(Glyph::Ring, Tone::Quiet, "unloaded"),
        (LoadState::Error, _) => State::new(Glyph::Cross, Tone::Bad, "error"),
        (LoadState::Loaded, RunState::Idle) => State::new(Glyph::Dot, Tone::Good, "loaded"),
        (LoadState::Loaded, RunState::Running) => State::new(Glyph::Dot, Tone::Good, "loaded · running"),
        (LoadState::Loaded, RunState::Dead) => State::new(Glyph::Triangle, Tone::Warn, "loaded · dead"),
    }
}

#[component]
pub fn WorkerBadge(worker: ArcRwSignal<Arc<Worker>>) -> impl IntoView {
    let state = Memo::new(move |_| worker.with(|worker| worker_state(worker.status)));
    view! { <StateBadge state/> }
}

#[component]
pub fn NetBadge(net: ArcRwSignal<Arc<Net>>) -> impl IntoView {
    let state = Memo::new(move |_| net.with(|net| net_state(net)));
    view! { <StateBadge state/> }
}

/// What is known of a net's newest version before anybody loads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finding {
    NotBuilt,
    Building,
    Failed,
    Deadlock,
    /// Whether it can deadlock was not found out.
    Undecided,
    Fine,
}

impl Finding {
    pub fn of(net: &Net) -> Finding {
        let Some(build) = &net.build else { return Finding::NotBuilt };
        match build.status {
            BuildStatus::Queued | BuildStatus::Running => Finding::Building,
            BuildStatus::Failed if build.is_broken() => Finding::Failed,
            BuildStatus::Succeeded | BuildStatus::Failed => {
                match build.summary.and_then(|summary| summary.deadlock) {
                    Some(true) => Finding::Deadlock,
                    Some(false) => Finding::Fine,
                    None => Finding::Undecided,
                }
            }
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Finding::NotBuilt => "not built",
            Finding::Building => "building",
            Finding::Failed => "failed",
            Finding::Deadlock => "deadlock",
            Finding::Undecided => "not decided",
            Finding::Fine => "ok",
        }
    }

    fn state(self) -> State {
        let (glyph, tone) = match self {
            Finding::NotBuilt => (Glyph::Ring, Tone::Quiet),
            Finding::Building => (Glyph::Half, Tone::Busy),
            Finding::Failed => (Glyph::Cross, Tone::Bad),
            Finding::Deadlock => (Glyph::Triangle, Tone::Warn),
            Finding::Undecided => (Glyph::Dashed, Tone::Quiet),
            Finding::Fine => (Glyph::Check, Tone::Good),
        };
        State::new(glyph, tone, self.word())
    }
}

/// What the build of its newest version found, in a word.
#[component]
pub fn BuildBadge(net: ArcRwSignal<Arc<Net>>) -> impl IntoView {
    let state = Memo::new(move |_| net.with(|net| Finding::of(net).state()));
    view! { <StateBadge state/> }
}
