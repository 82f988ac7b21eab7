//! What can be done to labs. The worker does it; the row and its history say so afterwards.
//!
//! Whoever speaks with a worker about its labs has the turn to ([`Desk::turn`](crate::server::labs::Desk::turn)) from the question to the
//! row, so that no row is written from an older word than the one before it.
//!
//! What lives here: making one (`create`), starting to deleting (`act`), asking workers for theirs (`sync`), and what those share.

mod act;
mod create;
mod sync;

pub use act::act;
pub use create::create;
pub use sync::{refresh, set_sync};

use super::outcome::gone_for;
use crate::{
    app::error::{ApiError, Current},
    model::{
        DefinitionHash, Done, Draft, EntityRef, Event, Lab, LabAction, LabEntry, LabId, LabState, Machine,
        Name, Refusal, Role, Severity, Worker, lifecycle::Verb,
    },
    server::{
        App, api::error::internal, auth::Who, labs::NOT_THERE, storage::definitions, workers::CallError,
    },
};
use std::sync::Arc;

async fn text_of(app: &App, definition: DefinitionHash) -> Result<String, ApiError> {
    let pnml = definitions::get(app.store().pool(), definition).await.map_err(|error| internal(&error))?;
    let pnml = pnml.ok_or_else(|| internal(&format!("definition {definition} is missing")))?;
    String::from_utf8(pnml).map_err(|_| ApiError::BadRequest {
        detail: "This version of the net cannot be read: its file is not UTF-8.".to_owned(),
    })
}

/// A lab that `who` sees and may act on.
fn their_lab(draft: &Draft, who: &Who, id: LabId) -> Result<Arc<Lab>, ApiError> {
    let lab = draft.lab(id).map_err(|_| gone_for(who, draft.before(), EntityRef::Lab(id), draft.now()))?;
    if !who.scope.sees_project(lab.project_id) {
        return Err(ApiError::Gone { what: "lab".to_owned() });
    }
    who.need_in(lab.project_id, Role::Operator)?;
    Ok(lab.clone())
}

fn machine_of(worker: &Worker) -> Result<Machine, ApiError> {
    let missing = || internal(&format!("the ready worker {} has no machine", worker.name));
    worker.machine.clone().ok_or_else(missing)
}

fn refused(draft: &Draft, refusal: &Refusal, worker: Option<&Arc<Worker>>) -> ApiError {
    let current = match refusal {
        Refusal::NetWorker { .. } => worker.cloned().map(Current::Worker),
        _ => None,
    };
    ApiError::refused(refusal, draft.now(), None, current)
}

fn entry(draft: &Draft, action: LabAction, text: String) -> LabEntry {
    LabEntry { at: draft.now(), actor: draft.actor().clone(), action: Some(action), text }
}

/// A sentence as part of another.
fn bare(sentence: &str) -> &str {
    sentence.trim_end_matches('.')
}

/// Writes down that it failed; and that the lab is lost, if that is why.
fn write_failure(draft: &mut Draft, id: LabId, action: LabAction, why: &str, not_there: bool) {
    let Ok(lab) = draft.lab(id) else { return };
    let mut lab = Lab::clone(lab);
    if not_there && !lab.state.is_over() {
        (lab.state, lab.error, lab.incarnation) = (LabState::Lost, Some(NOT_THERE.to_owned()), None);
        lab.synced_at = draft.now();
    }
    lab.remember(entry(draft, action, format!("Could not {}: {}", action.verb(), bare(why))));
    // It was there a line ago.
    let _ = draft.put_lab(lab);
}

fn log_failure(draft: &mut Draft, net: crate::model::NetId, worker: &Worker, text: String) {
    let project = draft.net(net).ok().map(|net| net.project_id);
    let (cluster, worker) = (worker.cluster_id, worker.id);
    draft.log(Severity::Error, "error.reported", text, |event: &mut Event| {
        (event.project_id, event.net_id) = (project, Some(net));
        (event.cluster_id, event.worker_id) = (Some(cluster), Some(worker));
    });
}

fn done(draft: &Draft, id: LabId, message: String) -> Result<Done, ApiError> {
    Ok(Done { message, lab: Some(draft.lab(id)?.clone()), ..Done::default() })
}

/// What is said of a call that failed, and the answer to whoever asked. A worker that could not be heard is checked first.
async fn failed(
    app: &App,
    worker: &Worker,
    action: LabAction,
    name: &Name,
    error: &CallError,
) -> (String, impl FnOnce(&Draft) -> ApiError + Send + 'static) {
    let why = error.to_string();
    if error.is_workers_fault() {
        tracing::warn!(%error, worker = %worker.name, "a worker could not be spoken to about a lab");
        if let Err(error) = app.supervisor().refresh(worker.id).await {
            tracing::warn!(%error, worker = %worker.name, "the worker could not be checked");
        }
    }
    let detail = format!("Could not {} lab {name}: {}.", action.verb(), bare(&why));
    let refusal = match error {
        CallError::Refused { status, .. } => Some(*status),
        _ => None,
    };
    let id = worker.id;
    let answer = move |draft: &Draft| match refusal {
        Some(404 | 409) => ApiError::Refused { detail, code: "worker_refused".to_owned(), current: None },
        Some(400 | 413 | 422) => ApiError::BadRequest { detail },
        _ => {
            let row = draft.worker(id).ok().cloned();
            let now = match &row {
                Some(row) => format!(" Worker {} is now {}.", row.name, row.status),
                None => " The worker no longer exists.".to_owned(),
            };
            let detail = format!("{detail}{now}");
            ApiError::WorkerUnavailable { detail, current: row.map(Current::Worker) }
        }
    };
    (why, answer)
}
