//! What a change tells, whoever hears it and in whatever words.

use crate::{
    model::{
        Actor, BuildId, Change, Cluster, ClusterId, CommandId, Fleet, HostId, HostTelemetry, LabId, Net,
        NetId, PipelineId, ProjectId, Telemetry, Timestamp, Worker, WorkerId,
    },
    sync::journal::Entry,
};
use serde::Serialize;
use serde_json::{Value, json};

/// One event of a stream.
#[derive(Clone, Debug)]
pub struct Message {
    /// Muster's name of it.
    pub kind: &'static str,
    pub at: Timestamp,
    pub actor: Option<Actor>,
    pub about: About,
    /// The state it led to, as a word.
    pub state: State,
    /// The row as it is then; empty for what is gone.
    pub data: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Worker { status: &'static str },
    Net { load_state: &'static str, run_state: &'static str },
    Other(Option<&'static str>),
}

/// What it tells of: what filters ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct About {
    /// Of a net: that of its worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<ClusterId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<WorkerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_id: Option<NetId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_id: Option<HostId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_id: Option<CommandId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline_id: Option<PipelineId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lab_id: Option<LabId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_id: Option<BuildId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The project that it left with this.
    #[serde(skip)]
    pub left: Option<ProjectId>,
    /// It tells of a worker that is not known any more, nor where that was. Rather one event too many than one too few.
    #[serde(skip)]
    pub is_unplaced: bool,
}

/// What is known of where things are: the transaction itself, and the fleet around it.
pub struct Around<'a> {
    pub fleet: &'a Fleet,
    pub entry: &'a Entry,
}

/// What gone things are said to be.
const DELETED: &str = "deleted";

impl Message {
    /// What `change` of the transaction tells; `None` for what only keeps the state small.
    pub fn of(change: &Change, around: &Around) -> Option<Message> {
        let kind = change.event_type()?;
        let none = State::Other(None);
        let (about, state, data) = match change {
            Change::ClusterPut { cluster, .. } => {
                (around.cluster(cluster), State::Other(Some(cluster.connection.as_str())), value(&**cluster))
            }
            Change::ClusterDeleted { id } => {
                let about = around.fleet.cluster(*id).map(|cluster| around.cluster(cluster));
                let about = About { cluster_id: Some(*id), ..about.unwrap_or_default() };
                (about, State::Other(Some(DELETED)), json!({}))
            }
            Change::ProjectPut { project, .. } => {
                (About { project_id: Some(project.id), ..About::default() }, none, value(&**project))
            }
            Change::ProjectDeleted { id } => {
                let about = About { project_id: Some(*id), ..About::default() };
                (about, State::Other(Some(DELETED)), json!({}))
            }
            Change::WorkerPut { worker, .. } => {
                (around.worker(worker), State::Worker { status: worker.status.word() }, value(&**worker))
            }
            Change::WorkerDeleted { id } => (around.on(*id), State::Worker { status: DELETED }, json!({})),
            Change::NetPut { net, moved_from, .. } => {
                let about = About { left: *moved_from, ..around.net(net) };
                let (load_state, run_state) = (net.load_state.as_str(), net.run_state.as_str());
                (about, State::Net { load_state, run_state }, value(&**net))
            }
            Change::NetDeleted { id, project_id } => {
                let about = About { net_id: Some(*id), project_id: *project_id, ..About::default() };
                (about, State::Net { load_state: DELETED, run_state: DELETED }, json!({}))
            }
            Change::HostPut { host, .. } => {
                let status = if host.online { "online" } else { "offline" };
                (about_host(host.id), State::Other(Some(status)), value(&**host))
            }
            Change::HostDeleted { id } => (about_host(*id), State::Other(Some(DELETED)), json!({})),
            Change::CommandPut { command, .. } => {
                let about = About {
                    command_id: Some(command.id),
                    pipeline_id: command.pipeline_id,
                    ..about_host(command.host_id)
                };
                (about, State::Other(Some(command.status.word())), value(&**command))
            }
            Change::PipelinePut { pipeline } => {
                let about = About { pipeline_id: Some(pipeline.id), ..About::default() };
                (about, State::Other(Some(pipeline.status.word())), value(&**pipeline))
            }
            Change::BuildPut { build, .. } => {
                let about = around.fleet.net(build.net_id).map(|net| around.net(net)).unwrap_or_default();
                let about = About {
                    net_id: Some(build.net_id),
                    project_id: Some(build.project_id),
                    build_id: Some(build.id),
                    ..about
                };
                (about, State::Other(Some(build.status.word())), value(&**build))
            }
            Change::LabPut { lab } => {
                let about = lab.worker_id.map(|id| around.on(id)).unwrap_or_default();
                let about = About {
                    net_id: Some(lab.net_id),
                    project_id: Some(lab.project_id),
                    lab_id: Some(lab.id),
                    ..about
                };
                (about, State::Other(Some(lab.state.word())), value(&**lab))
            }
            Change::LabDeleted { id, project_id } => {
                let about = About { project_id: Some(*project_id), lab_id: Some(*id), ..around.of_lab(*id) };
                (about, State::Other(Some(DELETED)), json!({"id": id}))
            }
            Change::PullRequestPut { pull_request } => (About::default(), none, value(&**pull_request)),
            Change::PullRequestGone { number } => {
                (About::default(), State::Other(Some("closed")), json!({"number": number}))
            }
            Change::EventLogged { event } | Change::EventAcknowledged { event } => {
                let mut about = event.worker_id.map(|id| around.on(id)).unwrap_or_default();
                (about.project_id, about.net_id, about.host_id) =
                    (event.project_id, event.net_id, event.host_id);
                if let Some(cluster) = event.cluster_id {
                    (about.cluster_id, about.is_unplaced) = (Some(cluster), false);
                }
                (about, State::Other(Some(event.severity.as_str())), value(&**event))
            }
            Change::CommandTrimmed { .. }
            | Change::PipelineTrimmed { .. }
            | Change::BuildTrimmed { .. }
            | Change::RepositoryPut { .. }
            | Change::RulesPut { .. }
            | Change::EventsTrimmed { .. } => return None,
        };
        let transaction = &around.entry.transaction;
        let actor = Some(transaction.actor.clone());
        Some(Message { kind, at: transaction.at, actor, about, state, data })
    }

