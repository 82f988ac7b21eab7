//! Lists of the small entities.

use super::{
    extract::position,
    lists::{ListRequest, Order},
};
use crate::{
    app::error::ApiError,
    model::{ClusterId, ProjectId},
    server::{App, auth::Who},
};
use axum::{extract::State, response::Response};

pub async fn clusters(State(app): State<App>, who: Who, asked: ListRequest) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    let wanted = asked.wanted::<ClusterId>("cluster")?;
    let fleet = app.store().fleet();
    let rows = fleet.clusters().filter(|row| wanted.as_ref().is_none_or(|wanted| wanted.contains(&row.id)));
    let rows: Vec<_> = rows.cloned().collect();
    asked.answer(rows, Order::OldestFirst, |row| (row.id.0, row.revision), at)
}

pub async fn projects(State(app): State<App>, who: Who, asked: ListRequest) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    let wanted = asked.wanted::<ProjectId>("project")?;
    let fleet = app.store().fleet();
    let rows = fleet.projects().filter(|row| {
        who.scope.sees_project(row.id) && wanted.as_ref().is_none_or(|wanted| wanted.contains(&row.id))
    });
    let rows: Vec<_> = rows.cloned().collect();
    asked.answer(rows, Order::OldestFirst, |row| (row.id.0, row.revision), at)
}
