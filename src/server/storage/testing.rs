//! The real statements against a real file, one by one, for the test that holds the simulated storage against them.

use super::{
    definitions, entities, journal,
    ledger::{Head, Written},
    open,
};
use crate::sim::{SimulatedContent, definition};
use sqlx::{Connection, SqliteConnection};
use std::path::Path;

pub struct Sqlite {
    connection: SqliteConnection,
}

impl Sqlite {
    pub async fn open(path: &Path) -> Sqlite {
        let mut connection = open::open_writer(path).await.unwrap();
        definitions::put(&mut connection, definition(), b"<pnml/>").await.unwrap();
        Sqlite { connection }
    }

    pub async fn head(&mut self) -> Head {
        journal::head(&mut self.connection).await.unwrap()
    }

    /// One group of transactions; without `commit` it is cut off before its end.
    pub async fn write(&mut self, written: &[Written], commit: bool) {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
        for Written { entry, payload } in written {
            journal::append(&mut transaction, entry, payload).await.unwrap();
            for change in &entry.transaction.changes {
                entities::write(&mut transaction, change).await.unwrap();
            }
            let before = journal::head(&mut transaction).await.unwrap();
            let head = Head { version: entry.version, chain: entry.chain, ..before };
            journal::set_head(&mut transaction, head).await.unwrap();
        }
        match commit {
            true => transaction.commit().await.unwrap(),
            false => drop(transaction),
        }
    }

    pub async fn trim(&mut self, version: u64) {
        journal::trim(&mut self.connection, version).await.unwrap();
    }

    pub async fn copy_to(&mut self, file: &Path) {
        sqlx::query("VACUUM INTO ?")
            .bind(file.display().to_string())
            .execute(&mut self.connection)
            .await
            .unwrap();
    }

    /// An older copy takes the place of the database.
    pub async fn restore(self, copy: &Path, path: &Path) -> Sqlite {
        self.connection.close().await.unwrap();
        std::fs::copy(copy, path).unwrap();
        Sqlite::open(path).await
    }

    /// Everything that the simulation asks of its storage, asked of both.
    pub async fn compare(&mut self, content: &SimulatedContent, since: u64) {
        let read = entities::read(&mut self.connection).await.unwrap();
        assert_eq!(read.head, content.head);
        assert_eq!(read.fleet, content.fleet);
        let (ours, theirs) =
            (journal::tail(&mut self.connection, since, 3).await.unwrap(), content.tail(since, 3));
        assert_eq!((ours.head, ours.entries), (theirs.head, theirs.entries));
        let hub = since / 2;
        let (ours, entries) = journal::witness(&mut self.connection, since, hub, 2).await.unwrap();
        let theirs = content.witness(since, hub);
        assert_eq!((ours.head, ours.at_client, ours.at_hub), (theirs.head, theirs.at_client, theirs.at_hub));
        assert_eq!(entries, content.entries(since, 2));
    }
}
