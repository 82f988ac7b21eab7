//! `/api/clusters`.

use super::{
    extract::{Tagged, id, options, position, row},
    fields::Fields,
    openapi::bodies,
};
use crate::{
    app::error::ApiError,
    model::{Action, Cluster, Done, NewCluster, Provider},
    server::{App, actions::perform, auth::Who},
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

/// A cluster has no lifecycle: every change of it is what `If-Match` compares.
impl Tagged for Cluster {
    fn tag(&self) -> u64 {
        self.revision
    }
}

pub async fn create(
    State(app): State<App>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let body = Fields::read::<bodies::NewCluster>(&body)?;
    let new = NewCluster {
        name: body.text("name")?,
        provider: body
            .word("provider", &[Provider::Local, Provider::External].map(|it| (it.as_str(), it)))?,
        region: body.optional_text("region")?,
    };
    let done = perform(&app, &who, Action::CreateCluster(new), options(&headers)?).await?;
    Ok((StatusCode::CREATED, Json(done)).into_response())
}

pub async fn show(
    State(app): State<App>,
    who: Who,
    Path(cluster): Path<String>,
) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    let cluster = app.store().fleet().cluster(id(&cluster, "cluster")?).cloned();
    cluster.map(|cluster| row(&*cluster, at)).ok_or(ApiError::Gone { what: "cluster".to_owned() })
}

/// `{name}`.
pub async fn rename(
    State(app): State<App>,
    who: Who,
    Path(cluster): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Done>, ApiError> {
    let action = Action::RenameCluster {
        id: id(&cluster, "cluster")?,
        name: Fields::read::<bodies::Renamed>(&body)?.text("name")?,
    };
    perform(&app, &who, action, options(&headers)?).await.map(Json)
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