    /// Figures of a worker, with those of the nets that are to be told.
    pub fn of_worker_figures(figures: &Telemetry, fleet: &Fleet) -> Message {
        let worker = fleet.worker(figures.worker_id);
        let about = About {
            worker_id: Some(figures.worker_id),
            cluster_id: worker.map(|worker| worker.cluster_id),
            region: worker.and_then(|worker| region(worker, fleet)),
            ..About::default()
        };
        let data = json!({"metrics": figures.worker, "nets": figures.nets});
        figures_of("worker.metrics.updated", figures.at, about, data)
    }

    pub fn of_host_figures(figures: &HostTelemetry) -> Message {
        figures_of(
            "host.heartbeat",
            figures.at,
            about_host(figures.host_id),
            json!({"metrics": figures.metrics}),
        )
    }
}

fn figures_of(kind: &'static str, at: Timestamp, about: About, data: Value) -> Message {
    Message { kind, at, actor: None, about, state: State::Other(None), data }
}

fn about_host(id: HostId) -> About {
    About { host_id: Some(id), ..About::default() }
}

fn region(worker: &Worker, fleet: &Fleet) -> Option<String> {
    let of_cluster = || fleet.cluster(worker.cluster_id)?.region.clone();
    worker.region.clone().or_else(of_cluster)
}

impl Around<'_> {
    fn cluster(&self, cluster: &Cluster) -> About {
        About { cluster_id: Some(cluster.id), region: cluster.region.clone(), ..About::default() }
    }

    fn worker(&self, worker: &Worker) -> About {
        About {
            worker_id: Some(worker.id),
            cluster_id: Some(worker.cluster_id),
            region: region(worker, self.fleet),
            ..About::default()
        }
    }

    fn net(&self, net: &Net) -> About {
        let placed = net.worker_id.map(|id| self.on(id)).unwrap_or_default();
        About { net_id: Some(net.id), project_id: Some(net.project_id), ..placed }
    }

    /// Where a deleted lab was, as its entry in the log says.
    fn of_lab(&self, id: LabId) -> About {
        let lab = self.fleet.lab(id);
        let about = lab.and_then(|lab| lab.worker_id).map(|worker| self.on(worker)).unwrap_or_default();
        About { net_id: lab.map(|lab| lab.net_id), ..about }
    }

    /// Where a worker is: as this transaction puts it, as the fleet has it, or as its entry in the log says when it was deleted.
    fn on(&self, id: WorkerId) -> About {
        let changes = &self.entry.transaction.changes;
        let put = changes.iter().find_map(|change| match change {
            Change::WorkerPut { worker, .. } if worker.id == id => Some(&**worker),
            _ => None,
        });
        if let Some(worker) = put.or_else(|| self.fleet.worker(id).map(|worker| &**worker)) {
            return self.worker(worker);
        }
        let cluster_id = changes.iter().find_map(|change| match change {
            Change::EventLogged { event } if event.worker_id == Some(id) => event.cluster_id,
            _ => None,
        });
        About { worker_id: Some(id), cluster_id, is_unplaced: true, ..About::default() }
    }
}

fn value(row: &impl Serialize) -> Value {
    serde_json::to_value(row).expect("rows are plain data: no map keys, no failing serialiser")
}
