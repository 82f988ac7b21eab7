//! The writer: takes decisions, commits them in groups, answers once they are durable.

use super::{
    StorageError, audit, definitions, entities,
    events::{self, Forget},
    hosts,
    idempotency::{self, Key, Known},
    journal, labs,
    ledger::{Head, Ledger, trim_after},
    merges, reports,
    store::SideWrite,
    versions,
};
use crate::{
    model::{Actor, Change, Fleet, Timestamp},
    server::{clock::now, metrics::METRICS},
};
use sqlx::{Connection, Sqlite, SqliteConnection, Transaction};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Decides over the latest state, at a time, with what is known of the request's key.
pub type Decide = Box<dyn FnOnce(&Fleet, Timestamp, Known) -> Prepared + Send>;

/// What is waiting for its turn.
pub enum Request {
    Decide {
        key: Option<Key>,
        decide: Decide,
    },
    /// A batch of old events goes from the log, in the commit of the transactions that wait with it. Nobody is shown anything of it.
    Forget {
        forget: Forget,
        /// Told how many events it was.
        settle: Settle,
    },
    /// A line for the audit log; it changes nothing that anybody is shown, and has no version.
    Record {
        line: audit::Line,
        settle: Settle,
    },
}

/// Tells the caller the version its transaction is part of.
pub type Settle = Box<dyn FnOnce(Result<u64, StorageError>) + Send>;

/// What was decided, and how to tell the caller what became of it.
pub struct Prepared {
    pub actor: Actor,
    pub changes: Vec<Change>,
    pub side: Vec<SideWrite>,
    pub settle: Settle,
}

/// At most this many transactions share one commit.
const GROUP: usize = 256;
/// Entries that the journal keeps for replicas to resume from.
const JOURNAL_KEEPS: u64 = 10_000;
/// The journal is trimmed once it holds this many more.
const TRIM_EVERY: u64 = 512;

pub async fn run(
    mut connection: SqliteConnection,
    mut inbox: mpsc::Receiver<Request>,
    committed: watch::Sender<u64>,
    shutdown: CancellationToken,
) {
    let mut ledger: Option<Ledger> = None;
    let mut group = Vec::with_capacity(GROUP);
    loop {
        let received = tokio::select! {
            // What was asked before the shutdown is still done.
            biased;
            received = inbox.recv_many(&mut group, GROUP) => received,
            () = shutdown.cancelled() => break,
        };
        if received == 0 {
            break;
        }
        let mut settle = Vec::with_capacity(group.len());
        let outcome = commit_group(&mut connection, &mut ledger, group.drain(..), &mut settle).await;
        match &outcome {
            Ok(head) => {
                METRICS.committed(head.version);
                committed.send_replace(head.version);
            }
            Err(error) => {
                tracing::error!(%error, "a group of transactions was not committed");
                // What the ledger holds never happened.
                ledger = None;
            }
        }
        let outcome = outcome.map(|head| head.version);
        settle.into_iter().for_each(|settle: Settle| settle(outcome.clone()));
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "the database was not closed cleanly");
    }
}

async fn commit_group(
    connection: &mut SqliteConnection,
    ledger: &mut Option<Ledger>,
    group: impl Iterator<Item = Request>,
    settle: &mut Vec<Settle>,
) -> Result<Head, StorageError> {
    let write = |error: sqlx::Error| StorageError::Write(error.to_string());
    if ledger.is_none() {
        *ledger = Some(entities::read(connection).await?);
    }
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(write)?;
    let ledger = catch_up(&mut transaction, ledger).await?;
    let before = ledger.head.version;
    for request in group {
        let at = now();
        let (key, decide) = match request {
            Request::Decide { key, decide } => (key, decide),
            Request::Record { line, settle: told } => {
                settle.push(told);
                audit::append(&mut transaction, &line).await.map_err(write)?;
                continue;
            }
            Request::Forget { forget, settle: told } => {
                let forgotten = events::forget(&mut transaction, forget).await.map_err(write)?;
                settle.push(Box::new(move |committed| told(committed.map(|_| forgotten))));
                continue;
            }
        };
        let known = match &key {
            Some(key) => idempotency::look_up(&mut transaction, key).await.map_err(write)?,
            None => Known::New,
        };
        // A decision that panics is a bug in one action; the others must not go down with it. Its caller is told that the answer is gone.
        let decided = catch_unwind(AssertUnwindSafe(|| decide(&ledger.fleet, at, known)));
        let Ok(prepared) = decided else { continue };
        settle.push(prepared.settle);
        // A net refers to its definition, a version to its net, a token to its host, what was found to its lab.
        let refers = |side: &&SideWrite| {
            matches!(
                side,
                SideWrite::HostToken { .. } | SideWrite::Version { .. } | SideWrite::LabResults { .. }
            )
        };
        for side in prepared.side.iter().filter(|side| !refers(side)) {
            write_side(&mut transaction, side, at).await.map_err(write)?;
        }
        if !prepared.changes.is_empty() {
            let written = ledger.append(at, prepared.actor, prepared.changes);
            journal::append(&mut transaction, &written.entry, &written.payload).await.map_err(write)?;
            for change in &written.entry.transaction.changes {
                entities::write(&mut transaction, change).await.map_err(write)?;
            }
        }
        for side in prepared.side.iter().filter(refers) {
            write_side(&mut transaction, side, at).await.map_err(write)?;
        }
    }
    let head = ledger.head;
    if head.version != before {
        journal::set_head(&mut transaction, head).await.map_err(write)?;
        if let Some(version) = trim_after(before, head.version, JOURNAL_KEEPS, TRIM_EVERY) {
            journal::trim(&mut transaction, version).await.map_err(write)?;
            idempotency::forget_old(&mut transaction, now()).await.map_err(write)?;
        }
    }
    transaction.commit().await.map_err(write)?;
    Ok(head)
}

/// Takes over what other connections committed since our last group. The write lock is held, so this is the latest.
async fn catch_up<'l>(
    transaction: &mut Transaction<'_, Sqlite>,
    ledger: &'l mut Option<Ledger>,
) -> Result<&'l mut Ledger, StorageError> {
    let follows = match ledger {
        Some(ledger) => {
            let tail = journal::tail(transaction, ledger.head.version, u32::MAX).await?;
            ledger.follow_tail(tail, |_, _| {}).is_ok()
        }
        None => false,
    };
    if !follows {
        // Inside the transaction already; `read` begins a nested one, which sees the same state.
        *ledger = Some(entities::read(transaction).await?);
    }
    Ok(ledger.as_mut().expect("it was just read where it was missing"))
}

async fn write_side(
    connection: &mut SqliteConnection,
    side: &SideWrite,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    match side {
        SideWrite::Definition { hash, pnml } => definitions::put(connection, *hash, pnml).await,
        SideWrite::Version { net, row } => versions::put(connection, *net, row).await,
        SideWrite::Report { definition, kept } => reports::put(connection, *definition, at, kept).await,
        SideWrite::LabResults { lab, report } => labs::put_results(connection, *lab, report).await,
        SideWrite::NoLabResults { lab } => labs::forget_results(connection, *lab).await,
        SideWrite::Claim(key) => idempotency::claim(connection, key, at).await,
        SideWrite::Answer { key, answer } => idempotency::answer(connection, key, answer).await,
        SideWrite::HostToken { host, hash } => hosts::put_token(connection, *host, hash, at).await,
        SideWrite::NoHostToken { host } => hosts::revoke_token(connection, *host).await,
        SideWrite::MergeBegins(merge) => merges::begin(connection, merge).await,
        SideWrite::MergeEnds(id) => merges::end(connection, *id).await,
    }
}
