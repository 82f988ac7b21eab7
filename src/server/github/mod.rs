//! Pull requests of the hosts' repository: GitHub is asked every now and then, rows follow what it says, and merging asks it to merge.
//!
//! [`client`] is the requests, [`wire`] what is read of the answers; here is the poll. Merging is an action ([`super::actions`]).

pub mod client;
#[cfg(test)]
pub mod stub;
#[cfg(test)]
mod tests;
pub mod wire;

pub use client::{Failure, GitHubClient, MergeMethod, Target};

use super::{
    clock::now,
    repository::{Wake, git::is_commit},
    storage::{Store, TransactError},
};
use crate::model::{Actor, Draft, Event, PullRequest, Severity, Timestamp};
use futures::{StreamExt, TryStreamExt, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// The newest of the open pull requests are shown, so many.
const PULL_REQUESTS: usize = 50;
/// Pull requests asked about at once.
const WIDTH: usize = 4;
/// GitHub's lists may still hold for a moment what was merged.
const LISTS_LAG: Duration = Duration::from_secs(120);
const LONGEST_TITLE: usize = 300;

/// The repository at GitHub. A clone is a handle on the same one.
#[derive(Clone, Debug)]
pub struct GitHub {
    pub client: GitHubClient,
    pub wake: Wake,
    seen: Arc<Mutex<Seen>>,
    /// Merges under way: each number once.
    merging: Arc<Mutex<BTreeSet<u64>>>,
    /// What was merged here a moment ago, with the head that was.
    merged: Arc<Mutex<BTreeMap<u64, (String, Instant)>>>,
}

/// How current the rows are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// When GitHub last answered all that was asked.
    pub checked_at: Option<Timestamp>,
    /// Why it did not since.
    pub error: Option<String>,
}

/// A merge under way; the number is free again when this goes.
#[derive(Debug)]
pub struct Merging(GitHub, u64);

impl Drop for Merging {
    fn drop(&mut self) {
        lock(&self.0.merging).remove(&self.1);
    }
}

impl GitHub {
    pub fn new(target: Target) -> Result<GitHub, reqwest::Error> {
        Ok(GitHub {
            client: GitHubClient::new(target)?,
            wake: Wake::default(),
            seen: Arc::default(),
            merging: Arc::default(),
            merged: Arc::default(),
        })
    }

    pub fn seen(&self) -> Seen {
        lock(&self.seen).clone()
    }

    /// Takes the number for a merge, unless one is under way.
    pub fn begin_merge(&self, number: u64) -> Option<Merging> {
        lock(&self.merging).insert(number).then(|| Merging(self.clone(), number))
    }

    /// From now on lists that still hold it are behind.
    pub fn was_merged(&self, number: u64, head_sha: &str) {
        lock(&self.merged).insert(number, (head_sha.to_owned(), Instant::now()));
        self.wake.now();
    }

