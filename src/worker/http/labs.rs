//! Making, starting, stopping, wiping and deleting labs, and what they found. None needs an idempotency key: each says how the lab shall
//! be, and sent twice it finds that it is so.

use std::sync::Arc;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;

use super::body::{Body, json};
use super::{LAB_LIMIT, Shared};
use crate::model::{LabId, NetId};
use crate::worker::labs::Labs;
use crate::worker::protocol::{HostedLab, LabResults, NewLab};
use crate::worker::refusal::Refusal;

type Answer<T = HostedLab> = Result<Json<T>, Refusal>;

/// [`NewLab`] before its plan is looked at, so that what is wrong with the plan is said as such.
#[derive(Deserialize)]
struct Asked {
    id: LabId,
    net_id: NetId,
    plan: serde_json::Value,
    pnml: String,
}

/// `GET /labs`.
pub async fn list(Extension(shared): Extension<Arc<Shared>>) -> Answer<Vec<HostedLab>> {
    apart(&shared, |labs| Ok(labs.describe())).await.map(Json)
}

/// `POST /labs`.
pub async fn make(Extension(shared): Extension<Arc<Shared>>, body: Body) -> Answer {
    not_at_the_end(&shared)?;
    apart(&shared, |labs| {
        let Asked { id, net_id, plan, pnml } = json(body, LAB_LIMIT)?;
        let plan = serde_json::from_value(plan).map_err(|e| Refusal::BadPlan(format!("the plan: {e}")))?;
        labs.make(NewLab { id, net_id, plan, pnml })
    })
    .await
    .map(Json)
}

/// `POST /labs/{id}/start`.
pub async fn start(Extension(shared): Extension<Arc<Shared>>, Path(id): Path<String>) -> Answer {
    not_at_the_end(&shared)?;
    let id = lab_id(&id)?;
    apart(&shared, move |labs| labs.start(id)).await.map(Json)
}

/// `POST /labs/{id}/stop`.
pub async fn stop(Extension(shared): Extension<Arc<Shared>>, Path(id): Path<String>) -> Answer {
    let id = lab_id(&id)?;
    apart(&shared, move |labs| labs.stop(id)).await.map(Json)
}

/// `POST /labs/{id}/wipe`.
pub async fn wipe(Extension(shared): Extension<Arc<Shared>>, Path(id): Path<String>) -> Answer {
    let id = lab_id(&id)?;
    apart(&shared, move |labs| labs.wipe(id)).await.map(Json)
}

/// `DELETE /labs/{id}`. What is not there is gone already.
pub async fn delete(
    Extension(shared): Extension<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = lab_id(&id)?;
    apart(&shared, move |labs| {
        labs.delete(id);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// `GET /labs/{id}/results`.
pub async fn results(
    Extension(shared): Extension<Arc<Shared>>,
    Path(id): Path<String>,
) -> Answer<LabResults> {
    let id = lab_id(&id)?;
    apart(&shared, move |labs| labs.results(id)).await.map(Json)
}

/// Asks on a thread that may wait.
async fn apart<T: Send + 'static>(
    shared: &Arc<Shared>,
    act: impl FnOnce(&Labs) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let labs = shared.labs.clone();
    tokio::task::spawn_blocking(move || act(&labs)).await.unwrap_or(Err(Refusal::Internal))
}

fn not_at_the_end(shared: &Shared) -> Result<(), Refusal> {
    if shared.end.is_cancelled() { Err(Refusal::Ending) } else { Ok(()) }
}

fn lab_id(text: &str) -> Result<LabId, Refusal> {
    text.parse().map_err(|_| Refusal::BadRequest("the lab's id is no UUID".to_string()))
}
