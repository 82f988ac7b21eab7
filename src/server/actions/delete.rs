//! Deletions, which can be undone for a while.
//!
//! Deleting records an operation that waits; undoing takes it away. What comes after the wait is done here by the console, whoever has
//! closed which tab meanwhile, and by the next console if this one ends first: the record says when.

use super::{
    outcome::{
        fresh_net, fresh_worker, gone, log_net_done, log_worker_done, once, permitted_net, permitted_worker,
    },
    worker,
};
use crate::{
    app::error::ApiError,
    model::{
        Actor, Done, Draft, EntityRef, Fleet, Net, NetAction, NetCause, NetId, Operation, OperationId,
        Timestamp, Waiting, WorkerAction, WorkerCause, WorkerId, WorkerStatus,
        event::with_labs,
        lifecycle::{UNDO_FOR, Verb},
        time::age,
    },
    server::{
        App,
        auth::Who,
        clock::now,
        storage::{StorageError, TransactError, audit, idempotency::Key},
    },
};
use futures::FutureExt;
use std::{collections::HashSet, future::Future, sync::Arc, time::Duration};
use tokio::time::sleep;
use uuid::Uuid;

/// How long it may take once it has begun, until its outcome counts as unknown.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// How often it is looked for new ones. They are due in ten seconds at the earliest: looking at every change of a large fleet would cost
/// more and gain nothing.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Before another try when the database does not take it.
const TRY_AGAIN: Duration = Duration::from_secs(1);

fn waiting<A>(draft: &Draft, action: A, gives_up: Option<Operation<A>>) -> Operation<A> {
    let until = draft.now().plus(UNDO_FOR);
    Operation {
        id: OperationId(Uuid::now_v7()),
        action,
        actor: draft.actor().clone(),
        since: draft.now(),
        deadline: until.plus(DEADLINE),
        waiting: Some(Box::new(Waiting { until, gives_up })),
    }
}

/// `with`: what else goes, with a space before it.
fn begins(name: &str, with: &str) -> String {
    let with = if with.is_empty() { String::new() } else { format!(",{with}") };
    format!("Deleting {name} in {}{with}. Until then it can be undone.", age(UNDO_FOR))
}

/// Deletes a worker, or undoes that.
pub async fn worker(
    app: &App,
    who: &Who,
    id: WorkerId,
    action: WorkerAction,
    if_match: Option<u64>,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    once(app, who, key, move |draft| {
        let row = draft.worker(id).map_err(|_| gone(draft.before(), EntityRef::Worker(id), draft.now()))?;
        let row = row.clone();
        fresh_worker(draft, &row, if_match)?;
        permitted_worker(draft, &row, action)?;
        let message = match action {
            WorkerAction::UndoDelete => {
                let last = draft.worker_was(action);
                draft.edit_worker(id, WorkerCause::Operation, |row| {
                    let given_up = row.operation.take().and_then(|operation| operation.waiting?.gives_up);
                    // Whatever it was may have come to an end by another way.
                    row.operation = given_up.filter(|_| row.status == WorkerStatus::Provisioning);
                    row.last_action = last;
                })?;
                log_worker_done(draft, &row, format!("The deletion of worker {} was undone", row.name));
                format!("The deletion of {} was undone.", row.name)
            }
            _ => {
                let operation = waiting(draft, action, row.operation.clone());
                draft.begin_worker(id, operation)?;
                let text = format!("Worker {} is to be deleted in {}", row.name, age(UNDO_FOR));
                log_worker_done(draft, &row, text);
                begins(row.name.as_str(), "")
            }
        };
        let done = Done { message, worker: draft.worker(id).ok().cloned(), ..Done::default() };
        Ok((done, Vec::new()))
    })
    .await
}

/// Deletes a net that `net` has found to be there and to be the caller's to see, or undoes that.
pub fn net(
    draft: &mut Draft,
    net: &Arc<Net>,
    action: NetAction,
    if_match: Option<u64>,
) -> Result<Done, ApiError> {
    let id = net.id;
    fresh_net(draft, net, if_match)?;
    permitted_net(draft, net, action)?;
    let message = match action {
        NetAction::UndoDelete => {
            let last = draft.net_was(action);
            draft.edit_net(id, NetCause::Operation, |row| {
                row.operation = None;
                row.last_action = last;
            })?;
            log_net_done(draft, net, format!("The deletion of net {} was undone", net.name));
            format!("The deletion of {} was undone.", net.name)
        }
        _ => {
            let operation = waiting(draft, action, None);
            draft.begin_net(id, operation)?;
            log_net_done(draft, net, format!("Net {} is to be deleted in {}", net.name, age(UNDO_FOR)));
            begins(net.name.as_str(), &with_labs(draft.labs_of(id).len()))
        }
    };
    Ok(Done { message, net: draft.net(id).ok().cloned(), ..Done::default() })
}

/// A deletion whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Due {
    row: Row,
    operation: OperationId,
    actor: Actor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    Worker(WorkerId),
    Net(NetId),
}

