//! The replica over real HTTP: what the browser's driver does, with a record of what was seen.

use futures::StreamExt;
use muster::{
    model::Fleet,
    sync::{Close, Effect, FullState, Message, Replica, Status, Unanswered, sse::Parser},
};
use reqwest::{Client, Response, header};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::task::JoinHandle;

/// What one replica saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub fleet: Fleet,
    pub version: Option<u64>,
    pub position: Option<String>,
    pub connected: bool,
    pub inits: usize,
    pub shutdowns: usize,
    /// When each stream began.
    pub streams: Vec<Instant>,
    /// Milliseconds from a transaction to its delta here.
    pub latencies: Vec<u64>,
    /// What must never happen.
    pub wrong: Vec<String>,
}

/// A replica that follows until dropped.
pub struct Follower {
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Follower {
    pub fn start(url: &str, cookie: &str) -> Follower {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let task = tokio::spawn(follow(url.to_owned(), cookie.to_owned(), seen.clone()));
        Follower { seen, task }
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(url: String, cookie: String, seen: Arc<Mutex<Seen>>) {
    // A stream of its own each time, as after a network that was lost.
    let http = Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let began = Instant::now();
    let clock = || began.elapsed().as_millis() as u64;
    let ask = |path: String| http.get(format!("{url}{path}")).header(header::COOKIE, &cookie).send();
    let mut replica = Replica::empty();
    let mut stream: Option<futures::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>> = None;
    let mut parser = Parser::default();
    let mut effects = Vec::new();
    loop {
        effects.extend(replica.tick(clock(), rand::random()));
        while !effects.is_empty() {
            for effect in std::mem::take(&mut effects) {
                match effect {
                    Effect::Connect => {
                        let since = replica.position().map(|at| format!("?since={at}")).unwrap_or_default();
                        let close = match ask(format!("/api/sync{since}")).await {
                            Ok(answer) if answer.status() == 200 => {
                                (stream, parser) = (Some(answer.bytes_stream().boxed()), Parser::default());
                                lock(&seen).streams.push(Instant::now());
                                continue;
                            }
                            Ok(answer) => refused(&answer),
                            Err(_) => Close::Broken,
                        };
                        effects.extend(replica.on_close(close, clock(), rand::random()));
                    }
                    Effect::Disconnect => stream = None,
                    Effect::FetchFullState { request, at_least } => {
                        let since = replica.position().map(|at| format!("&since={at}")).unwrap_or_default();
                        let state = match ask(format!("/api/state?at_least={at_least}{since}")).await {
                            Ok(answer) => full_state(answer).await,
                            Err(_) => Err(Unanswered::Failed),
                        };
                        effects.extend(replica.on_full_state(request, state, clock()));
                    }
                    Effect::Changed(_) | Effect::Replaced | Effect::Telemetry(_) | Effect::Status => {}
                }
            }
        }
        record(&seen, &replica);
        let due = replica.next_tick().unwrap_or(u64::MAX).saturating_sub(clock());
        let next = async {
            match &mut stream {
                Some(stream) => stream.next().await,
                None => std::future::pending().await,
            }
        };
        let Ok(next) = tokio::time::timeout(Duration::from_millis(due.min(60_000)), next).await else {
            continue;
        };
        let Some(Ok(bytes)) = next else {
            stream = None;
            effects.extend(replica.on_close(Close::Broken, clock(), rand::random()));
            continue;
        };
        let mut events = Vec::new();
        parser.push(&bytes, &mut events);
        for event in events {
            match Message::parse(&event.event, &event.data) {
                None => {}
                Some(Err(error)) => lock(&seen).wrong.push(format!("{}: {error}", event.event)),
                Some(Ok(message)) => {
                    note(&seen, &message);
                    effects.extend(replica.on_message(message, clock()));
                }
            }
        }
    }
}

async fn full_state(answer: Response) -> Result<FullState, Unanswered> {
    match (answer.status().as_u16(), retry_after(&answer)) {
        (200, _) => answer.json().await.map_err(|_| Unanswered::Failed),
        (409, _) => Err(Unanswered::Foreign),
        (429, Some(wait)) => Err(Unanswered::TooSoon(wait)),
        _ => Err(Unanswered::Failed),
    }
}

fn refused(answer: &Response) -> Close {
    Close::Refused { status: answer.status().as_u16(), retry_after: retry_after(answer) }
}

fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn note(seen: &Mutex<Seen>, message: &Message) {
    let mut seen = lock(seen);
    match message {
        Message::Init(_) => seen.inits += 1,
        Message::Shutdown(_) => seen.shutdowns += 1,
        Message::Delta(delta) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
            seen.latencies.push(now.saturating_sub(delta.at.0));
        }
        Message::Connected(_) | Message::Sync(_) | Message::Telemetry(_) => {}
    }
}

fn record(seen: &Mutex<Seen>, replica: &Replica) {
    let mut seen = lock(seen);
    let version = replica.version();
    if version < seen.version {
        let text = format!("the version went back from {:?} to {version:?}", seen.version);
        seen.wrong.push(text);
    }
    if version != seen.version || *replica.fleet() != seen.fleet {
        seen.fleet = replica.fleet().clone();
    }
    seen.version = version;
    seen.position = replica.position().map(ToString::to_string);
    seen.connected = *replica.status() == Status::Connected;
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
