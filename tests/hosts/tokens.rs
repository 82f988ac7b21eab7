//! Who may speak for a host.

use super::{
    console::{console, host, host_that, offline, online},
    harness::{until, within},
    machine::Machine,
};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_agent_speaks_for_a_host_and_none_once_its_token_is_revoked() {
    let console = console(&[]).await;
    let mut first = Machine::new(&console, "a", "hostname = \"rack-1\"\n").await;
    first.start_agent();
    let agent = online(&console, &first.id).await["agent"]["id"].clone();

    let mut second = first.twin("hostname = \"rack-2\"\n");
    second.start_agent();
    until("the second to be told", async || {
        second.read("log").contains("another agent speaks for this host")
    })
    .await;
    let row = host(&console, &first.id).await;
    assert_eq!((&row["online"], &row["agent"]["id"]), (&json!(true), &agent), "the first one stays");
    let told = "A second agent (on rack-2) came with the token of host a; it was refused";
    let state = console.state().await.state;
    assert_eq!(state.events().filter(|event| event.text.starts_with(told)).count(), 1);

    // Once the first is gone the second one may. It waits for half a minute between tries; a new start does not.
    first.signal_agent(Signal::TERM);
    assert!(first.agent_ended().await.success());
    offline(&console, &first.id).await;
    second.kill_agent().await;
    second.start_agent();
    let row = host_that(&console, &first.id, "to be online", |row| row["online"] == true).await;
    assert!(row["agent"]["id"] != agent && row["hostname"] == "rack-2", "{row}");

    let path = format!("/api/hosts/{}/token", first.id);
    let revoked = within("the answer", console.request(Method::DELETE, &path).send()).await.unwrap();
    assert_eq!(revoked.status(), 200);
    assert_eq!(second.agent_ended().await.code(), Some(77));
    assert!(second.read("log").contains("the console took this host's token back"), "{}", second.read("log"));
    let row = offline(&console, &first.id).await;
    assert_eq!(row["revoked"], true);
    second.start_agent();
    assert_eq!(second.agent_ended().await.code(), Some(77), "it does not try again and again");
    assert!(second.read("log").contains("the console refuses this token (401 Unauthorized)"));

    let done = console.post(&path, json!({})).await;
    second.write_token(done["token"].as_str().unwrap());
    second.start_agent();
    online(&console, &first.id).await;
}
