//! What an operator can do, carried out on simulated machines: two transactions with the effect between them, as the real server does.

use super::{
    builds, deletion,
    fleet::{Demo, now},
    groups, machines, opening, trouble, versions,
};
use crate::{
    app::error::{ApiError, Current},
    model::{
        Action, DefinitionHash, Done, Draft, LoadId, LoadState, Name, Net, NetAction, NetCause, NetId,
        NetRequest, NewNet, NewWorker, Operation, OperationId, Options, ProjectId, RunState, Worker,
        WorkerAction, WorkerCause, WorkerId, WorkerStatus,
        lifecycle::{self, NetWord, Verb},
    },
    petri::{
        PetriNet,
        pnml::{self, Limits, PnmlError},
    },
    worker::hosted::{Hosted, Notice},
};
use gloo_timers::future::TimeoutFuture;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;
use web_time::Instant;

const DEADLINE: Duration = Duration::from_secs(45);

/// How long the simulated provider or worker takes, milliseconds.
fn effort(action: WorkerAction) -> u32 {
    match action {
        WorkerAction::Provision => 3_500,
        WorkerAction::Start => 2_000,
        WorkerAction::Stop | WorkerAction::Destroy => 1_200,
        WorkerAction::Refresh => 600,
        // They wait of their own accord, or not at all.
        WorkerAction::Delete | WorkerAction::UndoDelete => 0,
    }
}

pub async fn perform(demo: &Demo, action: Action, options: Options) -> Result<Done, ApiError> {
    match action {
        Action::CreateWorker(new) => create_worker(demo, new),
        Action::CreateNet(new) => create_net(demo, new),
        Action::CreateCluster(new) => groups::create_cluster(demo, new),
        Action::RenameCluster { id, name } => groups::rename_cluster(demo, id, &name, options.if_match),
        Action::DeleteCluster(id) => groups::delete_cluster(demo, id),
        Action::CreateProject(new) => groups::create_project(demo, new),
        Action::EditProject { id, edit } => groups::edit_project(demo, id, edit, options.if_match),
        Action::DeleteProject(id) => groups::delete_project(demo, id),
        Action::MoveNet { id, project_id } => groups::move_net(demo, id, project_id),
        Action::AcknowledgeEvents(_) | Action::SetRules(_) => {
            Err(bad("The demo keeps no rules for events, and nobody acknowledges them."))
        }
        Action::Worker { id, action } => act_on_worker(demo, id, action, options.if_match).await,
        Action::Net { id, request } => act_on_net(demo, id, request, options.if_match).await,
        Action::ChangeNet { id, changed } => builds::change(demo, id, &changed, options.if_match),
        Action::BuildNet(id) => builds::again(demo, id),
        Action::CreateLab(_) | Action::Lab { .. } | Action::RefreshLabs(_) | Action::SetLabSync { .. } => {
            Err(bad("The workers of the demo hold no labs."))
        }
        Action::CreateHost { .. }
        | Action::Host { .. }
        | Action::RunCommand { .. }
        | Action::CancelCommand(_)
        | Action::StartPipeline { .. }
        | Action::Pipeline { .. }
        | Action::MergePullRequest { .. } => Err(bad("The demo has no hosts: nothing can be run on them.")),
    }
}

pub fn read(pnml: &[u8]) -> Result<Arc<PetriNet>, PnmlError> {
    pnml::read(pnml, &Limits::default()).map(Arc::new)
}

pub fn bad(detail: impl ToString) -> ApiError {
    ApiError::BadRequest { detail: detail.to_string() }
}

fn create_worker(demo: &Demo, new: NewWorker) -> Result<Done, ApiError> {
    let name = Name::new(&new.name).map_err(bad)?;
    demo.transact(demo.operator(), |draft| {
        let cluster = draft.before().cluster(new.cluster_id).cloned();
        let cluster = cluster.ok_or(ApiError::Gone { what: "cluster".to_owned() })?;
        if draft.worker_named(cluster.id, &name).is_some() {
            return Err(taken("worker", &name, cluster.name.as_str()));
        }
        let mut worker =
            opening::pending(cluster.id, cluster.provider, cluster.region.as_deref(), name.as_str(), 1);
        worker.category = new.category;
        worker.cpus = new.cpus.try_into().map_err(bad)?;
        worker.memory_mb = new.memory_mb.try_into().map_err(bad)?;
        let id = worker.id;
        draft.create_worker(worker);
        done_worker(draft, id, format!("The worker {name} was created. Provision it to start its machine."))
    })
}

