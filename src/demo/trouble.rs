//! What goes wrong by itself, so that the demo shows what the console is for: a worker dies or falls silent every so often.

use super::fleet::Demo;
use crate::model::{Actor, ErrorDetail, Gone, LoadState, NetCause, WorkerCause, WorkerId, WorkerStatus};
use gloo_timers::future::TimeoutFuture;
use std::convert::Infallible;

/// Between two misfortunes, milliseconds.
const PAUSE_MS: u32 = 25_000;
/// How long a worker that falls silent stays so.
const SILENCE_MS: u32 = 15_000;
/// A real console notices a broken stream at once and a silent one after this.
const NOTICED_MS: u32 = 5_000;

pub fn begin(demo: &Demo) {
    let demo = demo.clone();
    wasm_bindgen_futures::spawn_local(async move {
        for round in 0_usize.. {
            TimeoutFuture::new(PAUSE_MS).await;
            let ready: Vec<WorkerId> =
                demo.fleet().workers().filter(|worker| worker.is_ready()).map(|worker| worker.id).collect();
            // Most of the fleet stays well, whatever the operator leaves unmended.
            if ready.len() < 6 {
                continue;
            }
            let chosen = ready[(js_sys::Math::random() * ready.len() as f64) as usize % ready.len()];
            if round.is_multiple_of(2) {
                dies(&demo, chosen);
            } else {
                falls_silent(&demo, chosen).await;
            }
        }
    });
}

fn dies(demo: &Demo, worker: WorkerId) {
    demo.machines.borrow_mut().kill(worker);
    let why = "Its process ended unexpectedly; the provider says that its machine is stopped";
    ends_in(demo, worker, ErrorDetail::MachineStopped, why);
}

async fn falls_silent(demo: &Demo, worker: WorkerId) {
    if let Some(running) = demo.machines.borrow_mut().get_mut(worker) {
        running.hangs = true;
    }
    TimeoutFuture::new(NOTICED_MS).await;
    unreachable(demo, worker);
    TimeoutFuture::new(SILENCE_MS).await;
    if let Some(running) = demo.machines.borrow_mut().get_mut(worker) {
        running.hangs = false;
    }
    answers_again(demo, worker);
}

/// The worker is heard again: what still runs there is adopted.
pub fn answers_again(demo: &Demo, worker: WorkerId) {
    let held: Vec<_> = demo
        .machines
        .borrow_mut()
        .answering(worker)
        .map(|running| running.nets.values().map(|net| net.describe()).collect())
        .unwrap_or_default();
    _ = demo.transact(Actor::System, |draft| {
        let row = draft.worker(worker)?;
        if !matches!(row.status, WorkerStatus::Error(_)) || row.operation.is_some() {
            return Ok(());
        }
        draft.set_worker_status(worker, WorkerStatus::Ready, None)?;
        for net in held {
            if draft.net(net.id).is_ok_and(|row| row.load_id == Some(net.load_id)) {
                draft.edit_net(net.id, NetCause::LoadState, |row| {
                    row.load_state = LoadState::Loaded;
                    (row.load_error, row.run_state) = (None, net.run_state);
                })?;
            }
        }
        Ok::<_, Gone>(())
    });
}

/// It does not answer, although its machine is there.
pub fn unreachable(demo: &Demo, worker: WorkerId) {
    let why = "It has been silent for 5 s and does not answer; the provider says that its machine runs";
    ends_in(demo, worker, ErrorDetail::Unreachable, why);
}

fn ends_in(demo: &Demo, worker: WorkerId, detail: ErrorDetail, why: &str) {
    demo.transact(Actor::System, |draft| {
        _ = draft.edit_worker(worker, WorkerCause::Status, |row| {
            if row.is_ready() {
                row.status = WorkerStatus::Error(detail);
                row.status_reason = Some(why.to_owned());
                row.operation = None;
            }
        });
        Ok::<_, Infallible>(())
    })
    .unwrap_or_else(|never| match never {});
}
