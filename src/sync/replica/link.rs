//! The stream: when to open one, when to give it up, and what the badge says meanwhile.

use super::{Close, Effect, Instant, Replica, Status, millis};
use crate::model::Fleet;
use std::time::Duration;

/// Without a frame for this long the stream is dead, whatever the socket says.
pub const SILENCE: Duration = Duration::from_secs(12);
/// Without a `sync` that proves it for this long, one interval more, it is no better: frames that come and prove nothing hide a gap.
pub const UNPROVEN: Duration = Duration::from_secs(17);
/// So many tries are called `reconnecting`; beyond them the badge says `disconnected`, still trying.
const TRIES_UNTIL_RED: u32 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// No stream; the next try is due at the instant, if there is to be one.
    Down { retry_at: Option<Instant> },
    /// A stream is open or being opened. `last_frame` is when something last came, `last_proof` when a `sync` last proved the stream (or
    /// when it was opened).
    Up { last_frame: Instant, last_proof: Instant, reached: Reached },
}

/// How far a stream has come, whatever else this replica knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// Nothing of the state came yet. It was opened by a replica at this version, if it had one.
    OpenedAt(Option<u64>),
    Version(u64),
}

impl Link {
    /// When the stream is to be given up, or the next one opened.
    pub(super) fn due(self) -> Option<Instant> {
        match self {
            Link::Down { retry_at } => retry_at,
            Link::Up { last_frame, last_proof, .. } => {
                Some((last_frame + millis(SILENCE)).min(last_proof + millis(UNPROVEN)))
            }
        }
    }
}

impl Replica {
    /// The network is back, the page is visible again, the machine woke up, the operator pressed "Retry now": try at once.
    pub fn retry_now(&mut self, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        let stale = match self.link {
            Link::Down { .. } => true,
            // A stream that slept with the machine looks open and is dead.
            Link::Up { last_frame, .. } => now.saturating_sub(last_frame) > millis(SILENCE) / 2,
        };
        if stale && !matches!(self.status, Status::SignedOut | Status::SwitchedOff) {
            self.connect(now, &mut effects);
        }
        effects
    }

    /// Opens a stream now, whatever became of the one before: signed in again, switched on, or another tab's stream is ours now.
    pub fn reconnect(&mut self, now: Instant) -> Vec<Effect> {
        let mut effects = vec![Effect::Disconnect];
        self.connect(now, &mut effects);
        effects
    }

