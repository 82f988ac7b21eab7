//! `GET /api/sync`: the stream a replica follows.

use super::{hub::Hub, respond};
use crate::{
    app::error::ApiError,
    server::{
        App,
        api::error::internal,
        auth::Who,
        metrics::{METRICS, Resync},
        storage::{StorageError, journal},
    },
    sync::{Position, Scope, journal::Entry},
};
use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::Response,
};
use futures::StreamExt;
use serde::Deserialize;
use std::time::Duration;

#[derive(Debug, Deserialize)]
pub struct SyncQuery {
    since: Option<String>,
}

/// A replica may be ahead of this process by what its follower has not read yet: that long is it waited for.
const FOLLOWER_PATIENCE: Duration = Duration::from_secs(2);
/// A replica further back than this gets an `init`: it is shorter.
const LONGEST_REPLAY: u64 = 5_000;

pub async fn sync(
    State(app): State<App>,
    who: Who,
    Query(query): Query<SyncQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    // What a reconnecting client saw last beats what its address said when it was first opened.
    let last_seen = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let since = last_seen.or(query.since).filter(|token| !token.is_empty());
    let stream_id = uuid::Uuid::now_v7().to_string();
    let resumed = match since.map(|token| token.parse::<Position>()) {
        Some(Ok(since)) => resume(&app, &who.scope, since).await.map_err(|error| internal(&error))?,
        Some(Err(_)) => Err(Resync::Foreign),
        None => Err(Resync::New),
    };
    tracing::debug!(%stream_id, user = %who.email, init = ?resumed.as_ref().err(), "stream opened");
    let stream = match resumed {
        Ok((subscription, since, missed)) => subscription.connected(&stream_id).replay(since, &missed),
        Err(why) => {
            METRICS.resync(why);
            app.hub().subscribe(who.scope.clone(), false).connected(&stream_id)
        }
    };
    let end = app.cutter().token(who.session);
    Ok(respond(stream.take_until(end.cancelled_owned())))
}

type Resumed = (super::hub::Subscription, u64, Vec<Entry>);

/// Registers first, then reads what was missed: nothing can fall between. Why not, if the position cannot be resumed from.
async fn resume(app: &App, scope: &Scope, since: Position) -> Result<Result<Resumed, Resync>, StorageError> {
    let hub: &Hub = app.hub();
    if since.epoch != hub.head().epoch || since.scope != scope.revision() {
        return Ok(Err(Resync::Foreign));
    }
    if since.version > hub.head().version {
        let mut followed = app.store().watch();
        let caught_up = followed.wait_for(|followed| followed.head.version >= since.version);
        if !matches!(tokio::time::timeout(FOLLOWER_PATIENCE, caught_up).await, Ok(Ok(_))) {
            return Ok(Err(Resync::Ahead));
        }
        // The hub takes the same entries a moment later.
        let deadline = tokio::time::Instant::now() + FOLLOWER_PATIENCE;
        while hub.head().version < since.version && tokio::time::Instant::now() < deadline {
            tokio::task::yield_now().await;
        }
    }
    let subscription = hub.subscribe(scope.clone(), true);
    let head = subscription.head();
    if since.version > head.version {
        return Ok(Err(Resync::Ahead));
    }
    if head.version - since.version > LONGEST_REPLAY {
        return Ok(Err(Resync::Behind));
    }
    let mut connection = app.store().pool().acquire().await?;
    let chain = journal::chain_at(&mut connection, since.version).await?;
    if chain.is_none_or(|chain| chain.short() != since.chain) {
        return Ok(Err(Resync::NotInJournal));
    }
    let missing = (head.version - since.version) as u32;
    let missed: Vec<Entry> = match missing {
        0 => Vec::new(),
        _ => journal::after(&mut connection, since.version, missing)
            .await?
            .into_iter()
            .map(|(entry, _)| entry)
            .collect(),
    };
    // Trimmed between the two reads, or restored: an `init` is always right.
    if missed.len() != missing as usize || missed.last().is_some_and(|last| last.chain != head.chain) {
        return Ok(Err(Resync::NotInJournal));
    }
    Ok(Ok((subscription, since.version, missed)))
}