    /// Asks GitHub every `every`, and when woken, until shutdown.
    pub async fn poll(self, store: Store, every: Duration, shutdown: CancellationToken) {
        loop {
            let looked = tokio::select! {
                () = shutdown.cancelled() => return,
                looked = self.look() => looked,
            };
            let pause = match &looked {
                Err(Failure::Limited { pause }) => every.max(*pause),
                _ => every,
            };
            self.write(&store, looked).await;
            self.client.tidy();
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
                () = self.wake.woken() => {}
            }
        }
    }

    /// All open pull requests, as GitHub says they are.
    pub async fn look(&self) -> Result<Vec<PullRequest>, Failure> {
        let listed = self.client.open_pulls(PULL_REQUESTS).await?;
        let rows = stream::iter(listed).map(|listed| self.read(listed.number)).buffer_unordered(WIDTH);
        let rows: Vec<Option<PullRequest>> = rows.try_collect().await?;
        let mut merged = lock(&self.merged);
        merged.retain(|_, (_, at)| at.elapsed() < LISTS_LAG);
        let behind =
            |row: &PullRequest| merged.get(&row.number).is_some_and(|(head, _)| *head == row.head_sha);
        Ok(rows.into_iter().flatten().filter(|row| !behind(row)).collect())
    }

    /// One pull request with its checks; `None` if it was closed since it was listed.
    async fn read(&self, number: u64) -> Result<Option<PullRequest>, Failure> {
        let pull = match self.client.pull(number, false).await {
            Ok(pull) if pull.state == "open" => pull,
            Ok(_) | Err(Failure::Refused { status: 404, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let sha = pull.head.sha;
        if !is_commit(&sha) {
            return Err(Failure::Nonsense(format!("the head of #{number} is no commit")));
        }
        // It becomes a link.
        if !(pull.html_url.starts_with("https://") || pull.html_url.starts_with("http://")) {
            return Err(Failure::Nonsense(format!("the address of #{number} is none of the web")));
        }
        let (status, runs) = tokio::try_join!(self.client.status(&sha), self.client.check_runs(&sha))?;
        let title = pull.title.chars().filter(|char| !char.is_control()).take(LONGEST_TITLE).collect();
        Ok(Some(PullRequest {
            number,
            title,
            url: pull.html_url,
            head_sha: sha,
            // GitHub merges no draft, whatever its branches allow.
            mergeable: if pull.draft { Some(false) } else { pull.mergeable },
            checks: wire::combine(&status, &runs),
            revision: 0,
            updated_at: Timestamp::default(),
        }))
    }

    async fn write(&self, store: &Store, looked: Result<Vec<PullRequest>, Failure>) {
        let (rows, error) = match looked {
            Ok(rows) => (Some(rows), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let was_failing = {
            let mut seen = lock(&self.seen);
            if error.is_none() {
                seen.checked_at = Some(now());
            }
            std::mem::replace(&mut seen.error, error.clone()).is_some()
        };
        let news = match &error {
            Some(error) if !was_failing => {
                tracing::warn!(%error, "pull requests could not be read");
                Some((Severity::Warning, format!("Pull requests cannot be read: {error}")))
            }
            None if was_failing => Some((Severity::Success, "Pull requests are read again".to_owned())),
            _ => None,
        };
        let written = store.transact(Actor::System, move |draft| {
            if let Some((severity, text)) = news {
                log(draft, severity, text);
            }
            if let Some(rows) = rows {
                follow(draft, rows);
            }
            Ok::<_, Infallible>(())
        });
        if let Err(TransactError::Storage(error)) = written.await {
            tracing::error!(%error, "pull requests were not written; the next look writes them");
        }
    }
}

/// Brings the rows to what GitHub says.
fn follow(draft: &mut Draft, rows: Vec<PullRequest>) {
    let open: BTreeSet<u64> = rows.iter().map(|row| row.number).collect();
    let closed: Vec<u64> = draft
        .before()
        .pull_requests()
        .map(|row| row.number)
        .filter(|number| !open.contains(number))
        .collect();
    closed.into_iter().for_each(|number| draft.pull_request_gone(number));
    rows.into_iter().for_each(|row| draft.put_pull_request(row));
}

/// An entry about pull requests, for those who see hosts.
pub fn log(draft: &mut Draft, severity: Severity, text: String) {
    draft.log(severity, "pull_request.updated", text, |event: &mut Event| event.of_hosts = true);
}

/// A console that was told of no repository on GitHub shows none of its pull requests.
pub async fn let_go(store: &Store) {
    if store.fleet().pull_requests().len() == 0 {
        return;
    }
    let written = store.transact(Actor::System, |draft| {
        follow(draft, Vec::new());
        Ok::<_, Infallible>(())
    });
    if let Err(TransactError::Storage(error)) = written.await {
        tracing::error!(%error, "pull requests of an earlier configuration were not removed");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
