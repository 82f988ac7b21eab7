//! `/api/export` and `/api/import`: the fleet as one file.

use crate::{
    app::error::ApiError,
    model::{Done, Role},
    server::{App, auth::Who, transfer::import as doors},
};
use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

pub async fn export(State(app): State<App>, who: Who) -> Result<Response, ApiError> {
    who.need(Role::Admin)?;
    let file = doors::export(&app).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"fleet.json\""),
    ];
    Ok((headers, file.to_text()).into_response())
}

pub async fn import(State(app): State<App>, who: Who, body: Bytes) -> Result<Json<Done>, ApiError> {
    who.need(Role::Admin)?;
    if app.is_shutting_down() {
        let detail = "The console is shutting down. Try again in a moment.".to_owned();
        return Err(ApiError::Unavailable { detail });
    }
    // In a task of its own: what was begun is done and written down, also if who asked goes away.
    let (within, who) = (app.clone(), who.clone());
    let done = app.tasks().spawn(async move { doors::import(&within, &who, body).await });
    let message = done.await.unwrap_or_else(|error| Err(super::error::internal(&error)))?;
    Ok(Json(Done { message, ..Done::default() }))
}
