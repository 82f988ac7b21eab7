//! `GET /events` and `GET /events?net=`: a whole picture first, then what changes. A reader too slow for the frames
//! gets the whole picture anew; no stream is silent for long, and all end when the worker does.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde::Deserialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::Shared;
use crate::model::NetId;
use crate::worker::cell::Cell;
use crate::worker::hub::frame;
use crate::worker::presence::StreamGuard;
use crate::worker::protocol::{NetEvent, WorkerEvent};
use crate::worker::refusal::Refusal;

/// Silence after which a comment is sent: half of what the protocol allows.
const SILENCE: Duration = Duration::from_secs(1);
const ALIVE: Bytes = Bytes::from_static(b": alive\n\n");

#[derive(Deserialize)]
pub struct EventsQuery {
    net: Option<NetId>,
}

/// What a stream is about.
enum Source {
    Worker,
    Net(Arc<Cell>),
}

struct Stream {
    shared: Arc<Shared>,
    source: Source,
    ready: VecDeque<Bytes>,
    frames: broadcast::Receiver<Bytes>,
    ended: bool,
    _open: StreamGuard,
}

pub async fn events(
    Extension(shared): Extension<Arc<Shared>>,
    query: Result<Query<EventsQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    if shared.end.is_cancelled() {
        return Err(Refusal::Ending);
    }
    let query = query.map_err(|_| Refusal::BadRequest("the net's id is no UUID".to_string()))?;
    let source = match query.net {
        None => Source::Worker,
        Some(id) => Source::Net(shared.nets.get(id)?),
    };
    let open = shared.presence.stream();
    let (picture, frames) = source.picture(&shared).await?;
    let stream = Stream { shared, source, ready: picture.into(), frames, ended: false, _open: open };
    let body = stream::unfold(stream, |mut stream| async move {
        stream.next().await.map(|bytes| (Ok::<_, Infallible>(bytes), stream))
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    Ok((headers, [("x-accel-buffering", "no")], Body::from_stream(body)).into_response())
}

impl Source {
    /// The whole picture, and a receiver for all that follows it.
    async fn picture(&self, shared: &Shared) -> Result<(Vec<Bytes>, broadcast::Receiver<Bytes>), Refusal> {
        match self {
            Self::Worker => {
                // Listening first: what happens meanwhile is told twice rather than never.
                let frames = shared.hub.subscribe();
                let health = shared.health().await?;
                Ok((vec![frame("state", &WorkerEvent::State(health))], frames))
            }
            Self::Net(cell) => Ok(cell.watch().await),
        }
    }
}

impl Stream {
    /// The next bytes; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                self.ended |= self.is_last(&bytes);
                return Some(bytes);
            }
            if self.ended {
                return None;
            }
            let end = self.shared.end.clone();
            let received = tokio::select! {
                biased;
                () = end.cancelled() => return None,
                received = tokio::time::timeout(SILENCE, self.frames.recv()) => received,
            };
            match received {
                Err(_silence) => return Some(ALIVE),
                Ok(Ok(bytes)) => self.ready.push_back(bytes),
                Ok(Err(RecvError::Closed)) => return None,
                Ok(Err(RecvError::Lagged(_))) => {
                    let (picture, frames) = self.source.picture(&self.shared).await.ok()?;
                    (self.ready, self.frames) = (picture.into(), frames);
                }
            }
        }
    }

    /// A watched net has left: nothing follows.
    fn is_last(&self, bytes: &Bytes) -> bool {
        matches!(self.source, Source::Net(_)) && *bytes == frame("net", &NetEvent::Gone)
    }
}
