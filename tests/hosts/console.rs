//! What these tests ask the console. Rows are read one by one: lists allow 30 requests a minute.

use super::harness::{Server, until};
use serde_json::{Value, json};

/// A console without samples, and with these arguments.
pub async fn console(args: &[&str]) -> Server {
    Server::start(&[&["--samples", "false"][..], args].concat()).await
}

pub async fn host(console: &Server, id: &str) -> Value {
    console.get_json(&format!("/api/hosts/{id}")).await
}

pub async fn command(console: &Server, id: &str) -> Value {
    console.get_json(&format!("/api/commands/{id}")).await
}

/// Queues a command on each of these hosts; the ids.
pub async fn run(console: &Server, hosts: &[&str], kind: &str) -> Vec<String> {
    let done = console.post("/api/commands", json!({ "host_ids": hosts, "kind": kind })).await;
    let commands = done["commands"].as_array().unwrap_or_else(|| panic!("{done}"));
    commands.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// Queues one command.
pub async fn run_one(console: &Server, host: &str, kind: &str) -> String {
    run(console, &[host], kind).await.remove(0)
}

pub async fn cancel(console: &Server, command: &str) {
    console.post(&format!("/api/commands/{command}/cancel"), json!({})).await;
}

pub fn is_over(command: &Value) -> bool {
    !matches!(command["status"].as_str(), Some("queued" | "running"))
}

/// The command once this holds.
pub async fn command_that(console: &Server, id: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let mut row = Value::Null;
    until(&format!("command {id} {what}"), async || {
        row = command(console, id).await;
        holds(&row)
    })
    .await;
    row
}

/// The command once it is over.
pub async fn ended(console: &Server, id: &str) -> Value {
    command_that(console, id, "to end", is_over).await
}

/// The host once this holds.
pub async fn host_that(console: &Server, id: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let mut row = Value::Null;
    until(&format!("host {id} {what}"), async || {
        row = host(console, id).await;
        holds(&row)
    })
    .await;
    row
}

pub async fn online(console: &Server, id: &str) -> Value {
    host_that(console, id, "to be online", |row| row["online"] == true).await
}

pub async fn offline(console: &Server, id: &str) -> Value {
    host_that(console, id, "to be offline", |row| row["online"] == false).await
}

/// All output of a command, which has no gaps.
pub async fn output(console: &Server, command: &str) -> String {
    let answer = console.get(&format!("/api/commands/{command}/output")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-muster-gap-bytes"], "0", "nothing of it is missing");
    answer.text().await.unwrap()
}

/// Nothing is left under way on a host: no command, no compartment that is worked on.
pub fn is_at_rest(host: &Value) -> bool {
    let compartments = host["compartments"].as_object().unwrap();
    host["pending_command"].is_null() && compartments.values().all(|it| it["status"] != "working")
}
