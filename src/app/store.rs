//! The user interface's single source of truth: signals that the replica feeds.
//!
//! One signal a row, so that a change of one row renders that row and nothing else; order signals for the lists. Filled synchronously
//! from the snapshot on both sides, so that hydration finds what the server rendered; only [`super::live`] writes to it afterwards.

use super::snapshot::{Me, Opening, Snapshot};
use crate::{
    model::{
        Cluster, Connection, EntityRef, Event, Fleet, LoadState, Net, NetId, NetMetrics, Project, RunState,
        Telemetry, Timestamp, Worker, WorkerAction, WorkerId, WorkerStatus, lifecycle::remedy,
    },
    sync::Status,
};
use leptos::prelude::*;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Figures of one worker or net, with the time the console received them.
#[derive(Clone, Debug, PartialEq)]
pub struct Dated<T> {
    pub at: Timestamp,
    pub value: T,
}

type Row<T> = ArcRwSignal<Arc<T>>;
type Figures<T> = ArcRwSignal<Option<Dated<T>>>;

#[derive(Default)]
struct Rows {
    workers: HashMap<WorkerId, Row<Worker>>,
    nets: HashMap<NetId, Row<Net>>,
    nets_on: HashMap<WorkerId, ArcRwSignal<Vec<NetId>>>,
    telemetry: HashMap<WorkerId, Figures<crate::model::WorkerMetrics>>,
    net_metrics: HashMap<NetId, Figures<NetMetrics>>,
}

/// How the link to the server stands, for the badge and the freshness line.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub status: Status,
    /// The server's time up to which everything shown is complete.
    pub as_of: Timestamp,
    /// When that arrived, on the browser's monotonic clock, milliseconds.
    pub seen: u64,
}

/// Counts and what needs attention, over the whole fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub clusters: usize,
    pub clusters_connected: usize,
    pub workers: usize,
    pub workers_ready: usize,
    /// What brings one of the others nearest to ready.
    pub remedy: Option<WorkerAction>,
    pub nets: usize,
    pub nets_assigned: usize,
    pub nets_loaded: usize,
    pub nets_running: usize,
    /// Workers in `error`, by name.
    pub broken_workers: Vec<WorkerId>,
    /// Nets with a load error, then dead ones, by name.
    pub broken_nets: Vec<NetId>,
    /// How many of them are only dead.
    pub dead_nets: usize,
}

#[derive(Clone, Copy)]
pub struct Store {
    rows: StoredValue<Rows>,
    /// Ids by name.
    pub workers: RwSignal<Vec<WorkerId>>,
    pub nets: RwSignal<Vec<NetId>>,
    pub clusters: RwSignal<Vec<Arc<Cluster>>>,
    pub projects: RwSignal<Vec<Arc<Project>>>,
    /// Newest first.
    pub events: RwSignal<Vec<Arc<Event>>>,
    pub summary: RwSignal<Summary>,
    pub link: RwSignal<Link>,
    /// The server's time, ticking once a second in the browser.
    pub now: RwSignal<Timestamp>,
    /// The browser's monotonic clock, milliseconds, ticking with `now`. Zero while the page is being rendered and hydrated.
    pub ticks: RwSignal<u64>,
    /// Minutes that the operator's clock is ahead of UTC; unknown until the page is alive.
    pub utc_offset: RwSignal<Option<i32>>,
    /// Whether the operator wants a stream at all.
    pub realtime: RwSignal<bool>,
    pub me: RwSignal<Option<Me>>,
    /// See [`Opening::form_key`].
    pub form_key: RwSignal<String>,
    /// Times (server's) of recent batches of changes, for "n changed in the last minute".
    pub changes: RwSignal<Vec<Timestamp>>,
}

impl Store {
    pub fn new() -> Store {
        Store {
            rows: StoredValue::new(Rows::default()),
            workers: RwSignal::new(Vec::new()),
            nets: RwSignal::new(Vec::new()),
            clusters: RwSignal::new(Vec::new()),
            projects: RwSignal::new(Vec::new()),
            events: RwSignal::new(Vec::new()),
            summary: RwSignal::new(Summary::default()),
            link: RwSignal::new(Link { status: Status::Connecting, as_of: Timestamp(0), seen: 0 }),
            now: RwSignal::new(Timestamp(0)),
            ticks: RwSignal::new(0),
            utc_offset: RwSignal::new(None),
            realtime: RwSignal::new(true),
            me: RwSignal::new(None),
            form_key: RwSignal::new(String::new()),
            changes: RwSignal::new(Vec::new()),
        }
    }

    /// Fills the store from what the page is rendered from.
    pub fn open(&self, opening: &Opening) {
        let Snapshot { full, server_time, user, telemetry } = &opening.snapshot;
        self.me.set(Some(user.clone()));
        self.form_key.set(opening.form_key.clone());
        self.now.set(*server_time);
        self.link.set(Link { status: Status::Connecting, as_of: *server_time, seen: 0 });
        self.replace(&full.state);
        self.telemetry_arrived(telemetry);
    }

