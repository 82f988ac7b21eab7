//! What can be done to a worker.

use super::{
    delete,
    outcome::{begin, end, fresh_worker, gone, log_worker_failure, operation, permitted_worker, run},
};
use crate::{
    app::error::{ApiError, Current},
    model::{
        Actor, Done, Draft, EntityRef, ErrorDetail, Machine, OperationId, Worker, WorkerAction, WorkerCause,
        WorkerId, WorkerStatus,
        lifecycle::{self, Verb, initial},
    },
    server::{App, auth::Who, providers::ProviderError, storage::idempotency::Key, supervise::Checked},
};
use std::{sync::Arc, time::Duration};

/// How long each action may take until its outcome counts as unknown.
fn deadline(action: WorkerAction) -> Duration {
    match action {
        WorkerAction::Provision | WorkerAction::Start => Duration::from_secs(60),
        WorkerAction::Stop | WorkerAction::Destroy => Duration::from_secs(30),
        WorkerAction::Delete | WorkerAction::UndoDelete => delete::DEADLINE,
        WorkerAction::Refresh => Duration::from_secs(15),
    }
}

pub async fn act(
    app: &App,
    who: &Who,
    id: WorkerId,
    action: WorkerAction,
    if_match: Option<u64>,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    if matches!(action, WorkerAction::Delete | WorkerAction::UndoDelete) {
        return delete::worker(app, who, id, action, if_match, key).await;
    }
    let operation = operation(action, who.actor(), deadline(action));
    let operation_id = operation.id;
    let begun = begin(app, who, key.clone(), move |draft| {
        let worker =
            draft.worker(id).map_err(|_| gone(draft.before(), EntityRef::Worker(id), draft.now()))?;
        let worker = worker.clone();
        fresh_worker(draft, &worker, if_match)?;
        permitted_worker(draft, &worker, action)?;
        match action {
            WorkerAction::Provision => draft.edit_worker(id, WorkerCause::Status, |worker| {
                worker.status = WorkerStatus::Provisioning;
                worker.status_reason = None;
                worker.operation = Some(operation);
            })?,
            _ => draft.begin_worker(id, operation)?,
        }
        Ok(draft.worker(id)?.clone())
    });
    let worker = match begun.await? {
        Ok(worker) => worker,
        Err(first_answer) => return Ok(first_answer),
    };
    let doing = format!("{} {}", lifecycle::doing_to(action), worker.name);
    let effect = effect(app.clone(), who.actor(), worker, action, operation_id, key);
    run(app, doing, effect).await
}

async fn effect(
    app: App,
    actor: Actor,
    worker: Arc<Worker>,
    action: WorkerAction,
    operation: OperationId,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    match action {
        WorkerAction::Provision => {
            let made = app.providers().provision(&worker).await;
            machine_made(app, actor, worker, action, operation, key, made).await
        }
        WorkerAction::Start => {
            let made = app.providers().start(&worker).await;
            machine_made(app, actor, worker, action, operation, key, made).await
        }
        WorkerAction::Stop => {
            let stopped = app.providers().stop(&worker).await;
            machine_ended(app, actor, worker, action, operation, key, stopped).await
        }
        WorkerAction::Destroy | WorkerAction::Delete | WorkerAction::UndoDelete => {
            let destroyed = match has_machine(&worker) {
                true => app.providers().destroy(&worker).await,
                false => Ok(()),
            };
            machine_ended(app, actor, worker, action, operation, key, destroyed).await
        }
        WorkerAction::Refresh => refreshed(app, actor, worker, operation, key).await,
    }
}

/// Ends the machine and then the record, as the operation that has been recorded says.
pub async fn delete(
    app: App,
    actor: Actor,
    worker: Arc<Worker>,
    operation: OperationId,
) -> Result<Done, ApiError> {
    effect(app, actor, worker, WorkerAction::Delete, operation, None).await
}

/// Whether there may be something to destroy. A machine half made has no record of its own yet.
fn has_machine(worker: &Worker) -> bool {
    worker.machine.is_some() || worker.status != WorkerStatus::Pending
}

async fn machine_made(
    app: App,
    actor: Actor,
    worker: Arc<Worker>,
    action: WorkerAction,
    operation: OperationId,
    key: Option<Key>,
    made: Result<Machine, ProviderError>,
) -> Result<Done, ApiError> {
    let id = worker.id;
    let machine = made.as_ref().ok().cloned();
    let outcome = end(&app, actor, key, move |draft| {
        let worker = current(draft, id, operation, action)?;
        match made {
            Ok(machine) => {
                let last = draft.worker_was(action);
                draft.end_worker(id, operation, WorkerCause::Status, |worker| {
                    worker.status = WorkerStatus::Ready;
                    worker.status_reason = None;
                    worker.machine = Some(machine);
                    worker.last_action = last;
                })?;
                done(draft, id, format!("{} {}; it is ready.", initial(action.done()), worker.name))
            }
            Err(error) => {
                let detail = match action {
                    WorkerAction::Start => ErrorDetail::MachineStopped,
                    _ => ErrorDetail::ProvisionFailed,
                };
                let reason = error.to_string();
                draft.end_worker(id, operation, WorkerCause::Status, |worker| {
                    worker.status = WorkerStatus::Error(detail);
                    worker.status_reason = Some(reason);
                })?;
                failed(draft, id, action, &error.to_string())
            }
        }
    })
    .await;
    // Given up meanwhile: nobody knows of this machine any more, so it must not stay.
    if let Some(machine) = machine
        && app.store().fleet().worker(id).is_none_or(|now| now.machine.as_ref() != Some(&machine))
    {
        let orphan = Worker { machine: Some(machine), ..Worker::clone(&worker) };
        if let Err(error) = app.providers().destroy(&orphan).await {
            tracing::error!(%error, worker = %worker.name, "a machine that nobody wants any more could not be destroyed");
        }
    }
    outcome
}

