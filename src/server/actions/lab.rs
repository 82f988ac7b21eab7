//! What can be done to labs. The worker does it; the row and its history say so afterwards.
//!
//! Whoever speaks with a worker about its labs has the turn to ([`Desk::turn`](crate::server::labs::Desk::turn)) from the question to the
//! row, so that no row is written from an older word than the one before it.

use super::{
    create::taken,
    net::theirs,
    outcome::{begin, end_with, gone, gone_for, once, run, same_revision},
};
use crate::{
    app::error::{ApiError, Current},
    model::{
        Actor, ClusterId, DefinitionHash, Done, Draft, EntityRef, Event, Lab, LabAction, LabEntry, LabId,
        LabState, Machine, Name, Net, NewLab, Refusal, Role, Severity, Worker, WorkerId,
        action::whole_number_wanted,
        lab::{LABS_ON_A_WORKER, SYNC_MINUTES},
        lifecycle::{Verb, lab_action, lab_worker},
    },
    petri::pnml::{self, Limits},
    server::{
        App,
        api::error::internal,
        auth::Who,
        clock::now,
        labs::{self, NOT_THERE, Reach, SyncError, plan},
        storage::{SideWrite, definitions, idempotency::Key, versions},
        workers::CallError,
    },
    worker::protocol::{HostedLab, NewLab as Made},
};
use std::sync::Arc;
use uuid::Uuid;

/// A lab as it will be made.
struct Wanted {
    id: LabId,
    name: Name,
    new: NewLab,
    version: u32,
    definition: DefinitionHash,
    pnml: String,
    worker: WorkerId,
}

pub async fn create(app: &App, who: &Who, new: NewLab, key: Option<Key>) -> Result<Done, ApiError> {
    let bad = |detail: String| ApiError::BadRequest { detail };
    let name = Name::new(&new.name).map_err(|error| bad(error.to_string()))?;
    let fleet = app.store().fleet();
    let net = theirs(&Draft::new(&fleet, who.actor(), now()), who, new.net_id)?;
    let worker = new.worker_id.or(net.worker_id).ok_or_else(|| {
        bad(format!("The net {} is on no worker: say with worker_id where the lab is to be.", net.name))
    })?;
    let (version, definition) = version_of(app, &net, new.version).await?;
    let pnml = text_of(app, definition).await?;
    let read = {
        let (pnml, plan) = (pnml.clone(), new.plan.clone());
        tokio::task::spawn_blocking(move || {
            pnml::read(pnml.as_bytes(), &Limits::default()).map(|net| plan::check(&plan, &net))
        })
    };
    let read = read.await.map_err(|error| internal(&error))?;
    let read = read.map_err(|error| ApiError::BadPnml {
        line: error.line,
        column: error.column,
        reason: error.kind.to_string(),
    });
    read?.map_err(bad)?;
    let doing = format!("Making lab {name}");
    let wanted = Wanted { id: LabId(Uuid::now_v7()), name, new, version, definition, pnml, worker };
    run(app, doing, make(app.clone(), who.clone(), wanted, key)).await
}

/// The version that is asked for, or the one in force.
async fn version_of(app: &App, net: &Net, wanted: Option<u32>) -> Result<(u32, DefinitionHash), ApiError> {
    let number = wanted.unwrap_or(net.version);
    let known =
        [Some((net.version, net.definition)), net.newer.map(|newer| (newer.number, newer.definition))];
    if let Some(known) = known.into_iter().flatten().find(|(known, _)| *known == number) {
        return Ok(known);
    }
    let row = versions::one(app.store().pool(), net.id, number).await.map_err(|error| internal(&error))?;
    row.map(|row| (number, row.version.definition)).ok_or_else(|| ApiError::BadRequest {
        detail: format!(
            "version names {number}, which net {} does not have; its newest is {}.",
            net.name,
            net.newest().number
        ),
    })
}

async fn text_of(app: &App, definition: DefinitionHash) -> Result<String, ApiError> {
    let pnml = definitions::get(app.store().pool(), definition).await.map_err(|error| internal(&error))?;
    let pnml = pnml.ok_or_else(|| internal(&format!("definition {definition} is missing")))?;
    String::from_utf8(pnml).map_err(|_| ApiError::BadRequest {
        detail: "This version of the net cannot be read: its file is not UTF-8.".to_owned(),
    })
}

