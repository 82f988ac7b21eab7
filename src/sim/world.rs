//! A run: processes, clients and a network under one seed.

use super::{
    check::{Guarantee, History, Violation, violated},
    client::{By, Client, Connection, Fetch, PIPE, Stage},
    dice::Dice,
    plant::{Break, Tamper},
    process::{Opened, Process, Wrote},
    storage::{Content, Disk},
    work,
};
use crate::{
    model::{Change, EventId, Timestamp},
    server::{clock::Clock, storage::ledger::Head},
    sync::{
        Close, Effect, FullState, Message, Position, Replica, Scope, Status,
        sse::{Parser, SseEvent},
    },
};
use futures::Stream;
use std::{
    fmt,
    ops::AddAssign,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Poll, Waker},
};

/// What can go wrong from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    Cut,
    HalfOpen,
    Slow,
    Frames,
    Sleep,
    Offline,
    Membership,
    Leave,
    Lag,
    Kill,
    Stop,
    Restore,
    WallClock,
}

impl Fault {
    pub const ALL: [Fault; 13] = [
        Fault::Cut,
        Fault::HalfOpen,
        Fault::Slow,
        Fault::Frames,
        Fault::Sleep,
        Fault::Offline,
        Fault::Membership,
        Fault::Leave,
        Fault::Lag,
        Fault::Kill,
        Fault::Stop,
        Fault::Restore,
        Fault::WallClock,
    ];
}

/// What is run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub plant: Option<Break>,
    pub faults: Vec<Fault>,
    pub clients: usize,
    /// Whether to tell what happened.
    pub tell: bool,
    /// Whether to keep the bytes of every stream.
    pub record: bool,
}

impl Plan {
    pub fn new(seed: u64) -> Plan {
        Plan { seed, plant: None, faults: Fault::ALL.to_vec(), clients: 4, tell: false, record: false }
    }
}

#[derive(Clone, Debug)]
pub struct Failure {
    pub violation: Violation,
    pub client: Option<usize>,
    pub at: u64,
    /// The last of what happened, oldest first; empty unless the plan asks for it.
    pub story: Vec<String>,
}

/// What a run did, to see that it went to the edges.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub versions: u64,
    pub shown: u64,
    pub inits: u64,
    pub resumed: u64,
    pub fetches: u64,
    pub kills: u64,
    pub restores: u64,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Figures) {
        self.versions += other.versions;
        self.shown += other.shown;
        self.inits += other.inits;
        self.resumed += other.resumed;
        self.fetches += other.fetches;
        self.kills += other.kills;
        self.restores += other.restores;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { versions, shown, inits, resumed, fetches, kills, restores } = self;
        write!(
            f,
            "{versions} commits, {shown} messages, {inits} inits, {resumed} resumed, {fetches} states fetched, {kills} kills, {restores} restores"
        )
    }
}

/// The bytes of a stream, whole frames, and who it was for.
pub type Recording = (Scope, Vec<u8>);

pub struct World {
    plan: Plan,
    dice: Dice,
    /// The monotonic clock, milliseconds.
    now: u64,
    /// The wall clock, milliseconds; it may jump.
    wall: Arc<AtomicI64>,
    disk: Disk,
    backups: Vec<Content>,
    processes: Vec<Option<Process>>,
    /// When a process that is down comes back, and its life.
    returns: Vec<(u64, u64)>,
    clients: Vec<Client>,
    history: History,
    answered: Vec<Head>,
    wanted: usize,
    last_restore: Option<u64>,
    /// Durable heads and since when, for the age of what is shown.
    heads: Vec<(u64, u64)>,
    pub figures: Figures,
    pub recordings: Vec<Recording>,
    story: Vec<String>,
}

const CHAOS: u64 = 60_000;
const QUIET: u64 = 75_000;
/// No frame and no answer is under way for longer.
const LATEST: u64 = 2_000;
/// What is shown by a client that says connected is no older: the proof, the way of a frame, the steps of the server.
const OLDEST: u64 = 17_500 + LATEST + 4_000;
const PATIENCE: u64 = 2_000;
const START: i64 = 1_700_000_000_000;

