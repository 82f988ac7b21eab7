//! The hub: turns each journal entry into one frame a scope, and hands every client of that scope the same bytes.
//!
//! It is fed by the follower and by nothing else. Everything under its lock is in memory and never waits.

use super::{
    queue::{Limits, Queue, Taken},
    typed::Typed,
};
use crate::{
    model::{Fleet, HostTelemetry, Roles, Telemetry, Timestamp},
    server::{
        agents::HostBoard,
        clock::Clock,
        metrics::{METRICS, Resync},
        storage::{News, ledger::Head},
        supervise::TelemetryBoard,
    },
    sync::{
        Delta, FullState, Scope, Sync, Token,
        digest::Digest,
        journal::Entry,
        message::{Connected, Shutdown, TelemetryBatch},
        sse::frame,
    },
};
use bytes::Bytes;
use futures::Stream;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, ready},
    time::Duration,
};

/// A beacon comes this often: it proves the stream, and carries clients past changes they do not see.
pub const SYNC_EVERY: Duration = Duration::from_secs(5);
/// Workers whose figures are in one frame: some 400 kB. In a fleet of 10,000 the figures of each are at most ten seconds old, and say so.
const MOST_FIGURES: usize = 1_000;
/// Clients come back within this time after a shutdown.
const SPREAD: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub struct Hub {
    state: Arc<Mutex<State>>,
    settings: Arc<Settings>,
    board: TelemetryBoard,
    hosts: HostBoard,
    typed: Typed,
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// Names this process to its clients.
    pub instance: String,
    /// A beacon carries a digest this often; a multiple of [`SYNC_EVERY`] is met exactly.
    pub digest_every: Duration,
    /// How much may wait for one client.
    pub limits: Limits,
    pub clock: Clock,
}

struct State {
    fleet: Arc<Fleet>,
    head: Head,
    groups: BTreeMap<Scope, Group>,
    closing: bool,
}

/// What waits for clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    pub clients: usize,
    pub frames: usize,
    pub most_frames: usize,
    pub bytes: usize,
    pub most_bytes: usize,
}

/// The clients of one scope.
#[derive(Default)]
struct Group {
    /// Version of the last frame of this scope: the `prev` of the next.
    last: u64,
    clients: Vec<Weak<Queue>>,
    /// The `init` frame for a version, made once for all who need it.
    init: Option<(u64, Bytes)>,
    /// Beacons since the one that carried a digest. Counted rather than timed: the wall clock may be set back.
    beacons: u32,
}

impl Hub {
    pub fn new(fleet: Arc<Fleet>, head: Head, settings: Settings, board: TelemetryBoard) -> Hub {
        let state = State { fleet, head, groups: BTreeMap::new(), closing: false };
        let typed = Typed::new(head, settings.limits, settings.clock.clone());
        Hub {
            state: Arc::new(Mutex::new(state)),
            settings: Arc::new(settings),
            board,
            hosts: HostBoard::default(),
            typed,
        }
    }

    /// The streams of typed events, which this hub feeds.
    pub fn typed(&self) -> &Typed {
        &self.typed
    }

    /// Takes over what the follower read.
    pub fn on_news(&self, news: News) {
        let mut state = self.lock();
        match news {
            News::Entry(entry, head) => state.on_entry(&entry, head, &self.typed),
            News::Reset(fleet, head) => {
                if state.head != head {
                    state.reset(fleet, head);
                    self.typed.on_reset(head);
                }
            }
        }
    }

    /// The beacon, to every client.
    pub fn beacon(&self) {
        let digest_every = self.settings.digest_every;
        let mut state = self.lock();
        let (fleet, head, at) = (state.fleet.clone(), state.head, self.now());
        for (scope, group) in &mut state.groups {
            group.beacons += 1;
            let due = SYNC_EVERY * group.beacons >= digest_every;
            if due {
                group.beacons = 0;
            }
            let digest = due.then(|| Digest::of(&scope.of_fleet(&fleet)));
            let frame = sync_frame(group.last, head, scope, at, digest);
            group.last = head.version;
            group.send(&frame);
        }
        state.groups.retain(|_, group| !group.clients.is_empty());
        drop(state);
        self.typed.on_beacon();
    }

