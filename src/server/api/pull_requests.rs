//! Open pull requests of the hosts' repository, and what that repository says the hosts should be.

use super::{extract::options, fields::Fields, openapi::bodies, pipelines};
use crate::{
    app::error::ApiError,
    model::{Action, CommandKind, Done, PullRequest, Repository, Timestamp},
    server::{
        App,
        actions::{need_hosts, perform},
        auth::Who,
        clock::now,
    },
};
use axum::{Json, body::Bytes, extract::State, http::HeaderMap, response::IntoResponse};
use serde::Serialize;
use std::sync::Arc;

/// What deploying is where a request does not say.
const DEPLOY: [&str; 2] = ["pull", "switch"];

/// The open pull requests with how old they are.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "PullRequests")]
pub struct Listed {
    pull_requests: Vec<Arc<PullRequest>>,
    /// Whether the console was told of a repository on GitHub.
    configured: bool,
    /// When GitHub last answered; the rows are of then.
    #[serde(skip_serializing_if = "Option::is_none")]
    checked_at: Option<Timestamp>,
    /// Why it could not be asked since.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    server_time: Timestamp,
}

pub async fn list(State(app): State<App>, who: Who) -> Result<impl IntoResponse, ApiError> {
    need_hosts(&who)?;
    let seen = app.github().map(|github| github.seen()).unwrap_or_default();
    Ok(Json(Listed {
        pull_requests: app.store().fleet().pull_requests().cloned().collect(),
        configured: app.github().is_some(),
        checked_at: seen.checked_at,
        error: seen.error,
        server_time: now(),
    }))
}

/// What the hosts should be; `null` where the console was told of no repository, or has not read it yet.
pub async fn repository(State(app): State<App>, who: Who) -> Result<Json<Option<Arc<Repository>>>, ApiError> {
    need_hosts(&who)?;
    Ok(Json(app.store().fleet().repository().cloned()))
}

pub async fn merge(
    State(app): State<App>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Done>, ApiError> {
    let fields = Fields::read::<bodies::Merge>(&body)?;
    let deploy = match fields.within::<bodies::Deploy>("deploy")? {
        None => None,
        Some(deploy) => {
            let kinds = || DEPLOY.iter().filter_map(|kind| kind.parse::<CommandKind>().ok()).collect();
            let stages = pipelines::stages(&deploy)?.unwrap_or_else(kinds);
            Some(pipelines::plan(&deploy, stages)?)
        }
    };
    let number = fields.whole_number("number", &(1..=u64::from(u32::MAX)))?;
    let action = Action::MergePullRequest { number, head_sha: fields.text("head_sha")?, deploy };
    perform(&app, &who, action, options(&headers)?).await.map(Json)
}
