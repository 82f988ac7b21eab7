//! Bugs to plant: each is a mistake that this system could have, made in the simulation's glue and nowhere in the real code. The validators
//! are only worth something if they catch them all.

use crate::sync::{
    Delta, Sync,
    sse::{Parser, SseEvent, frame},
};
use std::str::FromStr;

macro_rules! breaks {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Break { $($(#[doc = $doc])* $name,)* }

        impl Break {
            pub const ALL: &[Break] = &[$(Break::$name,)*];

            pub fn name(self) -> &'static str {
                match self { $(Break::$name => $text,)* }
            }
        }
    };
}

breaks! {
    /// The follower reads what is committed and not yet durable.
    PublishBeforeDurable = "publish-before-durable",
    /// An action is answered before its commit is durable.
    AnswerBeforeDurable = "answer-before-durable",
    /// Every delta claims to continue from anywhere: gaps go unnoticed.
    WrongPrev = "wrong-prev",
    /// A transaction is sent as two deltas.
    SplitTransaction = "split-transaction",
    /// A queue that overflowed goes on without an init.
    LoseOnOverflow = "lose-on-overflow",
    /// A sync carries the digest of the beacon before.
    StaleDigest = "stale-digest",
    /// A replay leaves out the first transaction that was missed.
    ResumeOffByOne = "resume-off-by-one",
    /// A position is believed by its number alone.
    IgnoreChain = "ignore-chain",
    /// A stream is opened with the membership of a moment ago.
    LeakScope = "leak-scope",
    /// A net that leaves a project is not removed for those who see only that project.
    ForgetRemoval = "forget-removal",
    /// A client that is ahead of the process gets an init at once.
    BackwardsAfterReconnect = "backwards-after-reconnect",
    /// A sync states the database's version instead of the hub's.
    SyncAhead = "sync-ahead",
    /// The follower loses a change of a transaction.
    SkipEntry = "skip-entry",
    /// `/api/state` answers from a cache that is never refreshed, and the answer is applied as if it were new.
    ApplyOldState = "apply-old-state",
    /// The journal was trimmed, and what is left of it is replayed.
    IgnoreTrim = "ignore-trim",
    /// What a cut left in the parser begins the next stream.
    KeepParser = "keep-parser",
    /// The client does not look at the clock: silence goes unnoticed.
    IgnoreSilence = "ignore-silence",
    /// Beacons stop.
    MuteBeacon = "mute-beacon",
    /// `/api/state` answers with what another membership sees, under the position of who asks.
    StateOfAnotherScope = "state-of-another-scope",
    /// A client that is told to ask later asks again at once.
    IgnoreRetryAfter = "ignore-retry-after",
    /// The hub is not told of a restore.
    IgnoreRestore = "ignore-restore",
}

impl FromStr for Break {
    type Err = String;
    fn from_str(text: &str) -> Result<Break, String> {
        let found = Break::ALL.iter().find(|plant| plant.name() == text);
        found.copied().ok_or_else(|| {
            let names: Vec<&str> = Break::ALL.iter().map(|plant| plant.name()).collect();
            format!("no bug is called {text:?}; there are {}", names.join(", "))
        })
    }
}

/// What a stream's frames are changed with.
pub struct Tamper {
    pub plant: Break,
    /// For [`Break::SyncAhead`]: the database's head as this scope's position, and its version.
    pub ahead: (crate::sync::Token, u64),
    /// For [`Break::StaleDigest`].
    pub digest: Option<crate::sync::digest::Digest>,
    /// For [`Break::LoseOnOverflow`]: this stream has had its init, or needs none.
    pub begun: bool,
}

impl Tamper {
    /// Whole frames in, whole frames out.
    pub fn frames(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut events = Vec::new();
        Parser::default().push(bytes, &mut events);
        events.into_iter().flat_map(|event| self.event(event)).collect::<String>().into_bytes()
    }

    fn event(&mut self, event: SseEvent) -> Vec<String> {
        let same = |event: &SseEvent| {
            let id = (!event.id.is_empty()).then_some(event.id.as_str());
            vec![frame(&event.event, id, &event.data)]
        };
        match (self.plant, event.event.as_str()) {
            (Break::WrongPrev, "delta") => change::<Delta>(event, |delta| delta.prev = 0),
            (Break::SplitTransaction, "delta") => {
                let Ok(mut first) = serde_json::from_str::<Delta>(&event.data) else { return same(&event) };
                if first.changes.len() < 2 {
                    return same(&event);
                }
                let mut second = first.clone();
                second.changes = first.changes.split_off(1);
                (second.prev, second.version) = (first.version, first.version);
                // Both halves must be applied, so the first takes a number just below.
                first.version = first.version.saturating_sub(1).max(first.prev);
                second.prev = first.version;
                [first, second].iter().map(|delta| frame("delta", None, &json(delta))).collect()
            }
            (Break::SyncAhead, "sync") => change::<Sync>(event, |sync| {
                let (position, version) = self.ahead.clone();
                if version > sync.version {
                    (sync.position, sync.version, sync.digest) = (position, version, None);
                }
            }),
            (Break::StaleDigest, "sync") => change::<Sync>(event, |sync| {
                if let (Some(digest), Some(before)) = (&mut sync.digest, self.digest) {
                    let now = std::mem::replace(digest, before);
                    self.digest = Some(now);
                } else {
                    self.digest = sync.digest.or(self.digest);
                }
            }),
            (Break::LoseOnOverflow, "init") => match std::mem::replace(&mut self.begun, true) {
                true => Vec::new(),
                false => same(&event),
            },
            _ => same(&event),
        }
    }
}

fn change<T: serde::Serialize + serde::de::DeserializeOwned>(
    event: SseEvent,
    edit: impl FnOnce(&mut T),
) -> Vec<String> {
    let mut data = serde_json::from_str::<T>(&event.data).expect("a frame of our own");
    edit(&mut data);
    vec![frame(&event.event, Some(&event.id).filter(|id| !id.is_empty()).map(String::as_str), &json(&data))]
}

fn json(data: &impl serde::Serialize) -> String {
    serde_json::to_string(data).expect("messages are plain data")
}
