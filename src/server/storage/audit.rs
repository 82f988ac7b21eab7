//! The audit log: who did what to what, and how it ended.

use crate::model::{Actor, Timestamp};
use sqlx::SqliteConnection;

/// A line of it. Written by the writer, in the commit of the transactions that wait with it: another connection would wait for the writer's
/// lock, behind everything that changes the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When the action ended.
    pub at: Timestamp,
    pub actor: Actor,
    pub action: &'static str,
    pub target: String,
    pub outcome: String,
}

pub(super) async fn append(connection: &mut SqliteConnection, line: &Line) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO audit (at, actor, action, target, outcome) VALUES (?, ?, ?, ?, ?)")
        .bind(line.at.0 as i64)
        .bind(line.actor.to_string())
        .bind(line.action)
        .bind(&line.target)
        .bind(&line.outcome)
        .execute(connection)
        .await
        .map(drop)
}
