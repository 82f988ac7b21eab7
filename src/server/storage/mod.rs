//! Where the fleet is kept: SQLite through sqlx.
//!
//! [`ledger`] is the transaction code, without I/O. [`writer`] owns the one writing connection and commits in groups. [`follower`] reads
//! committed rows of the journal and is the only source of what anybody is shown. [`entities`] maps rows to tables: a new kind of
//! entity is added there.

pub mod audit;
pub mod builds;
pub mod definitions;
mod entities;
pub mod events;
mod follower;
pub mod hosts;
pub mod idempotency;
pub mod journal;
pub mod labs;
pub mod ledger;
pub mod merges;
mod open;
mod outside;
pub mod reports;
mod store;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod versions;
mod writer;

pub use follower::{Followed, News};
pub use open::open_pool;
pub use outside::append_from_outside;
pub use store::{SideWrite, Store, TransactError};

/// What can go wrong with the database itself.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StorageError {
    #[error("the database at {path} cannot be opened: {reason}")]
    Open { path: String, reason: String },
    #[error("the database did not take the change: {0}")]
    Write(String),
    #[error("the database could not be read: {0}")]
    Read(String),
    #[error("a row in the database is not what this version of Muster wrote: {0}")]
    Corrupt(String),
    #[error("the console is shutting down")]
    Closed,
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> StorageError {
        StorageError::Read(error.to_string())
    }
}
