//! Merges of pull requests under way. The row is written before GitHub is asked and removed with what became of it, each in the transaction
//! that says so: a console that dies in between finds at its next start what it was about to do.

use super::StorageError;
use crate::model::{Actor, OperationId, Plan, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::{SqliteConnection, SqlitePool};

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    pub id: OperationId,
    pub number: u64,
    pub title: String,
    pub head_sha: String,
    pub actor: Actor,
    /// What follows once it is merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy: Option<Plan>,
    pub at: Timestamp,
}

pub(super) async fn begin(connection: &mut SqliteConnection, merge: &Merge) -> Result<(), sqlx::Error> {
    let row = serde_json::to_string(merge).expect("plain data: no map keys, no failing serialiser");
    sqlx::query("INSERT INTO merges (id, row) VALUES (?, ?)")
        .bind(merge.id.to_string())
        .bind(row)
        .execute(connection)
        .await
        .map(drop)
}

pub(super) async fn end(connection: &mut SqliteConnection, id: OperationId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM merges WHERE id = ?").bind(id.to_string()).execute(connection).await.map(drop)
}

/// Those that a console left when it ended, oldest first.
pub async fn open(pool: &SqlitePool) -> Result<Vec<Merge>, StorageError> {
    let rows: Vec<String> = sqlx::query_scalar("SELECT row FROM merges ORDER BY id").fetch_all(pool).await?;
    let parse = |row: String| {
        serde_json::from_str(&row).map_err(|error| StorageError::Corrupt(format!("merges: {error}")))
    };
    rows.into_iter().map(parse).collect()
}
