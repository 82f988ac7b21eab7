//! The two transactions around an effect, for any kind of row.

use super::key::{self, Begun};
use crate::{
    app::error::{ApiError, Current},
    model::{
        Actor, Done, Draft, EntityRef, Event, Fleet, Lab, LastAction, Net, NetAction, Operation, OperationId,
        QuotaReached, Refusal, Severity, Timestamp, Worker, WorkerAction,
        lifecycle::{self, NetWord, Verb},
    },
    server::{
        App,
        api::error::internal,
        auth::Who,
        clock::now,
        storage::{
            SideWrite,
            idempotency::{Key, Known},
        },
    },
};
use std::{future::Future, sync::Arc, time::Duration};
use uuid::Uuid;

/// The effect is a task; a caller waits at most this long for it and is then told that it goes on.
const CALLER_WAITS: Duration = Duration::from_secs(25);

/// The operation that an action records.
pub fn operation<A>(action: A, actor: Actor, within: Duration) -> Operation<A> {
    let since = now();
    let id = OperationId(Uuid::now_v7());
    Operation { id, action, actor, since, deadline: since.plus(within), waiting: None }
}

/// Refuses who decided on another revision of a row that has no lifecycle.
pub fn same_revision(what: &str, wanted: Option<u64>, now: u64) -> Result<(), ApiError> {
    match wanted {
        Some(wanted) if wanted != now => Err(ApiError::Changed { what: what.to_owned() }),
        _ => Ok(()),
    }
}

/// The first transaction: `decide` refuses or records the operation; the key is taken with it. The inner error is the first answer to a
/// key that was used before.
pub async fn begin<T: Send + 'static>(
    app: &App,
    who: &Who,
    key: Option<Key>,
    decide: impl FnOnce(&mut Draft) -> Result<T, ApiError> + Send + 'static,
) -> Result<Result<T, Done>, ApiError> {
    begin_with(app, who, key, |draft| decide(draft).map(|value| (value, Vec::new()))).await
}

/// An action that needs no machine: one transaction, in which the key is taken and answered.
pub async fn once(
    app: &App,
    who: &Who,
    key: Option<Key>,
    decide: impl FnOnce(&mut Draft) -> Result<(Done, Vec<SideWrite>), ApiError> + Send + 'static,
) -> Result<Done, ApiError> {
    let answered = key.clone();
    let done = begin_with(app, who, key, move |draft| {
        let (done, mut side) = decide(draft)?;
        // A token is told once, to whoever asked first, and kept nowhere.
        let kept = || Done { token: None, ..done.clone() };
        side.extend(answered.map(|key| SideWrite::Answer { key, answer: key::answer(&Ok(kept())) }));
        Ok((done, side))
    });
    done.await.map(|done| done.unwrap_or_else(|first_answer| first_answer))
}

/// The same, with writes besides the fleet.
pub async fn begin_with<T: Send + 'static>(
    app: &App,
    who: &Who,
    key: Option<Key>,
    decide: impl FnOnce(&mut Draft) -> Result<(T, Vec<SideWrite>), ApiError> + Send + 'static,
) -> Result<Result<T, Done>, ApiError> {
    let claimed = key.clone();
    let begun = app
        .store()
        .transact_with(who.actor(), key.clone(), move |draft, known| {
            if known != Known::New {
                return Ok((Begun::Repeated(known), Vec::new()));
            }
            let (value, side) = decide(draft)?;
            // The claim comes first: an answer needs its row.
            Ok((Begun::New(value), claimed.map(SideWrite::Claim).into_iter().chain(side).collect()))
        })
        .await?;
    match (begun, key) {
        (Begun::New(value), _) => Ok(Ok(value)),
        (Begun::Repeated(known), Some(key)) => {
            let answer = key::first_answer(app, &key, known).await;
            scoped(app, who, answer).map(Err)
        }
        (Begun::Repeated(_), None) => Err(internal(&"a request without a key was taken for a repeated one")),
    }
}

/// A first answer that is given again, without the rows that `who` may not see (any more).
fn scoped(app: &App, who: &Who, answer: Result<Done, ApiError>) -> Result<Done, ApiError> {
    let fleet = app.store().fleet();
    let sees =
        |net: &Net| who.scope.sees_project(fleet.net(net.id).map_or(net.project_id, |now| now.project_id));
    let sees_row = |row: &Current| match row {
        Current::Worker(_) => true,
        Current::Net(net) => sees(net),
        Current::Host(_) => who.scope.sees_hosts(),
    };
    match answer {
        Ok(mut done) => {
            done.net = done.net.filter(|net| sees(net));
            let project = |lab: &Lab| fleet.lab(lab.id).map_or(lab.project_id, |now| now.project_id);
            done.lab = done.lab.filter(|lab| who.scope.sees_project(project(lab)));
            done.project = done.project.filter(|project| who.scope.sees_project(project.id));
            if !who.scope.sees_hosts() {
                (done.host, done.pipeline) = (None, None);
                done.commands.clear();
            }
            Ok(done)
        }
        // It says what the row is: nothing is left of it.
        Err(error) if error.current().is_some_and(|row| !sees_row(row)) => {
            Err(ApiError::Gone { what: "row".to_owned() })
        }
        Err(error) => Err(error),
    }
}

