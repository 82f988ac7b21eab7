//! `GET /api/state`: the whole state, for a replica that found a gap.

use super::{error::internal, extract::position_tag};
use crate::{
    app::error::ApiError,
    server::{
        App,
        auth::Who,
        metrics::{METRICS, Resync},
    },
};
use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::time::Duration;

#[derive(Debug, Deserialize)]
pub struct StateQuery {
    /// The version that the caller knows exists: an older state would not close its gap.
    at_least: Option<u64>,
}

const PATIENCE: Duration = Duration::from_secs(2);

pub async fn full_state(
    State(app): State<App>,
    who: Who,
    Query(query): Query<StateQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if let Some(at_least) = query.at_least {
        let mut followed = app.store().watch();
        let there = followed.wait_for(|followed| followed.head.version >= at_least);
        // Behind all the same: the newest there is, and the caller decides.
        let _ = tokio::time::timeout(PATIENCE, there).await;
    }
    let tag = position_tag(&app, &who);
    let matches =
        headers.get(header::IF_NONE_MATCH).is_some_and(|wanted| wanted.as_bytes() == tag.as_bytes());
    if matches {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    if query.at_least.is_some() {
        METRICS.resync(Resync::Asked);
    }
    let full = app.hub().snapshot(&who.scope);
    let tag = HeaderValue::from_str(&format!("\"{}\"", full.position)).map_err(|error| internal(&error))?;
    let body = serde_json::to_vec(&full).map_err(|error| internal(&error))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::ETAG, tag),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ];
    Ok((headers, body).into_response())
}
