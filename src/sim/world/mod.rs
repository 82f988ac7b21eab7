//! A run: processes, clients and a network under one seed.
//!
//! [`plan`] says what is run. [`time`], [`server`], [`network`], [`browser`] and [`faults`] are the steps that the dice choose from; the
//! world itself, the order of steps and the last judgement are here.

mod browser;
mod faults;
mod network;
mod plan;
mod server;
mod time;

pub use plan::{Failure, Fault, Figures, Plan, Recording};

use super::{
    check::{Guarantee, History, Violation, violated},
    client::{By, Client, Connection},
    dice::Dice,
    plant::Break,
    process::Process,
    storage::{Content, Disk},
};
use crate::{
    server::storage::ledger::Head,
    sync::{Replica, Status},
};
use std::sync::{Arc, atomic::AtomicI64};

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

/// Faults happen for this long, milliseconds …
const CHAOS: u64 = 60_000;
/// … and then nothing goes wrong any more.
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
    pub fn run(&mut self) -> Result<(), Box<Failure>> {
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
        Ok(())
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
        checked.map_err(|violation| self.failure(violation, client))
    }

    /// The end of this run, and how it came to it.
    pub fn failure(&mut self, violation: Violation, client: Option<usize>) -> Box<Failure> {
        let story = std::mem::take(&mut self.story);
        Box::new(Failure { violation, client, at: self.now, faults: self.figures.faults, story })
    }

    fn tell(&mut self, client: Option<usize>, what: impl FnOnce() -> String) {
        if self.plan.tell {
            let who = client.map_or_else(|| "server".to_owned(), |client| format!("client {client}"));
            self.story.push(format!("{:>8.3} s  {who:<9} {}", self.now as f64 / 1_000.0, what()));
        }
    }
}
