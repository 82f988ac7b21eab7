//! The console as an integration sees it: signing in, and requests that obey its limits and are never done twice.

use super::config::Credentials;
use reqwest::{Client, Method, StatusCode, Url, header};
use serde_json::{Value, json};
use std::{
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Longer than the console lets a caller wait for an action.
const TIMEOUT: Duration = Duration::from_secs(40);
/// What is tried again is tried for so long.
const PATIENCE: Duration = Duration::from_secs(120);
/// Before a request that got no answer is sent again; doubles.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    #[error("the console's address {0:?} is not one: it looks like http://127.0.0.1:3000")]
    Address(String),
    #[error("the console at {url} cannot be reached: {cause}")]
    Unreachable { url: String, cause: String },
    #[error("{detail}")]
    Refused { status: u16, code: String, detail: String },
    #[error("the console answered {path} with something that is no answer: {what}")]
    Nonsense { path: String, what: String },
}

impl ConsoleError {
    /// What was to be removed is not there.
    pub fn is_gone(&self) -> bool {
        matches!(self, ConsoleError::Refused { status: 404, .. })
    }
}

/// A session at a console.
pub struct Console {
    http: Client,
    url: String,
    credentials: Credentials,
    cookie: RwLock<String>,
}

impl Console {
    /// Signs in.
    pub async fn sign_in(url: &str, credentials: Credentials) -> Result<Console, ConsoleError> {
        let address = || ConsoleError::Address(url.to_owned());
        let parsed = Url::parse(url).map_err(|_| address())?;
        let plain = parsed.username().is_empty() && parsed.password().is_none() && parsed.path() == "/";
        if !matches!(parsed.scheme(), "http" | "https") || !plain || parsed.query().is_some() {
            return Err(address());
        }
        let http = Client::builder()
            .user_agent(concat!("muster-swarm/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| ConsoleError::Unreachable { url: url.to_owned(), cause: root(&error) })?;
        let url = url.trim_end_matches('/').to_owned();
        let console = Console { http, url, credentials, cookie: RwLock::default() };
        console.begin_session().await?;
        Ok(console)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub async fn get(&self, path: &str) -> Result<Value, ConsoleError> {
        self.request(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Result<Value, ConsoleError> {
        self.request(Method::POST, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Result<Value, ConsoleError> {
        self.request(Method::DELETE, path, None).await
    }

    async fn begin_session(&self) -> Result<(), ConsoleError> {
        let body = json!({ "email": self.credentials.email, "password": self.credentials.password });
        let began = Instant::now();
        loop {
            let sent = self.http.post(format!("{}/api/session", self.url)).json(&body).send().await;
            let answer = sent.map_err(|error| self.unreachable(&error))?;
            if let Some(pause) = asked_to_wait(&answer).filter(|_| began.elapsed() < PATIENCE) {
                tokio::time::sleep(pause).await;
                continue;
            }
            let cookie = answer.headers().get(header::SET_COOKIE).and_then(|value| value.to_str().ok());
            let cookie = cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
            let status = answer.status();
            return match cookie.filter(|_| status.is_success()) {
                Some(cookie) => {
                    *self.cookie.write().unwrap_or_else(PoisonError::into_inner) = cookie;
                    Ok(())
                }
                None => Err(refused("/api/session", status, &answer.bytes().await.unwrap_or_default())),
            };
        }
    }

    /// Sends a request until it is answered. What changes something carries a key, so that sending it again does nothing twice.
    async fn request(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, ConsoleError> {
        let (began, key) = (Instant::now(), Uuid::now_v7().to_string());
        let (mut pause, mut signed_in_again) = (PAUSE, false);
        loop {
            let patient = began.elapsed() < PATIENCE;
            let cookie = self.cookie.read().unwrap_or_else(PoisonError::into_inner).clone();
            let mut request = self
                .http
                .request(method.clone(), format!("{}{path}", self.url))
                .header(header::COOKIE, cookie);
            if method != Method::GET {
                request = request.header("idempotency-key", &key);
            }
            if let Some(body) = &body {
                request = request.json(body);
            }
            let answer = match request.send().await {
                Ok(answer) => answer,
                Err(_) if patient => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
                Err(error) => return Err(self.unreachable(&error)),
            };
            if let Some(pause) = asked_to_wait(&answer).filter(|_| patient) {
                tokio::time::sleep(pause).await;
                continue;
            }
            let status = answer.status();
            if status == StatusCode::UNAUTHORIZED && !std::mem::replace(&mut signed_in_again, true) {
                self.begin_session().await?;
                continue;
            }
            let bytes = match answer.bytes().await {
                Ok(bytes) => bytes,
                // The key makes it safe to ask again for an answer that was cut off.
                Err(_) if patient => continue,
                Err(error) => return Err(self.unreachable(&error)),
            };
            if !status.is_success() {
                return Err(refused(path, status, &bytes));
            }
            if bytes.is_empty() {
                return Ok(Value::Null);
            }
            return serde_json::from_slice(&bytes)
                .map_err(|error| ConsoleError::Nonsense { path: path.to_owned(), what: error.to_string() });
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> ConsoleError {
        ConsoleError::Unreachable { url: self.url.clone(), cause: root(error) }
    }
}

/// How long the console wants to be left alone, if it does.
fn asked_to_wait(answer: &reqwest::Response) -> Option<Duration> {
    if !matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let seconds = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).clamp(PAUSE, PATIENCE))
}

fn refused(path: &str, status: StatusCode, body: &[u8]) -> ConsoleError {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    match (said["detail"].as_str(), said["code"].as_str()) {
        (Some(detail), Some(code)) => ConsoleError::Refused {
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.to_owned(),
        },
        _ => ConsoleError::Nonsense { path: path.to_owned(), what: format!("status {status}") },
    }
}

fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
