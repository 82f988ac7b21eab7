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
use super::nets::Nets;
use super::presence::Presence;
use super::protocol::WorkerEvent;
use super::scheduler::Scheduler;
use crate::model::{Incarnation, NetMetrics, WorkerId, WorkerMetrics};

/// Frames that wait for a slow reader of one of many workers.
const BACKLOG: usize = 16;

/// The threads that run the nets of all workers of a process.
#[derive(Clone)]
pub struct Threads(Arc<Scheduler>);

impl Threads {
    pub fn start(threads: usize) -> io::Result<Threads> {
        Scheduler::start(threads).map(|scheduler| Threads(Arc::new(scheduler)))
    }

    /// Ends them, and waits for it. Blocks.
    pub fn end(&self) {
        self.0.end();
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
    /// Starts it: a new incarnation, without nets.
    pub fn start(worker_id: WorkerId, token: &str, threads: &Threads) -> Embedded {
        let hub = Hub::with_backlog(BACKLOG);
        let (figures, metrics) = watch::channel(WorkerMetrics::default());
        let shared = Shared {
            worker_id,
            incarnation: Incarnation(Uuid::new_v4()),
            token: http::digest(token),
            nets: Arc::new(Nets::new(hub.clone())),
            scheduler: threads.0.clone(),
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

    /// Takes the figures of its nets and tells them, with what `process` makes of them. Blocks, for as long as a net's slice lasts at most.
    pub fn tell(&self, process: impl FnOnce(&[NetMetrics]) -> WorkerMetrics) {
        let nets = self.shared.nets.measure();
        let worker = process(&nets);
        self.figures.send_replace(worker);
        self.shared.hub.tell(&WorkerEvent::Metrics { worker, nets, labs: Vec::new() });
    }
}

impl Drop for Embedded {
    /// Its streams end, and its nets run no more.
    fn drop(&mut self) {
        self.shared.end.cancel();
        self.shared.nets.leave();
    }
}
