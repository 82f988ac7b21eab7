//! `/api/labs`, and how often labs are asked for.

use super::{
    extract::{Tagged, id, options, position, row},
    fields::Fields,
    lists::{ListRequest, Order},
};
use crate::{
    app::error::ApiError,
    model::{Action, Done, EntityRef, Lab, LabAction, LabId, NewLab, lab::SYNC_MINUTES},
    server::{
        App,
        actions::{gone_for, perform},
        api::openapi::{Operation, bodies, post},
        auth::Who,
        clock::now,
        labs,
    },
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// Every change of a lab is what `If-Match` compares.
impl Tagged for Lab {
    fn tag(&self) -> u64 {
        self.revision
    }
}

pub async fn list(State(app): State<App>, who: Who, asked: ListRequest) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    let wanted = asked.wanted::<LabId>("lab")?;
    let fleet = app.store().fleet();
    let rows = fleet.labs().filter(|row| {
        who.scope.sees_project(row.project_id)
            && wanted.as_ref().is_none_or(|wanted| wanted.contains(&row.id))
    });
    let rows: Vec<_> = rows.map(Arc::clone).collect();
    asked.answer(rows, Order::OldestFirst, |row| (row.id.0, row.revision), at)
}

pub async fn show(State(app): State<App>, who: Who, Path(lab): Path<String>) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    let id: LabId = id(&lab, "lab")?;
    let fleet = app.store().fleet();
    match fleet.lab(id) {
        Some(lab) if who.scope.sees_project(lab.project_id) => Ok(row(&**lab, at)),
        Some(_) => Err(ApiError::Gone { what: "lab".to_owned() }),
        None => Err(gone_for(&who, &fleet, EntityRef::Lab(id), now())),
    }
}

/// `null` where nothing was found yet.
pub async fn results(
    State(app): State<App>,
    who: Who,
    Path(lab): Path<String>,
) -> Result<Response, ApiError> {
    let report = labs::results(&app, &who, id(&lab, "lab")?).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(report)).into_response())
}

pub async fn create(
    State(app): State<App>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let body = Fields::read::<bodies::NewLab>(&body)?;
    let new = NewLab {
        net_id: body.id("net_id", "net")?,
        version: body
            .optional_whole_number("version", &(1..=u64::from(u32::MAX)))?
            .map(|version| version as u32),
        worker_id: body.optional_text("worker_id")?.map(|text| id(&text, "worker")).transpose()?,
        name: body.text("name")?,
        plan: body.needed("plan")?,
        start: body.optional_flag("start")?.unwrap_or_default(),
    };
    let done = perform(&app, &who, Action::CreateLab(new), options(&headers)?).await?;
    Ok((StatusCode::CREATED, Json(done)).into_response())
}

/// The operation that does `action`.
pub fn act(path: &'static str, summary: &'static str, action: LabAction) -> Operation {
    let handler =
        async move |State(app): State<App>, who: Who, Path(lab): Path<String>, headers: HeaderMap| {
            act_on(&app, &who, &lab, action, &headers).await
        };
    post(path, summary, handler)
}

pub async fn delete(
    State(app): State<App>,
    who: Who,
    Path(lab): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Done>, ApiError> {
    act_on(&app, &who, &lab, LabAction::Delete, &headers).await
}

async fn act_on(
    app: &App,
    who: &Who,
    lab: &str,
    action: LabAction,
    headers: &HeaderMap,
) -> Result<Json<Done>, ApiError> {
    let action = Action::Lab { id: id(lab, "lab")?, action };
    perform(app, who, action, options(headers)?).await.map(Json)
}

/// Asks a worker for its labs now.
pub async fn refresh(
    State(app): State<App>,
    who: Who,
    Path(worker): Path<String>,
) -> Result<Json<Done>, ApiError> {
    let action = Action::RefreshLabs(id(&worker, "worker")?);
    perform(&app, &who, action, options(&HeaderMap::new())?).await.map(Json)
}

/// `{minutes}`; `null`: as often as usual.
pub async fn set_sync(
    State(app): State<App>,
    who: Who,
    Path(cluster): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Done>, ApiError> {
    let minutes = Fields::read::<bodies::LabSync>(&body)?.optional_whole_number("minutes", &SYNC_MINUTES)?;
    let action =
        Action::SetLabSync { id: id(&cluster, "cluster")?, minutes: minutes.map(|minutes| minutes as u32) };
    perform(&app, &who, action, options(&headers)?).await.map(Json)
}
