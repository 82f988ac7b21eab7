//! What goes wrong from outside.

use super::{Fault, World};
use crate::{
    model::{Change, EventId},
    sim::{
        client::{Client, Stage},
        storage::Content,
        work,
    },
    sync::{Replica, Scope},
};
use std::sync::atomic::Ordering;

impl World {
    pub(super) fn fault(&mut self) {
        let Some(fault) = self.dice.pick(&self.plan.faults).copied() else { return };
        self.figures.faults += 1;
        if self.plan.spared.contains(&self.figures.faults) {
            return;
        }
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

    pub(super) fn restore(&mut self, copy: Content) {
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

    pub(super) fn random_scope(&mut self) -> Scope {
        match self.dice.below(4) {
            0 => Scope::Fleet,
            _ => {
                let mask = self.dice.below(1 << work::PROJECTS);
                let seen = (0..work::PROJECTS).filter(|n| mask & (1 << n) != 0);
                Scope::Projects(seen.map(work::project).collect())
            }
        }
    }
}