/// The second transaction: `decide` writes what became of it and the answer, which the key keeps.
pub async fn end(
    app: &App,
    actor: Actor,
    key: Option<Key>,
    decide: impl FnOnce(&mut Draft) -> Result<Done, ApiError> + Send + 'static,
) -> Result<Done, ApiError> {
    end_with(app, actor, key, |draft| (decide(draft), Vec::new())).await
}

/// The same, with writes besides the fleet.
pub async fn end_with(
    app: &App,
    actor: Actor,
    key: Option<Key>,
    decide: impl FnOnce(&mut Draft) -> (Result<Done, ApiError>, Vec<SideWrite>) + Send + 'static,
) -> Result<Done, ApiError> {
    let ended = app.store().transact_with(actor, None, move |draft, _| {
        let (answer, mut side) = decide(draft);
        side.extend(key.map(|key| SideWrite::Answer { key, answer: key::answer(&answer) }));
        // The failure of an effect is an outcome to be recorded, not a reason to record nothing.
        Ok::<_, ApiError>((answer, side))
    });
    ended.await?
}

/// Runs the effect and what follows it in a task of its own, and waits for it as long as a caller does.
pub async fn run(
    app: &App,
    doing: String,
    effect: impl Future<Output = Result<Done, ApiError>> + Send + 'static,
) -> Result<Done, ApiError> {
    let task = app.tasks().spawn(effect);
    match tokio::time::timeout(CALLER_WAITS, task).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panicked)) => Err(internal(&panicked)),
        Err(_) => Ok(Done {
            message: format!("{doing} takes longer; it goes on, and the row shows how it ends."),
            ..Done::default()
        }),
    }
}

/// Whether the caller's picture of a row is old.
pub fn fresh_worker(draft: &Draft, worker: &Arc<Worker>, if_match: Option<u64>) -> Result<(), ApiError> {
    match if_match {
        Some(revision) if revision != worker.state_revision => Err(ApiError::Stale {
            name: worker.name.to_string(),
            state: worker.status.to_string(),
            who: lifecycle::who_did(worker.last_action.as_ref(), draft.now()),
            current: Current::Worker(worker.clone()),
        }),
        _ => Ok(()),
    }
}

pub fn fresh_net(draft: &Draft, net: &Arc<Net>, if_match: Option<u64>) -> Result<(), ApiError> {
    match if_match {
        Some(revision) if revision != net.state_revision => Err(ApiError::Stale {
            name: net.name.to_string(),
            state: NetWord(net).to_string(),
            who: lifecycle::who_did(net.last_action.as_ref(), draft.now()),
            current: Current::Net(net.clone()),
        }),
        _ => Ok(()),
    }
}

/// Asks the table about a worker; a refusal names who brought it to the state that stands in the way.
pub fn permitted_worker(draft: &Draft, worker: &Arc<Worker>, action: WorkerAction) -> Result<(), ApiError> {
    lifecycle::worker_action(worker, action).map_err(|refusal| {
        let who = lifecycle::who_did(worker.last_action.as_ref(), draft.now());
        ApiError::refused(&refusal, draft.now(), who, Some(Current::Worker(worker.clone())))
    })
}

/// The same for a net.
pub fn permitted_net(draft: &Draft, net: &Arc<Net>, action: NetAction) -> Result<(), ApiError> {
    let worker = draft.worker_of(net);
    lifecycle::net_action(net, worker.map(Arc::as_ref), action)
        .map_err(|refusal| refused_net(draft, &refusal, net, worker))
}

/// The same, where it is not about the newest version: how that one's build ended has no say.
pub fn permitted_older(draft: &Draft, net: &Arc<Net>, action: NetAction) -> Result<(), ApiError> {
    let worker = draft.worker_of(net);
    let older = Net { build: None, ..Net::clone(net) };
    lifecycle::net_action(&older, worker.map(Arc::as_ref), action)
        .map_err(|refusal| refused_net(draft, &refusal, net, worker))
}

/// Refuses what is done to a net that is about to be deleted.
pub fn stays(draft: &Draft, net: &Arc<Net>, verb: &'static str) -> Result<(), ApiError> {
    lifecycle::net_stays(net, verb).map_err(|refusal| refused_net(draft, &refusal, net, None))
}

