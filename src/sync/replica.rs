//! A replica of the fleet, and everything it must decide to follow the server.
//!
//! Messages, the time and the fate of the connection come in; effects come out. It never shows a state that the server did not have, never
//! goes backwards, and never calls a connection good that has not proven it with a `sync`.

use super::{
    backoff::Backoff,
    digest::Digest,
    message::{Delta, FullState, Message, Sync, TelemetryBatch},
    position::{Position, Token},
};
use crate::model::{Change, EntityRef, Fleet, Timestamp};
use std::{collections::VecDeque, time::Duration};

/// Without a frame for this long the stream is dead, whatever the socket says.
pub const SILENCE: Duration = Duration::from_secs(12);
/// Without a `sync` that proves it for this long, one interval more, it is no better: frames that come and prove nothing hide a gap.
pub const UNPROVEN: Duration = Duration::from_secs(17);
/// Several reasons to ask for the whole state within this time make one request.
const DEBOUNCE: Duration = Duration::from_millis(500);
/// An answer that takes longer is given up.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);
/// An answer to something else that is ahead of the replica leaves the stream this long to bring the same.
const STREAM_PATIENCE: Duration = Duration::from_secs(2);
/// Deltas kept while the whole state is fetched. More than this, and a new stream is the shorter way.
const MOST_WAITING: usize = 10_000;
/// So many tries are called `reconnecting`; beyond them the badge says `disconnected`, still trying.
const TRIES_UNTIL_RED: u32 = 10;

/// A point on the caller's monotonic clock, milliseconds.
pub type Instant = u64;

/// What the badge says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// A stream is being opened, or has not proven itself yet.
    Connecting,
    /// A `sync` arrived on this stream: everything up to it is here.
    Connected,
    /// Waiting for try number `attempt`, at `retry_at`.
    Reconnecting { attempt: u32, retry_at: Instant },
    /// The same beyond the tenth try.
    Disconnected { retry_at: Instant },
    /// Not signed in (any more). Trying again cannot help; signing in does.
    SignedOut,
    /// The operator switched real-time off: the state comes from polls alone.
    SwitchedOff,
    /// The browser says it is offline. It is tried again when that changes.
    Offline,
    /// Retrying cannot help; why.
    Error(String),
}

/// How a connection (or the try to make one) ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Close {
    /// The stream ended or broke, or could not be opened.
    Broken,
    /// The server answered with an HTTP status other than 200.
    Refused { status: u16, retry_after: Option<Duration> },
    /// The server sent what is not the protocol.
    Nonsense(String),
}

