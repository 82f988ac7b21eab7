//! `/api/tokens`.

use super::{extract::id, fields::Fields, openapi::bodies, users::ROLES};
use crate::{
    app::error::ApiError,
    model::{NewToken, ProjectId, Roles, Timestamp, TokenRow},
    server::{
        App,
        auth::{Who, account},
        clock::now,
    },
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use std::{ops::RangeInclusive, time::Duration};

/// Days that a token may be good for.
pub const DAYS: RangeInclusive<u64> = 1..=3_650;

pub async fn list(State(app): State<App>, who: Who) -> Result<Json<Vec<TokenRow>>, ApiError> {
    account::list_tokens(&app, &who).await.map(Json)
}

/// `{name, roles?: {fleet?, projects?: {id: role}}, service?, expires_in_days?}`. Answers with the secret, told this once.
pub async fn create(State(app): State<App>, who: Who, body: Bytes) -> Result<Response, ApiError> {
    let body = Fields::read::<bodies::NewToken>(&body)?;
    let roles = match body.within::<bodies::NewRoles>("roles")? {
        None => None,
        Some(roles) => Some(Roles {
            fleet: roles.optional_word("fleet", &ROLES)?.flatten(),
            projects: roles.words_by_id::<ProjectId, _>("projects", "project", &ROLES)?,
        }),
    };
    let days = body.optional_whole_number("expires_in_days", &DAYS)?;
    let new = NewToken {
        name: body.text("name")?,
        roles,
        service: body.optional_flag("service")?.unwrap_or(false),
        expires_at: days.map(in_days),
    };
    let issued = account::create_token(&app, &who, new).await?;
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(issued)).into_response())
}

/// The end of a token that is good for so many days from now.
pub fn in_days(days: u64) -> Timestamp {
    now().plus(Duration::from_secs(days * 24 * 3600))
}

pub async fn revoke(
    State(app): State<App>,
    who: Who,
    Path(token): Path<String>,
) -> Result<Json<TokenRow>, ApiError> {
    account::revoke_token(&app, &who, id(&token, "token")?).await.map(Json)
}
