//! `muster swarm` against `muster serve`: both are the real program, and only the API and the workers' sockets join them.

use super::harness::{Server, until, within};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Lines},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
};

const WORKERS: usize = 20;
const NETS: usize = 40;
const RUNNING: usize = 10;

/// A swarm's process. It is ended when this goes.
struct Swarm {
    child: Child,
    lines: Option<Lines<BufReader<ChildStdout>>>,
}

impl Swarm {
    fn start(console: &Server, folder: &Path, args: &[&str]) -> Swarm {
        let credentials = folder.join("credentials");
        fs::write(&credentials, "a@b.example\na long enough passphrase\n").unwrap();
        fs::set_permissions(&credentials, fs::Permissions::from_mode(0o600)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.args(["swarm", "--console", &console.url, "--credentials"]).arg(credentials).args(args);
        command.env("RUST_LOG", "warn").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Swarm { child, lines: Some(lines) }
    }

    /// Reads what it says up to the line that begins so.
    async fn says(&mut self, beginning: &'static str) -> String {
        let mut lines = self.lines.take().expect("one reader at a time");
        let reading = tokio::task::spawn_blocking(move || {
            let found = lines.by_ref().map(Result::unwrap).find(|line| line.contains(beginning));
            (found, lines)
        });
        let (found, lines) = within(beginning, reading).await.unwrap();
        self.lines = Some(lines);
        found.unwrap_or_else(|| panic!("it ended without saying {beginning:?}"))
    }

    async fn terminate(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let waiting = tokio::task::spawn_blocking(move || self.child.wait().unwrap());
        within("the end of the swarm", waiting).await.unwrap()
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn named(rows: &Value, name: &str) -> Value {
    let rows = rows.as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no row {name}")).clone()
}

async fn worker(console: &Server, id: &Value) -> Value {
    console.get_json(&format!("/api/workers/{}", id.as_str().unwrap())).await
}

/// The nets on a worker, now.
async fn nets_on(console: &Server, worker: &Value) -> Vec<Value> {
    let state = serde_json::to_value(console.state().await.state).unwrap();
    let nets = state["nets"].as_array().unwrap();
    nets.iter().filter(|net| net["worker_id"] == *worker).cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swarm_comes_up_its_faults_are_seen_it_recovers_and_leaves_nothing() {
    let console = Server::start(&["--samples", "false"]).await;
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    fs::write(&script, "# both kinds\nat 1s crash 3 for 8s\nat 1s hang 5 for 15s\n").unwrap();
    let (workers, nets) = (WORKERS.to_string(), NETS.to_string());
    let args = ["--workers", &workers, "--nets", &nets, "--running", "0.25", "--seed", "7", "--remove"];
    let mut swarm =
        Swarm::start(&console, folder.path(), &[&args[..], &["--script", script.to_str().unwrap()]].concat());
    println!("{}", swarm.says("The swarm is up").await);

    let rows = console.get_json("/api/workers").await;
    let ours = rows.as_array().unwrap();
    assert_eq!(ours.len(), WORKERS);
    assert!(ours.iter().all(|row| row["provider"] == "external"));
    let loaded = console.get_json("/api/nets").await;
    let loaded = loaded.as_array().unwrap();
    assert_eq!(loaded.iter().filter(|net| net["run_state"] == "running").count(), RUNNING);
    assert_eq!(loaded.len(), NETS);
    let (crashes, hangs) = (named(&rows, "swarm-00003"), named(&rows, "swarm-00005"));

    let is = async |row: &Value, status: &str| worker(&console, &row["id"]).await["status"] == status;
    until("the crash is seen", async || is(&crashes, "error").await).await;
    let seen = worker(&console, &crashes["id"]).await;
    assert_eq!(seen["status_detail"], "unreachable", "{seen}");
    let unloaded = nets_on(&console, &crashes["id"]).await;
    assert_eq!(unloaded.len(), 2);
    assert!(unloaded.iter().all(|net| net["load_state"] == "unloaded" && net["run_state"] == "idle"));
    until("the hanging is seen", async || is(&hangs, "error").await).await;

    // A new process has forgotten its nets; one that only hung has them still, and they are taken over as they are.
    until("the crashed one is back", async || is(&crashes, "ready").await).await;
    let back = worker(&console, &crashes["id"]).await;
    assert_ne!(back["machine"]["incarnation"], crashes["machine"]["incarnation"]);
    assert!(nets_on(&console, &crashes["id"]).await.iter().all(|net| net["load_state"] == "unloaded"));
    until("the hanging one goes on", async || is(&hangs, "ready").await).await;
    let back = worker(&console, &hangs["id"]).await;
    assert_eq!(back["machine"]["incarnation"], hangs["machine"]["incarnation"]);
    until("its nets are adopted", async || {
        nets_on(&console, &hangs["id"]).await.iter().all(|net| net["load_state"] == "loaded")
    })
    .await;
    let all = console.get_json("/api/workers").await;
    assert!(all.as_array().unwrap().iter().all(|row| row["status"] == "ready"), "{all}");

    assert!(swarm.terminate().await.success());
    assert_eq!(console.get_json("/api/workers").await.as_array().unwrap().len(), 0);
    assert_eq!(console.get_json("/api/nets").await.as_array().unwrap().len(), 0);
    let clusters = console.get_json("/api/clusters").await;
    assert_eq!(clusters.as_array().unwrap().len(), 1, "the local one stays: {clusters}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_swarm_left_is_in_error_is_not_built_upon_and_can_be_removed() {
    let console = Server::start(&["--samples", "false"]).await;
    let folder = tempfile::tempdir().unwrap();
    let size = ["--workers", "3", "--nets", "3"];
    let mut swarm = Swarm::start(&console, folder.path(), &size);
    swarm.says("The swarm is up").await;
    drop(swarm);
    until("all are in error", async || {
        let state = serde_json::to_value(console.state().await.state).unwrap();
        state["workers"].as_array().unwrap().iter().all(|row| row["status"] == "error")
    })
    .await;

    let mut again = Swarm::start(&console, folder.path(), &size);
    let waiting = tokio::task::spawn_blocking(move || again.child.wait().unwrap());
    assert!(!within("the refusal", waiting).await.unwrap().success());
    assert_eq!(console.get_json("/api/workers").await.as_array().unwrap().len(), 3);

    let mut removing = Swarm::start(&console, folder.path(), &["--workers", "0", "--nets", "0", "--remove"]);
    assert_eq!(removing.says("Removed").await, "Removed 6 workers and nets, and the cluster swarm");
    assert_eq!(console.get_json("/api/workers").await.as_array().unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_that_comes_back_finds_every_worker_as_it_left_it() {
    let mut console = Server::start(&["--samples", "false"]).await;
    let folder = tempfile::tempdir().unwrap();
    let mut swarm =
        Swarm::start(&console, folder.path(), &["--workers", "200", "--nets", "50", "--running", "0.5"]);
    swarm.says("The swarm is up").await;
    let linked = async |console: &Server| console.metric("muster_worker_streams").await == 200.0;
    until("every stream is open", async || linked(&console).await).await;
    // What is under way is taken up again after a restart, and that is written.
    until("every net is built", async || console.metric("muster_builds{status=\"succeeded\"}").await >= 50.0)
        .await;
    let before = console.state().await.version;

    console.kill();
    console.restart().await;
    until("every stream is open again", async || linked(&console).await).await;
    let state = console.state().await;
    assert_eq!(
        state.version,
        before,
        "nothing changed, so nothing was written: {:#?}",
        state.state.events().last()
    );
    assert_eq!(state.state.nets().filter(|net| net.is_loaded()).count(), 50);
}
