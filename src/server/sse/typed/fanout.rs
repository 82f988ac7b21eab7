//! Hands each event to every client that wants it, as the hub takes it from the journal.

use super::{
    HEARTBEAT,
    filter::Filter,
    message::{Around, Message},
    replay::Replay,
    vocabulary::Vocabulary,
};
use crate::{
    model::{Fleet, HostTelemetry, Telemetry, Timestamp},
    server::{
        clock::Clock,
        sse::{
            hub::{SYNC_EVERY, in_scope},
            queue::{Limits, Queue},
        },
        storage::ledger::Head,
    },
    sync::{Scope, journal::Entry},
};
use bytes::{Bytes, BytesMut};
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

/// The clients of the typed streams. The hub owns it and tells it everything, in order.
#[derive(Clone)]
pub struct Typed {
    state: Arc<Mutex<State>>,
    limits: Limits,
    clock: Clock,
}

struct State {
    head: Head,
    /// Clients of one scope and one vocabulary get the same bytes.
    groups: BTreeMap<(Scope, Vocabulary), Vec<Client>>,
    /// Beacons of the hub since the last heartbeat. Counted rather than timed: the wall clock may be set back.
    beacons: u32,
    closing: bool,
}

struct Client {
    filter: Arc<Filter>,
    queue: Weak<Queue>,
}

/// A registered client.
pub struct Subscription {
    /// Where the stream was when this client was registered: a replay leads up to here.
    pub head: Head,
    /// Sent before anything else.
    pub front: Option<Bytes>,
    /// What it missed, sent before anything of the queue.
    pub replay: Option<Replay>,
    pub queue: Arc<Queue>,
    vocabulary: Vocabulary,
    clock: Clock,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Subscription {
    /// The end of a stream whose client does not keep up.
    pub fn too_slow(&self) -> Bytes {
        tracing::info!("a client of the event stream is too slow; its stream ends");
        let detail = "This client was too slow. Come back with the id of the last event; nothing is lost.";
        self.vocabulary.notice("system.sse.overflow", None, self.clock.now(), json!({"detail": detail}))
    }
}

/// The id of the event that is the `index`th change of its transaction; without an index, everything up to there.
pub fn id(head: Head, scope: &Scope, index: Option<usize>) -> String {
    let position = head.position(scope.revision());
    match index {
        Some(index) => format!("{position}:{index}"),
        None => position.to_string(),
    }
}

/// The frames of a transaction for a scope, in a vocabulary, each with its message.
pub fn frames<'a>(
    around: &'a Around<'a>,
    head: Head,
    scope: &'a Scope,
    vocabulary: Vocabulary,
) -> impl Iterator<Item = (usize, Message, Bytes)> + 'a {
    let at = Head { version: around.entry.version, chain: around.entry.chain, ..head };
    around.entry.transaction.changes.iter().enumerate().filter_map(move |(index, change)| {
        let message = Message::of(&scope.of_change(change)?, around)?;
        let frame = vocabulary.frame(&message, Some(&id(at, scope, Some(index))))?;
        Some((index, message, frame))
    })
}

impl Typed {
    pub fn new(head: Head, limits: Limits, clock: Clock) -> Typed {
        let state = State { head, groups: BTreeMap::new(), beacons: 0, closing: false };
        Typed { state: Arc::new(Mutex::new(state)), limits, clock }
    }

    /// Registers a client: from now on its queue gets every event that it wants.
    pub fn subscribe(&self, scope: &Scope, vocabulary: Vocabulary, filter: Arc<Filter>) -> Subscription {
        let mut state = self.lock();
        let queue = Arc::new(Queue::new(self.limits));
        if state.closing {
            queue.close();
        }
        let client = Client { filter, queue: Arc::downgrade(&queue) };
        state.groups.entry((scope.clone(), vocabulary)).or_default().push(client);
        Subscription {
            head: state.head,
            front: None,
            replay: None,
            queue,
            vocabulary,
            clock: self.clock.clone(),
        }
    }

    /// The next entry of the journal, and the fleet before it.
    pub fn on_entry(&self, entry: &Entry, head: Head, before: &Fleet) {
        let mut state = self.lock();
        let around = Around { fleet: before, entry };
        for ((scope, vocabulary), clients) in &mut state.groups {
            clients.retain(|client| client.queue.strong_count() > 0);
            if clients.is_empty() {
                continue;
            }
            for (_, message, frame) in frames(&around, head, scope, *vocabulary) {
                for client in clients.iter().filter(|client| client.filter.holds(&message)) {
                    client.push(&frame);
                }
            }
        }
        state.head = head;
    }

