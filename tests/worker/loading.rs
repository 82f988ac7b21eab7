//! Loading and unloading, tokens, and files that are refused.

use muster::model::{LoadId, NetId, RunState};
use muster::petri::samples::SAMPLES;
use reqwest::{Method, StatusCode};
use uuid::Uuid;

use crate::harness::{Worker, answer, refused, within};

fn ids() -> (NetId, LoadId) {
    (NetId(Uuid::new_v4()), LoadId(Uuid::new_v4()))
}

#[tokio::test]
async fn nobody_without_the_token_is_served() {
    let worker = Worker::start().await;
    let paths = [(Method::GET, "/health"), (Method::GET, "/events"), (Method::GET, "/anything")];
    for (method, path) in paths {
        let (status, error) = refused(worker.bare(method.clone(), path)).await;
        assert_eq!((status, error.code.as_str()), (StatusCode::UNAUTHORIZED, "unauthorized"));
        let (status, _) = refused(worker.bare(method.clone(), path).bearer_auth("wrong")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        let (status, _) = refused(worker.bare(method, path).header("Authorization", "Basic YTpi")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn health_is_the_whole_picture() {
    let worker = Worker::start().await;
    let net = worker.load(SAMPLES[1].pnml).await;
    let health = worker.health().await;
    assert_eq!((health.worker_id, health.incarnation), (worker.id, worker.ready.incarnation));
    assert_eq!(health.nets, [net]);
}

#[tokio::test]
async fn the_same_load_id_changes_nothing_and_another_replaces() {
    let worker = Worker::start().await;
    let (id, load_id) = ids();
    worker.load_as(id, load_id, SAMPLES[1].pnml).await;
    let stepped = worker.tell(id, "step", serde_json::json!({})).await;
    assert_eq!(stepped.firings, 1);
    assert_eq!(worker.load_as(id, load_id, SAMPLES[1].pnml).await, stepped);
    let replaced = worker.load_as(id, LoadId(Uuid::new_v4()), SAMPLES[1].pnml).await;
    assert_eq!((replaced.firings, replaced.run_state), (0, RunState::Idle));
    assert_eq!(worker.health().await.nets.len(), 1);
}

#[tokio::test]
async fn the_load_id_may_come_in_a_header_and_must_come() {
    let worker = Worker::start().await;
    let (id, load_id) = ids();
    let put = || worker.request(Method::PUT, &format!("/nets/{id}")).body(SAMPLES[1].pnml);
    let (status, error) = refused(put()).await;
    assert_eq!((status, error.code.as_str()), (StatusCode::BAD_REQUEST, "bad_request"));
    let net: muster::worker::protocol::HostedNet = answer(put().header("Load-Id", load_id.to_string())).await;
    assert_eq!(net.load_id, load_id);
}

#[tokio::test]
async fn unloading_what_is_not_there_succeeds() {
    let worker = Worker::start().await;
    let net = worker.load(SAMPLES[1].pnml).await;
    for _ in 0..2 {
        let request = worker.request(Method::DELETE, &format!("/nets/{}", net.id));
        let response = within("an answer", request.send()).await.expect("sent");
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert!(worker.health().await.nets.is_empty());
    }
    let (status, error) = refused(worker.command(net.id, "step", "k", serde_json::json!({}))).await;
    assert_eq!((status, error.code.as_str()), (StatusCode::NOT_FOUND, "not_loaded"));
}

#[tokio::test]
async fn a_bad_file_is_refused_with_its_line_and_nothing_is_loaded() {
    let worker = Worker::start().await;
    let (id, load_id) = ids();
    let bad = "<pnml>\n<net id='n' type='ptnet'>\n  <arc id='a' source='x' target='y'/></net></pnml>";
    let (status, error) = refused(worker.put(id, load_id, bad)).await;
    assert_eq!((status, error.code.as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "bad_pnml"));
    assert_eq!((error.line, error.column), (Some(3), Some(3)));
    assert!(error.error.contains("\"x\""), "{}", error.error);
    assert!(worker.health().await.nets.is_empty());
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused() {
    let worker = Worker::start().await;
    let (id, load_id) = ids();
    let request = worker.put(id, load_id, " ".repeat((32 << 20) + 1));
    // The worker may hang up while the rest is still being sent; either way nothing is loaded.
    if let Ok(response) = within("an answer", request.send()).await {
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert!(worker.health().await.nets.is_empty());
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_json() {
    let worker = Worker::start().await;
    let (status, error) = refused(worker.request(Method::GET, "/nowhere")).await;
    assert_eq!((status, error.code.as_str()), (StatusCode::NOT_FOUND, "no_such_route"));
    let (status, _) = refused(worker.request(Method::POST, "/nets/not-a-uuid/step")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let net = worker.load(SAMPLES[1].pnml).await;
    let (status, _) = refused(worker.command(net.id, "run", "k", serde_json::json!({ "rate": -1 }))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = refused(worker.request(Method::GET, "/events?net=nonsense")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, error) =
        refused(worker.request(Method::GET, &format!("/events?net={}", Uuid::new_v4()))).await;
    assert_eq!((status, error.code.as_str()), (StatusCode::NOT_FOUND, "not_loaded"));
}
