//! A transaction being written: rows are read and changed here, and what must change with them changes with them.
//!
//! The invariants of DESIGN.md section 2 are kept by construction: there is no way to take a worker out of `ready` through a draft
//! without unloading its nets in the same transaction. Revisions are counted and the event log is written here too, so that no caller
//! can forget either.

mod builds;
mod clusters;
mod hosts;

use super::{
    Acknowledged, Actor, Build, BuildId, Change, Cluster, ClusterId, Command, CommandId, Event, EventId,
    EventRules, Fleet, Host, HostId, Lab, LabId, LastAction, LoadState, Name, Net, NetCause, NetId,
    Operation, OperationId, Project, ProjectId, RunState, Severity, Timestamp, Worker, WorkerCause, WorkerId,
    WorkerStatus,
    event::{describe, left_behind},
    fleet::EVENTS_IN_SNAPSHOT,
    lifecycle::{NetAction, WorkerAction},
};
use std::{collections::BTreeMap, sync::Arc};

/// A transaction over `fleet`. Reads see what the draft has written so far.
pub struct Draft<'f> {
    fleet: &'f Fleet,
    actor: Actor,
    now: Timestamp,
    clusters: BTreeMap<ClusterId, Arc<Cluster>>,
    workers: BTreeMap<WorkerId, Option<Arc<Worker>>>,
    nets: BTreeMap<NetId, Option<Arc<Net>>>,
    hosts: BTreeMap<HostId, Option<Arc<Host>>>,
    commands: BTreeMap<CommandId, Arc<Command>>,
    builds: BTreeMap<BuildId, Arc<Build>>,
    labs: BTreeMap<LabId, Option<Arc<Lab>>>,
    changes: Vec<Change>,
    events: Vec<Event>,
}

