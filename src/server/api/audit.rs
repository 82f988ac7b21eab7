//! `/api/audit`: who did what, for administrators of the fleet.

use super::error::internal;
use crate::{
    app::error::ApiError,
    model::{
        AuditPage, Role,
        audit::{LINES_PER_PAGE, MOST_LINES},
    },
    server::{App, auth::Who, storage::audit},
};
use axum::{
    Json,
    extract::{Query, State},
    http::header,
    response::IntoResponse,
};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Asked {
    cursor: Option<String>,
    limit: Option<String>,
}

pub async fn list(
    State(app): State<App>,
    who: Who,
    Query(asked): Query<Asked>,
) -> Result<impl IntoResponse, ApiError> {
    let most = i64::MAX as u64;
    let before = asked.cursor.as_deref().map(|text| whole("cursor", text, most)).transpose()?;
    let limit = asked.limit.as_deref().map(|text| whole("limit", text, u64::from(MOST_LINES))).transpose()?;
    let limit = limit.map_or(LINES_PER_PAGE, |limit| limit as u32);
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(page(&app, &who, before, limit).await?)))
}

/// The lines before `before`, newest first.
pub async fn page(app: &App, who: &Who, before: Option<u64>, limit: u32) -> Result<AuditPage, ApiError> {
    who.need(Role::Admin)?;
    audit::page(app.store().pool(), before, limit).await.map_err(|error| internal(&error))
}

fn whole(name: &str, text: &str, most: u64) -> Result<u64, ApiError> {
    // `parse` would take a sign.
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    number.filter(|number| (1..=most).contains(number)).ok_or_else(|| {
        let given: String = text.chars().take(40).collect();
        let detail = format!("{name} must be a whole number from 1 to {most}; it is {given:?}.");
        ApiError::BadRequest { detail }
    })
}