fn create_net(demo: &Demo, new: NewNet) -> Result<Done, ApiError> {
    let read = read(&new.pnml).map_err(|error| ApiError::BadPnml {
        line: error.line,
        column: error.column,
        reason: error.kind.to_string(),
    })?;
    let given = new.name.trim();
    let title = match (given, read.name.trim()) {
        ("", "") => read.id.clone(),
        ("", name) | (name, _) => name.to_owned(),
    };
    let name = Name::new(&title).map_err(bad)?;
    let hash = DefinitionHash::of(&new.pnml);
    let row = new_net(name.clone(), new.project_id, hash, &read);
    let (id, version) = (row.id, row.version);
    let done = demo.transact(demo.operator(), |draft| {
        if draft.net_named(new.project_id, &name).is_some() {
            return Err(taken("net", &name, "this project"));
        }
        draft.create_net(row);
        builds::queue(draft, id, version, hash)?;
        done_net(draft, id, format!("The net {name} was added. Assign it to a worker to load it."))
    })?;
    demo.definitions.borrow_mut().insert(hash, read);
    versions::keep(demo, id, demo.operator());
    Ok(done)
}

pub fn taken(what: &str, name: &Name, place: &str) -> ApiError {
    ApiError::Conflict {
        detail: format!("There is already a {what} named {name} in {place}. Choose another name."),
    }
}

/// A net as it begins: assigned to no worker.
pub fn new_net(name: Name, project_id: ProjectId, definition: DefinitionHash, net: &PetriNet) -> Net {
    Net::unassigned(NetId(Uuid::new_v4()), name, project_id, definition, net.size())
}

async fn act_on_worker(
    demo: &Demo,
    id: WorkerId,
    action: WorkerAction,
    if_match: Option<u64>,
) -> Result<Done, ApiError> {
    if matches!(action, WorkerAction::Delete | WorkerAction::UndoDelete) {
        return deletion::worker(demo, id, action, if_match);
    }
    let operation = operation(demo, action);
    let operation_id = operation.id;
    demo.transact(demo.operator(), |draft| {
        let worker = draft.worker(id)?.clone();
        fresh(if_match, worker.state_revision, &worker.name, worker.status.to_string(), || {
            Current::Worker(worker.clone())
        })?;
        permitted_worker(&worker, action)?;
        draft.edit_worker(id, WorkerCause::Operation, |row| {
            row.operation = Some(operation);
            if action == WorkerAction::Provision {
                (row.status, row.status_reason) = (WorkerStatus::Provisioning, None);
            }
        })?;
        Ok::<_, ApiError>(())
    })?;
    TimeoutFuture::new(effort(action)).await;

    if action == WorkerAction::Refresh {
        return check(demo, id, operation_id);
    }
    let machine =
        matches!(action, WorkerAction::Provision | WorkerAction::Start).then(|| machines::machine(id));
    let done = demo.transact(demo.operator(), |draft| {
        let worker = draft.worker(id)?.clone();
        if worker.operation.as_ref().is_none_or(|current| current.id != operation_id) {
            let detail = lifecycle::worker_changed(&worker);
            let current = Some(Current::Worker(worker));
            return Err(ApiError::Refused { detail, code: "superseded".to_owned(), current });
        }
        let name = &worker.name;
        match action {
            WorkerAction::Provision | WorkerAction::Start => {
                draft.edit_worker(id, WorkerCause::Status, |row| {
                    (row.status, row.status_reason, row.operation) = (WorkerStatus::Ready, None, None);
                    row.machine = machine.clone();
                })?;
                done_worker(draft, id, format!("Worker {name} is ready."))
            }
            WorkerAction::Stop => {
                draft.set_worker_status(id, WorkerStatus::Stopped, None)?;
                done_worker(draft, id, format!("Worker {name} is stopped."))
            }
            WorkerAction::Destroy
            | WorkerAction::Refresh
            | WorkerAction::Delete
            | WorkerAction::UndoDelete => {
                draft.edit_worker(id, WorkerCause::Terminated, |row| {
                    (row.status, row.status_reason, row.operation) = (WorkerStatus::Pending, None, None);
                })?;
                done_worker(draft, id, format!("The machine of worker {name} was destroyed."))
            }
        }
    })?;
    let mut machines = demo.machines.borrow_mut();
    machines.kill(id);
    if machine.is_some() {
        machines.boot(id, now());
    }
    Ok(done)
}

