//! Starting, stopping, wiping and deleting a lab.

use super::{done, entry, failed, machine_of, refused, text_of, their_lab, write_failure};
use crate::{
    app::{error::ApiError, labs::LabReport},
    model::{
        Actor, Done, Draft, Lab, LabAction, LabId, Machine, Worker, WorkerId,
        lifecycle::{Verb, lab_action},
    },
    server::{
        App,
        actions::outcome::{begin, end_with, run, same_revision},
        api::error::internal,
        auth::Who,
        clock::now,
        labs::Reach,
        storage::{SideWrite, idempotency::Key},
        workers::CallError,
    },
    worker::protocol::{HostedLab, NewLab as Made},
};
use std::sync::Arc;

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
            let found = last_found(app, &machine, worker.id, id, action).await;
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
                let kept = found.map(|report| SideWrite::LabResults { lab: id, report });
                let side = if anew { Some(SideWrite::NoLabResults { lab: id }) } else { kept };
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

/// What a lab that was stopped has found, so that the results are no older than the record. Where it cannot be had now, it is synced a little
/// later.
async fn last_found(
    app: &App,
    machine: &Machine,
    worker: WorkerId,
    id: LabId,
    action: LabAction,
) -> Option<Arc<LabReport>> {
    if action != LabAction::Stop {
        return None;
    }
    let at = now();
    match app.client().lab_results(machine, worker, id).await {
        Ok(results) => Some(Arc::new(LabReport { at, results })),
        Err(error) => {
            tracing::debug!(lab = %id, %error, "a lab that was stopped could not be asked for what it has found");
            None
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
