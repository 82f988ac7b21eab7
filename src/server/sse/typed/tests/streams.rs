//! What is on a stream: what was asked for, and how it ends.

use super::client::*;
use crate::{
    model::{Telemetry, WorkerMetrics, WorkerStatus},
    server::{actions::tests::harness::*, clock::now, supervise::tests::fixtures::*},
};
use axum::http::Method;

#[tokio::test]
async fn each_filter_lets_through_what_it_names_and_nothing_else() {
    let stage = Stage::new().await;
    let somebody = "00000000-0000-0000-0000-0000000000ff";
    // What comes of a worker that leaves ready, of its net, and of their entries in the log.
    for (filter, wanted) in [
        (
            format!("worker_id={WORKER}"),
            vec!["worker.status.updated", "net.load_state.updated", "error.reported"],
        ),
        (format!("worker_id={WORKER}&resource_type=worker"), vec!["worker.status.updated"]),
        (
            format!("cluster_id={CLUSTER}&resource_type=worker,net"),
            vec!["worker.status.updated", "net.load_state.updated"],
        ),
        (format!("project_id={PROJECT}"), vec!["net.load_state.updated"]),
        (format!("net_id={}", net_id(1)), vec!["net.load_state.updated"]),
        (format!("workload_id={}&resource_type=workload", net_id(1)), vec!["net.load_state.updated"]),
        ("resource_type=error".to_owned(), vec!["error.reported"]),
        (format!("worker_id={somebody}"), vec![]),
        (format!("cluster_id={somebody}"), vec![]),
        ("region=nowhere".to_owned(), vec![]),
        (format!("net_id={}", net_id(2)), vec![]),
    ] {
        let mut stream = stage.stream(&format!("/api/events?{filter}")).await;
        stage.set_status(WorkerStatus::Error(crate::model::ErrorDetail::Unreachable)).await;
        // Its own end: everything before it was sent.
        for _ in 0..6 {
            stage.console.app.hub().beacon();
        }
        let mut got = Vec::new();
        loop {
            let event = stream.next().await.unwrap();
            match event.event.as_str() {
                "heartbeat" => break,
                _ => got.push(event.event),
            }
        }
        assert_eq!(got, wanted, "{filter}");
        stage
            .console
            .app
            .store()
            .transact(crate::model::Actor::System, |draft| {
                draft.set_worker_status(WORKER, WorkerStatus::Ready, None)?;
                draft.edit_net(net_id(1), crate::model::NetCause::LoadState, |row| {
                    row.load_state = crate::model::LoadState::Loaded;
                })
            })
            .await
            .unwrap();
    }
    for (filter, said) in [
        ("worker_id=7", "worker_id must be an id"),
        ("resource_type=colour", "There is no resource_type"),
        ("wroker_id=7", "There is no parameter"),
        ("since=soon", "since must be a time"),
    ] {
        let answer = stage.console.ask(ANA, Method::GET, &format!("/api/events?{filter}"), "").await;
        assert_eq!(answer.status, 400, "{filter}");
        assert!(answer.detail().starts_with(said), "{filter}: {}", answer.detail());
    }
}

#[tokio::test]
async fn figures_come_without_an_id_and_are_not_repeated() {
    let stage = Stage::new().await;
    let mut stream = stage.stream(&format!("/api/events?worker_id={WORKER}")).await;
    let worker = WorkerMetrics { cpu_percent: 12.5, ..WorkerMetrics::default() };
    stage.console.app.hub().figures().put(Telemetry {
        worker_id: WORKER,
        at: now(),
        worker,
        nets: vec![],
        labs: vec![],
    });
    stage.console.app.hub().telemetry();
    let event = stream.next().await.unwrap();
    let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(event.event, "worker.metrics.updated");
    assert_eq!(
        (&data["worker_id"], &data["data"]["metrics"]["cpu_percent"]),
        (&WORKER.to_string().into(), &12.5.into())
    );
    assert_eq!((data.get("id"), &data["cluster_id"]), (None, &CLUSTER.to_string().into()));
}

#[tokio::test]
async fn what_happens_to_labs_is_told_with_what_they_belong_to() {
    let stage = Stage::new().await;
    let mut stream = stage.stream(&format!("/api/events?net_id={}&resource_type=lab", net_id(1))).await;
    let mut workers = stage.stream(&format!("/api/events?worker_id={WORKER}")).await;
    let labs = stage.console.app.store().transact(crate::model::Actor::System, |draft| {
        draft.put_lab(lab(1, 1))?;
        draft.put_lab(lab(2, 2))?;
        draft.edit_worker(WORKER, crate::model::WorkerCause::Labs, |row| row.labs = Some(Default::default()))
    });
    labs.await.unwrap();
    let delete = stage.console.app.store();
    delete.transact(crate::model::Actor::System, |draft| draft.delete_lab(lab_id(1))).await.unwrap();
    let whose = |data: &serde_json::Value| {
        ["lab_id", "net_id", "worker_id", "project_id"].map(|name| data[name].as_str().unwrap().to_owned())
    };
    let about = [lab_id(1).to_string(), net_id(1).to_string(), WORKER.to_string(), PROJECT.to_string()];
    for state in [Some("idle"), None] {
        let (_, data) = stream.until("lab.updated").await;
        assert_eq!(whose(&data), about, "{data}");
        assert_eq!(data["data"]["state"].as_str(), state, "{data}");
    }
    let (_, data) = workers.until("worker.labs.updated").await;
    assert_eq!(
        (data["worker_id"].as_str().unwrap(), &data["data"]["labs"]["total"]),
        (WORKER.to_string().as_str(), &0.into())
    );
}

#[tokio::test]
async fn a_stream_says_that_the_server_goes_down_and_ends() {
    let stage = Stage::new().await;
    let mut streams = Vec::new();
    for path in ["/api/events", "/api/events/stream", "/api/v1/events/stream", "/api/events?unnamed"] {
        streams.push(stage.stream(path).await);
    }
    stage.console.app.hub().shut_down();
    for stream in &mut streams {
        let (_, data) = stream.until("system.sse.shutdown").await;
        assert_eq!(data["spread_ms"], 5_000);
        assert_eq!(stream.next().await, None);
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let stage = Stage::new().await;
    let mut stream = stage.stream("/api/events").await;
    let out = stage.console.ask(ANA, Method::DELETE, "/api/session", "").await;
    assert!(out.status.is_success(), "{}", out.text);
    while let Some(event) = stream.next().await {
        assert_ne!(event.event, "connected");
    }
}

#[test]
fn every_name_that_a_change_can_have_is_in_the_table() {
    let source = include_str!("../../../../model/change.rs");
    let names = source.split('"').skip(1).step_by(2).filter(|text| {
        text.contains('.')
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_'))
    });
    let names: Vec<&str> = names.collect();
    assert!(names.len() > 25, "{names:?}");
    for name in names {
        assert_eq!(super::super::vocabulary::Vocabulary::Named.name(name), Some(name));
    }
}
