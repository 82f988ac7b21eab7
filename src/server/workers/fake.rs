//! A worker for tests, that can be told to misbehave. It is an HTTP server of its own and, where one is wanted, a process.

mod labs;

use crate::{
    model::{LabId, LoadId, Machine, NetId, RunState},
    server::{providers::ProcessId, workers::Keys},
    sync::sse,
    worker::protocol::{Health, HostedNet, InjectRequest, NetAnswer, RunRequest, WorkerEvent},
};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use futures::{StreamExt, future, stream};
use std::{
    collections::{BTreeSet, HashMap},
    convert::Infallible,
    os::unix::process::CommandExt,
    process::{Child, Command},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{broadcast, watch},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Well,
    /// Takes connections and says nothing, on open streams too.
    Silent,
    /// Says things that are not the protocol.
    Nonsense,
    /// Says far too much.
    Endless,
    /// Fails every call; ends streams.
    Broken,
}

#[derive(Clone)]
pub struct FakeWorker {
    pub machine: Machine,
    inner: Arc<Inner>,
}

struct Inner {
    health: Mutex<Health>,
    manner: watch::Sender<Manner>,
    frames: broadcast::Sender<String>,
    token: String,
    /// Streams opened so far.
    opened: AtomicU32,
    unloaded: Mutex<Vec<(NetId, Option<LoadId>)>>,
    /// Idempotency keys of commands, in order.
    keys: Mutex<Vec<String>>,
    process: Mutex<Child>,
    /// Labs whose results are answered with something else.
    garbled: Mutex<BTreeSet<LabId>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap();
        let _ = process.kill();
        let _ = process.wait();
    }
}

impl FakeWorker {
    pub async fn start(keys: &Keys, health: Health) -> FakeWorker {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        // Something to be found alive, and to be killed.
        let process = Command::new("sleep").arg("600").process_group(0).spawn().unwrap();
        let machine = Machine {
            provider_ref: ProcessId::of(process.id()).unwrap().to_string(),
            endpoint,
            incarnation: health.incarnation,
            software_version: health.version.clone(),
        };
        let inner = Arc::new(Inner {
            token: format!("Bearer {}", keys.worker_token(health.worker_id).as_str()),
            health: Mutex::new(health),
            manner: watch::Sender::new(Manner::Well),
            frames: broadcast::Sender::new(64),
            opened: AtomicU32::new(0),
            unloaded: Mutex::default(),
            keys: Mutex::default(),
            garbled: Mutex::default(),
            process: Mutex::new(process),
        });
        let router = Router::new()
            .route("/health", get(health_of))
            .route("/events", get(events))
            .route("/nets/{id}", put(load).delete(unload))
            .route("/nets/{id}/{command}", post(command))
            .merge(labs::routes())
            .with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        FakeWorker { machine, inner }
    }

    pub fn behave(&self, manner: Manner) {
        self.inner.manner.send_replace(manner);
    }

    pub fn tell(&self, event: &WorkerEvent) {
        let _ = self.inner.frames.send(sse::frame("worker", None, &serde_json::to_string(event).unwrap()));
    }

    pub fn tell_text(&self, text: &str) {
        let _ = self.inner.frames.send(text.to_owned());
    }

    pub fn change(&self, change: impl FnOnce(&mut Health)) {
        change(&mut self.inner.health.lock().unwrap());
    }

    /// From now on the results of this lab cannot be read, or can again.
    pub fn garble(&self, lab: LabId, garbled: bool) {
        let mut labs = self.inner.garbled.lock().unwrap();
        if garbled {
            labs.insert(lab)
        } else {
            labs.remove(&lab)
        };
    }

    pub fn streams_opened(&self) -> u32 {
        self.inner.opened.load(Ordering::SeqCst)
    }

    pub fn unloaded(&self) -> Vec<(NetId, Option<LoadId>)> {
        self.inner.unloaded.lock().unwrap().clone()
    }

    pub fn keys(&self) -> Vec<String> {
        self.inner.keys.lock().unwrap().clone()
    }

    /// Ends its process; the HTTP server stays, which only the process's end can then explain.
    pub fn kill_process(&self) {
        let mut process = self.inner.process.lock().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }
}

