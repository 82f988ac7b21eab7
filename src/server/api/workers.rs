//! `/api/workers`.

use super::{
    extract::{id, options, position, row},
    fields::Fields,
    lists::{ListRequest, Order},
};
use crate::{
    app::error::ApiError,
    model::{
        Action, Category, Done, EntityRef, NewWorker, Provider, Role, WorkerAction, WorkerId,
        action::{CPUS, MEMORY_MB},
    },
    server::{
        App,
        actions::{gone, perform},
        api::{
            error::internal,
            openapi::{Operation, bodies, post},
        },
        auth::Who,
        clock::now,
        storage::audit,
    },
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::sync::Arc;

/// What the process of an external worker must be started with.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "WorkerToken")]
pub struct Token<'a> {
    worker_id: WorkerId,
    token: &'a str,
}

pub async fn list(State(app): State<App>, who: Who, asked: ListRequest) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    let wanted = asked.wanted::<WorkerId>("worker")?;
    let fleet = app.store().fleet();
    let rows = fleet.workers().filter(|row| wanted.as_ref().is_none_or(|wanted| wanted.contains(&row.id)));
    let rows: Vec<_> = rows.map(Arc::clone).collect();
    asked.answer(rows, Order::OldestFirst, |row| (row.id.0, row.revision), at)
}

pub async fn show(
    State(app): State<App>,
    who: Who,
    Path(worker): Path<String>,
) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    let id: WorkerId = id(&worker, "worker")?;
    let fleet = app.store().fleet();
    fleet
        .worker(id)
        .map(|worker| row(&**worker, at))
        .ok_or_else(|| gone(&fleet, EntityRef::Worker(id), now()))
}

pub async fn create(
    State(app): State<App>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let body = Fields::read::<bodies::NewWorker>(&body)?;
    let new = NewWorker {
        name: body.text("name")?,
        cluster_id: body.id("cluster_id", "cluster")?,
        category: body
            .word("category", &[Category::Ephemeral, Category::Persistent].map(|it| (it.as_str(), it)))?,
        cpus: body.whole_number("cpus", &CPUS)?,
        memory_mb: body.whole_number("memory_mb", &MEMORY_MB)?,
        endpoint: body.optional_text("endpoint")?,
    };
    let done = perform(&app, &who, Action::CreateWorker(new), options(&headers)?).await?;
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
    let fleet = app.store().fleet();
    let row = fleet.worker(id).ok_or_else(|| gone(&fleet, EntityRef::Worker(id), now()))?;
    if row.provider != Provider::External {
        return Err(ApiError::Conflict {
            detail: format!(
                "The token of {} is handed to its process by the console itself; nobody else needs it.",
                row.name
            ),
        });
    }
    let (target, outcome) = (format!("worker {id}"), "shown".to_owned());
    let line = audit::Line { at: now(), actor: who.actor(), action: "show token", target, outcome };
    // Not told without a trace.
    app.store().record(line).await.map_err(|error| internal(&error))?;
    let token = app.client().token(id);
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((headers, Json(Token { worker_id: id, token: token.as_str() })).into_response())
}

/// The operation that does `action`.
pub fn act(path: &'static str, summary: &'static str, action: WorkerAction) -> Operation {
    let handler =
        async move |State(app): State<App>, who: Who, Path(worker): Path<String>, headers: HeaderMap| {
            act_on(&app, &who, &worker, action, &headers).await
        };
    post(path, summary, handler)
        .ok::<Done>("It is done, or goes on: the row's `operation` says so.")
        .guarded()
        .reaches_machine()
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
