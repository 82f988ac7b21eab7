//! `/api/projects/{id}/members`.

use super::{extract::id, fields::Fields, openapi::bodies, users::ROLES};
use crate::{
    app::error::ApiError,
    model::Member,
    server::{
        App,
        auth::{
            Who,
            account::{self, Person},
        },
    },
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};

pub async fn list(
    State(app): State<App>,
    who: Who,
    Path(project): Path<String>,
) -> Result<Json<Vec<Member>>, ApiError> {
    account::list_members(&app, &who, id(&project, "project")?).await.map(Json)
}

/// `{email, role}`: by address, which is what a project's administrator knows.
pub async fn add(
    State(app): State<App>,
    who: Who,
    Path(project): Path<String>,
    body: Bytes,
) -> Result<Json<Member>, ApiError> {
    let body = Fields::read::<bodies::NewMember>(&body)?;
    let (person, role) = (Person::Email(body.text("email")?), body.word("role", &ROLES)?);
    account::set_member(&app, &who, id(&project, "project")?, person, role).await.map(Json)
}

/// `{role}`.
pub async fn put(
    State(app): State<App>,
    who: Who,
    Path((project, user)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Member>, ApiError> {
    let role = Fields::read::<bodies::MemberRole>(&body)?.word("role", &ROLES)?;
    let person = Person::Id(id(&user, "user")?);
    account::set_member(&app, &who, id(&project, "project")?, person, role).await.map(Json)
}

pub async fn remove(
    State(app): State<App>,
    who: Who,
    Path((project, user)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (project, user) = (id(&project, "project")?, id(&user, "user")?);
    account::remove_member(&app, &who, project, user).await.map(|()| StatusCode::NO_CONTENT)
}
