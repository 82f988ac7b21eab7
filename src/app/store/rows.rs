//! The rows of the store, a signal each, with what is derived from them.

use super::{
    Figures, HostSummary, Row,
    groups::{GroupTally, Groups},
    order::Order,
    summary::{Summary, Tally},
};
use crate::model::{
    ClusterId, EntityRef, Fleet, Net, NetId, NetMetrics, Timestamp, Worker, WorkerId, WorkerMetrics,
};
use leptos::prelude::*;
use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::Arc,
};

#[derive(Default)]
pub struct Rows {
    workers: HashMap<WorkerId, Row<Worker>>,
    nets: HashMap<NetId, Row<Net>>,
    worker_order: Order<WorkerId>,
    net_order: Order<NetId>,
    /// The nets on each worker that has any.
    assigned: HashMap<WorkerId, Order<NetId>>,
    tally: Tally,
    groups: GroupTally,
    /// When a worker of each cluster was heard last.
    heard: HashMap<ClusterId, ArcRwSignal<Option<Timestamp>>>,
    /// Signals over `assigned`, of the workers that somebody asked for.
    nets_on: HashMap<WorkerId, ArcRwSignal<Vec<NetId>>>,
    worker_figures: HashMap<WorkerId, Figures<WorkerMetrics>>,
    net_figures: HashMap<NetId, Figures<NetMetrics>>,
}

/// Which orders are others than before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    pub workers: bool,
    pub nets: bool,
}

impl Rows {
    /// Takes over every row of `fleet`.
    pub fn replace(&mut self, fleet: &Fleet) {
        self.workers.retain(|id, _| fleet.worker(*id).is_some());
        self.nets.retain(|id, _| fleet.net(*id).is_some());
        self.worker_figures.retain(|id, _| fleet.worker(*id).is_some());
        self.net_figures.retain(|id, _| fleet.net(*id).is_some());
        self.worker_order = Order::of(fleet.workers().map(|row| (row.name.as_str(), row.id)));
        self.net_order = Order::of(fleet.nets().map(|row| (row.name.as_str(), row.id)));
        (self.tally, self.assigned) = (Tally::default(), HashMap::new());
        self.groups = GroupTally::default();
        self.heard.retain(|id, _| fleet.cluster(*id).is_some());
        self.tally.clusters(fleet.clusters());
        for row in fleet.workers() {
            put(&mut self.workers, row.id, Some(row));
            self.tally.worker(row.id, None, Some(row));
            self.groups.worker(row.id, None, Some(row));
        }
        for row in fleet.nets() {
            put(&mut self.nets, row.id, Some(row));
            self.tally.net(row.id, None, Some(row));
            self.groups.net(row.id, None, Some(row));
            if let Some(worker) = row.worker_id {
                self.assigned.entry(worker).or_default().change(row.id, None, Some(row.name.as_str()));
            }
        }
        self.nets_on.retain(|id, _| fleet.worker(*id).is_some());
        for (id, signal) in &self.nets_on {
            show(signal, self.assigned.get(id));
        }
    }

    /// Takes over the rows of `fleet` that are named in `changed`.
    pub fn apply(&mut self, fleet: &Fleet, changed: &HashSet<EntityRef>) -> Orders {
        let mut orders = Orders::default();
        let (mut moved, mut gone) = (HashSet::new(), Vec::new());
        for entity in changed {
            match entity {
                EntityRef::Worker(id) => {
                    let after = fleet.worker(*id);
                    let before = put(&mut self.workers, *id, after);
                    let (before, after) = (before.as_deref(), after.map(|row| &**row));
                    orders.workers |= self.worker_order.change(
                        *id,
                        before.map(|row| row.name.as_str()),
                        after.map(|row| row.name.as_str()),
                    );
                    self.tally.worker(*id, before, after);
                    self.groups.worker(*id, before, after);
                    if after.is_none() {
                        self.worker_figures.remove(id);
                        gone.push(*id);
                    }
                }
                EntityRef::Net(id) => {
                    let after = fleet.net(*id);
                    let before = put(&mut self.nets, *id, after);
                    let (before, after) = (before.as_deref(), after.map(|row| &**row));
                    orders.nets |= self.net_order.change(
                        *id,
                        before.map(|row| row.name.as_str()),
                        after.map(|row| row.name.as_str()),
                    );
                    self.tally.net(*id, before, after);
                    self.groups.net(*id, before, after);
                    self.assign(*id, before, after, &mut moved);
                    if after.is_none() {
                        self.net_figures.remove(id);
                    }
                }
                EntityRef::Cluster(_) => self.tally.clusters(fleet.clusters()),
                _ => {}
            }
        }
        for id in moved {
            if let Some(signal) = self.nets_on.get(&id) {
                show(signal, self.assigned.get(&id));
            }
        }
        // Only now: who still holds the signal has been shown the end.
        gone.iter().for_each(|id| _ = self.nets_on.remove(id));
        orders
    }

