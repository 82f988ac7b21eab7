//! How the states of workers and nets look.

use crate::{
    app::components::{Glyph, State, StateBadge, Tone},
    model::{LoadState, Net, RunState, Worker, WorkerStatus},
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
