//! Deletions wait for ten seconds and can be undone meanwhile, as on the real server.

use super::{
    actions::{done_net, done_worker, fresh, operation, permitted_net, permitted_worker},
    fleet::Demo,
};
use crate::{
    app::error::{ApiError, Current},
    model::{
        Done, Gone, NetAction, NetCause, NetId, Operation, OperationId, Waiting, WorkerAction, WorkerCause,
        WorkerId,
        lifecycle::{NetWord, UNDO_FOR},
    },
};
use gloo_timers::future::TimeoutFuture;

/// Deletes a worker, or undoes that.
pub fn worker(
    demo: &Demo,
    id: WorkerId,
    action: WorkerAction,
    if_match: Option<u64>,
) -> Result<Done, ApiError> {
    let mut waits = operation(demo, action);
    let operation_id = waits.id;
    let done = demo.transact(demo.operator(), |draft| {
        let row = draft.worker(id)?.clone();
        let current = || Current::Worker(row.clone());
        fresh(if_match, row.state_revision, &row.name, row.status.to_string(), current)?;
        permitted_worker(&row, action)?;
        if action == WorkerAction::UndoDelete {
            draft.edit_worker(id, WorkerCause::Operation, |row| {
                row.operation = row.operation.take().and_then(|operation| operation.waiting?.gives_up);
            })?;
            return done_worker(draft, id, format!("The deletion of {} was undone.", row.name));
        }
        wait(&mut waits, row.operation.clone());
        draft.begin_worker(id, waits)?;
        done_worker(draft, id, format!("Deleting {} in 10 s. Until then it can be undone.", row.name))
    })?;
    if action == WorkerAction::Delete {
        let demo = demo.clone();
        later(move || {
            let current = demo.fleet().worker(id).and_then(|row| row.operation.as_ref().map(|open| open.id));
            if current == Some(operation_id) {
                _ = demo.transact(demo.operator(), |draft| draft.delete_worker(id));
                demo.machines.borrow_mut().kill(id);
            }
        });
    }
    Ok(done)
}

/// Deletes a net, or undoes that.
pub fn net(demo: &Demo, id: NetId, action: NetAction, if_match: Option<u64>) -> Result<Done, ApiError> {
    let mut waits = operation(demo, action);
    let operation_id = waits.id;
    let done = demo.transact(demo.operator(), |draft| {
        let row = draft.net(id)?.clone();
        let current = || Current::Net(row.clone());
        fresh(if_match, row.state_revision, &row.name, NetWord(&row).to_string(), current)?;
        permitted_net(draft, &row, action)?;
        if action == NetAction::UndoDelete {
            draft.edit_net(id, NetCause::Operation, |row| row.operation = None)?;
            return done_net(draft, id, format!("The deletion of {} was undone.", row.name));
        }
        wait(&mut waits, None);
        draft.begin_net(id, waits)?;
        done_net(draft, id, format!("Deleting {} in 10 s. Until then it can be undone.", row.name))
    })?;
    if action == NetAction::Delete {
        let demo = demo.clone();
        later(move || {
            let current = demo.fleet().net(id).and_then(|row| row.operation.as_ref().map(|open| open.id));
            if current == Some::<OperationId>(operation_id) {
                _ = demo.transact::<_, Gone>(demo.operator(), |draft| draft.delete_net(id));
            }
        });
    }
    Ok(done)
}

fn wait<A>(operation: &mut Operation<A>, gives_up: Option<Operation<A>>) {
    let until = operation.since.plus(UNDO_FOR);
    operation.waiting = Some(Box::new(Waiting { until, gives_up }));
}

fn later(act: impl FnOnce() + 'static) {
    wasm_bindgen_futures::spawn_local(async move {
        TimeoutFuture::new(UNDO_FOR.as_millis() as u32).await;
        act();
    });
}
