//! Thousands of workers behind a few listeners: each has a path of its own, `/w/<number>`, below which it speaks the worker protocol.

use super::script::Fault;
use crate::{
    model::{NetMetrics, WorkerId, WorkerMetrics},
    worker::embedded::{Embedded, Threads, routes},
};
use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, Response, StatusCode, Uri, header, uri::PathAndQuery},
    response::IntoResponse,
};
use futures::{StreamExt, stream};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Workers behind one listener. The console opens a connection for each call, and between two addresses there are only some 28,000.
const WORKERS_PER_LISTENER: usize = 2_000;
/// A request's head is far smaller; a body is passed on as it comes.
const BUFFER: usize = 16 << 10;
/// Beats a second: all workers tell their figures each second, but not all at once.
const BEATS: usize = 50;
/// After a connection could not be accepted, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How a worker behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Well,
    Troubled(Fault),
}

/// A worker's process, as far as the console can tell.
struct Seat {
    identity: Mutex<Option<(WorkerId, String)>>,
    /// `None` before it is appointed, and while it has crashed.
    process: Mutex<Option<Arc<Process>>>,
    manner: watch::Sender<Manner>,
}

struct Process {
    embedded: Embedded,
    started: Instant,
}

/// The connection is cut without a word, as that of a process that died.
#[derive(Debug, thiserror::Error)]
#[error("the worker hung up")]
struct HungUp;

/// Figures of the swarm itself.
#[derive(Debug, Default)]
pub struct Counts {
    pub connections: AtomicUsize,
    pub streams: AtomicUsize,
    pub requests: AtomicUsize,
}

struct Inner {
    seats: Vec<Seat>,
    addresses: Vec<SocketAddr>,
    /// The host by which the console reaches us, where that is not the address we listen on.
    advertised: Option<String>,
    routes: Router,
    threads: Threads,
    counts: Counts,
    end: CancellationToken,
}

/// All workers of the swarm. Workers are numbered from 1.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

impl Host {
    /// Listens. Nobody is there yet: each worker comes with [`Host::appoint`].
    pub async fn start(
        workers: usize,
        listen: SocketAddr,
        advertised: Option<String>,
        threads: usize,
        end: CancellationToken,
    ) -> io::Result<Host> {
        let mut listeners = Vec::new();
        for n in 0..workers.div_ceil(WORKERS_PER_LISTENER) {
            let port = match listen.port() {
                0 => 0,
                port => port.checked_add(n as u16).ok_or(io::ErrorKind::InvalidInput)?,
            };
            listeners.push(TcpListener::bind(SocketAddr::new(listen.ip(), port)).await?);
        }
        let addresses = listeners.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?;
        let seat = || Seat {
            identity: Mutex::default(),
            process: Mutex::default(),
            manner: watch::Sender::new(Manner::Well),
        };
        let host = Host(Arc::new(Inner {
            seats: std::iter::repeat_with(seat).take(workers).collect(),
            addresses,
            advertised,
            routes: routes(),
            threads: Threads::start(threads)?,
            counts: Counts::default(),
            end,
        }));
        for listener in listeners {
            tokio::spawn(host.clone().accept(listener));
        }
        let beats = host.clone();
        std::thread::Builder::new().name("figures".to_owned()).spawn(move || beats.beat())?;
        Ok(host)
    }

    pub fn counts(&self) -> &Counts {
        &self.0.counts
    }

    /// Where a worker answers.
    pub fn endpoint(&self, worker: usize) -> String {
        let address = self.0.addresses[(worker - 1) / WORKERS_PER_LISTENER];
        match &self.0.advertised {
            Some(host) => format!("http://{host}:{}/w/{worker}", address.port()),
            None => format!("http://{address}/w/{worker}"),
        }
    }

    /// The worker's process starts, with the id and the token that the console has for it.
    pub fn appoint(&self, worker: usize, id: WorkerId, token: String) {
        let Some(seat) = self.seat(worker) else { return };
        *lock(&seat.identity) = Some((id, token));
        self.start_process(seat);
    }

    /// The worker misbehaves from now on.
    pub fn begin(&self, worker: usize, fault: Fault) {
        let Some(seat) = self.seat(worker) else { return };
        if fault == Fault::Crash {
            // Whoever looks at the manner after the process is gone must find that it crashed.
            seat.manner.send_replace(Manner::Troubled(fault));
            drop(lock(&seat.process).take());
            return;
        }
        if lock(&seat.process).is_none() {
            self.start_process(seat);
        }
        seat.manner.send_replace(Manner::Troubled(fault));
    }

    /// It behaves again; after a crash as a new process.
    pub fn recover(&self, worker: usize) {
        let Some(seat) = self.seat(worker) else { return };
        if lock(&seat.process).is_none() {
            self.start_process(seat);
        }
        seat.manner.send_replace(Manner::Well);
    }

    /// Ends the threads that run nets. Blocks.
    pub fn end_threads(&self) {
        self.0.threads.end();
    }

    fn seat(&self, worker: usize) -> Option<&Seat> {
        self.0.seats.get(worker.checked_sub(1)?)
    }

    fn start_process(&self, seat: &Seat) {
        let identity = lock(&seat.identity).clone();
        let process = identity.map(|(id, token)| {
            let embedded = Embedded::start(id, &token, &self.0.threads);
            Arc::new(Process { embedded, started: Instant::now() })
        });
        *lock(&seat.process) = process;
    }

    async fn accept(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = connections.join_next() => continue,
                // Dropping the set cuts every connection.
                () = self.0.end.cancelled() => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    connections.spawn(self.clone().serve(stream));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn serve(self, stream: TcpStream) {
        let _open = Open::count(self.clone(), |counts| &counts.connections);
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection stays with delayed packets");
        }
        let service = service_fn(|request| self.clone().answer(request));
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .max_buf_size(BUFFER)
            .serve_connection(TokioIo::new(stream), service)
            .await;
        if let Err(error) = served {
            tracing::trace!(%error, "a connection ended");
        }
    }

