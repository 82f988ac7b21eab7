//! Requests to GitHub: with a token that no other host gets, within limits of time and size, and no more often than GitHub wants.

use super::wire::{CheckRun, CheckRuns, CombinedStatus, Listed, MergeResult, Pull, Refusal};
use crate::server::clock::now;
use bytes::Bytes;
use futures::StreamExt;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header, redirect::Policy};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// A page of pull requests is some megabytes at most.
const LARGEST_ANSWER: usize = 8 << 20;
/// GitHub's limits are counted by the hour.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// Where GitHub says "slow down" and not for how long, it wants a minute.
const PAUSE: Duration = Duration::from_secs(60);
const REDIRECTS: usize = 5;
const PER_PAGE: u64 = 100;
/// Pages of check runs of one commit.
const PAGES: u64 = 10;
const LONGEST_SENTENCE: usize = 300;

/// Which repository, and how it is reached.
#[derive(Clone, Debug)]
pub struct Target {
    /// The API's address, without a slash at its end.
    pub url: String,
    /// `owner/name`.
    pub repo: String,
    /// Only pull requests into this branch.
    pub base: Option<String>,
    /// Read for each request, so that a new token needs no restart.
    pub token_file: Option<PathBuf>,
    pub merge_method: MergeMethod,
}

/// How GitHub puts the commits of a pull request onto the branch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum MergeMethod {
    #[default]
    Merge,
    Squash,
    Rebase,
}

/// Why there is no answer, or not the one hoped for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("the token for GitHub cannot be read from {path}: {cause}")]
    Token { path: String, cause: String },
    /// `sent`: it may have arrived all the same.
    #[error("GitHub does not answer: {cause}")]
    Unreachable { cause: String, sent: bool },
    #[error("GitHub wants no more requests for {} s", .pause.as_secs())]
    Limited { pause: Duration },
    #[error("GitHub refused with {status}: {said}")]
    Refused { status: u16, said: String },
    #[error("GitHub's answer makes no sense: {0}")]
    Nonsense(String),
}

#[derive(Debug)]
struct Cached {
    etag: header::HeaderValue,
    body: Bytes,
}

#[derive(Clone, Debug)]
pub struct GitHubClient {
    http: Client,
    target: Arc<Target>,
    /// What was answered with an ETag, by path: asked for again it costs nothing while it is the same.
    cache: Arc<Mutex<BTreeMap<String, Cached>>>,
    /// The paths asked for since the cache was tidied.
    used: Arc<Mutex<BTreeSet<String>>>,
    paused_until: Arc<Mutex<Option<Instant>>>,
}

