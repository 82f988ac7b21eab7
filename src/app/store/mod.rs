//! The user interface's single source of truth: signals that the replica feeds.
//!
//! One signal a row, so that a change of one row renders that row and nothing else; order signals for the lists. Filled synchronously
//! from the snapshot on both sides, so that hydration finds what the server rendered; only [`super::live`] writes to it afterwards.
//! A batch of changes costs what it changes, never what the fleet holds: [`rows`] keeps orders, indexes and the summary row by row.

mod builds;
mod groups;
mod hosts;
mod labs;
mod order;
mod recent;
mod rows;
mod summary;
#[cfg(test)]
mod tests;

pub use groups::Groups;
pub use hosts::{HostSummary, HostTrouble, host_trouble};
pub use recent::Recent;
pub use summary::{FIRST, NAMED, Summary};

use super::{
    snapshot::{Me, Opening, Part, Snapshot},
    within::Within,
};
use crate::{
    model::{
        Cluster, Command, CommandId, EntityRef, Event, EventRules, Fleet, Host, HostId, HostMetrics,
        HostTelemetry, Lab, LabFigures, LabId, Net, NetId, NetMetrics, Pipeline, PipelineId, Project,
        PullRequest, Repository, Telemetry, Timestamp, Worker, WorkerId,
    },
    sync::Status,
};
use builds::BuildRows;
use hosts::HostRows;
use labs::LabRows;
use leptos::prelude::*;
use rows::Rows;
use std::{collections::HashSet, sync::Arc};

/// Figures of one worker or net, with the time the console received them.
#[derive(Clone, Debug, PartialEq)]
pub struct Dated<T> {
    pub at: Timestamp,
    pub value: T,
}

type Row<T> = ArcRwSignal<Arc<T>>;
type Figures<T> = ArcRwSignal<Option<Dated<T>>>;

/// What an application of changes to the store touched.
#[derive(Clone, Copy, Debug)]
pub enum Touched<'a> {
    /// Every row may be another.
    All,
    Rows(&'a HashSet<EntityRef>),
}

type Watcher = Arc<dyn Fn(Touched<'_>) + Send + Sync>;

/// How the link to the server stands, for the badge and the freshness line.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub status: Status,
    /// The server's time up to which everything shown is complete.
    pub as_of: Timestamp,
    /// When that arrived, on the browser's monotonic clock, milliseconds.
    pub seen: u64,
}

#[derive(Clone, Copy)]
pub struct Store {
    rows: StoredValue<Rows>,
    host_rows: StoredValue<HostRows>,
    build_rows: StoredValue<BuildRows>,
    lab_rows: StoredValue<LabRows>,
    watchers: StoredValue<Vec<(u64, Watcher)>>,
    /// Ids by name.
    pub workers: RwSignal<Vec<WorkerId>>,
    pub nets: RwSignal<Vec<NetId>>,
    pub hosts: RwSignal<Vec<HostId>>,
    /// Newest first.
    pub pipelines: RwSignal<Vec<PipelineId>>,
    /// Newest first.
    pub labs: RwSignal<Vec<LabId>>,
    /// Those that are open, the newest first.
    pub pull_requests: RwSignal<Vec<Arc<PullRequest>>>,
    pub repository: RwSignal<Option<Arc<Repository>>>,
    /// The rules for events; `None` where there are none yet.
    pub rules: RwSignal<Option<Arc<EventRules>>>,
    pub clusters: RwSignal<Vec<Arc<Cluster>>>,
    pub projects: RwSignal<Vec<Arc<Project>>>,
    /// Newest first.
    pub events: RwSignal<Vec<Arc<Event>>>,
    /// Over the whole fleet, whatever is looked at.
    pub summary: RwSignal<Summary>,
    /// The same for each cluster and each project.
    pub groups: RwSignal<Groups>,
    /// Which part of the fleet is looked at; see [`Store::look_within`].
    pub within: RwSignal<Within>,
    /// Over that part.
    pub seen: RwSignal<Summary>,
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
    /// Set while only the rows of the first screen are here.
    pub part: RwSignal<Option<Arc<Part>>>,
    /// For "n changes in the last minute".
    pub changes: RwSignal<Recent>,
}

