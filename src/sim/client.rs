//! One browser: the real [`Replica`] and the real parser at the end of a connection that can be cut at any byte.

use super::{
    check::{Guarantee, History, Violation, difference, violated},
    plant::Tamper,
};
use crate::{
    server::sse::hub::Subscription,
    sync::{
        Effect, FullState, Message, Position, Replica, Scope, Status, Token, Unanswered, journal::Chain,
        sse::Parser,
    },
};
use std::collections::VecDeque;

/// What a socket and the proxies before it hold.
pub const PIPE: usize = 6 << 10;
/// `connected` without a proof for longer is a lie: silence is called after 12 s, one interval is 5 s, timers are half a second late.
const PROOF: u64 = 17_500;

/// A stream, from the request to its end.
pub struct Connection {
    pub process: usize,
    /// Which life of that process.
    pub life: u64,
    pub scope: Scope,
    pub since: Option<Token>,
    pub stage: Stage,
    pub tamper: Option<Tamper>,
    /// When each piece arrives.
    pub pipe: VecDeque<(u64, Vec<u8>)>,
    pub piped: usize,
    /// The server's end is closed; the client learns of it when the pipe is empty.
    pub ended: bool,
    /// Nothing arrives any more, and nobody says so.
    pub half_open: bool,
    /// A fault took or doubled whole frames: asking for the state is right.
    pub faulty: bool,
    /// Some of the state has come on it.
    pub begun: bool,
    /// The client reads nothing until then.
    pub drain_until: u64,
    /// Frames may get lost on it.
    pub lossy: bool,
    /// The server answered with an error instead of a stream.
    pub refused: bool,
    /// Tells it from the client's other streams.
    pub number: u64,
    pub recording: Vec<u8>,
}

impl Connection {
    /// A request on its way.
    #[expect(clippy::too_many_arguments, reason = "each is a fact of the request")]
    pub fn opening(
        process: usize,
        number: u64,
        scope: Scope,
        since: Option<Token>,
        at: u64,
        deadline: u64,
        tamper: Option<Tamper>,
        lossy: bool,
    ) -> Connection {
        Connection {
            process,
            life: 0,
            scope,
            since,
            stage: Stage::Opening { at, deadline },
            tamper,
            pipe: VecDeque::new(),
            piped: 0,
            ended: false,
            half_open: false,
            faulty: false,
            begun: false,
            drain_until: 0,
            lossy,
            refused: false,
            number,
            recording: Vec::new(),
        }
    }

    /// The server answers with an error.
    pub fn refuse(&mut self) {
        (self.stage, self.ended, self.refused) = (Stage::Closed, true, true);
    }

    /// Breaks it. `keep`: how much of what is under way still arrives, cut at any byte; nothing after a reset.
    pub fn cut(&mut self, keep: f64, reset: bool) {
        (self.stage, self.ended) = (Stage::Closed, true);
        let mut left = if reset { 0 } else { (self.piped as f64 * keep) as usize };
        self.pipe.retain_mut(|(_, bytes)| {
            bytes.truncate(left);
            left -= bytes.len();
            !bytes.is_empty()
        });
        self.piped = self.pipe.iter().map(|(_, bytes)| bytes.len()).sum();
    }

    /// What was sent on it, if that was kept.
    pub fn recorded(self) -> Option<(Scope, Vec<u8>)> {
        (!self.recording.is_empty()).then_some((self.scope, self.recording))
    }
}

pub enum Stage {
    /// The request arrives at the server at `at`; it is answered by `deadline` at the latest.
    Opening {
        at: u64,
        deadline: u64,
    },
    Open(Box<Subscription>),
    Closed,
}

pub struct Fetch {
    pub request: u64,
    pub process: usize,
    pub at_least: u64,
    pub since: Option<Token>,
    pub at: u64,
    /// The answer and when it arrives.
    pub answer: Option<(u64, Result<FullState, Unanswered>)>,
}

pub struct Client {
    pub replica: Replica,
    /// What its user may see now.
    pub scope: Scope,
    /// What they saw before their membership changed.
    pub former_scope: Scope,
    pub parser: Parser,
    pub connection: Option<Connection>,
    pub fetches: Vec<Fetch>,
    pub asleep_until: Option<u64>,
    /// When a `sync` last proved that all before it is here.
    pub proven_at: u64,
    /// Its page was rendered from a damaged state: only a digest shows that.
    pub rotten: bool,
    /// It asked for the state because of a fault, and does not have all of it yet.
    pub mending: bool,
    /// The server asked to be left alone until then.
    pub asks_not_before: u64,
    /// For a planted bug.
    pub first_answer: Option<FullState>,
    pub shown: Option<(Token, Chain, Position)>,
}

