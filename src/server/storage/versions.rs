//! The versions of nets: what the snapshot does not hold.

use super::StorageError;
use crate::model::{NetId, VersionRow};
use sqlx::{SqliteConnection, SqlitePool};
use std::collections::BTreeMap;

/// Writes a version. Its net and its definition are there, or come with the same transaction.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    net: NetId,
    row: &VersionRow,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO net_versions (net_id, number, definition, row) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (net_id, number) DO UPDATE SET definition = ?3, row = ?4",
    )
    .bind(net.to_string())
    .bind(row.version.number)
    .bind(row.version.definition.to_string())
    .bind(serde_json::to_string(row).expect("rows are plain data: no map keys, no failing serialiser"))
    .execute(connection)
    .await
    .map(drop)
}

/// The versions of a net, newest first, without their builds.
pub async fn of_net(pool: &SqlitePool, net: NetId) -> Result<Vec<VersionRow>, StorageError> {
    let rows: Vec<String> =
        sqlx::query_scalar("SELECT row FROM net_versions WHERE net_id = ? ORDER BY number DESC")
            .bind(net.to_string())
            .fetch_all(pool)
            .await?;
    rows.iter().map(|row| parse(row)).collect()
}

pub async fn one(pool: &SqlitePool, net: NetId, number: u32) -> Result<Option<VersionRow>, StorageError> {
    let row: Option<String> =
        sqlx::query_scalar("SELECT row FROM net_versions WHERE net_id = ? AND number = ?")
            .bind(net.to_string())
            .bind(number)
            .fetch_optional(pool)
            .await?;
    row.map(|row| parse(&row)).transpose()
}

/// The versions of all nets, oldest first.
pub async fn all(pool: &SqlitePool) -> Result<BTreeMap<NetId, Vec<VersionRow>>, StorageError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT net_id, row FROM net_versions ORDER BY net_id, number")
            .fetch_all(pool)
            .await?;
    let mut all: BTreeMap<NetId, Vec<VersionRow>> = BTreeMap::new();
    for (net, row) in rows {
        let net = net.parse().map_err(|_| StorageError::Corrupt(format!("net_versions: {net:?}")))?;
        all.entry(net).or_default().push(parse(&row)?);
    }
    Ok(all)
}

fn parse(row: &str) -> Result<VersionRow, StorageError> {
    serde_json::from_str(row).map_err(|error| StorageError::Corrupt(format!("net_versions: {error}")))
}
