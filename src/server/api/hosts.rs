//! `/api/hosts`.

use super::{
    extract::{id, options, position, row},
    fields::Fields,
    lists::{ListRequest, Order},
    openapi::bodies,
};
use crate::{
    app::error::ApiError,
    model::{Action, Compartments, Done, EntityRef, Fleet, Host, HostAction, HostId},
    server::{
        App,
        actions::{gone, need_hosts, perform},
        auth::Who,
        clock::now,
    },
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

pub async fn list(State(app): State<App>, who: Who, asked: ListRequest) -> Result<Response, ApiError> {
    need_hosts(&who)?;
    let at = position(&app, &who);
    let wanted = asked.wanted::<HostId>("host")?;
    let fleet = app.store().fleet();
    let rows = fleet.hosts().filter(|row| wanted.as_ref().is_none_or(|wanted| wanted.contains(&row.id)));
    let rows: Vec<_> = rows.cloned().collect();
    asked.answer(rows, Order::OldestFirst, |row| (row.id.0, row.revision), at)
}

pub async fn show(State(app): State<App>, who: Who, Path(host): Path<String>) -> Result<Response, ApiError> {
    need_hosts(&who)?;
    let at = position(&app, &who);
    let id: HostId = id(&host, "host")?;
    let fleet = app.store().fleet();
    fleet.host(id).map(|host| row(&**host, at)).ok_or_else(|| gone(&fleet, EntityRef::Host(id), now()))
}

pub async fn create(
    State(app): State<App>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let name = Fields::read::<bodies::NewHost>(&body)?.text("name")?;
    let done = perform(&app, &who, Action::CreateHost { name }, options(&headers)?).await?;
    Ok((StatusCode::CREATED, secret(done)).into_response())
}

pub async fn delete(
    State(app): State<App>,
    who: Who,
    Path(host): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Done>, ApiError> {
    act(&app, &who, &host, HostAction::Delete, &headers).await.map(Json)
}

pub async fn issue_token(
    State(app): State<App>,
    who: Who,
    Path(host): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    act(&app, &who, &host, HostAction::IssueToken, &headers).await.map(secret)
}

pub async fn revoke_token(
    State(app): State<App>,
    who: Who,
    Path(host): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Done>, ApiError> {
    act(&app, &who, &host, HostAction::RevokeToken, &headers).await.map(Json)
}

/// What a refresh answers: the row, and the same in the words of seed 003.
#[derive(Serialize, schemars::JsonSchema)]
pub struct Refreshed<'a> {
    #[serde(flatten)]
    done: &'a Done,
    host_id: HostId,
    online: bool,
    generation: Option<&'a str>,
    agent_version: Option<&'a str>,
    agent_outdated: bool,
    update_status: &'a Compartments,
    pending_pr: Option<PendingPr<'a>>,
}

#[derive(Serialize, schemars::JsonSchema)]
struct PendingPr<'a> {
    number: u64,
    title: &'a str,
    url: &'a str,
    mergeable: Option<bool>,
}

impl<'a> Refreshed<'a> {
    fn of(done: &'a Done, host: &'a Host, fleet: &'a Fleet) -> Refreshed<'a> {
        let newest = fleet.pull_requests().next_back();
        Refreshed {
            done,
            host_id: host.id,
            online: host.online,
            generation: host.generation.as_deref(),
            agent_version: host.agent.as_ref().map(|agent| agent.version.as_str()),
            agent_outdated: host.agent.as_ref().is_some_and(|agent| agent.outdated),
            update_status: &host.compartments,
            pending_pr: newest.map(|row| PendingPr {
                number: row.number,
                title: &row.title,
                url: &row.url,
                mergeable: row.mergeable,
            }),
        }
    }
}

pub async fn refresh(
    State(app): State<App>,
    who: Who,
    Path(host): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let done = act(&app, &who, &host, HostAction::Refresh, &headers).await?;
    let fleet = app.store().fleet();
    Ok(match &done.host {
        Some(host) => Json(Refreshed::of(&done, host, &fleet)).into_response(),
        None => Json(&done).into_response(),
    })
}

async fn act(
    app: &App,
    who: &Who,
    host: &str,
    action: HostAction,
    headers: &HeaderMap,
) -> Result<Done, ApiError> {
    let action = Action::Host { id: id(host, "host")?, action };
    perform(app, who, action, options(headers)?).await
}

/// An answer with a token in it is kept by nobody on the way.
fn secret(done: Done) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(done)).into_response()
}
