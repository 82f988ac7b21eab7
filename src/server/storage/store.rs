//! The handle through which the rest of the server reads and changes the fleet.

use super::{
    StorageError, audit,
    events::Forget,
    follower::{self, Followed},
    hosts::TokenHash,
    idempotency::{Key, Known},
    ledger::Head,
    merges::Merge,
    open,
    writer::{self, Prepared, Request},
};
use crate::app::labs::LabReport;
use crate::model::{
    Actor, Change, DefinitionHash, Draft, Fleet, HostId, LabId, NetId, OperationId, VersionRow,
};
use futures::FutureExt;
use sqlx::SqlitePool;
use std::{path::Path, sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A decision was refused, or the database failed.
#[derive(Debug, thiserror::Error)]
pub enum TransactError<E> {
    #[error("{0}")]
    Refused(E),
    #[error("{0}")]
    Storage(StorageError),
}

/// What a transaction writes besides the fleet.
#[derive(Clone, Debug)]
pub enum SideWrite {
    /// The content that a net in this transaction refers to.
    Definition { hash: DefinitionHash, pnml: Arc<[u8]> },
    /// A version of a net, which is there or comes with this transaction.
    Version { net: NetId, row: VersionRow },
    /// What a build found, as JSON.
    Report { definition: DefinitionHash, kept: Arc<str> },
    /// What a lab has found up to now.
    LabResults { lab: LabId, report: Arc<LabReport> },
    /// A lab begins anew: what it had found is forgotten.
    NoLabResults { lab: LabId },
    /// The idempotency key of an action that begins.
    Claim(Key),
    /// The answer to an idempotency key, given in the transaction that ends its action.
    Answer { key: Key, answer: String },
    /// The only token of a host, whose row is there or comes with this transaction.
    HostToken { host: HostId, hash: TokenHash },
    /// A host has no token any more.
    NoHostToken { host: HostId },
    /// A merge that is about to be asked for.
    MergeBegins(Merge),
    /// What became of a merge is written.
    MergeEnds(OperationId),
}

#[derive(Clone)]
pub struct Store {
    requests: mpsc::Sender<Request>,
    followed: watch::Receiver<Followed>,
    pool: SqlitePool,
}

/// A writer that falls behind makes its callers wait here rather than pile up.
const REQUESTS_WAITING: usize = 1024;

/// How long a transaction waits for the follower after its commit.
const FOLLOWER_PATIENCE: Duration = Duration::from_secs(2);

impl Store {
    /// Opens the database and starts the writer and the follower. Entries of the journal that come after the state returned with the
    /// store go to `entries`, in order, once they are durable.
    pub async fn open(
        path: &Path,
        entries: mpsc::Sender<follower::News>,
        tasks: &TaskTracker,
        shutdown: CancellationToken,
    ) -> Result<(Store, Followed), StorageError> {
        let writer = open::open_writer(path).await?;
        let reader = open::open_reader(path).await?;
        let pool = open::open_pool(path).await?;
        let (requests, inbox) = mpsc::channel(REQUESTS_WAITING);
        let (committed, commits) = watch::channel(0);
        let (follower, followed) = follower::Follower::start(reader, commits, entries).await?;
        let beginning = followed.borrow().clone();
        tasks.spawn(follower.run(shutdown.clone()));
        tasks.spawn(writer::run(writer, inbox, committed, shutdown));
        Ok((Store { requests, followed, pool }, beginning))
    }

    /// One transaction: `decide` runs over the latest state and writes into the draft. Returns once it is durable.
    pub async fn transact<T, E>(
        &self,
        actor: Actor,
        decide: impl FnOnce(&mut Draft) -> Result<T, E> + Send + 'static,
    ) -> Result<T, TransactError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        self.transact_with(actor, None, |draft, _| decide(draft).map(|value| (value, Vec::new()))).await
    }

    /// The same, with writes besides the fleet that happen in the same transaction or not at all; `decide` is also told what is known
    /// of `key`.
    pub async fn transact_with<T, E>(
        &self,
        actor: Actor,
        key: Option<Key>,
        decide: impl FnOnce(&mut Draft, Known) -> Result<(T, Vec<SideWrite>), E> + Send + 'static,
    ) -> Result<T, TransactError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let decide = Box::new(move |fleet: &Fleet, now, known| {
            let mut draft = Draft::new(fleet, actor.clone(), now);
            let (changes, side, outcome) = match decide(&mut draft, known) {
                Ok((value, side)) => (draft.finish(), side, Ok(value)),
                Err(refusal) => (Vec::<Change>::new(), Vec::new(), Err(TransactError::Refused(refusal))),
            };
            Prepared {
                actor,
                changes,
                side,
                settle: Box::new(move |committed| {
                    let outcome = outcome.and_then(|value| match committed {
                        Ok(version) => Ok((value, version)),
                        Err(error) => Err(TransactError::Storage(error)),
                    });
                    // The caller may have gone away; what was committed stays committed.
                    let _ = sender.send(outcome);
                }),
            }
        });
        let closed = || TransactError::Storage(StorageError::Closed);
        self.requests.send(Request::Decide { key, decide }).await.map_err(|_| closed())?;
        let (value, version) = answer.await.unwrap_or_else(|_| Err(closed()))?;
        // Read your own writes: who asks for the fleet next sees this transaction in it. The follower is rarely a millisecond behind; if
        // it cannot read at all, the change is committed all the same.
        let mut followed = self.followed.clone();
        let seen = followed.wait_for(move |followed| followed.head.version >= version).map(drop);
        let _ = tokio::time::timeout(FOLLOWER_PATIENCE, seen).await;
        Ok(value)
    }

    /// Appends a line to the audit log. Returns once it is durable; waits its turn among the transactions.
    pub async fn record(&self, line: audit::Line) -> Result<(), StorageError> {
        let (sender, answer) = oneshot::channel();
        let settle = Box::new(move |committed: Result<u64, StorageError>| {
            _ = sender.send(committed.map(drop));
        });
        self.requests.send(Request::Record { line, settle }).await.map_err(|_| StorageError::Closed)?;
        answer.await.unwrap_or(Err(StorageError::Closed))
    }

    /// Deletes a batch of old events, and returns how many it was. Waits its turn among the transactions, and shares their commit.
    pub async fn forget_events(&self, forget: Forget) -> Result<u64, StorageError> {
        let (sender, answer) = oneshot::channel();
        let settle = Box::new(move |forgotten| _ = sender.send(forgotten));
        self.requests.send(Request::Forget { forget, settle }).await.map_err(|_| StorageError::Closed)?;
        answer.await.unwrap_or(Err(StorageError::Closed))
    }

    /// The latest durable fleet that this process has followed.
    pub fn fleet(&self) -> Arc<Fleet> {
        self.followed.borrow().fleet.clone()
    }

    /// The fleet and the head it belongs to.
    pub fn followed(&self) -> Followed {
        self.followed.borrow().clone()
    }

    pub fn head(&self) -> Head {
        self.followed.borrow().head
    }

    /// Changes whenever [`Store::fleet`] does.
    pub fn watch(&self) -> watch::Receiver<Followed> {
        self.followed.clone()
    }

    /// Connections for what is not the fleet.
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }
}