impl World {
    pub fn new(plan: Plan) -> World {
        let mut dice = Dice::new(plan.seed);
        let mut disk = Disk::new(Content::new(dice.between(1, u64::MAX / 2)));
        disk.shows_staged = plan.plant == Some(Break::PublishBeforeDurable);
        let clients = plan.clients;
        let mut world = World {
            plan,
            dice,
            now: 1_000,
            wall: Arc::new(AtomicI64::new(START)),
            disk,
            backups: Vec::new(),
            processes: vec![None, None],
            returns: vec![(0, 0), (0, 0)],
            clients: Vec::new(),
            history: History::new(),
            answered: Vec::new(),
            wanted: 0,
            last_restore: None,
            heads: vec![(0, 0)],
            figures: Figures::default(),
            recordings: Vec::new(),
            story: Vec::new(),
        };
        world.start_process(0);
        world.start_process(1);
        for _ in 0..clients {
            let scope = world.random_scope();
            world.clients.push(Client::new(Replica::empty(), scope, 0));
        }
        world
    }

    /// Runs to the end or to the first guarantee that does not hold.
    pub fn run(mut self) -> Result<World, Box<Failure>> {
        let quiet = self.now + CHAOS;
        let end = quiet + QUIET;
        while self.now < end {
            let chaos = self.now < quiet;
            if chaos && self.dice.per_mille(4) {
                self.fault();
            }
            let step = self.dice.below(if chaos { 12 } else { 8 });
            self.step(step)?;
            if self.dice.per_mille(90) {
                self.pass_time(chaos)?;
            }
        }
        self.converged()?;
        self.keep_recordings();
        Ok(self)
    }

    fn step(&mut self, step: usize) -> Result<(), Box<Failure>> {
        let process = self.dice.below(2);
        let client = self.dice.below(self.clients.len());
        match step {
            0 => self.write(process)?,
            1 | 8 => self.follow(process),
            2 | 9 => self.publish(process),
            3 | 4 | 10 => self.serve(client)?,
            5 | 6 | 11 => self.deliver(client)?,
            _ => self.fetch(client)?,
        }
        Ok(())
    }

    // ---- time ----

    fn pass_time(&mut self, chaos: bool) -> Result<(), Box<Failure>> {
        let longest = if self.dice.per_mille(50) { 500 } else { 120 };
        let passes = self.dice.between(1, longest);
        self.now += passes;
        self.wall.fetch_add(passes as i64, Ordering::Relaxed);
        if self.dice.per_mille(if chaos { 130 } else { 60 }) && self.wanted < 8 && self.now < CHAOS + 30_000 {
            self.wanted += 1;
        }
        for index in 0..2 {
            self.pass_time_at_process(index);
        }
        // Nothing on the server takes longer than this, however the dice fall.
        if self.dice.per_mille(60) {
            for index in 0..2 {
                while self.follows(index) {}
                while self.publishes(index) {}
            }
        }
        for index in 0..self.clients.len() {
            self.pass_time_at_client(index)?;
        }
        Ok(())
    }

    fn pass_time_at_process(&mut self, index: usize) {
        let (at, _) = self.returns[index];
        match &mut self.processes[index] {
            None if at <= self.now => self.start_process(index),
            None => {}
            Some(process) => {
                if process.next_beacon <= self.now {
                    process.beacon(self.now);
                    self.tell(None, || format!("process {index} sends beacons"));
                }
                if self.processes[index]
                    .as_ref()
                    .and_then(|process| process.stops_at)
                    .is_some_and(|at| at <= self.now)
                {
                    self.end_process(index, true);
                }
            }
        }
    }

