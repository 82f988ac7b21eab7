//! Time passes: at the processes, at the clients, and for what is shown.

use super::{CHAOS, Failure, OLDEST, World};
use crate::{
    sim::{
        check::{Guarantee, Violation, violated},
        plant::Break,
    },
    sync::Status,
};
use std::sync::atomic::Ordering;

impl World {
    pub(super) fn pass_time(&mut self, chaos: bool) -> Result<(), Box<Failure>> {
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

    pub(super) fn pass_time_at_process(&mut self, index: usize) {
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

    pub(super) fn pass_time_at_client(&mut self, index: usize) -> Result<(), Box<Failure>> {
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
    pub(super) fn fresh(&self, index: usize) -> Result<(), Violation> {
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
}
