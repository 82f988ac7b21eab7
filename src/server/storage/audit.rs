//! The audit log: who did what to what, and how it ended.

use super::StorageError;
use crate::model::{Actor, Timestamp};
use sqlx::SqlitePool;

pub async fn record(
    pool: &SqlitePool,
    at: Timestamp,
    actor: &Actor,
    action: &str,
    target: &str,
    outcome: &str,
) -> Result<(), StorageError> {
    sqlx::query("INSERT INTO audit (at, actor, action, target, outcome) VALUES (?, ?, ?, ?, ?)")
        .bind(at.0 as i64)
        .bind(actor.to_string())
        .bind(action)
        .bind(target)
        .bind(outcome)
        .execute(pool)
        .await?;
    Ok(())
}
