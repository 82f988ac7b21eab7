//! What follows from what was seen of a worker: pure rules over its rows (DESIGN.md section 6).
//!
//! A row is never judged by a picture older than itself, and never while an action on it is in flight: that action's outcome decides.

use crate::{
    model::{
        Draft, ErrorDetail, Fleet, Gone, Incarnation, LoadId, LoadState, Machine, Net, NetCause, NetId,
        RunState, Timestamp, Worker, WorkerAction, WorkerCause, WorkerId, WorkerStatus,
    },
    server::providers::MachineState,
    worker::protocol::{Health, HostedNet},
};
use std::{collections::BTreeMap, sync::Arc};

/// A worker as it described itself, and when.
#[derive(Clone, Debug)]
pub struct Picture {
    pub incarnation: Incarnation,
    pub software_version: String,
    pub nets: BTreeMap<NetId, HostedNet>,
    /// Everything in it is at least this new.
    pub as_of: Timestamp,
    /// Nets of which something newer was heard.
    pub heard: BTreeMap<NetId, Timestamp>,
}

impl Picture {
    pub fn new(health: Health, as_of: Timestamp) -> Picture {
        Picture {
            incarnation: health.incarnation,
            software_version: health.version,
            nets: health.nets.into_iter().map(|net| (net.id, net)).collect(),
            as_of,
            heard: BTreeMap::new(),
        }
    }

    /// Whether what the picture says of a net, or that it says nothing of it, is as new as its row.
    fn is_newer_than(&self, net: &Net) -> bool {
        let heard = self.heard.get(&net.id).copied().unwrap_or_default();
        self.as_of.max(heard) >= net.updated_at
    }
}

/// What was seen.
#[derive(Clone, Debug)]
pub enum Sight {
    /// It answered, at this machine.
    Answer { machine: Machine, picture: Picture },
    /// It did not, for this reason; its provider says this.
    Silence { state: MachineState, why: String },
}

/// The rows that decide.
pub struct Rows<'a> {
    pub worker: &'a Worker,
    /// The nets assigned to it.
    pub nets: Vec<Arc<Net>>,
    /// Any other net.
    pub other: &'a dyn Fn(NetId) -> Option<Arc<Net>>,
}

/// A thing to do, in the order it is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The worker's status, and the machine it has with it.
    Status { status: WorkerStatus, machine: Option<Machine>, reason: Option<String> },
    /// The same machine said something new of itself: another incarnation or version.
    Machine(Machine),
    /// The net is loaded, although its row says otherwise.
    Adopt { net: NetId, run_state: RunState, rate: u32 },
    /// The loaded net runs otherwise than its row says.
    Runs { net: NetId, run_state: RunState, rate: u32 },
    /// The net is not loaded, although its row says so.
    Lost { net: NetId, why: &'static str },
    /// The worker holds what no row wants there: it is to be unloaded.
    Unload(Stray),
}

/// A loading on a worker that no row knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stray {
    pub net: NetId,
    pub load_id: LoadId,
}

const RESTARTED: &str = "the worker's process was restarted and has forgotten it";
const NOT_THERE: &str = "the worker does not hold it";
const OTHER_LOADING: &str = "the worker holds another loading of it";

/// Whether an action is under way on this worker that decides its status by itself. A deletion that waits does not yet.
pub fn is_busy(worker: &Worker) -> bool {
    worker.operation.as_ref().is_some_and(|operation| match operation.waiting {
        None => operation.action != WorkerAction::Refresh,
        Some(_) => operation.given_up().is_some(),
    })
}

/// What follows from `sight`. Nothing, if the rows agree with it.
pub fn plan(rows: &Rows, sight: &Sight) -> Vec<Step> {
    if is_busy(rows.worker) {
        return Vec::new();
    }
    match sight {
        Sight::Silence { state, why } => silent(rows.worker, state, why).into_iter().collect(),
        Sight::Answer { machine, picture } => answered(rows, machine, picture),
    }
}

fn silent(worker: &Worker, state: &MachineState, why: &str) -> Option<Step> {
    let detail = match state {
        MachineState::Running { .. } => ErrorDetail::Unreachable,
        MachineState::Stopped => ErrorDetail::MachineStopped,
        MachineState::Gone => ErrorDetail::MachineDestroyed,
    };
    let detail = match (worker.status, detail) {
        (WorkerStatus::Pending, _) => return None,
        // Nobody makes its machine any more, or an action would be in flight.
        (WorkerStatus::Provisioning, _) => ErrorDetail::ProvisionFailed,
        (WorkerStatus::Stopped, ErrorDetail::MachineStopped) => return None,
        // That none could be made says more than that there is none.
        (WorkerStatus::Error(ErrorDetail::ProvisionFailed), ErrorDetail::MachineDestroyed) => return None,
        (WorkerStatus::Error(known), detail) if known == detail => return None,
        (WorkerStatus::Ready | WorkerStatus::Stopped | WorkerStatus::Error(_), detail) => detail,
    };
    let machine = match detail {
        ErrorDetail::MachineStopped => worker.machine.clone(),
        ErrorDetail::Unreachable => match state {
            MachineState::Running { machine } => Some(machine.clone()),
            MachineState::Stopped | MachineState::Gone => worker.machine.clone(),
        },
        ErrorDetail::MachineDestroyed | ErrorDetail::ProvisionFailed => None,
    };
    let reason = match worker.status {
        WorkerStatus::Provisioning => "making its machine was interrupted".to_owned(),
        _ => why.to_owned(),
    };
    Some(Step::Status { status: WorkerStatus::Error(detail), machine, reason: Some(reason) })
}

