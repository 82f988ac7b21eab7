//! The REST API: thin doors. Each handler reads the request, asks one function elsewhere, and writes the answer.
//!
//! A file is a noun. A new one is added to [`routes`].

pub mod error;
mod extract;
mod health;
mod history;
mod nets;
mod rows;
mod session;
mod state;
mod workers;

use super::{App, sse};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};

/// A PNML file may have 32 MiB; the rest of a form is small.
const LARGEST_BODY: usize = 33 << 20;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::figures))
        .route("/api/session", get(session::show).post(session::sign_in).delete(session::sign_out))
        .route("/api/state", get(state::full_state))
        .route("/api/sync", get(sse::sync::sync))
        .route("/api/watch", get(sse::watch::watch))
        .route("/api/clusters", get(rows::clusters))
        .route("/api/projects", get(rows::projects))
        .route("/api/workers", get(workers::list).post(workers::create))
        .route("/api/workers/{id}", get(workers::show).delete(workers::delete))
        .route("/api/workers/{id}/history", get(history::show))
        .route("/api/workers/{id}/{action}", post(workers::act))
        .route("/api/nets", get(nets::list).post(nets::create))
        .route("/api/nets/{id}", get(nets::show).delete(nets::delete))
        .route("/api/nets/{id}/graph", get(nets::graph))
        .route("/api/nets/{id}/definition", get(nets::definition))
        .route("/api/nets/{id}/{action}", post(nets::act))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}