impl Store {
    pub fn new() -> Store {
        Store {
            rows: StoredValue::new(Rows::default()),
            host_rows: StoredValue::new(HostRows::default()),
            build_rows: StoredValue::new(BuildRows::default()),
            lab_rows: StoredValue::new(LabRows::default()),
            watchers: StoredValue::new(Vec::new()),
            workers: RwSignal::new(Vec::new()),
            nets: RwSignal::new(Vec::new()),
            hosts: RwSignal::new(Vec::new()),
            pipelines: RwSignal::new(Vec::new()),
            labs: RwSignal::new(Vec::new()),
            pull_requests: RwSignal::new(Vec::new()),
            repository: RwSignal::new(None),
            rules: RwSignal::new(None),
            clusters: RwSignal::new(Vec::new()),
            projects: RwSignal::new(Vec::new()),
            events: RwSignal::new(Vec::new()),
            summary: RwSignal::new(Summary::default()),
            groups: RwSignal::new(Groups::default()),
            within: RwSignal::new(Within::default()),
            seen: RwSignal::new(Summary::default()),
            link: RwSignal::new(Link { status: Status::Connecting, as_of: Timestamp(0), seen: 0 }),
            now: RwSignal::new(Timestamp(0)),
            ticks: RwSignal::new(0),
            utc_offset: RwSignal::new(None),
            realtime: RwSignal::new(true),
            me: RwSignal::new(None),
            form_key: RwSignal::new(String::new()),
            part: RwSignal::new(None),
            changes: RwSignal::new(Recent::default()),
        }
    }

    /// Fills the store from what the page is rendered from.
    pub fn open(&self, opening: &Opening) {
        let Snapshot { full, part, server_time, user, telemetry, host_telemetry } = &opening.snapshot;
        self.me.set(Some(user.clone()));
        self.form_key.set(opening.form_key.clone());
        self.now.set(*server_time);
        self.link.set(Link { status: Status::Connecting, as_of: *server_time, seen: 0 });
        self.within.set(opening.within);
        self.replace(&full.state);
        if let Some(part) = part {
            set(self.summary, part.summary.clone());
            set(self.groups, part.groups.clone());
            self.look();
            for (cluster, at) in &part.heard {
                self.heard(*cluster).set(Some(*at));
            }
            self.part.set(Some(Arc::new(part.clone())));
        }
        self.telemetry_arrived(telemetry);
        self.host_telemetry_arrived(host_telemetry);
    }

    /// Forgets everything: the user signed out.
    pub fn wipe(&self) {
        self.replace(&Fleet::default());
        self.rows.update_value(|rows| *rows = Rows::default());
        self.host_rows.update_value(|rows| *rows = HostRows::default());
        self.build_rows.update_value(|rows| *rows = BuildRows::default());
        self.lab_rows.update_value(|rows| *rows = LabRows::default());
        self.changes.set(Recent::default());
        self.me.set(None);
    }

    /// Every row may have changed; from here on they are all here.
    pub fn replace(&self, fleet: &Fleet) {
        self.rows.update_value(|rows| rows.replace(fleet));
        set(self.part, None);
        let (workers, nets) = self.rows.with_value(|rows| (rows.worker_ids(), rows.net_ids()));
        set(self.workers, workers);
        set(self.nets, nets);
        set(self.clusters, fleet.clusters().cloned().collect());
        set(self.projects, fleet.projects().cloned().collect());
        set(self.events, fleet.events().rev().cloned().collect());
        self.host_rows.update_value(|rows| rows.replace(fleet));
        self.build_rows.update_value(|rows| rows.replace(fleet));
        set(self.hosts, self.host_rows.with_value(HostRows::host_ids));
        set(self.pipelines, self.host_rows.with_value(HostRows::pipeline_ids));
        self.lab_rows.update_value(|rows| rows.replace(fleet));
        set(self.labs, self.lab_rows.with_value(LabRows::ids));
        set(self.pull_requests, fleet.pull_requests().rev().cloned().collect());
        set(self.repository, fleet.repository().cloned());
        set(self.rules, fleet.rules().cloned());
        self.summarise();
        self.tell(Touched::All);
    }

