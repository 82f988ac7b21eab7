//! PNML documents by content.

use super::StorageError;
use crate::model::DefinitionHash;
use sqlx::{SqliteConnection, SqlitePool};

pub(super) async fn put(
    connection: &mut SqliteConnection,
    hash: DefinitionHash,
    pnml: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO definitions (hash, pnml) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(hash.to_string())
        .bind(pnml)
        .execute(connection)
        .await
        .map(drop)
}

pub async fn get(pool: &SqlitePool, hash: DefinitionHash) -> Result<Option<Vec<u8>>, StorageError> {
    let found = sqlx::query_scalar("SELECT pnml FROM definitions WHERE hash = ?")
        .bind(hash.to_string())
        .fetch_optional(pool);
    Ok(found.await?)
}

/// Removes what no version of a net and no lab refers to any more. For start-up: while running, a net about to be added may refer to it.
pub async fn remove_unused(pool: &SqlitePool) -> Result<u64, StorageError> {
    let removed = sqlx::query(
        "DELETE FROM definitions WHERE hash NOT IN
         (SELECT definition FROM nets UNION SELECT definition FROM net_versions UNION SELECT definition FROM labs)",
    )
    .execute(pool)
    .await?;
    Ok(removed.rows_affected())
}
