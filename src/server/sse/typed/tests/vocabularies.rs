//! Three clients, each written only from what its seed says.

use super::client::*;
use crate::{
    model::{ErrorDetail, Telemetry, WorkerMetrics, WorkerStatus},
    server::{actions::tests::harness::*, clock::now, supervise::tests::fixtures::*},
};
use axum::http::Method;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Seed 000: `type ServerEvent`, which an `EventSource` hands to `onmessage`.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ServerEvent {
    WorkerStateChanged { worker_id: String, status: String },
    NetStateChanged { net_id: String, load_state: String },
}

#[tokio::test]
async fn a_client_of_seed_000_sees_a_worker_crash_and_its_nets_unloaded() {
    let stage = Stage::new().await;
    let mut stream = stage.stream("/api/events?unnamed").await;
    let (mut workers, mut nets) = (BTreeMap::new(), BTreeMap::new());
    stage.set_status(WorkerStatus::Error(ErrorDetail::Unreachable)).await;
    stage
        .console
        .app
        .store()
        .transact(crate::model::Actor::System, |draft| draft.delete_net(net_id(2)))
        .await
        .unwrap();
    while nets.len() < 2 {
        let event = stream.next().await.unwrap();
        // Without a name of its own an event is a `message`; others go to nobody who does not ask for them.
        if event.event != "message" {
            continue;
        }
        match serde_json::from_str(&event.data).unwrap() {
            ServerEvent::WorkerStateChanged { worker_id, status } => _ = workers.insert(worker_id, status),
            ServerEvent::NetStateChanged { net_id, load_state } => _ = nets.insert(net_id, load_state),
        }
    }
    assert_eq!(workers, BTreeMap::from([(WORKER.to_string(), "error".to_owned())]));
    let wanted =
        [(net_id(1).to_string(), "unloaded".to_owned()), (net_id(2).to_string(), "deleted".to_owned())];
    assert_eq!(nets, BTreeMap::from(wanted));
}

