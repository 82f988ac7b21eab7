//! Counts over the whole fleet, and what in it needs attention: kept up to date row by row.

use super::{HostSummary, order::Order};
use crate::model::{
    Cluster, Connection, LoadState, Net, NetId, RunState, Worker, WorkerAction, WorkerId, WorkerStatus,
    lifecycle,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

/// Counts and what needs attention, over the whole fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub clusters: usize,
    pub clusters_connected: usize,
    /// Of the others, most were never reached yet; these were.
    pub clusters_away: usize,
    pub workers: usize,
    pub workers_ready: usize,
    /// What brings one of the others nearest to ready.
    pub remedy: Option<WorkerAction>,
    pub nets: usize,
    pub nets_assigned: usize,
    pub nets_loaded: usize,
    pub nets_running: usize,
    /// Workers in `error`.
    pub workers_broken: usize,
    /// The first [`NAMED`] of them, by name.
    pub broken_workers: Vec<WorkerId>,
    /// Nets with a load error.
    pub nets_failed: usize,
    /// The first [`NAMED`] of them, by name.
    pub failed_nets: Vec<NetId>,
    pub nets_dead: usize,
    /// The first [`NAMED`] of them, by name.
    pub dead_nets: Vec<NetId>,
    /// Different workers that nets are assigned to.
    pub workers_used: usize,
    /// The first [`FIRST`] of all, by name.
    pub first_workers: Vec<WorkerId>,
    pub first_nets: Vec<NetId>,
    pub hosts: HostSummary,
}

/// Pages that are about more than a list show so many of it.
pub const FIRST: usize = 10;

/// More rows of a kind that need attention than this are a number.
pub const NAMED: usize = 8;

/// What brings a worker to ready, the nearest first.
const REMEDIES: [WorkerAction; 3] = [WorkerAction::Start, WorkerAction::Provision, WorkerAction::Refresh];

impl Summary {
    /// Takes what is said of workers from `other`.
    pub fn take_workers(&mut self, other: &Summary) {
        (self.workers, self.workers_ready, self.workers_broken) =
            (other.workers, other.workers_ready, other.workers_broken);
        self.remedy = other.remedy;
        self.broken_workers.clone_from(&other.broken_workers);
        self.first_workers.clone_from(&other.first_workers);
    }

    /// Takes what is said of nets from `other`.
    pub fn take_nets(&mut self, other: &Summary) {
        (self.nets, self.nets_assigned, self.nets_loaded) =
            (other.nets, other.nets_assigned, other.nets_loaded);
        (self.nets_running, self.nets_failed, self.nets_dead) =
            (other.nets_running, other.nets_failed, other.nets_dead);
        self.workers_used = other.workers_used;
        self.failed_nets.clone_from(&other.failed_nets);
        self.dead_nets.clone_from(&other.dead_nets);
        self.first_nets.clone_from(&other.first_nets);
    }
}

/// What a [`Summary`] is read from. Each row is taken out as it was and put in as it is.
#[derive(Debug, Default)]
pub struct Tally {
    counts: Summary,
    /// Workers by the action that mends them, as in [`REMEDIES`].
    mendable: [usize; 3],
    broken_workers: Order<WorkerId>,
    load_errors: Order<NetId>,
    dead: Order<NetId>,
    all_workers: Order<WorkerId>,
    all_nets: Order<NetId>,
    /// How many nets are on each worker.
    used: HashMap<WorkerId, usize>,
    /// Which of the lists in `counts` are behind their orders.
    workers_moved: bool,
    nets_moved: bool,
}

