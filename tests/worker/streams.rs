//! The event streams.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use muster::model::{LoadId, NetId, RunState};
use muster::petri::samples::sample;
use muster::worker::protocol::{LogLevel, NetEvent, WorkerEvent};
use reqwest::Method;
use serde_json::json;

use crate::harness::{Events, Worker, within};
use uuid::Uuid;

fn buffer() -> &'static str {
    sample("producer-consumer").expect("a sample").pnml
}

/// What a watcher knows of a net, kept by its frames alone.
#[derive(Debug, Default, PartialEq)]
struct Known {
    firings: u64,
    tokens: Vec<u64>,
    enabled: BTreeSet<u32>,
    /// Firings told of, one by one or by number, since the last whole picture.
    told: u64,
}

impl Known {
    fn hear(&mut self, event: &NetEvent) {
        match event {
            NetEvent::Marking { firings, tokens, enabled, .. } => {
                let enabled = enabled.iter().copied().collect();
                *self = Self { firings: *firings, tokens: tokens.clone(), enabled, told: *firings };
            }
            NetEvent::Changed { firings, tokens, enabled, disabled, fired, skipped } => {
                assert!(fired.len() <= 50);
                self.firings = *firings;
                self.told += fired.len() as u64 + skipped;
                tokens.iter().for_each(|&(place, now)| self.tokens[place as usize] = now);
                enabled.iter().for_each(|t| assert!(self.enabled.insert(*t)));
                disabled.iter().for_each(|t| assert!(self.enabled.remove(t)));
                assert_eq!(self.told, self.firings, "no firing goes untold");
            }
            NetEvent::RunState { .. } | NetEvent::Gone => {}
        }
    }
}

async fn whole_picture(events: &mut Events) -> Known {
    let mut known = Known::default();
    let first = events.net_event().await;
    assert!(matches!(first, NetEvent::Marking { .. }), "{first:?}");
    known.hear(&first);
    assert!(matches!(events.net_event().await, NetEvent::RunState { .. }));
    known
}

#[tokio::test]
async fn a_stream_begins_with_the_whole_picture_and_tells_what_follows() {
    let worker = Worker::start().await;
    let before = worker.load(buffer()).await;
    let mut events = worker.events().await;
    match events.worker_event().await {
        WorkerEvent::State(health) => assert_eq!(health.nets, [before]),
        other => panic!("{other:?}"),
    }
    let loaded = worker.load(buffer()).await;
    events
        .worker_event_where("the loading", |e| (e == WorkerEvent::Loaded(loaded.clone())).then_some(()))
        .await;
    let log = |event| match event {
        WorkerEvent::Log { level: LogLevel::Info, net, text } => Some((net, text)),
        _ => None,
    };
    let (net, text) = events.worker_event_where("a log line", log).await;
    assert!(net == Some(loaded.id) && text.contains("seed"), "{text}");
    worker.run(loaded.id, 7).await;
    let running = |event| match event {
        WorkerEvent::RunState { id, run_state: RunState::Running, rate: 7, .. } => Some(id),
        _ => None,
    };
    assert_eq!(events.worker_event_where("the run", running).await, loaded.id);
    let figures = |event| match event {
        WorkerEvent::Metrics { nets, .. } => nets.into_iter().find(|net| net.id == loaded.id),
        _ => None,
    };
    let figures = events.worker_event_where("figures", figures).await;
    assert!(figures.tokens > 0 && figures.enabled > 0);
    worker.request(Method::DELETE, &format!("/nets/{}", loaded.id)).send().await.expect("sent");
    let gone = WorkerEvent::Unloaded { id: loaded.id, load_id: loaded.load_id };
    events.worker_event_where("the unloading", |event| (event == gone).then_some(())).await;
}

#[tokio::test]
async fn no_stream_is_silent_for_more_than_two_seconds() {
    let worker = Worker::start().await;
    let idle = worker.load(buffer()).await.id;
    for mut events in [worker.events().await, worker.watch(idle).await] {
        for _ in 0..3 {
            let start = Instant::now();
            assert!(events.chunk().await.is_some());
            assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        }
    }
}

#[tokio::test]
async fn a_watcher_knows_the_marking_at_every_frame() {
    let worker = Worker::start().await;
    let id = worker.load(buffer()).await.id;
    let mut events = worker.watch(id).await;
    let mut known = whole_picture(&mut events).await;
    assert_eq!(known.tokens, [1, 0, 8, 0, 1, 0, 0]);
    worker.run(id, 0).await;
    let start = Instant::now();
    let mut frames = 0u32;
    while known.firings < 50_000 || start.elapsed() < Duration::from_secs(1) {
        let event = events.net_event().await;
        frames += u32::from(matches!(event, NetEvent::Changed { .. }));
        known.hear(&event);
    }
    // Twenty a second, and one more when it started to run.
    assert!(f64::from(frames) <= 20.0 * start.elapsed().as_secs_f64() + 2.0, "{frames} frames");
    let stopped = worker.tell(id, "stop", json!({})).await;
    within("the last firings", async {
        while known.firings < stopped.firings {
            known.hear(&events.net_event().await);
        }
    })
    .await;
    let fresh = whole_picture(&mut worker.watch(id).await).await;
    assert_eq!(
        (&known.tokens, &known.enabled, known.firings),
        (&fresh.tokens, &fresh.enabled, fresh.firings)
    );
}

#[tokio::test]
async fn a_step_names_its_transition_and_a_reset_gives_the_whole_marking() {
    let worker = Worker::start().await;
    let id = worker.load(buffer()).await.id;
    let mut events = worker.watch(id).await;
    whole_picture(&mut events).await;
    worker.tell(id, "step", json!({})).await;
    match events.net_event().await {
        NetEvent::Changed { firings: 1, fired, skipped: 0, .. } => assert_eq!(fired, [0]),
        other => panic!("{other:?}"),
    }
    worker.tell(id, "reset", json!({})).await;
    let event = events.net_event().await;
    assert!(matches!(event, NetEvent::Marking { firings: 0, .. }), "{event:?}");
}

#[tokio::test]
async fn a_watched_net_that_leaves_ends_the_stream() {
    let worker = Worker::start().await;
    let (id, load_id) = (NetId(Uuid::new_v4()), LoadId(Uuid::new_v4()));
    for replace in [false, true] {
        worker.load_as(id, load_id, buffer()).await;
        let mut events = worker.watch(id).await;
        whole_picture(&mut events).await;
        if replace {
            worker.load_as(id, LoadId(Uuid::new_v4()), buffer()).await;
        } else {
            worker.request(Method::DELETE, &format!("/nets/{id}")).send().await.expect("sent");
        }
        assert_eq!(events.net_event().await, NetEvent::Gone);
        assert_eq!(events.next().await, None);
    }
}
