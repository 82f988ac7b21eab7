//! Agents: the connections that hosts open, and what follows from what they say (DESIGN.md sections 2 and 6, docs/agent-protocol.md).
//!
//! `gateway` is the route and one connection; `said` makes transactions of what an agent says; `report` holds the rules for reports, purely.
//! `rounds` is the one task that sends commands to their hosts and ends what has waited too long. [`outputs`] keeps what commands write,
//! [`HostBoard`] the latest figures. What comes in: the store. Nothing in here knows a browser or a request of the API.

mod board;
pub mod gateway;
pub mod outputs;
mod registry;
mod report;
mod retention;
mod rounds;
mod said;
#[cfg(test)]
mod tests;
pub mod token;

pub use board::HostBoard;
pub use retention::Keep;

use self::{outputs::Outputs, registry::Registry};
use super::storage::Store;
use crate::{
    agent::protocol::{Goodbye, ToAgent},
    model::{HostId, RefreshId, host::HEARTBEAT},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often and how soon things are done.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A connection has to say who it is within this time.
    pub register: Duration,
    /// A ping is sent this often, and a connection that says nothing at all for `silence` is closed.
    pub ping: Duration,
    pub silence: Duration,
    /// An agent that takes nothing for this long is given up.
    pub patience: Duration,
    /// Output that comes within this time is stored with one sync of its file.
    pub gather: Duration,
    /// Agents that were there when the console went down have this long to come back before their hosts are offline.
    pub grace: Duration,
    /// How often deadlines are looked for.
    pub tick: Duration,
    /// A command or a cancellation that is not confirmed is sent again after this.
    pub resend: Duration,
    /// How long a refresh waits for its report.
    pub refresh: Duration,
    /// How often what is kept too long is looked for.
    pub sweep: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            register: Duration::from_secs(10),
            ping: HEARTBEAT,
            silence: Duration::from_secs(15),
            patience: Duration::from_secs(15),
            gather: Duration::from_millis(20),
            grace: Duration::from_secs(20),
            tick: Duration::from_secs(1),
            resend: Duration::from_secs(10),
            refresh: Duration::from_secs(10),
            sweep: Duration::from_secs(3_600),
        }
    }
}

/// The same thing said of the same host again within this time is not a new event.
const TOLD_FOR: Duration = Duration::from_secs(3_600);
const MOST_TOLD: usize = 10_000;

/// Everything that concerns agents. A clone is a handle on the same.
#[derive(Clone)]
pub struct Agents(Arc<Inner>);

struct Inner {
    store: Store,
    board: HostBoard,
    outputs: Outputs,
    pace: Pace,
    keep: Keep,
    registry: Registry,
    refreshes: Mutex<HashMap<RefreshId, oneshot::Sender<()>>>,
    told: Mutex<HashMap<(HostId, &'static str), Instant>>,
    /// A connection came, or is free for the next command.
    wake: Notify,
    /// Something may have become nobody's.
    sweep: Notify,
    began: Instant,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

/// Why a refresh was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoReport {
    /// No agent is connected at this moment.
    Away,
    /// It was asked and has not reported yet.
    Silent,
}

impl Agents {
    /// Sends commands, ends what waits too long, forgets what is old, until `shutdown`. Returns at once; connections come by the
    /// [`gateway`].
    pub fn start(
        store: Store,
        board: HostBoard,
        outputs: Outputs,
        pace: Pace,
        keep: Keep,
        shutdown: CancellationToken,
    ) -> Agents {
        let agents = Agents(Arc::new(Inner {
            store,
            board,
            outputs,
            pace,
            keep,
            registry: Registry::default(),
            refreshes: Mutex::default(),
            told: Mutex::default(),
            wake: Notify::new(),
            sweep: Notify::new(),
            began: Instant::now(),
            tasks: TaskTracker::new(),
            shutdown,
        }));
        agents.0.tasks.spawn(rounds::run(agents.clone()));
        agents.0.tasks.spawn(retention::run(agents.clone()));
        agents
    }

    pub fn outputs(&self) -> &Outputs {
        &self.0.outputs
    }

    /// Agents that are connected.
    pub fn connected(&self) -> usize {
        self.0.registry.len()
    }

    /// Ends the connection of a host's agent, if there is one.
    pub fn cut(&self, host: HostId, why: Goodbye, detail: &str) {
        self.0.registry.cut(host, why, detail);
    }

    /// A host was deleted: nothing of it is kept.
    pub fn forget(&self, host: HostId) {
        self.cut(host, Goodbye::Revoked, "This host was deleted.");
        self.0.board.forget(host);
        self.0.sweep.notify_one();
    }

    /// Asks a host for a report, and waits until what it says is in its row.
    pub async fn refresh(&self, host: HostId) -> Result<(), NoReport> {
        let id = RefreshId(uuid::Uuid::now_v7());
        let (sender, answered) = oneshot::channel();
        self.refreshes().insert(id, sender);
        let outcome = match self.0.registry.send(host, ToAgent::Refresh { refresh_id: id }) {
            false => Err(NoReport::Away),
            true => match tokio::time::timeout(self.0.pace.refresh, answered).await {
                Ok(Ok(())) => Ok(()),
                _ => Err(NoReport::Silent),
            },
        };
        self.refreshes().remove(&id);
        outcome
    }

    /// Returns once everything has ended after the shutdown.
    pub async fn ended(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    fn answered(&self, refresh: RefreshId) {
        if let Some(waiting) = self.refreshes().remove(&refresh) {
            // Whoever asked may have gone away.
            _ = waiting.send(());
        }
    }

    fn refreshes(&self) -> std::sync::MutexGuard<'_, HashMap<RefreshId, oneshot::Sender<()>>> {
        self.0.refreshes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `what` is news of this host: an agent that makes the same mistake each time it comes back is told of once.
    fn is_news(&self, host: HostId, what: &'static str) -> bool {
        let now = Instant::now();
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MOST_TOLD {
            told.retain(|_, at| now.duration_since(*at) < TOLD_FOR);
        }
        let before = told.insert((host, what), now);
        before.is_none_or(|at| now.duration_since(at) >= TOLD_FOR)
    }
}
