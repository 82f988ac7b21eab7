//! Opening the database file.

use super::StorageError;
use sqlx::{
    ConnectOptions, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: a commit that was answered survives a power cut. Group commit pays for it.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        .statement_cache_capacity(256)
}

/// The connection that writes the journal. Runs the migrations and draws the epoch of a new database.
pub(super) async fn open_writer(path: &Path) -> Result<SqliteConnection, StorageError> {
    let failed = |error: &dyn std::fmt::Display| StorageError::Open {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let mut connection = options(path).connect().await.map_err(|error| failed(&error))?;
    MIGRATIONS.run(&mut connection).await.map_err(|error| failed(&error))?;
    let epoch: i64 = rand::random();
    sqlx::query(
        "INSERT INTO meta (id, epoch, version, chain) VALUES (1, ?, 0, zeroblob(16)) ON CONFLICT DO NOTHING",
    )
    .bind(epoch)
    .execute(&mut connection)
    .await
    .map_err(|error| failed(&error))?;
    Ok(connection)
}

/// The connection that follows the journal.
pub(super) async fn open_reader(path: &Path) -> Result<SqliteConnection, StorageError> {
    Ok(options(path).create_if_missing(false).connect().await?)
}

/// Connections for everything that is not the fleet: users, sessions, definitions, replays.
pub async fn open_pool(path: &Path) -> Result<SqlitePool, StorageError> {
    Ok(SqlitePoolOptions::new()
        .max_connections(8)
        .connect_with(options(path).create_if_missing(false))
        .await?)
}