fn answered(rows: &Rows, machine: &Machine, picture: &Picture) -> Vec<Step> {
    let worker = rows.worker;
    let mut steps = Vec::new();
    let machine = Machine {
        incarnation: picture.incarnation,
        software_version: picture.software_version.clone(),
        ..machine.clone()
    };
    let restarted = worker.machine.as_ref().is_some_and(|known| known.incarnation != machine.incarnation);
    match worker.status {
        WorkerStatus::Pending => return steps,
        WorkerStatus::Ready if worker.machine.as_ref() == Some(&machine) => {}
        WorkerStatus::Ready => steps.push(Step::Machine(machine)),
        WorkerStatus::Provisioning | WorkerStatus::Stopped | WorkerStatus::Error(_) => {
            let reason = match worker.status {
                WorkerStatus::Error(ErrorDetail::Unreachable) => "it answers again",
                _ => "its machine was found running",
            };
            let reason = Some(reason.to_owned());
            steps.push(Step::Status { status: WorkerStatus::Ready, machine: Some(machine), reason });
        }
    }

    for net in rows.nets.iter().filter(|net| may_be_judged(net, picture)) {
        let held = picture.nets.get(&net.id);
        let ours = held.filter(|held| net.load_id == Some(held.load_id));
        match ours {
            Some(held) if !net.is_loaded() => {
                steps.push(Step::Adopt { net: net.id, run_state: held.run_state, rate: held.rate });
            }
            Some(held) if runs_otherwise(net, held) => {
                steps.push(Step::Runs { net: net.id, run_state: held.run_state, rate: held.rate });
            }
            Some(_) => {}
            None if net.is_loaded() => {
                let why = match held {
                    Some(_) => OTHER_LOADING,
                    None if restarted => RESTARTED,
                    None => NOT_THERE,
                };
                steps.push(Step::Lost { net: net.id, why });
            }
            None => {}
        }
    }
    for held in picture.nets.values() {
        let here = rows.nets.iter().find(|net| net.id == held.id).cloned();
        let wanted = match here.or_else(|| (rows.other)(held.id)) {
            None => false,
            Some(net) if !may_be_judged(&net, picture) => true,
            Some(net) => net.worker_id == Some(worker.id) && net.load_id == Some(held.load_id),
        };
        if !wanted {
            steps.push(Step::Unload(Stray { net: held.id, load_id: held.load_id }));
        }
    }
    steps
}

fn may_be_judged(net: &Net, picture: &Picture) -> bool {
    net.operation.is_none() && picture.is_newer_than(net)
}

fn runs_otherwise(net: &Net, held: &HostedNet) -> bool {
    net.run_state != held.run_state || held.run_state == RunState::Running && net.rate != held.rate
}

/// What follows for the rows of `fleet`.
pub fn plan_for(fleet: &Fleet, worker: WorkerId, sight: &Sight) -> Vec<Step> {
    let Some(worker) = fleet.worker(worker) else { return Vec::new() };
    let nets = fleet.nets_on(worker.id).cloned().collect();
    plan(&Rows { worker, nets, other: &|id| fleet.net(id).cloned() }, sight)
}

/// Writes what follows into a draft. Returns what is to be unloaded on the worker.
pub fn write(draft: &mut Draft, worker: WorkerId, sight: &Sight) -> Result<Vec<Stray>, Gone> {
    let steps = {
        let row = draft.worker(worker)?.clone();
        let nets = draft.nets_on(worker);
        plan(&Rows { worker: &row, nets, other: &|id| draft.net(id).ok().cloned() }, sight)
    };
    let mut strays = Vec::new();
    for step in steps {
        match step {
            Step::Status { status, machine, reason } => {
                draft.edit_worker(worker, WorkerCause::Status, |row| {
                    row.status = status;
                    row.status_reason = reason;
                    row.machine = machine;
                })?;
            }
            Step::Machine(machine) => {
                draft.edit_worker(worker, WorkerCause::Edited, |row| row.machine = Some(machine))?;
            }
            Step::Adopt { net, run_state, rate } => {
                draft.edit_net(net, NetCause::LoadState, |row| {
                    row.load_state = LoadState::Loaded;
                    row.load_error = None;
                    runs(row, run_state, rate);
                })?;
            }
            Step::Runs { net, run_state, rate } => {
                draft.edit_net(net, NetCause::RunState, |row| runs(row, run_state, rate))?;
            }
            Step::Lost { net, why } => {
                draft.edit_net(net, NetCause::LoadState, |row| {
                    row.load_state = LoadState::Unloaded;
                    row.load_error = Some(why.to_owned());
                })?;
            }
            Step::Unload(stray) => strays.push(stray),
        }
    }
    Ok(strays)
}

fn runs(row: &mut Net, run_state: RunState, rate: u32) {
    row.run_state = run_state;
    if run_state == RunState::Running {
        row.rate = rate;
    }
}

#[cfg(test)]
mod tests;