    /// Sends the figures that are new since the last call. Of a large fleet it sends a part each time, in turn: all of them would be
    /// megabytes a second for each client.
    pub fn telemetry(&self) {
        let (workers, hosts) = (self.board.due(MOST_FIGURES), self.hosts.due(MOST_FIGURES));
        if workers.is_empty() && hosts.is_empty() {
            return;
        }
        let mut state = self.lock();
        let fleet = state.fleet.clone();
        for (scope, group) in &mut state.groups {
            if workers.is_empty() && !scope.sees_hosts() {
                continue;
            }
            let frame = telemetry_frame(scope, &fleet, &workers, &hosts, self.now());
            group.each(|queue| queue.set_telemetry(frame.clone()));
        }
        drop(state);
        self.typed.on_figures(&workers, &hosts, &fleet);
    }

    /// What is known of the hosts' figures, whoever asks.
    pub fn hosts(&self) -> &HostBoard {
        &self.hosts
    }

    /// The figures of every host, as this scope may see them.
    pub fn host_board(&self, scope: &Scope) -> Vec<HostTelemetry> {
        if scope.sees_hosts() { self.hosts.latest() } else { Vec::new() }
    }

    /// What is known of the workers' figures, whoever asks.
    pub fn figures(&self) -> &TelemetryBoard {
        &self.board
    }

    /// The figures of every worker, as this scope may see them.
    pub fn board(&self, scope: &Scope) -> Vec<Telemetry> {
        let fleet = self.lock().fleet.clone();
        self.board.latest().iter().map(|item| in_scope(item, scope, &fleet)).collect()
    }

    /// Registers a client. From now on its queue gets every frame; what lies between `from` and now is the caller's to put in front
    /// ([`Subscription::replay`]). Without `from` the stream begins with an `init`.
    pub fn subscribe(&self, scope: Scope, resume: bool) -> Subscription {
        let mut state = self.lock();
        let head = state.head;
        let limits = self.settings.limits;
        let queue = Arc::new(if resume { Queue::new(limits) } else { Queue::needing_init(limits) });
        if state.closing {
            queue.close();
        }
        let group = state
            .groups
            .entry(scope.clone())
            .or_insert_with(|| Group { last: head.version, ..Group::default() });
        // A newcomer is at the head; the others of its scope may be behind by changes they did not see. Bring them all there, so that
        // one `prev` fits all.
        if group.last != head.version {
            let frame = sync_frame(group.last, head, &scope, self.now(), None);
            group.last = head.version;
            group.send(&frame);
        }
        group.clients.push(Arc::downgrade(&queue));
        Subscription { hub: self.clone(), scope, queue, head, front: Vec::new(), sends_board: true }
    }

    /// The state as this scope sees it.
    pub fn snapshot(&self, scope: &Scope) -> FullState {
        let state = self.lock();
        let (fleet, head) = (state.fleet.clone(), state.head);
        drop(state);
        full_state(&fleet, head, scope)
    }

    pub fn head(&self) -> Head {
        self.lock().head
    }

    /// Tells every client that the server goes down, and ends the streams.
    pub fn shut_down(&self) {
        self.typed.shut_down(SPREAD);
        let frame: Bytes = json_frame("shutdown", None, &Shutdown { spread_ms: SPREAD.as_millis() as u64 });
        let mut state = self.lock();
        state.closing = true;
        for group in state.groups.values_mut() {
            group.each(|queue| {
                queue.push(frame.clone());
                queue.close();
            });
        }
    }

    /// What waits in the queues of all clients.
    pub fn depth(&self) -> Depth {
        let state = self.lock();
        let queues = state.groups.values().flat_map(|group| &group.clients).filter_map(Weak::upgrade);
        queues.fold(Depth::default(), |sum, queue| {
            let (frames, bytes) = queue.depth();
            Depth {
                clients: sum.clients + 1,
                frames: sum.frames + frames,
                most_frames: sum.most_frames.max(frames),
                bytes: sum.bytes + bytes,
                most_bytes: sum.most_bytes.max(bytes),
            }
        })
    }

    /// Streams open now.
    pub fn clients(&self) -> usize {
        self.lock()
            .groups
            .values()
            .flat_map(|group| &group.clients)
            .filter(|queue| queue.strong_count() > 0)
            .count()
    }

