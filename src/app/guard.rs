//! Before an action is sent, look again: the row may have changed since it was drawn, or since the operator looked (seed 000).
//!
//! Ask where something would be lost; fetch the row; ask the lifecycle; only then send, with the revision just seen and a fresh key. When
//! it fails, look once more and say what is known now. The guard is courtesy; the server checks the same inside its transaction.

mod groups;
mod hosts;
mod labs;

pub use hosts::{HostDesk, ToldToken, use_host_desk};
pub use labs::loses as lab_action_loses;

use super::{
    actions::{ActOnNet, ActOnWorker, act_on_net, act_on_worker},
    components::{Confirm, Question, Toasts},
    error::ApiError,
    live::http,
    store::Store,
};
use crate::model::{
    Done, Event, LastAction, Net, NetAction, NetId, Refusal, RunState, Worker, WorkerAction, WorkerId,
    lifecycle::{self, NetWord, Verb},
    time::age,
};
use leptos::prelude::*;
use std::future::Future;

/// What an action needs at hand, wherever on the page it starts.
#[derive(Clone, Copy)]
pub struct Desk {
    pub store: Store,
    pub toasts: Toasts,
    pub confirm: Confirm,
}

pub fn use_desk() -> Desk {
    expect_context()
}

/// How a guarded action ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Done(Done),
    /// The operator answered "Cancel".
    Called,
    /// Not sent: the state is another one now.
    Changed(String),
    /// Sent, and not done (or not known to be).
    Failed(String),
}

impl Desk {
    /// Does it, and says how it ended.
    pub async fn worker(self, ask: ActOnWorker) {
        let goes = ask.action == WorkerAction::Delete;
        let outcome = guard_worker(self, ask).await;
        self.tell(outcome, goes);
    }

    /// Does it, and says how it ended.
    pub async fn net(self, ask: ActOnNet) {
        let goes = ask.action == NetAction::Delete;
        let outcome = guard_net(self, ask).await;
        self.tell(outcome, goes);
    }

    /// What was done shows on the row. That a row is about to go is said as well.
    fn tell(self, outcome: Outcome, goes: bool) {
        match outcome {
            Outcome::Done(done) if goes => self.toasts.success(done.message),
            Outcome::Done(done) => self.toasts.announce(done.message),
            Outcome::Called => {}
            Outcome::Changed(text) => self.toasts.warning(text),
            Outcome::Failed(text) => self.toasts.error(text),
        }
    }
}

fn worker_url(id: WorkerId) -> String {
    format!("/api/workers/{id}")
}

fn net_url(id: NetId) -> String {
    format!("/api/nets/{id}")
}

fn fresh_key() -> String {
    uuid::Uuid::new_v4().to_string()
}

async fn guard_worker(desk: Desk, ask: ActOnWorker) -> Outcome {
    let (id, action) = (ask.id, ask.action);
    // What would be lost is told as it is while the operator reads.
    if untrack(|| worker_question(desk.store, id, action)).is_some()
        && !desk.confirm.ask_live(move || worker_words(desk.store, id, action)).await
    {
        return Outcome::Called;
    }
    let worker = match http::get_json::<Worker>(&worker_url(id)).await {
        Ok(worker) => worker,
        Err(error) => {
            let name = desk.store.worker_row(id).map(|row| row.get_untracked().name.to_string());
            return Outcome::Failed(cannot(action, name.as_deref().unwrap_or("the worker"), &error));
        }
    };
    if lifecycle::worker_action(&worker, action).is_err() {
        let changed = lifecycle::worker_changed(&worker);
        return Outcome::Changed(with_who(changed, desk, worker.last_action.as_ref()));
    }
    let key = fresh_key();
    let send = || act_on_worker(id, action, Some(worker.state_revision), Some(key.clone()));
    match until_heard(send).await {
        Ok(done) => Outcome::Done(done),
        Err(error) => {
            let known = match http::get_json::<Worker>(&worker_url(id)).await {
                Ok(now) if is_told(&error, now.state_revision) => String::new(),
                Ok(now) => format!(" {} is now {}.", now.name, now.status),
                Err(ApiError::Gone { .. } | ApiError::Deleted { .. }) => {
                    " The worker no longer exists.".to_owned()
                }
                Err(_) => " The worker may no longer be available.".to_owned(),
            };
            Outcome::Failed(with_known(&error, known))
        }
    }
}