async fn machine_ended(
    app: App,
    actor: Actor,
    worker: Arc<Worker>,
    action: WorkerAction,
    operation: OperationId,
    key: Option<Key>,
    ended: Result<(), ProviderError>,
) -> Result<Done, ApiError> {
    let id = worker.id;
    let is_ended = ended.is_ok();
    let outcome = end(&app, actor, key, move |draft| {
        let worker = current(draft, id, operation, action)?;
        if let Err(error) = ended {
            draft.end_worker(id, operation, WorkerCause::Operation, |_| {})?;
            log_worker_failure(draft, &worker, action, &error.to_string());
            return failed(draft, id, action, &error.to_string());
        }
        let last = draft.worker_was(action);
        match action {
            WorkerAction::Stop => {
                draft.end_worker(id, operation, WorkerCause::Status, |worker| {
                    worker.status = WorkerStatus::Stopped;
                    worker.status_reason = None;
                    worker.last_action = last;
                })?;
                done(draft, id, format!("Stopped {}.", worker.name))
            }
            WorkerAction::Delete => {
                draft.delete_worker(id)?;
                Ok(Done { message: format!("Deleted worker {}.", worker.name), ..Done::default() })
            }
            _ => {
                draft.end_worker(id, operation, WorkerCause::Terminated, |worker| {
                    worker.status = WorkerStatus::Pending;
                    worker.status_reason = None;
                    worker.last_action = last;
                })?;
                done(draft, id, format!("Destroyed the machine of {}.", worker.name))
            }
        }
    })
    .await;
    if !is_ended {
        // It failed halfway: what is true now is looked up at once, not at the next round.
        if let Err(error) = app.supervisor().refresh(id).await {
            tracing::warn!(%error, worker = %id, "a worker could not be checked after an action failed");
        }
    }
    outcome
}

async fn refreshed(
    app: App,
    actor: Actor,
    worker: Arc<Worker>,
    operation: OperationId,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    let id = worker.id;
    let checked = app.supervisor().refresh(id).await;
    end(&app, actor, key, move |draft| {
        draft.end_worker(id, operation, WorkerCause::Operation, |_| {})?;
        let worker = draft.worker(id)?.clone();
        match checked {
            Ok(Checked::NoAnswer { why }) => done(
                draft,
                id,
                format!("Checked {}: it is {}. {}", worker.name, worker.status, initial(&why)),
            ),
            Ok(Checked::Answered | Checked::Changed) => {
                done(draft, id, format!("Checked {}: it is {}.", worker.name, worker.status))
            }
            Err(error) => failed(draft, id, WorkerAction::Refresh, &error.to_string()),
        }
    })
    .await
}

/// The worker, if `operation` is still what happens to it.
fn current(
    draft: &Draft,
    id: WorkerId,
    operation: OperationId,
    action: WorkerAction,
) -> Result<Arc<Worker>, ApiError> {
    let worker = draft.worker(id)?.clone();
    if worker.operation.as_ref().is_some_and(|current| current.carries(operation)) {
        return Ok(worker);
    }
    Err(ApiError::Refused {
        detail: format!(
            "Could not {} {}: it was given up meanwhile. {}",
            action.verb(),
            worker.name,
            lifecycle::worker_changed(&worker)
        ),
        code: "superseded".to_owned(),
        current: Some(Current::Worker(worker)),
    })
}

fn done(draft: &Draft, id: WorkerId, message: String) -> Result<Done, ApiError> {
    Ok(Done { message, worker: Some(draft.worker(id)?.clone()), ..Done::default() })
}

/// What is known of a worker after an action on it failed, and what can be done.
fn failed(draft: &Draft, id: WorkerId, action: WorkerAction, why: &str) -> Result<Done, ApiError> {
    let worker = draft.worker(id)?.clone();
    let then = match lifecycle::remedy(&worker) {
        Some(remedy) if matches!(worker.status, WorkerStatus::Error(_)) => {
            format!("{} it, or delete it.", remedy.label())
        }
        _ => "The worker may no longer be available.".to_owned(),
    };
    let detail = format!(
        "Could not {} {}: {why} Its record now says {}. {then}",
        action.verb(),
        worker.name,
        worker.status
    );
    Err(ApiError::WorkerUnavailable { detail, current: Some(Current::Worker(worker)) })
}
