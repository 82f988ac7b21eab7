//! `GET /api/sync`: the stream a replica follows.

use super::{
    hub::{Subscription, changed_frame},
    respond,
    resume::{self, Answer},
};
use crate::{
    app::error::ApiError,
    server::{
        App,
        api::error::internal,
        auth::Who,
        metrics::{METRICS, Resync},
        storage::{journal, ledger::Head},
    },
    sync::{Position, Scope, journal::Entry},
};
use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::Response,
};
use futures::{StreamExt, stream};
use serde::Deserialize;
use std::time::Duration;

#[derive(Debug, Deserialize)]
pub struct SyncQuery {
    since: Option<String>,
}

/// A position that this process has not followed up to is waited for that long …
const PATIENCE: Duration = Duration::from_secs(2);
/// … and looked at again this often.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

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
    let resumed = match since {
        Some(since) => resume(&app, &who.scope, since).await?,
        None => None,
    };
    if resumed.is_none() {
        METRICS.resync(why_init(since, app.hub().head(), &who.scope));
    }
    tracing::debug!(%stream_id, user = %who.email, resumed = resumed.is_some(), "stream opened");
    let frames = match resumed {
        Some((subscription, since, missed)) => {
            subscription.connected(&stream_id, &who.roles).replay(since, &missed)
        }
        None => app.hub().subscribe(who.scope.clone(), false).connected(&stream_id, &who.roles),
    };
    let end = app.cutter().token(&who);
    let until = end.clone().cancelled_owned();
    let goodbye = stream::once(async move { end.is_cancelled().then(changed_frame) });
    Ok(respond(frames.take_until(until).chain(goodbye.filter_map(std::future::ready))))
}

/// Why a client that came with `since` was not resumed, as far as its position tells.
fn why_init(since: Option<Position>, hub: Head, scope: &Scope) -> Resync {
    match since {
        None => Resync::New,
        Some(since) if since.epoch != hub.epoch || since.scope != scope.revision() => Resync::Foreign,
        Some(since) if since.version > hub.version => Resync::Ahead,
        Some(since) if hub.version - since.version > resume::LONGEST_REPLAY => Resync::Behind,
        Some(_) => Resync::NotInJournal,
    }
}

type Resumed = (Subscription, u64, Vec<Entry>);

/// Registers first, then reads what was missed: nothing can fall between. `None` if the client needs an `init`.
async fn resume(app: &App, scope: &Scope, since: Position) -> Result<Option<Resumed>, ApiError> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let subscription = app.hub().subscribe(scope.clone(), true);
        let (hub, limit) = (subscription.head(), subscription.head().version.saturating_sub(since.version));
        let limit = limit.min(resume::LONGEST_REPLAY) as u32;
        let read = async {
            let mut connection = app.store().pool().acquire().await?;
            journal::witness(&mut connection, since.version, hub.version, limit).await
        };
        let (witness, missed) = read.await.map_err(|error| internal(&error))?;
        match resume::answer(since, scope.revision(), hub, witness) {
            Answer::Replay { .. } => return Ok(Some((subscription, since.version, missed))),
            Answer::Init => return Ok(None),
            Answer::NotYet if tokio::time::Instant::now() < deadline => {
                drop(subscription);
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Answer::NotYet => {
                let detail = "This console has not read that far yet. Try again in a moment.".to_owned();
                return Err(ApiError::Unavailable { detail });
            }
        }
    }
}
