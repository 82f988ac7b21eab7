//! The event log's table. The snapshot holds the newest of it.

use super::StorageError;
use crate::model::{Event, EventId};
use sqlx::{QueryBuilder, Row, Sqlite, SqlitePool};

/// Those of these events that are there, in no order.
pub async fn by_ids(pool: &SqlitePool, ids: &[EventId]) -> Result<Vec<Event>, StorageError> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT row FROM events WHERE id IN (");
    let mut list = query.separated(", ");
    ids.iter().for_each(|id| _ = list.push_bind(id.0 as i64));
    query.push(")");
    let rows = query.build().fetch_all(pool).await?;
    rows.iter()
        .map(|row| {
            serde_json::from_str(row.try_get(0)?)
                .map_err(|error| StorageError::Corrupt(format!("an event: {error}")))
        })
        .collect()
}
