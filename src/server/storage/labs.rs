//! What labs have found.

use super::StorageError;
use crate::{
    app::labs::LabReport,
    model::{LabId, Timestamp},
};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, SqlitePool};
use std::collections::BTreeMap;

/// Keeps what a lab has found, in place of what it had found before. One that was deleted keeps nothing.
pub(super) async fn put_results(
    connection: &mut SqliteConnection,
    lab: LabId,
    report: &LabReport,
) -> Result<(), sqlx::Error> {
    let result = serde_json::to_string(&report.results)
        .expect("results are plain data: no map keys, no failing serialiser");
    sqlx::query(
        "INSERT INTO lab_results (lab_id, at, result) SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM labs WHERE id = ?1)
         ON CONFLICT (lab_id) DO UPDATE SET at = ?2, result = ?3",
    )
    .bind(lab.to_string())
    .bind(report.at.0 as i64)
    .bind(result)
    .execute(connection)
    .await
    .map(drop)
}

pub(super) async fn forget_results(connection: &mut SqliteConnection, lab: LabId) -> Result<(), sqlx::Error> {
    let forget = sqlx::query("DELETE FROM lab_results WHERE lab_id = ?").bind(lab.to_string());
    forget.execute(connection).await.map(drop)
}

/// What a lab had found when it was asked last.
pub async fn results(pool: &SqlitePool, lab: LabId) -> Result<Option<LabReport>, StorageError> {
    let row = sqlx::query("SELECT at, result FROM lab_results WHERE lab_id = ?").bind(lab.to_string());
    let Some(row) = row.fetch_optional(pool).await? else { return Ok(None) };
    let (at, result): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
    let results = serde_json::from_str(&result)
        .map_err(|error| StorageError::Corrupt(format!("lab_results: {error}")))?;
    Ok(Some(LabReport { at: Timestamp(at as u64), results }))
}

/// Of these labs, those whose results are kept, and as of when.
pub async fn kept(pool: &SqlitePool, labs: &[LabId]) -> Result<BTreeMap<LabId, Timestamp>, StorageError> {
    if labs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut query = QueryBuilder::<Sqlite>::new("SELECT lab_id, at FROM lab_results WHERE lab_id IN (");
    let mut ids = query.separated(", ");
    labs.iter().for_each(|id| _ = ids.push_bind(id.to_string()));
    query.push(")");
    let rows = query.build().fetch_all(pool).await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let (id, at): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        let id = id.parse().map_err(|error| StorageError::Corrupt(format!("lab_results: {error}")))?;
        Ok((id, Timestamp(at as u64)))
    };
    rows.iter().map(read).collect()
}