/// What the caller has to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Rows that changed; read them from [`Replica::fleet`].
    Changed(Vec<EntityRef>),
    /// Every row may have changed.
    Replaced,
    Telemetry(TelemetryBatch),
    /// The badge changed; see [`Replica::status`].
    Status,
    /// Ask `GET /api/state?at_least=` and hand the answer to [`Replica::on_full_state`].
    FetchFullState {
        /// Goes back with the answer: one that was given up is told apart from the one that is waited for.
        request: u64,
        at_least: u64,
    },
    /// Drop the stream, if there is one, and open a new one now.
    Connect,
    /// Drop the stream, if there is one.
    Disconnect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// No stream; the next try is due at the instant, if there is to be one.
    Down { retry_at: Option<Instant> },
    /// A stream is open or being opened. `last_frame` is when something last came, `last_proof` when a `sync` last proved the stream (or
    /// when it was opened). `begun` once some of the state came on it.
    Up { last_frame: Instant, last_proof: Instant, begun: bool },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Fetch {
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
        let link = match self.link {
            Link::Down { retry_at } => retry_at,
            Link::Up { .. } => self.dead_at(),
        };
        let fetch = match self.fetch {
            Fetch::Idle => None,
            Fetch::Due { at } | Fetch::Unless { at, .. } => Some(at),
            Fetch::InFlight { since, .. } => Some(since + millis(FETCH_TIMEOUT)),
        };
        link.into_iter().chain(fetch).min()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant, jitter: f64) -> Vec<Effect> {
        let mut effects = Vec::new();
        match self.link {
            Link::Down { retry_at: Some(at) } if at <= now => self.connect(now, &mut effects),
            Link::Up { .. } if self.dead_at().is_some_and(|at| at <= now) => {
                effects.push(Effect::Disconnect);
                self.stop_fetching();
                self.lost(now, jitter, None, &mut effects);
            }
            Link::Down { .. } | Link::Up { .. } => {}
        }
        match &self.fetch {
            Fetch::Unless { position, at } if *at <= now => {
                if self.covers(position) {
                    self.fetch = Fetch::Idle;
                } else {
                    let at_least = version_in(position).unwrap_or(0);
                    effects.push(self.ask(at_least, now));
                }
            }
            Fetch::Due { at } if *at <= now => {
                let at_least = self.wanted_version();
                effects.push(self.ask(at_least, now));
            }
            Fetch::InFlight { since, .. } if *since + millis(FETCH_TIMEOUT) <= now => {
                self.fetch = Fetch::Due { at: now + millis(DEBOUNCE) };
            }
            Fetch::Idle | Fetch::Unless { .. } | Fetch::Due { .. } | Fetch::InFlight { .. } => {}
        }
        effects
    }

    fn ask(&mut self, at_least: u64, now: Instant) -> Effect {
        self.requests += 1;
        let from = self.version().unwrap_or(0);
        self.fetch = Fetch::InFlight { since: now, request: self.requests, from };
        self.meanwhile.clear();
        Effect::FetchFullState { request: self.requests, at_least }
    }

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
        effects
    }

    /// The operator wants no stream.
    pub fn switch_off(&mut self) -> Vec<Effect> {
        let mut effects = vec![Effect::Disconnect];
        self.link = Link::Down { retry_at: None };
        self.set_status(Status::SwitchedOff, &mut effects);
        effects
    }

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
            let patience = if off { 0 } else { millis(STREAM_PATIENCE) };
            self.fetch = Fetch::Unless { position: position.clone(), at: now + patience };
        }
    }

    /// Whether this replica has everything that `position` stands for.
    fn covers(&self, position: &Token) -> bool {
        let Some(at) = &self.at else { return false };
        if at.position == *position {
            return true;
        }
        match (at.position.0.parse::<Position>(), position.0.parse::<Position>()) {
            (Ok(ours), Ok(theirs)) => {
                (ours.epoch, ours.scope) == (theirs.epoch, theirs.scope)
                    && ours.version > theirs.version
                    && self.status != Status::SwitchedOff
            }
            // What cannot be read cannot be ahead.
            _ => true,
        }
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

    /// A message of the open stream.
    pub fn on_message(&mut self, message: Message, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        let Link::Up { last_frame, begun, .. } = &mut self.link else { return effects };
        *last_frame = now;
        let first = match message {
            Message::Init(_) | Message::Delta(_) | Message::Sync(_) => !std::mem::replace(begun, true),
            Message::Connected(_) | Message::Telemetry(_) | Message::Shutdown(_) => false,
        };
        match message {
            Message::Connected(_) => self.leaving = None,
            // Back, in the middle of a stream: the database was restored, or this process is behind the one that our state came from.
            // The server finds out when it is shown our position.
            Message::Init(state) if !first && self.version() > Some(state.version) => {
                self.connect(now, &mut effects);
            }
            Message::Init(state) => {
                // At the beginning of a stream the server has compared our position: its word is final, even where its number is lower.
                self.replace(state, &mut effects);
                (self.fetch, self.as_of_seen) = (Fetch::Idle, now);
            }
            Message::Delta(delta) => self.on_delta(delta, now, &mut effects),
            Message::Sync(sync) => self.on_sync(sync, now, &mut effects),
            Message::Telemetry(batch) => effects.push(Effect::Telemetry(batch)),
            Message::Shutdown(shutdown) => self.leaving = Some(shutdown.spread_ms),
        }
        effects
    }

    /// The answer to [`Effect::FetchFullState`]; `None` if it could not be had.
    pub fn on_full_state(&mut self, request: u64, answer: Option<FullState>, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        let Fetch::InFlight { request: current, from, .. } = self.fetch else { return effects };
        if current != request {
            return effects;
        }
        let Some(answer) = answer else {
            self.fetch = Fetch::Due { at: now + 4 * millis(DEBOUNCE) };
            return effects;
        };
        self.fetch = Fetch::Idle;
        // Without a stream answers come one after the other: a lower number is a restored database.
        let off = self.status == Status::SwitchedOff;
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
        effects
    }

    fn on_delta(&mut self, delta: Delta, now: Instant, effects: &mut Vec<Effect>) {
        let Some(version) = self.version() else {
            return self.want_full_state(now);
        };
        if delta.version <= version {
            self.compare(delta.version, &delta.position, now, effects);
            return;
        }
        if delta.prev > version {
            if self.waiting.len() < MOST_WAITING {
                self.waiting.push_back(delta);
            }
            return self.want_full_state(now);
        }
        self.fleet.apply_all(&delta.changes);
        effects.push(Effect::Changed(delta.changes.iter().flat_map(touched).collect()));
        self.at = Some(At { position: delta.position.clone(), version: delta.version });
        self.as_of = self.as_of.max(Some(delta.at));
        if matches!(self.fetch, Fetch::InFlight { .. }) {
            self.meanwhile.push(delta);
        }
    }

    fn on_sync(&mut self, sync: Sync, now: Instant, effects: &mut Vec<Effect>) {
        let Some(version) = self.version() else {
            return self.want_full_state(now);
        };
        if sync.version < version {
            // What we hold came from elsewhere and is newer. The next beacon will agree; if it does not, the stream is given up.
            return;
        }
        if sync.version == version && !self.compare(sync.version, &sync.position, now, effects) {
            return;
        }
        if sync.prev > version {
            return self.want_full_state(now);
        }
        if sync.digest.is_some_and(|digest| digest != Digest::of(&self.fleet)) {
            return self.want_full_state(now);
        }
        self.at = Some(At { position: sync.position, version: sync.version });
        (self.as_of, self.as_of_seen) = (Some(sync.server_time), now);
        self.proven(now, effects);
    }

    /// Whether `position` is ours, if it has our version. If not, this replica and the stream are of two histories: only the server can
    /// say which one holds.
    fn compare(&mut self, version: u64, position: &Token, now: Instant, effects: &mut Vec<Effect>) -> bool {
        let same = self.at.as_ref().is_none_or(|at| at.version != version || at.position == *position);
        if !same {
            effects.push(Effect::Disconnect);
            self.stop_fetching();
            self.lost(now, 1.0, None, effects);
        }
        same
    }

    /// When the stream is to be given up.
    fn dead_at(&self) -> Option<Instant> {
        let Link::Up { last_frame, last_proof, .. } = self.link else { return None };
        Some((last_frame + millis(SILENCE)).min(last_proof + millis(UNPROVEN)))
    }

    fn proven(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        self.backoff.reset();
        self.link = Link::Up { last_frame: now, last_proof: now, begun: true };
        self.set_status(Status::Connected, effects);
    }

    fn connect(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        self.stop_fetching();
        self.link = Link::Up { last_frame: now, last_proof: now, begun: false };
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

    /// A gap belongs to the stream it was found on: the next one begins where this replica is.
    fn stop_fetching(&mut self) {
        self.fetch = Fetch::Idle;
        self.waiting.clear();
        self.meanwhile.clear();
    }

    fn want_full_state(&mut self, now: Instant) {
        if matches!(self.fetch, Fetch::Idle | Fetch::Unless { .. }) {
            self.fetch = Fetch::Due { at: now + millis(DEBOUNCE) };
        }
    }

    /// The version a fetched state must have to close the gap.
    fn wanted_version(&self) -> u64 {
        self.waiting.front().map(|delta| delta.prev).or(self.version()).unwrap_or(0)
    }

    fn replace(&mut self, state: FullState, effects: &mut Vec<Effect>) {
        self.waiting.clear();
        self.replace_keeping_waiting(state, effects);
    }

    fn replace_keeping_waiting(&mut self, state: FullState, effects: &mut Vec<Effect>) {
        self.fleet = state.state;
        self.at = Some(At { position: state.position, version: state.version });
        effects.push(Effect::Replaced);
    }

    fn set_status(&mut self, status: Status, effects: &mut Vec<Effect>) {
        if self.status != status {
            self.status = status;
            effects.push(Effect::Status);
        }
    }
}

/// The version in a position, where it can be read.
fn version_in(position: &Token) -> Option<u64> {
    position.0.parse::<Position>().ok().map(|position| position.version)
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}

/// The rows whose view a change alters.
fn touched(change: &Change) -> Vec<EntityRef> {
    match change {
        Change::ClusterPut { cluster, .. } => vec![EntityRef::Cluster(cluster.id)],
        Change::ClusterDeleted { id } => vec![EntityRef::Cluster(*id)],
        Change::ProjectPut { project, .. } => vec![EntityRef::Project(project.id)],
        Change::ProjectDeleted { id } => vec![EntityRef::Project(*id)],
        Change::WorkerPut { worker, .. } => vec![EntityRef::Worker(worker.id)],
        Change::WorkerDeleted { id } => vec![EntityRef::Worker(*id)],
        Change::NetPut { net, .. } => vec![EntityRef::Net(net.id)],
        Change::NetDeleted { id, .. } => vec![EntityRef::Net(*id)],
        Change::EventLogged { event } => vec![EntityRef::Event(event.id)],
        // The list of events is read as a whole; any id of it will do.
        Change::EventsTrimmed { before } => vec![EntityRef::Event(*before)],
    }
}
