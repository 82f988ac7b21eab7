//! What builds found, by the content that they looked at.

use super::StorageError;
use crate::{
    model::{BuildId, BuildSummary, DefinitionHash, Timestamp},
    petri::{NetReport, analysis::Structure},
};
use serde::{Deserialize, Serialize};
use sqlx::{SqliteConnection, SqlitePool};

/// A report as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The build that made it. Others may have taken it over.
    pub build: BuildId,
    pub structure: Structure,
    pub report: NetReport,
    /// What that build did, each with the milliseconds since it began.
    pub log: Vec<(u64, String)>,
}

impl Kept {
    /// Whether nothing was left undecided for want of time or memory, so that looking again finds nothing more.
    pub fn is_whole(&self) -> bool {
        self.report.hit.is_none()
    }

    pub fn summary(&self) -> BuildSummary {
        BuildSummary::from(&self.report)
    }
}

/// Keeps the report of a definition. One whose definition is not there any more is nobody's: it is left out.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    definition: DefinitionHash,
    at: Timestamp,
    kept: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO reports (definition, at, report)
         SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM definitions WHERE hash = ?1)
         ON CONFLICT (definition) DO UPDATE SET at = ?2, report = ?3",
    )
    .bind(definition.to_string())
    .bind(at.0 as i64)
    .bind(kept)
    .execute(connection)
    .await
    .map(drop)
}

/// The report of a definition, and when it was made.
pub async fn get(
    pool: &SqlitePool,
    definition: DefinitionHash,
) -> Result<Option<(Timestamp, Kept)>, StorageError> {
    let row: Option<(i64, String)> = sqlx::query_as("SELECT at, report FROM reports WHERE definition = ?")
        .bind(definition.to_string())
        .fetch_optional(pool)
        .await?;
    let Some((at, report)) = row else { return Ok(None) };
    let kept =
        serde_json::from_str(&report).map_err(|error| StorageError::Corrupt(format!("reports: {error}")))?;
    Ok(Some((Timestamp(at as u64), kept)))
}
