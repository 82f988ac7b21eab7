//! One worker by hand, as docs/worker-protocol.md tells operators: a record, its token, a process, and provisioning to connect.

use super::harness::{RING, Server, until};
use muster::worker::protocol::Ready;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

/// A worker's process that is not the console's. It is ended when this goes.
struct Process(Child);

impl Process {
    fn start(id: &str, token: &str, port: u16) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.args(["worker", "--worker-id", id, "--listen", &format!("127.0.0.1:{port}")]);
        command.env("MUSTER_WORKER_TOKEN", token).env("RUST_LOG", "warn");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let line = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        serde_json::from_str::<Ready>(&line).unwrap();
        Process(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn answer(console: &Server, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let answer = console.request(method, path).json(&body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

fn new_worker(cluster: &Value, endpoint: Option<&str>) -> Value {
    json!({
        "name": "theirs", "cluster_id": cluster, "category": "persistent", "cpus": 1, "memory_mb": 64, "endpoint": endpoint,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_of_somebody_elses_is_connected_and_let_go_but_never_started_or_stopped() {
    let console = Server::start(&["--samples", "false"]).await;
    let local = console.get_json("/api/clusters").await[0]["id"].clone();
    console.post("/api/clusters", json!({ "name": "theirs", "provider": "external" })).await;
    let clusters = console.get_json("/api/clusters").await;
    let theirs =
        clusters.as_array().unwrap().iter().find(|row| row["name"] == "theirs").unwrap()["id"].clone();

    // The address belongs to machines of others, and to none of ours.
    for (cluster, endpoint) in [
        (&local, Some("http://127.0.0.1:9")),
        (&theirs, None),
        (&theirs, Some("ftp://127.0.0.1")),
        (&theirs, Some("http://ada:pw@127.0.0.1")),
    ] {
        let (status, said) =
            answer(&console, Method::POST, "/api/workers", new_worker(cluster, endpoint)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{said}");
    }
    let (status, said) =
        answer(&console, Method::POST, "/api/clusters", json!({ "name": "cloud", "provider": "fly" })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{said}");

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let done = console.post("/api/workers", new_worker(&theirs, Some(&endpoint))).await;
    let id = done["worker"]["id"].as_str().unwrap().to_owned();
    assert_eq!(done["worker"]["endpoint"], endpoint.as_str());
    let path = format!("/api/workers/{id}");
    let act =
        async |action: &str| answer(&console, Method::POST, &format!("{path}/{action}"), json!({})).await;

    // The token, on the console's machine and over the API, is the same.
    let printed = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["token", "worker", &id, "--data"])
        .arg(console.data.path())
        .output()
        .unwrap();
    let token = String::from_utf8(printed.stdout).unwrap().trim().to_owned();
    assert_eq!(console.get_json(&format!("{path}/token")).await["token"], token.as_str());

    // Nobody is there yet; then somebody who does not know the token; then the right one.
    let (status, said) = act("provision").await;
    assert_eq!((status, &said["worker_status"]), (StatusCode::BAD_GATEWAY, &json!("error")), "{said}");
    let stranger = Process::start(&id, "another token", port);
    let (status, said) = act("provision").await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert!(said["detail"].as_str().unwrap().contains(&format!("muster token worker {id}")), "{said}");
    drop(stranger);
    let process = Process::start(&id, &token, port);
    let (status, said) = act("provision").await;
    assert_eq!((status, &said["worker"]["status"]), (StatusCode::OK, &json!("ready")), "{said}");

    for action in ["stop", "start"] {
        let (status, said) = act(action).await;
        assert_eq!((status, &said["code"]), (StatusCode::CONFLICT, &json!("worker_not_ours")), "{said}");
    }
    let project = console.get_json("/api/projects").await[0]["id"].clone();
    let done =
        console.post("/api/nets", json!({ "name": "ring", "project_id": project, "pnml": RING })).await;
    let net = format!("/api/nets/{}", done["net"]["id"].as_str().unwrap());
    console.post(&format!("{net}/assign"), json!({ "worker_id": id })).await;
    console.post(&format!("{net}/load"), json!({})).await;
    console.post(&format!("{net}/run"), json!({ "rate": 50 })).await;

    // Letting it go unloads its nets there; the process is theirs and stays.
    let (status, said) = act("destroy").await;
    assert_eq!((status, &said["worker"]["status"]), (StatusCode::OK, &json!("pending")), "{said}");
    let health = console.http.get(format!("{endpoint}/health")).bearer_auth(&token).send().await.unwrap();
    let health: Value = health.json().await.unwrap();
    assert_eq!((&health["worker_id"], &health["nets"]), (&json!(id), &json!([])));

    // It can be connected again, and when it dies that is seen as what it is: not reachable, nobody knows why.
    let (status, _) = act("provision").await;
    assert_eq!(status, StatusCode::OK);
    drop(process);
    until("its end is seen", async || console.get_json(&path).await["status_detail"] == "unreachable").await;
    let (status, said) =
        answer(&console, Method::DELETE, &format!("/api/clusters/{}", theirs.as_str().unwrap()), json!({}))
            .await;
    assert_eq!((status, &said["code"]), (StatusCode::CONFLICT, &json!("cluster_not_empty")));
    let (status, _) = answer(&console, Method::DELETE, &path, json!({})).await;
    assert_eq!(status, StatusCode::OK);
}