async fn make(app: App, who: Who, wanted: Wanted, key: Option<Key>) -> Result<Done, ApiError> {
    let _turn = app.supervisor().labs().turn(wanted.worker).await;
    let (net, name, worker) = (wanted.new.net_id, wanted.name.clone(), wanted.worker);
    let begun = {
        let (by, name) = (who.clone(), name.clone());
        begin(&app, &who, key.clone(), move |draft| may_be_made(draft, &by, net, &name, worker))
    };
    let (worker, machine) = match begun.await? {
        Ok(rows) => rows,
        Err(first_answer) => return Ok(first_answer),
    };
    let made = Made { id: wanted.id, net_id: net, plan: wanted.new.plan.clone(), pnml: wanted.pnml };
    let hosted = match app.client().make_lab(&machine, worker.id, &made).await {
        Ok(hosted) => hosted,
        Err(error) => {
            let (why, answer) = failed(&app, &worker, LabAction::Create, &name, &error).await;
            return end_with(&app, who.actor(), key, move |draft| {
                log_failure(draft, net, &worker, format!("Could not make lab {name}: {why}"));
                (Err(answer(draft)), Vec::new())
            })
            .await;
        }
    };
    let started = match wanted.new.start {
        true => Some(app.client().start_lab(&machine, worker.id, wanted.id).await),
        false => None,
    };
    let not_started = match &started {
        Some(Err(error)) => Some(failed(&app, &worker, LabAction::Start, &name, error).await.0),
        _ => None,
    };
    let hosted = started.and_then(Result::ok).unwrap_or(hosted);
    let (caller, started, worker_id, machine_then) =
        (who.clone(), wanted.new.start, worker.id, machine.clone());
    let outcome = end_with(&app, who.actor(), key, move |draft| {
        let row = (|| {
            let net = theirs(draft, &caller, net)?;
            taken_by(draft, &net, &name)?;
            draft.worker(worker_id)?;
            Ok::<_, ApiError>(net)
        })();
        let net = match row {
            Ok(net) => net,
            Err(error) => return (Err(error), Vec::new()),
        };
        let mut lab = Lab {
            id: wanted.id,
            project_id: net.project_id,
            net_id: net.id,
            version: wanted.version,
            definition: wanted.definition,
            worker_id: Some(worker_id),
            name: name.clone(),
            plan: wanted.new.plan,
            state: hosted.state,
            error: hosted.error,
            progress: hosted.progress,
            incarnation: Some(machine_then.incarnation),
            synced_at: draft.now(),
            history: Vec::new(),
            revision: 0,
            created_at: draft.now(),
            updated_at: draft.now(),
        };
        lab.remember(entry(draft, LabAction::Create, format!("Made on {}", worker.name)));
        // Two rows of its history are two entries in the log.
        if let Err(error) = draft.put_lab(lab.clone()) {
            return (Err(error.into()), Vec::new());
        }
        let mut message = format!("Made lab {name} on {}", worker.name);
        if started {
            let text = match &not_started {
                None => "Started".to_owned(),
                Some(why) => format!("Could not start: {}", bare(why)),
            };
            message.push_str(match &not_started {
                None => " and started it.",
                Some(_) => ". It could not be started: ",
            });
            message.push_str(not_started.as_deref().unwrap_or_default());
            lab.remember(entry(draft, LabAction::Start, text));
            if let Err(error) = draft.put_lab(lab) {
                return (Err(error.into()), Vec::new());
            }
        } else {
            message.push('.');
        }
        (done(draft, wanted.id, message), Vec::new())
    })
    .await;
    if outcome.is_err()
        && let Err(error) = app.client().delete_lab(&machine, worker_id, wanted.id).await
    {
        tracing::warn!(%error, lab = %wanted.id, "a lab that came too late could not be deleted yet");
    }
    app.supervisor().labs().call(worker_id, Reach::Over);
    outcome
}

