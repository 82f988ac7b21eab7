//! Calls to a worker, each with a deadline and a bound on what is taken in, and the ways they can fail.

mod labs;

use super::{Frames, Keys, WorkerToken, frames};
use crate::{
    model::{LoadId, Machine, NetId, OperationId, WorkerId},
    worker::protocol::{
        Health, HostedNet, InjectRequest, NetAnswer, NetEvent, RunRequest, WorkerError, WorkerEvent,
    },
};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header, redirect};
use serde::de::DeserializeOwned;
use std::{error::Error, future::Future, time::Duration};

/// How long a worker is given for what.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    pub connect: Duration,
    /// `GET /health`.
    pub probe: Duration,
    /// Controls of a net, unloading, and the head of a stream.
    pub call: Duration,
    /// Loading, which parses the definition.
    pub load: Duration,
    /// The longest silence on a stream. A worker says something every 2 s (docs/worker-protocol.md).
    pub silence: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            connect: Duration::from_secs(2),
            probe: Duration::from_secs(3),
            call: Duration::from_secs(5),
            load: Duration::from_secs(30),
            silence: Duration::from_secs(4),
        }
    }
}

/// Why a call to a worker did not do what it should. Each reads as a sentence an operator can act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No connection, or it broke. Only if `sent` the worker may have done what it was asked.
    #[error("The worker at {endpoint} cannot be reached: {cause}.")]
    Unreachable { endpoint: String, cause: String, sent: bool },
    /// Connected, asked, and no whole answer in time. The worker may have done what it was asked.
    #[error("The worker at {endpoint} did not answer within {}.", humantime::format_duration(*.after))]
    Timeout { endpoint: String, after: Duration },
    /// The worker is well and says no.
    #[error("{}", .error.error)]
    Refused { status: u16, error: WorkerError },
    /// An answer that is not the worker protocol.
    #[error("The worker at {endpoint} does not speak the worker protocol: it sent {what}.")]
    Nonsense { endpoint: String, what: String },
}

impl CallError {
    /// Whether the worker may have done what it was asked although no good answer came: then the outcome is unknown until it is checked.
    pub fn may_have_happened(&self) -> bool {
        match self {
            CallError::Unreachable { sent, .. } => *sent,
            CallError::Timeout { .. } | CallError::Nonsense { .. } => true,
            CallError::Refused { .. } => false,
        }
    }

    /// Whether this speaks against the worker rather than against what was asked of it.
    pub fn is_workers_fault(&self) -> bool {
        !matches!(self, CallError::Refused { .. })
    }

    pub(super) fn of_transport(endpoint: &str, error: &reqwest::Error, after: Duration) -> CallError {
        let endpoint = endpoint.to_owned();
        if error.is_timeout() && !error.is_connect() {
            return CallError::Timeout { endpoint, after };
        }
        if error.is_builder() {
            return CallError::Unreachable {
                endpoint,
                cause: "its address is not a URL".into(),
                sent: false,
            };
        }
        let mut cause: &dyn Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        CallError::Unreachable { endpoint, cause: cause.to_string(), sent: !error.is_connect() }
    }
}

/// The largest answer that is a list of nets, and the largest that is about one.
const LARGEST_HEALTH: usize = 8 << 20;
const LARGEST_ANSWER: usize = 64 << 10;
/// A worker's sentence is shown to operators; more than this is not a sentence.
const LONGEST_SENTENCE: usize = 400;

/// Speaks the worker protocol, with each worker's own token.
#[derive(Clone, Debug)]
pub struct WorkerClient {
    http: reqwest::Client,
    keys: Keys,
    timing: Timing,
}

