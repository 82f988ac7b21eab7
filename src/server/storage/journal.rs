//! The journal's table.

use super::{
    StorageError,
    ledger::{Head, Tail},
};
use crate::{
    model::Timestamp,
    server::sse::resume::Witness,
    sync::journal::{Chain, Entry},
};
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteRow};

pub async fn head(connection: &mut SqliteConnection) -> Result<Head, StorageError> {
    let row =
        sqlx::query("SELECT epoch, version, chain FROM meta WHERE id = 1").fetch_one(connection).await?;
    let (epoch, version): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Head { epoch: epoch as u64, version: version as u64, chain: chain_of(&row, 2)? })
}

/// Entries after `version`, at most `limit`, oldest first, each with the text its chain hashes.
pub async fn after(
    connection: &mut SqliteConnection,
    version: u64,
    limit: u32,
) -> Result<Vec<(Entry, String)>, StorageError> {
    let rows =
        sqlx::query("SELECT version, chain, payload FROM journal WHERE version > ? ORDER BY version LIMIT ?")
            .bind(version as i64)
            .bind(limit)
            .fetch_all(connection)
            .await?;
    rows.iter().map(entry_of).collect()
}

/// The first version at or after that time, and the oldest that is kept.
pub async fn since(
    connection: &mut SqliteConnection,
    at: Timestamp,
) -> Result<(Option<u64>, Option<u64>), StorageError> {
    let at = i64::try_from(at.0).unwrap_or(i64::MAX);
    let oldest: Option<i64> =
        sqlx::query_scalar("SELECT min(version) FROM journal").fetch_one(&mut *connection).await?;
    // A clock may have been set back, so each is looked at; there are ten thousand at most.
    let first: Option<i64> =
        sqlx::query_scalar("SELECT min(version) FROM journal WHERE payload ->> '$.at' >= ?")
            .bind(at)
            .fetch_one(connection)
            .await?;
    Ok((first.map(|version| version as u64), oldest.map(|version| version as u64)))
}

/// The head and the entries after `version`, at most `limit`, as of one moment.
pub async fn tail(connection: &mut SqliteConnection, version: u64, limit: u32) -> Result<Tail, StorageError> {
    let mut transaction = connection.begin().await?;
    let tail =
        Tail { head: head(&mut transaction).await?, entries: after(&mut transaction, version, limit).await? };
    transaction.rollback().await?;
    Ok(tail)
}

/// The chain at `version`, if the journal still has it and all that follows.
pub async fn chain_at(
    connection: &mut SqliteConnection,
    version: u64,
) -> Result<Option<Chain>, StorageError> {
    let row = sqlx::query("SELECT chain FROM journal WHERE version = ?")
        .bind(version as i64)
        .fetch_optional(&mut *connection)
        .await?;
    match row {
        Some(row) => Ok(Some(chain_of(&row, 0)?)),
        // Before the first transaction there is no row, and the chain is known; the way from there may be trimmed.
        None if version == 0 => {
            let sql = "SELECT version = 0 OR EXISTS (SELECT 1 FROM journal WHERE version = 1) FROM meta";
            let whole: bool = sqlx::query_scalar(sql).fetch_one(connection).await?;
            Ok(whole.then(Chain::default))
        }
        None => Ok(None),
    }
}

/// What the database says of a client's version and of the hub's, as of one moment, and the entries after the client's.
pub async fn witness(
    connection: &mut SqliteConnection,
    client: u64,
    hub: u64,
    limit: u32,
) -> Result<(Witness, Vec<Entry>), StorageError> {
    let mut transaction = connection.begin().await?;
    let witness = Witness {
        head: head(&mut transaction).await?,
        at_client: chain_at(&mut transaction, client).await?,
        at_hub: chain_at(&mut transaction, hub).await?,
    };
    let entries = match limit {
        0 => Vec::new(),
        _ => after(&mut transaction, client, limit).await?.into_iter().map(|(entry, _)| entry).collect(),
    };
    transaction.rollback().await?;
    Ok((witness, entries))
}

/// Writes an entry and moves the head.
pub async fn append(
    connection: &mut SqliteConnection,
    entry: &Entry,
    payload: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO journal (version, chain, payload) VALUES (?, ?, ?)")
        .bind(entry.version as i64)
        .bind(&entry.chain.0[..])
        .bind(payload)
        .execute(&mut *connection)
        .await?;
    Ok(())
}

pub async fn set_head(connection: &mut SqliteConnection, head: Head) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE meta SET version = ?, chain = ? WHERE id = 1")
        .bind(head.version as i64)
        .bind(&head.chain.0[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets entries up to `version`: replicas further back get an `init`.
pub async fn trim(connection: &mut SqliteConnection, version: u64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM journal WHERE version <= ?").bind(version as i64).execute(connection).await?;
    Ok(())
}

fn entry_of(row: &SqliteRow) -> Result<(Entry, String), StorageError> {
    let version: i64 = row.try_get(0)?;
    let payload: String = row.try_get(2)?;
    let transaction = serde_json::from_str(&payload)
        .map_err(|error| StorageError::Corrupt(format!("journal row {version}: {error}")))?;
    Ok((Entry { version: version as u64, chain: chain_of(row, 1)?, transaction }, payload))
}

fn chain_of(row: &SqliteRow, column: usize) -> Result<Chain, StorageError> {
    let bytes: Vec<u8> = row.try_get(column)?;
    let bytes = bytes
        .try_into()
        .map_err(|_| StorageError::Corrupt("a chain hash is not 16 bytes long".to_owned()))?;
    Ok(Chain(bytes))
}
