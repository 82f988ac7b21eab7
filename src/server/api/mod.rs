//! The REST API: thin doors. Each handler reads the request, asks one function elsewhere, and writes the answer.
//!
//! A file is a noun. A new one is added to [`routes`].

mod clusters;
pub mod commands;
pub mod error;
mod events;
mod extract;
mod fields;
mod health;
mod history;
mod hosts;
mod members;
mod nets;
mod pipelines;
mod projects;
mod pull_requests;
mod rows;
mod session;
mod state;
pub mod tokens;
mod users;
pub mod webhooks;
mod workers;

use super::{App, agents, sse};
use crate::{app::error::ApiError, model::action::MAX_PNML_BYTES};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::Method,
    routing::{any, delete, get, patch, post, put},
};

/// A PNML file as text in JSON may be escaped to twice its size; the rest of a form is small.
const LARGEST_BODY: usize = 2 * MAX_PNML_BYTES + (1 << 20);

pub fn routes() -> Router<App> {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::figures))
        .route("/api/session", get(session::show).post(session::sign_in).delete(session::sign_out))
        .route("/api/state", get(state::full_state))
        .route("/api/sync", get(sse::sync::sync))
        .route("/api/watch", get(sse::watch::watch))
        .route("/api/clusters", get(rows::clusters).post(clusters::create))
        .route("/api/clusters/{id}", get(clusters::show).patch(clusters::rename).delete(clusters::delete))
        .route("/api/events", get(sse::typed::events))
        .route("/api/events/stream", get(sse::typed::relay))
        .route("/api/v1/events/stream", get(sse::typed::workloads))
        .route("/api/events/history", get(events::history))
        .route("/api/events/statistics", get(events::statistics))
        .route("/api/events/export", get(events::export))
        .route("/api/events/acknowledge", post(events::acknowledge))
        .route("/api/events/rules", get(events::rules).put(events::set_rules))
        .route("/api/stream-tickets", post(events::ticket))
        .route("/api/pipelines", get(pipelines::list).post(pipelines::start))
        .route("/api/pipelines/{id}", get(pipelines::show))
        .route("/api/pipelines/{id}/{action}", post(pipelines::act))
        .route("/api/projects", get(rows::projects).post(projects::create))
        .route("/api/projects/{id}", get(projects::show).patch(projects::edit).delete(projects::delete))
        .route("/api/projects/{id}/members", get(members::list).post(members::add))
        .route("/api/projects/{id}/members/{user_id}", put(members::put).delete(members::remove))
        .route("/api/pull-request/merge", post(pull_requests::merge))
        .route("/api/pull-requests", get(pull_requests::list))
        .route("/api/repository", get(pull_requests::repository))
        .route("/api/tokens", get(tokens::list).post(tokens::create))
        .route("/api/tokens/{id}", delete(tokens::revoke))
        .route("/api/users", get(users::list).post(users::create))
        .route("/api/users/{id}", patch(users::edit).delete(users::delete))
        .route("/api/users/{id}/invite", post(users::invite_again))
        .route("/api/account/password", post(users::change_password))
        .route("/api/workers", get(workers::list).post(workers::create))
        .route("/api/workers/{id}", get(workers::show).delete(workers::delete))
        .route("/api/workers/{id}/history", get(history::show))
        .route("/api/workers/{id}/token", get(workers::token))
        .route("/api/workers/{id}/{action}", post(workers::act))
        .route("/api/nets", get(nets::list).post(nets::create))
        .route("/api/nets/{id}", get(nets::show).delete(nets::delete))
        .route("/api/nets/{id}/graph", get(nets::graph))
        .route("/api/nets/{id}/definition", get(nets::definition))
        .route("/api/nets/{id}/{action}", post(nets::act))
        .route("/api/agent", get(agents::gateway::connect))
        .route("/api/hosts", get(hosts::list).post(hosts::create))
        .route("/api/hosts/{id}", get(hosts::show).delete(hosts::delete))
        .route("/api/hosts/{id}/refresh", post(hosts::refresh))
        .route("/api/hosts/{id}/token", post(hosts::issue_token).delete(hosts::revoke_token))
        .route("/api/hosts/{id}/commands", get(commands::of_host))
        .route("/api/commands", get(commands::list).post(commands::run))
        .route("/api/commands/{id}", get(commands::show))
        .route("/api/commands/{id}/cancel", post(commands::cancel))
        .route("/api/commands/{id}/output", get(commands::output))
        .route("/api/webhooks", get(webhooks::list).post(webhooks::create))
        .route("/api/webhooks/{id}", get(webhooks::show).put(webhooks::change).delete(webhooks::delete))
        .route("/api/webhooks/{id}/test", post(webhooks::test))
        // Whoever asks the API for what is not there is a program, and gets no page.
        .route("/api/{*path}", any(async || ApiError::NoSuchRoute))
        .method_not_allowed_fallback(async |method: Method| ApiError::NoSuchMethod {
            method: method.to_string(),
        })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}
