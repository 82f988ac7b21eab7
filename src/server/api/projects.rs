//! `/api/projects`.

use super::{
    extract::{Tagged, id, options, position, row},
    fields::Fields,
    openapi::bodies,
};
use crate::{
    app::error::ApiError,
    model::{Action, Done, NewProject, Project, ProjectId, Quotas},
    server::{App, actions::perform, auth::Who},
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use std::{ops::RangeInclusive, sync::Arc};

/// Nets or workers that a project may be bound to.
pub const QUOTA: RangeInclusive<u64> = 0..=1_000_000;

/// A project has no lifecycle: every change of it is what `If-Match` compares.
impl Tagged for Project {
    fn tag(&self) -> u64 {
        self.revision
    }
}

fn find(app: &App, who: &Who, id: ProjectId) -> Result<Arc<Project>, ApiError> {
    let project = app.store().fleet().project(id).cloned().filter(|_| who.scope.sees_project(id));
    project.ok_or(ApiError::Gone { what: "project".to_owned() })
}

pub async fn show(
    State(app): State<App>,
    who: Who,
    Path(project): Path<String>,
) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    find(&app, &who, id(&project, "project")?).map(|project| row(&*project, at))
}

/// `{name, quotas?: {nets?, workers?}}`.
pub async fn create(
    State(app): State<App>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let body = Fields::read::<bodies::NewProject>(&body)?;
    let quotas = body
        .within::<bodies::NewQuotas>("quotas")?
        .map_or(Ok(Quotas::default()), |fields| changed(Quotas::default(), &fields))?;
    let action = Action::CreateProject(NewProject { name: body.text("name")?, quotas });
    let done = perform(&app, &who, action, options(&headers)?).await?;
    Ok((StatusCode::CREATED, Json(done)).into_response())
}

/// `{name?, quotas?: {nets?, workers?}}`: what is absent stays; a quota of `null` is lifted.
pub async fn edit(
    State(app): State<App>,
    who: Who,
    Path(project): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Done>, ApiError> {
    let body = Fields::read::<bodies::EditProject>(&body)?;
    let before = find(&app, &who, id(&project, "project")?)?;
    let quotas = body
        .within::<bodies::NewQuotas>("quotas")?
        .map_or(Ok(before.quotas), |fields| changed(before.quotas, &fields))?;
    let edit = NewProject { name: body.optional_text("name")?.unwrap_or(before.name.to_string()), quotas };
    let mut options = options(&headers)?;
    // What is absent was filled in from this revision: it must not undo what somebody else changed meanwhile.
    options.if_match = options.if_match.or(Some(before.revision));
    perform(&app, &who, Action::EditProject { id: before.id, edit }, options).await.map(Json)
}

fn changed(before: Quotas, fields: &Fields) -> Result<Quotas, ApiError> {
    let one = |name, before: Option<u32>| -> Result<Option<u32>, ApiError> {
        Ok(match fields.is_null(name) {
            true => None,
            false => fields.optional_whole_number(name, &QUOTA)?.map(|most| most as u32).or(before),
        })
    };
    Ok(Quotas { nets: one("nets", before.nets)?, workers: one("workers", before.workers)? })
}

pub async fn delete(
    State(app): State<App>,
    who: Who,
    Path(project): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Done>, ApiError> {
    let done =
        perform(&app, &who, Action::DeleteProject(id(&project, "project")?), options(&headers)?).await?;
    // Its members are members of one project less.
    app.access_changed().notify_one();
    Ok(Json(done))
}