/// Sends an action, and once more where no answer came: under the same key it is done once, and the second answer is the first.
async fn until_heard<F: Future<Output = Result<Done, ApiError>>>(
    send: impl Fn() -> F,
) -> Result<Done, ApiError> {
    match send().await {
        Err(ApiError::Unreachable { .. }) => send().await,
        heard => heard,
    }
}

/// What changed, and who did it where that is known.
fn with_who<A: Verb>(changed: String, desk: Desk, last: Option<&LastAction<A>>) -> String {
    match lifecycle::who_did(last, desk.store.now.get_untracked()) {
        Some(who) => format!("{changed} {who}"),
        None => changed,
    }
}

/// Whether the error itself came with the row as it is now.
fn is_told(error: &ApiError, state_revision: u64) -> bool {
    error.current().is_some_and(|current| current.state_revision() == state_revision)
}

async fn guard_net(desk: Desk, ask: ActOnNet) -> Outcome {
    let (id, action) = (ask.id, ask.action);
    if untrack(|| net_question(desk.store, id, action)).is_some()
        && !desk.confirm.ask_live(move || net_words(desk.store, id, action)).await
    {
        return Outcome::Called;
    }
    let (net, worker) = match net_and_worker(id).await {
        Ok(rows) => rows,
        Err(error) => {
            let name = desk.store.net_row(id).map(|row| row.get_untracked().name.to_string());
            return Outcome::Failed(cannot(action, name.as_deref().unwrap_or("the net"), &error));
        }
    };
    let target = ask.worker_id.as_ref().and_then(|id| id.parse::<WorkerId>().ok());
    // An older version is loaded whatever became of the newest.
    let asked = if ask.version.is_some() { Net { build: None, ..net.clone() } } else { net.clone() };
    let refused = lifecycle::net_action(&asked, worker.as_ref(), action).err().or_else(|| {
        let target = target.filter(|_| action == NetAction::Assign)?;
        let target = desk.store.worker_row(target)?.get_untracked();
        lifecycle::assign_target(&net, &target).err()
    });
    if let Some(refusal) = refused {
        // Where the state is as it was shown, what stands in the way is something else, and the refusal names it.
        let shown = desk.store.net_row(id).map(|row| row.get_untracked().state_revision);
        let same = shown == Some(net.state_revision) && target.is_some();
        if same {
            return Outcome::Changed(refusal.tell(desk.store.now.get_untracked()));
        }
        let changed = lifecycle::net_changed(&net, worker.as_ref());
        // Where its worker stands in the way, that is whose story it is.
        return Outcome::Changed(match (&refusal, &worker) {
            (Refusal::NetWorker { .. }, Some(worker)) => with_who(changed, desk, worker.last_action.as_ref()),
            _ => with_who(changed, desk, net.last_action.as_ref()),
        });
    }
    let ActOnNet { worker_id, rate, place, tokens, version, .. } = ask;
    let key = fresh_key();
    let send = || {
        let (worker_id, rate, place, tokens) =
            (worker_id.clone(), rate.clone(), place.clone(), tokens.clone());
        let (revision, key) = (Some(net.state_revision), Some(key.clone()));
        act_on_net(id, action, worker_id, rate, place, tokens, version, revision, key)
    };
    match until_heard(send).await {
        Ok(done) => Outcome::Done(done),
        Err(error) => {
            let known = match net_and_worker(id).await {
                Ok((now, _)) if is_told(&error, now.state_revision) => String::new(),
                Ok((now, _)) => format!(" {} is now {}.", now.name, NetWord(&now)),
                Err(ApiError::Gone { .. } | ApiError::Deleted { .. }) => {
                    " The net no longer exists.".to_owned()
                }
                Err(_) => " The worker may no longer be available.".to_owned(),
            };
            Outcome::Failed(with_known(&error, known))
        }
    }
}

