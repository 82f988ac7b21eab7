//! The swarm's records at the console: made, brought up and removed through the API, as an operator's own program would.

use super::{
    config::{Args, Error},
    console::{Console, ConsoleError},
    host::Host,
};
use crate::{
    model::{NetId, WorkerId},
    petri::samples,
};
use futures::{StreamExt, stream};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{
    fmt,
    future::Future,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// What each worker is said to have.
const MEMORY_MB: u32 = 64;
const PROVISION_TRIES: usize = 3;
/// How often it is looked whether what was deleted is gone: less often than lists may be asked for.
const LOOK_EVERY: Duration = Duration::from_millis(2_500);
/// After so long without one fewer it is given up: ten seconds to undo, and what a machine that does not answer takes.
const GONE_WITHIN: Duration = Duration::from_secs(60);
/// How often it is said how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

/// How long each part took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Took {
    pub workers: Duration,
    pub nets: Duration,
}

pub struct Fleet<'a> {
    console: &'a Console,
    args: &'a Args,
    cluster: String,
    project: String,
}

impl<'a> Fleet<'a> {
    /// Finds the project and the cluster; makes the cluster where it is missing and `make` is on. Without either there is no fleet.
    pub async fn find(console: &'a Console, args: &'a Args, make: bool) -> Result<Option<Fleet<'a>>, Error> {
        let projects = rows(console.get("/api/projects").await?, "/api/projects")?;
        let project = match &args.project {
            Some(name) => projects.iter().find(|row| row["name"] == name.as_str()),
            None => projects.first(),
        };
        let Some(project) = project else {
            let names: Vec<&str> = projects.iter().filter_map(|row| row["name"].as_str()).collect();
            let wanted = args.project.clone().unwrap_or_default();
            return Err(Error::NoProject(wanted, names.join(", ")));
        };
        let project = text(project, "id", "/api/projects")?;
        let found = cluster(console, &args.name).await?;
        if found.is_none() && make {
            console.post("/api/clusters", json!({ "name": args.name, "provider": "external" })).await?;
        } else if found.is_none() {
            return Ok(None);
        }
        let cluster = match found {
            Some(row) => row,
            None => cluster(console, &args.name).await?.unwrap_or_default(),
        };
        if cluster["provider"] != "external" {
            return Err(Error::OtherCluster(args.name.clone()));
        }
        let cluster = text(&cluster, "id", "/api/clusters")?;
        Ok(Some(Fleet { console, args, cluster, project }))
    }

    /// Makes everything and brings it up. What fails is counted; the rest comes up.
    pub async fn raise(&self, host: &Host) -> Result<Took, Error> {
        let left = self.workers().await?;
        if !left.is_empty() {
            return Err(Error::LeftBehind(self.args.name.clone(), left.len()));
        }
        let began = Instant::now();
        let failures = Failures::default();
        let ids: Vec<Option<WorkerId>> = self
            .each("workers are ready", self.args.workers, &failures, |n| self.raise_worker(host, n + 1))
            .await;
        let workers = began.elapsed();
        let ready: Vec<WorkerId> = ids.into_iter().flatten().collect();
        if !ready.is_empty() {
            let running = (self.args.nets as f64 * self.args.running).round() as usize;
            let raise = |n: usize| self.raise_net(n + 1, ready[n % ready.len()], n < running);
            self.each("nets are loaded", self.args.nets, &failures, raise).await;
        }
        failures.verdict()?;
        Ok(Took { workers, nets: began.elapsed() - workers })
    }

    /// Deletes the workers, then the nets, which are on none by then, then the cluster. The console leaves ten seconds to undo a deletion:
    /// what comes next waits for them.
    pub async fn remove(&self) -> Result<usize, Error> {
        let (workers, nets) = (self.workers().await?, self.nets().await?);
        let failures = Failures::default();
        let delete = |path: String| async move {
            match self.console.delete(&path).await {
                Err(error) if !error.is_gone() && !error.is_leaving() => Err(error),
                _ => Ok(()),
            }
        };
        let of = |n: usize| delete(format!("/api/workers/{}", workers[n]));
        self.each("workers are deleted", workers.len(), &failures, of).await;
        self.until_gone("workers", || self.workers()).await?;
        let of = |n: usize| delete(format!("/api/nets/{}", nets[n]));
        self.each("nets are deleted", nets.len(), &failures, of).await;
        self.until_gone("nets", || self.nets()).await?;
        failures.verdict()?;
        delete(format!("/api/clusters/{}", self.cluster)).await?;
        Ok(workers.len() + nets.len())
    }

    /// Waits until none of `what` is left, for as long as they become fewer.
    async fn until_gone<F>(&self, what: &str, left: impl Fn() -> F) -> Result<(), Error>
    where
        F: Future<Output = Result<Vec<String>, Error>>,
    {
        let (mut fewest, mut fewer) = (usize::MAX, Instant::now());
        loop {
            let count = left().await?.len();
            if count == 0 {
                return Ok(());
            }
            if count < fewest {
                (fewest, fewer) = (count, Instant::now());
            } else if fewer.elapsed() > GONE_WITHIN {
                return Err(Error::Remain(count, what.to_owned()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn raise_worker(&self, host: &Host, n: usize) -> Result<WorkerId, ConsoleError> {
        let worker = json!({
            "name": format!("{}-{n:05}", self.args.name), "cluster_id": self.cluster, "category": "ephemeral",
            "cpus": 1, "memory_mb": MEMORY_MB, "endpoint": host.endpoint(n),
        });
        let path = "/api/workers";
        let id: WorkerId = id(&self.console.post(path, worker).await?["worker"], path)?;
        let path = format!("/api/workers/{id}/token");
        let token = text(&self.console.get(&path).await?, "token", &path)?;
        host.appoint(n, id, token);
        let path = format!("/api/workers/{id}/provision");
        // A console with much to do may not have heard us in time; an operator would try again.
        for _ in 1..PROVISION_TRIES {
            match self.console.post(&path, json!({})).await {
                Err(ConsoleError::Refused { status: 502, detail, .. }) => {
                    tracing::debug!(n, detail, "provisioning failed; trying again");
                }
                other => return other.map(|_| id),
            }
        }
        self.console.post(&path, json!({})).await.map(|_| id)
    }

    async fn raise_net(&self, n: usize, worker: WorkerId, runs: bool) -> Result<(), ConsoleError> {
        // The one that never stops is for those that run; the others are of both kinds.
        let kind = if runs || n.is_multiple_of(2) { "producer-consumer" } else { "dining-philosophers" };
        let pnml = samples::sample(kind).map(|sample| sample.pnml).unwrap_or_default();
        let net = json!({ "name": self.net_name(n), "project_id": self.project, "pnml": pnml });
        let path = "/api/nets";
        let id: NetId = id(&self.console.post(path, net).await?["net"], path)?;
        self.console.post(&format!("/api/nets/{id}/assign"), json!({ "worker_id": worker })).await?;
        self.console.post(&format!("/api/nets/{id}/load"), json!({})).await?;
        if runs {
            self.console.post(&format!("/api/nets/{id}/run"), json!({ "rate": self.args.rate })).await?;
        }
        Ok(())
    }

    fn net_name(&self, n: usize) -> String {
        format!("{}-net-{n:05}", self.args.name)
    }

    /// The ids of the workers in the swarm's cluster.
    async fn workers(&self) -> Result<Vec<String>, Error> {
        let path = "/api/workers";
        let all = rows(self.console.get(path).await?, path)?;
        let ours = all.iter().filter(|row| row["cluster_id"] == self.cluster.as_str());
        Ok(ours.map(|row| text(row, "id", path)).collect::<Result<_, _>>()?)
    }

    /// The ids of the nets with the swarm's name.
    async fn nets(&self) -> Result<Vec<String>, Error> {
        let path = "/api/nets";
        let prefix = format!("{}-net-", self.args.name);
        let all = rows(self.console.get(path).await?, path)?;
        let ours = all.iter().filter(|row| {
            row["project_id"] == self.project.as_str()
                && row["name"].as_str().is_some_and(|name| name.starts_with(&prefix))
        });
        Ok(ours.map(|row| text(row, "id", path)).collect::<Result<_, _>>()?)
    }

    async fn each<T, F>(
        &self,
        what: &str,
        count: usize,
        failures: &Failures,
        act: impl Fn(usize) -> F,
    ) -> Vec<Option<T>>
    where
        F: Future<Output = Result<T, ConsoleError>>,
    {
        each(usize::from(self.args.width), what, count, failures, act).await
    }
}

/// Does something for 0 to `count`, `width` at a time, and says now and then how far it is.
pub async fn each<T, F>(
    width: usize,
    what: &str,
    count: usize,
    failures: &Failures,
    act: impl Fn(usize) -> F,
) -> Vec<Option<T>>
where
    F: Future<Output = Result<T, ConsoleError>>,
{
    let (done, began) = (AtomicUsize::new(0), Instant::now());
    let all = stream::iter(0..count)
        .map(|n| {
            let (acting, done) = (act(n), &done);
            async move {
                let outcome = acting.await.map_err(|error| failures.add(&error)).ok();
                done.fetch_add(1, Relaxed);
                outcome
            }
        })
        .buffered(width)
        .collect();
    let mut ticks = tokio::time::interval(PROGRESS_EVERY);
    ticks.tick().await;
    tokio::pin!(all);
    loop {
        tokio::select! {
            all = &mut all => {
                tracing::info!("{count} {what}, after {:.1} s", began.elapsed().as_secs_f64());
                return all;
            }
            _ = ticks.tick() => tracing::info!("{} of {count} {what}", done.load(Relaxed)),
        }
    }
}

/// What went wrong, bounded: the first in words, the others counted.
#[derive(Default)]
pub struct Failures {
    count: AtomicUsize,
    first: std::sync::OnceLock<String>,
}

impl Failures {
    fn add(&self, error: &dyn fmt::Display) {
        self.count.fetch_add(1, Relaxed);
        let _ = self.first.set(error.to_string());
    }

    pub fn verdict(self) -> Result<(), Error> {
        match (self.count.into_inner(), self.first.into_inner()) {
            (0, _) => Ok(()),
            (failed, first) => Err(Error::Incomplete { failed, first: first.unwrap_or_default() }),
        }
    }
}

async fn cluster(console: &Console, name: &str) -> Result<Option<Value>, ConsoleError> {
    let path = "/api/clusters";
    Ok(rows(console.get(path).await?, path)?.into_iter().find(|row| row["name"] == name))
}

fn rows(answer: Value, path: &str) -> Result<Vec<Value>, ConsoleError> {
    match answer {
        Value::Array(rows) => Ok(rows),
        _ => Err(nonsense(path, "no list")),
    }
}

fn text(row: &Value, field: &str, path: &str) -> Result<String, ConsoleError> {
    row[field].as_str().map(str::to_owned).ok_or_else(|| nonsense(path, &format!("a row without {field}")))
}

fn id<T: DeserializeOwned>(row: &Value, path: &str) -> Result<T, ConsoleError> {
    serde_json::from_value(row["id"].clone()).map_err(|_| nonsense(path, "a row without an id"))
}

fn nonsense(path: &str, what: &str) -> ConsoleError {
    ConsoleError::Nonsense { path: path.to_owned(), what: what.to_owned() }
}
