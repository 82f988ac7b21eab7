//! What an agent does when it is not wanted, and when what it hears cannot be understood.

use super::{
    commands::scripts,
    console::{Console, TOKEN, within},
    host::Host,
};
use axum::extract::ws::Message;
use muster::{
    agent::protocol::{Goodbye, MAX_FRAME, ToAgent},
    model::Outcome,
};
use std::{fs, sync::atomic::Ordering};

#[tokio::test]
async fn a_token_that_is_refused_ends_the_agent_after_one_try() {
    let console = Console::start().await;
    let mut host = Host::new(&console, "");
    host.set_token("an-old-token");
    host.start_agent();
    assert_eq!(host.agent_ended().await.code(), Some(77));
    assert_eq!(console.dialled.load(Ordering::SeqCst), 1);
    assert!(host.log().contains("the console refuses this token (401 Unauthorized)"), "{}", host.log());
    assert!(!host.log().contains("an-old-token"));
}

#[tokio::test]
async fn goodbyes_that_trying_again_would_not_change_end_the_agent() {
    for (why, said) in
        [(Goodbye::Revoked, "took this host's token back"), (Goodbye::Protocol, "another version")]
    {
        let mut console = Console::start().await;
        let mut host = Host::start(&console, "");
        let (mut connection, _) = console.welcome().await;
        connection.say(ToAgent::Goodbye { why, detail: "by a test".to_owned() }).await;
        assert_eq!(host.agent_ended().await.code(), Some(77), "{why:?}");
        assert!(host.log().contains(said), "{}", host.log());
        assert_eq!(console.dialled.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn the_others_bring_it_back() {
    let mut console = Console::start().await;
    let host = Host::start(&console, "");
    for why in [Goodbye::Closing, Goodbye::Malformed] {
        let (mut connection, _) = console.welcome().await;
        connection.say(ToAgent::Goodbye { why, detail: "by a test".to_owned() }).await;
        connection.closed().await;
    }
    let (mut connection, _) = console.welcome().await;
    connection.say(ToAgent::Goodbye { why: Goodbye::Taken, detail: "by a test".to_owned() }).await;
    connection.closed().await;
    within("the wait for its turn", async {
        while !host.log().contains("another agent speaks for this host") {
            tokio::task::yield_now().await;
        }
        let said =
            |log: String| log.lines().rev().find(|line| line.contains("dials again")).map(str::to_owned);
        while said(host.log()).is_none_or(|line| {
            let seconds = line.rsplit_once("seconds=").and_then(|(_, seconds)| seconds.parse::<f32>().ok());
            seconds.is_none_or(|seconds| !(30.0..60.0).contains(&seconds))
        }) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn frames_that_cannot_be_read_bring_a_new_connection_and_lose_nothing() {
    let mut console = Console::start().await;
    let host =
        Host::start(&console, &scripts(&[("test", "echo said; until [ -e go ]; do sleep 0.01; done")]));
    let (mut connection, _) = console.welcome().await;
    let mut log = super::commands::begun(&mut connection, "test").await;
    let unreadable = [
        (Message::text("x".repeat(MAX_FRAME + 1)), "a frame of more than 256 KiB"),
        (Message::text("{\"type\":\"explode\"}"), "what is not of this protocol"),
        (Message::text("not json"), "what is not of this protocol"),
        (Message::Binary(vec![0; 40].into()), "a binary frame"),
    ];
    for (frame, said) in unreadable {
        connection.send(frame).await;
        connection.closed().await;
        let (next, register) = console.welcome().await;
        assert!(host.log().contains(said), "{said}: {}", host.log());
        connection = next;
        assert_eq!(register.holds[0].command_id, log.command_id);
    }
    fs::write(host.path("go"), "").unwrap();
    assert_eq!(log.finish(&mut connection).await, Outcome::Exited { code: 0 });
    assert_eq!(log.text(), "said\n");
}

#[tokio::test]
async fn a_console_that_says_nothing_is_given_up() {
    let mut console = Console::start().await;
    let host = Host::start(&console, "");
    let (mut connection, first) = console.welcome().await;
    // What it answers after the welcome it has heard the welcome before.
    connection.refresh().await;
    connection.go_silent();
    let (_next, again) = console.welcome().await;
    assert_eq!(again.agent_id, first.agent_id);
    assert!(host.log().contains("the console says nothing any more"), "{}", host.log());
}

#[tokio::test]
async fn what_its_owner_wrote_wrong_is_said_with_its_line() {
    let console = Console::start().await;
    let mut host = Host::start(&console, "[commands.test]\nargv = [\"true\"]\nshell = \"rm -rf /\"\n");
    assert_eq!(host.agent_ended().await.code(), Some(78));
    assert!(host.log().contains("line 3") && host.log().contains("shell"), "{}", host.log());

    let mut host = Host::new(&console, "");
    host.set_token("");
    host.start_agent();
    assert_eq!(host.agent_ended().await.code(), Some(78));
    assert!(host.log().contains("it is empty"), "{}", host.log());
    assert_eq!(console.dialled.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_token_that_others_can_read_is_warned_of() {
    let mut console = Console::start().await;
    let mut host = Host::new(&console, "");
    fs::set_permissions(host.path("token"), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    host.start_agent();
    let (_connection, _) = console.welcome().await;
    assert!(host.log().contains("other users can read the token"), "{}", host.log());
    assert!(!host.log().contains(TOKEN));
}