    fn pass_time_at_client(&mut self, index: usize) -> Result<(), Box<Failure>> {
        let now = self.now;
        let client = &mut self.clients[index];
        if let Some(until) = client.asleep_until {
            if until > now {
                return Ok(());
            }
            client.asleep_until = None;
            self.tell(Some(index), || "wakes".to_owned());
            let client = &mut self.clients[index];
            let effects = match client.replica.status() {
                Status::Connected | Status::Connecting => client.replica.retry_now(now),
                _ => client.replica.retry_now(now),
            };
            self.run_effects(index, effects)?;
        }
        let silent = self.plan.plant == Some(Break::IgnoreSilence);
        let client = &mut self.clients[index];
        let due = client.replica.next_tick().is_some_and(|at| at <= now);
        if due && !(silent && *client.replica.status() == Status::Connected) {
            let jitter = self.dice.unit();
            let effects = self.clients[index].replica.tick(now, jitter);
            self.run_effects(index, effects)?;
        }
        let checked = self.clients[index].check_time(now).and_then(|()| self.fresh(index));
        self.hold(checked, Some(index))
    }

    /// What a client that says connected shows is not older than can be helped.
    fn fresh(&self, index: usize) -> Result<(), Violation> {
        let client = &self.clients[index];
        let restored = self.last_restore.is_some_and(|at| at + OLDEST > self.now);
        if client.asleep_until.is_some() || *client.replica.status() != Status::Connected || restored {
            return Ok(());
        }
        let must = self.heads.iter().rev().find(|(at, _)| at + OLDEST <= self.now).map_or(0, |head| head.1);
        match client.replica.version() {
            Some(version) if version < must => violated(
                Guarantee::NeverSilentlyStale,
                format!(
                    "it says connected and shows version {version}; {must} is older than {} s",
                    OLDEST / 1_000
                ),
            ),
            _ => Ok(()),
        }
    }

    // ---- the server ----

    fn clock(&self) -> Clock {
        let wall = self.wall.clone();
        Clock::new(move || Timestamp(wall.load(Ordering::Relaxed) as u64))
    }

    fn server_time(&self) -> Timestamp {
        Timestamp(self.wall.load(Ordering::Relaxed) as u64)
    }

    fn start_process(&mut self, index: usize) {
        self.returns[index].1 += 1;
        let life = self.returns[index].1;
        let name = format!("process-{index}-{life}");
        let process = Process::start(name, &self.disk, self.clock(), self.now, self.plan.plant);
        let version = process.hub.head().version;
        self.processes[index] = Some(process);
        self.tell(None, || format!("process {index} starts at version {version}"));
    }

    /// The process is gone; its sockets are closed by the system.
    fn end_process(&mut self, index: usize, orderly: bool) {
        let Some(process) = self.processes[index].take() else { return };
        if process.commits() {
            let reached = orderly || self.dice.per_mille(300);
            self.disk.crash(reached);
            if reached {
                self.became_durable();
            }
        }
        self.returns[index].0 = self.now + self.dice.between(200, 6_000);
        for client in &mut self.clients {
            if let Some(connection) = &mut client.connection
                && connection.process == index
            {
                connection.stage = Stage::Closed;
                connection.ended = true;
            }
        }
        self.tell(None, || format!("process {index} ends, orderly: {orderly}"));
    }

    fn write(&mut self, index: usize) -> Result<(), Box<Failure>> {
        let at = self.server_time();
        let group = self.dice.between(1, 3) as usize;
        let Some(process) = &mut self.processes[index] else { return Ok(()) };
        let before = self.disk.content().head;
        let decisions = if process.stops_at.is_some() { 0 } else { self.wanted.min(group) };
        match process.write(&mut self.disk, decisions, at, &mut self.dice, &mut self.answered) {
            Wrote::Nothing => {}
            Wrote::Staged(entries) => {
                self.wanted -= decisions;
                let mut chain = before.chain;
                for (entry, fleet) in &entries {
                    self.history.staged(chain, entry, fleet.clone());
                    chain = entry.chain;
                }
                let versions = entries.last().map(|(entry, _)| entry.version);
                self.tell(None, || format!("process {index} commits up to {versions:?}"));
            }
            Wrote::Synced => self.became_durable(),
        }
        Ok(())
    }

