//! What every handler has at hand.

use super::{
    agents::Agents,
    api::error::internal,
    auth::{Setup, Throttle, Who},
    clock::now,
    config::Config,
    events::tickets::Tickets,
    github::GitHub,
    graphs::Graphs,
    limit::ListLimit,
    providers::Providers,
    remotes::Remotes,
    sse::{cutter::Cutter, hub::Hub},
    storage::Store,
    supervise::Supervisor,
    webhooks::Webhooks,
    workers::WorkerClient,
};
use crate::{
    app::{
        error::ApiError,
        snapshot::{Drawn, Me, Snapshot},
    },
    model::{DefinitionHash, NetId, Role, Trend, Worker, WorkerId},
    petri::graph::NetGraph,
    worker::protocol::NetEvent,
};
use bytes::Bytes;
use futures::StreamExt;
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A page does not wait longer for a worker to tell a marking.
const MARKING_PATIENCE: Duration = Duration::from_millis(500);

impl From<&Who> for Me {
    fn from(who: &Who) -> Me {
        Me {
            user_id: who.user_id,
            name: who.name.clone(),
            email: who.email.clone(),
            role: who.roles.fleet.unwrap_or(Role::Viewer),
            roles: who.roles.clone(),
        }
    }
}

/// The running console. A clone is a handle on the same one.
#[derive(Clone)]
pub struct App(Arc<Parts>);

pub(super) struct Parts {
    pub config: Config,
    pub store: Store,
    pub hub: Hub,
    pub cutter: Cutter,
    /// Woken when this process changed somebody's access.
    pub access_changed: Notify,
    pub setup: Setup,
    pub throttle: Throttle,
    pub tickets: Tickets,
    pub list_limit: ListLimit,
    pub graphs: Graphs,
    pub providers: Providers,
    pub client: WorkerClient,
    pub supervisor: Supervisor,
    pub agents: Agents,
    pub remotes: Remotes,
    /// Work that must end before the process does.
    pub tasks: TaskTracker,
    pub shutdown: CancellationToken,
}

impl App {
    pub(super) fn new(parts: Parts) -> App {
        App(Arc::new(parts))
    }

    pub fn config(&self) -> &Config {
        &self.0.config
    }
    pub fn store(&self) -> &Store {
        &self.0.store
    }
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }
    pub fn cutter(&self) -> &Cutter {
        &self.0.cutter
    }
    pub fn access_changed(&self) -> &Notify {
        &self.0.access_changed
    }
    pub fn setup(&self) -> &Setup {
        &self.0.setup
    }
    pub fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }
    pub fn tickets(&self) -> &Tickets {
        &self.0.tickets
    }
    pub(super) fn list_limit(&self) -> &ListLimit {
        &self.0.list_limit
    }
    pub fn providers(&self) -> &Providers {
        &self.0.providers
    }
    pub fn client(&self) -> &WorkerClient {
        &self.0.client
    }
    pub fn supervisor(&self) -> &Supervisor {
        &self.0.supervisor
    }
    pub fn agents(&self) -> &Agents {
        &self.0.agents
    }
    /// The repository at GitHub, if the console was told of one.
    pub fn github(&self) -> Option<&GitHub> {
        self.0.remotes.github.as_ref()
    }
    pub fn webhooks(&self) -> &Webhooks {
        &self.0.remotes.webhooks
    }
    pub(super) fn remotes(&self) -> &Remotes {
        &self.0.remotes
    }
    pub fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }
    pub fn shutdown(&self) -> &CancellationToken {
        &self.0.shutdown
    }

    pub fn is_shutting_down(&self) -> bool {
        self.0.shutdown.is_cancelled()
    }

    /// Whether nobody can sign in yet.
    pub fn needs_setup(&self) -> bool {
        self.0.setup.is_open()
    }

    /// What a page is rendered from.
    pub async fn snapshot(&self, who: &Who) -> Result<Snapshot, ApiError> {
        Ok(Snapshot {
            full: self.hub().snapshot(&who.scope),
            part: None,
            server_time: now(),
            user: Me::from(who),
            telemetry: self.hub().board(&who.scope),
            host_telemetry: self.hub().host_board(&who.scope),
        })
    }

    /// The last hour of a worker's figures.
    pub fn trend(&self, worker: WorkerId) -> Result<Trend, ApiError> {
        self.store().fleet().worker(worker).ok_or(ApiError::Gone { what: "worker".to_owned() })?;
        Ok(self.hub().figures().trend(worker, now()))
    }

    /// What the page of a net is rendered from.
    pub async fn drawn(&self, who: &Who, net: NetId) -> Result<Drawn, ApiError> {
        let fleet = self.store().fleet();
        let row = fleet.net(net).filter(|net| who.scope.sees_project(net.project_id));
        let row = row.ok_or(ApiError::Gone { what: "net".to_owned() })?;
        let graph = match self.graph_json(row.definition).await {
            Ok(graph) => serde_json::from_slice(&graph).map_err(|error| internal(&error))?,
            // Its page is there all the same, and says what is wrong with the file.
            Err(ApiError::BadPnml { .. }) => NetGraph::empty(),
            Err(error) => return Err(error),
        };
        let marking = match fleet.worker_of(row) {
            Some(worker) if row.is_loaded() => self.marking(worker, net).await,
            _ => None,
        };
        Ok(Drawn { graph, marking })
    }

    /// The first word of the worker's stream of the net: its marking now.
    async fn marking(&self, worker: &Worker, net: NetId) -> Option<NetEvent> {
        let machine = worker.machine.as_ref()?;
        let first = async {
            let mut events = self.client().watch(machine, worker.id, net).await.ok()?;
            events.next().await?.ok().filter(|event| matches!(event, NetEvent::Marking { .. }))
        };
        tokio::time::timeout(MARKING_PATIENCE, first).await.ok().flatten()
    }

    /// The drawing of a definition, as JSON.
    pub async fn graph_json(&self, definition: DefinitionHash) -> Result<Bytes, ApiError> {
        self.0.graphs.get(self.store().pool(), definition).await
    }
}