/// `worker` is the one that the refusal is about, where it is about one.
pub fn refused_net(
    draft: &Draft,
    refusal: &Refusal,
    net: &Arc<Net>,
    worker: Option<&Arc<Worker>>,
) -> ApiError {
    let now = draft.now();
    let who = match (refusal, worker) {
        (Refusal::NetWorker { .. }, Some(worker)) => lifecycle::who_did(worker.last_action.as_ref(), now),
        _ => lifecycle::who_did(net.last_action.as_ref(), now),
    };
    ApiError::refused(refusal, now, who, Some(Current::Net(net.clone())))
}

/// A project has as much as it may have.
pub fn quota_reached(reached: QuotaReached) -> ApiError {
    ApiError::Refused { detail: reached.to_string(), code: QuotaReached::CODE.to_owned(), current: None }
}

/// The same as [`gone`], told by what `who` may see of the event log.
pub fn gone_for(who: &Who, fleet: &Fleet, row: EntityRef, now: Timestamp) -> ApiError {
    gone_from(fleet.events().rev().filter(|event| who.scope.sees_event(event)), row, now)
}

/// There is no such row. The event log may still know who deleted it.
pub fn gone(fleet: &Fleet, row: EntityRef, now: Timestamp) -> ApiError {
    gone_from(fleet.events().rev(), row, now)
}

/// `events` come newest first.
fn gone_from<'f>(
    mut events: impl Iterator<Item = &'f Arc<Event>>,
    row: EntityRef,
    now: Timestamp,
) -> ApiError {
    let what = match row {
        EntityRef::Worker(_) => "worker",
        EntityRef::Net(_) => "net",
        EntityRef::Cluster(_) => "cluster",
        EntityRef::Project(_) => "project",
        EntityRef::Host(_) => "host",
        EntityRef::Command(_) => "command",
        EntityRef::Pipeline(_) => "pipeline",
        EntityRef::Build(_) => "build",
        EntityRef::Lab(_) => "lab",
        EntityRef::PullRequest(_) => "pull request",
        EntityRef::Repository => "repository",
        EntityRef::Event(_) => "event",
        EntityRef::Rules => "rules",
    };
    let tells = |event: &&Arc<Event>| match row {
        EntityRef::Worker(id) => event.kind == "worker.deleted" && event.worker_id == Some(id),
        EntityRef::Net(id) => event.kind == "net.deleted" && event.net_id == Some(id),
        EntityRef::Host(id) => event.kind == "host.removed" && event.host_id == Some(id),
        _ => false,
    };
    let last = events.find(tells).map(|event| LastAction {
        action: WorkerAction::Delete,
        actor: event.actor.clone(),
        at: event.at,
    });
    match lifecycle::who_did(last.as_ref(), now) {
        Some(who) => ApiError::Deleted { what: what.to_owned(), who },
        None => ApiError::Gone { what: what.to_owned() },
    }
}

/// An action that failed and left the state as it was is told in the log, too.
pub fn log_worker_failure(draft: &mut Draft, worker: &Worker, action: WorkerAction, why: &str) {
    let text = format!("Could not {} worker {}: {why}", action.verb(), worker.name);
    let (cluster, id) = (worker.cluster_id, worker.id);
    draft.log(Severity::Error, "error.reported", text, |event: &mut Event| {
        (event.cluster_id, event.worker_id) = (Some(cluster), Some(id));
    });
}

/// What an action did to a net that no state of it tells.
pub fn log_net_done(draft: &mut Draft, net: &Net, text: String) {
    let (project, id, worker) = (net.project_id, net.id, net.worker_id);
    draft.log(Severity::Info, "net.updated", text, |event: &mut Event| {
        (event.project_id, event.net_id, event.worker_id) = (Some(project), Some(id), worker);
    });
}

/// What happens to a worker without its status telling.
pub fn log_worker_done(draft: &mut Draft, worker: &Worker, text: String) {
    let (cluster, id) = (worker.cluster_id, worker.id);
    draft.log(Severity::Info, "worker.updated", text, |event: &mut Event| {
        (event.cluster_id, event.worker_id) = (Some(cluster), Some(id));
    });
}

pub fn log_net_failure(draft: &mut Draft, net: &Net, action: NetAction, why: &str) {
    let text = format!("Could not {} net {}: {why}", action.verb(), net.name);
    let (project, id, worker) = (net.project_id, net.id, net.worker_id);
    draft.log(Severity::Error, "error.reported", text, |event: &mut Event| {
        (event.project_id, event.net_id, event.worker_id) = (Some(project), Some(id), worker);
    });
}
