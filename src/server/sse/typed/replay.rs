//! What a client missed, read from the journal page by page.

use super::{
    HEARTBEAT,
    fanout::{Gap, Subscription, frames, gap, id},
    filter::Filter,
    message::Around,
    vocabulary::Vocabulary,
};
use crate::{
    app::error::ApiError,
    model::{Fleet, Timestamp},
    server::{
        App,
        api::error::internal,
        clock::Clock,
        events::time,
        sse::resume::{Standing, standing},
        storage::{StorageError, journal, ledger::Head},
    },
    sync::{Position, Scope},
};
use bytes::{Bytes, BytesMut};
use serde_json::json;
use sqlx::SqlitePool;
use std::{sync::Arc, time::Duration};

/// Transactions that are read at once.
const PAGE: u32 = 200;
/// A position that this process has not followed up to is waited for that long …
const PATIENCE: Duration = Duration::from_secs(2);
/// … and looked at again this often.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// From where a client wants to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// After an event: the place of its transaction, and its place in that. Without the latter the whole transaction is known.
    Event(Position, Option<usize>),
    Time(Timestamp),
    /// An id that this console never gave out.
    Unknown,
}

impl Since {
    /// After the event with this id.
    pub fn after(id: &str) -> Since {
        let (position, index) = match id.split_once(':') {
            Some((position, index)) => (position, Some(index.parse())),
            None => (id, None),
        };
        match (position.parse(), index.transpose()) {
            (Ok(position), Ok(index)) => Since::Event(position, index),
            _ => Since::Unknown,
        }
    }

    /// `since`: an id, or a time.
    pub fn read(pairs: &[(String, String)], vocabulary: Vocabulary) -> Result<Option<Since>, ApiError> {
        let since = pairs.iter().find(|(name, value)| name == "since" && !value.is_empty());
        let Some((name, value)) = since else { return Ok(None) };
        let after = Since::after(value);
        if after != Since::Unknown {
            return Ok(Some(after));
        }
        // As that vocabulary writes its timestamps.
        let seconds = vocabulary == Vocabulary::Workloads && value.bytes().all(|byte| byte.is_ascii_digit());
        let at = time(name, value)?;
        Ok(Some(Since::Time(if seconds { Timestamp(at.0.saturating_mul(1_000)) } else { at })))
    }
}

/// Registers a client, with the greeting and what it missed in front. It is registered first: nothing can fall between.
pub async fn subscribe(
    app: &App,
    scope: &Scope,
    vocabulary: Vocabulary,
    filter: Filter,
    since: Option<Since>,
    stream_id: &str,
) -> Result<Subscription, ApiError> {
    let filter = Arc::new(filter);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let typed = app.hub().typed();
        let mut subscription = typed.subscribe(scope, vocabulary, filter.clone());
        let head = subscription.head;
        let found = match since {
            None => Beginning::Now,
            Some(since) => begin(app, scope, head, since).await.map_err(|error| internal(&error))?,
        };
        let (from, missing) = match found {
            Beginning::Now => (None, None),
            Beginning::After { version, index, missing } => (Some((version, index)), missing),
            Beginning::Lost(why) => (None, Some(why)),
            Beginning::NotYet if tokio::time::Instant::now() < deadline => {
                drop(subscription);
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
            Beginning::NotYet => {
                let detail = "This console has not read that far yet. Try again in a moment.".to_owned();
                return Err(ApiError::Unavailable { detail });
            }
        };
        let now = app.hub().now();
        let here = id(head, scope, None);
        // A client that has something to catch up with must not believe itself here already.
        let known = from.is_none().then_some(here.as_str());
        let greeting = json!({
            "stream_id": stream_id,
            "server_time": now,
            "heartbeat_ms": HEARTBEAT.as_millis() as u64,
        });
        let mut front = BytesMut::from(&vocabulary.notice("connected", known, now, greeting)[..]);
        if let Some(why) = missing {
            front.extend_from_slice(&gap(vocabulary, known, now, why));
        }
        subscription.front = Some(front.freeze());
        subscription.replay = from.map(|(version, index)| Replay {
            pool: app.store().pool().clone(),
            fleet: app.store().fleet(),
            clock: app.hub().clock(),
            scope: scope.clone(),
            vocabulary,
            filter: filter.clone(),
            known: version,
            within: index,
            until: head,
        });
        return Ok(subscription);
    }
}

