//! Commands from the moment they are queued to their end, however the connection fares.

use super::agent::*;
use crate::{
    agent::protocol::{Found, FromAgent, Held, Report, ToAgent},
    model::{
        Actor, Command, CommandId, CommandStatus, CompartmentStatus, Gone, Outcome, PostCheck, Timestamp,
    },
    server::actions::tests::harness::*,
};
use axum::http::{Method, StatusCode};

const WELL: Outcome = Outcome::Exited { code: 0 };

#[tokio::test]
async fn commands_of_a_host_that_is_away_are_sent_one_by_one_once_it_is_back() {
    let stage = Stage::new().await;
    stage.agent(vec![]).await.cut();
    stage.until_online(false).await;
    let (first, second) = (stage.run("test").await, stage.run("pull").await);
    assert_eq!(stage.command(first).dispatched_at, None);
    let mut agent = stage.agent(vec![]).await;
    assert_eq!(agent.hears_run().await, first);
    agent.starts(first).await;
    stage.until_command(first, CommandStatus::Running).await;
    assert_eq!(stage.row().pending_command, Some(first));
    assert_eq!(stage.command(second).dispatched_at, None);
    agent.ends(first, Outcome::Exited { code: 3 }, 0).await;
    agent.hears_settled(first).await;
    assert_eq!(agent.hears_run().await, second);
    let row = stage.command(first);
    assert_eq!((row.status, row.exit_code), (CommandStatus::Failed, Some(3)));
    agent.says(FromAgent::Refused { command_id: second, reason: "No such program.".to_owned() }).await;
    let row = stage.until_command(second, CommandStatus::Failed).await;
    assert_eq!(row.reason.as_deref(), Some("No such program"));
    assert_eq!(stage.row().pending_command, None);
}

#[tokio::test]
async fn the_report_after_a_command_decides_its_check() {
    let stage = Stage::new().await;
    let mut agent = stage.agent(vec![]).await;
    let command = stage.run("pull").await;
    agent.hears_run().await;
    agent.starts(command).await;
    agent.ends(command, WELL, 0).await;
    agent.hears_settled(command).await;
    assert_eq!(stage.row().compartments.git.status, CompartmentStatus::Working);
    let git = Found { status: CompartmentStatus::Ok, message: "Up to date".to_owned(), age_ms: 0 };
    agent.says(FromAgent::Report(Report { after: Some(command), git: Some(git), ..Report::default() })).await;
    let passed = |fleet: &crate::model::Fleet| {
        fleet.command(command).is_some_and(|row| row.post_check == Some(PostCheck::Passed))
    };
    stage.console.until("passed", passed).await;
    assert_eq!(stage.row().compartments.git.status, CompartmentStatus::Ok);
}

#[tokio::test]
async fn what_the_agent_never_got_is_sent_again_and_what_it_forgot_is_lost() {
    let stage = Stage::new().await;
    let mut agent = stage.agent(vec![]).await;
    let command = stage.run("test").await;
    assert_eq!(agent.hears_run().await, command);
    // Sent, not begun, and the connection breaks.
    agent.cut();
    let mut agent = stage.agent(vec![]).await;
    assert_eq!(agent.hears_run().await, command);
    agent.starts(command).await;
    stage.until_command(command, CommandStatus::Running).await;
    agent.cut();
    let _agent = stage.agent(vec![]).await;
    stage.until_command(command, CommandStatus::Lost).await;
    assert_eq!(stage.row().pending_command, None);
}

#[tokio::test]
async fn one_whose_start_was_not_heard_runs_and_one_that_was_interrupted_is_lost() {
    let stage = Stage::new().await;
    let mut agent = stage.agent(vec![]).await;
    let command = stage.run("test").await;
    assert_eq!(agent.hears_run().await, command);
    agent.cut();
    let agent = stage.agent(vec![held(command)]).await;
    stage.until_command(command, CommandStatus::Running).await;
    agent.cut();
    let mut agent = stage.agent(vec![Held { command_id: command, interrupted: true }]).await;
    agent.hears_settled(command).await;
    stage.until_command(command, CommandStatus::Lost).await;
}

#[tokio::test]
async fn a_console_that_restarts_under_a_command_takes_up_where_it_was() {
    let stage = Stage::new().await;
    let mut agent = stage.agent(vec![]).await;
    let command = stage.run("test").await;
    agent.hears_run().await;
    agent.starts(command).await;
    agent.writes(command, 0, b"one\n").await;
    agent.hears_stored(4).await;
    let stage = stage.restarted().await;
    assert_eq!(stage.command(command).status, CommandStatus::Running);
    let mut agent = stage.agent(vec![held(command)]).await;
    agent.writes(command, 0, b"one\ntwo\n").await;
    agent.ends(command, WELL, 8).await;
    agent.hears_settled(command).await;
    assert_eq!(stage.command(command).status, CommandStatus::Succeeded);
    let path = format!("/api/commands/{command}/output");
    assert_eq!(stage.console.ask(ANA, Method::GET, &path, "").await.text, "one\ntwo\n");
}

