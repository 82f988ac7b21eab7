//! `GET /api/sync`: the stream a replica follows.

use super::{hub::Hub, respond};
use crate::{
    app::error::ApiError,
    server::{
        App,
        api::error::internal,
        auth::Who,
        metrics::{METRICS, Resync},
        storage::{StorageError, journal, ledger::Head},
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
    let since = last_seen.or(query.since).and_then(|token| token.parse::<Position>().ok());
    let stream_id = uuid::Uuid::now_v7().to_string();
    let subscription = match since {
        Some(since) => resume(&app, &who.scope, since).await.map_err(|error| internal(&error))?,
        None => None,
    };
    let resumed = subscription.is_some();
    if !resumed {
        METRICS.resync(why_init(since, app.hub().head(), &who.scope));
    }
    let stream = match subscription {
        Some((subscription, since, missed)) => subscription.connected(&stream_id).replay(since, &missed),
        None => app.hub().subscribe(who.scope.clone(), false).connected(&stream_id),
    };
    tracing::debug!(%stream_id, user = %who.email, resumed, "stream opened");
    let end = app.cutter().token(who.session);
    Ok(respond(stream.take_until(end.cancelled_owned())))
}

/// Why a client that came with `since` was not resumed, as far as its position tells.
fn why_init(since: Option<Position>, hub: Head, scope: &Scope) -> Resync {
    match since {
        None => Resync::New,
        Some(since) if since.epoch != hub.epoch || since.scope != scope.revision() => Resync::Foreign,
        Some(since) if since.version > hub.version => Resync::Ahead,
        Some(since) if hub.version - since.version > LONGEST_REPLAY => Resync::Behind,
        Some(_) => Resync::NotInJournal,
    }
}

type Resumed = (super::hub::Subscription, u64, Vec<Entry>);

/// Registers first, then reads what was missed: nothing can fall between. `None` if the position cannot be resumed from.
async fn resume(app: &App, scope: &Scope, since: Position) -> Result<Option<Resumed>, StorageError> {
    let hub: &Hub = app.hub();
    if since.epoch != hub.head().epoch || since.scope != scope.revision() {
        return Ok(None);
    }
    if since.version > hub.head().version {
        let mut followed = app.store().watch();
        let caught_up = followed.wait_for(|followed| followed.head.version >= since.version);
        if !matches!(tokio::time::timeout(FOLLOWER_PATIENCE, caught_up).await, Ok(Ok(_))) {
            return Ok(None);
        }
        // The hub takes the same entries a moment later.
        let deadline = tokio::time::Instant::now() + FOLLOWER_PATIENCE;
        while hub.head().version < since.version && tokio::time::Instant::now() < deadline {
            tokio::task::yield_now().await;
        }
    }
    let subscription = hub.subscribe(scope.clone(), true);
    let head = subscription.head();
    if since.version > head.version || head.version - since.version > LONGEST_REPLAY {
        return Ok(None);
    }
    let mut connection = app.store().pool().acquire().await?;
    let chain = journal::chain_at(&mut connection, since.version).await?;
    if chain.is_none_or(|chain| chain.short() != since.chain) {
        return Ok(None);
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
        return Ok(None);
    }
    Ok(Some((subscription, since.version, missed)))
}
