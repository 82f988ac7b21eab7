//! The whole state of a fleet, and the only way to change it.

use super::{
    Build, BuildId, Change, Cluster, ClusterId, Command, CommandId, Event, EventId, EventRules, Host, HostId,
    Lab, LabId, LoadState, Net, NetId, Pipeline, PipelineId, Project, ProjectId, PullRequest, Repository,
    RunState, Worker, WorkerId, WorkerStatus,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How many of the newest events the snapshot holds.
pub const EVENTS_IN_SNAPSHOT: usize = 100;

/// A row of the fleet, by kind and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityRef {
    Cluster(ClusterId),
    Project(ProjectId),
    Worker(WorkerId),
    Net(NetId),
    Host(HostId),
    Command(CommandId),
    Pipeline(PipelineId),
    Build(BuildId),
    Lab(LabId),
    /// By its number.
    PullRequest(u64),
    /// The one that the hosts are built from.
    Repository,
    Event(EventId),
    /// The rules for events.
    Rules,
}

/// Every versioned row. Rows are shared, so a clone costs a pointer a row and a snapshot never holds up a writer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(from = "FleetRows", into = "FleetRows")]
pub struct Fleet {
    clusters: BTreeMap<ClusterId, Arc<Cluster>>,
    projects: BTreeMap<ProjectId, Arc<Project>>,
    workers: BTreeMap<WorkerId, Arc<Worker>>,
    nets: BTreeMap<NetId, Arc<Net>>,
    hosts: BTreeMap<HostId, Arc<Host>>,
    /// Those that are not over, and the newest of the others.
    commands: BTreeMap<CommandId, Arc<Command>>,
    /// The same.
    pipelines: BTreeMap<PipelineId, Arc<Pipeline>>,
    /// Those that are not over, and the newest of the others.
    builds: BTreeMap<BuildId, Arc<Build>>,
    labs: BTreeMap<LabId, Arc<Lab>>,
    /// Those that are open, by number.
    pull_requests: BTreeMap<u64, Arc<PullRequest>>,
    repository: Option<Arc<Repository>>,
    events: BTreeMap<EventId, Arc<Event>>,
    rules: Option<Arc<EventRules>>,
    /// Derived from `nets`.
    nets_of: BTreeMap<WorkerId, BTreeSet<NetId>>,
}

/// The snapshot on the wire: plain lists, ordered by id.
#[derive(Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
struct FleetRows {
    clusters: Vec<Arc<Cluster>>,
    projects: Vec<Arc<Project>>,
    workers: Vec<Arc<Worker>>,
    nets: Vec<Arc<Net>>,
    #[serde(default)]
    hosts: Vec<Arc<Host>>,
    #[serde(default)]
    commands: Vec<Arc<Command>>,
    #[serde(default)]
    pipelines: Vec<Arc<Pipeline>>,
    #[serde(default)]
    builds: Vec<Arc<Build>>,
    #[serde(default)]
    labs: Vec<Arc<Lab>>,
    #[serde(default)]
    pull_requests: Vec<Arc<PullRequest>>,
    #[serde(default)]
    repository: Option<Arc<Repository>>,
    events: Vec<Arc<Event>>,
    #[serde(default)]
    rules: Option<Arc<EventRules>>,
}

impl Fleet {
    pub fn clusters(&self) -> impl ExactSizeIterator<Item = &Arc<Cluster>> {
        self.clusters.values()
    }
    pub fn projects(&self) -> impl ExactSizeIterator<Item = &Arc<Project>> {
        self.projects.values()
    }
    pub fn workers(&self) -> impl ExactSizeIterator<Item = &Arc<Worker>> {
        self.workers.values()
    }
    pub fn nets(&self) -> impl ExactSizeIterator<Item = &Arc<Net>> {
        self.nets.values()
    }
    pub fn hosts(&self) -> impl ExactSizeIterator<Item = &Arc<Host>> {
        self.hosts.values()
    }
    /// Oldest first: those that are not over, and the newest of the others.
    pub fn commands(&self) -> impl ExactSizeIterator<Item = &Arc<Command>> + DoubleEndedIterator {
        self.commands.values()
    }
    /// Oldest first: those that are not over, and the newest of the others.
    pub fn pipelines(&self) -> impl ExactSizeIterator<Item = &Arc<Pipeline>> + DoubleEndedIterator {
        self.pipelines.values()
    }
    /// Oldest first: those that are not over, and the newest of the others.
    pub fn builds(&self) -> impl ExactSizeIterator<Item = &Arc<Build>> + DoubleEndedIterator {
        self.builds.values()
    }
    /// Oldest first.
    pub fn labs(&self) -> impl ExactSizeIterator<Item = &Arc<Lab>> + DoubleEndedIterator {
        self.labs.values()
    }
    pub fn pull_requests(&self) -> impl ExactSizeIterator<Item = &Arc<PullRequest>> + DoubleEndedIterator {
        self.pull_requests.values()
    }
    pub fn repository(&self) -> Option<&Arc<Repository>> {
        self.repository.as_ref()
    }
    /// The rules for events, if any were ever made.
    pub fn rules(&self) -> Option<&Arc<EventRules>> {
        self.rules.as_ref()
    }
    /// Oldest first.
    pub fn events(&self) -> impl ExactSizeIterator<Item = &Arc<Event>> + DoubleEndedIterator {
        self.events.values()
    }

