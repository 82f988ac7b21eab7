//! A replica of the fleet, and everything it must decide to follow the server.
//!
//! Messages, the time and the fate of the connection come in; effects come out. It never shows a state that the server did not have, never
//! goes backwards, and never calls a connection good that has not proven it with a `sync`.
//!
//! [`link`] opens and gives up streams, [`frames`] applies what comes on them, [`fetch`] asks for the whole state where that is not enough,
//! [`status`] holds the words for what goes in and comes out. The fields are here and private to this folder.

mod fetch;
mod frames;
mod link;
#[cfg(test)]
mod rules;
mod status;

pub use link::{SILENCE, UNPROVEN};
pub use status::{Close, Effect, Status, Unanswered};

use super::{
    backoff::Backoff,
    message::{Delta, FullState},
    position::Token,
};
use crate::model::{Fleet, Timestamp};
use fetch::Fetch;
use link::Link;
use std::{collections::VecDeque, time::Duration};

/// A point on the caller's monotonic clock, milliseconds.
pub type Instant = u64;

#[derive(Clone, Debug)]
pub struct Replica {
    fleet: Fleet,
    at: Option<At>,
    link: Link,
    status: Status,
    backoff: Backoff,
    fetch: Fetch,
    /// Fetches begun so far.
    requests: u64,
    /// The server asked not to be asked for the whole state before this.
    ask_not_before: Instant,
    /// Deltas that came while there is a gap before them.
    waiting: VecDeque<Delta>,
    /// Deltas applied since the whole state was asked for: an answer is rarely newer than they are.
    meanwhile: Vec<Delta>,
    /// The server said it is going down, and over how many milliseconds to spread coming back.
    leaving: Option<u64>,
    /// Server time of the last `sync`, or of the snapshot: "as of".
    as_of: Option<Timestamp>,
    /// When, on the caller's clock, that arrived.
    as_of_seen: Instant,
    /// Server time of the last poll while there is no stream.
    polled_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct At {
    position: Token,
    version: u64,
}

impl Replica {
    /// An empty replica; the first stream brings an `init`.
    pub fn empty() -> Replica {
        Replica {
            fleet: Fleet::default(),
            at: None,
            link: Link::Down { retry_at: Some(0) },
            status: Status::Connecting,
            backoff: Backoff::default(),
            fetch: Fetch::Idle,
            requests: 0,
            ask_not_before: 0,
            waiting: VecDeque::new(),
            meanwhile: Vec::new(),
            leaving: None,
            as_of: None,
            as_of_seen: 0,
            polled_at: None,
        }
    }

    /// A replica that starts from a snapshot, such as the one a page was rendered from.
    pub fn from_snapshot(snapshot: FullState, as_of: Timestamp, now: Instant) -> Replica {
        Replica {
            fleet: snapshot.state,
            at: Some(At { position: snapshot.position, version: snapshot.version }),
            as_of: Some(as_of),
            as_of_seen: now,
            ..Replica::empty()
        }
    }

    /// An empty replica beside a page that shows, as of a time, what it will be told of: the whole state is fetched for it, or else the
    /// first stream brings it.
    pub fn awaiting(as_of: Timestamp, now: Instant) -> Replica {
        Replica { as_of: Some(as_of), as_of_seen: now, ..Replica::empty() }
    }

    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    pub fn version(&self) -> Option<u64> {
        self.at.as_ref().map(|at| at.version)
    }

    /// The `since` of the next stream.
    pub fn position(&self) -> Option<&Token> {
        self.at.as_ref().map(|at| &at.position)
    }

    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The server's time up to which this state is known to be complete.
    pub fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    /// How long ago that was, on the caller's clock.
    pub fn age(&self, now: Instant) -> Duration {
        Duration::from_millis(now.saturating_sub(self.as_of_seen))
    }

    /// When [`Replica::tick`] has something to do at the latest.
    pub fn next_tick(&self) -> Option<Instant> {
        self.link.due().into_iter().chain(self.fetch.due()).min()
    }

    /// Time has passed. `jitter` is drawn evenly from 0 to 1.
    pub fn tick(&mut self, now: Instant, jitter: f64) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.tick_link(now, jitter, &mut effects);
        self.tick_fetch(now, &mut effects);
        effects
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