impl Tally {
    pub fn clusters<'a>(&mut self, rows: impl Iterator<Item = &'a Arc<Cluster>>) {
        (self.counts.clusters, self.counts.clusters_connected, self.counts.clusters_away) = (0, 0, 0);
        for row in rows {
            self.counts.clusters += 1;
            self.counts.clusters_connected += usize::from(row.connection == Connection::Connected);
            self.counts.clusters_away += usize::from(row.connection == Connection::Disconnected);
        }
    }

    /// A worker was `before` and is `after`; `None` where it was or is not there.
    pub fn worker(&mut self, id: WorkerId, before: Option<&Worker>, after: Option<&Worker>) {
        let counts = &mut self.counts;
        shift(&mut counts.workers, before, after, |_| true);
        shift(&mut counts.workers_ready, before, after, Worker::is_ready);
        for (count, remedy) in self.mendable.iter_mut().zip(REMEDIES) {
            shift(count, before, after, |row| lifecycle::remedy(row) == Some(remedy));
        }
        let broken = |row: Option<&Worker>| {
            let row = row.filter(|row| matches!(row.status, WorkerStatus::Error(_)));
            row.map(|row| row.name.as_str().to_owned())
        };
        self.workers_moved |=
            self.broken_workers.change(id, broken(before).as_deref(), broken(after).as_deref());
        let name = |row: Option<&Worker>| row.map(|row| row.name.as_str().to_owned());
        self.workers_moved |= self.all_workers.change(id, name(before).as_deref(), name(after).as_deref());
    }

    /// A net was `before` and is `after`; `None` where it was or is not there.
    pub fn net(&mut self, id: NetId, before: Option<&Net>, after: Option<&Net>) {
        let counts = &mut self.counts;
        shift(&mut counts.nets, before, after, |_| true);
        shift(&mut counts.nets_assigned, before, after, |net| net.worker_id.is_some());
        shift(&mut counts.nets_loaded, before, after, Net::is_loaded);
        shift(&mut counts.nets_running, before, after, |net| net.run_state == RunState::Running);
        let named = |row: Option<&Net>, wanted: fn(&Net) -> bool| {
            row.filter(|row| wanted(row)).map(|row| row.name.as_str().to_owned())
        };
        let failed = |net: &Net| net.load_state == LoadState::Error;
        self.nets_moved |=
            self.load_errors.change(id, named(before, failed).as_deref(), named(after, failed).as_deref());
        let dead = |net: &Net| net.run_state == RunState::Dead;
        self.nets_moved |=
            self.dead.change(id, named(before, dead).as_deref(), named(after, dead).as_deref());
        let any = |_: &Net| true;
        self.nets_moved |=
            self.all_nets.change(id, named(before, any).as_deref(), named(after, any).as_deref());
        let (was, is) = (before.and_then(|net| net.worker_id), after.and_then(|net| net.worker_id));
        if was != is {
            if let Some(worker) = was
                && let Entry::Occupied(mut nets) = self.used.entry(worker)
            {
                *nets.get_mut() -= 1;
                if *nets.get() == 0 {
                    nets.remove();
                }
            }
            if let Some(worker) = is {
                *self.used.entry(worker).or_default() += 1;
            }
        }
    }

    pub fn summary(&mut self, hosts: HostSummary) -> &Summary {
        self.counts.hosts = hosts;
        self.counts.workers_used = self.used.len();
        let nearest = self.mendable.iter().position(|count| *count > 0);
        self.counts.remedy = nearest.map(|at| REMEDIES[at]);
        if std::mem::take(&mut self.workers_moved) {
            self.counts.workers_broken = self.broken_workers.len();
            self.counts.broken_workers = self.broken_workers.first(NAMED);
            self.counts.first_workers = self.all_workers.first(FIRST);
        }
        if std::mem::take(&mut self.nets_moved) {
            self.counts.nets_failed = self.load_errors.len();
            self.counts.failed_nets = self.load_errors.first(NAMED);
            self.counts.nets_dead = self.dead.len();
            self.counts.dead_nets = self.dead.first(NAMED);
            self.counts.first_nets = self.all_nets.first(FIRST);
        }
        &self.counts
    }
}

fn shift<T>(count: &mut usize, before: Option<&T>, after: Option<&T>, wanted: impl Fn(&T) -> bool) {
    *count += usize::from(after.is_some_and(&wanted));
    *count -= usize::from(before.is_some_and(&wanted));
}
