//! Idempotency keys: the same key by the same user gets the first answer again.

use super::StorageError;
use crate::model::{Timestamp, UserId};
use sqlx::{Row, SqliteConnection, SqlitePool};
use std::time::Duration;

/// Keys are remembered this long.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// A key with what it was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub user: UserId,
    pub key: String,
    /// Tells requests apart: the same key for another request is a mistake of the caller.
    pub request: String,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Never seen.
    New,
    /// The action was done; its answer as JSON.
    Answered(String),
    /// The action is under way.
    UnderWay,
    /// It was used for another request.
    Reused,
}

pub(super) async fn look_up(connection: &mut SqliteConnection, key: &Key) -> Result<Known, sqlx::Error> {
    let row = sqlx::query("SELECT request, answer FROM idempotency WHERE user_id = ? AND key = ?")
        .bind(key.user.to_string())
        .bind(&key.key)
        .fetch_optional(connection)
        .await?;
    Ok(match row {
        None => Known::New,
        Some(row) if row.try_get::<String, _>(0)? != key.request => Known::Reused,
        Some(row) => row.try_get::<Option<String>, _>(1)?.map_or(Known::UnderWay, Known::Answered),
    })
}

/// Takes the key, in the transaction that begins the action.
pub(super) async fn claim(
    connection: &mut SqliteConnection,
    key: &Key,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO idempotency (user_id, key, request, at) VALUES (?, ?, ?, ?)")
        .bind(key.user.to_string())
        .bind(&key.key)
        .bind(&key.request)
        .bind(now.0 as i64)
        .execute(connection)
        .await
        .map(drop)
}

pub(super) async fn forget_old(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), sqlx::Error> {
    let oldest = now.0.saturating_sub(KEPT.as_millis() as u64);
    sqlx::query("DELETE FROM idempotency WHERE at < ?")
        .bind(oldest as i64)
        .execute(connection)
        .await
        .map(drop)
}

/// Gives the key its answer.
pub(super) async fn answer(
    connection: &mut SqliteConnection,
    key: &Key,
    answer: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE idempotency SET answer = ? WHERE user_id = ? AND key = ?")
        .bind(answer)
        .bind(key.user.to_string())
        .bind(&key.key)
        .execute(connection)
        .await
        .map(drop)
}

/// Keys whose action was under way when the console died: their outcome is in the state, not in an answer. They may be used again.
pub async fn forget_unanswered(pool: &SqlitePool) -> Result<(), StorageError> {
    sqlx::query("DELETE FROM idempotency WHERE answer IS NULL").execute(pool).await?;
    Ok(())
}

/// What is known of a key now.
pub async fn known(pool: &SqlitePool, key: &Key) -> Result<Known, StorageError> {
    let mut connection = pool.acquire().await?;
    Ok(look_up(&mut connection, key).await?)
}
