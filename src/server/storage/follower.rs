//! The follower: reads committed entries of the journal, in order, and hands them on. Nobody is shown anything that did not pass here.

use super::{
    StorageError, entities, journal,
    ledger::{Head, Ledger},
};
use crate::{model::Fleet, sync::journal::Entry};
use sqlx::SqliteConnection;
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// The latest durable state.
#[derive(Clone, Debug)]
pub struct Followed {
    pub fleet: Arc<Fleet>,
    pub head: Head,
}

/// What the hub is told.
#[derive(Clone, Debug)]
pub enum News {
    /// The next entry, and the head with it.
    Entry(Arc<Entry>, Head),
    /// The journal does not continue what was told before: everybody needs an `init`.
    Reset(Arc<Fleet>, Head),
}

/// Commits of this process wake the follower at once; those of other connections are looked for this often.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const BATCH: u32 = 512;

pub struct Follower {
    connection: SqliteConnection,
    commits: watch::Receiver<u64>,
    ledger: Ledger,
    /// SQLite's counter of commits by other connections.
    data_version: i64,
    latest: watch::Sender<Followed>,
    news: mpsc::Sender<News>,
}

impl Follower {
    pub async fn start(
        mut connection: SqliteConnection,
        commits: watch::Receiver<u64>,
        news: mpsc::Sender<News>,
    ) -> Result<(Follower, watch::Receiver<Followed>), StorageError> {
        let data_version = data_version(&mut connection).await?;
        let ledger = entities::read(&mut connection).await?;
        let (latest, followed) =
            watch::channel(Followed { fleet: Arc::new(ledger.fleet.clone()), head: ledger.head });
        let fleet = followed.borrow().fleet.clone();
        let _ = news.send(News::Reset(fleet, ledger.head)).await;
        Ok((Follower { connection, commits, ledger, data_version, latest, news }, followed))
    }

    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut failing = false;
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                committed = self.commits.changed() => if committed.is_err() { return },
                _ = look.tick() => {}
            }
            match self.follow().await {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    failing = true;
                    tracing::error!(%error, "the journal cannot be followed; trying again");
                }
                Err(_) => {}
            }
        }
    }

    async fn follow(&mut self) -> Result<(), StorageError> {
        let data_version = data_version(&mut self.connection).await?;
        if data_version == self.data_version {
            return Ok(());
        }
        // More may be committed between the last look for entries and the look at the head: then there is more to read.
        let mut before = None;
        loop {
            self.take_entries().await?;
            let head = journal::head(&mut self.connection).await?;
            if head == self.ledger.head {
                break;
            }
            let read_so_far = Some(self.ledger.head);
            let more = head.epoch == self.ledger.head.epoch && head.version > self.ledger.head.version;
            if !more || before == read_so_far {
                self.reset("the head is not where the entries lead").await?;
                break;
            }
            before = read_so_far;
        }
        // Only now: a failure before this is tried again.
        self.data_version = data_version;
        Ok(())
    }

    /// Hands on what was committed since the last entry.
    async fn take_entries(&mut self) -> Result<(), StorageError> {
        loop {
            let entries = journal::after(&mut self.connection, self.ledger.head.version, BATCH).await?;
            if entries.is_empty() {
                return Ok(());
            }
            for (entry, payload) in entries {
                if self.ledger.follow(&entry, &payload).is_err() {
                    self.reset("an entry does not continue the chain").await?;
                    break;
                }
                // A reader that is behind slows the follower, never the writer.
                let _ = self.news.send(News::Entry(Arc::new(entry), self.ledger.head)).await;
            }
            self.publish();
        }
    }

    async fn reset(&mut self, why: &str) -> Result<(), StorageError> {
        let read = entities::read(&mut self.connection).await?;
        if read.head == self.ledger.head {
            return Ok(());
        }
        tracing::warn!(
            why,
            version = read.head.version,
            "the database was changed from outside; every client starts anew"
        );
        self.ledger = read;
        self.publish();
        let fleet = self.latest.borrow().fleet.clone();
        let _ = self.news.send(News::Reset(fleet, self.ledger.head)).await;
        Ok(())
    }

    fn publish(&self) {
        self.latest
            .send_replace(Followed { fleet: Arc::new(self.ledger.fleet.clone()), head: self.ledger.head });
    }
}

async fn data_version(connection: &mut SqliteConnection) -> Result<i64, StorageError> {
    Ok(sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await?)
}
