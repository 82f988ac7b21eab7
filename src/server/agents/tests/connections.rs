//! Who is let in, who is put out, and what the row of the host says meanwhile.

use super::agent::*;
use crate::{
    agent::protocol::{FromAgent, Goodbye, MAX_FRAME, PROTOCOL, Register, ToAgent},
    model::HostMetrics,
    server::{actions::tests::harness::*, agents::Pace},
};
use axum::http::{Method, StatusCode};
use futures::SinkExt;
use std::time::Duration;
use tokio_tungstenite::tungstenite::{self, Message};

fn refused(outcome: Result<impl Sized, tungstenite::Error>) -> u16 {
    match outcome.err() {
        Some(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn only_the_token_of_a_host_lets_an_agent_in() {
    let stage = Stage::new().await;
    assert_eq!(refused(stage.dial("mh_wrong").await), 401);
    assert_eq!(refused(stage.dial("").await), 401);
    let answer = stage.console.ask(ANA, Method::GET, "/api/agent", "").await;
    assert_eq!(
        (answer.status, answer.body["code"].as_str()),
        (StatusCode::UNAUTHORIZED, Some("wrong_token"))
    );
    stage.agent(vec![]).await;
    let row = stage.row();
    assert!(row.online);
    assert_eq!((row.hostname.as_deref(), row.commands.len()), (Some("alpha.example"), 2));
    assert!(row.agent.as_ref().is_some_and(|agent| agent.outdated && agent.id == FIRST));
}

#[tokio::test]
async fn a_token_is_told_once_and_kept_nowhere() {
    let stage = Stage::new().await;
    let key = [("idempotency-key", "one")];
    let make = || stage.console.ask_with(EVA, Method::POST, "/api/hosts", r#"{"name":"beta"}"#, &key);
    let first = make().await;
    let token = first.body["token"].as_str().unwrap();
    let again = make().await;
    assert_eq!(again.body["host"]["id"], first.body["host"]["id"]);
    assert_eq!(again.body["token"], serde_json::Value::Null, "it is not told again");
    for table in ["idempotency", "audit", "hosts", "journal", "events"] {
        let sql =
            format!("SELECT count(*) FROM {table} AS t WHERE instr(json_array({}), ?) > 0", columns(table));
        let found: i64 = sqlx::query_scalar(&sql)
            .bind(&token[3..20])
            .fetch_one(stage.console.app.store().pool())
            .await
            .unwrap();
        assert_eq!(found, 0, "{table}");
    }
    let twice = stage.console.ask(EVA, Method::POST, "/api/hosts", r#"{"name":"BETA"}"#).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
    let operator = stage.console.ask(ANA, Method::POST, "/api/hosts", r#"{"name":"gamma"}"#).await;
    assert_eq!(operator.status, StatusCode::FORBIDDEN);
}

fn columns(table: &str) -> &'static str {
    match table {
        "idempotency" => "request, answer, key",
        "audit" => "action, target, outcome",
        "journal" => "payload",
        _ => "row",
    }
}

#[tokio::test]
async fn heartbeats_are_in_the_snapshot_and_the_host_is_offline_once_its_agent_went() {
    let stage = Stage::new().await;
    let mut agent = stage.agent(vec![]).await;
    let metrics = HostMetrics { ram_used: 7, ..HostMetrics::default() };
    agent.says(FromAgent::Heartbeat { metrics }).await;
    let board = stage.console.app.hub().hosts().clone();
    eventually(|| board.latest().first().is_some_and(|row| row.metrics.ram_used == 7)).await;
    let heard = board.heard(stage.host);
    agent.cut();
    stage.until_online(false).await;
    assert!(stage.row().last_seen >= heard);
    assert_eq!((stage.events("alpha is online"), stage.events("alpha is offline")), (1, 1));
}

/// For what no row tells.
async fn eventually(is_so: impl Fn() -> bool) {
    let poll = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, poll).await.expect("in time");
}

#[tokio::test]
async fn an_agent_whose_token_is_revoked_is_told_so_at_once_and_not_let_in_again() {
    let stage = Stage::new().await;
    for (method, path) in [(Method::POST, "token"), (Method::DELETE, "token")] {
        let mut agent = FakeAgent { socket: stage.dial(&token(&stage).await).await.unwrap() };
        agent.says(FromAgent::Register(register(FIRST, vec![]))).await;
        assert!(matches!(agent.hears().await, ToAgent::Welcome { .. }));
        let path = format!("/api/hosts/{}/{path}", stage.host);
        let answer = stage.console.ask(EVA, method, &path, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let told = tokio::time::timeout(Duration::from_secs(1), agent.hears_goodbye()).await;
        assert_eq!(told.unwrap(), Goodbye::Revoked);
        stage.until_online(false).await;
        assert_eq!(refused(stage.dial(&stage.token).await), 401);
    }
    assert!(stage.row().revoked);
}

/// A fresh token.
async fn token(stage: &Stage) -> String {
    let path = format!("/api/hosts/{}/token", stage.host);
    let answer = stage.console.ask(EVA, Method::POST, &path, "").await;
    answer.body["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_deleted_host_loses_its_agent_and_its_commands_end() {
    let stage = Stage::new().await;
    let mut agent = stage.agent(vec![]).await;
    let command = stage.run("test").await;
    assert_eq!(agent.hears_run().await, command);
    let answer = stage.console.ask(EVA, Method::DELETE, &format!("/api/hosts/{}", stage.host), "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(agent.hears_goodbye().await, Goodbye::Revoked);
    stage.until_command(command, crate::model::CommandStatus::Lost).await;
    assert_eq!(refused(stage.dial(&stage.token).await), 401);
}

#[tokio::test]
async fn of_two_agents_with_one_token_the_newer_waits_until_the_older_is_gone() {
    let stage = Stage::new().await;
    let first = stage.agent(vec![]).await;
    for _ in 0..2 {
        let mut second = stage.knocks(SECOND, vec![]).await;
        assert_eq!(second.hears_goodbye().await, Goodbye::Taken);
    }
    stage.console.until("an event", |fleet| fleet.events().any(|it| it.text.contains("second agent"))).await;
    assert_eq!(stage.events("second agent"), 1);
    assert!(stage.row().online);
    first.cut();
    stage.until_online(false).await;
    let mut second = stage.knocks(SECOND, vec![]).await;
    assert!(matches!(second.hears().await, ToAgent::Welcome { .. }));
    assert!(stage.row().agent.as_ref().is_some_and(|agent| agent.id == SECOND));
}

#[tokio::test]
async fn the_same_agent_takes_the_place_of_its_own_older_connection() {
    let stage = Stage::new().await;
    let mut older = stage.agent(vec![]).await;
    let mut newer = stage.agent(vec![]).await;
    assert_eq!(older.hears_goodbye().await, Goodbye::Closing);
    let command = stage.run("test").await;
    assert_eq!(newer.hears_run().await, command);
    assert!(stage.row().online);
    assert_eq!(stage.events("alpha is offline"), 0);
}

#[tokio::test]
async fn what_cannot_be_read_ends_the_connection_and_is_one_event() {
    let stage = Stage::new().await;
    let frames = [
        Message::text("{\"type\":\"no such thing\"}"),
        Message::text("x".repeat(MAX_FRAME + 1)),
        Message::binary(vec![0; 10]),
        Message::binary(vec![0; 70 << 10]),
        Message::text(serde_json::to_string(&FromAgent::Register(register(FIRST, vec![]))).unwrap()),
    ];
    for frame in frames {
        let mut agent = stage.agent(vec![]).await;
        agent.socket.send(frame).await.unwrap();
        assert_eq!(agent.hears_goodbye().await, Goodbye::Malformed);
        stage.until_online(false).await;
    }
    assert_eq!(stage.events("cannot be read"), 1);
}

#[tokio::test]
async fn who_speaks_another_version_is_told_and_nothing_is_written() {
    let stage = Stage::new().await;
    let mut agent = FakeAgent { socket: stage.dial(&stage.token).await.unwrap() };
    let register = Register { protocol: PROTOCOL + 1, ..register(FIRST, vec![]) };
    agent.says(FromAgent::Register(register)).await;
    assert_eq!(agent.hears_goodbye().await, Goodbye::Protocol);
    let mut agent = FakeAgent { socket: stage.dial(&stage.token).await.unwrap() };
    agent.says(FromAgent::Heartbeat { metrics: HostMetrics::default() }).await;
    assert_eq!(agent.hears_goodbye().await, Goodbye::Malformed);
    assert!(!stage.row().online && stage.row().agent.is_none());
}

#[tokio::test]
async fn a_connection_on_which_nothing_is_said_is_closed() {
    let silence = Duration::from_millis(200);
    let stage = Stage::with(Pace { silence, ping: Duration::from_millis(50), ..pace() }).await;
    // It reads nothing, so it answers no ping either.
    let silent = stage.agent(vec![]).await;
    stage.until_online(true).await;
    stage.until_online(false).await;
    drop(silent);
    // One that only answers pings stays: it reads.
    let mut reads = stage.agent(vec![]).await;
    let waited = tokio::time::timeout(4 * silence, reads.hears()).await;
    assert!(waited.is_err(), "{waited:?}");
    assert!(stage.row().online);
}

#[tokio::test]
async fn a_console_that_comes_back_gives_agents_a_moment_before_their_hosts_are_offline() {
    let grace = Duration::from_millis(400);
    let stage = Stage::with(Pace { grace, ..pace() }).await;
    let mut agent = stage.agent(vec![]).await;
    let stage = stage.restarted().await;
    assert_eq!(agent.hears_goodbye().await, Goodbye::Closing);
    let began = tokio::time::Instant::now();
    assert!(stage.row().online, "it was not away, the console was");
    stage.until_online(false).await;
    assert!(began.elapsed() >= grace / 2, "{:?}", began.elapsed());
    assert_eq!(stage.events("alpha is offline"), 1);
}
