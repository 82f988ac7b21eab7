//! The server's side: processes start, write, follow, publish and end.

use super::{Failure, World};
use crate::{
    model::Timestamp,
    server::clock::Clock,
    sim::{
        client::Stage,
        process::{Process, Wrote},
    },
};
use std::sync::atomic::Ordering;

impl World {
    pub(super) fn clock(&self) -> Clock {
        let wall = self.wall.clone();
        Clock::new(move || Timestamp(wall.load(Ordering::Relaxed) as u64))
    }

    pub(super) fn server_time(&self) -> Timestamp {
        Timestamp(self.wall.load(Ordering::Relaxed) as u64)
    }

    pub(super) fn start_process(&mut self, index: usize) {
        self.returns[index].1 += 1;
        let life = self.returns[index].1;
        let name = format!("process-{index}-{life}");
        let process = Process::start(name, &self.disk, self.clock(), self.now, self.plan.plant);
        let version = process.hub.head().version;
        self.processes[index] = Some(process);
        self.tell(None, || format!("process {index} starts at version {version}"));
    }

    /// The process is gone; its sockets are closed by the system.
    pub(super) fn end_process(&mut self, index: usize, orderly: bool) {
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

    pub(super) fn write(&mut self, index: usize) -> Result<(), Box<Failure>> {
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

    pub(super) fn became_durable(&mut self) {
        let head = self.disk.content().head;
        self.history.durable(head.chain);
        self.heads.push((self.now, head.version));
        self.figures.versions += 1;
        self.tell(None, || format!("version {} is durable", head.version));
        if self.dice.per_mille(60) {
            self.backups.push(self.disk.content().clone());
        }
    }

    pub(super) fn follows(&mut self, index: usize) -> bool {
        let process = self.processes[index].as_mut().filter(|process| process.lags_until <= self.now);
        process.is_some_and(|process| process.follow(&self.disk))
    }

    pub(super) fn publishes(&mut self, index: usize) -> bool {
        self.processes[index].as_mut().is_some_and(Process::publish)
    }

    pub(super) fn follow(&mut self, index: usize) {
        self.follows(index);
    }

    pub(super) fn publish(&mut self, index: usize) {
        if self.publishes(index) {
            let version = self.processes[index].as_ref().map(|process| process.hub.head().version);
            self.tell(None, || format!("the hub of process {index} is at {version:?}"));
        }
    }
}
