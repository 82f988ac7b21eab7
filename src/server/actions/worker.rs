//! What can be done to a worker.

use super::outcome::{begin, end, fresh_worker, log_worker_failure, operation, run};
use crate::{
    app::error::{ApiError, Current},
    model::{
        Actor, Done, Draft, ErrorDetail, Machine, OperationId, Refusal, Worker, WorkerAction, WorkerCause,
        WorkerId, WorkerStatus,
        lifecycle::{self, Verb},
    },
    server::{App, auth::Who, providers::ProviderError, storage::idempotency::Key},
};
use std::{sync::Arc, time::Duration};

/// How long each action may take until its outcome counts as unknown.
fn deadline(action: WorkerAction) -> Duration {
    match action {
        WorkerAction::Provision | WorkerAction::Start => Duration::from_secs(60),
        WorkerAction::Stop | WorkerAction::Destroy | WorkerAction::Delete => Duration::from_secs(30),
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
    let operation = operation(action, who.actor(), deadline(action));
    let operation_id = operation.id;
    let begun = begin(app, who, key.clone(), move |draft| {
        let worker = draft.worker(id)?.clone();
        fresh_worker(&worker, if_match)?;
        lifecycle::worker_action(&worker, action).map_err(|refusal| refused(&refusal, &worker))?;
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
    let doing = format!("{} {}", action.doing(), worker.name);
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
        WorkerAction::Destroy | WorkerAction::Delete => {
            let destroyed = match has_machine(&worker) {
                true => app.providers().destroy(&worker).await,
                false => Ok(()),
            };
            machine_ended(app, actor, worker, action, operation, key, destroyed).await
        }
        WorkerAction::Refresh => refreshed(app, actor, worker, operation, key).await,
    }
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
                draft.edit_worker(id, WorkerCause::Status, |worker| {
                    worker.status = WorkerStatus::Ready;
                    worker.status_reason = None;
                    worker.machine = Some(machine);
                    worker.operation = None;
                })?;
                done(draft, id, format!("Worker {} is ready.", worker.name))
            }
            Err(error) => {
                let detail = match action {
                    WorkerAction::Start => ErrorDetail::MachineStopped,
                    _ => ErrorDetail::ProvisionFailed,
                };
                draft.set_worker_status(id, WorkerStatus::Error(detail), Some(error.to_string()))?;
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
    end(&app, actor, key, move |draft| {
        let worker = current(draft, id, operation, action)?;
        if let Err(error) = ended {
            draft.edit_worker(id, WorkerCause::Operation, |worker| worker.operation = None)?;
            log_worker_failure(draft, &worker, action, &error.to_string());
            return failed(draft, id, action, &error.to_string());
        }
        match action {
            WorkerAction::Stop => {
                draft.set_worker_status(id, WorkerStatus::Stopped, None)?;
                done(draft, id, format!("Worker {} is stopped.", worker.name))
            }
            WorkerAction::Delete => {
                draft.delete_worker(id)?;
                Ok(Done { message: format!("Worker {} was deleted.", worker.name), worker: None, net: None })
            }
            _ => {
                draft.edit_worker(id, WorkerCause::Terminated, |worker| {
                    worker.status = WorkerStatus::Pending;
                    worker.status_reason = None;
                    worker.operation = None;
                })?;
                done(draft, id, format!("The machine of worker {} was destroyed.", worker.name))
            }
        }
    })
    .await
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
        draft.worker(id)?;
        draft.edit_worker(id, WorkerCause::Operation, |worker| {
            if worker.operation.as_ref().is_some_and(|current| current.id == operation) {
                worker.operation = None;
            }
        })?;
        let worker = draft.worker(id)?.clone();
        match checked {
            Ok(_) => done(draft, id, format!("Checked: worker {} is {}.", worker.name, worker.status)),
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
    if worker.operation.as_ref().is_some_and(|current| current.id == operation) {
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
    Ok(Done { message, worker: Some(draft.worker(id)?.clone()), net: None })
}

fn failed(draft: &Draft, id: WorkerId, action: WorkerAction, why: &str) -> Result<Done, ApiError> {
    let worker = draft.worker(id)?.clone();
    let detail =
        format!("Could not {} {}: {why} Its record now says {}.", action.verb(), worker.name, worker.status);
    Err(ApiError::WorkerUnavailable { detail, current: Some(Current::Worker(worker)) })
}

fn refused(refusal: &Refusal, worker: &Arc<Worker>) -> ApiError {
    ApiError::refused(refusal, Some(Current::Worker(worker.clone())))
}
