//! `kill -9` of the console, again and again, while actions run.

use crate::harness::{RING, Server, new_worker, until, within};
use crate::replica::Follower;
use muster::model::{Fleet, NetId, Worker, WorkerAction, WorkerId};
use reqwest::{Client, Method, StatusCode, header};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const ACTORS: usize = 4;
const REAL_WORKERS: usize = 2;

/// What was acknowledged, and must hold whatever happens.
#[derive(Clone, Default)]
struct Promised {
    workers: BTreeSet<WorkerId>,
    /// Those that will be deleted: from when they are created, both are possible.
    leaving: BTreeSet<WorkerId>,
    deleted: BTreeSet<WorkerId>,
    /// Nets, and the worker each was assigned to; `None` until that is answered.
    nets: BTreeMap<NetId, Option<WorkerId>>,
    acknowledged: u64,
    unanswered: u64,
    repeated: u64,
}

impl Promised {
    /// All of it is in `fleet`, or was about to be undone when this was noted down.
    fn holds(&self, fleet: &Fleet, when: &str) {
        for worker in self.workers.difference(&self.leaving) {
            assert!(fleet.worker(*worker).is_some(), "{when}: {worker} was acknowledged and is lost");
        }
        for worker in &self.deleted {
            // It waits to be undone before it happens.
            let goes =
                |row: &Worker| row.operation.as_ref().map(|open| open.action) == Some(WorkerAction::Delete);
            assert!(
                fleet.worker(*worker).is_none_or(|row| goes(row)),
                "{when}: the end of {worker} was acknowledged and is lost"
            );
        }
        for (net, assigned) in &self.nets {
            let Some(row) = fleet.net(*net) else { panic!("{when}: net {net} was acknowledged and is lost") };
            if assigned.is_some() {
                assert_eq!(
                    row.worker_id, *assigned,
                    "{when}: the assignment of {net} was acknowledged and is lost"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_under_load_loses_nothing_that_was_acknowledged() {
    let rounds: u32 = std::env::var("MUSTER_ROUNDS").ok().map_or(5, |rounds| rounds.parse().unwrap());
    let mut server = Server::start(&[]).await;
    let (running, firings) = run_real_workers(&server).await;
    let pids = server.worker_pids();
    assert_eq!(pids.len(), REAL_WORKERS);
    let followers: Vec<Follower> = (0..3).map(|_| Follower::start(&server.url, &server.cookie)).collect();
    until("all follow", async || followers.iter().all(|follower| follower.seen().connected)).await;

    let promised = Arc::new(Mutex::new(Promised::default()));
    let stop = CancellationToken::new();
    let mut actors = JoinSet::new();
    for n in 0..ACTORS {
        actors.spawn(Actor::new(&server, n, &running.0, promised.clone(), stop.clone()).await.run());
    }
    let mut last = 0;
    for round in 0..rounds {
        // Any moment will do, and each round another one.
        tokio::time::sleep(Duration::from_millis(rand::random_range(50..1_200))).await;
        server.kill();
        let seen = followers.iter().filter_map(|follower| follower.seen().version).max().unwrap_or(0);
        assert_eq!(server.worker_pids(), pids, "round {round}: workers outlive their console");
        // The actors go on as soon as it is back: what they are told from then on may be in the state below or not.
        let promised = promised.lock().unwrap().clone();
        server.restart().await;
        let state = server.state().await;
        assert!(
            state.version >= seen.max(last),
            "round {round}: {seen} was shown, {} is there",
            state.version
        );
        last = state.version;
        promised.holds(&state.state, &format!("round {round}"));
    }
    stop.cancel();
    while let Some(ended) = within("the actors", actors.join_next()).await {
        ended.unwrap();
    }
    // Deletions wait for ten seconds: until they are carried out the version goes on.
    until("what was begun has ended", async || {
        followers.iter().all(|follower| {
            let seen = follower.seen();
            seen.fleet.workers().all(|row| row.operation.is_none())
                && seen.fleet.nets().all(|row| row.operation.is_none())
        })
    })
    .await;

    let truth = server.state().await;
    let promised = promised.lock().unwrap().clone();
    promised.holds(&truth.state, "at the end");
    let names: BTreeSet<String> = truth.state.workers().map(|worker| worker.name.to_string()).collect();
    assert_eq!(names.len(), truth.state.workers().len(), "a repeated request did something twice");

    assert_eq!(server.worker_pids(), pids);
    until("the real workers are ready and their nets run", async || {
        let net = server.get_json(&format!("/api/nets/{}", running.1)).await;
        let worker = server.get_json(&format!("/api/workers/{}", running.0)).await;
        worker["status"] == "ready" && net["load_state"] == "loaded" && net["run_state"] == "running"
    })
    .await;
    let after = server.get_json(&format!("/api/nets/{}", running.1)).await["load_id"].clone();
    assert_eq!(after, firings, "it was never loaded anew");

    for follower in &followers {
        until("every replica to converge", async || {
            let version = server.metric("muster_stream_version").await as u64;
            follower.seen().version == Some(version) && follower.seen().connected
        })
        .await;
        assert_eq!(follower.seen().wrong, Vec::<String>::new());
    }
    let truth = server.state().await;
    for follower in &followers {
        let seen = follower.seen();
        assert_eq!(seen.version, Some(truth.version));
        assert_eq!(seen.fleet, truth.state);
    }
    println!(
        "{rounds} rounds of kill -9: {} changes acknowledged, {} requests cut off ({} of them repeated with their key), version {}",
        promised.acknowledged, promised.unanswered, promised.repeated, truth.version
    );
}

/// Provisions real workers; one runs a net. That worker and net, and the id of the load.
async fn run_real_workers(server: &Server) -> ((String, String), Value) {
    let mut first = None;
    for n in 0..REAL_WORKERS {
        let id = server.create_worker(&format!("real {n}")).await;
        server.post(&format!("/api/workers/{id}/provision"), json!({})).await;
        first.get_or_insert(id);
    }
    let worker = first.unwrap();
    let project = server.get_json("/api/projects").await[0]["id"].clone();
    let body = json!({ "name": "runs", "project_id": project, "pnml": RING });
    let net = server.post("/api/nets", body).await["net"]["id"].as_str().unwrap().to_owned();
    server.post(&format!("/api/nets/{net}/assign"), json!({ "worker_id": worker })).await;
    server.post(&format!("/api/nets/{net}/load"), json!({})).await;
    server.post(&format!("/api/nets/{net}/run"), json!({ "rate": 100 })).await;
    until("it runs", async || server.get_json(&format!("/api/nets/{net}")).await["run_state"] == "running")
        .await;
    let load = server.get_json(&format!("/api/nets/{net}")).await["load_id"].clone();
    ((worker, net), load)
}

/// Somebody who acts without pause, and repeats what was not answered.
struct Actor {
    name: usize,
    url: String,
    cookie: String,
    http: Client,
    cluster: Value,
    project: Value,
    /// The ready worker that nets are assigned to.
    host: WorkerId,
    promised: Arc<Mutex<Promised>>,
    stop: CancellationToken,
}

impl Actor {
    async fn new(
        server: &Server,
        name: usize,
        host: &str,
        promised: Arc<Mutex<Promised>>,
        stop: CancellationToken,
    ) -> Actor {
        let first = async |path: &str| server.get_json(path).await[0]["id"].clone();
        Actor {
            name,
            url: server.url.clone(),
            cookie: server.cookie.clone(),
            http: Client::new(),
            cluster: first("/api/clusters").await,
            project: first("/api/projects").await,
            host: host.parse().unwrap(),
            promised,
            stop,
        }
    }

    async fn run(self) {
        for n in 0.. {
            if self.stop.is_cancelled() {
                return;
            }
            let name = format!("a{} {n}", self.name);
            let done = self.act(Method::POST, "/api/workers", new_worker(&name, &self.cluster)).await;
            let worker: WorkerId = serde_json::from_value(done["worker"]["id"].clone()).unwrap();
            let leaves = n % 3 == 0;
            if leaves {
                self.promised().leaving.insert(worker);
            }
            self.promised().workers.insert(worker);
            let body = json!({ "name": name, "project_id": self.project, "pnml": RING });
            let done = self.act(Method::POST, "/api/nets", body).await;
            let net: NetId = serde_json::from_value(done["net"]["id"].clone()).unwrap();
            self.promised().nets.insert(net, None);
            self.act(Method::POST, &format!("/api/nets/{net}/assign"), json!({ "worker_id": self.host }))
                .await;
            self.promised().nets.insert(net, Some(self.host));
            if leaves {
                self.act(Method::DELETE, &format!("/api/workers/{worker}"), json!({})).await;
                self.promised().deleted.insert(worker);
            }
        }
    }

    /// One action, repeated with the same key until it is answered: an answer means done, and done once.
    async fn act(&self, method: Method, path: &str, body: Value) -> Value {
        let key = uuid::Uuid::new_v4().to_string();
        let began = Instant::now();
        let mut cut_off = 0;
        loop {
            let request = self
                .http
                .request(method.clone(), format!("{}{path}", self.url))
                .header(header::COOKIE, &self.cookie)
                .header("idempotency-key", &key)
                .timeout(Duration::from_secs(20))
                .json(&body);
            let answer = match request.send().await {
                Ok(answer) => Some((answer.status(), answer.text().await)),
                Err(_) => None,
            };
            match answer {
                Some((status, Ok(text))) if status.is_success() => {
                    let mut promised = self.promised();
                    promised.acknowledged += 1;
                    promised.repeated += u64::from(cut_off > 0);
                    return serde_json::from_str(&text).unwrap();
                }
                // Its first try was cut off after it was done in more than one transaction.
                Some((StatusCode::NOT_FOUND, Ok(_))) if cut_off > 0 && method == Method::DELETE => {
                    self.promised().repeated += 1;
                    return Value::Null;
                }
                // Found half done, and being settled.
                Some((StatusCode::CONFLICT, Ok(_))) if cut_off > 0 && method == Method::DELETE => {}
                Some((status, Ok(text))) => {
                    panic!("{method} {path}, cut off {cut_off} times: {status} {text}")
                }
                Some((_, Err(_))) | None => {
                    cut_off += 1;
                    self.promised().unanswered += 1;
                }
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{method} {path} is not answered");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn promised(&self) -> MutexGuard<'_, Promised> {
        self.promised.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