    pub fn cluster(&self, id: ClusterId) -> Option<&Arc<Cluster>> {
        self.clusters.get(&id)
    }
    pub fn project(&self, id: ProjectId) -> Option<&Arc<Project>> {
        self.projects.get(&id)
    }
    pub fn worker(&self, id: WorkerId) -> Option<&Arc<Worker>> {
        self.workers.get(&id)
    }
    pub fn net(&self, id: NetId) -> Option<&Arc<Net>> {
        self.nets.get(&id)
    }
    pub fn host(&self, id: HostId) -> Option<&Arc<Host>> {
        self.hosts.get(&id)
    }
    pub fn command(&self, id: CommandId) -> Option<&Arc<Command>> {
        self.commands.get(&id)
    }
    pub fn pipeline(&self, id: PipelineId) -> Option<&Arc<Pipeline>> {
        self.pipelines.get(&id)
    }
    pub fn build(&self, id: BuildId) -> Option<&Arc<Build>> {
        self.builds.get(&id)
    }
    pub fn lab(&self, id: LabId) -> Option<&Arc<Lab>> {
        self.labs.get(&id)
    }
    pub fn pull_request(&self, number: u64) -> Option<&Arc<PullRequest>> {
        self.pull_requests.get(&number)
    }
    pub fn event(&self, id: EventId) -> Option<&Arc<Event>> {
        self.events.get(&id)
    }

    /// The nets assigned to a worker.
    pub fn nets_on(&self, worker: WorkerId) -> impl Iterator<Item = &Arc<Net>> {
        self.nets_of.get(&worker).into_iter().flatten().filter_map(|id| self.nets.get(id))
    }

    /// The labs that live on a worker.
    pub fn labs_on(&self, worker: WorkerId) -> impl Iterator<Item = &Arc<Lab>> {
        self.labs.values().filter(move |lab| lab.worker_id == Some(worker))
    }

    /// The worker a net is assigned to.
    pub fn worker_of(&self, net: &Net) -> Option<&Arc<Worker>> {
        net.worker_id.and_then(|id| self.workers.get(&id))
    }

    /// What members of projects see: the fleet without the projects that `sees` does not hold for, and without hosts, which need a role in
    /// the whole fleet.
    pub fn filtered(&self, sees: impl Fn(ProjectId) -> bool) -> Fleet {
        let rows = FleetRows {
            clusters: self.clusters.values().cloned().collect(),
            projects: self.projects.values().filter(|row| sees(row.id)).cloned().collect(),
            workers: self.workers.values().cloned().collect(),
            nets: self.nets.values().filter(|row| sees(row.project_id)).cloned().collect(),
            builds: self.builds.values().filter(|row| sees(row.project_id)).cloned().collect(),
            labs: self.labs.values().filter(|row| sees(row.project_id)).cloned().collect(),
            events: (self.events.values())
                .filter(|row| !row.is_of_hosts() && row.project_id.is_none_or(&sees))
                .cloned()
                .collect(),
            rules: self.rules.clone(),
            ..FleetRows::default()
        };
        rows.into()
    }

