//! The streams of typed events for integrations: `GET /api/events` and the vocabularies of the seeds (DESIGN.md section 3, docs/events.md).
//!
//! [`message`] says of each change what it tells, [`vocabulary`] in whose words, [`filter`] to whom, [`fanout`] hands it out as the hub takes
//! it from the journal, [`replay`] reads from the journal what a client missed. No handler publishes anything.

mod fanout;
mod filter;
mod message;
mod replay;
#[cfg(test)]
mod tests;
mod vocabulary;

pub use fanout::Typed;

use self::{fanout::Subscription, filter::Filter, replay::Since, vocabulary::Vocabulary};
use super::{queue::Taken, respond};
use crate::{
    app::error::ApiError,
    server::{App, auth::Who},
};
use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::Response,
};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use std::{future::poll_fn, time::Duration};

/// Something comes this often, so that a broken connection is noticed; a multiple of the hub's beacon.
pub const HEARTBEAT: Duration = Duration::from_secs(30);

type Pairs = Query<Vec<(String, String)>>;

/// `GET /api/events`; with `unnamed`, in the words of seed 000.
pub async fn events(
    State(app): State<App>,
    who: Who,
    Query(pairs): Pairs,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let unnamed =
        pairs.iter().any(|(name, value)| name == "unnamed" && !matches!(value.as_str(), "false" | "0"));
    let vocabulary = if unnamed { Vocabulary::Unnamed } else { Vocabulary::Named };
    open(app, who, vocabulary, &pairs, &headers).await
}

/// `GET /api/events/stream`, seed 001's.
pub async fn relay(
    State(app): State<App>,
    who: Who,
    Query(pairs): Pairs,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    open(app, who, Vocabulary::Named, &pairs, &headers).await
}

/// `GET /api/v1/events/stream`, seed 004's.
pub async fn workloads(
    State(app): State<App>,
    who: Who,
    Query(pairs): Pairs,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    open(app, who, Vocabulary::Workloads, &pairs, &headers).await
}

async fn open(
    app: App,
    who: Who,
    vocabulary: Vocabulary,
    pairs: &[(String, String)],
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let filter = Filter::read(pairs)?;
    // What a client that comes back saw last beats what its address said when it was first opened.
    let last_seen = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let since = match last_seen {
        Some(id) if !id.is_empty() => Some(Since::after(id)),
        _ => Since::read(pairs, vocabulary)?,
    };
    let stream_id = uuid::Uuid::now_v7().to_string();
    let subscription = replay::subscribe(&app, &who.scope, vocabulary, filter, since, &stream_id).await?;
    tracing::debug!(%stream_id, user = %who.email, ?vocabulary, "stream of events opened");
    let end = app.cutter().token(&who);
    Ok(respond(frames(subscription).take_until(end.cancelled_owned()).boxed()))
}

/// Everything that a client gets: the greeting, what it missed, and then what happens.
fn frames(subscription: Subscription) -> impl Stream<Item = Bytes> + Send {
    stream::unfold(Some(subscription), |subscription| async {
        let mut subscription = subscription?;
        loop {
            if let Some(front) = subscription.front.take() {
                return Some((front, Some(subscription)));
            }
            if let Some(replay) = &mut subscription.replay {
                match replay.next().await {
                    Ok(Some(page)) => return Some((page, Some(subscription))),
                    Ok(None) => subscription.replay = None,
                    Err(error) => {
                        tracing::error!(%error, "a replay of events was broken off; the client comes back for the rest");
                        return None;
                    }
                }
                continue;
            }
            let queue = subscription.queue.clone();
            match poll_fn(|context| queue.poll_take(context)).await {
                Taken::Frames(frames) => return Some((frames, Some(subscription))),
                // It comes back with the id of the last frame it got, and misses nothing.
                Taken::NeedsInit => return Some((subscription.too_slow(), None)),
                // Figures that were replaced before they were taken: newer ones follow.
                Taken::NeedsBoard => {}
                Taken::Closed => return None,
            }
        }
    })
}
