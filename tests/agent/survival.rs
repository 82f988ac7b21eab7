//! A command outlives its agent, and is found again.

use super::{
    commands::{begun, scripts},
    console::{Console, Log, within},
    host::Host,
};
use muster::{agent::protocol::ToAgent, model::Outcome, process::ProcessId};
use rustix::process::Signal;
use std::fs;

/// Counts until the file `go` is there, and then a little further.
const COUNTS: &str = "n=0; until [ -e go ]; do n=$((n+1)); echo $n; sleep 0.01; done; echo $((n+1)); exit 4";

/// The lines are 1, 2, 3, … and none is missing.
fn assert_counted(log: &Log) {
    let text = log.text();
    let numbers: Vec<u64> = text.lines().map(|line| line.parse().unwrap()).collect();
    assert!(numbers.len() > 1 && numbers.iter().copied().eq(1..=numbers.len() as u64), "{text}");
    assert_eq!(log.gaps, 0);
}

#[tokio::test]
async fn an_agent_that_is_killed_finds_its_command_again() {
    let mut console = Console::start().await;
    let mut host = Host::start(&console, &scripts(&[("test", COUNTS)]));
    let (mut connection, first) = console.welcome().await;
    let mut log = begun(&mut connection, "test").await;
    for _ in 0..2 {
        host.kill_agent().await;
        host.start_agent();
        let (next, register) = console.welcome().await;
        connection = next;
        assert_eq!(register.agent_id, first.agent_id);
        assert_eq!(register.holds.len(), 1);
        assert!(register.holds[0].command_id == log.command_id && !register.holds[0].interrupted);
        let before = log.end;
        log.until(&mut connection, "more output", |log| log.end > before).await;
    }
    // Said again by a console that does not know better: it is not run twice.
    connection.run_as(log.command_id, "test").await;
    fs::write(host.path("go"), "").unwrap();
    assert_eq!(log.finish(&mut connection).await, Outcome::Exited { code: 4 });
    assert_counted(&log);
}

#[tokio::test]
async fn what_ended_while_there_was_no_agent_is_told_by_the_next() {
    let mut console = Console::start().await;
    let mut host = Host::start(&console, &scripts(&[("test", COUNTS)]));
    let (mut connection, _) = console.welcome().await;
    let mut log = begun(&mut connection, "test").await;
    host.kill_agent().await;
    fs::write(host.path("go"), "").unwrap();
    let outcome = host.path(&format!("state/commands/{}/outcome.json", log.command_id));
    within("its end", async {
        while !outcome.exists() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    host.start_agent();
    let (mut connection, _) = console.welcome().await;
    assert_eq!(log.finish(&mut connection).await, Outcome::Exited { code: 4 });
    assert_counted(&log);
}

#[tokio::test]
async fn a_command_that_replaces_the_agent_tells_the_new_one_how_it_went() {
    let mut console = Console::start().await;
    // As `nixos-rebuild switch` does: it stops the agent, and goes on.
    let switch =
        "echo stopping; kill -TERM $(cat agent-pid); until [ -e go ]; do sleep 0.01; done; echo switched";
    let mut host = Host::start(&console, &scripts(&[("switch", switch)]));
    fs::write(host.path("agent-pid"), host.agent_pid().to_string()).unwrap();
    let (mut connection, _) = console.welcome().await;
    let mut log = Log::of(connection.run("switch").await);
    assert!(host.agent_ended().await.success(), "SIGTERM is a clean end");
    host.start_agent();
    let (mut connection, register) = console.welcome().await;
    assert_eq!(register.holds[0].command_id, log.command_id);
    fs::write(host.path("go"), "").unwrap();
    assert_eq!(log.finish(&mut connection).await, Outcome::Exited { code: 0 });
    assert_eq!(log.text(), "stopping\nswitched\n");
}

#[tokio::test]
async fn a_wish_to_cancel_reaches_a_command_through_the_next_agent() {
    let mut console = Console::start().await;
    let mut host = Host::start(&console, &scripts(&[("test", COUNTS)]));
    let (mut connection, _) = console.welcome().await;
    let mut log = begun(&mut connection, "test").await;
    host.kill_agent().await;
    host.start_agent();
    let (mut connection, _) = console.welcome().await;
    connection.say(ToAgent::Cancel { command_id: log.command_id }).await;
    assert_eq!(log.finish(&mut connection).await, Outcome::Cancelled);
}

#[tokio::test]
async fn a_command_whose_runner_is_killed_is_ended_and_said_to_have_failed() {
    let mut console = Console::start().await;
    let host = Host::start(&console, &scripts(&[("test", COUNTS)]));
    let (mut connection, _) = console.welcome().await;
    let mut log = begun(&mut connection, "test").await;
    let child = fs::read_to_string(host.path(&format!("state/commands/{}/child", log.command_id))).unwrap();
    let child: ProcessId = child.parse().unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.pid)).unwrap();
    let runner = stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap().parse().unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(runner).unwrap(), Signal::KILL).unwrap();
    assert_eq!(log.finish(&mut connection).await, Outcome::Failed);
    let reason = log.finished.unwrap().1.unwrap();
    assert_eq!(reason, "The process that watched over it is gone; its program was ended");
    assert!(!child.is_alive());
}

#[tokio::test]
async fn a_command_that_the_console_gave_up_on_goes_on_and_is_forgotten() {
    let mut console = Console::start().await;
    let host = Host::start(&console, &scripts(&[("test", COUNTS), ("next", "true")]));
    let (mut connection, _) = console.welcome().await;
    let log = begun(&mut connection, "test").await;
    connection.say(ToAgent::Settled { command_id: log.command_id }).await;
    let next = connection.run("next").await;
    assert_eq!(connection.refusal(next).await, "This host is still running test");
    drop(connection);
    let (mut connection, register) = console.welcome().await;
    assert!(register.holds.is_empty(), "nobody wants to hear of it");
    fs::write(host.path("go"), "").unwrap();
    within("the next command to be taken", async {
        loop {
            let mut log = Log::of(connection.run("next").await);
            let taken = async {
                loop {
                    let heard = connection.hear().await.expect("it stays");
                    let of_it = format!("{heard:?}").contains(&log.command_id.to_string());
                    if of_it {
                        let refused = format!("{heard:?}").contains("Refused");
                        log.take(&mut connection, heard).await;
                        return !refused;
                    }
                }
            };
            if taken.await {
                assert_eq!(log.finish(&mut connection).await, Outcome::Exited { code: 0 });
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn one_agent_uses_a_state_directory() {
    let mut console = Console::start().await;
    let host = Host::start(&console, "");
    let (_connection, _) = console.welcome().await;
    let second = within("the second one's end", host.command().status()).await.unwrap();
    assert_eq!(second.code(), Some(1));
    assert!(host.log().contains("another agent uses"), "{}", host.log());
}