    /// The fleet without the workers, nets and hosts that are not named; of commands those of these hosts, and no pipelines, which can be
    /// large.
    pub fn only(
        &self,
        workers: &BTreeSet<WorkerId>,
        nets: &BTreeSet<NetId>,
        hosts: &BTreeSet<HostId>,
    ) -> Fleet {
        let rows = FleetRows {
            clusters: self.clusters.values().cloned().collect(),
            projects: self.projects.values().cloned().collect(),
            workers: workers.iter().filter_map(|id| self.workers.get(id).cloned()).collect(),
            nets: nets.iter().filter_map(|id| self.nets.get(id).cloned()).collect(),
            hosts: hosts.iter().filter_map(|id| self.hosts.get(id).cloned()).collect(),
            builds: self.builds.values().filter(|row| nets.contains(&row.net_id)).cloned().collect(),
            labs: (self.labs.values())
                .filter(|row| {
                    nets.contains(&row.net_id) || row.worker_id.is_some_and(|id| workers.contains(&id))
                })
                .cloned()
                .collect(),
            commands: self.commands.values().filter(|row| hosts.contains(&row.host_id)).cloned().collect(),
            pull_requests: self.pull_requests.values().cloned().collect(),
            repository: self.repository.clone(),
            events: self.events.values().cloned().collect(),
            rules: self.rules.clone(),
            ..FleetRows::default()
        };
        rows.into()
    }

    /// Applies one change. Total: a change of a row that is not here (a scope may not hold it) does nothing.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::ClusterPut { cluster, .. } => {
                self.clusters.insert(cluster.id, cluster.clone());
            }
            Change::ClusterDeleted { id } => {
                self.clusters.remove(id);
            }
            Change::ProjectPut { project, .. } => {
                self.projects.insert(project.id, project.clone());
            }
            Change::ProjectDeleted { id } => {
                self.projects.remove(id);
            }
            Change::WorkerPut { worker, .. } => {
                self.workers.insert(worker.id, worker.clone());
            }
            Change::WorkerDeleted { id } => {
                self.workers.remove(id);
            }
            Change::NetPut { net, .. } => self.put_net(net.clone()),
            Change::NetDeleted { id, .. } => self.remove_net(*id),
            Change::HostPut { host, .. } => {
                self.hosts.insert(host.id, host.clone());
            }
            Change::HostDeleted { id } => {
                self.hosts.remove(id);
            }
            Change::CommandPut { command, .. } => {
                self.commands.insert(command.id, command.clone());
            }
            Change::CommandTrimmed { id } => {
                self.commands.remove(id);
            }
            Change::PipelinePut { pipeline } => {
                self.pipelines.insert(pipeline.id, pipeline.clone());
            }
            Change::PipelineTrimmed { id } => {
                self.pipelines.remove(id);
            }
            Change::BuildPut { build, .. } => {
                self.builds.insert(build.id, build.clone());
            }
            Change::BuildTrimmed { id } => {
                self.builds.remove(id);
            }
            Change::LabPut { lab } => {
                self.labs.insert(lab.id, lab.clone());
            }
            Change::LabDeleted { id, .. } => {
                self.labs.remove(id);
            }
            Change::PullRequestPut { pull_request } => {
                self.pull_requests.insert(pull_request.number, pull_request.clone());
            }
            Change::PullRequestGone { number } => {
                self.pull_requests.remove(number);
            }
            Change::RepositoryPut { repository } => self.repository = Some(repository.clone()),
            Change::EventLogged { event } => {
                self.events.insert(event.id, event.clone());
            }
            Change::EventAcknowledged { event } => {
                if let Some(row) = self.events.get_mut(&event.id) {
                    *row = event.clone();
                }
            }
            Change::RulesPut { rules } => self.rules = Some(rules.clone()),
            Change::EventsTrimmed { before } => self.events = self.events.split_off(before),
        }
    }

    /// Applies a transaction: all of its changes. Where assertions are on, the invariants must hold afterwards.
    pub fn apply_all(&mut self, changes: &[Change]) {
        changes.iter().for_each(|change| self.apply(change));
        #[cfg(any(test, debug_assertions))]
        for change in changes {
            let broken = match change {
                Change::WorkerPut { worker, .. } => self.violation_at_worker(worker.id),
                Change::WorkerDeleted { id } => self.violation_at_worker(*id),
                // The row as it is now: a later change of the transaction may have mended it.
                Change::NetPut { net, .. } => self.net(net.id).and_then(|net| self.violation_at_net(net)),
                Change::HostPut { host, .. } => self.violation_at_host(host.id),
                Change::CommandPut { command, .. } => self.violation_at_host(command.host_id),
                _ => None,
            };
            assert_eq!(broken, None, "a transaction broke an invariant: {changes:?}");
        }
    }

    /// The first invariant of DESIGN.md section 2 that does not hold, in words.
    pub fn violation(&self) -> Option<String> {
        (self.nets.values().find_map(|net| self.violation_at_net(net)))
            .or_else(|| self.hosts.keys().find_map(|id| self.violation_at_host(*id)))
    }

    /// A host's pending command is the one command that was sent to it and is not over.
    fn violation_at_host(&self, id: HostId) -> Option<String> {
        let host = self.host(id)?;
        let mut pending =
            self.commands.values().filter(|command| command.host_id == id && command.is_pending());
        let first = pending.next().map(|command| command.id);
        if host.pending_command != first {
            return Some(format!(
                "host {} names {:?} as pending, it is {first:?}",
                host.name, host.pending_command
            ));
        }
        pending.next().map(|_| format!("host {} has two pending commands", host.name))
    }

    #[cfg(any(test, debug_assertions))]
    fn violation_at_worker(&self, worker: WorkerId) -> Option<String> {
        self.nets_on(worker).find_map(|net| self.violation_at_net(net))
    }

    fn violation_at_net(&self, net: &Net) -> Option<String> {
        let of = |what: &str| Some(format!("net {} {what}", net.name));
        let worker = self.worker_of(net);
        if net.worker_id.is_some() && worker.is_none() {
            return of("is assigned to a worker that does not exist");
        }
        if net.load_state != LoadState::Unloaded
            && worker.is_none_or(|worker| worker.status != WorkerStatus::Ready)
        {
            return of("is not unloaded although its worker is not ready");
        }
        if net.load_state != LoadState::Loaded && net.run_state != RunState::Idle {
            return of("is not idle although it is not loaded");
        }
        if net.load_state == LoadState::Loaded && net.load_id.is_none() {
            return of("is loaded without a load id");
        }
        if net.load_id.is_none() && net.newer.is_some() {
            return of("is on no worker, and an older version is in force");
        }
        if net.worker_id.is_none() && net.load_id.is_some() {
            return of("has a load id although it is assigned to no worker");
        }
        None
    }

    fn put_net(&mut self, net: Arc<Net>) {
        let (id, worker_id) = (net.id, net.worker_id);
        if let Some(before) = self.nets.insert(id, net)
            && before.worker_id != worker_id
        {
            self.unindex(before.worker_id, id);
        }
        if let Some(worker_id) = worker_id {
            self.nets_of.entry(worker_id).or_default().insert(id);
        }
    }

    fn remove_net(&mut self, id: NetId) {
        if let Some(before) = self.nets.remove(&id) {
            self.unindex(before.worker_id, id);
        }
        self.builds.retain(|_, row| row.net_id != id);
        self.labs.retain(|_, row| row.net_id != id);
    }

    fn unindex(&mut self, worker: Option<WorkerId>, net: NetId) {
        let Some(worker) = worker else { return };
        if let Some(nets) = self.nets_of.get_mut(&worker) {
            nets.remove(&net);
            if nets.is_empty() {
                self.nets_of.remove(&worker);
            }
        }
    }
}

