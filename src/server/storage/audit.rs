//! The audit log: who did what to what, and how it ended.

use crate::model::{Actor, Timestamp};
use sqlx::SqliteConnection;

/// What is kept of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub actor: Actor,
    pub action: &'static str,
    pub target: String,
    pub outcome: String,
}

pub(super) async fn write(
    connection: &mut SqliteConnection,
    at: Timestamp,
    entry: &Entry,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO audit (at, actor, action, target, outcome) VALUES (?, ?, ?, ?, ?)")
        .bind(at.0 as i64)
        .bind(entry.actor.to_string())
        .bind(entry.action)
        .bind(&entry.target)
        .bind(&entry.outcome)
        .execute(connection)
        .await
        .map(drop)
}
