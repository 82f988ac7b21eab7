//! GitHub's API, as far as the console uses it, for tests: paths, status codes and field names are those of its REST description.

use super::{MergeMethod, Target};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::Path as FilePath,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::net::TcpListener;
use xxhash_rust::xxh3::xxh3_64;

pub const REPO: &str = "acme/hosts";
pub const TOKEN: &str = "github_pat_secret";

#[derive(Clone, Debug)]
pub struct StubPull {
    pub title: String,
    pub sha: String,
    pub open: bool,
    pub mergeable: Option<bool>,
    pub merge_commit: Option<String>,
    /// `(status, conclusion)` of its check runs.
    pub runs: Vec<(&'static str, Option<&'static str>)>,
}

impl StubPull {
    pub fn new(title: &str, sha: &str) -> StubPull {
        StubPull {
            title: title.to_owned(),
            sha: sha.to_owned(),
            open: true,
            mergeable: Some(true),
            merge_commit: None,
            runs: vec![("completed", Some("success"))],
        }
    }
}

/// What a merge does instead of answering well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// This status, and nothing done.
    Refuses(u16),
    /// It merges, and hangs up before it answers.
    MergesAndHangsUp,
    /// It hangs up, and merges nothing.
    HangsUp,
}

#[derive(Debug, Default)]
pub struct World {
    pub pulls: BTreeMap<u64, StubPull>,
    pub on_merge: Option<Trouble>,
    /// Every request is refused so, with these headers.
    pub refuses: Option<(u16, Vec<(&'static str, String)>)>,
    pub requests: usize,
    pub not_modified: usize,
    pub merges: usize,
}

#[derive(Clone)]
pub struct Stub {
    pub url: String,
    world: Arc<Mutex<World>>,
    token_file: Arc<tempfile::NamedTempFile>,
}

impl Stub {
    pub async fn start() -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let token_file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(token_file.path(), format!("{TOKEN}\n")).unwrap();
        let stub = Stub { url, world: Arc::default(), token_file: Arc::new(token_file) };
        let at = |rest: &str| format!("/repos/{REPO}/{rest}");
        let router = Router::new()
            .route(&at("pulls"), get(pulls))
            .route(&at("pulls/{number}"), get(pull))
            .route(&at("pulls/{number}/merge"), put(merge))
            .route(&at("commits/{sha}/status"), get(status))
            .route(&at("commits/{sha}/check-runs"), get(check_runs))
            .layer(middleware::from_fn_with_state(stub.clone(), every_request))
            .with_state(stub.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        stub
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub fn token_file(&self) -> &FilePath {
        self.token_file.path()
    }

    pub fn target(&self) -> Target {
        Target {
            url: self.url.clone(),
            repo: REPO.to_owned(),
            base: None,
            token_file: Some(self.token_file.path().to_owned()),
            merge_method: MergeMethod::Merge,
        }
    }
}

fn refused(status: u16, message: &str) -> Response {
    let body = json!({ "message": message, "documentation_url": "https://docs.github.com/rest" });
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

/// The token, the limits, and ETags.
async fn every_request(State(stub): State<Stub>, request: Request, next: Next) -> Response {
    let refuses = {
        let mut world = stub.world();
        world.requests += 1;
        world.refuses.clone()
    };
    if let Some((status, headers)) = refuses {
        let mut answer = refused(status, "You have exceeded a secondary rate limit.");
        for (name, value) in headers {
            answer.headers_mut().insert(name, value.parse().unwrap());
        }
        return answer;
    }
    let headers = request.headers().clone();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if header("authorization") != Some(format!("Bearer {TOKEN}")) {
        return refused(401, "Bad credentials");
    }
    assert_eq!(header("x-github-api-version").as_deref(), Some("2022-11-28"));
    assert!(header("user-agent").is_some(), "GitHub refuses requests without one");
    let (known, is_get) = (header("if-none-match"), request.method() == "GET");
    let answer = next.run(request).await;
    if !is_get || !answer.status().is_success() {
        return answer;
    }
    let (mut head, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let etag = format!("W/\"{:x}\"", xxh3_64(&body));
    head.headers.insert("etag", etag.parse().unwrap());
    head.headers.insert("x-ratelimit-remaining", "4999".parse().unwrap());
    if known.as_ref() == Some(&etag) {
        stub.world().not_modified += 1;
        head.status = StatusCode::NOT_MODIFIED;
        head.headers.remove("content-length");
        return Response::from_parts(head, axum::body::Body::empty());
    }
    Response::from_parts(head, body.into())
}

fn shown(number: u64, pull: &StubPull) -> Value {
    json!({
        "number": number,
        "state": if pull.open { "open" } else { "closed" },
        "title": pull.title,
        "html_url": format!("https://github.com/{REPO}/pull/{number}"),
        "head": { "ref": "update", "sha": pull.sha },
        "base": { "ref": "main" },
        "draft": false,
    })
}

async fn pulls(State(stub): State<Stub>, Query(query): Query<BTreeMap<String, String>>) -> Json<Value> {
    assert_eq!(query["state"], "open");
    let world = stub.world();
    let open = world.pulls.iter().rev().filter(|(_, pull)| pull.open);
    Json(open.map(|(number, pull)| shown(*number, pull)).collect())
}

async fn pull(State(stub): State<Stub>, Path(number): Path<u64>) -> Response {
    let world = stub.world();
    let Some(pull) = world.pulls.get(&number) else { return refused(404, "Not Found") };
    let mut body = shown(number, pull);
    body["mergeable"] = pull.mergeable.into();
    body["merged"] = pull.merge_commit.is_some().into();
    body["merge_commit_sha"] = pull.merge_commit.clone().into();
    Json(body).into_response()
}

async fn status(Path(sha): Path<String>) -> Json<Value> {
    Json(json!({ "state": "pending", "statuses": [], "sha": sha, "total_count": 0 }))
}

async fn check_runs(State(stub): State<Stub>, Path(sha): Path<String>) -> Json<Value> {
    let world = stub.world();
    let runs =
        world.pulls.values().find(|pull| pull.sha == sha).map(|pull| pull.runs.clone()).unwrap_or_default();
    let shown = |(status, conclusion): &(&str, Option<&str>)| json!({ "name": "check", "head_sha": sha, "status": status, "conclusion": conclusion });
    Json(json!({ "total_count": runs.len(), "check_runs": runs.iter().map(shown).collect::<Vec<_>>() }))
}

async fn merge(State(stub): State<Stub>, Path(number): Path<u64>, _: HeaderMap, body: Bytes) -> Response {
    let asked: Value = serde_json::from_slice(&body).unwrap();
    let mut world = stub.world();
    let trouble = world.on_merge;
    match trouble {
        Some(Trouble::Refuses(status)) => {
            return refused(status, "Resource not accessible by personal access token");
        }
        // The connection is closed without an answer.
        Some(Trouble::HangsUp) => return hang_up(),
        _ => {}
    }
    world.merges += 1;
    let Some(pull) = world.pulls.get_mut(&number) else { return refused(404, "Not Found") };
    if !pull.open || pull.mergeable != Some(true) {
        return refused(405, "Pull Request is not mergeable");
    }
    if asked["sha"] != pull.sha.as_str() {
        return refused(409, "Head branch was modified. Review and try the merge again.");
    }
    let commit = "c".repeat(40);
    (pull.open, pull.merge_commit) = (false, Some(commit.clone()));
    if trouble == Some(Trouble::MergesAndHangsUp) {
        return hang_up();
    }
    Json(json!({ "sha": commit, "merged": true, "message": "Pull Request successfully merged" }))
        .into_response()
}

/// An answer that breaks off before its end.
fn hang_up() -> Response {
    let broken = futures::stream::iter([Err::<Bytes, _>(std::io::Error::other("gone"))]);
    (StatusCode::OK, axum::body::Body::from_stream(broken)).into_response()
}