async fn net_and_worker(id: NetId) -> Result<(Net, Option<Worker>), ApiError> {
    let net = http::get_json::<Net>(&net_url(id)).await?;
    let worker = match net.worker_id {
        Some(worker) => Some(http::get_json::<Worker>(&worker_url(worker)).await?),
        None => None,
    };
    Ok((net, worker))
}

fn cannot(action: impl Verb, what: &str, error: &ApiError) -> String {
    format!("Could not {} {what}. {error}", action.verb())
}

/// The error, and what is known now unless it says so itself.
fn with_known(error: &ApiError, known: String) -> String {
    match error {
        ApiError::Stale { .. }
        | ApiError::Gone { .. }
        | ApiError::Deleted { .. }
        | ApiError::BadRequest { .. }
        | ApiError::Unauthorized
        | ApiError::Forbidden { .. } => error.to_string(),
        _ => format!("{error}{known}"),
    }
}

/// Why it cannot be done any more, and who was quicker where that is known.
fn refused<A: Verb>(store: Store, refusal: &Refusal, last: Option<&LastAction<A>>) -> String {
    let now = store.now.get_untracked();
    match lifecycle::who_did(last, now).filter(|_| !refusal.is_passing()) {
        Some(who) => format!("{} {who}", refusal.tell(now)),
        None => refusal.tell(now),
    }
}

/// Of what is gone, who deleted it, as long as the log remembers.
fn gone(store: Store, what: &str, is_its: impl Fn(&Event) -> bool) -> String {
    let deleted = format!("{what}.deleted");
    let last = store.events.with_untracked(|events| {
        let event = events.iter().find(|event| event.kind == deleted && is_its(event))?;
        let (actor, at) = (event.actor.clone(), event.at);
        Some(LastAction { action: WorkerAction::Delete, actor, at })
    });
    match lifecycle::who_did(last.as_ref(), store.now.get_untracked()) {
        Some(who) => format!("The {what} no longer exists. {who}"),
        None => format!("The {what} no longer exists."),
    }
}

/// The question as it stands now, tracked; or why it does not arise any more.
fn worker_words(store: Store, id: WorkerId, action: WorkerAction) -> Result<Question, String> {
    let worker =
        store.worker(id).ok_or_else(|| gone(store, "worker", |event| event.worker_id == Some(id)))?;
    lifecycle::worker_action(&worker, action)
        .map_err(|refusal| refused(store, &refusal, worker.last_action.as_ref()))?;
    Ok(worker_question(store, id, action).unwrap_or_else(|| Question {
        title: format!("{} {}?", action.label(), worker.name),
        losses: vec!["Nothing is lost by it any more.".to_owned()],
        verb: action.label(),
    }))
}

/// The same for a net.
fn net_words(store: Store, id: NetId, action: NetAction) -> Result<Question, String> {
    let net = store.net(id).ok_or_else(|| gone(store, "net", |event| event.net_id == Some(id)))?;
    let worker = store.worker_of(&net);
    lifecycle::net_action(&net, worker.as_deref(), action).map_err(|refusal| match (&refusal, &worker) {
        (Refusal::NetWorker { .. }, Some(worker)) => refused(store, &refusal, worker.last_action.as_ref()),
        _ => refused(store, &refusal, net.last_action.as_ref()),
    })?;
    Ok(net_question(store, id, action).unwrap_or_else(|| Question {
        title: format!("{} {}?", action.label(), net.name),
        losses: vec!["Nothing is lost by it any more.".to_owned()],
        verb: action.label(),
    }))
}