    /// Somebody else holds the stream that this replica is fed from, and says how it stands. [`Replica::reconnect`] when it is up again.
    pub fn led(&mut self, status: Status) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.link = Link::Down { retry_at: None };
        self.leaving = None;
        self.set_status(status, &mut effects);
        if self.status == Status::SignedOut {
            self.forget(&mut effects);
        }
        effects
    }

    /// Nobody is signed in (any more), or may be: what they saw is not for whoever sits here now.
    fn forget(&mut self, effects: &mut Vec<Effect>) {
        self.at = None;
        if self.fleet != Fleet::default() {
            self.fleet = Fleet::default();
            effects.push(Effect::Replaced);
        }
    }

    /// The operator wants no stream.
    pub fn switch_off(&mut self) -> Vec<Effect> {
        let mut effects = vec![Effect::Disconnect];
        self.link = Link::Down { retry_at: None };
        self.set_status(Status::SwitchedOff, &mut effects);
        effects
    }

    /// The browser lost its network.
    pub fn offline(&mut self) -> Vec<Effect> {
        let mut effects = vec![Effect::Disconnect];
        self.stop_fetching();
        self.link = Link::Down { retry_at: None };
        self.set_status(Status::Offline, &mut effects);
        effects
    }

    /// The stream ended.
    pub fn on_close(&mut self, close: Close, now: Instant, jitter: f64) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.stop_fetching();
        match close {
            Close::Broken => self.lost(now, jitter, None, &mut effects),
            Close::Refused { status: 401, .. } => {
                self.link = Link::Down { retry_at: None };
                self.set_status(Status::SignedOut, &mut effects);
                self.forget(&mut effects);
            }
            Close::Refused { status: 403 | 404 | 406 | 410, .. } => {
                self.link = Link::Down { retry_at: None };
                self.set_status(
                    Status::Error("the server refuses the stream; reload the page".to_owned()),
                    &mut effects,
                );
            }
            Close::Refused { retry_after, .. } => self.lost(now, jitter, retry_after, &mut effects),
            Close::Nonsense(_) => {
                // The position may be what provoked it: begin anew.
                self.at = None;
                self.lost(now, jitter, None, &mut effects);
            }
        }
        effects
    }

    /// Time has passed: opens the stream that is due, or gives up the one that is dead.
    pub(super) fn tick_link(&mut self, now: Instant, jitter: f64, effects: &mut Vec<Effect>) {
        if self.link.due().is_none_or(|due| due > now) {
            return;
        }
        match self.link {
            Link::Down { .. } => self.connect(now, effects),
            Link::Up { .. } => self.give_up(now, jitter, effects),
        }
    }

    /// Nothing more is wanted of this stream; the next one begins where this replica is, and the server says whether that still holds.
    pub(super) fn give_up(&mut self, now: Instant, jitter: f64, effects: &mut Vec<Effect>) {
        effects.push(Effect::Disconnect);
        self.stop_fetching();
        self.lost(now, jitter, None, effects);
    }

    /// Whether the stream has brought everything that this replica holds, some of which may have come by another way.
    pub fn in_step(&self) -> bool {
        let Link::Up { reached: Reached::Version(reached), .. } = self.link else { return false };
        self.version() <= Some(reached)
    }

    /// Whether the stream has told of more than this replica holds.
    pub fn is_behind(&self) -> bool {
        self.behind().is_some()
    }

    /// How far the stream is known to go, while it is further than this replica.
    pub(super) fn behind(&self) -> Option<u64> {
        match self.link {
            Link::Up { reached: Reached::Version(reached), .. } if self.version() < Some(reached) => {
                Some(reached)
            }
            _ => None,
        }
    }

    /// How long the stream has brought nothing; zero where there is none.
    pub fn silence(&self, now: Instant) -> Duration {
        match self.link {
            Link::Up { last_frame, .. } => Duration::from_millis(now.saturating_sub(last_frame)),
            Link::Down { .. } => Duration::ZERO,
        }
    }

    pub(super) fn proven(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        self.backoff.reset();
        if let Link::Up { last_frame, last_proof, .. } = &mut self.link {
            (*last_frame, *last_proof) = (now, now);
        }
        self.set_status(Status::Connected, effects);
    }

    pub(super) fn connect(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        self.stop_fetching();
        self.link = Link::Up { last_frame: now, last_proof: now, reached: Reached::OpenedAt(self.version()) };
        self.leaving = None;
        if matches!(
            self.status,
            Status::Connected | Status::Offline | Status::SignedOut | Status::SwitchedOff | Status::Error(_)
        ) {
            self.set_status(Status::Connecting, effects);
        }
        effects.push(Effect::Connect);
    }

    fn lost(&mut self, now: Instant, jitter: f64, at_least: Option<Duration>, effects: &mut Vec<Effect>) {
        let wait = self.backoff.next(jitter).max(at_least.unwrap_or_default());
        // A server that said goodbye is coming back: its clients spread over the time it named, each at its own point.
        let wait = match self.leaving.take() {
            // Called back at once; who was so already, and got nothing that holds, waits like everybody.
            Some(0) if self.backoff.tries() > 1 => wait,
            Some(spread_ms) => Duration::from_millis(spread_ms).mul_f64(jitter.clamp(0.0, 1.0)),
            None => wait,
        };
        let retry_at = now + millis(wait);
        self.link = Link::Down { retry_at: Some(retry_at) };
        let attempt = self.backoff.tries();
        let status = if attempt <= TRIES_UNTIL_RED {
            Status::Reconnecting { attempt, retry_at }
        } else {
            Status::Disconnected { retry_at }
        };
        self.set_status(status, effects);
    }

    fn set_status(&mut self, status: Status, effects: &mut Vec<Effect>) {
        if self.status != status {
            self.status = status;
            effects.push(Effect::Status);
        }
    }
}