    /// Forgets everything: the user signed out.
    pub fn wipe(&self) {
        self.replace(&Fleet::default());
        self.rows.update_value(|rows| *rows = Rows::default());
        self.changes.set(Vec::new());
        self.me.set(None);
    }

    /// Every row may have changed.
    pub fn replace(&self, fleet: &Fleet) {
        self.rows.update_value(|rows| {
            rows.workers.retain(|id, _| fleet.worker(*id).is_some());
            rows.nets.retain(|id, _| fleet.net(*id).is_some());
            fleet.workers().for_each(|row| put(&mut rows.workers, row.id, row));
            fleet.nets().for_each(|row| put(&mut rows.nets, row.id, row));
            for (id, signal) in &rows.nets_on {
                set_if_new(signal, nets_on(fleet, *id));
            }
        });
        set(self.workers, worker_order(fleet));
        set(self.nets, net_order(fleet));
        set(self.clusters, fleet.clusters().cloned().collect());
        set(self.projects, fleet.projects().cloned().collect());
        set(self.events, fleet.events().rev().cloned().collect());
        set(self.summary, summary(fleet));
    }

    /// The named rows changed in `fleet`.
    pub fn apply(&self, fleet: &Fleet, changed: &HashSet<EntityRef>) {
        let (mut workers, mut nets, mut others) = (false, false, false);
        let mut assignments: HashSet<WorkerId> = HashSet::new();
        self.rows.update_value(|rows| {
            for entity in changed {
                match entity {
                    EntityRef::Worker(id) => match fleet.worker(*id) {
                        Some(row) => {
                            workers |= !rows.workers.contains_key(id);
                            put(&mut rows.workers, *id, row);
                        }
                        None => workers |= rows.workers.remove(id).is_some(),
                    },
                    EntityRef::Net(id) => {
                        let before = rows.nets.get(id).and_then(|row| row.get_untracked().worker_id);
                        let after = fleet.net(*id).and_then(|row| row.worker_id);
                        if before != after {
                            assignments.extend(before.into_iter().chain(after));
                        }
                        match fleet.net(*id) {
                            Some(row) => {
                                nets |= !rows.nets.contains_key(id);
                                put(&mut rows.nets, *id, row);
                            }
                            None => nets |= rows.nets.remove(id).is_some(),
                        }
                    }
                    EntityRef::Cluster(_) | EntityRef::Project(_) | EntityRef::Event(_) => others = true,
                }
            }
            for id in assignments {
                if let Some(signal) = rows.nets_on.get(&id) {
                    set_if_new(signal, nets_on(fleet, id));
                }
            }
        });
        if workers {
            set(self.workers, worker_order(fleet));
        }
        if nets {
            set(self.nets, net_order(fleet));
        }
        if others {
            set(self.clusters, fleet.clusters().cloned().collect());
            set(self.projects, fleet.projects().cloned().collect());
            set(self.events, fleet.events().rev().cloned().collect());
        }
        set(self.summary, summary(fleet));
        let now = self.now.get_untracked();
        self.changes.update(|times| {
            times.retain(|at| now.since(*at).as_secs() < 60);
            times.push(now);
        });
    }

    /// Latest wins; a net that a worker's figures no longer name has none.
    pub fn telemetry_arrived(&self, batch: &[Telemetry]) {
        for telemetry in batch {
            let at = telemetry.at;
            self.worker_figures(telemetry.worker_id).set(Some(Dated { at, value: telemetry.worker }));
            for net in &telemetry.nets {
                self.net_figures(net.id).set(Some(Dated { at, value: *net }));
            }
        }
    }

    pub fn worker_row(&self, id: WorkerId) -> Option<Row<Worker>> {
        self.rows.with_value(|rows| rows.workers.get(&id).cloned())
    }

    pub fn net_row(&self, id: NetId) -> Option<Row<Net>> {
        self.rows.with_value(|rows| rows.nets.get(&id).cloned())
    }

    /// The row now, tracked: also its coming and going.
    pub fn worker(&self, id: WorkerId) -> Option<Arc<Worker>> {
        match self.worker_row(id) {
            Some(row) => {
                self.workers.track();
                Some(row.get())
            }
            None => {
                self.workers.track();
                None
            }
        }
    }

    /// The row now, tracked: also its coming and going.
    pub fn net(&self, id: NetId) -> Option<Arc<Net>> {
        self.nets.track();
        self.net_row(id).map(|row| row.get())
    }

    /// The worker that `net` is assigned to, tracked.
    pub fn worker_of(&self, net: &Net) -> Option<Arc<Worker>> {
        net.worker_id.and_then(|id| self.worker(id))
    }

