//! `/api/clusters`.

use super::{
    extract::{id, options},
    fields::Fields,
};
use crate::{
    app::error::ApiError,
    model::{Action, Done, NewCluster, Provider},
    server::{App, actions::perform, auth::Who},
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

pub async fn create(
    State(app): State<App>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let body = Fields::read(&body)?;
    let new = NewCluster {
        name: body.text("name")?,
        provider: body
            .word("provider", &[Provider::Local, Provider::External].map(|it| (it.as_str(), it)))?,
        region: body.optional_text("region")?,
    };
    let done = perform(&app, &who, Action::CreateCluster(new), options(&headers)?).await?;
    Ok((StatusCode::CREATED, Json(done)).into_response())
}

pub async fn delete(
    State(app): State<App>,
    who: Who,
    Path(cluster): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Done>, ApiError> {
    let action = Action::DeleteCluster(id(&cluster, "cluster")?);
    perform(&app, &who, action, options(&headers)?).await.map(Json)
}