/// What to ask before `action`, if it loses anything.
fn worker_question(store: Store, id: WorkerId, action: WorkerAction) -> Option<Question> {
    let worker = store.worker_row(id)?.get();
    let nets: Vec<_> = store.nets_on(id).get().into_iter().filter_map(|id| store.net_row(id)).collect();
    let nets: Vec<_> = nets.into_iter().map(|net| net.get()).collect();
    let names = |wanted: &dyn Fn(&Net) -> bool| -> Vec<String> {
        nets.iter().filter(|net| wanted(net)).map(|net| net.name.to_string()).collect()
    };
    let loaded = names(&Net::is_loaded);
    let mut losses = Vec::new();
    if !loaded.is_empty() {
        losses.push(format!(
            "{} will be unloaded and {} marking lost: {}.",
            if loaded.len() == 1 { "This net" } else { "These nets" },
            if loaded.len() == 1 { "its" } else { "their" },
            loaded.join(", ")
        ));
    }
    // Labs end with the process that holds them.
    match worker.labs.map_or(0, |labs| labs.active) {
        0 => {}
        1 => losses.push("The lab at work on it ends; what was synced of it stays here.".to_owned()),
        labs => {
            losses.push(format!("The {labs} labs at work on it end; what was synced of them stays here."))
        }
    }
    match action {
        WorkerAction::Stop if losses.is_empty() => return None,
        WorkerAction::Stop => {}
        WorkerAction::Destroy => losses
            .push("Its machine will be destroyed. The record stays and can be provisioned again.".to_owned()),
        WorkerAction::Delete => {
            let others = names(&|net| !net.is_loaded());
            if !others.is_empty() {
                losses.push(format!("No longer assigned: {}.", others.join(", ")));
            }
            let what = if worker.machine.is_some() { "Its machine and its record" } else { "Its record" };
            losses.push(format!("{what} will be gone. For {} it can be undone.", age(lifecycle::UNDO_FOR)));
        }
        WorkerAction::Provision | WorkerAction::Start | WorkerAction::Refresh | WorkerAction::UndoDelete => {
            return None;
        }
    }
    Some(Question { title: format!("{} {}?", action.label(), worker.name), losses, verb: action.label() })
}

/// How many of a net's labs would be interrupted.
fn at_work(store: Store, net: NetId) -> String {
    let labs = store.labs_of(net).get_untracked();
    let busy = labs.iter().filter_map(|id| store.lab(*id)).filter(|lab| lab.state.is_active()).count();
    match (busy, labs.len()) {
        (0, _) => String::new(),
        (_, 1) => " It is at work.".to_owned(),
        (1, _) => " One of them is at work.".to_owned(),
        (busy, _) => format!(" {busy} of them are at work."),
    }
}

/// What to ask before `action`, if it loses anything.
fn net_question(store: Store, id: NetId, action: NetAction) -> Option<Question> {
    let net = store.net_row(id)?.get();
    let marking = match net.run_state {
        RunState::Running => "It is running. It stops, and its marking is lost.",
        RunState::Idle | RunState::Dead => "Its marking is lost.",
    };
    let loss = match action {
        NetAction::Delete => format!(
            "Its definition and its history here will be gone. For {} it can be undone.",
            age(lifecycle::UNDO_FOR)
        ),
        NetAction::Unload | NetAction::Unassign | NetAction::Assign if net.is_loaded() => marking.to_owned(),
        _ => return None,
    };
    let labs = match store.labs_of(id).with_untracked(Vec::len) {
        _ if action != NetAction::Delete => None,
        0 => None,
        1 => Some(format!("Its lab goes with it, and what that found.{}", at_work(store, id))),
        labs => Some(format!("Its {labs} labs go with it, and what they found.{}", at_work(store, id))),
    };
    Some(Question {
        title: format!("{} {}?", action.label(), net.name),
        losses: [Some(loss), labs].into_iter().flatten().collect(),
        verb: action.label(),
    })
}