/// Looks whether the machine answers, and repairs the record.
fn check(demo: &Demo, id: WorkerId, operation: OperationId) -> Result<Done, ApiError> {
    demo.transact(demo.operator(), |draft| {
        draft.edit_worker(id, WorkerCause::Operation, |row| {
            if row.operation.as_ref().is_some_and(|current| current.id == operation) {
                row.operation = None;
            }
        })
    })?;
    if demo.machines.borrow_mut().answering(id).is_some() {
        trouble::answers_again(demo, id);
    } else if demo.fleet().worker(id).is_some_and(|worker| worker.is_ready()) {
        trouble::unreachable(demo, id);
    }
    let fleet = demo.fleet();
    let worker = fleet.worker(id).cloned().ok_or(ApiError::Gone { what: "worker".to_owned() })?;
    let message = format!("Checked: worker {} is {}.", worker.name, worker.status);
    Ok(Done { message, worker: Some(worker), ..Done::default() })
}

async fn act_on_net(
    demo: &Demo,
    id: NetId,
    request: NetRequest,
    if_match: Option<u64>,
) -> Result<Done, ApiError> {
    let action = request.action();
    if matches!(action, NetAction::Delete | NetAction::UndoDelete) {
        return deletion::net(demo, id, action, if_match);
    }
    let operation = operation(demo, action);
    let (operation_id, load_id) = (operation.id, LoadId(Uuid::new_v4()));
    let was = demo.fleet().net(id).cloned();
    let at_once = demo.transact(demo.operator(), |draft| {
        let net = draft.net(id)?.clone();
        fresh(if_match, net.state_revision, &net.name, NetWord(&net).to_string(), || {
            Current::Net(net.clone())
        })?;
        permitted_net(draft, &net, action)?;
        match &request {
            NetRequest::Assign { worker_id } => {
                let target = draft.worker(*worker_id)?.clone();
                lifecycle::assign_target(&net, &target).map_err(|refusal| {
                    ApiError::refused(&refusal, now(), None, Some(Current::Net(net.clone())))
                })?;
                draft.edit_net(id, NetCause::Assigned, |net| {
                    (net.worker_id, net.load_error) = (Some(target.id), None);
                })?;
                done_net(draft, id, format!("Net {} is assigned to {}.", net.name, target.name)).map(Some)
            }
            NetRequest::Unassign => {
                draft.edit_net(id, NetCause::Unassigned, |net| {
                    (net.worker_id, net.load_error) = (None, None);
                })?;
                done_net(draft, id, format!("Net {} is unassigned.", net.name)).map(Some)
            }
            _ => {
                let version = match &request {
                    NetRequest::Load { version: Some(number) } => versions::one(demo, &net, *number)?,
                    _ => net.newest(),
                };
                draft.edit_net(id, NetCause::Operation, |net| {
                    net.operation = Some(operation);
                    if action == NetAction::Load {
                        net.put_in_force(version);
                        net.load_id = Some(load_id);
                    }
                })?;
                Ok(None)
            }
        }
    })?;
    if let Some(done) = at_once {
        if let Some(worker) = was.and_then(|was| was.worker_id) {
            demo.machines.borrow_mut().unload(worker, id);
        }
        return Ok(done);
    }
    TimeoutFuture::new(if action == NetAction::Load { 500 } else { 80 }).await;

    let outcome = carry_out(demo, id, &request, load_id);
    let ended = demo.transact(demo.operator(), |draft| {
        let net = draft.net(id)?.clone();
        if net.operation.as_ref().is_none_or(|current| current.id != operation_id) {
            let worker = draft.worker_of(&net).cloned();
            let detail = lifecycle::net_changed(&net, worker.as_deref());
            let current = Some(Current::Net(net));
            return Ok(Err(ApiError::Refused { detail, code: "superseded".to_owned(), current }));
        }
        match outcome {
            Ok(after) => {
                let cause = match action {
                    NetAction::Load | NetAction::Unload => NetCause::LoadState,
                    _ => NetCause::RunState,
                };
                draft.edit_net(id, cause, |net| {
                    (net.operation, net.load_error) = (None, None);
                    match after {
                        Some((run_state, rate)) => {
                            net.load_state = LoadState::Loaded;
                            (net.run_state, net.rate) = (run_state, rate);
                        }
                        None => (net.load_state, net.load_id) = (LoadState::Unloaded, None),
                    }
                })?;
                let net = draft.net(id)?.clone();
                Ok(done_net(draft, id, format!("Net {} is {}.", net.name, NetWord(&net))))
            }
            Err(why) => {
                draft.edit_net(id, NetCause::Operation, |net| net.operation = None)?;
                let detail = format!("Could not {} {}: {why}", action.verb(), net.name);
                Ok(Err(ApiError::WorkerUnavailable { detail, current: Some(Current::Net(net)) }))
            }
        }
    });
    ended.map_err(|gone: crate::model::Gone| ApiError::from(gone))?
}

