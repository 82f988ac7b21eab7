//! Writing to the journal from another process than the console's.

use super::{StorageError, entities, journal, ledger::Head, open};
use crate::{
    model::{Actor, Change, Timestamp},
    sync::journal::{Entry, Transaction},
};
use sqlx::{Connection, SqliteConnection};
use std::path::Path;

/// Appends one transaction to the database at `path`, which a console may be using: entities, journal and head together. The console's
/// follower shows it, its writer continues from it. Nothing is checked here: the changes must keep the invariants.
pub async fn append_from_outside(
    path: &Path,
    at: Timestamp,
    actor: Actor,
    changes: Vec<Change>,
) -> Result<Head, StorageError> {
    let mut connection: SqliteConnection = open::open_reader(path).await?;
    let write = |error: sqlx::Error| StorageError::Write(error.to_string());
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(write)?;
    let before = journal::head(&mut transaction).await?;
    let version = before.version + 1;
    let payload = serde_json::to_string(&Transaction { at, actor: actor.clone(), changes: changes.clone() })
        .map_err(|error| StorageError::Corrupt(error.to_string()))?;
    let chain = before.chain.then(version, &payload);
    let head = Head { version, chain, ..before };
    let entry = Entry { version, chain, transaction: Transaction { at, actor, changes } };
    journal::append(&mut transaction, &entry, &payload).await.map_err(write)?;
    for change in &entry.transaction.changes {
        entities::write(&mut transaction, change).await.map_err(write)?;
    }
    journal::set_head(&mut transaction, head).await.map_err(write)?;
    transaction.commit().await.map_err(write)?;
    connection.close().await.map_err(write)?;
    Ok(head)
}
