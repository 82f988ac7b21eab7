//! Step, run, stop, reset and inject.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use muster::model::{RunState, WorkerMetrics};
use muster::petri::samples::{SAMPLES, sample};
use muster::worker::protocol::WorkerEvent;
use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Worker, answer, refused};

fn philosophers() -> &'static str {
    sample("dining-philosophers").expect("a sample").pnml
}

fn buffer() -> &'static str {
    sample("producer-consumer").expect("a sample").pnml
}

#[tokio::test]
async fn a_net_is_stepped_run_stopped_and_reset() {
    let worker = Worker::start().await;
    let id = worker.load(buffer()).await.id;
    assert_eq!(worker.tell(id, "step", json!({})).await.firings, 1);
    let running = worker.run(id, 0).await;
    assert_eq!((running.run_state, running.rate), (RunState::Running, 0));
    worker.until("many firings", id, |net| net.firings > 10_000).await;
    let (status, error) = refused(worker.command(id, "step", "s", json!({}))).await;
    assert_eq!((status, error.code.as_str()), (StatusCode::CONFLICT, "running"));
    let stopped = worker.tell(id, "stop", json!({})).await;
    assert_eq!(stopped.run_state, RunState::Idle);
    assert_eq!(worker.net(id).await.expect("loaded").firings, stopped.firings, "it fires no more");
    let reset = worker.tell(id, "reset", json!({})).await;
    assert_eq!((reset.firings, reset.run_state), (0, RunState::Idle));
}

#[tokio::test]
async fn a_net_that_dies_is_dead_until_tokens_or_a_reset() {
    let worker = Worker::start().await;
    let id = worker.load(philosophers()).await.id;
    let mut events = worker.events().await;
    worker.run(id, 0).await;
    let dead = |event| matches!(event, WorkerEvent::RunState { run_state: RunState::Dead, .. }).then_some(());
    events.worker_event_where("the word of its death", dead).await;
    for name in ["step", "run"] {
        let (status, error) = refused(worker.command(id, name, "k", json!({ "rate": 1 }))).await;
        assert_eq!((status, error.code.as_str()), (StatusCode::CONFLICT, "dead"));
    }
    let revived = worker.tell(id, "inject", json!({ "place": "fork1", "tokens": 1 })).await;
    assert_eq!(revived.run_state, RunState::Idle);
    assert_eq!(worker.tell(id, "reset", json!({})).await.run_state, RunState::Idle);
}

#[tokio::test]
async fn tokens_are_injected_where_they_fit() {
    let worker = Worker::start().await;
    let id = worker.load(buffer()).await.id;
    worker.tell(id, "inject", json!({ "place": "free", "tokens": 5 })).await;
    let inject = |place: &str, tokens: u64| {
        worker.command(id, "inject", &Uuid::new_v4().to_string(), json!({ "place": place, "tokens": tokens }))
    };
    let (status, error) = refused(inject("nowhere", 1)).await;
    assert_eq!((status, error.code.as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "unknown_place"));
    let (status, error) = refused(inject("free", u64::MAX)).await;
    assert_eq!((status, error.code.as_str()), (StatusCode::CONFLICT, "overflow"));
}

#[tokio::test]
async fn a_command_sent_twice_under_one_key_takes_effect_once() {
    let worker = Worker::start().await;
    let id = worker.load(buffer()).await.id;
    let step = |key: &'static str| {
        answer::<muster::worker::protocol::HostedNet>(worker.command(id, "step", key, json!({})))
    };
    let (first, second) = tokio::join!(step("one"), step("one"));
    assert_eq!((first.firings, second.firings, step("one").await.firings), (1, 1, 1));
    assert_eq!(step("two").await.firings, 2);
    worker.tell(id, "step", json!({})).await;
    assert_eq!(step("one").await.firings, 1, "the first answer, not the present state");
    let answer = worker.command(id, "reset", "one", json!({}));
    assert_eq!(
        crate::harness::answer::<muster::worker::protocol::HostedNet>(answer).await.firings,
        0,
        "another command"
    );
}

#[tokio::test]
async fn rates_are_kept_within_five_percent() {
    let worker = Worker::start().await;
    let mut rates = BTreeMap::new();
    for rate in [20, 1_000, 100_000] {
        let id = worker.load(buffer()).await.id;
        worker.run(id, rate).await;
        rates.insert(id, (rate, Vec::new()));
    }
    let mut events = worker.events().await;
    // The first figures are of a second in which the nets were not running all the time.
    for second in 0..5 {
        let figures = |event| match event {
            WorkerEvent::Metrics { nets, .. } => Some(nets),
            _ => None,
        };
        for net in events.worker_event_where("figures", figures).await {
            if second > 0
                && let Some((_, measured)) = rates.get_mut(&net.id)
            {
                measured.push(net.rate);
            }
        }
    }
    for (asked, measured) in rates.values() {
        let mean = measured.iter().sum::<f64>() / measured.len() as f64;
        assert!((mean / f64::from(*asked) - 1.0).abs() < 0.05, "asked for {asked}, measured {measured:?}");
    }
}

#[tokio::test]
async fn commands_are_answered_quickly_while_every_net_runs_as_fast_as_it_can() {
    let worker = Worker::start_with(&["--threads", "1"]).await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        let id = worker.load(buffer()).await.id;
        worker.run(id, 0).await;
        ids.push(id);
    }
    let start = Instant::now();
    for id in &ids {
        worker.tell(*id, "inject", json!({ "place": "free", "tokens": 1 })).await;
    }
    let each = start.elapsed() / ids.len() as u32;
    assert!(each < Duration::from_millis(250), "{each:?}");
    for id in ids {
        worker.until("each net moves", id, |net| net.firings > 1_000).await;
    }
}

#[tokio::test]
async fn the_same_load_replays_the_same_run() {
    let worker = Worker::start().await;
    let id = worker.load(SAMPLES[0].pnml).await.id;
    worker.run(id, 0).await;
    let first = worker.until("its death", id, |net| net.run_state == RunState::Dead).await;
    worker.tell(id, "reset", json!({})).await;
    worker.run(id, 0).await;
    let second = worker.until("its death", id, |net| net.run_state == RunState::Dead).await;
    assert_eq!(first.firings, second.firings);
}

#[tokio::test]
async fn the_figures_are_of_this_process() {
    let worker = Worker::start().await;
    let id = worker.load(buffer()).await.id;
    worker.run(id, 0).await;
    let mut events = worker.events().await;
    let busy = |event| match event {
        WorkerEvent::Metrics { worker, .. } => {
            Some(worker).filter(|worker: &WorkerMetrics| worker.cpu_percent > 1.0)
        }
        _ => None,
    };
    let figures = events.worker_event_where("a busy second", busy).await;
    assert_eq!(figures.nets, 1);
    assert!(figures.memory_bytes > 1 << 20);
}
