//! `/api/users`, and one's own password.

use super::{extract::id, fields::Fields, openapi::bodies};
use crate::{
    app::error::ApiError,
    model::{NewUser, Role, UserEdit, UserRow},
    server::{
        App,
        auth::{Who, account},
    },
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

pub const ROLES: [(&str, Role); 3] =
    [("viewer", Role::Viewer), ("operator", Role::Operator), ("admin", Role::Admin)];

pub async fn list(State(app): State<App>, who: Who) -> Result<Json<Vec<UserRow>>, ApiError> {
    account::list_users(&app, &who).await.map(Json)
}

/// Answers with the link, told this once.
pub async fn create(State(app): State<App>, who: Who, body: Bytes) -> Result<Response, ApiError> {
    let body = Fields::read::<bodies::NewUser>(&body)?;
    let email = body.text("email")?;
    let name = body.optional_text("name")?.filter(|name| !name.trim().is_empty());
    let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().trim().to_owned());
    let new = NewUser { email, name, role: body.optional_word("role", &ROLES)?.flatten() };
    let invited = account::create_user(&app, &who, new).await?;
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(invited)).into_response())
}

/// `{name?, role?, disabled?}`; a role of `null` takes the role in the whole fleet away.
pub async fn edit(
    State(app): State<App>,
    who: Who,
    Path(user): Path<String>,
    body: Bytes,
) -> Result<Json<UserRow>, ApiError> {
    let body = Fields::read::<bodies::EditUser>(&body)?;
    let edit = UserEdit {
        name: body.optional_text("name")?,
        role: body.optional_word("role", &ROLES)?,
        disabled: body.optional_flag("disabled")?,
    };
    account::edit_user(&app, &who, id(&user, "user")?, edit).await.map(Json)
}

pub async fn delete(
    State(app): State<App>,
    who: Who,
    Path(user): Path<String>,
) -> Result<StatusCode, ApiError> {
    account::delete_user(&app, &who, id(&user, "user")?).await.map(|()| StatusCode::NO_CONTENT)
}

/// Takes the password and the sessions away, and answers with a new link.
pub async fn invite_again(
    State(app): State<App>,
    who: Who,
    Path(user): Path<String>,
) -> Result<Response, ApiError> {
    let invited = account::invite_again(&app, &who, id(&user, "user")?).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(invited)).into_response())
}

/// `{current, new}`.
pub async fn change_password(State(app): State<App>, who: Who, body: Bytes) -> Result<StatusCode, ApiError> {
    let body = Fields::read::<bodies::NewPassword>(&body)?;
    account::change_password(&app, &who, &body.text("current")?, &body.text("new")?).await?;
    Ok(StatusCode::NO_CONTENT)
}