/// The row is not (or no longer) there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The {0} no longer exists.")]
pub struct Gone(pub &'static str);

impl<'f> Draft<'f> {
    pub fn new(fleet: &'f Fleet, actor: Actor, now: Timestamp) -> Draft<'f> {
        Draft {
            fleet,
            actor,
            now,
            clusters: BTreeMap::new(),
            workers: BTreeMap::new(),
            nets: BTreeMap::new(),
            hosts: BTreeMap::new(),
            commands: BTreeMap::new(),
            builds: BTreeMap::new(),
            labs: BTreeMap::new(),
            changes: Vec::new(),
            events: Vec::new(),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The fleet as it was before this draft; for rows a draft does not change.
    pub fn before(&self) -> &'f Fleet {
        self.fleet
    }

    pub fn worker(&self, id: WorkerId) -> Result<&Arc<Worker>, Gone> {
        self.workers.get(&id).map_or_else(|| self.fleet.worker(id), Option::as_ref).ok_or(Gone("worker"))
    }

    pub fn net(&self, id: NetId) -> Result<&Arc<Net>, Gone> {
        self.nets.get(&id).map_or_else(|| self.fleet.net(id), Option::as_ref).ok_or(Gone("net"))
    }

    /// The worker that a net is assigned to.
    pub fn worker_of(&self, net: &Net) -> Option<&Arc<Worker>> {
        net.worker_id.and_then(|id| self.worker(id).ok())
    }

    pub fn nets_on(&self, worker: WorkerId) -> Vec<Arc<Net>> {
        let kept = self.fleet.nets_on(worker).filter(|net| !self.nets.contains_key(&net.id));
        let written = self.nets.values().flatten().filter(|net| net.worker_id == Some(worker));
        kept.chain(written).cloned().collect()
    }

    /// The worker of the cluster that has this name already.
    pub fn worker_named(&self, cluster: ClusterId, name: &Name) -> Option<&'f Worker> {
        let mut workers = self.fleet.workers().map(Arc::as_ref);
        workers.find(|worker| worker.cluster_id == cluster && worker.name.reads_as(name))
    }

    /// The net of the project that has this name already.
    pub fn net_named(&self, project: ProjectId, name: &Name) -> Option<&'f Net> {
        let mut nets = self.fleet.nets().map(Arc::as_ref);
        nets.find(|net| net.project_id == project && net.name.reads_as(name))
    }

    /// Puts a project; its revision and times are counted here.
    pub fn put_project(&mut self, mut project: Project) -> Arc<Project> {
        let before = self.fleet.project(project.id);
        project.revision = before.map_or(1, |before| before.revision + 1);
        project.updated_at = self.now;
        let project = Arc::new(project);
        self.record(Change::ProjectPut { created: before.is_none(), project: project.clone() });
        project
    }

    /// Deletes a project. That no net is in it any more is for the caller to see to.
    pub fn delete_project(&mut self, id: ProjectId) {
        self.record(Change::ProjectDeleted { id });
    }

    pub fn project_name_taken(&self, name: &Name) -> bool {
        self.fleet.projects().any(|project| project.name.reads_as(name))
    }

    /// Writes down that the actor knows of `event`, which need not be in the snapshot any more.
    pub fn acknowledge(&mut self, event: &Event) {
        let acknowledged = Some(Acknowledged { by: self.actor.clone(), at: self.now });
        let event = Arc::new(Event { acknowledged, ..event.clone() });
        self.record(Change::EventAcknowledged { event });
    }

    /// Puts the rules for events; their revision and time are counted here.
    pub fn put_rules(&mut self, mut rules: EventRules) {
        rules.revision = self.fleet.rules().map_or(1, |before| before.revision + 1);
        rules.updated_at = self.now;
        let (mutes, priorities) = (rules.mutes.len(), rules.priorities.len());
        self.record(Change::RulesPut { rules: Arc::new(rules) });
        // Whoever is told of less than before should be able to find out why.
        let count = |n: usize, one: &str, more: &str| format!("{n} {}", if n == 1 { one } else { more });
        let text = format!(
            "The rules for events were changed: {}, {}",
            count(mutes, "mute", "mutes"),
            count(priorities, "priority", "priorities")
        );
        self.log(Severity::Info, "rules.updated", text, |_| {});
    }

    pub fn create_worker(&mut self, mut worker: Worker) {
        (worker.revision, worker.state_revision) = (1, 1);
        (worker.created_at, worker.updated_at, worker.status_since) = (self.now, self.now, self.now);
        let worker = Arc::new(worker);
        self.record(Change::WorkerPut { cause: WorkerCause::Created, worker: worker.clone() });
        self.workers.insert(worker.id, Some(worker));
    }

    pub fn create_net(&mut self, mut net: Net) {
        (net.revision, net.state_revision) = (1, 1);
        (net.created_at, net.updated_at) = (self.now, self.now);
        let net = Arc::new(net);
        self.record(Change::NetPut { cause: NetCause::Created, net: net.clone(), moved_from: None });
        self.nets.insert(net.id, Some(net));
    }

    /// Changes a worker's row. If it leaves `ready`, its nets are unloaded in this transaction (invariant 1).
    pub fn edit_worker(
        &mut self,
        id: WorkerId,
        cause: WorkerCause,
        edit: impl FnOnce(&mut Worker),
    ) -> Result<(), Gone> {
        let before = self.worker(id)?.clone();
        let mut worker = Worker::clone(&before);
        edit(&mut worker);
        if worker.status != before.status {
            worker.status_since = self.now;
            if worker.last_action == before.last_action {
                worker.last_action = None;
            }
        }
        if worker.status == WorkerStatus::Pending {
            worker.machine = None;
        }
        if worker == *before {
            return Ok(());
        }
        worker.revision = before.revision + 1;
        worker.state_revision = before.state_revision + u64::from(worker.state_differs(&before));
        worker.updated_at = self.now;
        let worker = Arc::new(worker);
        self.workers.insert(id, Some(worker.clone()));
        self.record(Change::WorkerPut { cause, worker: worker.clone() });
        if worker.status != before.status {
            self.follow_connection(&worker);
        }
        if before.is_ready() && !worker.is_ready() {
            let keeps_nets = worker.machine.is_some();
            for net in self.nets_on(id) {
                self.unload_quietly(&net, keeps_nets);
            }
            self.lose_labs(id, false);
        }
        Ok(())
    }

    /// Gives a worker a new status and ends its operation.
    pub fn set_worker_status(
        &mut self,
        id: WorkerId,
        status: WorkerStatus,
        reason: Option<String>,
    ) -> Result<(), Gone> {
        self.edit_worker(id, WorkerCause::Status, |worker| {
            worker.status = status;
            worker.status_reason = reason;
            worker.operation = None;
        })
    }

    pub fn begin_worker(&mut self, id: WorkerId, operation: Operation<WorkerAction>) -> Result<(), Gone> {
        self.edit_worker(id, WorkerCause::Operation, |worker| worker.operation = Some(operation))
    }

    /// Ends an operation of a worker; a deletion that waits above it goes on waiting. `edit` writes what became of it.
    pub fn end_worker(
        &mut self,
        id: WorkerId,
        operation: OperationId,
        cause: WorkerCause,
        edit: impl FnOnce(&mut Worker),
    ) -> Result<(), Gone> {
        self.edit_worker(id, cause, |worker| {
            worker.operation = worker.operation.take().and_then(|current| current.without(operation));
            edit(worker);
        })
    }

    /// Remembers on the row who did what to it, in the transaction that did it.
    pub fn worker_was(&self, action: WorkerAction) -> Option<LastAction<WorkerAction>> {
        Some(LastAction { action, actor: self.actor.clone(), at: self.now })
    }

    /// The same for a net.
    pub fn net_was(&self, action: NetAction) -> Option<LastAction<NetAction>> {
        Some(LastAction { action, actor: self.actor.clone(), at: self.now })
    }

    /// Deletes a worker; its nets are unassigned and unloaded (invariant 3).
    pub fn delete_worker(&mut self, id: WorkerId) -> Result<(), Gone> {
        self.worker(id)?;
        for net in self.nets_on(id) {
            self.put_net(&net, NetCause::Unassigned, |net| {
                unload(net);
                (net.worker_id, net.load_id) = (None, None);
                drop_in_flight(net);
            });
        }
        self.lose_labs(id, true);
        self.record(Change::WorkerDeleted { id });
        self.workers.insert(id, None);
        Ok(())
    }

    /// Changes a net's row. What is not loaded is idle (invariant 4); what moves or is unassigned is unloaded (invariant 2).
    pub fn edit_net(&mut self, id: NetId, cause: NetCause, edit: impl FnOnce(&mut Net)) -> Result<(), Gone> {
        let before = self.net(id)?.clone();
        self.put_net(&before, cause, edit);
        Ok(())
    }

    pub fn begin_net(&mut self, id: NetId, operation: Operation<NetAction>) -> Result<(), Gone> {
        self.edit_net(id, NetCause::Operation, |net| net.operation = Some(operation))
    }

    pub fn delete_net(&mut self, id: NetId) -> Result<(), Gone> {
        let project_id = Some(self.net(id)?.project_id);
        self.forget_with_net(id);
        self.record(Change::NetDeleted { id, project_id });
        self.nets.insert(id, None);
        Ok(())
    }

    /// Writes an entry to the event log that no change tells by itself, such as an action that failed and left the state as it was.
    pub fn log(&mut self, severity: Severity, kind: &str, text: String, of: impl FnOnce(&mut Event)) {
        let mut event = self.event(severity, kind, text);
        of(&mut event);
        self.events.push(event);
    }

    /// The transaction: its changes, then its events, then what leaves the snapshot because of them. Empty if nothing changed.
    pub fn finish(mut self) -> Vec<Change> {
        self.trim_commands_and_pipelines();
        self.trim_builds();
        let Draft { fleet, mut changes, events, .. } = self;
        let last = fleet.events().next_back().map_or(0, |event| event.id.0);
        let first_kept = (last + events.len() as u64 + 1).saturating_sub(EVENTS_IN_SNAPSHOT as u64);
        for (event, id) in events.into_iter().zip(last + 1..) {
            changes.push(Change::EventLogged { event: Arc::new(Event { id: EventId(id), ..event }) });
        }
        if fleet.events().next().is_some_and(|oldest| oldest.id.0 < first_kept) {
            changes.push(Change::EventsTrimmed { before: EventId(first_kept) });
        }
        changes
    }

    fn put_net(&mut self, before: &Arc<Net>, cause: NetCause, edit: impl FnOnce(&mut Net)) {
        let Some(change) = self.write_net(before, cause, edit) else { return };
        let moved = match &change {
            Change::NetPut { net, moved_from: Some(_), .. } => Some(net.clone()),
            _ => None,
        };
        self.record(change);
        if let Some(net) = moved {
            self.follow_net(&net);
        }
    }

    /// Unloads a net because its worker left `ready`. The worker's own event tells of it; a hundred lines more would hide it.
    fn unload_quietly(&mut self, net: &Arc<Net>, keep_load_id: bool) {
        let change = self.write_net(net, NetCause::LoadState, |net| {
            unload(net);
            drop_in_flight(net);
            if !keep_load_id {
                net.load_id = None;
            }
        });
        self.changes.extend(change);
    }

    fn write_net(
        &mut self,
        before: &Arc<Net>,
        cause: NetCause,
        edit: impl FnOnce(&mut Net),
    ) -> Option<Change> {
        let mut net = Net::clone(before);
        edit(&mut net);
        if net.worker_id != before.worker_id {
            unload(&mut net);
            net.load_id = None;
        }
        // What is on no worker has its newest version in force.
        if net.load_id.is_none() && net.newer.is_some() {
            net.put_in_force(net.newest());
        }
        if net.load_state != LoadState::Loaded {
            net.run_state = RunState::Idle;
        }
        let moved = (net.load_state, net.worker_id) != (before.load_state, before.worker_id);
        if moved && net.last_action == before.last_action {
            net.last_action = None;
        }
        if net == **before {
            return None;
        }
        net.revision = before.revision + 1;
        net.state_revision = before.state_revision + u64::from(net.state_differs(before));
        net.updated_at = self.now;
        let moved_from = (net.project_id != before.project_id).then_some(before.project_id);
        let net = Arc::new(net);
        self.nets.insert(net.id, Some(net.clone()));
        Some(Change::NetPut { cause, net, moved_from })
    }

    fn record(&mut self, change: Change) {
        let kind = change.event_type().unwrap_or("event.logged");
        for said in left_behind(self, &change).into_iter().chain(describe(self, &change)) {
            let mut event = self.event(said.severity, kind, said.text);
            (event.cluster_id, event.project_id, event.worker_id, event.net_id, event.host_id) =
                (said.cluster_id, said.project_id, said.worker_id, said.net_id, said.host_id);
            (event.of_hosts, event.data) = (said.of_hosts, said.data);
            self.events.push(event);
        }
        self.changes.push(change);
    }

    fn event(&self, severity: Severity, kind: &str, text: String) -> Event {
        let blank = Event::blank(EventId(0), self.now, self.actor.clone());
        Event { kind: kind.to_owned(), severity, text, ..blank }
    }
}

/// What was in flight on a net ends with its worker. A deletion that waits does not need the worker.
fn drop_in_flight(net: &mut Net) {
    net.operation = net.operation.take().filter(Operation::is_waiting);
}

fn unload(net: &mut Net) {
    net.load_state = LoadState::Unloaded;
    net.run_state = RunState::Idle;
}