/// How a new state came to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Init,
    Delta,
    Sync,
    FullState,
}

impl Client {
    pub fn new(replica: Replica, scope: Scope, now: u64) -> Client {
        Client {
            replica,
            former_scope: scope.clone(),
            scope,
            parser: Parser::default(),
            connection: None,
            fetches: Vec::new(),
            asleep_until: None,
            proven_at: now,
            rotten: false,
            mending: false,
            asks_not_before: 0,
            first_answer: None,
            shown: None,
        }
    }

    /// Holds what the client shows now against what the server had. Called after every input.
    pub fn check_shown(&mut self, by: By, history: &History, current: Chain) -> Result<(), Violation> {
        let Some(token) = self.replica.position().cloned() else { return Ok(()) };
        let (position, chain) = history.find(&token)?;
        let scope = self.connection.as_ref().map_or(&self.scope, |connection| &connection.scope);
        if position.scope != scope.revision() {
            return violated(
                Guarantee::Scoped,
                format!("a state of scope {:x} is shown to {scope:?}", position.scope),
            );
        }
        self.mending &= self.replica.is_behind();
        let expected = history.fleet(chain, scope);
        self.rotten &= !matches!(by, By::Init | By::FullState);
        if !self.rotten && *expected != *self.replica.fleet() {
            let what = format!(
                "version {} came by {by:?}; {}",
                position.version,
                difference(&expected, self.replica.fleet())
            );
            let guarantee = match by {
                By::Sync => Guarantee::Bookmarkable,
                By::Init | By::FullState => Guarantee::Scoped,
                By::Delta => Guarantee::Atomic,
            };
            return violated(guarantee, what);
        }
        if let Some((_, before, at)) = &self.shown {
            let forward = history.leads_to(*before, chain);
            // Only a restore takes a version away, and only an init may say so.
            let restored = by == By::Init && !history.leads_to(*before, current);
            if !forward && !restored {
                let what =
                    format!("version {} is shown after version {} by {by:?}", position.version, at.version);
                return violated(Guarantee::NeverBackwards, what);
            }
        }
        self.shown = Some((token, chain, position));
        Ok(())
    }

    /// What each message must be for, whatever the replica makes of it.
    pub fn check_message(
        &mut self,
        message: &Message,
        restored: bool,
        journal_has: bool,
    ) -> Result<(), Violation> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let first = match message {
            Message::Init(_) | Message::Delta(_) | Message::Sync(_) => {
                !std::mem::replace(&mut connection.begun, true)
            }
            _ => return Ok(()),
        };
        // Later ones are for a queue that overflowed.
        if matches!(message, Message::Init(_)) && first && journal_has && !restored && !connection.faulty {
            return violated(Guarantee::Resumable, "a stream that could be resumed began with an init");
        }
        Ok(())
    }

    /// Called whenever time has passed.
    pub fn check_time(&self, now: u64) -> Result<(), Violation> {
        let age = now.saturating_sub(self.proven_at);
        if self.asleep_until.is_none() && *self.replica.status() == Status::Connected && age > PROOF {
            let what = format!("it says connected, and the last proof is {} s old", age / 1_000);
            return violated(Guarantee::NeverSilentlyStale, what);
        }
        Ok(())
    }

    /// Who was told to wait does.
    pub fn check_asks(&self, now: u64) -> Result<(), Violation> {
        match self.asks_not_before.checked_sub(now) {
            Some(early @ 1..) => {
                violated(Guarantee::Moderate, format!("asks for the state {early} ms before it may"))
            }
            _ => Ok(()),
        }
    }

    /// A whole state may be asked for only where a fault made a gap.
    pub fn check_fetch(&mut self, effects: &[Effect]) -> Result<(), Violation> {
        let asks = effects.iter().any(|effect| matches!(effect, Effect::FetchFullState { .. }));
        let faulty = self.connection.as_ref().is_none_or(|connection| connection.faulty);
        let excused = faulty || self.rotten || self.mending;
        self.mending |= asks;
        match asks && !excused {
            true => violated(Guarantee::Reliable, "an unbroken stream had a gap or another digest"),
            false => Ok(()),
        }
    }
}
