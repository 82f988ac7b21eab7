//! `muster export` and `muster import` against `muster serve`: all three are the real program.

#[allow(dead_code)]
#[path = "../faults/harness.rs"]
mod harness;

use harness::{RING, Server, within};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

/// Runs a subcommand as the administrator of `console`.
async fn muster(console: &Server, subcommand: &str, file: &Path) -> Output {
    let credentials = console.data.path().join("credentials");
    fs::write(&credentials, "a@b.example\na long enough passphrase\n").unwrap();
    fs::set_permissions(&credentials, fs::Permissions::from_mode(0o600)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args([subcommand, "--console", &console.url, "--credentials"]).arg(credentials).arg(file);
    command.env("RUST_LOG", "warn").stdin(Stdio::null());
    let running = tokio::task::spawn_blocking(move || command.output().unwrap());
    within(subcommand, running).await.unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_survives_the_way_through_a_file_to_the_byte() {
    let from = Server::start(&[]).await;
    from.post("/api/clusters", json!({ "name": "Frankfurt", "provider": "external", "region": "fra" })).await;
    let clusters = from.get_json("/api/clusters").await;
    let elsewhere = clusters.as_array().unwrap().iter().find(|row| row["provider"] == "external").unwrap();
    let local = from.create_worker("local-1").await;
    from.post(&format!("/api/workers/{local}/provision"), json!({})).await;
    let mut external = harness::new_worker("fra-1", &elsewhere["id"]);
    external["endpoint"] = json!("http://192.0.2.7:7070");
    from.post("/api/workers", external).await;
    let project = &from.get_json("/api/projects").await[0]["id"];
    let added = from.post("/api/nets", json!({ "name": "ring", "project_id": project, "pnml": RING })).await;
    let net = added["net"]["id"].as_str().unwrap().to_owned();
    from.post(&format!("/api/nets/{net}/assign"), json!({ "worker_id": local })).await;
    from.post(&format!("/api/nets/{net}/load"), json!({})).await;

    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first.json"), folder.path().join("second.json"));
    let exported = muster(&from, "export", &first).await;
    assert!(exported.status.success(), "{}", said(&exported));

    let to = Server::start(&[]).await;
    let imported = muster(&to, "import", &first).await;
    assert!(imported.status.success(), "{}", said(&imported));
    assert!(said(&imported).contains("2 clusters, 1 projects, 2 workers and 3 nets"), "{}", said(&imported));

    // The machine and what ran on it are not in the file, and nothing pretends that they were.
    let worker = to.get_json(&format!("/api/workers/{local}")).await;
    assert_eq!((&worker["status"], &worker["machine"]), (&json!("pending"), &Value::Null));
    let row = to.get_json(&format!("/api/nets/{net}")).await;
    assert_eq!((&row["load_state"], &row["worker_id"]), (&json!("unloaded"), &json!(local)));
    assert_eq!(
        to.get(&format!("/api/nets/{net}/definition")).await.text().await.unwrap(),
        RING,
        "the very file"
    );
    // The record is good for all that a record is good for.
    to.post(&format!("/api/workers/{local}/provision"), json!({})).await;
    to.post(&format!("/api/nets/{net}/load"), json!({})).await;

    let again = muster(&to, "export", &second).await;
    assert!(again.status.success(), "{}", said(&again));
    assert_eq!(fs::read_to_string(&second).unwrap(), fs::read_to_string(&first).unwrap());

    // Never over what somebody made.
    let refused = muster(&to, "import", &first).await;
    assert!(!refused.status.success());
    assert!(said(&refused).contains("This console is not empty: it has the worker"), "{}", said(&refused));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_with_a_fault_changes_nothing_and_only_administrators_are_let_in() {
    let console = Server::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fleet.json");
    assert!(muster(&console, "export", &file).await.status.success());
    let mut fleet: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    fleet["nets"][1]["worker_id"] = json!("01a20023-55e5-705b-bd2c-020c2fc03db6");
    fs::write(&file, serde_json::to_vec(&fleet).unwrap()).unwrap();
    let before = console.state().await;
    let refused = muster(&console, "import", &file).await;
    assert!(!refused.status.success());
    assert!(
        said(&refused).contains("nets[1] (Producer and consumer): there is no worker"),
        "{}",
        said(&refused)
    );
    // By the other door, too.
    let answer = console.request(Method::POST, "/api/import").json(&fleet).send();
    let answer = within("the import", answer).await.unwrap();
    assert_eq!(answer.status(), 400);
    let body: Value = answer.json().await.unwrap();
    assert!(body["detail"].as_str().unwrap().contains("nets[1]"), "{body}");
    assert_eq!(console.state().await, before);

    for (method, path) in [(Method::GET, "/api/export"), (Method::POST, "/api/import")] {
        let answer = console.http.request(method, format!("{}{path}", console.url)).send();
        assert_eq!(within(path, answer).await.unwrap().status(), 401);
    }
}