    /// A request to one of the workers, or an error: then its connection is cut.
    async fn answer(self, request: Request<Incoming>) -> Result<Response<Body>, HungUp> {
        self.0.counts.requests.fetch_add(1, Relaxed);
        let (mut head, body) = request.into_parts();
        let Some((worker, uri)) = split(&head.uri) else {
            return Ok((StatusCode::NOT_FOUND, "a worker is at /w/<number>\n").into_response());
        };
        head.uri = uri;
        let seat = self.seat(worker).ok_or(HungUp)?;
        let mut manner = seat.manner.subscribe();
        loop {
            let now = *manner.borrow_and_update();
            match now {
                Manner::Well => break,
                Manner::Troubled(Fault::Crash) => return Err(HungUp),
                // It answers when it goes on, as a stopped process does.
                Manner::Troubled(Fault::Hang) => manner.changed().await.map_err(|_| HungUp)?,
                Manner::Troubled(Fault::Slow(late)) => {
                    tokio::time::sleep(late).await;
                    break;
                }
            }
        }
        let process = lock(&seat.process).clone().ok_or(HungUp)?;
        let mut request = Request::from_parts(head, Body::new(body));
        process.embedded.receives(&mut request);
        // Its streams end when the last hold on it is dropped.
        drop(process);
        let Ok(response) = self.0.routes.clone().oneshot(request).await;
        Ok(if is_stream(&response) { self.follow(response, manner) } else { response })
    }

    /// A stream as this worker sends it: silent while it hangs, cut when it crashes.
    fn follow(&self, response: Response<Body>, manner: watch::Receiver<Manner>) -> Response<Body> {
        let open = Open::count(self.clone(), |counts| &counts.streams);
        let (head, body) = response.into_parts();
        let frames = body.into_data_stream();
        let frames = stream::unfold((frames, manner, open), |(mut frames, mut manner, open)| async move {
            loop {
                let now = *manner.borrow_and_update();
                let changed = match now {
                    Manner::Troubled(Fault::Crash) => Err(HungUp),
                    Manner::Troubled(Fault::Hang) => manner.changed().await.map_err(|_| HungUp),
                    Manner::Well | Manner::Troubled(Fault::Slow(_)) => tokio::select! {
                        // A crash cuts the stream before the end of the process ends it.
                        biased;
                        changed = manner.changed() => changed.map_err(|_| HungUp),
                        frame = frames.next() => {
                            let frame: Result<Bytes, HungUp> = frame?.map_err(|_| HungUp);
                            return Some((frame, (frames, manner, open)));
                        }
                    },
                };
                if let Err(hung_up) = changed {
                    return Some((Err(hung_up), (frames, manner, open)));
                }
            }
        });
        Response::from_parts(head, Body::from_stream(frames))
    }

    /// Has every worker tell its figures once a second.
    fn beat(self) {
        let began = Instant::now();
        let mut beat = 0;
        while !self.0.end.is_cancelled() {
            for (seat, n) in self.0.seats.iter().zip(0..).filter(|(_, n)| n % BEATS == beat % BEATS) {
                // A process that hangs says nothing.
                if *seat.manner.borrow() == Manner::Troubled(Fault::Hang) {
                    continue;
                }
                let Some(process) = lock(&seat.process).clone() else { continue };
                let up = process.started.elapsed();
                process.embedded.tell(|nets| figures(n, up, nets));
            }
            beat += 1;
            let due = began + Duration::from_secs(1) / BEATS as u32 * beat as u32;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    }
}

/// What a worker's process would cost, made up: all share one process, whose figures say nothing of one.
fn figures(n: usize, up: Duration, nets: &[NetMetrics]) -> WorkerMetrics {
    let rate: f64 = nets.iter().map(|net| net.rate).sum();
    let wave = ((up.as_secs() + n as u64 * 7) % 60) as f32;
    WorkerMetrics {
        cpu_percent: 0.5 + (wave - 30.0).abs() / 30.0 + (rate / 10_000.0) as f32,
        memory_bytes: (8 << 20) + ((nets.len() as u64) << 16) + (up.as_secs() % 600) * 256,
        uptime_s: up.as_secs(),
        nets: nets.len() as u32,
    }
}

/// `/w/12/health` is `/health` of worker 12.
fn split(uri: &Uri) -> Option<(usize, Uri)> {
    let rest = uri.path_and_query()?.as_str().strip_prefix("/w/")?;
    let (worker, rest) = rest.split_at(rest.find('/')?);
    let path: PathAndQuery = rest.parse().ok()?;
    Some((worker.parse().ok()?, path.into()))
}

fn is_stream(response: &Response<Body>) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream")
}

/// Counts something as long as it is there.
struct Open(Host, fn(&Counts) -> &AtomicUsize);

impl Open {
    fn count(host: Host, which: fn(&Counts) -> &AtomicUsize) -> Open {
        which(host.counts()).fetch_add(1, Relaxed);
        Open(host, which)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        (self.1)(self.0.counts()).fetch_sub(1, Relaxed);
    }
}

/// What these locks hold is whole at every moment, whoever panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workers_number_is_the_first_part_of_the_path() {
        let of = |text: &str| split(&text.parse().unwrap());
        let (worker, uri) = of("/w/12/nets/5?load_id=7").unwrap();
        assert_eq!((worker, uri.to_string().as_str()), (12, "/nets/5?load_id=7"));
        for other in ["/", "/w/", "/w/12", "/w/x/health", "/health"] {
            assert!(of(other).is_none(), "{other}");
        }
    }
}