    /// The named rows changed in `fleet`.
    pub fn apply(&self, fleet: &Fleet, changed: &HashSet<EntityRef>) {
        let mut orders = rows::Orders::default();
        self.rows.update_value(|rows| orders = rows.apply(fleet, changed));
        if orders.workers {
            set(self.workers, self.rows.with_value(Rows::worker_ids));
        }
        if orders.nets {
            set(self.nets, self.rows.with_value(Rows::net_ids));
        }
        let of = |wanted: fn(&EntityRef) -> bool| changed.iter().any(wanted);
        if of(|entity| matches!(entity, EntityRef::Cluster(_))) {
            set(self.clusters, fleet.clusters().cloned().collect());
        }
        if of(|entity| matches!(entity, EntityRef::Project(_))) {
            set(self.projects, fleet.projects().cloned().collect());
        }
        if of(|entity| matches!(entity, EntityRef::Event(_))) {
            set(self.events, fleet.events().rev().cloned().collect());
        }
        self.build_rows.update_value(|rows| rows.apply(fleet, changed));
        let mut orders = hosts::HostOrders::default();
        self.host_rows.update_value(|rows| orders = rows.apply(fleet, changed));
        if orders.hosts {
            set(self.hosts, self.host_rows.with_value(HostRows::host_ids));
        }
        if orders.pipelines {
            set(self.pipelines, self.host_rows.with_value(HostRows::pipeline_ids));
        }
        let mut moved = false;
        self.lab_rows.update_value(|rows| moved = rows.apply(fleet, changed));
        if moved {
            set(self.labs, self.lab_rows.with_value(LabRows::ids));
        }
        if of(|entity| matches!(entity, EntityRef::PullRequest(_))) {
            set(self.pull_requests, fleet.pull_requests().rev().cloned().collect());
        }
        if of(|entity| matches!(entity, EntityRef::Repository)) {
            set(self.repository, fleet.repository().cloned());
        }
        if of(|entity| matches!(entity, EntityRef::Rules)) {
            set(self.rules, fleet.rules().cloned());
        }
        self.summarise();
        let (now, rows) = (self.now.get_untracked(), changed.iter().filter(|row| !is_event(row)).count());
        if rows > 0 {
            self.changes.update(|changes| changes.add(now, rows));
        }
        self.tell(Touched::Rows(changed));
    }