/// Where a stream begins.
enum Beginning {
    Now,
    /// After a transaction, or within the one after it.
    After {
        version: u64,
        index: Option<usize>,
        missing: Option<Gap>,
    },
    Lost(Gap),
    /// It is ahead of this process: it is to be asked again in a moment.
    NotYet,
}

async fn begin(app: &App, scope: &Scope, hub: Head, since: Since) -> Result<Beginning, StorageError> {
    let mut connection = app.store().pool().acquire().await?;
    let (position, index) = match since {
        Since::Unknown => return Ok(Beginning::Lost(Gap::Restored)),
        Since::Time(at) => {
            let (first, oldest) = journal::since(&mut connection, at).await?;
            // The first that is kept may be so because the ones before it are not kept any more.
            let missing =
                (first == oldest && oldest.is_some_and(|oldest| oldest > 1)).then_some(Gap::Trimmed);
            return Ok(match first.filter(|first| *first <= hub.version) {
                Some(first) => Beginning::After { version: first - 1, index: None, missing },
                None => Beginning::Now,
            });
        }
        Since::Event(position, index) => (position, index),
    };
    let (witness, _) = journal::witness(&mut connection, position.version, hub.version, 0).await?;
    let trimmed = witness.at_client.is_none()
        && position.epoch == witness.head.epoch
        && position.version <= witness.head.version;
    Ok(match standing(position, hub.position(scope.revision()), witness) {
        Standing::Behind => match index {
            // The rest of its own transaction is missing as well.
            Some(index) if position.version > 0 => {
                Beginning::After { version: position.version - 1, index: Some(index), missing: None }
            }
            _ => Beginning::After { version: position.version, index: None, missing: None },
        },
        Standing::HubBehind => Beginning::NotYet,
        Standing::OtherScope => Beginning::Lost(Gap::OtherScope),
        Standing::Foreign if trimmed => Beginning::Lost(Gap::Trimmed),
        Standing::Foreign => Beginning::Lost(Gap::Restored),
    })
}

/// What a client missed, from a place in the journal to where its queue begins.
pub struct Replay {
    pool: SqlitePool,
    fleet: Arc<Fleet>,
    clock: Clock,
    scope: Scope,
    vocabulary: Vocabulary,
    filter: Arc<Filter>,
    /// Everything up to this version was sent …
    known: u64,
    /// … and of the next one everything up to this place.
    within: Option<usize>,
    until: Head,
}

impl Replay {
    /// The next frames, perhaps none; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StorageError> {
        let mut page = BytesMut::new();
        while page.is_empty() {
            if self.known >= self.until.version {
                return Ok(None);
            }
            let mut connection = self.pool.acquire().await?;
            let entries = journal::after(&mut connection, self.known, PAGE).await?;
            drop(connection);
            if entries.is_empty() {
                // Trimmed while it was read, all of it.
                self.missing(&mut page);
                self.known = self.until.version;
            }
            for (entry, _) in entries {
                if entry.version > self.until.version {
                    self.known = self.until.version;
                    break;
                }
                if entry.version != self.known + 1 {
                    self.missing(&mut page);
                }
                let after = self.within.take();
                let around = Around { fleet: &self.fleet, entry: &entry };
                for (index, message, frame) in frames(&around, self.until, &self.scope, self.vocabulary) {
                    if after.is_none_or(|after| index > after) && self.filter.holds(&message) {
                        page.extend_from_slice(&frame);
                    }
                }
                self.known = entry.version;
            }
        }
        Ok(Some(page.freeze()))
    }

    fn missing(&self, page: &mut BytesMut) {
        page.extend_from_slice(&gap(self.vocabulary, None, self.clock.now(), Gap::Trimmed));
    }
}
