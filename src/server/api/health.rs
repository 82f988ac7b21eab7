//! For whoever watches the console itself.

use crate::server::App;
use crate::server::api::openapi::{Content, describe};
use crate::server::metrics;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};

/// How [`ready`] says no.
pub const TEXT: Content = Content { media: "text/plain", schema: describe::<String> };

/// The process answers.
pub async fn alive() -> &'static str {
    "alive\n"
}

/// The database answers, and the console is not going down.
pub async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    if app.is_shutting_down() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n");
    }
    match sqlx::query("SELECT 1").execute(app.store().pool()).await {
        Ok(_) => (StatusCode::OK, "ready\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}

/// What the console counts about itself, for Prometheus.
pub async fn figures(State(app): State<App>) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, metrics::text(&app))
}
