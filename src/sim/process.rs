//! One server process: writer, follower and hub, in steps between which it can be killed.

use super::{dice::Dice, plant::Break, storage::Disk, work};
use crate::{
    model::{Actor, Change, Timestamp},
    server::{
        clock::Clock,
        sse::{
            hub::{Hub, SYNC_EVERY, Settings, Subscription},
            queue::Limits,
            resume::{self, Answer, Standing},
        },
        storage::{
            News,
            ledger::{Head, Ledger, trim_after},
        },
        supervise::TelemetryBoard,
    },
    sync::{FullState, Position, Scope, Unanswered, journal::Entry},
};
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// Small, so that runs are short and yet come to every edge.
pub const JOURNAL_KEEPS: u64 = 24;
const TRIM_EVERY: u64 = 8;
const LIMITS: Limits = Limits { frames: 6, bytes: 48 << 10 };
const DIGEST_EVERY: Duration = Duration::from_secs(30);
const BATCH: usize = 3;

pub struct Process {
    pub hub: Hub,
    writer: Option<Ledger>,
    /// Staged by this process and not yet durable: what it will tell its callers.
    commit: Option<Vec<Head>>,
    follower: Ledger,
    seen_changes: Option<u64>,
    news: VecDeque<News>,
    pub next_beacon: u64,
    /// Told to stop; it ends at this time.
    pub stops_at: Option<u64>,
    /// The follower reads nothing until then.
    pub lags_until: u64,
    plant: Option<Break>,
}

/// What a step of the writer did.
pub enum Wrote {
    Nothing,
    /// Staged, not durable: these are the entries with the fleet they lead to.
    Staged(Vec<(Entry, Arc<crate::model::Fleet>)>),
    /// Durable now.
    Synced,
}

/// How a request for a stream went.
pub enum Opened {
    /// Without an init: the client goes on where it was.
    Resumed(Box<Subscription>),
    Stream(Box<Subscription>),
    NotYet,
}

impl Process {
    pub fn start(name: String, disk: &Disk, clock: Clock, now: u64, plant: Option<Break>) -> Process {
        let follower = disk.content().read();
        let settings = Settings { instance: name, digest_every: DIGEST_EVERY, limits: LIMITS, clock };
        let hub =
            Hub::new(Arc::new(follower.fleet.clone()), follower.head, settings, TelemetryBoard::default());
        let next_beacon = now + SYNC_EVERY.as_millis() as u64;
        let seen_changes = Some(disk.changes);
        let (writer, commit, news) = (None, None, VecDeque::new());
        Process {
            hub,
            writer,
            commit,
            follower,
            seen_changes,
            news,
            next_beacon,
            stops_at: None,
            lags_until: 0,
            plant,
        }
    }

    pub fn commits(&self) -> bool {
        self.commit.is_some()
    }

    /// The database was replaced under it.
    pub fn forget_commit(&mut self) {
        self.commit = None;
    }

    /// The writer's next step: a group of decisions is staged, or what is staged becomes durable. `answered` are heads that callers
    /// were told of.
    pub fn write(
        &mut self,
        disk: &mut Disk,
        decisions: usize,
        at: Timestamp,
        dice: &mut Dice,
        answered: &mut Vec<Head>,
    ) -> Wrote {
        if let Some(heads) = self.commit.take() {
            disk.sync();
            answered.extend(heads);
            return Wrote::Synced;
        }
        if disk.locked() || decisions == 0 {
            return Wrote::Nothing;
        }
        let content = disk.content();
        let follows = self.writer.as_mut().is_some_and(|ledger| {
            let tail = content.tail(ledger.head.version, usize::MAX);
            ledger.follow_tail(tail, |_, _| {}).is_ok()
        });
        if !follows {
            self.writer = Some(content.read());
        }
        let Some(ledger) = &mut self.writer else { return Wrote::Nothing };
        let mut next = content.clone();
        let before = next.head.version;
        let (mut heads, mut entries) = (Vec::new(), Vec::new());
        for _ in 0..decisions {
            let changes: Vec<Change> = work::transaction(&ledger.fleet, at, dice);
            if changes.is_empty() {
                continue;
            }
            let written = ledger.append(at, Actor::System, changes);
            next.append(&written);
            heads.push(ledger.head);
            entries.push((written.entry, Arc::new(ledger.fleet.clone())));
        }
        if heads.is_empty() {
            return Wrote::Nothing;
        }
        if let Some(version) = trim_after(before, next.head.version, JOURNAL_KEEPS, TRIM_EVERY) {
            next.trim(version);
        }
        disk.stage(next);
        if self.plant == Some(Break::AnswerBeforeDurable) {
            answered.append(&mut heads);
        }
        self.commit = Some(heads);
        Wrote::Staged(entries)
    }

