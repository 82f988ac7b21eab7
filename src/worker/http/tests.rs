//! What only an embedded worker can show: queues that overflow on purpose. The rest is in `tests/worker`.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

use super::{Shared, digest, router};
use crate::model::{Incarnation, LoadId, NetId, WorkerId, WorkerMetrics};
use crate::petri::samples::sample;
use crate::sync::sse::{Parser, SseEvent};
use crate::worker::hub::Hub;
use crate::worker::idempotency::Idempotency;
use crate::worker::labs::{Labs, Runner};
use crate::worker::nets::Nets;
use crate::worker::presence::Presence;
use crate::worker::protocol::WorkerEvent;
use crate::worker::scheduler::Scheduler;

fn shared() -> Arc<Shared> {
    let hub = Hub::new();
    Arc::new(Shared {
        worker_id: WorkerId(Uuid::nil()),
        incarnation: Incarnation(Uuid::nil()),
        token: digest("t"),
        nets: Arc::new(Nets::new(hub.clone())),
        scheduler: Arc::new(Scheduler::start(1).expect("a thread")),
        labs: Arc::new(Labs::new(hub.clone(), Arc::new(Runner::new()))),
        hub,
        recent: Idempotency::new(),
        presence: Presence::new(Instant::now()),
        metrics: tokio::sync::watch::channel(WorkerMetrics::default()).1,
        end: CancellationToken::new(),
    })
}

struct Reader {
    body: BodyDataStream,
    parser: Parser,
}

impl Reader {
    async fn open(shared: &Arc<Shared>, path: &str) -> Self {
        let request =
            Request::get(path).header("authorization", "Bearer t").body(Body::empty()).expect("valid");
        let response = router(shared.clone()).oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), StatusCode::OK);
        Self { body: response.into_body().into_data_stream(), parser: Parser::default() }
    }

    async fn next(&mut self) -> Option<SseEvent> {
        loop {
            let bytes = self.body.next().await?.expect("infallible");
            let mut events = Vec::new();
            self.parser.push(&bytes, &mut events);
            assert!(events.len() <= 1, "the frames are sent one by one");
            if let Some(event) = events.pop() {
                return Some(event);
            }
        }
    }
}

#[tokio::test]
async fn a_reader_too_slow_for_the_queue_gets_the_whole_picture_anew() {
    let shared = shared();
    let mut reader = Reader::open(&shared, "/events").await;
    assert_eq!(reader.next().await.expect("a picture").event, "state");
    let event = WorkerEvent::Unloaded { id: NetId(Uuid::nil()), load_id: LoadId(Uuid::nil()) };
    (0..10_000).for_each(|_| shared.hub.tell(&event));
    assert_eq!(reader.next().await.expect("a picture").event, "state");
    shared.hub.tell(&event);
    assert_eq!(reader.next().await.expect("what follows it").event, "worker");
}

#[tokio::test]
async fn a_watcher_too_slow_for_the_queue_gets_the_whole_marking_anew() {
    let shared = shared();
    let (id, load_id) = (NetId(Uuid::new_v4()), LoadId(Uuid::new_v4()));
    let pnml = sample("producer-consumer").expect("a sample").pnml;
    shared.nets.load(id, load_id, pnml.as_bytes(), 1).expect("loads");
    let mut reader = Reader::open(&shared, &format!("/events?net={id}")).await;
    assert!(reader.next().await.expect("a picture").data.contains("\"marking\""));
    assert!(reader.next().await.expect("a picture").data.contains("\"run_state\""));
    let cell = shared.nets.get(id).expect("loaded");
    for _ in 0..100 {
        cell.call(|hosted, notices| hosted.step(notices)).await.expect("live");
        cell.call(|hosted, notices| hosted.run(0, Instant::now(), notices)).await.expect("live");
        cell.call(|hosted, notices| hosted.stop(notices)).await.expect("live");
    }
    let picture = reader.next().await.expect("a picture").data;
    assert!(picture.contains("\"marking\"") && picture.contains("\"firings\":100"), "{picture}");
}

#[tokio::test]
async fn streams_end_and_none_begin_when_the_worker_ends() {
    let shared = shared();
    let mut reader = Reader::open(&shared, "/events").await;
    assert!(reader.next().await.is_some());
    shared.end.cancel();
    assert_eq!(reader.next().await, None);
    let request =
        Request::get("/events").header("authorization", "Bearer t").body(Body::empty()).expect("valid");
    let response = router(shared).oneshot(request).await.expect("infallible");
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
}
