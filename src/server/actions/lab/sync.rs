//! Asking workers for their labs, and how often that is done.

use crate::{
    app::error::{ApiError, Current},
    model::{
        ClusterId, Done, EntityRef, LabState, Role, Worker, WorkerId, action::whole_number_wanted,
        lab::SYNC_MINUTES,
    },
    server::{
        App,
        actions::outcome::{gone_for, once, run},
        api::error::internal,
        auth::Who,
        clock::now,
        labs::{self, Reach, SyncError},
        storage::idempotency::Key,
    },
    sync::scope::Scope,
};
use std::sync::Arc;

/// Asks a worker for its labs now, those that work too.
pub async fn refresh(app: &App, who: &Who, id: WorkerId) -> Result<Done, ApiError> {
    who.need_somewhere(Role::Operator)?;
    let fleet = app.store().fleet();
    let worker = fleet.worker(id).ok_or_else(|| gone_for(who, &fleet, EntityRef::Worker(id), now()))?.clone();
    not_ready(&worker)?;
    app.supervisor().labs().may_ask(id).map_err(|left| ApiError::TooMany {
        retry_after_s: left.as_secs() + u64::from(left.subsec_nanos() > 0),
    })?;
    let (app, who, name) = (app.clone(), who.clone(), worker.name.clone());
    run(&app.clone(), format!("Asking {name} for its labs"), async move {
        let asked = labs::sync(&app, id, Reach::All).await;
        let row = || app.store().fleet().worker(id).cloned();
        match asked {
            Ok(_) => {
                let fleet = app.store().fleet();
                let states: Vec<LabState> = fleet
                    .labs_on(id)
                    .filter(|lab| who.scope.sees_project(lab.project_id))
                    .map(|lab| lab.state)
                    .collect();
                let active = states.iter().filter(|state| state.is_active()).count();
                let labs = if states.len() == 1 { "lab" } else { "labs" };
                // Labs of projects that are not the user's are none of theirs.
                let yours = if who.scope == Scope::Fleet { "" } else { " of your projects" };
                let message =
                    format!("Asked {name}: it has {} {labs}{yours}, {active} of them at work.", states.len());
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