/// The worker, and its machine, if a lab of this name may be made there.
fn may_be_made(
    draft: &Draft,
    who: &Who,
    net: crate::model::NetId,
    name: &Name,
    worker: WorkerId,
) -> Result<(Arc<Worker>, Machine), ApiError> {
    let net = theirs(draft, who, net)?;
    let row =
        draft.worker(worker).map_err(|_| gone(draft.before(), EntityRef::Worker(worker), draft.now()))?;
    lab_worker(name, row, LabAction::Create).map_err(|refusal| refused(draft, &refusal, Some(row)))?;
    taken_by(draft, &net, name)?;
    let machine = machine_of(row)?;
    let there = |lab: &&Arc<Lab>| lab.incarnation == Some(machine.incarnation);
    if draft.labs_on(worker).iter().filter(there).count() >= LABS_ON_A_WORKER {
        let detail = format!(
            "Cannot make lab {name}: worker {} has {LABS_ON_A_WORKER} labs, which is the most that one holds. Delete one first, or choose another worker.",
            row.name
        );
        return Err(ApiError::Refused { detail, code: "lab_limit".to_owned(), current: None });
    }
    Ok((row.clone(), machine))
}

fn taken_by(draft: &Draft, net: &Net, name: &Name) -> Result<(), ApiError> {
    match draft.labs_of(net.id).iter().find(|lab| lab.name.reads_as(name)) {
        Some(there) => Err(taken("lab", &there.name, &format!("net {}", net.name))),
        None => Ok(()),
    }
}

/// Where a lab is, as it was when that was asked for.
type Place = (Arc<Lab>, Option<(Arc<Worker>, Machine)>);

/// Starts, stops, wipes or deletes; `if_match` is the lab's revision.
pub async fn act(
    app: &App,
    who: &Who,
    id: LabId,
    action: LabAction,
    if_match: Option<u64>,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    let fleet = app.store().fleet();
    let lab = their_lab(&Draft::new(&fleet, who.actor(), now()), who, id)?;
    let doing = format!("{} lab {}", action.doing(), lab.name);
    run(app, doing, act_in_turn(app.clone(), who.clone(), id, lab.worker_id, action, if_match, key)).await
}

async fn act_in_turn(
    app: App,
    who: Who,
    id: LabId,
    worker: Option<WorkerId>,
    action: LabAction,
    if_match: Option<u64>,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    let _turn = match worker {
        Some(worker) => Some(app.supervisor().labs().turn(worker).await),
        None => None,
    };
    let begun = {
        let by = who.clone();
        begin(&app, &who, key.clone(), move |draft| {
            let lab = their_lab(draft, &by, id)?;
            same_revision("lab", if_match, lab.revision)?;
            let worker = lab.worker_id.and_then(|id| draft.worker(id).ok());
            lab_action(&lab, worker.map(Arc::as_ref), action)
                .map_err(|refusal| refused(draft, &refusal, worker))?;
            let there = worker.filter(|worker| worker.is_ready());
            let there = there.map(|worker| Ok::<_, ApiError>((worker.clone(), machine_of(worker)?)));
            Ok((lab.clone(), there.transpose()?))
        })
    };
    let place = match begun.await? {
        Ok(place) => place,
        Err(first_answer) => return Ok(first_answer),
    };
    let outcome = match action {
        LabAction::Delete => delete(&app, who.actor(), place, key).await,
        _ => tell_worker(&app, who.actor(), place, action, key).await,
    };
    if let Some(worker) = worker {
        // What it did meanwhile, what it has found, and how many it has now.
        app.supervisor().labs().call(worker, Reach::Over);
    }
    outcome
}

/// What a worker made of it.
struct Word {
    hosted: HostedLab,
    /// It begins anew: what it had found is forgotten.
    anew: bool,
}

