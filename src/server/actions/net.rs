//! What can be done to a net.

use super::{
    delete,
    outcome::{
        begin, end, fresh_net, gone, log_net_done, log_net_failure, once, operation, permitted_net,
        permitted_older, quota_reached, refused_net, run,
    },
    version,
};
use crate::{
    app::error::{ApiError, Current},
    model::{
        Actor, Done, Draft, EntityRef, LoadId, LoadState, Machine, Net, NetAction, NetCause, NetId,
        NetRequest, OperationId, Role, RunState, Worker, WorkerId,
        action::{RATE, TOKENS, whole_number_wanted},
        lifecycle::{self, NetWord, Verb, doing_to},
        quota,
    },
    server::{
        App,
        api::error::internal,
        auth::Who,
        storage::{definitions, idempotency::Key},
        workers::CallError,
    },
    worker::protocol::{InjectRequest, NetAnswer, RunRequest},
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// How long an action may take until its outcome counts as unknown. Longer than the calls it makes, and the check after a failed one.
const DEADLINE: Duration = Duration::from_secs(45);

pub async fn act(
    app: &App,
    who: &Who,
    id: NetId,
    request: NetRequest,
    if_match: Option<u64>,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    check(&request)?;
    let visible = {
        let who = who.clone();
        move |draft: &Draft| theirs(draft, &who, id)
    };
    match request {
        NetRequest::Delete | NetRequest::UndoDelete => {
            once(app, who, key, move |draft| {
                let net = visible(draft)?;
                delete::net(draft, &net, request.action(), if_match).map(|done| (done, Vec::new()))
            })
            .await
        }
        NetRequest::Assign { .. } | NetRequest::Unassign => {
            let was = app.store().fleet().net(id).cloned();
            let done = once(app, who, key, move |draft| {
                let net = visible(draft)?;
                fresh_net(draft, &net, if_match)?;
                at_once(draft, &net, &request).map(|done| (done, Vec::new()))
            })
            .await?;
            if let Some(was) = was {
                unload_left_behind(app, &was);
            }
            Ok(done)
        }
        _ => {
            let operation = operation(request.action(), who.actor(), DEADLINE);
            let operation_id = operation.id;
            let load_id = LoadId(Uuid::now_v7());
            let loads = matches!(request, NetRequest::Load { .. });
            let chosen = match request {
                NetRequest::Load { version: Some(number) } => Some(version::choose(app, id, number).await?),
                _ => None,
            };
            let action = request.action();
            let begun = begin(app, who, key.clone(), move |draft| {
                let net = visible(draft)?;
                fresh_net(draft, &net, if_match)?;
                let newest = net.newest();
                let version = chosen.map_or(Ok(newest), |chosen| chosen.of(&net))?;
                match version == newest {
                    true => permitted_net(draft, &net, action)?,
                    // That the newest one is broken is nothing against it.
                    false => permitted_older(draft, &net, action)?,
                }
                let worker = draft.worker_of(&net).cloned();
                draft.edit_net(id, NetCause::Operation, |net| {
                    net.operation = Some(operation);
                    // Recorded before the worker hears of it: should we die now, the net found there is known to be ours, and of which
                    // version it is.
                    if loads {
                        net.put_in_force(version);
                        net.load_id = Some(load_id);
                    }
                })?;
                let worker = worker.ok_or(ApiError::Gone { what: "worker".to_owned() })?;
                Ok((draft.net(id)?.clone(), worker))
            });
            let (net, worker) = match begun.await? {
                Ok(rows) => rows,
                Err(first_answer) => return Ok(first_answer),
            };
            let doing = format!("{} {}", doing_to(action), net.name);
            let call = Call {
                app: app.clone(),
                actor: who.actor(),
                net,
                worker,
                request,
                operation: operation_id,
                key,
            };
            run(app, doing, call.make()).await
        }
    }
}

/// A net that `who` sees and may act on.
pub fn theirs(draft: &Draft, who: &Who, id: NetId) -> Result<Arc<Net>, ApiError> {
    let gone = || super::outcome::gone_for(who, draft.before(), EntityRef::Net(id), draft.now());
    let net = draft.net(id).map_err(|_| gone())?;
    if !who.scope.sees_project(net.project_id) {
        return Err(ApiError::Gone { what: "net".to_owned() });
    }
    who.need_in(net.project_id, Role::Operator)?;
    Ok(net.clone())
}

/// Bounds that do not depend on any state.
fn check(request: &NetRequest) -> Result<(), ApiError> {
    let (field, bounds, given) = match request {
        NetRequest::Run { rate } => ("rate", RATE, u64::from(*rate)),
        NetRequest::Inject { tokens, .. } => ("tokens", TOKENS, *tokens),
        _ => return Ok(()),
    };
    match bounds.contains(&given) {
        true => Ok(()),
        false => {
            Err(ApiError::BadRequest { detail: whole_number_wanted(field, &bounds, &given.to_string()) })
        }
    }
}

/// What needs no machine.
fn at_once(draft: &mut Draft, net: &Arc<Net>, request: &NetRequest) -> Result<Done, ApiError> {
    permitted_net(draft, net, request.action())?;
    let (id, name) = (net.id, &net.name);
    let last = draft.net_was(request.action());
    let message = match request {
        NetRequest::Assign { worker_id } => {
            let target = draft.worker(*worker_id);
            let target =
                target.map_err(|_| gone(draft.before(), EntityRef::Worker(*worker_id), draft.now()))?.clone();
            lifecycle::assign_target(net, &target)
                .map_err(|refusal| refused_net(draft, &refusal, net, Some(&target)))?;
            if let Some(project) = draft.before().project(net.project_id) {
                let nets = draft.before().nets().map(Arc::as_ref);
                quota::assigns(project, nets, net, target.id).map_err(quota_reached)?;
            }
            draft.edit_net(id, NetCause::Assigned, |net| {
                (net.worker_id, net.load_error, net.last_action) = (Some(target.id), None, last);
            })?;
            format!("Assigned {name} to {}.", target.name)
        }
        _ => {
            let from =
                draft.worker_of(net).map(|worker| format!(" from {}", worker.name)).unwrap_or_default();
            draft.edit_net(id, NetCause::Unassigned, |net| {
                (net.worker_id, net.load_error, net.last_action) = (None, None, last);
            })?;
            format!("Unassigned {name}{from}.")
        }
    };
    Ok(Done { message, net: Some(draft.net(id)?.clone()), ..Done::default() })
}

/// Unloads from its worker a net that was just moved away. If that fails, supervision finds the stray and unloads it.
fn unload_left_behind(app: &App, was: &Net) {
    let fleet = app.store().fleet();
    let (Some(worker), Some(load_id)) = (fleet.worker_of(was), was.load_id) else { return };
    let Some(machine) = worker.machine.clone().filter(|_| worker.is_ready()) else { return };
    if fleet.net(was.id).is_some_and(|now| now.load_id == was.load_id) {
        return;
    }
    let (client, worker, net) = (app.client().clone(), worker.id, was.id);
    app.tasks().spawn(async move {
        if let Err(error) = client.unload(&machine, worker, net, load_id).await {
            tracing::warn!(%error, %net, "a net that was moved away could not be unloaded yet");
        }
    });
}

/// An action on its way to a worker.
struct Call {
    app: App,
    actor: Actor,
    net: Arc<Net>,
    worker: Arc<Worker>,
    request: NetRequest,
    operation: OperationId,
    key: Option<Key>,
}

/// What the worker said.
enum Answer {
    /// The net as it is there now.
    There(NetAnswer),
    /// It is not there any more.
    NotThere,
}

impl Call {
    async fn make(self) -> Result<Done, ApiError> {
        let Some(machine) = self.worker.machine.clone() else {
            return Err(internal(&format!("the ready worker {} has no machine", self.worker.name)));
        };
        let answer = match self.ask(&machine).await {
            Ok(answer) => answer,
            // Not a word against the worker: nothing was asked of it.
            Err(Failure::Ours(error)) => return self.failed(error.to_string(), Some(error)).await,
            Err(Failure::Call(error)) => return self.call_failed(&machine, error).await,
        };
        self.succeeded(&machine, answer).await
    }

    async fn ask(&self, machine: &Machine) -> Result<Answer, Failure> {
        let client = self.app.client();
        let (worker, net, operation) = (self.worker.id, self.net.id, self.operation);
        Ok(Answer::There(match &self.request {
            NetRequest::Load { .. } => {
                let pnml = definitions::get(self.app.store().pool(), self.net.definition).await;
                let pnml = pnml.map_err(|error| Failure::Ours(internal(&error)))?;
                let missing =
                    || Failure::Ours(internal(&format!("definition {} is missing", self.net.definition)));
                let load_id =
                    self.net.load_id.ok_or_else(|| Failure::Ours(internal(&"a load without its id")))?;
                client.load(machine, worker, net, load_id, pnml.ok_or_else(missing)?).await?.into()
            }
            NetRequest::Unload => {
                if let Some(load_id) = self.net.load_id {
                    client.unload(machine, worker, net, load_id).await?;
                }
                return Ok(Answer::NotThere);
            }
            NetRequest::Step => client.step(machine, worker, net, operation).await?,
            NetRequest::Run { rate } => {
                client.run(machine, worker, net, operation, RunRequest { rate: *rate }).await?
            }
            NetRequest::Stop => client.stop(machine, worker, net, operation).await?,
            NetRequest::Reset => client.reset(machine, worker, net, operation).await?,
            NetRequest::Inject { place, tokens } => {
                let inject = InjectRequest { place: place.clone(), tokens: *tokens };
                client.inject(machine, worker, net, operation, &inject).await?
            }
            NetRequest::Assign { .. }
            | NetRequest::Unassign
            | NetRequest::Delete
            | NetRequest::UndoDelete => {
                return Err(Failure::Ours(internal(&"an action without an effect was sent to a worker")));
            }
        }))
    }

    async fn succeeded(self, machine: &Machine, answer: Answer) -> Result<Done, ApiError> {
        let (id, operation, action) = (self.net.id, self.operation, self.request.action());
        let (app, worker, load_id) = (self.app, self.worker, self.net.load_id);
        let (worker_name, request) = (worker.name.to_string(), self.request);
        let outcome = end(&app, self.actor, self.key, move |draft| {
            let net = current(draft, id, operation, action)?;
            let last = draft.net_was(action);
            match &answer {
                Answer::There(NetAnswer { net: hosted, .. }) => {
                    // The operation is ours and the worker did not leave `ready`: leaving it ends every operation on its nets.
                    let cause = match action {
                        NetAction::Load => NetCause::LoadState,
                        _ if net.run_state != hosted.run_state || net.rate != hosted.rate => {
                            NetCause::RunState
                        }
                        _ => NetCause::Operation,
                    };
                    draft.edit_net(id, cause, |net| {
                        net.load_state = LoadState::Loaded;
                        net.load_error = None;
                        (net.run_state, net.rate) = (hosted.run_state, hosted.rate);
                        (net.operation, net.last_action) = (None, last);
                    })?;
                }
                Answer::NotThere => draft.edit_net(id, NetCause::LoadState, |net| {
                    net.load_state = LoadState::Unloaded;
                    (net.load_error, net.load_id, net.operation) = (None, None, None);
                    net.last_action = last;
                })?,
            }
            let net = draft.net(id)?.clone();
            if let Some(text) = unseen(&request, &net, &answer) {
                log_net_done(draft, &net, text);
            }
            let message = done(&request, &net, &worker_name, &answer);
            Ok(Done { message, net: Some(net), ..Done::default() })
        })
        .await;
        // A load that succeeded after its worker left `ready`, or after somebody gave it up, is undone there.
        if action == NetAction::Load
            && outcome.is_err()
            && let Some(load_id) = load_id
            && app.store().fleet().net(id).is_none_or(|net| net.load_id != Some(load_id))
            && let Err(error) = app.client().unload(machine, worker.id, id, load_id).await
        {
            tracing::warn!(%error, net = %id, "a load that came too late could not be undone yet");
        }
        outcome
    }

    /// The worker refused, or could not be heard. In the second case it is checked first: what is wrong with it decides what the net is.
    async fn call_failed(self, machine: &Machine, error: CallError) -> Result<Done, ApiError> {
        match &error {
            CallError::Refused { status: 404, .. } => self.succeeded_elsewhere(&error).await,
            CallError::Refused { status, .. } => {
                let detail = format!("Could not {} {}: {error}", self.request.action().verb(), self.net.name);
                let answer = match (*status, &self.request) {
                    (409, _) => {
                        ApiError::Refused { detail, code: "worker_refused".to_owned(), current: None }
                    }
                    (422, NetRequest::Inject { .. }) | (400, _) => ApiError::BadRequest { detail },
                    _ => ApiError::WorkerUnavailable { detail, current: None },
                };
                self.failed(error.to_string(), Some(answer)).await
            }
            CallError::Unreachable { .. } | CallError::Timeout { .. } | CallError::Nonsense { .. } => {
                tracing::warn!(%error, worker = %self.worker.name, endpoint = %machine.endpoint, "a call to a worker failed");
                if let Err(error) = self.app.supervisor().refresh(self.worker.id).await {
                    tracing::warn!(%error, worker = %self.worker.name, "the worker could not be checked");
                }
                self.failed(error.to_string(), None).await
            }
        }
    }

    /// The worker does not have the net: our record was wrong, and is repaired.
    async fn succeeded_elsewhere(self, error: &CallError) -> Result<Done, ApiError> {
        let why = format!("{error} The net is not on its worker (any more); load it again.");
        let (id, operation, action) = (self.net.id, self.operation, self.request.action());
        end(&self.app, self.actor, self.key, move |draft| {
            let net = current(draft, id, operation, action)?;
            draft.edit_net(id, NetCause::LoadState, |net| {
                net.load_state = LoadState::Unloaded;
                net.load_error = Some(why.clone());
                (net.load_id, net.operation) = (None, None);
            })?;
            let detail = format!("Could not {} {}: {why}", action.verb(), net.name);
            Err(ApiError::WorkerUnavailable {
                detail,
                current: draft.net(id).ok().cloned().map(Current::Net),
            })
        })
        .await
    }

    async fn failed(self, why: String, answer: Option<ApiError>) -> Result<Done, ApiError> {
        let (id, operation, action) = (self.net.id, self.operation, self.request.action());
        let worker_id: WorkerId = self.worker.id;
        end(&self.app, self.actor, self.key, move |draft| {
            let net = draft.net(id)?.clone();
            let ours = net.operation.as_ref().is_some_and(|current| current.id == operation);
            let worker = draft.worker(worker_id).cloned();
            let alive = worker.as_ref().is_ok_and(|worker| worker.is_ready());
            if ours {
                let cause = if action == NetAction::Load { NetCause::LoadState } else { NetCause::Operation };
                draft.edit_net(id, cause, |net| {
                    net.operation = None;
                    // The worker is alive and did not load it: that is the net's error. A dead worker's nets were unloaded with it.
                    if action == NetAction::Load && alive {
                        net.load_state = LoadState::Error;
                        net.load_error = Some(why.clone());
                    }
                })?;
                if action != NetAction::Load {
                    log_net_failure(draft, &net, action, &why);
                }
            }
            let current = draft.net(id)?.clone();
            Err(answer.unwrap_or_else(|| {
                let now = match &worker {
                    Ok(worker) => format!("Worker {} is now {}.", worker.name, worker.status),
                    Err(_) => "The worker no longer exists.".to_owned(),
                };
                let hint = if alive { "" } else { " The worker may no longer be available." };
                let detail = format!(
                    "Could not {} {}: {why}{hint} {now} The net is {}.",
                    action.verb(),
                    current.name,
                    NetWord(&current)
                );
                ApiError::WorkerUnavailable { detail, current: Some(Current::Net(current)) }
            }))
        })
        .await
    }
}

/// What happened, for whoever asked for it.
fn done(request: &NetRequest, net: &Net, worker: &str, answer: &Answer) -> String {
    let name = &net.name;
    let (fired, tokens) = match answer {
        Answer::There(answer) => (answer.fired.as_deref(), answer.tokens),
        Answer::NotThere => (None, None),
    };
    match request {
        NetRequest::Load { .. } => match net.newer {
            None => format!("Loaded {name} on {worker}."),
            Some(newest) => {
                format!(
                    "Loaded version {} of {name} on {worker}; the newest is {}.",
                    net.version, newest.number
                )
            }
        },
        NetRequest::Unload => format!("Unloaded {name} from {worker}."),
        NetRequest::Step => {
            let fired = fired.map(|fired| format!(": {fired} fired")).unwrap_or_default();
            let dead = match net.run_state {
                RunState::Dead => " No transition is enabled any more.",
                RunState::Idle | RunState::Running => "",
            };
            format!("Stepped {name}{fired}.{dead}")
        }
        NetRequest::Run { rate: 0 } => format!("{name} runs as fast as possible."),
        NetRequest::Run { rate } => format!("{name} runs at {rate} firings/s."),
        NetRequest::Stop => format!("Stopped {name}."),
        NetRequest::Reset => format!("Reset {name} to its initial marking."),
        NetRequest::Inject { place, tokens: added } => {
            let holds = tokens.map(|tokens| format!("; it now holds {tokens}")).unwrap_or_default();
            format!("Added {} to {place} of {name}{holds}.", tokens_of(*added))
        }
        // What needs no machine says so itself.
        NetRequest::Assign { .. } | NetRequest::Unassign | NetRequest::Delete | NetRequest::UndoDelete => {
            format!("{name} is {}.", NetWord(net))
        }
    }
}

/// For the event log: what was done to the marking, which no change of the row tells.
fn unseen(request: &NetRequest, net: &Net, answer: &Answer) -> Option<String> {
    let Answer::There(NetAnswer { fired, tokens, .. }) = answer else { return None };
    let name = &net.name;
    Some(match request {
        NetRequest::Step => match fired {
            Some(fired) => format!("Net {name} stepped: {fired} fired"),
            None => format!("Net {name} stepped"),
        },
        NetRequest::Inject { place, tokens: added } => {
            let holds = tokens.map(|tokens| format!(", which now holds {tokens}")).unwrap_or_default();
            format!("{} added to {place} of net {name}{holds}", tokens_of(*added))
        }
        NetRequest::Reset => format!("Net {name} reset to its initial marking"),
        _ => return None,
    })
}

fn tokens_of(count: u64) -> String {
    format!("{count} {}", if count == 1 { "token" } else { "tokens" })
}

enum Failure {
    Ours(ApiError),
    Call(CallError),
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Failure {
        Failure::Call(error)
    }
}

/// The net, if `operation` is still what happens to it.
fn current(
    draft: &Draft,
    id: NetId,
    operation: OperationId,
    action: NetAction,
) -> Result<Arc<Net>, ApiError> {
    let net = draft.net(id)?.clone();
    if net.operation.as_ref().is_some_and(|current| current.id == operation) {
        return Ok(net);
    }
    let worker = draft.worker_of(&net).cloned();
    Err(ApiError::Refused {
        detail: format!(
            "Could not {} {}. {}",
            action.verb(),
            net.name,
            lifecycle::net_changed(&net, worker.as_deref())
        ),
        code: "superseded".to_owned(),
        current: Some(Current::Net(net)),
    })
}