/// The deletions that are due at `at`, and when the next one is. With `resume` also those that have begun: at the start they are nobody's.
fn due(fleet: &Fleet, at: Timestamp, resume: bool) -> (Vec<Due>, Option<Timestamp>) {
    let (mut due, mut next) = (Vec::new(), None::<Timestamp>);
    let mut sort = |row, until: Option<Timestamp>, operation, actor: &Actor| match until {
        Some(until) if until > at => next = Some(next.map_or(until, |next| next.min(until))),
        None if !resume => {}
        _ => due.push(Due { row, operation, actor: actor.clone() }),
    };
    for worker in fleet.workers() {
        if let Some(operation) = worker.operation.as_ref().filter(|op| op.action == WorkerAction::Delete) {
            let until = operation.waiting.as_ref().map(|waiting| waiting.until);
            sort(Row::Worker(worker.id), until, operation.id, &operation.actor);
        }
    }
    for net in fleet.nets() {
        if let Some(operation) = net.operation.as_ref().filter(|op| op.action == NetAction::Delete) {
            let until = operation.waiting.as_ref().map(|waiting| waiting.until);
            sort(Row::Net(net.id), until, operation.id, &operation.actor);
        }
    }
    (due, next)
}

/// Carries out what is due, until the console goes down. What an earlier console had begun is taken up first.
pub async fn run(app: App) {
    let mut rows = app.store().watch();
    rows.mark_changed();
    let mut under_way = HashSet::new();
    let (mut resume, mut next) = (true, None::<Timestamp>);
    loop {
        let is_due = next.is_some_and(|next| next <= now());
        if is_due || rows.has_changed().unwrap_or(false) {
            let fleet = rows.borrow_and_update().fleet.clone();
            let all;
            (all, next) = due(&fleet, now(), std::mem::take(&mut resume));
            under_way.retain(|operation| is_open(&fleet, *operation));
            for one in all {
                if under_way.insert(one.operation) {
                    app.tasks().spawn(carry_out(app.clone(), one));
                }
            }
        }
        let wait = next.map_or(LOOK_EVERY, |next| next.since(now()).min(LOOK_EVERY));
        tokio::select! {
            () = app.shutdown().cancelled() => return,
            () = sleep(wait) => {}
        }
    }
}

fn is_open(fleet: &Fleet, operation: OperationId) -> bool {
    fleet.workers().any(|row| row.operation.as_ref().is_some_and(|open| open.id == operation))
        || fleet.nets().any(|row| row.operation.as_ref().is_some_and(|open| open.id == operation))
}

async fn carry_out(app: App, due: Due) {
    let (target, outcome) = match due.row {
        Row::Worker(id) => (format!("worker {id}"), delete_worker(&app, id, &due).boxed().await),
        Row::Net(id) => (format!("net {id}"), delete_net(&app, id, &due).await),
    };
    let said = match outcome {
        // Undone at the last moment.
        Ok(None) => return,
        Ok(Some(done)) => done.message,
        Err(error) => format!("failed: {error}"),
    };
    let action = WorkerAction::Delete.verb();
    let line = audit::Line { at: now(), actor: due.actor, action, target, outcome: said };
    if let Err(error) = app.store().record(line.clone()).await {
        tracing::error!(%error, ?line, "the audit log could not be written");
    }
}

async fn delete_worker(app: &App, id: WorkerId, due: &Due) -> Result<Option<Done>, ApiError> {
    let operation = due.operation;
    let begun = until_taken(app, || {
        app.store().transact(due.actor.clone(), move |draft| {
            let Some(row) = draft.worker(id).ok().filter(|row| is_current(row.operation.as_ref(), operation))
            else {
                return Ok(None);
            };
            let row = row.clone();
            let deadline = draft.now().plus(DEADLINE);
            draft.edit_worker(id, WorkerCause::Operation, |row| {
                if let Some(operation) = &mut row.operation {
                    (operation.waiting, operation.deadline) = (None, deadline);
                }
            })?;
            Ok::<_, ApiError>(Some(row))
        })
    });
    match begun.await? {
        Some(row) => worker::delete(app.clone(), due.actor.clone(), row, operation).await.map(Some),
        None => Ok(None),
    }
}

async fn delete_net(app: &App, id: NetId, due: &Due) -> Result<Option<Done>, ApiError> {
    let operation = due.operation;
    until_taken(app, || {
        app.store().transact(due.actor.clone(), move |draft| {
            let Some(row) = draft.net(id).ok().filter(|row| is_current(row.operation.as_ref(), operation))
            else {
                return Ok(None);
            };
            let message = format!("Deleted net {}{}.", row.name, with_labs(draft.labs_of(id).len()));
            draft.delete_net(id)?;
            Ok::<_, ApiError>(Some(Done { message, ..Done::default() }))
        })
    })
    .await
}

fn is_current<A>(current: Option<&Operation<A>>, operation: OperationId) -> bool {
    current.is_some_and(|current| current.id == operation)
}

/// Writes until the database takes it: nobody else would. Only the end of the console is a reason to leave it to the next.
async fn until_taken<T, F>(app: &App, write: impl Fn() -> F) -> Result<T, ApiError>
where
    F: Future<Output = Result<T, TransactError<ApiError>>>,
{
    loop {
        match write().await {
            Err(TransactError::Storage(error)) if !matches!(error, StorageError::Closed) => {
                tracing::error!(%error, "a deletion could not be written yet");
                tokio::select! {
                    () = app.shutdown().cancelled() => return Err(TransactError::Storage(error).into()),
                    () = sleep(TRY_AGAIN) => {}
                }
            }
            taken => return taken.map_err(ApiError::from),
        }
    }
}
