//! Nothing is missing and nothing comes twice, wherever a stream is cut.

use super::client::*;
use crate::{
    model::WorkerStatus,
    server::{
        clock::now,
        sse::{
            hub::SYNC_EVERY,
            typed::{HEARTBEAT, filter::Filter, frames, replay, vocabulary::Vocabulary},
        },
    },
    sim::Dice,
    sync::{Scope, sse::Parser},
};
use futures::StreamExt;
use std::{pin::pin, sync::Arc};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_cut_again_and_again_loses_and_repeats_nothing_while_others_write() {
    let stage = Arc::new(Stage::new().await);
    const NOTES: usize = 600;
    let mut stream = stage.stream("/api/events?resource_type=event").await;
    let writer = tokio::spawn({
        let stage = stage.clone();
        async move {
            let mut dice = Dice::new(4);
            let mut n = 0;
            while n < NOTES {
                let next = (n + 1 + dice.below(7)).min(NOTES);
                stage.notes((n..next).map(|n| format!("note {n}"))).await;
                n = next;
            }
        }
    });
    let (mut dice, mut seen, mut last, mut cuts) = (Dice::new(5), Vec::new(), String::new(), 0);
    while seen.len() < NOTES {
        for _ in 0..1 + dice.below(25) {
            let (event, data) = stream.until("event.logged").await;
            assert_eq!(data["id"], event.id);
            seen.push(data["data"]["text"].as_str().unwrap().to_owned());
            last = event.id;
            if seen.len() == NOTES {
                break;
            }
        }
        drop(stream);
        stream = stage.stream_after("/api/events?resource_type=event", &last).await;
        cuts += 1;
    }
    writer.await.unwrap();
    let wanted: Vec<String> = (0..NOTES).map(|n| format!("note {n}")).collect();
    assert_eq!(seen, wanted, "after {cuts} cuts");
    assert!(cuts > 10);
}

#[tokio::test]
async fn a_heartbeat_comes_every_thirty_seconds_and_can_be_resumed_from() {
    let stage = Stage::new().await;
    let mut stream = stage.stream("/api/events?resource_type=worker").await;
    stage.notes(["nothing that this client wants".to_owned()]).await;
    let beats = HEARTBEAT.as_secs() / SYNC_EVERY.as_secs();
    for _ in 1..beats {
        stage.console.app.hub().beacon();
    }
    stage.set_status(WorkerStatus::Stopped).await;
    assert_eq!(
        stream.next().await.unwrap().event,
        "worker.status.updated",
        "no heartbeat came before its time"
    );
    stage.console.app.hub().beacon();
    let (beat, data) = stream.until("heartbeat").await;
    assert_eq!(data["event_type"], "heartbeat");
    drop(stream);
    stage.set_status(WorkerStatus::Ready).await;
    let mut stream = stage.stream_after("/api/events?resource_type=worker", &beat.id).await;
    let (_, data) = stream.until("worker.status.updated").await;
    assert_eq!(data["data"]["status"], "ready", "what was before the heartbeat does not come again");
}

#[tokio::test]
async fn a_time_is_gone_back_to_and_what_is_not_kept_is_said() {
    let stage = Stage::new().await;
    let before = now();
    stage.notes(["first".to_owned()]).await;
    stage.notes(["second".to_owned()]).await;
    let text = |data: &serde_json::Value| data["data"]["text"].as_str().unwrap().to_owned();
    for since in [before.to_string(), before.0.to_string()] {
        let mut stream = stage.stream(&format!("/api/events?since={since}&resource_type=event")).await;
        // What the stage began with may be of the same millisecond.
        let (event, mut data) = stream.until("event.logged").await;
        while text(&data) != "first" {
            data = stream.until("event.logged").await.1;
        }
        assert_eq!(text(&stream.until("event.logged").await.1), "second");
        assert!(event.id.contains(':'));
    }
    let mut stream = stage.stream("/api/events?since=2999-01-01T00:00:00Z").await;
    stage.notes(["third".to_owned()]).await;
    let (third, data) = stream.until("event.logged").await;
    assert_eq!(text(&data), "third");
    // The journal forgets.
    let head = stage.console.app.hub().head().version;
    let forget = sqlx::query("DELETE FROM journal WHERE version < ?").bind(head as i64);
    forget.execute(stage.console.app.store().pool()).await.unwrap();
    let old = third.id.replacen(&format!("-{head}-"), &format!("-{}-", head - 1), 1);
    let mut stream = stage.stream_after("/api/events", &old).await;
    let (gap, data) = stream.until("system.sse.gap").await;
    assert_eq!(data["reason"], "trimmed");
    stage.notes(["fourth".to_owned()]).await;
    assert_eq!(text(&stream.until("event.logged").await.1), "fourth", "it goes on from now");
    assert!(!gap.id.is_empty() && gap.id != old, "and is known from here on");
    let mut stream = stage.stream(&format!("/api/events?since={}", before.0)).await;
    assert_eq!(stream.until("system.sse.gap").await.1["reason"], "trimmed");
    assert_eq!(text(&stream.until("event.logged").await.1), "third", "what is kept is replayed");
    // An id of somebody else's.
    for foreign in ["7", "1-2-3-4:5", "nonsense", "1-2-3-4:x"] {
        let mut stream = stage.stream_after("/api/events", foreign).await;
        assert_eq!(stream.until("system.sse.gap").await.1["reason"], "unknown_id", "{foreign}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_keep_up_is_told_so_and_comes_back_for_the_rest() {
    let stage = Stage::new().await;
    let filter = Filter::read(&[("resource_type".to_owned(), "event".to_owned())]).unwrap();
    let app = &stage.console.app;
    let open = replay::subscribe(app, &Scope::Fleet, Vocabulary::Named, filter, None, "slow").await.unwrap();
    let (mut slow, mut parser, mut events) = (pin!(frames(open)), Parser::default(), Vec::new());
    parser.push(&slow.next().await.unwrap(), &mut events);
    let greeting = events.pop().unwrap();
    let most = crate::server::sse::queue::Limits::default().frames;
    stage.notes((0..=most).map(|n| format!("note {n}"))).await;
    while let Some(bytes) = slow.next().await {
        parser.push(&bytes, &mut events);
    }
    let names: Vec<&str> = events.iter().map(|event| event.event.as_str()).collect();
    assert_eq!(names, ["system.sse.overflow"], "and then its stream ends");
    assert_eq!(events[0].id, greeting.id, "it is where it was");
    let mut stream = stage.stream_after("/api/events?resource_type=event", &greeting.id).await;
    for n in 0..=most {
        assert_eq!(stream.until("event.logged").await.1["data"]["text"], format!("note {n}"));
    }
}