impl GitHubClient {
    pub fn new(target: Target) -> Result<GitHubClient, reqwest::Error> {
        // A renamed repository answers with a redirect; the token goes nowhere else.
        let policy = Policy::custom(|attempt| {
            let first = attempt.previous().first().map(reqwest::Url::origin);
            match first == Some(attempt.url().origin()) && attempt.previous().len() <= REDIRECTS {
                true => attempt.follow(),
                false => attempt.stop(),
            }
        });
        let http = Client::builder()
            .user_agent(concat!("muster/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .redirect(policy)
            .build()?;
        Ok(GitHubClient {
            http,
            target: Arc::new(target),
            cache: Arc::default(),
            used: Arc::default(),
            paused_until: Arc::default(),
        })
    }

    pub fn repo(&self) -> &str {
        &self.target.repo
    }

    /// The newest open pull requests, so many at most.
    pub async fn open_pulls(&self, most: usize) -> Result<Vec<Listed>, Failure> {
        let base =
            self.target.base.as_ref().map(|base| format!("&base={}", escaped(base))).unwrap_or_default();
        let path = format!("pulls?state=open&sort=created&direction=desc&per_page={most}{base}");
        self.get(&path, true).await
    }

    /// One pull request. `fresh`: as it is now, whatever was answered before.
    pub async fn pull(&self, number: u64, fresh: bool) -> Result<Pull, Failure> {
        self.get(&format!("pulls/{number}"), !fresh).await
    }

    pub async fn status(&self, commit: &str) -> Result<CombinedStatus, Failure> {
        self.get(&format!("commits/{commit}/status"), true).await
    }

    pub async fn check_runs(&self, commit: &str) -> Result<Vec<CheckRun>, Failure> {
        let mut runs = Vec::new();
        for page in 1..=PAGES {
            let path = format!("commits/{commit}/check-runs?filter=latest&per_page={PER_PAGE}&page={page}");
            let read: CheckRuns = self.get(&path, true).await?;
            let more = !read.check_runs.is_empty() && page * PER_PAGE < read.total_count;
            runs.extend(read.check_runs);
            if !more {
                return Ok(runs);
            }
        }
        Err(Failure::Nonsense(format!("{commit} has more than {} check runs", PAGES * PER_PAGE)))
    }

    /// Merges, if the head is still `sha`.
    pub async fn merge(&self, number: u64, sha: &str) -> Result<MergeResult, Failure> {
        let method = match self.target.merge_method {
            MergeMethod::Merge => "merge",
            MergeMethod::Squash => "squash",
            MergeMethod::Rebase => "rebase",
        };
        let request = self.request(Method::PUT, &format!("pulls/{number}/merge")).await?;
        let (_, _, body) = self.send(request.json(&json!({ "sha": sha, "merge_method": method }))).await?;
        parse(&body)
    }

    /// Forgets answers that nobody asked for since the last time.
    pub fn tidy(&self) {
        let used = std::mem::take(&mut *lock(&self.used));
        lock(&self.cache).retain(|path, _| used.contains(path));
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, cached: bool) -> Result<T, Failure> {
        let mut request = self.request(Method::GET, path).await?;
        let known = lock(&self.cache)
            .get(path)
            .filter(|_| cached)
            .map(|known| (known.etag.clone(), known.body.clone()));
        if let Some((etag, _)) = &known {
            request = request.header(header::IF_NONE_MATCH, etag.clone());
        }
        lock(&self.used).insert(path.to_owned());
        let (status, etag, body) = self.send(request).await?;
        match known {
            Some((_, known)) if status == StatusCode::NOT_MODIFIED => return parse(&known),
            _ if status == StatusCode::NOT_MODIFIED => {
                return Err(Failure::Nonsense("304 for what was not asked for".to_owned()));
            }
            _ => {}
        }
        let value = parse(&body)?;
        match etag {
            Some(etag) => lock(&self.cache).insert(path.to_owned(), Cached { etag, body }),
            None => lock(&self.cache).remove(path),
        };
        Ok(value)
    }

    async fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        let pause = lock(&self.paused_until).and_then(|until| until.checked_duration_since(Instant::now()));
        if let Some(pause) = pause.filter(|pause| !pause.is_zero()) {
            return Err(Failure::Limited { pause: pause.max(Duration::from_secs(1)) });
        }
        let url = format!("{}/repos/{}/{path}", self.target.url, self.target.repo);
        let mut request = self
            .http
            .request(method, url)
            .header(header::ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28");
        if let Some(path) = &self.target.token_file {
            let failed = |cause: String| Failure::Token { path: path.display().to_string(), cause };
            let token = tokio::fs::read_to_string(path).await.map_err(|error| failed(error.to_string()))?;
            let mut value = header::HeaderValue::from_str(&format!("Bearer {}", token.trim()))
                .map_err(|_| failed("it is not one line of plain text".to_owned()))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        Ok(request)
    }

    /// The status, the ETag and the body of an answer that is a success or 304.
    async fn send(
        &self,
        request: RequestBuilder,
    ) -> Result<(StatusCode, Option<header::HeaderValue>, Bytes), Failure> {
        let answer = request.send().await.map_err(|error| unreachable(&error))?;
        let status = answer.status();
        let limited = self.note_limits(&answer);
        let etag = answer.headers().get(header::ETAG).cloned();
        let body = body(answer).await?;
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok((status, etag, body));
        }
        if let Some(pause) = limited {
            return Err(Failure::Limited { pause });
        }
        let said = serde_json::from_slice::<Refusal>(&body).map(|refusal| refusal.message);
        let said = said.unwrap_or_else(|_| status.canonical_reason().unwrap_or("no reason").to_owned());
        let said = said.chars().filter(|char| !char.is_control()).take(LONGEST_SENTENCE).collect();
        Err(Failure::Refused { status: status.as_u16(), said })
    }

    /// Reads what an answer says of limits, and keeps quiet as long as it wants; how long, if that is why this one was refused.
    fn note_limits(&self, answer: &Response) -> Option<Duration> {
        let number = |name: &str| answer.headers().get(name)?.to_str().ok()?.parse::<u64>().ok();
        let refused = matches!(answer.status(), StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
        let retry_after = number("retry-after").map(Duration::from_secs);
        // Seconds since 1970.
        let reset =
            number("x-ratelimit-reset").map(|at| Duration::from_secs(at.saturating_sub(now().0 / 1000)));
        let used_up = number("x-ratelimit-remaining") == Some(0);
        let pause = match (retry_after, reset) {
            (Some(pause), _) if refused || answer.status().is_server_error() => pause,
            (_, Some(pause)) if used_up => pause,
            _ if answer.status() == StatusCode::TOO_MANY_REQUESTS => PAUSE,
            _ => return None,
        };
        let pause = pause.clamp(Duration::from_secs(1), LONGEST_PAUSE);
        *lock(&self.paused_until) = Some(Instant::now() + pause);
        Some(pause).filter(|_| refused)
    }
}

async fn body(answer: Response) -> Result<Bytes, Failure> {
    let mut body = Vec::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| unreachable(&error))?;
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Failure::Nonsense(format!("it is larger than {} MiB", LARGEST_ANSWER >> 20)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure::Nonsense(error.to_string()))
}

/// What of a transport error may be shown: its innermost cause. The outer ones name the address asked.
fn unreachable(error: &reqwest::Error) -> Failure {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let cause = if error.is_timeout() { "it takes too long".to_owned() } else { cause.to_string() };
    Failure::Unreachable { cause, sent: !error.is_connect() && !error.is_builder() }
}

/// A value in a query.
fn escaped(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
    text.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
