//! `GET /api/state`: the whole state, for a replica that found a gap.

use super::{error::internal, extract::position_tag};
use crate::{
    app::error::ApiError,
    server::{
        App,
        auth::Who,
        metrics::{METRICS, Resync},
        sse::resume::{self, Standing},
        storage::journal,
    },
    sync::{FullState, Position},
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
    /// The position that the caller would leave: only a later state of the same history is an answer.
    since: Option<String>,
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
    if let Some(since) = query.since.and_then(|since| since.parse::<Position>().ok()) {
        continues(&app, since, &full).await?;
    }
    let tag = HeaderValue::from_str(&format!("\"{}\"", full.position)).map_err(|error| internal(&error))?;
    let body = serde_json::to_vec(&full).map_err(|error| internal(&error))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::ETAG, tag),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ];
    Ok((headers, body).into_response())
}

/// Refuses a state that does not continue what who asks holds: its stream, which notices a restore and ends when a membership changes, has
/// the word.
async fn continues(app: &App, since: Position, full: &FullState) -> Result<(), ApiError> {
    let Ok(hub) = full.position.0.parse::<Position>() else {
        return Err(internal(&"a position of our own cannot be read"));
    };
    let read = async {
        let mut connection = app.store().pool().acquire().await?;
        journal::witness(&mut connection, since.version, hub.version, 0).await
    };
    let (witness, _) = read.await.map_err(|error| internal(&error))?;
    match resume::standing(since, hub, witness) {
        Standing::Behind => Ok(()),
        Standing::Foreign => Err(ApiError::Conflict {
            detail: "The database was restored, or this position is too far back. Open the stream anew."
                .to_owned(),
        }),
        Standing::OtherScope => Err(ApiError::Conflict {
            detail: "What you may see has changed since this position. Open the stream anew.".to_owned(),
        }),
        Standing::HubBehind => Err(ApiError::Unavailable {
            detail: "This console has not read that far yet. Try again in a moment.".to_owned(),
        }),
    }
}