    fn init_frame(&self, scope: &Scope) -> Bytes {
        let mut state = self.lock();
        let (fleet, head) = (state.fleet.clone(), state.head);
        let cached = state.groups.get(scope).and_then(|group| group.init.clone());
        if let Some((version, frame)) = cached
            && version == head.version
        {
            return frame;
        }
        // Serialised under the lock: the frames that follow must continue exactly this version, and the others wait a few
        // milliseconds once a version, not once a client.
        let full = full_state(&fleet, head, scope);
        let mut frame = json_frame("init", Some(&full.position), &full).to_vec();
        frame.extend_from_slice(&sync_frame(
            head.version,
            head,
            scope,
            self.now(),
            Some(Digest::of(&full.state)),
        ));
        let frame = Bytes::from(frame);
        if let Some(group) = state.groups.get_mut(scope) {
            // Clients behind by invisible changes are brought to the head with a beacon, as in `subscribe`.
            if group.last != head.version {
                let beacon = sync_frame(group.last, head, scope, self.now(), None);
                group.last = head.version;
                group.send(&beacon);
            }
            group.init = Some((head.version, frame.clone()));
        }
        frame
    }

    fn board_frame(&self, scope: &Scope) -> Bytes {
        let fleet = self.lock().fleet.clone();
        telemetry_frame(scope, &fleet, &self.board.latest(), &self.hosts.latest(), self.now())
    }

    pub fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }

    pub fn clock(&self) -> Clock {
        self.settings.clock.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock would be a bug in serialisation; the state itself is replaced in single steps.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn on_entry(&mut self, entry: &Entry, head: Head, typed: &Typed) {
        if entry.version != self.head.version + 1 {
            // Already part of the snapshot this hub began with.
            return;
        }
        let _span =
            tracing::debug_span!("broadcast", version = entry.version, scopes = self.groups.len()).entered();
        typed.on_entry(entry, head, &self.fleet);
        Arc::make_mut(&mut self.fleet).apply_all(&entry.transaction.changes);
        self.head = head;
        for (scope, group) in &mut self.groups {
            let Some(delta) = delta_of(entry, scope, head, group.last) else { continue };
            group.last = entry.version;
            let frame = json_frame("delta", Some(&delta.position), &delta);
            group.send(&frame);
            tracing::trace!(?scope, clients = group.clients.len(), bytes = frame.len(), "delta");
        }
        METRICS.pushed(entry.version);
    }

    fn reset(&mut self, fleet: Arc<Fleet>, head: Head) {
        (self.fleet, self.head) = (fleet, head);
        for group in self.groups.values_mut() {
            (group.last, group.init) = (head.version, None);
            group.each(|queue| {
                METRICS.resync(Resync::Reset);
                queue.reset();
            });
        }
    }
}

impl Group {
    fn send(&mut self, frame: &Bytes) {
        self.each(|queue| {
            if !queue.push(frame.clone()) {
                METRICS.resync(Resync::Overflow);
                tracing::debug!("a client is too slow; it gets an init");
            }
        });
    }

    /// Calls `act` for every client still there, and forgets the others.
    fn each(&mut self, act: impl Fn(&Queue)) {
        self.clients.retain(|client| {
            client.upgrade().is_some_and(|queue| {
                act(&queue);
                true
            })
        });
    }
}

/// The entry as a scope sees it, or `None` if it sees nothing of it.
pub fn delta_of(entry: &Entry, scope: &Scope, head: Head, prev: u64) -> Option<Delta> {
    let changes: Vec<_> =
        entry.transaction.changes.iter().filter_map(|change| scope.of_change(change)).collect();
    let at = Head { version: entry.version, chain: entry.chain, ..head };
    (!changes.is_empty()).then(|| Delta {
        prev,
        version: entry.version,
        position: at.position(scope.revision()).token(),
        at: entry.transaction.at,
        actor: entry.transaction.actor.clone(),
        changes,
    })
}

pub fn delta_frame(delta: &Delta) -> Bytes {
    json_frame("delta", Some(&delta.position), delta)
}

