//! `/api/workers/{id}/history`: a worker's figures over the last hour.

use super::extract::id;
use crate::{
    app::error::ApiError,
    model::{Trend, WorkerId},
    server::{App, auth::Who},
};
use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::IntoResponse,
};

pub async fn show(
    State(app): State<App>,
    _: Who,
    Path(worker): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let trend: Trend = app.trend(id::<WorkerId>(&worker, "worker")?)?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(trend)))
}