    fn became_durable(&mut self) {
        let head = self.disk.content().head;
        self.history.durable(head.chain);
        self.heads.push((self.now, head.version));
        self.figures.versions += 1;
        self.tell(None, || format!("version {} is durable", head.version));
        if self.dice.per_mille(60) {
            self.backups.push(self.disk.content().clone());
        }
    }

    fn follows(&mut self, index: usize) -> bool {
        let process = self.processes[index].as_mut().filter(|process| process.lags_until <= self.now);
        process.is_some_and(|process| process.follow(&self.disk))
    }

    fn publishes(&mut self, index: usize) -> bool {
        self.processes[index].as_mut().is_some_and(Process::publish)
    }

    fn follow(&mut self, index: usize) {
        self.follows(index);
    }

    fn publish(&mut self, index: usize) {
        if self.publishes(index) {
            let version = self.processes[index].as_ref().map(|process| process.hub.head().version);
            self.tell(None, || format!("the hub of process {index} is at {version:?}"));
        }
    }

    /// The server's end of a client's connection: opens it, or moves what waits into the pipe.
    fn serve(&mut self, index: usize) -> Result<(), Box<Failure>> {
        let now = self.now;
        let Some(mut connection) = self.clients[index].connection.take() else { return Ok(()) };
        match &mut connection.stage {
            Stage::Opening { at, deadline } if *at <= now => {
                let (_, life) = self.returns[connection.process];
                let late = *deadline <= now;
                match &self.processes[connection.process] {
                    Some(process) if process.stops_at.is_none() => {
                        let since = connection.since.as_ref().and_then(|token| token.0.parse().ok());
                        let client = &self.clients[index];
                        connection.scope = client.scope.clone();
                        let scope = match self.plan.plant {
                            Some(Break::LeakScope) => &client.former_scope,
                            _ => &client.scope,
                        };
                        match process.open(&self.disk, scope, since) {
                            Opened::Resumed(subscription) => {
                                self.figures.resumed += 1;
                                (connection.stage, connection.life) = (Stage::Open(subscription), life);
                            }
                            Opened::Stream(subscription) => {
                                (connection.stage, connection.life) = (Stage::Open(subscription), life);
                            }
                            Opened::NotYet if late => connection.refuse(),
                            Opened::NotYet => {}
                        }
                    }
                    _ => connection.refuse(),
                }
            }
            Stage::Open(subscription) if connection.piped < PIPE => {
                match Pin::new(subscription).poll_next(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(Some(bytes)) => {
                        let mut bytes = bytes.to_vec();
                        if let Some(tamper) = &mut connection.tamper {
                            let head = self.disk.content().head;
                            tamper.ahead = (head.position(connection.scope.revision()).token(), head.version);
                            bytes = tamper.frames(&bytes);
                        }
                        let late = if self.dice.per_mille(30) { LATEST } else { 60 };
                        let last = connection.pipe.back().map_or(0, |(at, _)| *at);
                        let at = last.max(now + self.dice.between(0, late));
                        connection.piped += bytes.len();
                        if self.plan.record {
                            connection.recording.extend_from_slice(&bytes);
                        }
                        connection.pipe.push_back((at, bytes));
                    }
                    Poll::Ready(None) => (connection.stage, connection.ended) = (Stage::Closed, true),
                    Poll::Pending => {}
                }
            }
            Stage::Open(_) | Stage::Opening { .. } | Stage::Closed => {}
        }
        self.clients[index].connection = Some(connection);
        Ok(())
    }

    // ---- the client ----

