//! `/api/builds`.

use super::{
    error::internal,
    extract::{id, position, row},
    lists::{ListRequest, Order},
};
use crate::{
    app::error::ApiError,
    model::{Build, BuildId, NetId},
    server::{App, auth::Who, builds::visible, storage::builds},
};
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct ListQuery {
    net_id: Option<String>,
}

/// Those of a net, or of the snapshot.
pub async fn list(
    State(app): State<App>,
    who: Who,
    Query(query): Query<ListQuery>,
    asked: ListRequest,
) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    let wanted = asked.wanted::<BuildId>("build")?;
    let is_wanted = |row: &Build| wanted.as_ref().is_none_or(|wanted| wanted.contains(&row.id));
    let rows: Vec<Build> = match query.net_id {
        Some(net) => {
            let net: NetId = id(&net, "net")?;
            visible(&app, &who, net)?;
            let rows = builds::of_net(app.store().pool(), net).await.map_err(|error| internal(&error))?;
            rows.into_iter().rev().filter(is_wanted).collect()
        }
        None => {
            let fleet = app.store().fleet();
            let rows = fleet.builds().rev().filter(|row| who.scope.sees_project(row.project_id));
            rows.map(|row| Build::clone(row)).filter(is_wanted).collect()
        }
    };
    asked.also(&["net_id"]).answer(rows, Order::NewestFirst, |row| (row.id.0, row.revision), at)
}

pub async fn show(State(app): State<App>, who: Who, Path(build): Path<String>) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    let gone = || ApiError::Gone { what: "build".to_owned() };
    let build: BuildId = id(&build, "build")?;
    let found = builds::one(app.store().pool(), build).await.map_err(|error| internal(&error))?;
    let found = found.ok_or_else(gone)?;
    // Its net says who sees it now.
    visible(&app, &who, found.net_id).map_err(|_| gone())?;
    Ok(row(&found, at))
}
