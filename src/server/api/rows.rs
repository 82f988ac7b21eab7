//! Lists of the small entities.

use crate::server::{App, auth::Who};
use axum::{Json, extract::State, response::IntoResponse};
use std::sync::Arc;

pub async fn clusters(State(app): State<App>, _: Who) -> impl IntoResponse {
    Json(app.store().fleet().clusters().map(Arc::clone).collect::<Vec<_>>())
}

pub async fn projects(State(app): State<App>, who: Who) -> impl IntoResponse {
    let fleet = app.store().fleet();
    Json(
        fleet
            .projects()
            .filter(|project| who.scope.sees_project(project.id))
            .map(Arc::clone)
            .collect::<Vec<_>>(),
    )
}