    /// The journal does not continue what was told before.
    pub fn on_reset(&self, head: Head) {
        let at = self.clock.now();
        let mut state = self.lock();
        state.head = head;
        for ((scope, vocabulary), clients) in &mut state.groups {
            let frame = gap(*vocabulary, Some(&id(head, scope, None)), at, Gap::Restored);
            clients.iter().for_each(|client| client.push(&frame));
        }
    }

    /// The hub's beacon, every [`SYNC_EVERY`]: the heartbeat is one in several. It carries an id, so that a client to whom nothing happens does
    /// not fall behind what the journal keeps.
    pub fn on_beacon(&self) {
        let at = self.clock.now();
        let mut state = self.lock();
        state.beacons += 1;
        if SYNC_EVERY * state.beacons < HEARTBEAT {
            return;
        }
        state.beacons = 0;
        let head = state.head;
        for ((scope, vocabulary), clients) in &mut state.groups {
            clients.retain(|client| client.queue.strong_count() > 0);
            let frame = vocabulary.notice("heartbeat", Some(&id(head, scope, None)), at, json!({}));
            clients.iter().for_each(|client| client.push(&frame));
        }
        state.groups.retain(|_, clients| !clients.is_empty());
    }

    /// Figures that are new: no ids, no replay, and the latest wins.
    pub fn on_figures(&self, workers: &[Telemetry], hosts: &[HostTelemetry], fleet: &Fleet) {
        let state = self.lock();
        // Other vocabularies have no words for them.
        let groups = state.groups.iter().filter(|((_, vocabulary), _)| *vocabulary == Vocabulary::Named);
        for ((scope, vocabulary), clients) in groups {
            let of_workers = workers
                .iter()
                .map(|figures| Message::of_worker_figures(&in_scope(figures, scope, fleet), fleet));
            let of_hosts = hosts.iter().filter(|_| scope.sees_hosts()).map(Message::of_host_figures);
            let messages: Vec<(Message, Bytes)> = of_workers
                .chain(of_hosts)
                .filter_map(|message| vocabulary.frame(&message, None).map(|frame| (message, frame)))
                .collect();
            let mut all = None;
            for client in clients {
                let Some(queue) = client.queue.upgrade() else { continue };
                // Who filters nothing gets the same bytes as the others who do not.
                let batch = match client.filter.is_empty() {
                    true => all.get_or_insert_with(|| concat(&messages, |_| true)).clone(),
                    false => concat(&messages, |message| client.filter.holds(message)),
                };
                if !batch.is_empty() {
                    queue.set_telemetry(batch);
                }
            }
        }
    }

    /// Tells every client that the server goes down, and ends the streams.
    pub fn shut_down(&self, spread: Duration) {
        let at = self.clock.now();
        let mut state = self.lock();
        state.closing = true;
        for ((_, vocabulary), clients) in &mut state.groups {
            let spread = json!({"spread_ms": spread.as_millis() as u64});
            let frame = vocabulary.notice("system.sse.shutdown", None, at, spread);
            for queue in clients.iter().filter_map(|client| client.queue.upgrade()) {
                queue.push(frame.clone());
                queue.close();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock leaves a change half-way; a panic in a serialiser would be a bug.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    fn push(&self, frame: &Bytes) {
        if let Some(queue) = self.queue.upgrade() {
            // One that overflows ends, and comes back for the rest.
            queue.push(frame.clone());
        }
    }
}

fn concat(messages: &[(Message, Bytes)], wanted: impl Fn(&Message) -> bool) -> Bytes {
    let mut all = BytesMut::new();
    messages
        .iter()
        .filter(|(message, _)| wanted(message))
        .for_each(|(_, frame)| all.extend_from_slice(frame));
    all.freeze()
}

/// Why events are missing from here back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The journal does not keep them any more.
    Trimmed,
    /// The id is of another database, of one that was restored, or of none.
    Restored,
    /// The client may not see the same as before.
    OtherScope,
}

/// "Events are missing here", and what is true now is to be read from the API. The stream goes on at `id`, if what follows is not replayed.
pub fn gap(vocabulary: Vocabulary, id: Option<&str>, at: Timestamp, why: Gap) -> Bytes {
    let (reason, detail) = match why {
        Gap::Trimmed => ("trimmed", "The journal does not reach back that far."),
        Gap::Restored => ("unknown_id", "The id is not of this database, or the database was restored."),
        Gap::OtherScope => ("scope_changed", "What you may see has changed."),
    };
    let detail = format!("{detail} Events are missing here; read what is true now from the API.");
    vocabulary.notice("system.sse.gap", id, at, json!({"reason": reason, "detail": detail}))
}
