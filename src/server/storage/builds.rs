//! The builds of nets, also those that the snapshot let go.

use super::StorageError;
use crate::model::{Build, BuildId, NetId};
use sqlx::SqlitePool;
use std::collections::BTreeMap;

/// The builds of a net, oldest first.
pub async fn of_net(pool: &SqlitePool, net: NetId) -> Result<Vec<Build>, StorageError> {
    let rows: Vec<String> = sqlx::query_scalar("SELECT row FROM builds WHERE net_id = ? ORDER BY id")
        .bind(net.to_string())
        .fetch_all(pool)
        .await?;
    rows.iter().map(|row| parse(row)).collect()
}

/// The last build of each version of a net that was ever built.
pub async fn last_of_each(pool: &SqlitePool, net: NetId) -> Result<BTreeMap<u32, Build>, StorageError> {
    Ok(of_net(pool, net).await?.into_iter().map(|build| (build.version, build)).collect())
}

/// The last build of a version.
pub async fn last(pool: &SqlitePool, net: NetId, version: u32) -> Result<Option<Build>, StorageError> {
    let row: Option<String> = sqlx::query_scalar(
        "SELECT row FROM builds WHERE net_id = ? AND version = ? ORDER BY id DESC LIMIT 1",
    )
    .bind(net.to_string())
    .bind(version)
    .fetch_optional(pool)
    .await?;
    row.map(|row| parse(&row)).transpose()
}

pub async fn one(pool: &SqlitePool, id: BuildId) -> Result<Option<Build>, StorageError> {
    let row: Option<String> = sqlx::query_scalar("SELECT row FROM builds WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(pool)
        .await?;
    row.map(|row| parse(&row)).transpose()
}

fn parse(row: &str) -> Result<Build, StorageError> {
    serde_json::from_str(row).map_err(|error| StorageError::Corrupt(format!("builds: {error}")))
}
