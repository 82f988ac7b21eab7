//! The process: starts everything, says that it is ready, and ends everything in order.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::config::{Args, Config, Error};
use super::http::{self, Shared};
use super::hub::Hub;
use super::idempotency::Idempotency;
use super::labs::{Labs, Runner};
use super::metrics::Probe;
use super::nets::Nets;
use super::presence::Presence;
use super::protocol::{Ready, WorkerEvent};
use super::scheduler::Scheduler;
use crate::model::{Incarnation, WorkerMetrics};

/// How long requests may go on after the streams have ended.
const DRAIN: Duration = Duration::from_secs(5);

/// `muster worker`: runs until SIGTERM, Ctrl-C or too long without a console.
pub async fn run(args: Args) -> Result<(), Error> {
    let config = Config::from_args(args)?;
    let end = CancellationToken::new();
    end_on_signal(end.clone())?;
    let announce = |ready: &Ready| {
        // One line, and at once: who started us waits for it.
        let mut line = serde_json::to_vec(ready).map_err(std::io::Error::from)?;
        line.push(b'\n');
        let mut out = std::io::stdout().lock();
        out.write_all(&line)?;
        out.flush()
    };
    serve(config, announce, end).await
}

/// A worker inside this process: listens, calls `announce` once, serves until `end` is cancelled.
pub async fn serve(
    config: Config,
    announce: impl FnOnce(&Ready) -> std::io::Result<()>,
    end: CancellationToken,
) -> Result<(), Error> {
    let started = Instant::now();
    let failed = |source| Error::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let incarnation = Incarnation(Uuid::new_v4());

    let hub = Hub::new();
    let nets = Arc::new(Nets::new(hub.clone()));
    let scheduler = Arc::new(Scheduler::start(config.threads.max(1)).map_err(Error::Thread)?);
    let runner = Arc::new(Runner::new());
    let labs = Arc::new(Labs::new(hub.clone(), runner.clone()));
    let presence = Presence::new(started);
    let (figures, metrics) = tokio::sync::watch::channel(WorkerMetrics::default());
    let shared = Arc::new(Shared {
        worker_id: config.worker_id,
        incarnation,
        token: http::digest(&config.token),
        nets: nets.clone(),
        scheduler: scheduler.clone(),
        labs: labs.clone(),
        hub: hub.clone(),
        recent: Idempotency::new(),
        presence: presence.clone(),
        metrics,
        end: end.clone(),
    });
    tokio::spawn(measure(Probe::new(started), nets, labs, hub, figures, end.clone()));
    if let Some(timeout) = config.orphan_timeout {
        tokio::spawn(presence.guard(timeout, end.clone()));
    }

    let ready = Ready { endpoint: format!("http://{address}"), pid: std::process::id(), incarnation };
    tracing::info!(worker_id = %config.worker_id, endpoint = ready.endpoint, threads = config.threads, "worker ready");
    announce(&ready).map_err(Error::Ready)?;

    // Frames are small, and each is wanted now, not when the next one fills the packet.
    let listener = listener.tap_io(|connection| {
        if let Err(e) = connection.set_nodelay(true) {
            tracing::debug!(error = %e, "a connection stays with delayed packets");
        }
    });
    let server =
        axum::serve(listener, http::router(shared)).with_graceful_shutdown(end.clone().cancelled_owned());
    let deadline = async {
        end.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    let served = tokio::select! {
        served = server => served.map_err(Error::Serve),
        () = deadline => {
            tracing::warn!("a request did not end in time; ending without it");
            Ok(())
        }
    };
    end.cancel();
    // Nobody waits for these: what they do is lost with the process anyway.
    runner.end();
    let ending = tokio::task::spawn_blocking(move || scheduler.end());
    if ending.await.is_err() {
        tracing::error!("the scheduler did not end well");
    }
    tracing::info!("worker ended");
    served
}

/// Takes and tells the figures every second.
async fn measure(
    mut probe: Probe,
    nets: Arc<Nets>,
    labs: Arc<Labs>,
    hub: Hub,
    figures: tokio::sync::watch::Sender<WorkerMetrics>,
    end: CancellationToken,
) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = seconds.tick() => {}
            () = end.cancelled() => return,
        }
        let (nets, labs) = (nets.clone(), labs.clone());
        let look = move || {
            let worker = probe.look(nets.count());
            (probe, worker, nets.measure(), labs.figures())
        };
        let Ok((back, worker, nets, labs)) = tokio::task::spawn_blocking(look).await else {
            tracing::error!("cannot take the figures any more");
            return;
        };
        probe = back;
        let _ = figures.send(worker);
        hub.tell(&WorkerEvent::Metrics { worker, nets, labs });
    }
}

/// SIGTERM and Ctrl-C end the worker.
fn end_on_signal(end: CancellationToken) -> Result<(), Error> {
    #[cfg(unix)]
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(Error::Signals)?;
    tokio::spawn(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
        tracing::info!("asked to end");
        end.cancel();
    });
    Ok(())
}
