//! Labs in the table: which actions their states permit.

use super::{Refusal, Verb, in_flight, worker_hint};
use crate::model::{Lab, LabAction, LabState, Name, Worker, WorkerAction};

verbs!(LabAction {
    Create: "Make a lab", "Making", "make", "made";
    Start: "Start", "Starting", "start", "started";
    Stop: "Stop", "Stopping", "stop", "stopped";
    Wipe: "Wipe", "Wiping", "wipe", "wiped";
    Delete: "Delete", "Deleting", "delete", "deleted";
});

/// Whether `action` is permitted on `lab`, which lives on `worker`.
pub fn lab_action(lab: &Lab, worker: Option<&Worker>, action: LabAction) -> Result<(), Refusal> {
    let verb = action.verb();
    let refused =
        |hint| Err(Refusal::Lab { verb, name: lab.name.to_string(), state: lab.state.word(), hint });
    // Its record can always go; what is left of it on a worker is removed there when that is heard again.
    if action == LabAction::Delete {
        return Ok(());
    }
    let Some(worker) = worker else { return refused(" Its worker was deleted. Make a new one.") };
    lab_worker(&lab.name, worker, action)?;
    match (action, lab.state) {
        // One that was lost is made anew where it was.
        (LabAction::Start, LabState::Idle | LabState::Lost) => Ok(()),
        (LabAction::Start, LabState::Queued | LabState::Running) => refused(" It works already."),
        (LabAction::Start, LabState::Done) => refused(" Wipe it to do it again."),
        (LabAction::Start, LabState::Failed) => refused(" Wipe it first."),
        (LabAction::Stop, LabState::Queued | LabState::Running) => Ok(()),
        (LabAction::Stop, _) => refused(" It does not run."),
        (LabAction::Wipe, LabState::Idle | LabState::Done | LabState::Failed) => Ok(()),
        (LabAction::Wipe, LabState::Queued | LabState::Running) => refused(" Stop it first."),
        (LabAction::Wipe, LabState::Lost) => {
            refused(" There is nothing left to wipe. Start it to make it anew.")
        }
        (LabAction::Create, _) => refused(" It is there already."),
        (LabAction::Delete, _) => Ok(()),
    }
}

/// Whether a lab of this name can be spoken to on `worker`, or made there.
pub fn lab_worker(name: &Name, worker: &Worker, action: LabAction) -> Result<(), Refusal> {
    if let (LabAction::Create, Some(operation)) = (action, &worker.operation)
        && operation.action == WorkerAction::Delete
    {
        return Err(in_flight(action.verb(), name.as_str(), worker.name.as_str(), operation));
    }
    match worker.is_ready() {
        true => Ok(()),
        false => Err(Refusal::NetWorker {
            verb: action.verb(),
            name: name.to_string(),
            worker: worker.name.to_string(),
            status: worker.status,
            hint: worker_hint(worker.status),
        }),
    }
}
