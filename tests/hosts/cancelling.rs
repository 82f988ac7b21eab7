//! A command is cancelled in each of its states, and ends.

use super::{
    console::{
        cancel, command, command_that, console, ended, host_that, is_at_rest, online, output, run_one,
    },
    harness::{until, within},
    machine::{COUNTS, Machine, scripts},
};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_is_cancelled_while_it_waits_is_on_its_way_or_runs_and_not_once_it_is_over() {
    let console = console(&[]).await;
    let mut machine = Machine::new(&console, "a", &scripts(&[("test", COUNTS), ("ran", "touch ran")])).await;
    machine.start_agent();
    online(&console, &machine.id).await;

    // While it runs, and behind it one that waits.
    let running = run_one(&console, &machine.id, "test").await;
    let waiting = run_one(&console, &machine.id, "ran").await;
    until("its first words", async || !output(&console, &running).await.is_empty()).await;
    let program = machine.program(&running).unwrap();
    cancel(&console, &waiting).await;
    let row = command(&console, &waiting).await;
    assert_eq!((row["status"].as_str(), row["dispatched_at"].as_u64()), (Some("cancelled"), None), "{row}");
    assert_eq!(command(&console, &running).await["status"], "running");
    cancel(&console, &running).await;
    let row = ended(&console, &running).await;
    assert_eq!(row["status"], "cancelled", "{row}");
    assert!(!program.is_alive());

    // On its way to an agent that does not get to it.
    machine.signal_agent(Signal::STOP);
    let sent = run_one(&console, &machine.id, "test").await;
    let row = command_that(&console, &sent, "to be sent", |row| row["dispatched_at"].is_number()).await;
    assert_eq!(row["status"], "queued");
    cancel(&console, &sent).await;
    let row = command(&console, &sent).await;
    assert!(row["status"] == "queued" && row["cancel"].is_object(), "only its agent knows: {row}");
    machine.signal_agent(Signal::CONT);
    assert_eq!(ended(&console, &sent).await["status"], "cancelled");

    // On its way, and the agent that should have got it dies.
    machine.signal_agent(Signal::STOP);
    let sent = run_one(&console, &machine.id, "ran").await;
    command_that(&console, &sent, "to be sent", |row| row["dispatched_at"].is_number()).await;
    cancel(&console, &sent).await;
    machine.kill_agent().await;
    machine.start_agent();
    let row = ended(&console, &sent).await;
    assert_eq!(row["status"], "cancelled", "{row}");
    assert!(!machine.path("ran").exists(), "none of those that did not begin ran");

    let path = format!("/api/commands/{running}/cancel");
    let answer =
        within("an answer", console.request(Method::POST, &path).json(&json!({})).send()).await.unwrap();
    assert_eq!(answer.status(), 409, "what is over cannot be cancelled");
    host_that(&console, &machine.id, "to be at rest", is_at_rest).await;
    until("the agent to forget all", async || machine.held().is_empty()).await;
}
