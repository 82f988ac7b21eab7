//! Making a lab: on a worker that is ready, with a copy of the net.

use super::{bare, done, entry, failed, log_failure, machine_of, refused, text_of};
use crate::{
    app::error::ApiError,
    model::{
        DefinitionHash, Done, Draft, EntityRef, Lab, LabAction, LabId, Machine, Name, Net, NewLab, Worker,
        WorkerId, lab::LABS_ON_A_WORKER, lifecycle::lab_worker,
    },
    petri::pnml::{self, Limits},
    server::{
        App,
        actions::{
            create::taken,
            net::theirs,
            outcome::{begin, end_with, gone, run, stays},
        },
        api::error::internal,
        auth::Who,
        clock::now,
        labs::{Reach, plan},
        storage::{idempotency::Key, versions},
    },
    worker::protocol::NewLab as Made,
};
use std::sync::Arc;
use uuid::Uuid;

/// What is done to a net by making a lab.
const OF_A_NET: &str = "make a lab of";

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
    stays(&Draft::new(&fleet, who.actor(), now()), &net, OF_A_NET)?;
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
    stays(draft, &net, OF_A_NET)?;
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