fn full_state(fleet: &Fleet, head: Head, scope: &Scope) -> FullState {
    FullState {
        position: head.position(scope.revision()).token(),
        version: head.version,
        state: scope.of_fleet(fleet),
    }
}

fn sync_frame(prev: u64, head: Head, scope: &Scope, at: Timestamp, digest: Option<Digest>) -> Bytes {
    let position = head.position(scope.revision()).token();
    let sync = Sync { prev, version: head.version, position, server_time: at, digest };
    json_frame("sync", Some(&sync.position), &sync)
}

fn telemetry_frame(
    scope: &Scope,
    fleet: &Fleet,
    items: &[Telemetry],
    hosts: &[HostTelemetry],
    at: Timestamp,
) -> Bytes {
    let workers = items.iter().map(|item| in_scope(item, scope, fleet)).collect();
    let hosts = if scope.sees_hosts() { hosts.to_vec() } else { Vec::new() };
    json_frame("telemetry", None, &TelemetryBatch { server_time: at, workers, hosts })
}

/// Figures without those of nets and labs that a scope does not see.
pub fn in_scope(item: &Telemetry, scope: &Scope, fleet: &Fleet) -> Telemetry {
    let mut item = item.clone();
    if *scope != Scope::Fleet {
        item.nets.retain(|net| fleet.net(net.id).is_some_and(|net| scope.sees_project(net.project_id)));
        item.labs.retain(|lab| fleet.lab(lab.id).is_some_and(|lab| scope.sees_project(lab.project_id)));
    }
    item
}

/// The last frame of a stream whose user may see or do something else now: come back at once.
pub fn changed_frame() -> Bytes {
    json_frame("shutdown", None, &Shutdown { spread_ms: 0 })
}

fn json_frame<T: Serialize>(event: &str, id: Option<&Token>, data: &T) -> Bytes {
    let json =
        serde_json::to_string(data).expect("messages are plain data: no map keys, no failing serialiser");
    Bytes::from(frame(event, id.map(|token| token.0.as_str()), &json))
}

/// A registered client: a stream of bytes that are whole frames.
pub struct Subscription {
    hub: Hub,
    scope: Scope,
    queue: Arc<Queue>,
    head: Head,
    /// Sent before anything of the queue.
    front: Vec<Bytes>,
    sends_board: bool,
}

impl Subscription {
    /// Where the hub was when this client was registered: a replay leads up to here.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Greets the client, who has these roles.
    pub fn connected(mut self, stream_id: &str, roles: &Roles) -> Subscription {
        let connected = Connected {
            stream_id: stream_id.to_owned(),
            instance: self.hub.settings.instance.clone(),
            server_time: self.hub.now(),
            sync_interval_ms: SYNC_EVERY.as_millis() as u64,
            digest_interval_ms: self.hub.settings.digest_every.as_millis() as u64,
            roles: roles.clone(),
        };
        self.front.push(json_frame("connected", None, &connected));
        self
    }

    /// Puts what the client missed in front: the deltas after `from`, then the beacon that says it is complete.
    pub fn replay(mut self, from: u64, missed: &[Entry]) -> Subscription {
        let mut prev = from;
        for entry in missed {
            if let Some(delta) = delta_of(entry, &self.scope, self.head, prev) {
                prev = delta.version;
                self.front.push(delta_frame(&delta));
            }
        }
        self.front.push(sync_frame(prev, self.head, &self.scope, self.hub.now(), None));
        self
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Stream for Subscription {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if !self.front.is_empty() {
            let front = std::mem::take(&mut self.front);
            return Poll::Ready(Some(front.concat().into()));
        }
        let taken = match ready!(self.queue.poll_take(context)) {
            Taken::Frames(frames) => Some(frames),
            Taken::NeedsInit => Some(self.hub.init_frame(&self.scope)),
            Taken::NeedsBoard => Some(self.hub.board_frame(&self.scope)),
            Taken::Closed => None,
        };
        if std::mem::take(&mut self.sends_board) {
            // The first frames bring the figures along: nobody looks at dashes for a second.
            let board = self.hub.board_frame(&self.scope);
            return Poll::Ready(taken.map(|frames| [frames, board].concat().into()));
        }
        Poll::Ready(taken)
    }
}
