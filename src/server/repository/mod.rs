//! What the hosts should be: the head of their repository and its lock file, read from its remote by the console, so that a host that
//! cannot reach the remote, or lies, is told apart from one that is up to date.
//!
//! `git ls-remote` asks for the head; only when that is another one, the one commit is fetched into a bare cache in the data directory and
//! its lock file hashed. A remote that cannot be read is said of the remote: the figures stay, with the time they are of.

pub mod git;
#[cfg(test)]
mod tests;

use self::git::{GitError, Remote, shown_url};
use super::{
    clock::now,
    storage::{Store, TransactError},
};
use crate::model::{Actor, Draft, Repository, Timestamp};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A look that found nothing new is written this often, so that its age on the screen does not grow for ever, and the journal not either.
const WRITTEN_AT_LEAST_EVERY: Duration = Duration::from_secs(10 * 60);
/// Said where an earlier console watched a repository and this one was told of none.
const NOT_WATCHED: &str = "The console was started without --repository";

/// Wakes the watcher before its time.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    pub fn now(&self) {
        self.0.notify_one();
    }

    /// Returns once it was woken, also if that was before.
    pub async fn woken(&self) {
        self.0.notified().await;
    }
}

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    pub branch: String,
    pub head: String,
    pub lock_hash: Option<String>,
}

/// Watches the remote until shutdown: every `every`, and when woken.
pub async fn watch(remote: Remote, every: Duration, store: Store, wake: Wake, shutdown: CancellationToken) {
    let mut last = None;
    loop {
        let looked = tokio::select! {
            () = shutdown.cancelled() => return,
            looked = look(&remote, last.as_ref()) => looked,
        };
        match &looked {
            Ok(look) => last = Some(look.clone()),
            Err(error) => tracing::warn!(%error, "the repository of the hosts could not be read"),
        }
        write(&store, remote.clone(), looked).await;
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(every) => {}
            () = wake.woken() => {}
        }
    }
}

/// What an earlier console read is not watched by this one: its row says so, and nothing is expected of the hosts.
pub async fn let_go(store: &Store) {
    let Some(row) = store.fleet().repository().cloned() else { return };
    let error = Some(NOT_WATCHED.to_owned());
    if row.error == error {
        return;
    }
    put(store, move |_, _| {
        Some(Repository { head: None, lock_hash: None, error, ..Repository::clone(&row) })
    })
    .await;
}

/// Reads the remote. The lock file of a head that the last look found too is not read again.
pub async fn look(remote: &Remote, last: Option<&Look>) -> Result<Look, GitError> {
    let head = remote.head().await?;
    if let Some(last) = last.filter(|last| (&last.branch, &last.head) == (&head.branch, &head.commit)) {
        return Ok(last.clone());
    }
    let lock = remote.lock(&head).await?;
    Ok(Look { branch: head.branch, head: lock.commit, lock_hash: lock.hash })
}

async fn write(store: &Store, remote: Remote, looked: Result<Look, GitError>) {
    put(store, move |before, now| row_after(before, &remote, looked, now)).await;
}

async fn put(
    store: &Store,
    row: impl FnOnce(Option<&Repository>, Timestamp) -> Option<Repository> + Send + 'static,
) {
    let written = store.transact(Actor::System, move |draft: &mut Draft| {
        let before = draft.before().repository().cloned();
        if let Some(row) = row(before.as_deref(), now()) {
            draft.put_repository(row);
        }
        Ok::<_, Infallible>(())
    });
    if let Err(TransactError::Storage(error)) = written.await {
        tracing::error!(%error, "what the repository should be was not written; the next look writes it");
    }
}

/// The row after a look, or `None` where it need not be written.
fn row_after(
    before: Option<&Repository>,
    remote: &Remote,
    looked: Result<Look, GitError>,
    now: Timestamp,
) -> Option<Repository> {
    let url = shown_url(&remote.url);
    // Figures of another repository or branch are none of this one.
    let same = |row: &&Repository| {
        row.url == url && remote.branch.as_ref().is_none_or(|branch| *branch == row.branch)
    };
    let before = before.filter(same);
    let kept = before.cloned().unwrap_or_else(|| Repository {
        url: url.clone(),
        branch: remote.branch.clone().unwrap_or_default(),
        ..Repository::default()
    });
    let row = match looked {
        Ok(Look { branch, head, lock_hash }) => {
            let short: String = head.chars().take(10).collect();
            let missing = || {
                format!(
                    "The commit {short} of {branch} has no file {}. Name the lock file with --repository-lock-file",
                    remote.lock_file
                )
            };
            let error = lock_hash.is_none().then(missing);
            Repository { branch, head: Some(head), lock_hash, checked_at: Some(now), error, ..kept }
        }
        Err(error) => Repository { error: Some(error.to_string()), ..kept },
    };
    let Some(before) = before else { return Some(row) };
    let news = Repository { checked_at: before.checked_at, ..row.clone() } != *before;
    let aged = row.checked_at != before.checked_at
        && before.checked_at.is_none_or(|at| now.since(at) >= WRITTEN_AT_LEAST_EVERY);
    (news || aged).then_some(row)
}