impl Inner {
    /// How it answers instead, if it does not behave.
    async fn misbehave(&self, headers: &HeaderMap) -> Option<Response> {
        if headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) != Some(&self.token) {
            let error = serde_json::json!({"error": "the token is wrong", "code": "unauthorized"});
            return Some((StatusCode::UNAUTHORIZED, Json(error)).into_response());
        }
        let manner = *self.manner.borrow();
        match manner {
            Manner::Well => None,
            Manner::Silent => future::pending().await,
            Manner::Nonsense => Some("<html>Welcome to nginx!</html>".into_response()),
            Manner::Endless => {
                let chunk = Bytes::from(vec![b'x'; 1 << 16]);
                Some(Body::from_stream(stream::repeat(Ok::<_, Infallible>(chunk))).into_response())
            }
            Manner::Broken => Some(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        }
    }
}

async fn health_of(State(inner): State<Arc<Inner>>, headers: HeaderMap) -> Response {
    if let Some(response) = inner.misbehave(&headers).await {
        return response;
    }
    let health = inner.health.lock().unwrap().clone();
    Json(health).into_response()
}

async fn events(State(inner): State<Arc<Inner>>, headers: HeaderMap) -> Response {
    inner.opened.fetch_add(1, Ordering::SeqCst);
    if let Some(response) = inner.misbehave(&headers).await {
        return response;
    }
    let (frames, manner) = (inner.frames.subscribe(), inner.manner.subscribe());
    let health = inner.health.lock().unwrap().clone();
    let state = serde_json::to_string(&WorkerEvent::State(health)).unwrap();
    let first = stream::iter([sse::frame("state", None, &state)]);
    let rest = stream::unfold((frames, manner), |(mut frames, mut manner)| async move {
        loop {
            let now = *manner.borrow_and_update();
            match now {
                Manner::Well => {}
                Manner::Broken => return None,
                Manner::Silent | Manner::Nonsense | Manner::Endless => future::pending().await,
            }
            tokio::select! {
                frame = frames.recv() => return Some((frame.ok()?, (frames, manner))),
                _ = manner.changed() => {}
                () = tokio::time::sleep(Duration::from_millis(100)) => {
                    return Some((": alive\n\n".to_owned(), (frames, manner)));
                }
            }
        }
    });
    let body = Body::from_stream(first.chain(rest).map(Ok::<_, Infallible>));
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

#[derive(serde::Deserialize)]
struct LoadQuery {
    load_id: LoadId,
}

async fn load(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<NetId>,
    Query(query): Query<LoadQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(response) = inner.misbehave(&headers).await {
        return response;
    }
    let is_net = body.as_ref() == b"<pnml/>" || body.windows(5).any(|part| part == b"<net ");
    if !is_net {
        let error = serde_json::json!({
            "error": format!("not a net\n{}", "!".repeat(1000)), "code": "bad_pnml", "line": 3, "column": 4
        });
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(error)).into_response();
    }
    let run_state = RunState::Idle;
    let net = HostedNet { id, load_id: query.load_id, run_state, rate: 0, firings: 0 };
    inner.health.lock().unwrap().nets.push(net.clone());
    Json(net).into_response()
}

async fn unload(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<NetId>,
    Query(query): Query<HashMap<String, LoadId>>,
    headers: HeaderMap,
) -> Response {
    if let Some(response) = inner.misbehave(&headers).await {
        return response;
    }
    inner.unloaded.lock().unwrap().push((id, query.get("load_id").copied()));
    let mut gone = Vec::new();
    inner.health.lock().unwrap().nets.retain(|net| net.id != id || (gone.push(net.load_id), false).1);
    for load_id in gone {
        let event = serde_json::to_string(&WorkerEvent::Unloaded { id, load_id }).unwrap();
        let _ = inner.frames.send(sse::frame("worker", None, &event));
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn command(
    State(inner): State<Arc<Inner>>,
    Path((id, command)): Path<(NetId, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(response) = inner.misbehave(&headers).await {
        return response;
    }
    let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
    inner.keys.lock().unwrap().extend(key);
    let mut health = inner.health.lock().unwrap();
    match health.nets.iter_mut().find(|net| net.id == id) {
        Some(net) => {
            let (mut fired, mut tokens) = (None, None);
            match command.as_str() {
                "run" => {
                    net.run_state = RunState::Running;
                    net.rate = serde_json::from_slice::<RunRequest>(&body).unwrap().rate;
                }
                "stop" | "reset" => net.run_state = RunState::Idle,
                "step" => fired = Some("t1".to_owned()),
                // It held three.
                _ => tokens = Some(3 + serde_json::from_slice::<InjectRequest>(&body).unwrap().tokens),
            }
            Json(NetAnswer { net: net.clone(), fired, tokens }).into_response()
        }
        None => {
            let error = serde_json::json!({"error": "the net is not loaded", "code": "not_loaded"});
            (StatusCode::NOT_FOUND, Json(error)).into_response()
        }
    }
}
