//! Tokens of hosts, and the commands that the snapshot no longer holds.

use super::StorageError;
use crate::model::{Command, CommandId, CommandKind, CommandStatus, HostId, Timestamp};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, SqlitePool};
use subtle::ConstantTimeEq;

/// SHA-256 of a host's token.
pub type TokenHash = [u8; 32];

/// Gives a host its only token, in the transaction that puts or keeps its row.
pub(super) async fn put_token(
    connection: &mut SqliteConnection,
    host: HostId,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO host_tokens (host_id, token_hash, created_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (host_id) DO UPDATE SET token_hash = ?2, created_at = ?3",
    )
    .bind(host.to_string())
    .bind(&hash[..])
    .bind(now.0 as i64)
    .execute(connection)
    .await
    .map(drop)
}

pub(super) async fn revoke_token(connection: &mut SqliteConnection, host: HostId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM host_tokens WHERE host_id = ?")
        .bind(host.to_string())
        .execute(connection)
        .await
        .map(drop)
}

/// The host whose token has this hash.
pub async fn of_token(pool: &SqlitePool, hash: &TokenHash) -> Result<Option<HostId>, StorageError> {
    let row = sqlx::query("SELECT host_id, token_hash FROM host_tokens WHERE token_hash = ?")
        .bind(&hash[..])
        .fetch_optional(pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let (host, found): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
    // The index finds by a hash that nobody can choose; this says so in as many words.
    if !bool::from(found.ct_eq(&hash[..])) {
        return Ok(None);
    }
    host.parse().map(Some).map_err(|error| StorageError::Corrupt(format!("host_tokens: {error}")))
}

/// A command, however old.
pub async fn command(pool: &SqlitePool, id: CommandId) -> Result<Option<Command>, StorageError> {
    let row: Option<String> = sqlx::query_scalar("SELECT row FROM commands WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(pool)
        .await?;
    row.map(|row| parse(&row)).transpose()
}

/// What to show of a host's history.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those before this one.
    pub before: Option<CommandId>,
    pub status: Option<CommandStatus>,
    pub kind: Option<CommandKind>,
}

/// A host's commands, the newest first.
pub async fn history(
    pool: &SqlitePool,
    host: HostId,
    wanted: &Wanted,
    most: u32,
) -> Result<Vec<Command>, StorageError> {
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT row FROM commands WHERE host_id = ");
    sql.push_bind(host.to_string());
    // Ids grow with time.
    if let Some(before) = wanted.before {
        sql.push(" AND id < ").push_bind(before.to_string());
    }
    if let Some(status) = wanted.status {
        sql.push(" AND json_extract(row, '$.status') = ").push_bind(status.word());
    }
    if let Some(kind) = &wanted.kind {
        sql.push(" AND json_extract(row, '$.kind') = ").push_bind(kind.to_string());
    }
    sql.push(" ORDER BY id DESC LIMIT ").push_bind(most);
    let rows: Vec<String> = sql.build_query_scalar().fetch_all(pool).await?;
    rows.iter().map(|row| parse(row)).collect()
}

/// Forgets commands that are over: those from before `before`, and all but the newest `keep`. What a snapshot may hold stays.
pub async fn forget_commands(
    pool: &SqlitePool,
    before: Timestamp,
    keep: u32,
    in_snapshot: u32,
) -> Result<u64, StorageError> {
    let forgotten = sqlx::query(
        "DELETE FROM commands WHERE is_over = 1
         AND id NOT IN (SELECT id FROM commands WHERE is_over = 1 ORDER BY id DESC LIMIT ?1)
         AND (at < ?2 OR id NOT IN (SELECT id FROM commands WHERE is_over = 1 ORDER BY id DESC LIMIT ?3))",
    )
    .bind(in_snapshot)
    .bind(before.0 as i64)
    .bind(keep)
    .execute(pool)
    .await?;
    Ok(forgotten.rows_affected())
}

/// Whether the output of a command is still somebody's: its row is there, and its host.
pub async fn has_host(pool: &SqlitePool, command: CommandId) -> Result<bool, StorageError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM commands JOIN hosts ON hosts.id = commands.host_id WHERE commands.id = ?",
    )
    .bind(command.to_string())
    .fetch_optional(pool)
    .await?;
    Ok(found.is_some())
}

fn parse(row: &str) -> Result<Command, StorageError> {
    serde_json::from_str(row).map_err(|error| StorageError::Corrupt(format!("commands: {error}")))
}
