//! A worker without a process of its own. A process may be thousands of them: they share its listeners and the threads that run nets.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::http::Request;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::http::{self, Shared};
use super::hub::Hub;
use super::idempotency::Idempotency;
use super::labs::{Labs, Runner};
use super::nets::Nets;
use super::presence::Presence;
use super::protocol::WorkerEvent;
use super::scheduler::Scheduler;
use crate::model::{Incarnation, NetMetrics, WorkerId, WorkerMetrics};

/// Frames that wait for a slow reader of one of many workers.
const BACKLOG: usize = 16;

/// The threads that run the nets of all workers of a process, and the few that work on all their labs.
#[derive(Clone)]
pub struct Threads {
    nets: Arc<Scheduler>,
    labs: Arc<Runner>,
}

impl Threads {
    pub fn start(threads: usize) -> io::Result<Threads> {
        Ok(Threads { nets: Arc::new(Scheduler::start(threads)?), labs: Arc::new(Runner::new()) })
    }

    /// Ends them, and waits for those that run nets. Blocks.
    pub fn end(&self) {
        self.labs.end();
        self.nets.end();
    }
}

/// The routes of the worker protocol. A request must have passed [`Embedded::receives`].
pub fn routes() -> Router {
    http::routes()
}

/// One worker, from its start to its end.
pub struct Embedded {
    shared: Arc<Shared>,
    figures: watch::Sender<WorkerMetrics>,
}

impl Embedded {
    /// Starts it: a new incarnation, without nets and labs.
    pub fn start(worker_id: WorkerId, token: &str, threads: &Threads) -> Embedded {
        let hub = Hub::with_backlog(BACKLOG);
        let (figures, metrics) = watch::channel(WorkerMetrics::default());
        let shared = Shared {
            worker_id,
            incarnation: Incarnation(Uuid::new_v4()),
            token: http::digest(token),
            nets: Arc::new(Nets::new(hub.clone())),
            scheduler: threads.nets.clone(),
            labs: Arc::new(Labs::new(hub.clone(), threads.labs.clone())),
            hub,
            recent: Idempotency::new(),
            presence: Presence::new(Instant::now()),
            metrics,
            end: CancellationToken::new(),
        };
        Embedded { shared: Arc::new(shared), figures }
    }

    /// Says that this worker is the one a request is for.
    pub fn receives<B>(&self, request: &mut Request<B>) {
        request.extensions_mut().insert(self.shared.clone());
    }

    /// Takes the figures of its nets and labs and tells them, with what `process` makes of them. Blocks, for as long as a net's slice lasts at most.
    pub fn tell(&self, process: impl FnOnce(&[NetMetrics]) -> WorkerMetrics) {
        let (nets, labs) = (self.shared.nets.measure(), self.shared.labs.figures());
        let worker = process(&nets);
        self.figures.send_replace(worker);
        self.shared.hub.tell(&WorkerEvent::Metrics { worker, nets, labs });
    }
}

impl Drop for Embedded {
    /// Its streams end, its nets run no more, and no work is done on its labs.
    fn drop(&mut self) {
        self.shared.end.cancel();
        self.shared.labs.leave();
        self.shared.nets.leave();
    }
}
