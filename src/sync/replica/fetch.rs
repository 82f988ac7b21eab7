//! The way around the stream: `GET /api/state`, where a gap, a digest or another answer says that something is missing.

use super::{Effect, Instant, Link, Replica, Status, Unanswered, millis};
use crate::{
    model::Timestamp,
    sync::{message::FullState, position::Token},
};
use std::time::Duration;

/// Several reasons to ask for the whole state within this time make one request.
const DEBOUNCE: Duration = Duration::from_millis(500);
/// A question that was not answered is asked again after this.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// An answer that takes longer is given up.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);
/// An answer to something else that is ahead of the replica leaves the stream this long to bring the same.
const STREAM_PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fetch {
    Idle,
    /// The server is known to be at `position`: fetched unless the stream has brought it by then.
    Unless {
        position: Token,
        at: Instant,
    },
    Due {
        at: Instant,
    },
    /// Asked for by a replica at version `from`.
    InFlight {
        since: Instant,
        request: u64,
        from: u64,
    },
}

impl Fetch {
    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Fetch::Idle => None,
            Fetch::Due { at } | Fetch::Unless { at, .. } => Some(*at),
            Fetch::InFlight { since, .. } => Some(since + millis(FETCH_TIMEOUT)),
        }
    }
}

impl Replica {
    /// The answer to something else (a poll, a guard) says that the server is at `position`. It never writes rows: if it is ahead, the
    /// stream has two seconds to bring the same, then the whole state is fetched; at once where there is to be no stream.
    pub fn heard_of(&mut self, position: &Token, server_time: Timestamp, now: Instant) {
        let off = self.status == Status::SwitchedOff;
        if off {
            self.polled_at = Some(server_time);
        }
        if self.covers(position) {
            if off {
                (self.as_of, self.as_of_seen) = (Some(server_time), now);
            }
        } else if self.fetch == Fetch::Idle {
            let patience = if off { Duration::ZERO } else { STREAM_PATIENCE };
            self.fetch = Fetch::Unless { position: position.clone(), at: self.not_before(now, patience) };
        }
    }

    /// Whether this replica has everything that `position` stands for.
    fn covers(&self, position: &Token) -> bool {
        let Some(at) = &self.at else {
            // The first stream brings the state, and what it is.
            return self.status != Status::SwitchedOff;
        };
        // What cannot be read cannot be ahead.
        at.position == *position
            || position.version().is_none()
            || (at.position.ahead_of(position) && self.status != Status::SwitchedOff)
    }

    pub(super) fn tick_fetch(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.fetch.due().is_none_or(|due| due > now) {
            return;
        }
        match &self.fetch {
            Fetch::Unless { position, .. } if self.covers(position) => self.fetch = Fetch::Idle,
            Fetch::Unless { position, .. } => {
                let at_least = position.version().unwrap_or(0);
                effects.push(self.ask(at_least, now));
            }
            Fetch::Due { .. } => {
                let at_least = self.wanted_version();
                effects.push(self.ask(at_least, now));
            }
            Fetch::InFlight { .. } => self.fetch = Fetch::Due { at: self.not_before(now, DEBOUNCE) },
            Fetch::Idle => {}
        }
    }

    fn ask(&mut self, at_least: u64, now: Instant) -> Effect {
        self.requests += 1;
        let from = self.version().unwrap_or(0);
        self.fetch = Fetch::InFlight { since: now, request: self.requests, from };
        self.meanwhile.clear();
        Effect::FetchFullState { request: self.requests, at_least }
    }

    /// The answer to [`Effect::FetchFullState`].
    pub fn on_full_state(
        &mut self,
        request: u64,
        answer: Result<FullState, Unanswered>,
        now: Instant,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Err(Unanswered::TooSoon(wait)) = answer {
            // Holds for whatever is asked next, also on another stream.
            self.ask_not_before = self.ask_not_before.max(now + millis(wait));
        }
        let Fetch::InFlight { request: current, from, .. } = self.fetch else { return effects };
        if current != request {
            return effects;
        }
        // Without a stream there is nothing that an answer must go with: the operator is shown what they may see now, also after a restore.
        let off = self.status == Status::SwitchedOff;
        let ours =
            |answer: &FullState| off || self.at.as_ref().is_none_or(|at| at.position.kin(&answer.position));
        let answer = match answer {
            Ok(answer) if ours(&answer) => answer,
            Ok(_) | Err(Unanswered::Foreign) if matches!(self.link, Link::Up { .. }) => {
                self.give_up(now, 1.0, &mut effects);
                return effects;
            }
            Ok(_) | Err(_) => {
                self.fetch = Fetch::Due { at: self.not_before(now, ASK_AGAIN) };
                return effects;
            }
        };
        self.fetch = Fetch::Idle;
        // Without a stream answers come one after the other: a lower number is a restored database.
        if off {
            (self.as_of, self.as_of_seen) = (self.polled_at.or(self.as_of), now);
        }
        if off || self.version().is_none_or(|version| answer.version >= version) {
            self.replace_keeping_waiting(answer, &mut effects);
        } else if answer.version >= from {
            // Not older than the question: with what came in between it is the state at our position, mended.
            self.fleet = answer.state;
            let missing = self.meanwhile.iter().filter(|delta| delta.version > answer.version);
            missing.for_each(|delta| self.fleet.apply_all(&delta.changes));
            effects.push(Effect::Replaced);
        }
        self.meanwhile.clear();
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().for_each(|delta| self.on_delta(delta, now, &mut effects));
        if self.is_behind() {
            // A `sync` told of more while the answer was on its way.
            self.want_full_state(now);
        }
        effects
    }

    pub(super) fn want_full_state(&mut self, now: Instant) {
        if matches!(self.fetch, Fetch::Idle | Fetch::Unless { .. }) {
            self.fetch = Fetch::Due { at: self.not_before(now, DEBOUNCE) };
        }
    }

    /// A gap belongs to the stream it was found on: the next one begins where this replica is.
    pub(super) fn stop_fetching(&mut self) {
        self.fetch = Fetch::Idle;
        self.waiting.clear();
        self.meanwhile.clear();
    }

    /// The version a fetched state must have to close the gap.
    fn wanted_version(&self) -> u64 {
        let gap = self.waiting.front().map(|delta| delta.prev);
        gap.or_else(|| self.behind()).or(self.version()).unwrap_or(0)
    }

    /// In `wait`, or when the server allows the next question.
    fn not_before(&self, now: Instant, wait: Duration) -> Instant {
        (now + millis(wait)).max(self.ask_not_before)
    }
}
