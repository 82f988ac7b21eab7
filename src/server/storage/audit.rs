//! The audit log: who did what to what, and how it ended.

use super::StorageError;
use crate::model::{Actor, Timestamp};
use sqlx::{SqliteConnection, SqlitePool};

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