/// Asks the worker; what the net does afterwards, or `None` if it is not there any more.
fn carry_out(
    demo: &Demo,
    id: NetId,
    request: &NetRequest,
    load_id: LoadId,
) -> Result<Option<(RunState, u32)>, String> {
    let (worker, definition) = {
        let fleet = demo.fleet();
        let row = fleet.net(id).ok_or("it no longer exists.")?;
        (row.worker_id.ok_or("it is assigned to no worker.")?, row.definition)
    };
    let mut machines = demo.machines.borrow_mut();
    if machines.answering(worker).is_none() {
        drop(machines);
        trouble::unreachable(demo, worker);
        return Err("its worker does not answer. The worker may no longer be available.".to_owned());
    }
    if *request == NetRequest::Unload {
        machines.unload(worker, id);
        return Ok(None);
    }
    if matches!(request, NetRequest::Load { .. }) {
        let net = demo.definitions.borrow().get(&definition).cloned().ok_or("its definition is missing.")?;
        machines.load(worker, id, load_id, net, None);
    }
    let hosted = machines.net(id).ok_or("it is not on its worker (any more); load it again.")?;
    let mut notices = Vec::new();
    command(hosted, request, &mut notices).map_err(|refusal| format!("{refusal}."))?;
    let after = hosted.describe();
    if notices.iter().any(|notice| matches!(notice, Notice::Jumped | Notice::RunState(_))) {
        machines.greet_again(id);
    }
    Ok(Some((after.run_state, after.rate)))
}

fn command(
    hosted: &mut Hosted,
    request: &NetRequest,
    notices: &mut Vec<Notice>,
) -> Result<(), crate::worker::refusal::Refusal> {
    match request {
        NetRequest::Step => hosted.step(notices).map(drop),
        NetRequest::Run { rate } => hosted.run(*rate, Instant::now(), notices),
        NetRequest::Stop => hosted.stop(notices),
        NetRequest::Reset => hosted.reset(notices),
        NetRequest::Inject { place, tokens } => hosted.inject(place, *tokens, notices).map(drop),
        NetRequest::Load { .. }
        | NetRequest::Unload
        | NetRequest::Assign { .. }
        | NetRequest::Unassign
        | NetRequest::Delete
        | NetRequest::UndoDelete => Ok(()),
    }
}

pub fn permitted_worker(worker: &Arc<Worker>, action: WorkerAction) -> Result<(), ApiError> {
    lifecycle::worker_action(worker, action)
        .map_err(|refusal| ApiError::refused(&refusal, now(), None, Some(Current::Worker(worker.clone()))))
}

pub fn permitted_net(draft: &Draft, net: &Arc<Net>, action: NetAction) -> Result<(), ApiError> {
    let worker = draft.worker_of(net).cloned();
    lifecycle::net_action(net, worker.as_deref(), action)
        .map_err(|refusal| ApiError::refused(&refusal, now(), None, Some(Current::Net(net.clone()))))
}

/// Refuses what is done to a net that is about to be deleted.
pub fn stays(net: &Arc<Net>, verb: &'static str) -> Result<(), ApiError> {
    lifecycle::net_stays(net, verb)
        .map_err(|refusal| ApiError::refused(&refusal, now(), None, Some(Current::Net(net.clone()))))
}

pub fn operation<A>(demo: &Demo, action: A) -> Operation<A> {
    let since = now();
    Operation {
        id: OperationId(Uuid::new_v4()),
        action,
        actor: demo.operator(),
        since,
        deadline: since.plus(DEADLINE),
        waiting: None,
    }
}

pub fn fresh(
    if_match: Option<u64>,
    now: u64,
    name: &Name,
    state: String,
    current: impl FnOnce() -> Current,
) -> Result<(), ApiError> {
    match if_match {
        Some(revision) if revision != now => {
            Err(ApiError::Stale { name: name.to_string(), state, who: None, current: current() })
        }
        _ => Ok(()),
    }
}

pub fn done_worker(draft: &Draft, id: WorkerId, message: String) -> Result<Done, ApiError> {
    Ok(Done { message, worker: Some(draft.worker(id)?.clone()), ..Done::default() })
}

pub fn done_net(draft: &Draft, id: NetId, message: String) -> Result<Done, ApiError> {
    Ok(Done { message, net: Some(draft.net(id)?.clone()), ..Done::default() })
}
