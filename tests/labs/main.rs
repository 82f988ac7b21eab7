//! Labs from end to end: `muster serve` and the worker processes that it starts, both the real program.

#[allow(dead_code)]
#[path = "../faults/harness.rs"]
mod harness;

use harness::{RING, Server, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

struct World {
    console: Server,
    worker: String,
    net: String,
}

impl World {
    /// A console with a worker that is ready and a net on it.
    async fn new() -> World {
        let console = Server::start(&["--samples", "false"]).await;
        let worker = console.create_worker("w1").await;
        console.post(&format!("/api/workers/{worker}/provision"), json!({})).await;
        let project = &console.get_json("/api/projects").await[0]["id"];
        let added =
            console.post("/api/nets", json!({ "name": "ring", "project_id": project, "pnml": RING })).await;
        let net = added["net"]["id"].as_str().unwrap().to_owned();
        console.post(&format!("/api/nets/{net}/assign"), json!({ "worker_id": worker })).await;
        World { console, worker, net }
    }

    async fn make(&self, name: &str, plan: Value) -> String {
        let body = json!({ "net_id": self.net, "name": name, "plan": plan, "start": true });
        let done = self.console.post("/api/labs", body).await;
        done["lab"]["id"].as_str().unwrap_or_else(|| panic!("{done}")).to_owned()
    }

    async fn act(&self, lab: &str, verb: &str) {
        self.console.post(&format!("/api/labs/{lab}/{verb}"), json!({})).await;
    }

    async fn lab(&self, lab: &str) -> Value {
        self.console.get_json(&format!("/api/labs/{lab}")).await
    }

    /// Waits until the lab's row says so.
    async fn lab_is(&self, lab: &str, state: &str) -> Value {
        let mut row = Value::Null;
        until(&format!("lab {lab} to be {state}"), async || {
            row = self.lab(lab).await;
            row["state"] == state
        })
        .await;
        row
    }

    async fn results(&self, lab: &str) -> Value {
        self.console.get_json(&format!("/api/labs/{lab}/results")).await
    }

    async fn worker_is(&self, status: &str) {
        let path = format!("/api/workers/{}", self.worker);
        until(&format!("the worker to be {status}"), async || {
            self.console.get_json(&path).await["status"] == status
        })
        .await;
    }

    fn kill_worker(&self) {
        for pid in self.console.worker_pids() {
            kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
        }
    }
}

fn runs(runs: u64, firings: u64) -> Value {
    json!({ "kind": "monte_carlo", "runs": runs, "firings": firings, "seed": 7 })
}

/// More than a worker gets through while a test looks.
fn endless() -> Value {
    runs(10_000_000, 10_000)
}

fn told(lab: &Value) -> Vec<&str> {
    lab["history"].as_array().unwrap().iter().map(|entry| entry["text"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lab_works_and_what_it_found_outlives_its_worker_and_its_console() {
    let mut world = World::new().await;
    let (short, endless) =
        (world.make("short", runs(200, 100)).await, world.make("endless", endless()).await);
    let over = world.lab_is(&short, "done").await;
    assert_eq!(over["progress"], json!({ "runs": 200, "firings": 20_000, "states": 0 }));
    assert_eq!(told(&over), ["Made on w1", "Started", "Done: 200 runs, 20000 firings"]);
    let kept = async |world: &World| {
        let report = world.results(&short).await;
        assert_eq!(report["results"]["results"]["runs"], 200, "{report}");
        report["results"].clone()
    };
    let mut found = Value::Null;
    until("its results", async || {
        found = world.results(&short).await;
        !found.is_null()
    })
    .await;
    let found = kept(&world).await;
    let counts = async |world: &World| {
        let row = world.console.get_json(&format!("/api/workers/{}", world.worker)).await;
        (row["labs"]["total"].as_u64(), row["labs"]["active"].as_u64())
    };
    until("the counts", async || counts(&world).await == (Some(2), Some(1))).await;

    // A console that goes down as at Ctrl-C, and one that is killed: the labs go on.
    world.lab_is(&endless, "running").await;
    world.console.terminate().await;
    world.console.restart().await;
    world.worker_is("ready").await;
    world.console.kill();
    world.console.restart().await;
    world.worker_is("ready").await;
    assert_eq!(world.lab(&endless).await["state"], "running");
    until("the runs to go on", async || {
        world.results(&endless).await["results"]["results"]["runs"].as_u64() > Some(0)
    })
    .await;
    world.act(&endless, "stop").await;
    let stopped = world.lab_is(&endless, "idle").await;
    assert_eq!(told(&stopped), ["Made on w1", "Started", "Stopped"]);
    world.act(&endless, "start").await;
    world.lab_is(&endless, "running").await;

    // The worker dies: what was over stays, what was not is lost and can be made anew.
    world.kill_worker();
    world.worker_is("error").await;
    assert_eq!(world.lab(&endless).await["state"], "lost");
    assert_eq!(world.lab(&short).await["state"], "done");
    assert_eq!(kept(&world).await, found);
    world.console.post(&format!("/api/workers/{}/provision", world.worker), json!({})).await;
    world.worker_is("ready").await;
    until("it to be known as gone", async || {
        let lost = world.lab(&endless).await;
        lost["error"].as_str().unwrap_or_default().starts_with("The process that had it is gone.")
    })
    .await;
    world.act(&endless, "start").await;
    let again = world.lab(&endless).await;
    assert_eq!(told(&again).last(), Some(&"Made anew on w1 and started"));
    until("the runs to go on", async || {
        world.results(&endless).await["results"]["results"]["runs"].as_u64() > Some(0)
    })
    .await;
    // The same seed, the same figures: on another process, too.
    world.act(&short, "wipe").await;
    assert!(world.results(&short).await.is_null());
    world.act(&short, "start").await;
    world.lab_is(&short, "done").await;
    until("its results", async || !world.results(&short).await.is_null()).await;
    assert_eq!(kept(&world).await, found);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exploration_says_what_it_found_and_labs_go_with_their_net() {
    let world = World::new().await;
    let explore = json!({ "kind": "explore", "seconds": 20, "memory_mb": 64 });
    let lab = world.make("whole", explore).await;
    let over = world.lab_is(&lab, "done").await;
    assert_eq!(over["progress"]["states"], 2, "{over}");
    let mut report = Value::Null;
    until("its report", async || {
        report = world.results(&lab).await["results"]["report"].clone();
        !report.is_null()
    })
    .await;
    assert_eq!(report["explored"]["states"], 2, "{report}");

    let endless = world.make("endless", endless()).await;
    world.lab_is(&endless, "running").await;
    let deleted = world.console.request(reqwest::Method::DELETE, &format!("/api/nets/{}", world.net));
    assert!(harness::within("the deletion", deleted.send()).await.unwrap().status().is_success());
    until("the labs to be gone", async || {
        let row = world.console.get_json(&format!("/api/workers/{}", world.worker)).await;
        row["labs"]["total"] == 0
    })
    .await;
    assert_eq!(world.console.get(&format!("/api/labs/{endless}")).await.status(), 404);
}
