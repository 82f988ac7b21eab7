//! The worker's HTTP face: `nets` (load, unload, commands), `labs`, `streams` (`/events`), `health`; every address asks for the
//! token first. What must not come in: decisions about nets, which `hosted` takes, and about labs, which `labs` takes.

mod body;
mod health;
mod labs;
mod nets;
mod streams;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Extension, Router};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::hub::Hub;
use super::idempotency::Idempotency;
use super::labs::Labs;
use super::nets::Nets;
use super::presence::Presence;
use super::protocol::NetAnswer;
use super::refusal::Refusal;
use super::scheduler::Scheduler;
use crate::model::{Incarnation, WorkerId, WorkerMetrics};

/// The largest net file accepted, as the reader's own limit.
pub const BODY_LIMIT: usize = 32 << 20;
/// The largest body with a new lab: such a file as a JSON string, where quotes and line ends take twice the room, and a plan.
pub const LAB_LIMIT: usize = 2 * BODY_LIMIT;

/// What the handlers share.
pub struct Shared {
    pub worker_id: WorkerId,
    pub incarnation: Incarnation,
    /// Digest of the token. Digests are compared, so that the time it takes says nothing about the token.
    pub token: [u8; 32],
    pub nets: Arc<Nets>,
    pub scheduler: Arc<Scheduler>,
    pub labs: Arc<Labs>,
    pub hub: Hub,
    pub recent: Idempotency<Result<NetAnswer, Refusal>>,
    pub presence: Arc<Presence>,
    /// The latest figures.
    pub metrics: tokio::sync::watch::Receiver<WorkerMetrics>,
    /// Cancelled when the worker ends: streams end, and no new ones begin.
    pub end: CancellationToken,
}

pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The routes of the one worker of this process.
pub fn router(shared: Arc<Shared>) -> Router {
    routes().layer(Extension(shared))
}

/// The routes. Which worker they are about is in each request's extensions, as its [`Shared`]: one process may be many.
pub fn routes() -> Router {
    Router::new()
        .route("/health", get(health::show))
        .route("/events", get(streams::events))
        .route("/nets/{id}", put(nets::load).delete(nets::unload))
        .route("/nets/{id}/step", post(nets::step))
        .route("/nets/{id}/run", post(nets::run))
        .route("/nets/{id}/stop", post(nets::stop))
        .route("/nets/{id}/reset", post(nets::reset))
        .route("/nets/{id}/inject", post(nets::inject))
        .route("/labs", get(labs::list).post(labs::make).layer(DefaultBodyLimit::max(LAB_LIMIT)))
        .route("/labs/{id}", delete(labs::delete))
        .route("/labs/{id}/start", post(labs::start))
        .route("/labs/{id}/stop", post(labs::stop))
        .route("/labs/{id}/wipe", post(labs::wipe))
        .route("/labs/{id}/results", get(labs::results))
        .fallback(|| async { Refusal::NoSuchRoute })
        .method_not_allowed_fallback(|| async { Refusal::NoSuchRoute })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(authorise))
}

/// Lets nobody pass without the token; whoever has it counts as a console.
async fn authorise(Extension(shared): Extension<Arc<Shared>>, request: Request, next: Next) -> Response {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = header
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let shown = shown.map(|(_, token)| digest(token.trim()));
    if !shown.is_some_and(|shown| same(&shown, &shared.token)) {
        return Refusal::Unauthorized.into_response();
    }
    shared.presence.heard();
    next.run(request).await
}

/// Compares without stopping at the first difference.
fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    std::hint::black_box(a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b))) == 0
}
