//! What tabs tell each other, and where.

use crate::sync::{
    position::Token,
    replica::{Instant, Status},
};
use serde::{Deserialize, Serialize};

/// Another number wherever a tab could not read what another build of this program posts.
const WIRE: u32 = 1;

/// Names the lock and the channel: tabs share only with tabs of the same user who may see the same.
pub fn name(user: &str, position: &Token) -> String {
    let tag = xxhash_rust::xxh3::xxh3_64(format!("{user}\n{}", position.scope()).as_bytes());
    format!("muster-{WIRE}-{tag:016x}")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TabId(pub u32);

/// Who leads since when: of two that think they do, the greater is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reign {
    /// Grows with each leader: the wall clock, milliseconds, or more.
    pub term: u64,
    pub tab: TabId,
}

/// [`Status`] without anybody's clock in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    Connecting,
    Connected,
    Reconnecting { attempt: u32, in_ms: u64 },
    Disconnected { in_ms: u64 },
    SignedOut,
    SwitchedOff,
    Offline,
    Error(String),
}

impl Stands {
    pub fn of(status: &Status, now: Instant) -> Stands {
        match status {
            Status::Connecting => Stands::Connecting,
            Status::Connected => Stands::Connected,
            Status::Reconnecting { attempt, retry_at } => {
                Stands::Reconnecting { attempt: *attempt, in_ms: retry_at.saturating_sub(now) }
            }
            Status::Disconnected { retry_at } => Stands::Disconnected { in_ms: retry_at.saturating_sub(now) },
            Status::SignedOut => Stands::SignedOut,
            Status::SwitchedOff => Stands::SwitchedOff,
            Status::Offline => Stands::Offline,
            Status::Error(reason) => Stands::Error(reason.clone()),
        }
    }

    pub fn status(self, now: Instant) -> Status {
        match self {
            Stands::Connecting => Status::Connecting,
            Stands::Connected => Status::Connected,
            Stands::Reconnecting { attempt, in_ms } => {
                Status::Reconnecting { attempt, retry_at: now + in_ms }
            }
            Stands::Disconnected { in_ms } => Status::Disconnected { retry_at: now + in_ms },
            Stands::SignedOut => Status::SignedOut,
            Stands::SwitchedOff => Status::SwitchedOff,
            Stands::Offline => Status::Offline,
            Stands::Error(reason) => Status::Error(reason),
        }
    }
}

/// What tabs tell each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// A tab wants the stream from here on.
    Join { tab: TabId, since: Option<Token> },
    /// "I lead": at least every [`BEAT`], and whenever the link changes.
    Lead { reign: Reign, link: Stands },
    /// What follows is for `tab`, from where it said it is; then everything.
    Welcome { reign: Reign, tab: TabId },
    /// A frame of the stream comes with this note: for everybody, or for one tab that joins.
    Frame { reign: Reign, to: Option<TabId> },
    /// Is the leader there?
    Ping,
    /// The operator pressed "Retry now" in a tab that has no stream.
    RetryNow,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Position;

    #[test]
    fn another_user_or_scope_is_another_name() {
        let at = |scope| Position { epoch: 1, version: 1, chain: 1, scope }.token();
        assert_eq!(name("a@x", &at(0)), name("a@x", &at(0)));
        assert_ne!(name("a@x", &at(0)), name("b@x", &at(0)));
        assert_ne!(name("a@x", &at(0)), name("a@x", &at(1)));
        assert!(!name("a@x", &at(0)).contains("a@x"));
    }
}