impl WorkerClient {
    pub fn new(keys: Keys, timing: Timing) -> Result<WorkerClient, reqwest::Error> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("muster/", env!("CARGO_PKG_VERSION")))
            // A proxy from the environment, or a redirect, would carry the token to somebody else.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(timing.connect)
            // A kept connection to a worker that died or restarted meanwhile would make a good call fail.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(WorkerClient { http, keys, timing })
    }

    /// What a worker's process must be started with to know this console.
    pub fn token(&self, worker: WorkerId) -> WorkerToken {
        self.keys.worker_token(worker)
    }

    pub fn timing(&self) -> &Timing {
        &self.timing
    }

    pub async fn health(&self, machine: &Machine, worker: WorkerId) -> Result<Health, CallError> {
        self.health_within(&machine.endpoint, worker, self.timing.probe).await
    }

    /// The same with its own deadline, for a machine of which only the address is known yet.
    pub async fn health_within(
        &self,
        endpoint: &str,
        worker: WorkerId,
        within: Duration,
    ) -> Result<Health, CallError> {
        let request = self.request(endpoint, worker, Method::GET, "/health");
        let health: Health = self.answer(endpoint, within, request, LARGEST_HEALTH).await?;
        if health.worker_id != worker {
            let what = format!("the health of another worker ({})", health.worker_id);
            return Err(CallError::Nonsense { endpoint: endpoint.to_owned(), what });
        }
        Ok(health)
    }

    /// Loads a definition. Loading the same net under the same load id again is the same loading.
    pub async fn load(
        &self,
        machine: &Machine,
        worker: WorkerId,
        net: NetId,
        load_id: LoadId,
        pnml: impl Into<reqwest::Body>,
    ) -> Result<HostedNet, CallError> {
        let request = self
            .request(&machine.endpoint, worker, Method::PUT, &format!("/nets/{net}?load_id={load_id}"))
            .header(header::CONTENT_TYPE, "application/xml")
            .body(pnml);
        self.answer(&machine.endpoint, self.timing.load, request, LARGEST_ANSWER).await
    }

    /// Unloads that loading of a net; if the net is there under another load id by now, it stays. A net that is not there is unloaded.
    pub async fn unload(
        &self,
        machine: &Machine,
        worker: WorkerId,
        net: NetId,
        load_id: LoadId,
    ) -> Result<(), CallError> {
        let path = format!("/nets/{net}?load_id={load_id}");
        let request = self.request(&machine.endpoint, worker, Method::DELETE, &path);
        match self.call(&machine.endpoint, self.timing.call, request, LARGEST_ANSWER).await {
            Ok(_) | Err(CallError::Refused { status: 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub async fn step(
        &self,
        machine: &Machine,
        worker: WorkerId,
        net: NetId,
        operation: OperationId,
    ) -> Result<NetAnswer, CallError> {
        self.control(machine, worker, net, operation, "step", None::<&()>).await
    }

    pub async fn run(
        &self,
        machine: &Machine,
        worker: WorkerId,
        net: NetId,
        operation: OperationId,
        run: RunRequest,
    ) -> Result<NetAnswer, CallError> {
        self.control(machine, worker, net, operation, "run", Some(&run)).await
    }

    pub async fn stop(
        &self,
        machine: &Machine,
        worker: WorkerId,
        net: NetId,
        operation: OperationId,
    ) -> Result<NetAnswer, CallError> {
        self.control(machine, worker, net, operation, "stop", None::<&()>).await
    }

    pub async fn reset(
        &self,
        machine: &Machine,
        worker: WorkerId,
        net: NetId,
        operation: OperationId,
    ) -> Result<NetAnswer, CallError> {
        self.control(machine, worker, net, operation, "reset", None::<&()>).await
    }

    pub async fn inject(
        &self,
        machine: &Machine,
        worker: WorkerId,
        net: NetId,
        operation: OperationId,
        inject: &InjectRequest,
    ) -> Result<NetAnswer, CallError> {
        self.control(machine, worker, net, operation, "inject", Some(inject)).await
    }

    /// Everything that happens on a worker. The first frame is the whole picture.
    pub async fn events(
        &self,
        machine: &Machine,
        worker: WorkerId,
    ) -> Result<Frames<WorkerEvent>, CallError> {
        let request = self.request(&machine.endpoint, worker, Method::GET, "/events");
        self.stream(&machine.endpoint, request, |event| matches!(event, "state" | "worker")).await
    }

    /// One net, watched closely.
    pub async fn watch(
        &self,
        machine: &Machine,
        worker: WorkerId,
        net: NetId,
    ) -> Result<Frames<NetEvent>, CallError> {
        let path = format!("/events?net={net}");
        let request = self.request(&machine.endpoint, worker, Method::GET, &path);
        self.stream(&machine.endpoint, request, |_| true).await
    }

    async fn control(
        &self,
        machine: &Machine,
        worker: WorkerId,
        net: NetId,
        operation: OperationId,
        verb: &str,
        body: Option<&impl serde::Serialize>,
    ) -> Result<NetAnswer, CallError> {
        let mut request = self
            .request(&machine.endpoint, worker, Method::POST, &format!("/nets/{net}/{verb}"))
            .header("idempotency-key", operation.to_string());
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer: NetAnswer =
            self.answer(&machine.endpoint, self.timing.call, request, LARGEST_ANSWER).await?;
        if answer.net.id != net {
            let what = format!("an answer about another net ({})", answer.net.id);
            return Err(CallError::Nonsense { endpoint: machine.endpoint.clone(), what });
        }
        Ok(answer)
    }

    fn request(&self, endpoint: &str, worker: WorkerId, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", endpoint.trim_end_matches('/'));
        self.http.request(method, url).bearer_auth(self.keys.worker_token(worker).as_str())
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        endpoint: &str,
        within: Duration,
        request: RequestBuilder,
        limit: usize,
    ) -> Result<T, CallError> {
        let body = self.call(endpoint, within, request, limit).await?;
        serde_json::from_slice(&body).map_err(|error| CallError::Nonsense {
            endpoint: endpoint.to_owned(),
            what: format!("an answer that cannot be read ({error})"),
        })
    }

    /// Sends, and reads a good answer's body; everything else is an error.
    async fn call(
        &self,
        endpoint: &str,
        within: Duration,
        request: RequestBuilder,
        limit: usize,
    ) -> Result<Vec<u8>, CallError> {
        let whole = async {
            let response = self.send(endpoint, within, request).await?;
            read_body(response, endpoint, within, limit).await
        };
        in_time(endpoint, within, whole).await
    }

    async fn stream<T: DeserializeOwned + Send + 'static>(
        &self,
        endpoint: &str,
        request: RequestBuilder,
        wanted: fn(&str) -> bool,
    ) -> Result<Frames<T>, CallError> {
        let within = self.timing.call.min(self.timing.silence);
        let request = request.header(header::ACCEPT, "text/event-stream");
        let response = in_time(endpoint, within, self.send(endpoint, within, request)).await?;
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
            let what = "something else than an event stream".to_owned();
            return Err(CallError::Nonsense { endpoint: endpoint.to_owned(), what });
        }
        Ok(frames::read(response, endpoint.to_owned(), self.timing.silence, wanted))
    }

    /// The head of a good response.
    async fn send(
        &self,
        endpoint: &str,
        within: Duration,
        request: RequestBuilder,
    ) -> Result<Response, CallError> {
        let response =
            request.send().await.map_err(|error| CallError::of_transport(endpoint, &error, within))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let nonsense = |what| CallError::Nonsense { endpoint: endpoint.to_owned(), what };
        if !status.is_client_error() && status != StatusCode::SERVICE_UNAVAILABLE {
            return Err(nonsense(format!("status {}", status.as_u16())));
        }
        let body = read_body(response, endpoint, within, LARGEST_ANSWER).await?;
        match serde_json::from_slice::<WorkerError>(&body) {
            Ok(mut error) => {
                error.error = sentence(&error.error);
                Err(CallError::Refused { status: status.as_u16(), error })
            }
            Err(_) => Err(nonsense(format!("status {} without saying why", status.as_u16()))),
        }
    }
}

async fn in_time<T>(
    endpoint: &str,
    within: Duration,
    call: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    tokio::time::timeout(within, call)
        .await
        .unwrap_or_else(|_| Err(CallError::Timeout { endpoint: endpoint.to_owned(), after: within }))
}

async fn read_body(
    mut response: Response,
    endpoint: &str,
    within: Duration,
    limit: usize,
) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|error| CallError::of_transport(endpoint, &error, within))?
    {
        if body.len() + chunk.len() > limit {
            let what = format!("an answer of more than {} kB", limit >> 10);
            return Err(CallError::Nonsense { endpoint: endpoint.to_owned(), what });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What a worker says, fit to be shown: one line, of bounded length.
pub fn sentence(text: &str) -> String {
    let clean = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut said: String = clean.take(LONGEST_SENTENCE + 1).collect();
    if said.chars().count() > LONGEST_SENTENCE {
        said.pop();
        said.push('…');
    }
    said
}

#[cfg(test)]
mod tests;