impl From<FleetRows> for Fleet {
    fn from(rows: FleetRows) -> Fleet {
        let mut fleet = Fleet {
            clusters: rows.clusters.into_iter().map(|row| (row.id, row)).collect(),
            projects: rows.projects.into_iter().map(|row| (row.id, row)).collect(),
            workers: rows.workers.into_iter().map(|row| (row.id, row)).collect(),
            hosts: rows.hosts.into_iter().map(|row| (row.id, row)).collect(),
            commands: rows.commands.into_iter().map(|row| (row.id, row)).collect(),
            pipelines: rows.pipelines.into_iter().map(|row| (row.id, row)).collect(),
            builds: rows.builds.into_iter().map(|row| (row.id, row)).collect(),
            labs: rows.labs.into_iter().map(|row| (row.id, row)).collect(),
            pull_requests: rows.pull_requests.into_iter().map(|row| (row.number, row)).collect(),
            repository: rows.repository,
            events: rows.events.into_iter().map(|row| (row.id, row)).collect(),
            rules: rows.rules,
            ..Fleet::default()
        };
        rows.nets.into_iter().for_each(|net| fleet.put_net(net));
        fleet
    }
}

impl From<Fleet> for FleetRows {
    fn from(fleet: Fleet) -> FleetRows {
        FleetRows {
            clusters: fleet.clusters.into_values().collect(),
            projects: fleet.projects.into_values().collect(),
            workers: fleet.workers.into_values().collect(),
            nets: fleet.nets.into_values().collect(),
            hosts: fleet.hosts.into_values().collect(),
            commands: fleet.commands.into_values().collect(),
            pipelines: fleet.pipelines.into_values().collect(),
            builds: fleet.builds.into_values().collect(),
            labs: fleet.labs.into_values().collect(),
            pull_requests: fleet.pull_requests.into_values().collect(),
            repository: fleet.repository,
            events: fleet.events.into_values().collect(),
            rules: fleet.rules,
        }
    }
}