async fn tell_worker(
    app: &App,
    actor: Actor,
    (lab, there): Place,
    action: LabAction,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    let id = lab.id;
    let (worker, machine) =
        there.ok_or_else(|| internal(&format!("lab {id} was to be told to a worker that is not ready")))?;
    match ask(app, &lab, &worker, &machine, action).await {
        Ok(word) => {
            end_with(app, actor, key, move |draft| {
                let mut lab = match draft.lab(id) {
                    Ok(lab) => Lab::clone(lab),
                    Err(error) => return (Err(error.into()), Vec::new()),
                };
                let Word { hosted, anew } = word;
                (lab.state, lab.error, lab.progress) = (hosted.state, hosted.error, hosted.progress);
                (lab.incarnation, lab.synced_at) = (Some(machine.incarnation), draft.now());
                let text = match (action, anew) {
                    (LabAction::Start, true) => format!("Made anew on {} and started", worker.name),
                    (LabAction::Start, false) => format!("Started on {}", worker.name),
                    (LabAction::Stop, _) => "Stopped".to_owned(),
                    _ => "Wiped".to_owned(),
                };
                let message = match action {
                    LabAction::Start => format!("Started lab {} on {}.", lab.name, worker.name),
                    LabAction::Stop => format!("Stopped lab {}.", lab.name),
                    _ => format!("Wiped lab {}.", lab.name),
                };
                lab.remember(entry(draft, action, text));
                if let Err(error) = draft.put_lab(lab) {
                    return (Err(error.into()), Vec::new());
                }
                let side = anew.then_some(SideWrite::NoLabResults { lab: id });
                (done(draft, id, message), side.into_iter().collect())
            })
            .await
        }
        Err(Failure::Ours(error)) => {
            let why = error.to_string();
            end_with(app, actor, key, move |draft| {
                write_failure(draft, id, action, &why, false);
                (Err(error), Vec::new())
            })
            .await
        }
        Err(Failure::Call(error)) => {
            let not_there = is_not_there(&error);
            let (why, answer) = failed(app, &worker, action, &lab.name, &error).await;
            end_with(app, actor, key, move |draft| {
                write_failure(draft, id, action, &why, not_there);
                (Err(answer(draft)), Vec::new())
            })
            .await
        }
    }
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

/// The worker that is there has no such lab.
fn is_not_there(error: &CallError) -> bool {
    matches!(error, CallError::Refused { status: 404, error } if error.code == "no_lab")
}

/// Has the worker do it. What it does not have (any more) is made anew there first, if it is to be started or emptied.
async fn ask(
    app: &App,
    lab: &Lab,
    worker: &Worker,
    machine: &Machine,
    action: LabAction,
) -> Result<Word, Failure> {
    let (client, id) = (app.client(), lab.id);
    let known_there = lab.incarnation == Some(machine.incarnation);
    let first = match (action, known_there) {
        (LabAction::Stop, _) => Some(client.stop_lab(machine, worker.id, id).await),
        (LabAction::Start, true) => Some(client.start_lab(machine, worker.id, id).await),
        (LabAction::Wipe, true) => Some(client.wipe_lab(machine, worker.id, id).await),
        _ => None,
    };
    match first {
        Some(Ok(hosted)) => return Ok(Word { hosted, anew: action == LabAction::Wipe }),
        Some(Err(error)) if action == LabAction::Stop || !is_not_there(&error) => return Err(error.into()),
        Some(Err(_)) | None => {}
    }
    let pnml = text_of(app, lab.definition).await.map_err(Failure::Ours)?;
    let made = Made { id, net_id: lab.net_id, plan: lab.plan.clone(), pnml };
    let mut hosted = client.make_lab(machine, worker.id, &made).await?;
    if action == LabAction::Start {
        hosted = client.start_lab(machine, worker.id, id).await?;
    }
    Ok(Word { hosted, anew: true })
}

/// The record goes; what the worker has of it goes with it, or when the worker is heard again.
async fn delete(app: &App, actor: Actor, (lab, there): Place, key: Option<Key>) -> Result<Done, ApiError> {
    let id = lab.id;
    let stays = match &there {
        Some((worker, machine)) => {
            app.client().delete_lab(machine, worker.id, id).await.err().filter(CallError::is_workers_fault)
        }
        // Where it was, or that is gone, it is looked for once the worker is heard.
        None => None,
    };
    if let Some(error) = &stays {
        tracing::warn!(%error, lab = %id, "a deleted lab stays on its worker for now");
    }
    end_with(app, actor, key, move |draft| {
        if let Err(error) = draft.delete_lab(id) {
            return (Err(error.into()), Vec::new());
        }
        let rest = match stays {
            Some(_) => " Its worker did not answer; what it has of it goes when it is heard again.",
            None => "",
        };
        let message = format!("Deleted lab {}.{rest}", lab.name);
        (Ok(Done { message, ..Done::default() }), Vec::new())
    })
    .await
}

/// Asks a worker for its labs now, those that work too.
pub async fn refresh(app: &App, who: &Who, id: WorkerId) -> Result<Done, ApiError> {
    who.need_somewhere(Role::Operator)?;
    let fleet = app.store().fleet();
    let worker = fleet.worker(id).ok_or_else(|| gone_for(who, &fleet, EntityRef::Worker(id), now()))?.clone();
    not_ready(&worker)?;
    app.supervisor().labs().may_ask(id).map_err(|left| ApiError::TooMany {
        retry_after_s: left.as_secs() + u64::from(left.subsec_nanos() > 0),
    })?;
    let (app, name) = (app.clone(), worker.name.clone());
    run(&app.clone(), format!("Asking {name} for its labs"), async move {
        let asked = labs::sync(&app, id, Reach::All).await;
        let row = || app.store().fleet().worker(id).cloned();
        match asked {
            Ok(counts) => {
                let labs = if counts.total == 1 { "lab" } else { "labs" };
                let message = format!(
                    "Asked {name}: it has {} {labs}, {} of them at work.",
                    counts.total, counts.active
                );
                Ok(Done { message, worker: row(), ..Done::default() })
            }
            Err(SyncError::Storage(error)) => Err(internal(&error)),
            Err(error) => {
                if let Err(error) = app.supervisor().refresh(id).await {
                    tracing::warn!(%error, worker = %id, "the worker could not be checked");
                }
                let row = row().ok_or(ApiError::Gone { what: "worker".to_owned() })?;
                let detail = format!(
                    "Could not ask {name} for its labs: {error} Worker {name} is now {}.",
                    row.status
                );
                Err(ApiError::WorkerUnavailable { detail, current: Some(Current::Worker(row)) })
            }
        }
    })
    .await
}

/// How often the labs of a cluster's workers are asked for.
pub async fn set_sync(
    app: &App,
    who: &Who,
    id: ClusterId,
    minutes: Option<u32>,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    who.need(Role::Admin)?;
    if let Some(given) = minutes.filter(|minutes| !SYNC_MINUTES.contains(&u64::from(*minutes))) {
        let detail = whole_number_wanted("minutes", &SYNC_MINUTES, &given.to_string());
        return Err(ApiError::BadRequest { detail });
    }
    once(app, who, key, move |draft| {
        let gone = || ApiError::Gone { what: "cluster".to_owned() };
        let before = draft.before().cluster(id).cloned().ok_or_else(gone)?;
        let row = crate::model::Cluster { lab_sync_minutes: minutes, ..(*before).clone() };
        let cluster = if row == *before { before } else { draft.put_cluster(row) };
        let message = match minutes {
            Some(1) => format!("The workers of {} are asked for their labs every minute now.", cluster.name),
            Some(minutes) => {
                format!(
                    "The workers of {} are asked for their labs every {minutes} minutes now.",
                    cluster.name
                )
            }
            None => format!("The workers of {} are asked for their labs as often as usual.", cluster.name),
        };
        Ok((Done { message, cluster: Some(cluster), ..Done::default() }, Vec::new()))
    })
    .await
}

/// A lab that `who` sees and may act on.
fn their_lab(draft: &Draft, who: &Who, id: LabId) -> Result<Arc<Lab>, ApiError> {
    let lab = draft.lab(id).map_err(|_| gone_for(who, draft.before(), EntityRef::Lab(id), draft.now()))?;
    if !who.scope.sees_project(lab.project_id) {
        return Err(ApiError::Gone { what: "lab".to_owned() });
    }
    who.need_in(lab.project_id, Role::Operator)?;
    Ok(lab.clone())
}

fn machine_of(worker: &Worker) -> Result<Machine, ApiError> {
    let missing = || internal(&format!("the ready worker {} has no machine", worker.name));
    worker.machine.clone().ok_or_else(missing)
}

fn refused(draft: &Draft, refusal: &Refusal, worker: Option<&Arc<Worker>>) -> ApiError {
    let current = match refusal {
        Refusal::NetWorker { .. } => worker.cloned().map(Current::Worker),
        _ => None,
    };
    ApiError::refused(refusal, draft.now(), None, current)
}

fn not_ready(worker: &Arc<Worker>) -> Result<(), ApiError> {
    if worker.is_ready() {
        return Ok(());
    }
    let detail = format!(
        "Cannot ask {} for its labs: it is {}. What was last known of them is kept.",
        worker.name, worker.status
    );
    Err(ApiError::Refused {
        detail,
        code: "worker_state".to_owned(),
        current: Some(Current::Worker(worker.clone())),
    })
}

fn entry(draft: &Draft, action: LabAction, text: String) -> LabEntry {
    LabEntry { at: draft.now(), actor: draft.actor().clone(), action: Some(action), text }
}

/// A sentence as part of another.
fn bare(sentence: &str) -> &str {
    sentence.trim_end_matches('.')
}

/// Writes down that it failed; and that the lab is lost, if that is why.
fn write_failure(draft: &mut Draft, id: LabId, action: LabAction, why: &str, not_there: bool) {
    let Ok(lab) = draft.lab(id) else { return };
    let mut lab = Lab::clone(lab);
    if not_there && !matches!(lab.state, LabState::Done | LabState::Failed) {
        (lab.state, lab.error, lab.incarnation) = (LabState::Lost, Some(NOT_THERE.to_owned()), None);
        lab.synced_at = draft.now();
    }
    lab.remember(entry(draft, action, format!("Could not {}: {}", action.verb(), bare(why))));
    // It was there a line ago.
    let _ = draft.put_lab(lab);
}

fn log_failure(draft: &mut Draft, net: crate::model::NetId, worker: &Worker, text: String) {
    let project = draft.net(net).ok().map(|net| net.project_id);
    let (cluster, worker) = (worker.cluster_id, worker.id);
    draft.log(Severity::Error, "error.reported", text, |event: &mut Event| {
        (event.project_id, event.net_id) = (project, Some(net));
        (event.cluster_id, event.worker_id) = (Some(cluster), Some(worker));
    });
}

fn done(draft: &Draft, id: LabId, message: String) -> Result<Done, ApiError> {
    Ok(Done { message, lab: Some(draft.lab(id)?.clone()), ..Done::default() })
}

/// What is said of a call that failed, and the answer to whoever asked. A worker that could not be heard is checked first.
async fn failed(
    app: &App,
    worker: &Worker,
    action: LabAction,
    name: &Name,
    error: &CallError,
) -> (String, impl FnOnce(&Draft) -> ApiError + Send + 'static) {
    let why = error.to_string();
    if error.is_workers_fault() {
        tracing::warn!(%error, worker = %worker.name, "a worker could not be spoken to about a lab");
        if let Err(error) = app.supervisor().refresh(worker.id).await {
            tracing::warn!(%error, worker = %worker.name, "the worker could not be checked");
        }
    }
    let detail = format!("Could not {} lab {name}: {}.", action.verb(), bare(&why));
    let refusal = match error {
        CallError::Refused { status, .. } => Some(*status),
        _ => None,
    };
    let id = worker.id;
    let answer = move |draft: &Draft| match refusal {
        Some(404 | 409) => ApiError::Refused { detail, code: "worker_refused".to_owned(), current: None },
        Some(400 | 413 | 422) => ApiError::BadRequest { detail },
        _ => {
            let row = draft.worker(id).ok().cloned();
            let now = match &row {
                Some(row) => format!(" Worker {} is now {}.", row.name, row.status),
                None => " The worker no longer exists.".to_owned(),
            };
            let detail = format!("{detail}{now}");
            ApiError::WorkerUnavailable { detail, current: row.map(Current::Worker) }
        }
    };
    (why, answer)
}
