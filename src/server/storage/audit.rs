//! The audit log: who did what to what, and how it ended.

use super::StorageError;
use crate::model::{Actor, AuditLine, AuditPage, Timestamp};
use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};

/// A line of it. Written by the writer, in the commit of the transactions that wait with it: another connection would wait for the writer's
/// lock, behind everything that changes the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When the action ended.
    pub at: Timestamp,
    pub actor: Actor,
    pub action: &'static str,
    pub target: String,
    pub outcome: String,
}

/// The same from another process than the console's, whose writer has a connection of its own.
pub async fn append_alone(pool: &SqlitePool, line: &Line) -> Result<(), StorageError> {
    let mut connection = pool.acquire().await?;
    append(&mut connection, line).await.map_err(|error| StorageError::Write(error.to_string()))
}

pub(super) async fn append(connection: &mut SqliteConnection, line: &Line) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO audit (at, actor, action, target, outcome) VALUES (?, ?, ?, ?, ?)")
        .bind(line.at.0 as i64)
        .bind(line.actor.to_string())
        .bind(line.action)
        .bind(&line.target)
        .bind(&line.outcome)
        .execute(connection)
        .await
        .map(drop)
}

/// The newest `limit` lines before `before`.
pub async fn page(pool: &SqlitePool, before: Option<u64>, limit: u32) -> Result<AuditPage, StorageError> {
    let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
    let sql =
        "SELECT id, at, actor, action, target, outcome FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?";
    let rows = sqlx::query(sql).bind(before).bind(i64::from(limit) + 1).fetch_all(pool).await?;
    let one = |row: &SqliteRow| {
        Ok::<_, StorageError>(AuditLine {
            id: row.try_get::<i64, _>(0)? as u64,
            at: Timestamp(row.try_get::<i64, _>(1)? as u64),
            actor: row.try_get(2)?,
            action: row.try_get(3)?,
            target: row.try_get(4)?,
            outcome: row.try_get(5)?,
        })
    };
    let mut lines: Vec<AuditLine> = rows.iter().map(one).collect::<Result<_, _>>()?;
    let is_last = lines.len() <= limit as usize;
    lines.truncate(limit as usize);
    let next = lines.last().filter(|_| !is_last).map(|line| line.id);
    Ok(AuditPage { lines, next })
}