#[tokio::test]
async fn a_command_is_cancelled_in_every_state() {
    let stage = Stage::new().await;
    stage.agent(vec![]).await.cut();
    stage.until_online(false).await;
    // Waiting for its host.
    let waiting = stage.run("test").await;
    assert_eq!(stage.cancel(waiting).await.status, StatusCode::OK);
    assert_eq!(stage.command(waiting).status, CommandStatus::Cancelled);
    // Sent, not begun: only its agent can say that it does not run.
    let sent = stage.run("test").await;
    let mut agent = stage.agent(vec![]).await;
    assert_eq!(agent.hears_run().await, sent);
    assert_eq!(stage.cancel(sent).await.status, StatusCode::OK);
    assert_eq!(agent.hears().await, ToAgent::Cancel { command_id: sent });
    // It is said again on the next connection, and until then its agent had not begun it.
    agent.cut();
    let mut agent = stage.agent(vec![]).await;
    stage.until_command(sent, CommandStatus::Cancelled).await;
    // Running, with a cut between the request and its end.
    let running = stage.run("test").await;
    assert_eq!(agent.hears_run().await, running);
    agent.starts(running).await;
    stage.until_command(running, CommandStatus::Running).await;
    assert_eq!(stage.cancel(running).await.status, StatusCode::OK);
    assert_eq!(agent.hears().await, ToAgent::Cancel { command_id: running });
    agent.cut();
    let mut agent = stage.agent(vec![held(running)]).await;
    assert_eq!(agent.hears().await, ToAgent::Cancel { command_id: running });
    assert!(stage.cancel(running).await.message().contains("already"));
    agent.ends(running, Outcome::Cancelled, 0).await;
    agent.hears_settled(running).await;
    // Over.
    let over = stage.cancel(running).await;
    assert_eq!((over.status, over.body["code"].as_str()), (StatusCode::CONFLICT, Some("command_over")));
    assert_eq!(stage.row().pending_command, None);
}

#[tokio::test]
async fn an_agent_busy_with_what_is_over_here_gets_the_next_command_when_that_has_ended() {
    let stage = Stage::new().await;
    let foreign = CommandId(uuid::Uuid::from_u128(99));
    let mut agent = stage.agent(vec![held(foreign)]).await;
    let command = stage.run("test").await;
    agent.writes(foreign, 0, b"nobody looks at this").await;
    agent.hears_stored(20).await;
    assert_eq!(stage.command(command).dispatched_at, None);
    agent.ends(foreign, WELL, 20).await;
    agent.hears_settled(foreign).await;
    assert_eq!(agent.hears_run().await, command);
}

#[tokio::test]
async fn what_waited_too_long_for_its_host_is_given_up() {
    let stage = Stage::new().await;
    stage.agent(vec![]).await.cut();
    stage.until_online(false).await;
    let (id, host) = (CommandId(uuid::Uuid::now_v7()), stage.host);
    let queued = stage.console.app.store().transact(Actor::System, move |draft| {
        let command = Command::queued(id, host, "test".parse().unwrap(), Actor::System, Timestamp(0));
        draft.queue_command(command)
    });
    queued.await.unwrap_or_else(|_: crate::server::storage::TransactError<Gone>| panic!("queued"));
    let row = stage.until_command(id, CommandStatus::TimedOut).await;
    assert_eq!(row.reason.as_deref(), Some("Its host did not take it in time"));
}

#[tokio::test]
async fn what_an_agent_says_of_a_command_that_is_not_its_own_changes_nothing() {
    let stage = Stage::new().await;
    stage.agent(vec![]).await.cut();
    stage.until_online(false).await;
    let waiting = stage.run("test").await;
    let other = stage.console.ask(EVA, Method::POST, "/api/hosts", r#"{"name":"beta"}"#).await;
    let mut agent = FakeAgent { socket: stage.dial(other.body["token"].as_str().unwrap()).await.unwrap() };
    agent.says(FromAgent::Register(register(SECOND, vec![]))).await;
    agent.hears().await;
    agent.starts(waiting).await;
    agent.ends(waiting, WELL, 0).await;
    agent.hears_settled(waiting).await;
    let row = stage.command(waiting);
    assert_eq!((row.status, row.dispatched_at), (CommandStatus::Queued, None));
}
