//! Streams to clients: the hub that the follower feeds, and the routes that hand its frames out.

pub mod cutter;
pub mod hub;
mod output;
pub mod queue;
pub mod resume;
pub mod sync;
pub mod typed;
pub mod watch;

use super::metrics::METRICS;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::Stream;
use std::convert::Infallible;

/// An `EventSource` that lost its stream tries again after this long; replicas have a backoff of their own.
const RETRY: &[u8] = b"retry: 3000\n\n";

/// A response that streams server-sent events, with the headers that keep proxies from holding them back. A proxy that compresses, caches
/// or collects it would make it late.
pub fn respond(frames: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    use axum::{
        body::Body,
        http::{HeaderName, HeaderValue, header},
    };
    use futures::StreamExt;
    let hint = futures::stream::once(std::future::ready(Bytes::from_static(RETRY)));
    let counted = hint.chain(frames).inspect(|bytes| METRICS.bytes_sent(bytes.len()));
    let mut response = Body::from_stream(counted.map(Ok::<_, Infallible>)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}
