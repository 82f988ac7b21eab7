//! Operations whose outcome nobody knows: those found open at start-up, and those past their deadline. Each is ended here, what is true
//! is looked up, and the event log says both.

use super::{
    check::{CheckError, Look, Tools, Verdict},
    reconcile::Sight,
};
use crate::{
    model::{
        Actor, Category, Draft, Event, Fleet, Gone, NetAction, NetCause, NetId, Operation, OperationId,
        Severity, Timestamp, WorkerAction, WorkerCause, WorkerId, WorkerStatus,
        lifecycle::{NetWord, Verb, doing_to},
    },
    server::{
        providers::{MachineState, ProviderError},
        storage::TransactError,
    },
};
use std::{collections::BTreeMap, time::Duration};

/// An operation to end, because nobody will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Worker { worker: WorkerId, operation: OperationId, action: WorkerAction },
    Net { net: NetId, operation: OperationId, action: NetAction },
}

impl Ended {
    pub fn operation(&self) -> OperationId {
        match self {
            Ended::Worker { operation, .. } | Ended::Net { operation, .. } => *operation,
        }
    }
}

/// Open operations by the worker they are settled with; `None` holds those of nets that are on no worker.
pub type Open = BTreeMap<Option<WorkerId>, Vec<Ended>>;

/// Every open operation that `is_over` holds for.
pub fn open_operations(fleet: &Fleet, is_over: impl Fn(Timestamp) -> bool) -> Open {
    let mut open = Open::new();
    for worker in fleet.workers() {
        if let Some(operation) = in_flight(&worker.operation).filter(|open| is_over(open.deadline)) {
            let (operation, action) = (operation.id, operation.action);
            let ended = Ended::Worker { worker: worker.id, operation, action };
            open.entry(Some(worker.id)).or_default().push(ended);
        }
    }
    for net in fleet.nets() {
        if let Some(operation) = in_flight(&net.operation).filter(|open| is_over(open.deadline)) {
            let ended = Ended::Net { net: net.id, operation: operation.id, action: operation.action };
            open.entry(net.worker_id).or_default().push(ended);
        }
    }
    open
}

/// What is under way: of a deletion that waits, what goes on beneath it. The deletion itself has not begun, and cannot be late.
fn in_flight<A>(operation: &Option<Operation<A>>) -> Option<&Operation<A>> {
    let operation = operation.as_ref()?;
    if operation.is_waiting() { operation.given_up() } else { Some(operation) }
}

/// What a console that died left open: every open operation, and every worker whose machine nobody makes any more.
pub fn left_open(fleet: &Fleet) -> Open {
    let mut open = open_operations(fleet, |_| true);
    // A deletion that had begun is taken up again instead (`actions::carry_out_deletions`).
    for ended in open.values_mut() {
        ended.retain(|ended| {
            !matches!(
                ended,
                Ended::Worker { action: WorkerAction::Delete, .. }
                    | Ended::Net { action: NetAction::Delete, .. }
            )
        });
    }
    open.retain(|_, ended| !ended.is_empty());
    for worker in fleet.workers().filter(|worker| worker.status == WorkerStatus::Provisioning) {
        open.entry(Some(worker.id)).or_default();
    }
    open
}

/// Ends the operations of one worker and of its nets, and finds out what is true.
pub(super) async fn settle(
    tools: &Tools,
    worker: Option<WorkerId>,
    ended: Vec<Ended>,
    within: Duration,
) -> Result<(), CheckError> {
    let Some(id) = worker else { return end_blindly(tools, ended).await };
    let row = tools.store.fleet().worker(id).cloned().ok_or(CheckError::Gone)?;
    let makes = |ended: &Ended| {
        matches!(ended, Ended::Worker { action: WorkerAction::Provision | WorkerAction::Start, .. })
    };
    let half_made = row.status == WorkerStatus::Provisioning || ended.iter().any(makes);

    let look = match tools.look(&row, within).await {
        Ok(look) => look,
        // A provider that is not there made nothing either.
        Err(ProviderError::Unavailable(provider)) => Look {
            asked: row.machine.clone(),
            sight: Sight::Silence {
                state: MachineState::Gone,
                why: format!("the provider {} is not available", provider.as_str()),
            },
        },
        Err(error) => {
            // What is true cannot be said now. That nobody knows how it ended can, and the row is free again; the next check goes on.
            end_blindly(tools, ended).await?;
            return Err(CheckError::Provider(error));
        }
    };
    if half_made && matches!(look.sight, Sight::Silence { .. }) {
        // Whatever there is of a machine is of no use.
        let tidied = match row.status {
            WorkerStatus::Provisioning => tools.providers.destroy(&row).await,
            _ => tools.providers.stop(&row).await,
        };
        if let Err(error) = tidied {
            tracing::warn!(worker = %id, %error, "a half-made machine was left behind");
        }
    }
    let machine = match &look.sight {
        Sight::Answer { machine, .. } => Some(machine.clone()),
        Sight::Silence { .. } => None,
    };
    let verdict = tools.write(id, look, ended).await.map_err(CheckError::Storage)?;
    if let (Verdict::Written(strays), Some(machine)) = (verdict, machine) {
        tools.unload(id, &machine, &strays).await;
    }
    Ok(())
}