    /// Calls `on` after each application of changes until the current owner ends. For what is derived from many rows and is to cost what
    /// changed: a signal would have to be read once for each row.
    pub fn watch(&self, on: impl Fn(Touched<'_>) + Send + Sync + 'static) {
        let watchers = self.watchers;
        let mut id = 0;
        watchers.update_value(|all| {
            id = all.last().map_or(0, |(id, _)| id + 1);
            all.push((id, Arc::new(on)));
        });
        on_cleanup(move || _ = watchers.try_update_value(|all| all.retain(|(other, _)| *other != id)));
    }

    fn tell(&self, touched: Touched<'_>) {
        // Not called under the lock: a watcher reads the store.
        for (_, watcher) in self.watchers.get_value() {
            watcher(touched);
        }
    }

    fn summarise(&self) {
        let hosts = self.host_rows.with_value(HostRows::summary);
        self.rows.update_value(|rows| {
            let summary = rows.summary(hosts);
            if self.summary.with_untracked(|before| before != summary) {
                self.summary.set(summary.clone());
            }
            if let Some(groups) = rows.groups() {
                self.groups.set(groups.clone());
            }
        });
        self.look();
    }

    /// Shows this part of the fleet.
    pub fn look_within(&self, within: Within) {
        set(self.within, within);
        self.look();
    }

    /// Calls `on` when another part of the fleet is looked at, until the current owner ends.
    pub fn on_look(&self, on: impl Fn() + 'static) {
        let within = self.within;
        Effect::new(move |before: Option<Within>| {
            let now = within.get();
            if before.is_some_and(|before| before != now) {
                on();
            }
            now
        });
    }

    /// Brings the counts over what is looked at up to date.
    fn look(&self) {
        let within = self.within.get_untracked();
        let seen = self.summary.with_untracked(|all| {
            if within.is_all() {
                return all.clone();
            }
            self.clusters.with_untracked(|clusters| {
                self.groups.with_untracked(|groups| groups.within(all, within, clusters))
            })
        });
        set(self.seen, seen);
    }

    /// When a worker of a cluster was heard last, as far as it is known here.
    pub fn heard(&self, cluster: crate::model::ClusterId) -> ArcRwSignal<Option<Timestamp>> {
        self.rows.try_update_value(|rows| rows.heard(cluster)).unwrap_or_default()
    }

    /// Latest wins; a net that a worker's figures no longer name has none.
    pub fn telemetry_arrived(&self, batch: &[Telemetry]) {
        for telemetry in batch {
            let at = telemetry.at;
            self.worker_figures(telemetry.worker_id).set(Some(Dated { at, value: telemetry.worker }));
            if let Some(worker) = self.worker_row(telemetry.worker_id) {
                let heard = self.heard(worker.with_untracked(|worker| worker.cluster_id));
                if heard.get_untracked() < Some(at) {
                    heard.set(Some(at));
                }
            }
            for net in &telemetry.nets {
                self.net_figures(net.id).set(Some(Dated { at, value: *net }));
            }
            for lab in &telemetry.labs {
                self.lab_figures(lab.id).set(Some(Dated { at, value: *lab }));
            }
        }
    }

    /// Latest wins.
    pub fn host_telemetry_arrived(&self, batch: &[HostTelemetry]) {
        for HostTelemetry { host_id, at, metrics } in batch {
            self.host_figures(*host_id).set(Some(Dated { at: *at, value: *metrics }));
        }
    }

    pub fn host_row(&self, id: HostId) -> Option<Row<Host>> {
        self.host_rows.with_value(|rows| rows.host(id))
    }

    /// The row now, tracked: also its coming and going.
    pub fn host(&self, id: HostId) -> Option<Arc<Host>> {
        self.hosts.track();
        self.host_row(id).map(|row| row.get())
    }

    /// The name of a host, or what stands for one that is gone; not tracked.
    pub fn host_name_now(&self, id: HostId) -> String {
        self.host_row(id)
            .map_or_else(|| "a host that is gone".to_owned(), |row| row.get_untracked().name.to_string())
    }

    pub fn host_figures(&self, id: HostId) -> Figures<HostMetrics> {
        self.host_rows.try_update_value(|rows| rows.figures(id)).unwrap_or_default()
    }

    /// When a host was heard last, as far as it is known; not tracked.
    pub fn host_heard_now(&self, host: &Host) -> Option<Timestamp> {
        self.host_rows.with_value(|rows| rows.heard(host.id)).max(host.last_seen)
    }

    pub fn command_row(&self, id: CommandId) -> Option<Row<Command>> {
        self.host_rows.with_value(|rows| rows.command(id))
    }

    /// The commands of a host that the snapshot holds, newest first.
    pub fn commands_of(&self, id: HostId) -> ArcRwSignal<Vec<CommandId>> {
        self.host_rows.try_update_value(|rows| rows.commands_of(id)).unwrap_or_default()
    }

    /// The newest command of a host that is over; not tracked.
    pub fn last_ended(&self, id: HostId) -> Option<Arc<Command>> {
        self.host_rows.with_value(|rows| rows.last_ended(id))
    }

    pub fn pipeline_row(&self, id: PipelineId) -> Option<Row<Pipeline>> {
        self.host_rows.with_value(|rows| rows.pipeline(id))
    }

    /// The row now, tracked: also its coming and going.
    pub fn pipeline(&self, id: PipelineId) -> Option<Arc<Pipeline>> {
        self.pipelines.track();
        self.pipeline_row(id).map(|row| row.get())
    }

    pub fn lab_row(&self, id: LabId) -> Option<Row<Lab>> {
        self.lab_rows.with_value(|rows| rows.lab(id))
    }

    /// The row now, tracked: also its coming and going.
    pub fn lab(&self, id: LabId) -> Option<Arc<Lab>> {
        self.labs.track();
        self.lab_row(id).map(|row| row.get())
    }

    /// The labs on a worker, newest first.
    pub fn labs_on(&self, worker: WorkerId) -> ArcRwSignal<Vec<LabId>> {
        self.lab_rows.try_update_value(|rows| rows.on_worker(worker)).unwrap_or_default()
    }

    /// The labs of a net, newest first.
    pub fn labs_of(&self, net: NetId) -> ArcRwSignal<Vec<LabId>> {
        self.lab_rows.try_update_value(|rows| rows.of_net(net)).unwrap_or_default()
    }

    pub fn lab_figures(&self, id: LabId) -> Figures<LabFigures> {
        self.lab_rows.try_update_value(|rows| rows.figures(id)).unwrap_or_default()
    }

    pub fn worker_row(&self, id: WorkerId) -> Option<Row<Worker>> {
        self.rows.with_value(|rows| rows.worker(id))
    }

    pub fn net_row(&self, id: NetId) -> Option<Row<Net>> {
        self.rows.with_value(|rows| rows.net(id))
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
        self.rows.try_update_value(|rows| rows.nets_on(worker)).unwrap_or_default()
    }

    /// The nets assigned to a worker now; not tracked.
    pub fn nets_on_now(&self, worker: WorkerId) -> Vec<NetId> {
        self.rows.with_value(|rows| rows.assigned(worker).map(order::Order::ids).unwrap_or_default())
    }

    /// How many nets are assigned to a worker now; not tracked.
    pub fn count_nets_on(&self, worker: WorkerId) -> usize {
        self.rows.with_value(|rows| rows.assigned(worker).map_or(0, order::Order::len))
    }

    pub fn worker_figures(&self, id: WorkerId) -> Figures<crate::model::WorkerMetrics> {
        self.rows.try_update_value(|rows| rows.worker_figures(id)).unwrap_or_default()
    }

    pub fn net_figures(&self, id: NetId) -> Figures<NetMetrics> {
        self.rows.try_update_value(|rows| rows.net_figures(id)).unwrap_or_default()
    }

    pub fn cluster_name(&self, id: crate::model::ClusterId) -> String {
        self.clusters.with(|rows| {
            rows.iter().find(|row| row.id == id).map(|row| row.name.to_string()).unwrap_or_default()
        })
    }

    /// The same, not tracked.
    pub fn cluster_name_now(&self, id: crate::model::ClusterId) -> String {
        untrack(|| self.cluster_name(id))
    }

    /// The name of a project; not tracked.
    pub fn project_name_now(&self, id: crate::model::ProjectId) -> String {
        self.projects.with_untracked(|rows| {
            rows.iter().find(|row| row.id == id).map(|row| row.name.to_string()).unwrap_or_default()
        })
    }

    /// Whether the user may change anything. Not tracked: a change of role ends the stream and opens the page anew.
    pub fn may_act(&self) -> bool {
        self.me.with_untracked(|me| me.as_ref().is_some_and(|me| me.role >= crate::model::Role::Operator))
    }
}

impl Store {
    /// Whether the user has at least `role` in a project, by membership or in the whole fleet. Not tracked.
    pub fn may_in(&self, project: crate::model::ProjectId, role: crate::model::Role) -> bool {
        self.me.with_untracked(|me| me.as_ref().is_some_and(|me| me.roles.in_project(project, role)))
    }

    /// Whether the user may act on the nets of any project. Not tracked.
    pub fn may_act_on_nets(&self) -> bool {
        let least = Some(crate::model::Role::Operator);
        self.me.with_untracked(|me| me.as_ref().is_some_and(|me| me.roles.best() >= least))
    }

    /// Whether the user may say that they know of an event: an operator of its project, or of the fleet. Not tracked.
    pub fn may_acknowledge(&self, event: &crate::model::Event) -> bool {
        match event.project_id {
            Some(project) => self.may_in(project, crate::model::Role::Operator),
            None => self.may_act(),
        }
    }

    /// Whether the user may administer the fleet: users, clusters, projects, hosts. Not tracked.
    pub fn may_administer(&self) -> bool {
        self.me.with_untracked(|me| me.as_ref().is_some_and(|me| me.role >= crate::model::Role::Admin))
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

fn is_event(entity: &EntityRef) -> bool {
    matches!(entity, EntityRef::Event(_))
}

fn set<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|before| *before != value) {
        signal.set(value);
    }
}