    /// The follower's next step: one read of the journal. `true` if it read something.
    pub fn follow(&mut self, disk: &Disk) -> bool {
        if self.seen_changes == Some(disk.changes) {
            return false;
        }
        let changes = disk.changes;
        let tail = disk.content().tail(self.follower.head.version, BATCH);
        let news = &mut self.news;
        match self
            .follower
            .follow_tail(tail, |entry, head| news.push_back(News::Entry(Arc::new(entry), head)))
        {
            Ok(false) => self.seen_changes = None,
            Ok(true) => self.seen_changes = Some(changes),
            Err(_) => {
                self.follower = disk.content().read();
                let fleet = Arc::new(self.follower.fleet.clone());
                news.push_back(News::Reset(fleet, self.follower.head));
            }
        }
        true
    }

    /// The hub takes the next of what the follower read.
    pub fn publish(&mut self) -> bool {
        let Some(mut news) = self.news.pop_front() else { return false };
        if self.plant == Some(Break::SkipEntry)
            && let News::Entry(entry, _) = &mut news
            && entry.version % 7 == 0
        {
            Arc::make_mut(entry).transaction.changes.pop();
        }
        if self.plant == Some(Break::ForgetRemoval)
            && let News::Entry(entry, _) = &mut news
        {
            for change in &mut Arc::make_mut(entry).transaction.changes {
                if let Change::NetPut { moved_from, .. } = change {
                    *moved_from = None;
                }
            }
        }
        if self.plant == Some(Break::IgnoreRestore) && matches!(news, News::Reset(..)) {
            return true;
        }
        self.hub.on_news(news);
        true
    }

    pub fn beacon(&mut self, now: u64) {
        self.next_beacon = now + SYNC_EVERY.as_millis() as u64;
        if self.plant != Some(Break::MuteBeacon) {
            self.hub.beacon();
        }
    }

    /// `GET /api/sync?since=`: what the route does, with the simulated database.
    pub fn open(&self, disk: &Disk, scope: &Scope, since: Option<Position>) -> Opened {
        let connected = |subscription: Subscription| subscription.connected("stream", &Default::default());
        let Some(since) = since else {
            return Opened::Stream(Box::new(connected(self.hub.subscribe(scope.clone(), false))));
        };
        let subscription = self.hub.subscribe(scope.clone(), true);
        let hub = subscription.head();
        let mut witness = disk.content().witness(since.version, hub.version);
        let mut believed = since;
        match self.plant {
            Some(Break::IgnoreChain) => {
                believed.chain = witness.at_client.map_or(since.chain, |chain| chain.short());
            }
            Some(Break::IgnoreTrim) if witness.at_client.is_none() && since.version <= hub.version => {
                (witness.at_client, believed.chain) = (witness.at_hub, hub.chain.short());
            }
            _ => {}
        }
        match resume::answer(believed, scope.revision(), hub, witness) {
            Answer::Replay { entries } => {
                let mut missed = disk.content().entries(since.version, entries as usize);
                if self.plant == Some(Break::ResumeOffByOne) && !missed.is_empty() {
                    missed.remove(0);
                }
                Opened::Resumed(Box::new(connected(subscription).replay(since.version, &missed)))
            }
            Answer::NotYet if self.plant != Some(Break::BackwardsAfterReconnect) => Opened::NotYet,
            Answer::NotYet | Answer::Init => {
                Opened::Stream(Box::new(connected(self.hub.subscribe(scope.clone(), false))))
            }
        }
    }

    /// `GET /api/state?since=`.
    pub fn full_state(
        &self,
        disk: &Disk,
        scope: &Scope,
        since: Option<Position>,
    ) -> Result<FullState, Unanswered> {
        let mut full = self.hub.snapshot(scope);
        let Some(since) = since else { return Ok(full) };
        let mut hub: Position = full.position.0.parse().map_err(|_| Unanswered::Failed)?;
        if self.plant == Some(Break::StateOfAnotherScope) {
            hub.scope = since.scope;
            full.position = hub.token();
        }
        let witness = disk.content().witness(since.version, hub.version);
        match resume::standing(since, hub, witness) {
            Standing::Behind => Ok(full),
            Standing::Foreign | Standing::OtherScope => Err(Unanswered::Foreign),
            Standing::HubBehind => Err(Unanswered::Failed),
        }
    }
}
