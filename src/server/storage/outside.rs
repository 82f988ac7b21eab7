//! Writing to the journal from another process than the console's.

use super::{StorageError, entities, journal, ledger::Head, open};
use crate::{
    model::{Actor, Change, Event, EventId, Timestamp},
    sync::journal::{Entry, Transaction},
};
use sqlx::{Connection, SqliteConnection};
use std::{path::Path, sync::Arc};

/// Appends one transaction to the database at `path`, which a console may be using: entities, journal and head together. The console's
/// follower shows it, its writer continues from it. Nothing is checked here: the changes must keep the invariants.
pub async fn append_from_outside(
    path: &Path,
    at: Timestamp,
    actor: Actor,
    changes: Vec<Change>,
) -> Result<Head, StorageError> {
    let mut connection: SqliteConnection = open::open_reader(path).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(write)?;
    let head = append(&mut transaction, at, actor, changes).await?;
    transaction.commit().await.map_err(write)?;
    connection.close().await.map_err(write)?;
    Ok(head)
}

/// Writes an entry of the event log in the same way; `fill` says all but its number, its time and who did it.
pub async fn log_from_outside(
    path: &Path,
    at: Timestamp,
    actor: Actor,
    fill: impl FnOnce(&mut Event),
) -> Result<(), StorageError> {
    let mut connection: SqliteConnection = open::open_reader(path).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(write)?;
    // Numbers have no gaps, and the newest is never forgotten.
    let last: i64 =
        sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM events").fetch_one(&mut *transaction).await?;
    let mut event = Event::blank(EventId(last as u64 + 1), at, actor.clone());
    fill(&mut event);
    let changes = vec![Change::EventLogged { event: Arc::new(event) }];
    append(&mut transaction, at, actor, changes).await?;
    transaction.commit().await.map_err(write)?;
    connection.close().await.map_err(write)
}

fn write(error: sqlx::Error) -> StorageError {
    StorageError::Write(error.to_string())
}

async fn append(
    transaction: &mut SqliteConnection,
    at: Timestamp,
    actor: Actor,
    changes: Vec<Change>,
) -> Result<Head, StorageError> {
    let before = journal::head(transaction).await?;
    let version = before.version + 1;
    let payload = serde_json::to_string(&Transaction { at, actor: actor.clone(), changes: changes.clone() })
        .map_err(|error| StorageError::Corrupt(error.to_string()))?;
    let chain = before.chain.then(version, &payload);
    let head = Head { version, chain, ..before };
    let entry = Entry { version, chain, transaction: Transaction { at, actor, changes } };
    journal::append(transaction, &entry, &payload).await.map_err(write)?;
    for change in &entry.transaction.changes {
        entities::write(transaction, change).await.map_err(write)?;
    }
    journal::set_head(transaction, head).await.map_err(write)?;
    Ok(head)
}