    /// The nets assigned to a worker, by name.
    pub fn nets_on(&self, worker: WorkerId) -> ArcRwSignal<Vec<NetId>> {
        if let Some(signal) = self.rows.with_value(|rows| rows.nets_on.get(&worker).cloned()) {
            return signal;
        }
        let mut ids: Vec<_> = self.rows.with_value(|rows| {
            let rows = rows.nets.values().map(|row| row.get_untracked());
            rows.filter(|net| net.worker_id == Some(worker)).map(|net| (net.name.clone(), net.id)).collect()
        });
        ids.sort();
        let signal = ArcRwSignal::new(ids.into_iter().map(|(_, id)| id).collect());
        self.rows.update_value(|rows| {
            rows.nets_on.insert(worker, signal.clone());
        });
        signal
    }

    pub fn worker_figures(&self, id: WorkerId) -> Figures<crate::model::WorkerMetrics> {
        let mut figures = None;
        self.rows.update_value(|rows| figures = Some(rows.telemetry.entry(id).or_default().clone()));
        figures.unwrap_or_default()
    }

    pub fn net_figures(&self, id: NetId) -> Figures<NetMetrics> {
        let mut figures = None;
        self.rows.update_value(|rows| figures = Some(rows.net_metrics.entry(id).or_default().clone()));
        figures.unwrap_or_default()
    }

    pub fn cluster_name(&self, id: crate::model::ClusterId) -> String {
        self.clusters.with(|rows| {
            rows.iter().find(|row| row.id == id).map(|row| row.name.to_string()).unwrap_or_default()
        })
    }

    /// Whether the user may change anything. Not tracked: a change of role ends the stream and opens the page anew.
    pub fn may_act(&self) -> bool {
        self.me.with_untracked(|me| me.as_ref().is_some_and(|me| me.role >= crate::model::Role::Operator))
    }
}

impl Default for Store {
    fn default() -> Store {
        Store::new()
    }
}

/// The store of the console this component is in.
pub fn use_store() -> Store {
    expect_context()
}

fn put<K: std::hash::Hash + Eq, T: PartialEq + Send + Sync + 'static>(
    rows: &mut HashMap<K, Row<T>>,
    id: K,
    row: &Arc<T>,
) {
    match rows.get(&id) {
        Some(signal) => set_if_new(signal, row.clone()),
        None => {
            rows.insert(id, ArcRwSignal::new(row.clone()));
        }
    }
}

fn set_if_new<T: PartialEq + Send + Sync + 'static>(signal: &ArcRwSignal<T>, value: T) {
    if signal.with_untracked(|before| *before != value) {
        signal.set(value);
    }
}

fn set<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|before| *before != value) {
        signal.set(value);
    }
}

fn by_name<'a, I: Copy + Ord + 'a>(rows: impl Iterator<Item = (&'a str, I)>) -> Vec<I> {
    let mut rows: Vec<(String, I)> = rows.map(|(name, id)| (name.to_lowercase(), id)).collect();
    rows.sort();
    rows.into_iter().map(|(_, id)| id).collect()
}

fn worker_order(fleet: &Fleet) -> Vec<WorkerId> {
    by_name(fleet.workers().map(|row| (row.name.as_str(), row.id)))
}

fn net_order(fleet: &Fleet) -> Vec<NetId> {
    by_name(fleet.nets().map(|row| (row.name.as_str(), row.id)))
}

fn nets_on(fleet: &Fleet, worker: WorkerId) -> Vec<NetId> {
    by_name(fleet.nets_on(worker).map(|row| (row.name.as_str(), row.id)))
}

fn summary(fleet: &Fleet) -> Summary {
    let loaded = |net: &&Arc<Net>| net.load_state == LoadState::Loaded;
    let nets = |wanted: fn(&Net) -> bool| {
        by_name(fleet.nets().filter(|net| wanted(net)).map(|net| (net.name.as_str(), net.id)))
    };
    let mut broken_nets = nets(|net| net.load_state == LoadState::Error);
    let dead = nets(|net| net.run_state == RunState::Dead);
    let dead_nets = dead.len();
    broken_nets.extend(dead);
    Summary {
        clusters: fleet.clusters().len(),
        clusters_connected: fleet.clusters().filter(|row| row.connection == Connection::Connected).count(),
        workers: fleet.workers().len(),
        workers_ready: fleet.workers().filter(|row| row.is_ready()).count(),
        remedy: {
            let nearness = |action: &WorkerAction| match action {
                WorkerAction::Start => 2,
                WorkerAction::Provision => 1,
                _ => 0,
            };
            fleet.workers().filter_map(|row| remedy(row)).max_by_key(nearness)
        },
        nets: fleet.nets().len(),
        nets_assigned: fleet.nets().filter(|net| net.worker_id.is_some()).count(),
        nets_loaded: fleet.nets().filter(loaded).count(),
        nets_running: fleet.nets().filter(|net| net.run_state == RunState::Running).count(),
        broken_workers: by_name(
            fleet
                .workers()
                .filter(|row| matches!(row.status, WorkerStatus::Error(_)))
                .map(|row| (row.name.as_str(), row.id)),
        ),
        broken_nets,
        dead_nets,
    }
}