#[tokio::test]
async fn a_client_of_seed_001_follows_a_worker_through_its_life() {
    let stage = Stage::new().await;
    let mut stream = stage.stream("/api/events/stream").await;
    let new =
        format!(r#"{{"name":"w2","cluster_id":"{CLUSTER}","category":"ephemeral","cpus":1,"memory_mb":64}}"#);
    let created = stage.console.ask(ANA, Method::POST, "/api/workers", &new).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let id = created.body["worker"]["id"].as_str().unwrap();
    let (_, data) = stream.until("worker.created").await;
    assert_eq!((&data["worker_id"], &data["event_type"]), (&id.into(), &"worker.created".into()));
    stage.set_status(WorkerStatus::Stopped).await;
    let (_, data) = stream.until("worker.status.updated").await;
    assert_eq!(data["data"]["status"], "stopped");
    let worker = WorkerMetrics { cpu_percent: 5.0, nets: 2, ..WorkerMetrics::default() };
    stage.console.app.hub().figures().put(Telemetry {
        worker_id: WORKER,
        at: now(),
        worker,
        nets: vec![],
        labs: vec![],
    });
    stage.console.app.hub().telemetry();
    let (_, data) = stream.until("worker.metrics.updated").await;
    assert_eq!(data["data"]["metrics"]["cpu_percent"], 5.0);
    for _ in 0..6 {
        stage.console.app.hub().beacon();
    }
    stream.until("heartbeat").await;
    let terminate = stage.console.app.store().transact(crate::model::Actor::System, |draft| {
        draft.edit_worker(WORKER, crate::model::WorkerCause::Terminated, |row| {
            row.status = WorkerStatus::Pending
        })
    });
    terminate.await.unwrap();
    let (_, data) = stream.until("worker.terminated").await;
    assert_eq!(data["worker_id"], WORKER.to_string());
    stage.console.app.hub().shut_down();
    stream.until("system.sse.shutdown").await;
}

/// Seed 004: the event types that `useSSE` knows.
const TYPES: [&str; 8] = [
    "connected",
    "heartbeat",
    "workload_status_update",
    "project_status_update",
    "cluster_status_update",
    "build_complete",
    "build_failed",
    "error_report",
];

#[tokio::test]
async fn a_client_of_seed_004_follows_the_workloads_of_its_project() {
    let stage = Stage::new().await;
    let ticket = stage.console.ask(ANA, Method::POST, "/api/stream-tickets", "").await;
    let ticket = ticket.body["ticket"].as_str().unwrap();
    let path = format!("/api/v1/events/stream?token={ticket}");
    let mut stream = Stream::of(stage.get(&path, &[]).await);
    let filtered = format!("/api/v1/events/stream?project_id={PROJECT}&resource_type=workload");
    let mut of_project = stage.stream(&filtered).await;
    stage.set_status(WorkerStatus::Error(ErrorDetail::Unreachable)).await;
    let project = stage.console.app.store().transact(crate::model::Actor::System, |draft| {
        draft.put_cluster(crate::model::Cluster {
            connection: crate::model::Connection::Disconnected,
            lab_sync_minutes: None,
            ..cluster()
        });
        draft.put_project(crate::model::Project {
            id: crate::model::ProjectId(uuid::Uuid::from_u128(9)),
            name: crate::model::Name::new("second").unwrap(),
            ..project()
        });
        Ok::<_, crate::model::Gone>(())
    });
    project.await.unwrap();
    let mut seen = Vec::new();
    while seen.last().map(String::as_str) != Some("project_status_update") {
        let event = stream.next().await.unwrap();
        assert!(TYPES.contains(&event.event.as_str()), "{event:?}");
        let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(data["event_type"], event.event);
        let seconds = data["timestamp"].as_u64().unwrap();
        assert!(now().0 / 1_000 - seconds < 3_600, "seconds since 1970");
        match event.event.as_str() {
            "workload_status_update" => {
                assert_eq!(
                    (&data["workload_id"], &data["status"]),
                    (&net_id(1).to_string().into(), &"unloaded".into())
                );
                assert_eq!(
                    (&data["type"], &data["project_id"]),
                    (&"workload.unloaded".into(), &PROJECT.to_string().into())
                );
            }
            "cluster_status_update" => {
                assert_eq!(
                    (&data["type"], &data["status"]),
                    (&"cluster.disconnected".into(), &"disconnected".into())
                );
            }
            "project_status_update" => assert_eq!(data["type"], "project.created"),
            _ => {}
        }
        seen.push(event.event);
    }
    for wanted in ["connected", "workload_status_update", "error_report", "cluster_status_update"] {
        assert!(seen.iter().any(|name| name == wanted), "{wanted} in {seen:?}");
    }
    assert_eq!(of_project.next().await.unwrap().event, "workload_status_update");
}

#[tokio::test]
async fn a_client_of_seed_004_hears_how_a_build_ended() {
    use crate::model::{Build, BuildCause, BuildError, BuildId, BuildStatus, DefinitionHash};
    let stage = Stage::new().await;
    let mut stream = stage.stream("/api/v1/events/stream").await;
    let mut named = stage.stream("/api/events").await;
    for (n, status, name) in
        [(71, BuildStatus::Succeeded, "build_complete"), (72, BuildStatus::Failed, "build_failed")]
    {
        let id = BuildId(uuid::Uuid::from_u128(n));
        let error = (status == BuildStatus::Failed)
            .then(|| BuildError { text: "the element is not known".to_owned(), at: Some((2, 3)) });
        let ended = stage.console.app.store().transact(crate::model::Actor::System, move |draft| {
            let queued = Build::queued(id, net_id(1), PROJECT, 1, DefinitionHash::of(PNML), draft.now());
            draft.put_build(BuildCause::Queued, queued.clone())?;
            draft.put_build(BuildCause::Finished, Build { status, error, ..queued })
        });
        ended.await.unwrap();
        let (_, data) = stream.until(name).await;
        assert_eq!((&data["event_type"], &data["status"]), (&name.into(), &status.word().into()));
        assert_eq!(data["build_id"], id.to_string());
        assert_eq!(data["workload_id"], net_id(1).to_string());
        assert_eq!(
            (&data["net_id"], &data["project_id"]),
            (&net_id(1).to_string().into(), &PROJECT.to_string().into())
        );
        let own = if status == BuildStatus::Failed { "build.failed" } else { "build.completed" };
        let (_, data) = named.until(own).await;
        assert_eq!((&data["build_id"], &data["data"]["version"]), (&id.to_string().into(), &1.into()));
    }
}
