//! Starts the binary and talks to it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures::{Stream, StreamExt};
use muster::model::{LoadId, NetId, WorkerId};
use muster::sync::sse::{Parser, SseEvent};
use muster::worker::protocol::{Health, HostedNet, NetEvent, Ready, WorkerError, WorkerEvent};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

pub const TOKEN: &str = "a token for tests";
/// Long enough for a loaded machine; nothing waits for it when all is well.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Waits for something, and says what, should it not come.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("timed out waiting for {what}"))
}

/// The binary with a worker's environment, not started yet.
pub fn command(id: WorkerId) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(["worker", "--worker-id", &id.to_string()]);
    command.env("MUSTER_WORKER_TOKEN", TOKEN).env("RUST_LOG", "warn");
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// A worker's process; killed when dropped.
pub struct Worker {
    pub id: WorkerId,
    pub ready: Ready,
    pub child: Child,
    http: reqwest::Client,
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Worker {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub async fn start_with(args: &[&str]) -> Self {
        let id = WorkerId(Uuid::new_v4());
        let mut child = command(id).args(args).spawn().expect("the binary starts");
        let stdout = child.stdout.take().expect("piped");
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).map(|_| line)
        });
        let line = within("the ready line", line).await.expect("a thread").expect("a line");
        let ready: Ready = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        Self { id, ready, child, http: reqwest::Client::new() }
    }

    /// A request that shows the token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(TOKEN)
    }

    /// A request that does not.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.ready.endpoint))
    }

    pub async fn health(&self) -> Health {
        answer(self.request(Method::GET, "/health")).await
    }

    /// The net as the worker describes it.
    pub async fn net(&self, id: NetId) -> Option<HostedNet> {
        self.health().await.nets.into_iter().find(|net| net.id == id)
    }

    pub async fn load(&self, pnml: impl Into<String>) -> HostedNet {
        self.load_as(NetId(Uuid::new_v4()), LoadId(Uuid::new_v4()), pnml).await
    }

    pub async fn load_as(&self, id: NetId, load_id: LoadId, pnml: impl Into<String>) -> HostedNet {
        answer(self.put(id, load_id, pnml)).await
    }

    pub fn put(&self, id: NetId, load_id: LoadId, pnml: impl Into<String>) -> RequestBuilder {
        self.request(Method::PUT, &format!("/nets/{id}?load_id={load_id}")).body(pnml.into())
    }

    /// `POST /nets/{id}/{name}` with an idempotency key.
    pub fn command(&self, id: NetId, name: &str, key: &str, body: Value) -> RequestBuilder {
        let request = self.request(Method::POST, &format!("/nets/{id}/{name}"));
        request.header("Idempotency-Key", key).json(&body)
    }

    /// A command under a new key, which must succeed.
    pub async fn tell(&self, id: NetId, name: &str, body: Value) -> HostedNet {
        answer(self.command(id, name, &Uuid::new_v4().to_string(), body)).await
    }

    pub async fn run(&self, id: NetId, rate: u32) -> HostedNet {
        self.tell(id, "run", json!({ "rate": rate })).await
    }

    /// Asks for the net until it is as wanted.
    pub async fn until(&self, what: &str, id: NetId, wanted: impl Fn(&HostedNet) -> bool) -> HostedNet {
        within(what, async {
            loop {
                if let Some(net) = self.net(id).await.filter(&wanted) {
                    return net;
                }
            }
        })
        .await
    }

    pub async fn events(&self) -> Events {
        self.stream("/events").await
    }

    pub async fn watch(&self, id: NetId) -> Events {
        self.stream(&format!("/events?net={id}")).await
    }

    async fn stream(&self, path: &str) -> Events {
        let response = within("the stream", self.request(Method::GET, path).send()).await.expect("sent");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let bytes = response.bytes_stream().map(|bytes| bytes.map(|bytes| bytes.to_vec()));
        Events { bytes: Box::pin(bytes), parser: Parser::default(), ready: VecDeque::new() }
    }
}

/// The answer to a request that must succeed.
pub async fn answer<T: serde::de::DeserializeOwned>(request: RequestBuilder) -> T {
    let response = within("an answer", request.send()).await.expect("sent");
    let status = response.status();
    let text = response.text().await.expect("a body");
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// The refusal of a request that must be refused.
pub async fn refused(request: RequestBuilder) -> (StatusCode, WorkerError) {
    let response: Response = within("an answer", request.send()).await.expect("sent");
    let status = response.status();
    let text = response.text().await.expect("a body");
    assert!(!status.is_success(), "{status}: {text}");
    (status, serde_json::from_str(&text).unwrap_or_else(|e| panic!("{status}, {e}: {text}")))
}

type ByteStream = std::pin::Pin<Box<dyn Stream<Item = reqwest::Result<Vec<u8>>> + Send>>;

/// An event stream.
pub struct Events {
    bytes: ByteStream,
    parser: Parser,
    ready: VecDeque<SseEvent>,
}

impl Events {
    /// The next bytes as they come, comments included; `None` at the end of the stream.
    pub async fn chunk(&mut self) -> Option<Vec<u8>> {
        within("bytes of the stream", self.bytes.next()).await.and_then(Result::ok)
    }

    /// The next event; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<SseEvent> {
        while self.ready.is_empty() {
            let bytes = self.chunk().await?;
            let mut events = Vec::new();
            self.parser.push(&bytes, &mut events);
            self.ready.extend(events);
        }
        self.ready.pop_front()
    }

    pub async fn worker_event(&mut self) -> WorkerEvent {
        let event = self.next().await.expect("the stream goes on");
        let parsed: WorkerEvent =
            serde_json::from_str(&event.data).unwrap_or_else(|e| panic!("{e}: {}", event.data));
        let whole = matches!(parsed, WorkerEvent::State(_));
        assert_eq!(event.event, if whole { "state" } else { "worker" });
        parsed
    }

    pub async fn net_event(&mut self) -> NetEvent {
        let event = self.next().await.expect("the stream goes on");
        assert_eq!(event.event, "net");
        serde_json::from_str(&event.data).unwrap_or_else(|e| panic!("{e}: {}", event.data))
    }

    /// Passes over events until one is as wanted.
    pub async fn worker_event_where<T>(
        &mut self,
        what: &str,
        wanted: impl Fn(WorkerEvent) -> Option<T>,
    ) -> T {
        within(what, async {
            loop {
                if let Some(found) = wanted(self.worker_event().await) {
                    return found;
                }
            }
        })
        .await
    }
}