    /// The client's end: bytes arrive, cut anywhere, or the end of the stream.
    fn deliver(&mut self, index: usize) -> Result<(), Box<Failure>> {
        let now = self.now;
        if self.clients[index].asleep_until.is_some() {
            return Ok(());
        }
        let client = &mut self.clients[index];
        let Some(connection) = &mut client.connection else { return Ok(()) };
        if connection.half_open || connection.drain_until > now {
            return Ok(());
        }
        let Some((at, bytes)) = connection.pipe.front_mut() else {
            if connection.ended {
                let refused = connection.refused;
                client.connection = None;
                let close = match refused {
                    true => Close::Refused { status: 503, retry_after: None },
                    false => Close::Broken,
                };
                self.tell(Some(index), || format!("stream closed: {close:?}"));
                let jitter = self.dice.unit();
                let effects = self.clients[index].replica.on_close(close, now, jitter);
                return self.run_effects(index, effects);
            }
            return Ok(());
        };
        if *at > now {
            return Ok(());
        }
        let cut = match self.dice.per_mille(700) {
            true => bytes.len(),
            false => 1 + self.dice.below(bytes.len()),
        };
        let rest = bytes.split_off(cut.min(bytes.len()));
        let taken = std::mem::replace(bytes, rest);
        if bytes.is_empty() {
            connection.pipe.pop_front();
        }
        connection.piped -= taken.len();
        let lossy = connection.lossy;
        let stream = connection.number;
        let mut events = Vec::new();
        client.parser.push(&taken, &mut events);
        for event in events {
            let current = |world: &World| {
                world.clients[index].connection.as_ref().is_some_and(|connection| connection.number == stream)
            };
            if !current(self) {
                break;
            }
            if lossy && self.dice.per_mille(100) {
                // Whole frames are lost: no TCP does this, a bug in a proxy or in us might.
                if let Some(connection) = &mut self.clients[index].connection {
                    connection.faulty = true;
                }
                self.tell(Some(index), || format!("loses a frame: {}", event.event));
                continue;
            }
            self.message(index, &event)?;
        }
        Ok(())
    }

    fn message(&mut self, index: usize, event: &SseEvent) -> Result<(), Box<Failure>> {
        let now = self.now;
        let message = match Message::parse(&event.event, &event.data) {
            None => {
                let checked = violated(Guarantee::Ordered, format!("a frame called {:?}", event.event));
                return self.hold(checked, Some(index));
            }
            Some(Err(error)) => {
                let checked = violated(Guarantee::Ordered, format!("a frame that cannot be read: {error}"));
                return self.hold(checked, Some(index));
            }
            Some(Ok(message)) => message,
        };
        self.tell(Some(index), || brief(&message));
        let restored = self.last_restore.is_some_and(|at| at + OLDEST > now);
        let resumable = self.clients[index].connection.as_ref().is_some_and(|connection| {
            let since = connection.since.as_ref().and_then(|since| since.0.parse::<Position>().ok());
            since.is_some_and(|since| {
                since.scope == connection.scope.revision()
                    && self
                        .disk
                        .content()
                        .chain_at(since.version)
                        .is_some_and(|chain| chain.short() == since.chain)
            })
        });
        let checked = self.clients[index].check_message(&message, restored, resumable);
        self.hold(checked, Some(index))?;
        let by = match &message {
            Message::Init(_) => By::Init,
            Message::Delta(_) => By::Delta,
            _ => By::Sync,
        };
        self.figures.inits += u64::from(by == By::Init);
        let sync = match &message {
            Message::Sync(sync) => Some(sync.position.clone()),
            _ => None,
        };
        let before = self.clients[index].replica.position().cloned();
        let effects = self.clients[index].replica.on_message(message, now);
        let client = &mut self.clients[index];
        if sync.is_some_and(|position| client.replica.position() == Some(&position)) {
            client.proven_at = now;
        }
        let news = self.clients[index].replica.position() != before.as_ref() || shows(&effects);
        if news {
            self.shown(index, by)?;
        }
        self.run_effects(index, effects)
    }

    fn shown(&mut self, index: usize, by: By) -> Result<(), Box<Failure>> {
        self.figures.shown += 1;
        let current = self.disk.content().head.chain;
        let checked = self.clients[index].check_shown(by, &self.history, current);
        self.hold(checked, Some(index))
    }

