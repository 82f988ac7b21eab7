//! The table of webhooks, and the part of the event log that one has not seen.

use super::sign::Secret;
use crate::{
    model::{Event, EventId, Webhook, WebhookId},
    server::storage::StorageError,
};
use sqlx::{Row, SqlitePool, sqlite::SqliteRow};

/// A webhook with what only its deliveries need.
#[derive(Clone, Debug)]
pub struct Kept {
    pub webhook: Webhook,
    pub secret: Secret,
    /// The last event that was dealt with.
    pub cursor: EventId,
}

const COLUMNS: &str = "row, secret, cursor";

pub async fn all(pool: &SqlitePool) -> Result<Vec<Kept>, StorageError> {
    let rows = sqlx::query(&format!("SELECT {COLUMNS} FROM webhooks ORDER BY id")).fetch_all(pool).await?;
    rows.iter().map(of_row).collect()
}

pub async fn by_id(pool: &SqlitePool, id: WebhookId) -> Result<Option<Kept>, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM webhooks WHERE id = ?");
    let row = sqlx::query(&sql).bind(id.to_string()).fetch_optional(pool).await?;
    row.as_ref().map(of_row).transpose()
}

/// Adds a webhook; it is told of what happens from now on.
pub async fn insert(pool: &SqlitePool, webhook: &Webhook, secret: &Secret) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO webhooks (id, row, secret, cursor) VALUES (?, ?, ?, (SELECT coalesce(max(id), 0) FROM events))",
    )
    .bind(webhook.id.to_string())
    .bind(json(webhook))
    .bind(&secret.bytes()[..])
    .execute(pool)
    .await?;
    Ok(())
}

/// Writes how a webhook is doing and, if it is given, how far it has come; what was written meanwhile stays.
pub async fn advance(
    pool: &SqlitePool,
    id: WebhookId,
    cursor: Option<EventId>,
    edit: impl FnOnce(&mut Webhook),
) -> Result<(), StorageError> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let sql = format!("SELECT {COLUMNS} FROM webhooks WHERE id = ?");
    let row = sqlx::query(&sql).bind(id.to_string()).fetch_optional(&mut *transaction).await?;
    if let Some(mut kept) = row.as_ref().map(of_row).transpose()? {
        edit(&mut kept.webhook);
        sqlx::query("UPDATE webhooks SET row = ?2, cursor = coalesce(?3, cursor) WHERE id = ?1")
            .bind(id.to_string())
            .bind(json(&kept.webhook))
            .bind(cursor.map(|cursor| cursor.0 as i64))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
    Ok(())
}

pub async fn delete(pool: &SqlitePool, id: WebhookId) -> Result<bool, StorageError> {
    let done = sqlx::query("DELETE FROM webhooks WHERE id = ?").bind(id.to_string()).execute(pool).await?;
    Ok(done.rows_affected() > 0)
}

/// Events after `cursor`, at most `limit`, oldest first.
pub async fn events_after(
    pool: &SqlitePool,
    cursor: EventId,
    limit: u32,
) -> Result<Vec<Event>, StorageError> {
    let rows = sqlx::query("SELECT row FROM events WHERE id > ? ORDER BY id LIMIT ?")
        .bind(cursor.0 as i64)
        .bind(limit)
        .fetch_all(pool)
        .await?;
    rows.iter().map(|row| parse(row.try_get(0)?)).collect()
}

fn of_row(row: &SqliteRow) -> Result<Kept, StorageError> {
    let secret: Vec<u8> = row.try_get(1)?;
    let secret = secret.try_into().map_err(|_| StorageError::Corrupt("a webhook's secret".to_owned()))?;
    Ok(Kept {
        webhook: parse(row.try_get(0)?)?,
        secret: Secret::of_bytes(secret),
        cursor: EventId(row.try_get::<i64, _>(2)? as u64),
    })
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StorageError> {
    serde_json::from_str(text).map_err(|error| StorageError::Corrupt(format!("webhooks: {error}")))
}

fn json(webhook: &Webhook) -> String {
    serde_json::to_string(webhook).expect("rows are plain data")
}
