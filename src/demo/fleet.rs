//! The fleet behind the doors: its rows and their history, and the streams that follow it.

use super::machines::Machines;
use crate::{
    model::{
        Actor, DefinitionHash, Draft, Fleet, History, NetId, Role, Roles, Telemetry, Timestamp, UserId,
        VersionRow, WorkerId,
    },
    petri::{PetriNet, report::BuildReport},
    sync::{
        Delta, FullState, Position, Scope, Sync,
        digest::Digest,
        journal::{Chain, Transaction},
        message::{Connected, TelemetryBatch},
        sse,
    },
};
use futures::channel::mpsc::UnboundedSender;
use gloo_timers::callback::Interval;
use serde::Serialize;
use std::{
    cell::{Cell, Ref, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::Arc,
};
use uuid::Uuid;

/// A `sync` this often, and every so many of them with a digest; what the real server does.
const SYNC_MS: u32 = 5_000;
const DIGEST_EVERY: u32 = 6;

/// One page's fleet. Cheap to clone: all clones are the same one.
#[derive(Clone)]
pub struct Demo(Rc<Inside>);

pub struct Inside {
    epoch: u64,
    ledger: RefCell<Ledger>,
    /// Open streams of `/api/sync`. Those that the page gave up are dropped when they are written to.
    streams: RefCell<Vec<Stream>>,
    pub machines: RefCell<Machines>,
    /// Every net ever added, read.
    pub definitions: RefCell<HashMap<DefinitionHash, Arc<PetriNet>>>,
    /// The versions that each net ever had, oldest first; how their builds stand is looked up.
    pub versions: RefCell<HashMap<NetId, Vec<VersionRow>>>,
    /// What the last build of a version found, by net and number.
    pub reports: RefCell<HashMap<(NetId, u32), BuildReport>>,
    pub telemetry: RefCell<HashMap<WorkerId, Telemetry>>,
    pub histories: RefCell<HashMap<WorkerId, History>>,
    pub signed_in: Cell<bool>,
    beacons: Cell<u32>,
    _beacon: RefCell<Option<Interval>>,
}

#[derive(Default)]
struct Ledger {
    fleet: Fleet,
    version: u64,
    chain: Chain,
}

/// Where the frames of one stream go.
pub type Stream = UnboundedSender<String>;

impl Demo {
    pub fn new() -> Demo {
        let epoch = Uuid::new_v4().as_u64_pair().0;
        let demo = Demo(Rc::new(Inside {
            epoch,
            ledger: RefCell::default(),
            streams: RefCell::default(),
            machines: RefCell::default(),
            definitions: RefCell::default(),
            versions: RefCell::default(),
            reports: RefCell::default(),
            telemetry: RefCell::default(),
            histories: RefCell::default(),
            signed_in: Cell::new(true),
            beacons: Cell::new(0),
            _beacon: RefCell::default(),
        }));
        let weak = Rc::downgrade(&demo.0);
        let beacon = Interval::new(SYNC_MS, move || {
            if let Some(inside) = weak.upgrade() {
                Demo(inside).beacon();
            }
        });
        *demo.0._beacon.borrow_mut() = Some(beacon);
        demo
    }

    /// Who acts in the demo. The address differs from page to page: each has a fleet of its own, and must not share a stream.
    pub fn operator(&self) -> Actor {
        Actor::User { id: UserId(Uuid::from_u64_pair(self.epoch, 1)), name: "You".to_owned() }
    }

    pub fn email(&self) -> String {
        format!("you-{:04x}@demo.invalid", self.epoch & 0xffff)
    }

    pub fn fleet(&self) -> Ref<'_, Fleet> {
        Ref::map(self.ledger.borrow(), |ledger| &ledger.fleet)
    }

    pub fn position(&self) -> Position {
        let ledger = self.ledger.borrow();
        let (version, chain) = (ledger.version, ledger.chain.short());
        Position { epoch: self.epoch, version, chain, scope: Scope::Fleet.revision() }
    }

    /// One transaction: `decide` refuses or writes. What it writes is one version and one frame on every stream.
    pub fn transact<T, E>(
        &self,
        actor: Actor,
        decide: impl FnOnce(&mut Draft) -> Result<T, E>,
    ) -> Result<T, E> {
        let now = now();
        let (value, changes) = {
            let ledger = self.ledger.borrow();
            let mut draft = Draft::new(&ledger.fleet, actor.clone(), now);
            let value = decide(&mut draft)?;
            (value, draft.finish())
        };
        if changes.is_empty() {
            return Ok(value);
        }
        let prev = self.ledger.borrow().version;
        {
            let mut ledger = self.ledger.borrow_mut();
            ledger.fleet.apply_all(&changes);
            ledger.version += 1;
            let transaction = Transaction { at: now, actor: actor.clone(), changes: changes.clone() };
            let payload = json(&transaction);
            ledger.chain = ledger.chain.then(ledger.version, &payload);
        }
        let position = self.position();
        let delta =
            Delta { prev, version: position.version, position: position.token(), at: now, actor, changes };
        self.tell("delta", &delta);
        Ok(value)
    }

    pub fn full(&self) -> FullState {
        let position = self.position();
        FullState {
            position: position.token(),
            version: position.version,
            state: self.ledger.borrow().fleet.clone(),
        }
    }

    /// Begins a stream for a page that is at `since`.
    pub fn follow(&self, stream: Stream, since: Option<&str>) {
        let position = self.position();
        let connected = Connected {
            stream_id: Uuid::new_v4().to_string(),
            instance: format!("demo-{:x}", self.epoch),
            server_time: now(),
            sync_interval_ms: u64::from(SYNC_MS),
            digest_interval_ms: u64::from(SYNC_MS * DIGEST_EVERY),
            roles: Roles { fleet: Some(Role::Admin), ..Roles::default() },
        };
        send(&stream, "connected", &connected);
        // There is no journal to replay from: whoever is elsewhere gets the whole state.
        if since != Some(position.to_string().as_str()) {
            send(&stream, "init", &self.full());
        }
        send(&stream, "sync", &self.sync(true));
        let workers = self.telemetry.borrow().values().cloned().collect();
        send(&stream, "telemetry", &TelemetryBatch { server_time: now(), workers, hosts: Vec::new() });
        self.streams.borrow_mut().push(stream);
    }

    pub fn tell_telemetry(&self, workers: Vec<Telemetry>) {
        self.tell("telemetry", &TelemetryBatch { server_time: now(), workers, hosts: Vec::new() });
    }

    fn beacon(&self) {
        let count = self.beacons.get();
        self.beacons.set(count.wrapping_add(1));
        self.tell("sync", &self.sync(count.is_multiple_of(DIGEST_EVERY)));
    }

    fn sync(&self, with_digest: bool) -> Sync {
        let position = self.position();
        Sync {
            prev: position.version,
            version: position.version,
            position: position.token(),
            server_time: now(),
            digest: with_digest.then(|| Digest::of(&self.ledger.borrow().fleet)),
        }
    }

    fn tell(&self, event: &str, data: &impl Serialize) {
        let frame = frame(event, data);
        self.streams.borrow_mut().retain(|stream| stream.unbounded_send(frame.clone()).is_ok());
    }
}

impl std::ops::Deref for Demo {
    type Target = Inside;
    fn deref(&self) -> &Inside {
        &self.0
    }
}

pub fn send(stream: &Stream, event: &str, data: &impl Serialize) {
    _ = stream.unbounded_send(frame(event, data));
}

fn frame(event: &str, data: &impl Serialize) -> String {
    sse::frame(event, None, &json(data))
}

/// Every type that is sent here is one that the real server sends as JSON.
pub fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a wire type is JSON")
}

pub fn now() -> Timestamp {
    Timestamp(js_sys::Date::now() as u64)
}
