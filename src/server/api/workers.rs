//! `/api/workers`.

use super::extract::{self, id, json, options, position, row, wanted};
use crate::{
    app::error::ApiError,
    model::{Action, Done, Provider, Role, WorkerAction, WorkerId},
    server::{App, actions::perform, api::error::internal, auth::Who, storage::audit},
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the process of an external worker must be started with.
#[derive(Serialize)]
struct Token<'a> {
    worker_id: WorkerId,
    token: &'a str,
}

#[derive(Deserialize)]
pub struct ListQuery {
    pub ids: Option<String>,
}

pub async fn list(
    State(app): State<App>,
    who: Who,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    let wanted = wanted::<WorkerId>(query.ids.as_deref(), "worker")?;
    let fleet = app.store().fleet();
    let rows = fleet.workers().filter(|row| wanted.as_ref().is_none_or(|wanted| wanted.contains(&row.id)));
    let rows: Vec<_> = rows.map(Arc::clone).collect();
    Ok(extract::list(&rows, |row| (row.id.0, row.revision), at, &headers))
}

pub async fn show(
    State(app): State<App>,
    who: Who,
    Path(worker): Path<String>,
) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    let id: WorkerId = id(&worker, "worker")?;
    let fleet = app.store().fleet();
    fleet.worker(id).map(|worker| row(&**worker, at)).ok_or(ApiError::Gone { what: "worker".to_owned() })
}

pub async fn create(
    State(app): State<App>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let done = perform(&app, &who, Action::CreateWorker(json(&body)?), options(&headers)?).await?;
    Ok((StatusCode::CREATED, Json(done)).into_response())
}

/// The token of an external worker, for who starts its process. Told to administrators, and the audit log says to whom.
pub async fn token(
    State(app): State<App>,
    who: Who,
    Path(worker): Path<String>,
) -> Result<Response, ApiError> {
    who.need(Role::Admin)?;
    let id: WorkerId = id(&worker, "worker")?;
    let row = app.store().fleet().worker(id).cloned().ok_or(ApiError::Gone { what: "worker".to_owned() })?;
    if row.provider != Provider::External {
        return Err(ApiError::Conflict {
            detail: format!(
                "The token of {} is handed to its process by the console itself; nobody else needs it.",
                row.name
            ),
        });
    }
    let (target, outcome) = (format!("worker {id}"), "shown".to_owned());
    let entry = audit::Entry { actor: who.actor(), action: "show token", target, outcome };
    // Not told without a trace.
    app.store().audit(entry).await.map_err(|error| internal(&error))?;
    let token = app.client().token(id);
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((headers, Json(Token { worker_id: id, token: token.as_str() })).into_response())
}

pub async fn act(
    State(app): State<App>,
    who: Who,
    Path((worker, action)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Done>, ApiError> {
    let action = match action.as_str() {
        "provision" => WorkerAction::Provision,
        "start" => WorkerAction::Start,
        "stop" => WorkerAction::Stop,
        "destroy" => WorkerAction::Destroy,
        "refresh" => WorkerAction::Refresh,
        other => {
            return Err(ApiError::BadRequest { detail: format!("{other:?} is not an action on workers.") });
        }
    };
    act_on(&app, &who, &worker, action, &headers).await
}

pub async fn delete(
    State(app): State<App>,
    who: Who,
    Path(worker): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Done>, ApiError> {
    act_on(&app, &who, &worker, WorkerAction::Delete, &headers).await
}

async fn act_on(
    app: &App,
    who: &Who,
    worker: &str,
    action: WorkerAction,
    headers: &HeaderMap,
) -> Result<Json<Done>, ApiError> {
    let action = Action::Worker { id: id(worker, "worker")?, action };
    perform(app, who, action, options(headers)?).await.map(Json)
}