    fn run_effects(&mut self, index: usize, effects: Vec<Effect>) -> Result<(), Box<Failure>> {
        let checked = self.clients[index].check_fetch(&effects);
        self.hold(checked, Some(index))?;
        for effect in effects {
            match effect {
                Effect::Connect => self.connect(index),
                Effect::Disconnect => self.clients[index].connection = None,
                Effect::FetchFullState { request, at_least } => {
                    self.figures.fetches += 1;
                    let at = self.now + self.dice.between(1, 300);
                    let process = self.dice.below(2);
                    let client = &mut self.clients[index];
                    let since = client.replica.position().cloned();
                    client.fetches.push(Fetch { request, process, at_least, since, at, answer: None });
                    self.tell(Some(index), || {
                        format!("asks process {process} for at least version {at_least}")
                    });
                }
                Effect::Status => {
                    let status = self.clients[index].replica.status().clone();
                    self.tell(Some(index), || format!("says {status:?}"));
                }
                Effect::Changed(_) | Effect::Replaced | Effect::Telemetry(_) => {}
            }
        }
        Ok(())
    }

    fn connect(&mut self, index: usize) {
        let now = self.now;
        let at = now + self.dice.between(1, 200);
        let process = self.dice.below(2);
        let lossy = self.plan.faults.contains(&Fault::Frames) && now < CHAOS && self.dice.per_mille(80);
        let number = self.dice.between(0, u64::MAX - 1);
        let begun = self.clients[index].replica.position().is_some();
        let keep = self.plan.plant == Some(Break::KeepParser);
        let client = &mut self.clients[index];
        let tamper = self.plan.plant.map(|plant| Tamper {
            plant,
            ahead: (crate::sync::Token(String::new()), 0),
            digest: None,
            begun,
        });
        let since = client.replica.position().cloned();
        let told = since.clone();
        if !keep {
            client.parser = Parser::default();
        }
        if let Some(connection) = client.connection.take() {
            self.recordings.extend(connection.recorded());
        }
        let client = &mut self.clients[index];
        client.connection = Some(Connection::opening(
            process,
            number,
            client.scope.clone(),
            since,
            at,
            at + PATIENCE,
            tamper,
            lossy,
        ));
        self.tell(Some(index), || format!("connects to process {process} since {told:?}"));
    }

    /// `GET /api/state`: asked, answered, and the answer under way.
    fn fetch(&mut self, index: usize) -> Result<(), Box<Failure>> {
        let now = self.now;
        let Some(at) = self.clients[index].fetches.iter().position(|fetch| match &fetch.answer {
            None => fetch.at <= now,
            Some((arrives, _)) => *arrives <= now,
        }) else {
            return Ok(());
        };
        let mut fetch = self.clients[index].fetches.remove(at);
        match fetch.answer.take() {
            Some((_, answer)) => {
                let mut answer = answer;
                if self.plan.plant == Some(Break::ApplyOldState)
                    && let (Some(new), Some(version)) =
                        (answer.clone(), self.clients[index].replica.version())
                {
                    let old = self.clients[index].first_answer.get_or_insert(new);
                    answer = Some(FullState { version: old.version.max(version), ..old.clone() });
                }
                if self.clients[index].asleep_until.is_some() {
                    answer = None;
                }
                let version = answer.as_ref().map(|answer: &FullState| answer.version);
                self.tell(Some(index), || format!("the answer comes: version {version:?}"));
                let effects = self.clients[index].replica.on_full_state(fetch.request, answer, now);
                if shows(&effects) {
                    self.shown(index, By::FullState)?;
                }
                self.run_effects(index, effects)
            }
            None => {
                let scope = self.clients[index].scope.clone();
                let answer = match &self.processes[fetch.process] {
                    Some(process)
                        if process.hub.head().version < fetch.at_least && fetch.at + PATIENCE > now =>
                    {
                        self.clients[index].fetches.push(fetch);
                        return Ok(());
                    }
                    Some(process) if !self.dice.per_mille(100) => {
                        let since = fetch.since.as_ref().and_then(|token| token.0.parse().ok());
                        process.full_state(&self.disk, &scope, since)
                    }
                    // Lost on the way, or nobody there.
                    _ => None,
                };
                let slow = if self.dice.per_mille(200) { 8_000 } else { 200 };
                fetch.answer = Some((now + self.dice.between(1, slow), answer));
                self.clients[index].fetches.push(fetch);
                Ok(())
            }
        }
    }

