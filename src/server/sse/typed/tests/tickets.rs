//! A ticket opens one stream, for a minute, and nothing else.

use super::client::*;
use crate::server::actions::tests::harness::*;
use axum::http::Method;
use std::sync::atomic::Ordering;

async fn ticket(stage: &Stage) -> String {
    let answer = stage.console.ask(ANA, Method::POST, "/api/stream-tickets", "").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body["ticket"].as_str().unwrap().to_owned()
}

async fn status(stage: &Stage, path: &str) -> u16 {
    stage.get(path, &[]).await.status().as_u16()
}

#[tokio::test]
async fn a_ticket_opens_one_stream_and_no_second() {
    let stage = Stage::new().await;
    for path in ["/api/events?ticket=", "/api/events/stream?ticket=", "/api/v1/events/stream?token="] {
        let path = format!("{path}{}", ticket(&stage).await);
        let mut stream = Stream::of(stage.get(&path, &[]).await);
        assert_eq!(stream.next().await.unwrap().event, "connected");
        assert_eq!(status(&stage, &path).await, 401, "spent: {path}");
    }
    let path = format!("/api/events?token={}", ticket(&stage).await);
    assert_eq!(status(&stage, &path).await, 401, "only seed 004's stream knows that word");
}

#[tokio::test]
async fn a_ticket_is_good_for_streams_alone_and_for_a_minute() {
    let stage = Stage::new().await;
    let one = ticket(&stage).await;
    for path in ["/api/workers", "/api/state", "/api/events/history", "/api/events/export", "/api/sync"] {
        assert_eq!(status(&stage, &format!("{path}?ticket={one}")).await, 401, "{path}");
    }
    stage.console.ahead.store(59_000, Ordering::Relaxed);
    let path = format!("/api/events?ticket={one}");
    assert_eq!(status(&stage, &path).await, 200, "it was not spent where it is worth nothing");
    let late = ticket(&stage).await;
    stage.console.ahead.store(59_000 + 60_000, Ordering::Relaxed);
    assert_eq!(status(&stage, &format!("/api/events?ticket={late}")).await, 401);
}

#[tokio::test]
async fn a_ticket_ends_with_the_session_it_is_of_and_so_does_its_stream() {
    let stage = Stage::new().await;
    let (used, unused) = (ticket(&stage).await, ticket(&stage).await);
    let mut stream = Stream::of(stage.get(&format!("/api/events?ticket={used}"), &[]).await);
    stream.next().await.unwrap();
    stage.console.ask(ANA, Method::DELETE, "/api/session", "").await;
    assert_eq!(status(&stage, &format!("/api/events?ticket={unused}")).await, 401);
    while stream.next().await.is_some() {}
}

#[tokio::test]
async fn a_session_has_a_hundred_tickets_at_most() {
    let stage = Stage::new().await;
    for _ in 0..100 {
        ticket(&stage).await;
    }
    assert_eq!(stage.console.ask(ANA, Method::POST, "/api/stream-tickets", "").await.status, 429);
    let ben = stage.console.ask(BEN, Method::POST, "/api/stream-tickets", "").await;
    assert_eq!(ben.status, 200, "others are not concerned");
}
