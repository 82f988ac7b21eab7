//! The follower: reads committed entries of the journal, in order, and hands them on. Nobody is shown anything that did not pass here.

use super::{
    StorageError, entities, journal,
    ledger::{Broken, Head, Ledger},
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
        loop {
            let tail = journal::tail(&mut self.connection, self.ledger.head.version, BATCH).await?;
            let mut followed = Vec::with_capacity(tail.entries.len());
            let outcome = self
                .ledger
                .follow_tail(tail, |entry, head| followed.push(News::Entry(Arc::new(entry), head)));
            for news in followed {
                // A reader that is behind slows the follower, never the writer.
                let _ = self.news.send(news).await;
            }
            self.publish();
            match outcome {
                Ok(false) => {}
                Ok(true) => break,
                Err(broken) => break self.reset(broken).await?,
            }
        }
        // Only now: a failure before this is tried again.
        self.data_version = data_version;
        Ok(())
    }

    async fn reset(&mut self, broken: Broken) -> Result<(), StorageError> {
        let read = entities::read(&mut self.connection).await?;
        tracing::warn!(
            %broken,
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