    // ---- faults ----

    fn fault(&mut self) {
        let Some(fault) = self.dice.pick(&self.plan.faults).copied() else { return };
        let index = self.dice.below(self.clients.len());
        let process = self.dice.below(2);
        let now = self.now;
        let told = match fault {
            Fault::Cut => {
                let keep = self.dice.unit();
                let reset = self.dice.per_mille(500);
                let Some(connection) = &mut self.clients[index].connection else { return };
                connection.cut(keep, reset);
                "the connection is cut"
            }
            Fault::HalfOpen => {
                let Some(connection) = &mut self.clients[index].connection else { return };
                connection.half_open = true;
                "nothing arrives any more"
            }
            Fault::Slow => {
                let until = now + self.dice.between(1_000, 11_000);
                let Some(connection) = &mut self.clients[index].connection else { return };
                connection.drain_until = until;
                "the client stops reading for a while"
            }
            Fault::Frames => return,
            Fault::Sleep => {
                self.clients[index].asleep_until = Some(now + self.dice.between(1_000, 40_000));
                "the machine sleeps"
            }
            Fault::Offline => {
                let effects = self.clients[index].replica.offline();
                let _ = self.run_effects(index, effects);
                self.clients[index].asleep_until = Some(now + self.dice.between(500, 10_000));
                "the network is gone for a while"
            }
            Fault::Membership => {
                let scope = self.random_scope();
                let client = &mut self.clients[index];
                client.former_scope = std::mem::replace(&mut client.scope, scope);
                // The cutter ends the streams of the session.
                if let Some(connection) = &mut self.clients[index].connection
                    && !matches!(connection.stage, Stage::Opening { .. })
                {
                    (connection.stage, connection.ended) = (Stage::Closed, true);
                }
                "the membership changes"
            }
            Fault::Leave => {
                let scope = self.random_scope();
                let mut rendered =
                    self.processes[process].as_ref().map(|process| process.hub.snapshot(&scope));
                let rotten = self.plan.faults.contains(&Fault::Frames) && self.dice.per_mille(200);
                if let (true, Some(full)) = (rotten, &mut rendered) {
                    full.state.apply(&Change::EventsTrimmed { before: EventId(u64::MAX) });
                }
                let replica = match rendered {
                    Some(full) => Replica::from_snapshot(full, self.server_time(), now),
                    None => Replica::empty(),
                };
                if let Some(connection) = self.clients[index].connection.take() {
                    self.recordings.extend(connection.recorded());
                }
                self.clients[index] = Client::new(replica, scope, now);
                self.clients[index].rotten = rotten;
                "the page is closed and another one opened"
            }
            Fault::Lag => {
                let Some(running) = &mut self.processes[process] else { return };
                running.lags_until = now + self.dice.between(500, 3_000);
                "the follower falls behind"
            }
            Fault::Kill => {
                if self.processes[process].is_none() {
                    return;
                }
                self.figures.kills += 1;
                self.end_process(process, false);
                "kill -9"
            }
            Fault::Stop => {
                let Some(running) = &mut self.processes[process] else { return };
                running.stops_at = Some(now + 1_500);
                running.hub.shut_down();
                "SIGTERM"
            }
            Fault::Restore => {
                // Rare: everything before it must have had time to go wrong by itself.
                if self.backups.is_empty() || !self.dice.per_mille(300) {
                    return;
                }
                let copy = self.backups.swap_remove(self.dice.below(self.backups.len()));
                self.restore(copy);
                "an older copy of the database is put back"
            }
            Fault::WallClock => {
                let jump = self.dice.between(0, 7_200_000) as i64 - 3_600_000;
                self.wall.fetch_add(jump, Ordering::Relaxed);
                "the wall clock jumps"
            }
        };
        self.tell(Some(index), || format!("FAULT {fault:?}: {told}"));
    }

