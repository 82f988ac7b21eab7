//! Its labs: they are what `health.labs` says. One that is started runs until a test says otherwise.

use super::Inner;
use crate::{
    model::{DefinitionHash, LabId, LabPlan, LabProgress, LabState},
    petri::lab::{Estimate, Results},
    worker::protocol::{HostedLab, LabResults, NewLab, WorkerEvent},
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Inner>> {
    Router::new()
        .route("/labs", get(list).post(make))
        .route("/labs/{id}", delete(remove))
        .route("/labs/{id}/results", get(results))
        .route("/labs/{id}/{verb}", post(control))
}

impl Inner {
    fn tell_of_labs(&self, event: &WorkerEvent) {
        let event = serde_json::to_string(event).unwrap();
        let _ = self.frames.send(crate::sync::sse::frame("worker", None, &event));
    }
}

fn no_lab() -> Response {
    let error = serde_json::json!({"error": "this lab is not here", "code": "no_lab"});
    (StatusCode::NOT_FOUND, Json(error)).into_response()
}

async fn list(State(inner): State<Arc<Inner>>, headers: HeaderMap) -> Response {
    if let Some(response) = inner.misbehave(&headers).await {
        return response;
    }
    let labs = inner.health.lock().unwrap().labs.clone();
    Json(labs).into_response()
}

async fn make(State(inner): State<Arc<Inner>>, headers: HeaderMap, Json(new): Json<NewLab>) -> Response {
    if let Some(response) = inner.misbehave(&headers).await {
        return response;
    }
    let mut health = inner.health.lock().unwrap();
    if let Some(there) = health.labs.iter().find(|lab| lab.id == new.id) {
        if there.plan == new.plan {
            return Json(there.clone()).into_response();
        }
        let error = serde_json::json!({"error": "there is another lab with this id", "code": "lab_exists"});
        return (StatusCode::CONFLICT, Json(error)).into_response();
    }
    let lab = HostedLab {
        id: new.id,
        net_id: new.net_id,
        definition: DefinitionHash::of(new.pnml.as_bytes()),
        plan: new.plan,
        state: LabState::Idle,
        error: None,
        progress: LabProgress::default(),
    };
    health.labs.push(lab.clone());
    inner.tell_of_labs(&WorkerEvent::Lab(lab.clone()));
    Json(lab).into_response()
}

async fn control(
    State(inner): State<Arc<Inner>>,
    Path((id, verb)): Path<(LabId, String)>,
    headers: HeaderMap,
) -> Response {
    if let Some(response) = inner.misbehave(&headers).await {
        return response;
    }
    let mut health = inner.health.lock().unwrap();
    let Some(lab) = health.labs.iter_mut().find(|lab| lab.id == id) else { return no_lab() };
    match (verb.as_str(), lab.state) {
        ("start", LabState::Idle) => lab.state = LabState::Running,
        ("stop", state) if state.is_active() => lab.state = LabState::Idle,
        ("wipe", state) if state.is_active() => {
            let error = serde_json::json!({"error": "the lab is at work", "code": "lab_active"});
            return (StatusCode::CONFLICT, Json(error)).into_response();
        }
        ("wipe", _) => {
            (lab.state, lab.error, lab.progress) = (LabState::Idle, None, LabProgress::default());
        }
        _ => return Json(lab.clone()).into_response(),
    }
    inner.tell_of_labs(&WorkerEvent::Lab(lab.clone()));
    Json(lab.clone()).into_response()
}

async fn remove(State(inner): State<Arc<Inner>>, Path(id): Path<LabId>, headers: HeaderMap) -> Response {
    if let Some(response) = inner.misbehave(&headers).await {
        return response;
    }
    let mut health = inner.health.lock().unwrap();
    let before = health.labs.len();
    health.labs.retain(|lab| lab.id != id);
    if health.labs.len() < before {
        inner.tell_of_labs(&WorkerEvent::LabGone { id });
    }
    StatusCode::NO_CONTENT.into_response()
}

/// Of so many runs as the progress says, and nothing is known of any place or transition.
async fn results(State(inner): State<Arc<Inner>>, Path(id): Path<LabId>, headers: HeaderMap) -> Response {
    if let Some(response) = inner.misbehave(&headers).await {
        return response;
    }
    if inner.garbled.lock().unwrap().contains(&id) {
        return Json(serde_json::json!({"kind": "monte_carlo", "results": {"runs": null}})).into_response();
    }
    let health = inner.health.lock().unwrap();
    let Some(lab) = health.labs.iter().find(|lab| lab.id == id) else { return no_lab() };
    let runs = lab.progress.runs;
    let found = match lab.plan {
        LabPlan::Explore { .. } => LabResults::Explore { report: None },
        LabPlan::MonteCarlo { .. } => LabResults::MonteCarlo {
            results: Results {
                runs,
                reached: Estimate { runs, mean: None, interval: None },
                dead: 0,
                limited: runs,
                overflowed: 0,
                firings_to_goal: None,
                time_to_goal: None,
                throughput: Vec::new(),
                tokens: Vec::new(),
            },
        },
    };
    Json(found).into_response()
}