/// Ends operations without having looked at any worker.
async fn end_blindly(tools: &Tools, ended: Vec<Ended>) -> Result<(), CheckError> {
    let ended = tools.store.transact(Actor::System, move |draft| {
        let mut unknown = Vec::new();
        for ended in ended {
            if end_one(draft, ended)? {
                unknown.push(ended);
            }
        }
        tell(draft, &unknown);
        Ok::<_, Gone>(())
    });
    match ended.await {
        Ok(()) | Err(TransactError::Refused(_)) => Ok(()),
        Err(TransactError::Storage(error)) => Err(CheckError::Storage(error)),
    }
}

/// Ends operations that are still current, in the transaction that then writes what was seen. Where what was seen is what the operator
/// wanted, that is what happened. Returns those it ended.
pub(super) fn end(draft: &mut Draft, ended: &[Ended], sight: &mut Sight) -> Result<Vec<Ended>, Gone> {
    let mut unknown = Vec::new();
    for &ended in ended {
        if !end_one(draft, ended)? {
            continue;
        }
        unknown.push(ended);
        match (ended, &mut *sight) {
            // The row is new only because its operation was ended here; the look was taken after that was due.
            (Ended::Net { net, .. }, Sight::Answer { picture, .. }) => {
                picture.heard.insert(net, draft.now());
            }
            (
                Ended::Worker { worker, action, .. },
                Sight::Silence { state: MachineState::Stopped | MachineState::Gone, .. },
            ) => happened(draft, worker, action)?,
            _ => {}
        }
    }
    Ok(unknown)
}

/// There is no machine running, and that is what stopping and destroying are for.
fn happened(draft: &mut Draft, worker: WorkerId, action: WorkerAction) -> Result<(), Gone> {
    let row = draft.worker(worker)?;
    match action {
        WorkerAction::Stop if row.is_ready() && row.category == Category::Persistent => {
            draft.edit_worker(worker, WorkerCause::Status, |row| {
                row.status = WorkerStatus::Stopped;
                row.status_reason = None;
            })
        }
        WorkerAction::Destroy => draft.edit_worker(worker, WorkerCause::Terminated, |row| {
            row.status = WorkerStatus::Pending;
            row.status_reason = None;
        }),
        _ => Ok(()),
    }
}

/// Whether the operation was still current, and is ended now.
fn end_one(draft: &mut Draft, ended: Ended) -> Result<bool, Gone> {
    match ended {
        Ended::Worker { worker, operation, .. } => {
            let open = &draft.worker(worker)?.operation;
            let current = open.as_ref().is_some_and(|now| now.carries(operation));
            if current {
                draft.end_worker(worker, operation, WorkerCause::Operation, |_| {})?;
            }
            Ok(current)
        }
        Ended::Net { net, operation, .. } => {
            let current =
                draft.net(net).is_ok_and(|row| row.operation.as_ref().is_some_and(|now| now.id == operation));
            if current {
                draft.edit_net(net, NetCause::Operation, |row| row.operation = None)?;
            }
            Ok(current)
        }
    }
}

/// Says of each operation that ended without a known outcome what is true now.
pub(super) fn tell(draft: &mut Draft, unknown: &[Ended]) {
    for &ended in unknown {
        match ended {
            Ended::Worker { worker, action, .. } => {
                let Ok(row) = draft.worker(worker).cloned() else { continue };
                let text = outcome_unknown(action, row.name.as_str(), &row.status);
                draft.log(Severity::Warning, "worker.updated", text, |event: &mut Event| {
                    (event.cluster_id, event.worker_id) = (Some(row.cluster_id), Some(row.id));
                });
            }
            Ended::Net { net, action, .. } => {
                let Ok(row) = draft.net(net).cloned() else { continue };
                let text = outcome_unknown(action, row.name.as_str(), &NetWord(&row));
                draft.log(Severity::Warning, "net.updated", text, |event: &mut Event| {
                    (event.project_id, event.net_id) = (Some(row.project_id), Some(row.id));
                    event.worker_id = row.worker_id;
                });
            }
        }
    }
}

fn outcome_unknown(action: impl Verb, name: &str, now: &dyn std::fmt::Display) -> String {
    format!("{} {name}: it is not known how that ended; {name} is now {now}", doing_to(action))
}
