//! The REST API: thin doors. Each handler reads the request, asks one function elsewhere, and writes the answer.
//!
//! A file is a noun. What it answers to is in the [`table`], which the router and the document (`openapi`) are made from.

pub mod audit;
mod builds;
mod clusters;
pub mod commands;
pub mod error;
mod events;
mod extract;
pub mod fields;
mod health;
mod history;
mod hosts;
mod labs;
pub mod lists;
mod members;
mod nets;
pub mod openapi;
mod pipelines;
pub mod plain;
mod projects;
mod pull_requests;
mod rows;
mod session;
mod state;
pub mod table;
pub mod tokens;
mod transfer;
mod users;
pub mod webhooks;
mod workers;

use super::App;
use crate::{app::error::ApiError, model::action::MAX_PNML_BYTES};
use axum::{Router, extract::DefaultBodyLimit, http::Method, middleware, routing::any};

/// A PNML file as text in JSON may be escaped to twice its size; the rest of a form is small.
const LARGEST_BODY: usize = 2 * MAX_PNML_BYTES + (1 << 20);

pub fn routes() -> Router<App> {
    let operations = table::operations();
    let router = operations
        .into_iter()
        .fold(Router::new(), |router, operation| router.route(operation.path, operation.handler));
    router
        // Whoever asks the API for what is not there is a program, and gets no page.
        .route("/api/{*path}", any(async || ApiError::NoSuchRoute))
        .method_not_allowed_fallback(async |method: Method| ApiError::NoSuchMethod {
            method: method.to_string(),
        })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::map_response(error::in_our_form))
}
