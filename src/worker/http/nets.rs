//! Loading, unloading and the commands.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::Deserialize;

use super::body::{Body, json, received};
use super::{BODY_LIMIT, Shared};
use crate::model::{LoadId, NetId};
use crate::worker::hosted::{Hosted, Notice};
use crate::worker::idempotency::LONGEST_KEY;
use crate::worker::protocol::{InjectRequest, NetAnswer, RunRequest};
use crate::worker::refusal::Refusal;

type Answer = Result<Json<NetAnswer>, Refusal>;

#[derive(Deserialize)]
pub struct LoadQuery {
    load_id: Option<String>,
    /// Decides the choices of the run; otherwise the load id does.
    seed: Option<u64>,
}

/// `PUT /nets/{id}?load_id=`; the load id may also come in the header `Load-Id`.
pub async fn load(
    Extension(shared): Extension<Arc<Shared>>,
    Path(id): Path<String>,
    query: Result<Query<LoadQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let id = net_id(&id)?;
    let Query(query) = query.map_err(|e| Refusal::BadRequest(e.body_text()))?;
    let load_id =
        query.load_id.as_deref().or_else(|| headers.get("load-id").and_then(|value| value.to_str().ok()));
    let load_id: LoadId = load_id
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Refusal::BadRequest("the load_id is missing or no UUID".to_string()))?;
    let pnml = received(body, BODY_LIMIT)?;
    let seed = query.seed.unwrap_or_else(|| load_id.0.as_u64_pair().1);
    let loading = tokio::task::spawn_blocking(move || shared.nets.load(id, load_id, &pnml, seed));
    loading.await.unwrap_or(Err(Refusal::Internal)).map(|net| Json(net.into()))
}

/// `DELETE /nets/{id}`, or `?load_id=` for that loading only: a console that clears up an old one must not hit a new one. What is not
/// there is gone already.
pub async fn unload(
    Extension(shared): Extension<Arc<Shared>>,
    Path(id): Path<String>,
    Query(query): Query<LoadQuery>,
) -> Result<StatusCode, Refusal> {
    let id = net_id(&id)?;
    let only = query.load_id.as_deref().map(str::parse::<LoadId>).transpose();
    let only = only.map_err(|_| Refusal::BadRequest("the load_id is no UUID".to_string()))?;
    let unloading = tokio::task::spawn_blocking(move || shared.nets.unload(id, only));
    unloading.await.map_err(|_| Refusal::Internal)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /nets/{id}/step`: fires one transition.
pub async fn step(
    Extension(shared): Extension<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    command(&shared, &id, "step", &headers, |hosted, notices| {
        let fired = hosted.step(notices)?;
        Ok(NetAnswer { fired: Some(fired), ..hosted.describe().into() })
    })
    .await
}

/// `POST /nets/{id}/run {rate}`: starts, or changes the rate.
pub async fn run(
    Extension(shared): Extension<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let RunRequest { rate } = json(body, BODY_LIMIT)?;
    let begin = shared.clone();
    let net = net_id(&id)?;
    let key = key(&id, "run", &headers)?;
    once(&shared, key, move || async move {
        let cell = begin.nets.get(net)?;
        let answer = cell
            .call(move |hosted, notices| {
                hosted.run(rate, Instant::now(), notices)?;
                Ok(hosted.describe().into())
            })
            .await?;
        begin.scheduler.begin(&cell);
        Ok(answer)
    })
    .await
}

/// `POST /nets/{id}/stop`.
pub async fn stop(
    Extension(shared): Extension<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    command(&shared, &id, "stop", &headers, |hosted, notices| {
        hosted.stop(notices)?;
        Ok(hosted.describe().into())
    })
    .await
}

/// `POST /nets/{id}/reset`: stops, and goes back to the initial marking.
pub async fn reset(
    Extension(shared): Extension<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    command(&shared, &id, "reset", &headers, |hosted, notices| {
        hosted.reset(notices)?;
        Ok(hosted.describe().into())
    })
    .await
}

/// `POST /nets/{id}/inject {place, tokens}`.
pub async fn inject(
    Extension(shared): Extension<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let InjectRequest { place, tokens } = json(body, BODY_LIMIT)?;
    let inject = move |hosted: &mut Hosted, notices: &mut Vec<Notice>| {
        let holds = hosted.inject(&place, tokens, notices)?;
        Ok(NetAnswer { tokens: Some(holds), ..hosted.describe().into() })
    };
    command(&shared, &id, "inject", &headers, inject).await
}

/// Does `act` once per idempotency key and answers with the net as it is afterwards.
async fn command(
    shared: &Arc<Shared>,
    id: &str,
    name: &str,
    headers: &HeaderMap,
    act: impl FnOnce(&mut Hosted, &mut Vec<Notice>) -> Result<NetAnswer, Refusal> + Send + 'static,
) -> Answer {
    let net = net_id(id)?;
    let nets = shared.nets.clone();
    once(shared, key(id, name, headers)?, move || async move { nets.get(net)?.call(act).await }).await
}

async fn once<F>(
    shared: &Arc<Shared>,
    key: Option<String>,
    work: impl FnOnce() -> F + Send + 'static,
) -> Answer
where
    F: Future<Output = Result<NetAnswer, Refusal>> + Send + 'static,
{
    let answer = match key {
        Some(key) => shared.recent.once(key, work).await.unwrap_or(Err(Refusal::Internal)),
        None => work().await,
    };
    answer.map(Json)
}

/// The command's key, with what it is for: the same key on another command is another command.
fn key(id: &str, name: &str, headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(value) if value.len() <= LONGEST_KEY => Ok(Some(format!("{name} {id} {value}"))),
        _ => Err(Refusal::BadRequest(format!(
            "the Idempotency-Key is not text of at most {LONGEST_KEY} characters"
        ))),
    }
}

fn net_id(text: &str) -> Result<NetId, Refusal> {
    text.parse().map_err(|_| Refusal::BadRequest("the net's id is no UUID".to_string()))
}