    fn restore(&mut self, copy: Content) {
        self.figures.restores += 1;
        for process in self.processes.iter_mut().flatten() {
            process.forget_commit();
        }
        let version = copy.head.version;
        self.disk.restore(copy);
        self.backups.clear();
        self.last_restore = Some(self.now);
        self.heads = vec![(self.now, version)];
        let (history, head) = (&self.history, self.disk.content().head.chain);
        self.answered.retain(|answer| history.leads_to(answer.chain, head));
        self.tell(None, || format!("the database is at version {version}"));
    }

    fn random_scope(&mut self) -> Scope {
        match self.dice.below(4) {
            0 => Scope::Fleet,
            _ => {
                let mask = self.dice.below(1 << work::PROJECTS);
                let seen = (0..work::PROJECTS).filter(|n| mask & (1 << n) != 0);
                Scope::Projects(seen.map(work::project).collect())
            }
        }
    }

    // ---- the end ----

    fn converged(&mut self) -> Result<(), Box<Failure>> {
        let kept = self.history.kept(&self.answered, &self.disk);
        self.hold(kept, None)?;
        let head = self.disk.content().head;
        for index in 0..self.clients.len() {
            let client = &self.clients[index];
            let status = client.replica.status().clone();
            let shows = client.replica.version();
            let checked = match &status {
                Status::Connected if shows == Some(head.version) => Ok(()),
                Status::Connected => violated(
                    Guarantee::Converged,
                    format!("it shows version {shows:?} where the database is at {}", head.version),
                ),
                other => {
                    violated(Guarantee::Converged, format!("it says {other:?} long after the last fault"))
                }
            };
            self.hold(checked, Some(index))?;
            (self.clients[index].shown, self.clients[index].rotten) = (None, false);
            let checked = self.clients[index].check_shown(By::Sync, &self.history, head.chain);
            self.hold(checked, Some(index))?;
        }
        Ok(())
    }

    fn keep_recordings(&mut self) {
        for client in &mut self.clients {
            self.recordings.extend(client.connection.take().and_then(Connection::recorded));
        }
    }

    /// The fleets of this run, to hold other replicas against.
    #[cfg(test)]
    pub fn history(&self) -> &History {
        &self.history
    }

    fn hold(&mut self, checked: Result<(), Violation>, client: Option<usize>) -> Result<(), Box<Failure>> {
        checked.map_err(|violation| {
            let story = std::mem::take(&mut self.story);
            Box::new(Failure { violation, client, at: self.now, story })
        })
    }

    fn tell(&mut self, client: Option<usize>, what: impl FnOnce() -> String) {
        if self.plan.tell {
            let who = client.map_or_else(|| "server".to_owned(), |client| format!("client {client}"));
            self.story.push(format!("{:>8.3} s  {who:<9} {}", self.now as f64 / 1_000.0, what()));
        }
    }
}

/// Whether the effects of an input alter what is on the screen.
fn shows(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Changed(_) | Effect::Replaced))
}

/// A message in a line.
fn brief(message: &Message) -> String {
    match message {
        Message::Connected(connected) => format!("connected to {}", connected.instance),
        Message::Init(full) => format!("init {}", full.version),
        Message::Delta(delta) => {
            format!("delta {}→{}, {} changes", delta.prev, delta.version, delta.changes.len())
        }
        Message::Sync(sync) => {
            let digest = if sync.digest.is_some() { " with digest" } else { "" };
            format!("sync {}→{}{digest}", sync.prev, sync.version)
        }
        Message::Telemetry(_) => "telemetry".to_owned(),
        Message::Shutdown(_) => "shutdown".to_owned(),
    }
}
