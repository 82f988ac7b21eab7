//! Follows whose access changed, whoever changed it: this console, another one, or the command line.

use crate::server::{App, clock::now, storage::StorageError};
use sqlx::{Row, SqlitePool};
use std::time::Duration;
use tokio::time::sleep;

/// What was changed elsewhere is found within this time; what was changed here, at once.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Changes that are kept for others who follow.
const KEPT: i64 = 10_000;

/// The last change there is, as an expression for the query that looks somebody up: what is found is as of that change.
pub const LAST: &str = "(SELECT coalesce(max(id), 0) FROM access_changes)";

/// Where in the list of changes the console begins: before it lets anybody in.
pub async fn beginning(pool: &SqlitePool) -> Result<i64, StorageError> {
    let last: Option<i64> = sqlx::query_scalar("SELECT max(id) FROM access_changes").fetch_one(pool).await?;
    let last = last.unwrap_or(0);
    sqlx::query("DELETE FROM access_changes WHERE id <= ?").bind(last - KEPT).execute(pool).await?;
    Ok(last)
}

/// Ends the streams of everybody whose access changes, until the console goes down. They come back and see what they may see then.
pub async fn follow(app: App, mut seen: i64) {
    loop {
        match since(app.store().pool(), seen).await {
            Ok(changes) => {
                for (id, subject) in changes {
                    app.cutter().cut(id, &subject);
                    seen = id;
                }
            }
            Err(error) => tracing::warn!(%error, "whose access changed could not be read"),
        }
        app.cutter().cut_expired(now());
        if app.setup().is_open() && super::needs_setup(app.store().pool()).await.is_ok_and(|needed| !needed) {
            // Somebody was added on the command line.
            app.setup().close();
        }
        tokio::select! {
            () = app.shutdown().cancelled() => return,
            () = app.access_changed().notified() => {}
            () = sleep(LOOK_EVERY) => {}
        }
    }
}

async fn since(pool: &SqlitePool, seen: i64) -> Result<Vec<(i64, String)>, StorageError> {
    let sql = "SELECT id, subject FROM access_changes WHERE id > ? ORDER BY id LIMIT 1000";
    let rows = sqlx::query(sql).bind(seen).fetch_all(pool).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