    /// Keeps `assigned`; the workers whose nets are others now go to `moved`.
    fn assign(
        &mut self,
        id: NetId,
        before: Option<&Net>,
        after: Option<&Net>,
        moved: &mut HashSet<WorkerId>,
    ) {
        let place = |net: Option<&Net>| net.and_then(|net| Some((net.worker_id?, net.name.to_string())));
        let (before, after) = (place(before), place(after));
        if before == after {
            return;
        }
        if let Some((worker, name)) = before {
            moved.insert(worker);
            if let Some(nets) = self.assigned.get_mut(&worker) {
                nets.change(id, Some(&name), None);
                if nets.is_empty() {
                    self.assigned.remove(&worker);
                }
            }
        }
        if let Some((worker, name)) = after {
            moved.insert(worker);
            self.assigned.entry(worker).or_default().change(id, None, Some(&name));
        }
    }

    pub fn worker(&self, id: WorkerId) -> Option<Row<Worker>> {
        self.workers.get(&id).cloned()
    }

    pub fn net(&self, id: NetId) -> Option<Row<Net>> {
        self.nets.get(&id).cloned()
    }

    pub fn worker_ids(&self) -> Vec<WorkerId> {
        self.worker_order.ids()
    }

    pub fn net_ids(&self) -> Vec<NetId> {
        self.net_order.ids()
    }

    pub fn summary(&mut self, hosts: HostSummary) -> &Summary {
        self.tally.summary(hosts)
    }

    /// The counts of each cluster and project; `None` if they are what they were when they were read last.
    pub fn groups(&mut self) -> Option<&Groups> {
        self.groups.read()
    }

    /// When a worker of a cluster was heard last.
    pub fn heard(&mut self, cluster: ClusterId) -> ArcRwSignal<Option<Timestamp>> {
        self.heard.entry(cluster).or_default().clone()
    }

    pub fn nets_on(&mut self, worker: WorkerId) -> ArcRwSignal<Vec<NetId>> {
        let now = self.assigned.get(&worker);
        let signal = || ArcRwSignal::new(now.map(Order::ids).unwrap_or_default());
        self.nets_on.entry(worker).or_insert_with(signal).clone()
    }

    /// The nets on a worker, if any.
    pub fn assigned(&self, worker: WorkerId) -> Option<&Order<NetId>> {
        self.assigned.get(&worker)
    }

    pub fn worker_figures(&mut self, id: WorkerId) -> Figures<WorkerMetrics> {
        self.worker_figures.entry(id).or_default().clone()
    }

    pub fn net_figures(&mut self, id: NetId) -> Figures<NetMetrics> {
        self.net_figures.entry(id).or_default().clone()
    }
}

fn show(signal: &ArcRwSignal<Vec<NetId>>, nets: Option<&Order<NetId>>) {
    let ids = nets.map(Order::ids).unwrap_or_default();
    if signal.with_untracked(|before| *before != ids) {
        signal.set(ids);
    }
}

/// Puts or removes a row; the one that was there.
pub(super) fn put<I: Hash + Eq + Copy, T: PartialEq + Send + Sync + 'static>(
    rows: &mut HashMap<I, Row<T>>,
    id: I,
    row: Option<&Arc<T>>,
) -> Option<Arc<T>> {
    let Some(row) = row else { return rows.remove(&id).map(|signal| signal.get_untracked()) };
    match rows.get(&id) {
        Some(signal) => {
            let before = signal.get_untracked();
            if before != *row {
                signal.set(row.clone());
            }
            Some(before)
        }
        None => {
            rows.insert(id, ArcRwSignal::new(row.clone()));
            None
        }
    }
}
