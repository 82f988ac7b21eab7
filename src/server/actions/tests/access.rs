//! Who sees and does what, asked of the real router: every route for every role, two projects, and what ends a stream.

use super::harness::*;
use crate::{
    model::{Name, Net, Project, ProjectId, Quotas, Role, WorkerId, WorkerStatus},
    server::{
        api::table,
        auth::access::{Access, required},
        supervise::tests::fixtures::*,
    },
};
use axum::{
    body::BodyDataStream,
    http::{Method, StatusCode},
    response::Response,
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use uuid::Uuid;

pub(super) const OTHER: ProjectId = ProjectId(Uuid::from_u128(22));
/// Nets, of numbers that nothing else here has.
pub(super) const OURS: u128 = 51;
pub(super) const THEIRS: u128 = 52;
const OUR_LAB: u128 = 61;
const THEIR_LAB: u128 = 62;
const SPARE: WorkerId = WorkerId(Uuid::from_u128(33));

/// Viewer, operator and admin of the fleet; of the project `plant`; an operator of the project `secret`; a user without any role; nobody.
const CALLERS: [&str; 9] = ["fv", "fo", "fa", "pv", "po", "pa", "oo", "no", ""];

pub(super) fn id_of(n: u128) -> String {
    Uuid::from_u128(n).to_string()
}

/// Two projects with a net each, one in `plant`, one in `secret`, and the callers.
pub(super) async fn console() -> Console {
    let theirs = Net { project_id: OTHER, ..unloaded(THEIRS) };
    let spare =
        crate::model::Worker { id: SPARE, name: Name::new("w2").unwrap(), ..worker(WorkerStatus::Stopped) };
    let console = Console::with_projects(
        health([held(OURS)]),
        worker(WorkerStatus::Ready),
        vec![spare],
        vec![net(OURS), theirs],
        vec![Project { id: OTHER, name: Name::new("secret").unwrap(), ..project() }],
    )
    .await;
    let labs = console.app.store().transact(crate::model::Actor::System, |draft| {
        draft.put_lab(lab(OUR_LAB, OURS))?;
        draft.put_lab(crate::model::Lab { project_id: OTHER, ..lab(THEIR_LAB, THEIRS) })
    });
    labs.await.unwrap();
    for (n, name, role) in [
        (11, "fv", Some(Role::Viewer)),
        (12, "fo", Some(Role::Operator)),
        (13, "fa", Some(Role::Admin)),
        (14, "pv", None),
        (15, "po", None),
        (16, "pa", None),
        (17, "oo", None),
        (18, "no", None),
    ] {
        console.add_user(n, name, role).await;
    }
    for (n, project, role) in
        [(14, PROJECT, "viewer"), (15, PROJECT, "operator"), (16, PROJECT, "admin"), (17, OTHER, "operator")]
    {
        let (path, body) = (format!("/api/projects/{project}/members/{}", id_of(n)), json!({ "role": role }));
        let answer = console.ask(EVA, Method::PUT, &path, &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    console
}

/// Whom each route lets in. What is refused answers 401 to nobody, and 403 or 404 to others; what is let in answers anything else.
struct Route {
    method: Method,
    /// As in the router, with `{id}`.
    path: &'static str,
    /// What is asked for.
    at: String,
    body: Value,
    may: &'static [&'static str],
}

const EVERYBODY: &[&str] = &["fv", "fo", "fa", "pv", "po", "pa", "oo", "no"];
const OF_FLEET: &[&str] = &["fv", "fo", "fa"];
const OPERATORS: &[&str] = &["fo", "fa"];
const ADMINS: &[&str] = &["fa"];
/// Who sees the project `plant` and what is in it.
const SEE: &[&str] = &["fv", "fo", "fa", "pv", "po", "pa"];
const ACT: &[&str] = &["fo", "fa", "po", "pa"];
const MANAGE: &[&str] = &["fa", "pa"];
const OPERATE_SOMEWHERE: &[&str] = &["fo", "fa", "po", "pa", "oo"];

/// Every route of the API that needs somebody to be signed in. Bodies are such that whoever is let in changes as little as can be.
fn routes() -> Vec<Route> {
    let net = net_id(OURS).to_string();
    let (worker, cluster, project) = (WORKER.to_string(), CLUSTER.to_string(), PROJECT.to_string());
    let mut routes = Vec::new();
    let mut add = |method: Method, path: &'static str, id: &str, body: Value, may| {
        let at = path.replace("{id}", id).replace("{n}", "7").replace("{user_id}", &id_of(9_998));
        routes.push(Route { method, path, at, body, may });
    };
    let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
    let (patch, delete) = (Method::PATCH, Method::DELETE);
    let none = || json!({});
    add(get.clone(), "/metrics", "", none(), ADMINS);
    add(get.clone(), "/api/session", "", none(), EVERYBODY);
    add(get.clone(), "/api/state", "", none(), EVERYBODY);
    add(get.clone(), "/api/sync", "", none(), EVERYBODY);
    // Answered with 400: it is not said what to watch.
    add(get.clone(), "/api/watch", "", none(), EVERYBODY);
    add(get.clone(), "/api/clusters", "", none(), EVERYBODY);
    add(post.clone(), "/api/clusters", "", none(), ADMINS);
    add(get.clone(), "/api/clusters/{id}", &cluster, none(), EVERYBODY);
    add(patch.clone(), "/api/clusters/{id}", &cluster, none(), ADMINS);
    add(delete.clone(), "/api/clusters/{id}", &cluster, none(), ADMINS);
    add(get.clone(), "/api/pipelines", "", none(), OF_FLEET);
    add(post.clone(), "/api/pipelines", "", none(), OPERATORS);
    add(get.clone(), "/api/pipelines/{id}", "x", none(), OF_FLEET);
    for path in ["/api/pipelines/{id}/pause", "/api/pipelines/{id}/resume", "/api/pipelines/{id}/cancel"] {
        add(post.clone(), path, "x", none(), &[]);
    }
    add(get.clone(), "/api/projects", "", none(), EVERYBODY);
    add(post.clone(), "/api/projects", "", none(), ADMINS);
    add(get.clone(), "/api/projects/{id}", &project, none(), SEE);
    add(patch.clone(), "/api/projects/{id}", &project, none(), ADMINS);
    add(delete.clone(), "/api/projects/{id}", &project, none(), ADMINS);
    add(get.clone(), "/api/projects/{id}/members", &project, none(), SEE);
    add(
        post.clone(),
        "/api/projects/{id}/members",
        &project,
        json!({"email": "x", "role": "viewer"}),
        MANAGE,
    );
    add(put.clone(), "/api/projects/{id}/members/{user_id}", &project, none(), &[]);
    add(delete.clone(), "/api/projects/{id}/members/{user_id}", "x", none(), &[]);
    add(post.clone(), "/api/pull-request/merge", "", none(), OPERATORS);
    add(get.clone(), "/api/pull-requests", "", none(), OF_FLEET);
    add(get.clone(), "/api/repository", "", none(), OF_FLEET);
    add(get.clone(), "/api/tokens", "", none(), EVERYBODY);
    add(post.clone(), "/api/tokens", "", none(), EVERYBODY);
    add(delete.clone(), "/api/tokens/{id}", "x", none(), EVERYBODY);
    add(get.clone(), "/api/audit", "", none(), ADMINS);
    add(get.clone(), "/api/users", "", none(), ADMINS);
    add(post.clone(), "/api/users", "", none(), ADMINS);
    add(patch.clone(), "/api/users/{id}", "x", none(), ADMINS);
    add(delete.clone(), "/api/users/{id}", "x", none(), ADMINS);
    add(post.clone(), "/api/users/{id}/invite", "x", none(), ADMINS);
    add(post.clone(), "/api/account/password", "", none(), EVERYBODY);
    add(get.clone(), "/api/workers", "", none(), EVERYBODY);
    add(post.clone(), "/api/workers", "", none(), OPERATORS);
    add(get.clone(), "/api/workers/{id}", &worker, none(), EVERYBODY);
    add(delete.clone(), "/api/workers/{id}", "x", none(), OPERATORS);
    add(get.clone(), "/api/workers/{id}/history", &worker, none(), EVERYBODY);
    add(get.clone(), "/api/workers/{id}/token", &worker, none(), ADMINS);
    for path in [
        "/api/workers/{id}/provision",
        "/api/workers/{id}/start",
        "/api/workers/{id}/stop",
        "/api/workers/{id}/refresh",
        "/api/workers/{id}/destroy",
        "/api/workers/{id}/undo-delete",
    ] {
        add(post.clone(), path, "x", none(), OPERATORS);
    }
    add(get.clone(), "/api/nets", "", none(), EVERYBODY);
    add(post.clone(), "/api/nets", "", json!({"project_id": PROJECT, "pnml": "<x/>"}), ACT);
    add(get.clone(), "/api/nets/{id}", &net, none(), SEE);
    add(delete.clone(), "/api/nets/{id}", &net, none(), ACT);
    // Its file is no PNML: 500, which is what the test made of it; it was let in.
    add(get.clone(), "/api/nets/{id}/graph", &net, none(), SEE);
    add(get.clone(), "/api/nets/{id}/definition", &net, none(), SEE);
    add(put.clone(), "/api/nets/{id}/definition", &net, json!({"pnml": "<x/>"}), ACT);
    add(get.clone(), "/api/nets/{id}/versions", &net, none(), SEE);
    // It has no such version: who sees it is asked where it has.
    add(get.clone(), "/api/nets/{id}/versions/{n}/pnml", &net, none(), &[]);
    add(get.clone(), "/api/nets/{id}/report", &net, none(), SEE);
    add(post.clone(), "/api/nets/{id}/build", &net, none(), ACT);
    add(get.clone(), "/api/builds", "", none(), EVERYBODY);
    add(get.clone(), "/api/builds/{id}", "x", none(), EVERYBODY);
    let lab = lab_id(OUR_LAB).to_string();
    add(get.clone(), "/api/labs", "", none(), EVERYBODY);
    add(get.clone(), "/api/labs/{id}", &lab, none(), SEE);
    add(get.clone(), "/api/labs/{id}/results", &lab, none(), SEE);
    // The net's file is no PNML: 422 to whoever is let in.
    let of_net = json!({"net_id": net_id(OURS), "name": "l", "plan": {"kind": "explore", "seconds": 1, "memory_mb": 1}});
    add(post.clone(), "/api/labs", "", of_net, ACT);
    for path in ["/api/labs/{id}/start", "/api/labs/{id}/stop", "/api/labs/{id}/wipe"] {
        add(post.clone(), path, &lab, none(), ACT);
    }
    add(delete.clone(), "/api/labs/{id}", "x", none(), OPERATE_SOMEWHERE);
    add(post.clone(), "/api/workers/{id}/labs/refresh", &worker, none(), OPERATE_SOMEWHERE);
    add(put.clone(), "/api/clusters/{id}/lab-sync", &cluster, none(), ADMINS);
    add(get.clone(), "/api/hosts", "", none(), OF_FLEET);
    add(post.clone(), "/api/hosts", "", none(), ADMINS);
    add(get.clone(), "/api/hosts/{id}", "x", none(), OF_FLEET);
    add(delete.clone(), "/api/hosts/{id}", "x", none(), ADMINS);
    add(post.clone(), "/api/hosts/{id}/refresh", "x", none(), OPERATORS);
    add(post.clone(), "/api/hosts/{id}/token", "x", none(), ADMINS);
    add(delete.clone(), "/api/hosts/{id}/token", "x", none(), ADMINS);
    add(get.clone(), "/api/hosts/{id}/commands", "x", none(), OF_FLEET);
    add(get.clone(), "/api/commands", "", none(), OF_FLEET);
    add(post.clone(), "/api/commands", "", none(), OPERATORS);
    add(get.clone(), "/api/commands/{id}", "x", none(), OF_FLEET);
    add(post.clone(), "/api/commands/{id}/cancel", "x", none(), OPERATORS);
    add(get.clone(), "/api/commands/{id}/output", "x", none(), OF_FLEET);
    for path in ["/api/events", "/api/events/stream", "/api/v1/events/stream"] {
        add(get.clone(), path, "", none(), EVERYBODY);
    }
    for path in ["/api/events/history", "/api/events/statistics", "/api/events/export", "/api/events/rules"] {
        add(get.clone(), path, "", none(), EVERYBODY);
    }
    // Of whose events they may acknowledge there is a test of its own.
    add(post.clone(), "/api/events/acknowledge", "", none(), OPERATE_SOMEWHERE);
    add(put.clone(), "/api/events/rules", "", json!({"mutes": 7}), ADMINS);
    add(post.clone(), "/api/stream-tickets", "", none(), EVERYBODY);
    add(get.clone(), "/api/webhooks", "", none(), ADMINS);
    add(post.clone(), "/api/webhooks", "", none(), ADMINS);
    add(get.clone(), "/api/webhooks/{id}", "x", none(), ADMINS);
    add(put.clone(), "/api/webhooks/{id}", "x", none(), ADMINS);
    add(delete.clone(), "/api/webhooks/{id}", "x", none(), ADMINS);
    add(post.clone(), "/api/webhooks/{id}/test", "x", none(), ADMINS);
    add(get.clone(), "/api/export", "", none(), ADMINS);
    add(post.clone(), "/api/import", "", none(), ADMINS);
    add(get.clone(), "/api/openapi.json", "", none(), EVERYBODY);
    add(get.clone(), "/api/docs", "", none(), EVERYBODY);
    let of_net = |path: &str| match path.rsplit('/').next() {
        Some("assign") => json!({"worker_id": WORKER}),
        Some("run") => json!({"rate": 1}),
        Some("inject") => json!({"place": "p", "tokens": 1}),
        Some("move") => json!({"project_id": PROJECT}),
        _ => json!({}),
    };
    for path in [
        "/api/nets/{id}/undo-delete",
        "/api/nets/{id}/assign",
        "/api/nets/{id}/unassign",
        "/api/nets/{id}/load",
        "/api/nets/{id}/unload",
        "/api/nets/{id}/step",
        "/api/nets/{id}/run",
        "/api/nets/{id}/stop",
        "/api/nets/{id}/reset",
        "/api/nets/{id}/inject",
        "/api/nets/{id}/move",
    ] {
        add(post.clone(), path, &net, of_net(path), ACT);
    }
    routes
}

/// Ids that cannot be read (`x`) answer 400 to whoever is let in.
fn was_refused(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)
}

#[tokio::test]
async fn every_route_lets_in_whom_it_should_and_nobody_else() {
    let mut console = console().await;
    for (n, route) in routes().into_iter().enumerate() {
        // Lists answer 30 times a minute; and what was changed by the last one is as it was.
        if n % 20 == 19 {
            console = self::console().await;
        }
        for caller in CALLERS {
            let path = (route.method.clone(), route.at.as_str(), caller);
            let answer =
                console.open(caller, route.method.clone(), &route.at, &route.body.to_string(), &[]).await;
            let status = answer.status();
            let may = route.may.contains(&caller);
            match caller {
                "" => assert_eq!(status, StatusCode::UNAUTHORIZED, "{path:?}"),
                // An empty list of callers: there is nothing at this address that could be there. Checked below.
                _ if route.may.is_empty() => {}
                _ => assert_eq!(!was_refused(status), may, "{path:?} answered {status}"),
            }
        }
    }
}

#[tokio::test]
async fn members_and_pipelines_are_refused_before_it_is_looked_what_they_are_about() {
    let console = console().await;
    let member = format!("/api/projects/{PROJECT}/members/{}", id_of(14));
    let pipeline = format!("/api/pipelines/{}/pause", id_of(9));
    for (caller, members, pipelines) in [
        ("fv", 403, 403),
        ("fo", 403, 404),
        ("fa", 200, 404),
        ("pv", 403, 403),
        ("po", 403, 403),
        ("pa", 200, 403),
        // That there is such a project is not for them to know.
        ("oo", 403, 403),
        ("no", 403, 403),
    ] {
        let put = console.ask(caller, Method::PUT, &member, "{\"role\":\"viewer\"}").await;
        assert_eq!(put.status.as_u16(), members, "{caller} {}", put.text);
        let pause = console.ask(caller, Method::POST, &pipeline, "").await;
        assert_eq!(pause.status.as_u16(), pipelines, "{caller} {}", pause.text);
    }
    // An administrator of one project has no word in another.
    for (method, user) in [(Method::PUT, 14), (Method::DELETE, 17)] {
        let path = format!("/api/projects/{OTHER}/members/{}", id_of(user));
        let answer = console.ask("pa", method, &path, "{\"role\":\"viewer\"}").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_field_that_there_is_not_is_refused_by_every_route_that_reads_a_body() {
    let console = console().await;
    let document = crate::server::api::openapi::document(&table::operations());
    let mut asked = 0;
    for operation in table::operations() {
        let (method, path) = (&operation.method, operation.path);
        let described = &document["paths"][path][method.as_str().to_lowercase()]["requestBody"];
        let Some(reference) = described["content"]["application/json"]["schema"]["$ref"].as_str() else {
            continue;
        };
        let id = match path.split('/').nth(2) {
            Some("clusters") => CLUSTER.to_string(),
            Some("projects") => PROJECT.to_string(),
            Some("nets") => net_id(OURS).to_string(),
            _ => id_of(11),
        };
        let at = path.replace("{id}", &id).replace("{user_id}", &id_of(14));
        // Of another format, the fields of an export say nothing.
        let body = match path {
            "/api/import" => json!({"format": "muster-fleet", "version": 1, "no_such_field": null}),
            _ => json!({"no_such_field": null}),
        };
        let answer = console.ask("fa", method.clone(), &at, &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method} {path}: {}", answer.text);
        assert!(answer.detail().contains("no_such_field"), "{method} {path}: {}", answer.text);
        let known = &document.pointer(reference.trim_start_matches('#')).unwrap()["properties"];
        for name in known.as_object().unwrap().keys() {
            assert!(answer.detail().contains(name), "{method} {path} names {name}: {}", answer.text);
        }
        asked += 1;
    }
    assert!(asked > 20, "{asked}");
    // What stood for it: a token of everything, and a mute of everything.
    let typed = console.ask("fa", Method::POST, "/api/tokens", "{\"name\":\"ci\",\"role\":\"viewer\"}").await;
    assert_eq!(typed.status, StatusCode::BAD_REQUEST, "{}", typed.text);
    let mute = "{\"mutes\":[{\"type\":\"worker.*\",\"worker\":\"w1\"}]}";
    let muted = console.ask("fa", Method::PUT, "/api/events/rules", mute).await;
    assert_eq!(muted.status, StatusCode::BAD_REQUEST, "{}", muted.text);
    assert!(console.fleet().rules().is_none(), "nothing was changed");
}

#[test]
fn the_walk_above_knows_every_route() {
    let walked: BTreeSet<(String, &str)> =
        routes().iter().map(|route| (route.method.to_string(), route.path)).collect();
    let public = |method: &Method, path: &str| required(method, path) == Access::Public;
    for operation in table::operations() {
        // Who signs out is let in as they are.
        let leaves = operation.path == "/api/session" && operation.method == Method::DELETE;
        if !leaves && !public(&operation.method, operation.path) {
            let one = (operation.method.to_string(), operation.path);
            assert!(walked.contains(&one), "{one:?} is not walked");
        }
    }
    let public: BTreeSet<&str> = table::operations()
        .iter()
        .filter(|operation| public(&operation.method, operation.path))
        .map(|operation| operation.path)
        .collect();
    assert_eq!(public, BTreeSet::from(["/api/agent", "/api/session", "/healthz", "/readyz"]));
}

fn ids(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn two_users_in_two_projects_see_exactly_their_rows() {
    let console = console().await;
    let (ours, theirs) = (net_id(OURS).to_string(), net_id(THEIRS).to_string());
    for (caller, net, project, hidden) in
        [("po", &ours, PROJECT, &theirs), ("oo", &theirs, OTHER, &ours), ("pv", &ours, PROJECT, &theirs)]
    {
        let get = async |path: &str| console.ask(caller, Method::GET, path, "").await;
        assert_eq!(ids(&get("/api/nets").await.body), [net], "{caller}");
        assert_eq!(ids(&get("/api/projects").await.body), [project.to_string()], "{caller}");
        assert_eq!(ids(&get("/api/workers").await.body).len(), 2, "workers are everybody's");
        let state = get("/api/state").await.body;
        assert_eq!(ids(&state["state"]["nets"]), [net]);
        assert_eq!(ids(&state["state"]["projects"]), [project.to_string()]);
        for path in ["", "/graph", "/definition"] {
            let answer = get(&format!("/api/nets/{hidden}{path}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{caller} {path}: {}", answer.text);
        }
        assert_eq!(get(&format!("/api/watch?net={hidden}")).await.status, StatusCode::NOT_FOUND);
        let (lab, hidden_lab) = match project == PROJECT {
            true => (lab_id(OUR_LAB).to_string(), lab_id(THEIR_LAB).to_string()),
            false => (lab_id(THEIR_LAB).to_string(), lab_id(OUR_LAB).to_string()),
        };
        assert_eq!(ids(&get("/api/labs").await.body), [lab.as_str()], "{caller}");
        assert_eq!(ids(&state["state"]["labs"]), [lab.as_str()]);
        for path in ["", "/results"] {
            let answer = get(&format!("/api/labs/{hidden_lab}{path}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{caller} {path}: {}", answer.text);
        }
        if caller != "pv" {
            let start = console.ask(caller, Method::POST, &format!("/api/labs/{hidden_lab}/start"), "").await;
            assert_eq!(start.status, StatusCode::NOT_FOUND, "{}", start.text);
        }
        let figures = [lab_id(OUR_LAB), lab_id(THEIR_LAB)].map(|id| crate::model::LabFigures {
            id,
            state: crate::model::LabState::Running,
            progress: Default::default(),
        });
        console.app.hub().figures().put(crate::model::Telemetry {
            worker_id: WORKER,
            at: crate::server::clock::now(),
            worker: Default::default(),
            nets: Vec::new(),
            labs: figures.into(),
        });
        // The page is rendered from this.
        let opening = console.ask(caller, Method::POST, "/do/open", "").await;
        assert_eq!(ids(&opening.body["snapshot"]["full"]["state"]["nets"]), [net], "{}", opening.text);
        assert!(!opening.text.contains(hidden.as_str()), "{caller}");
        let told = opening.text.matches(&format!("\"id\":\"{lab}\"")).count();
        assert_eq!(told, 2, "{caller}: its row and its figures: {}", opening.text);
        assert!(!opening.text.contains(hidden_lab.as_str()), "{caller}");
        let graph = console.ask(caller, Method::POST, "/do/graph", &format!("id={hidden}")).await;
        assert_eq!(graph.status, StatusCode::NOT_FOUND, "{}", graph.text);
        // What is done there is as if it were not there, and says nothing of what is.
        let load = console.ask(caller, Method::POST, &format!("/api/nets/{hidden}/load"), "").await;
        if caller != "pv" {
            assert_eq!(load.status, StatusCode::NOT_FOUND, "{}", load.text);
        }
        let name = if project == PROJECT { "secret" } else { "plant" };
        for text in [&opening.text, &load.text] {
            assert!(!text.contains(name), "{caller} is told of {name}: {text}");
        }
    }
}

/// The events of a stream, until `wanted` comes.
async fn until(stream: &mut BodyDataStream, wanted: &str) -> String {
    let read = async {
        let mut text = String::new();
        while let Some(bytes) = stream.next().await {
            text.push_str(&String::from_utf8_lossy(&bytes.unwrap()));
            if text.contains(wanted) {
                return text;
            }
        }
        panic!("the stream ended without {wanted}: {text}");
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("{wanted} did not come"))
}

/// Reads to the end of a stream, which must come within a second: what came last.
async fn ends(stream: &mut BodyDataStream) -> String {
    let end = async {
        let mut last = String::new();
        while let Some(bytes) = stream.next().await {
            last = String::from_utf8_lossy(&bytes.unwrap()).into_owned();
        }
        last
    };
    tokio::time::timeout(Duration::from_secs(1), end).await.expect("the stream ends within a second")
}

async fn sync(console: &Console, caller: &str) -> BodyDataStream {
    sync_since(console, caller, "").await
}

async fn sync_since(console: &Console, caller: &str, since: &str) -> BodyDataStream {
    let answer: Response =
        console.open(caller, Method::GET, &format!("/api/sync?since={since}"), "", &[]).await;
    assert_eq!(answer.status(), StatusCode::OK, "{caller}");
    answer.into_body().into_data_stream()
}

#[tokio::test]
async fn a_net_that_moves_leaves_one_stream_and_enters_the_other_whole() {
    let console = console().await;
    let (mut left, mut entered) = (sync(&console, "po").await, sync(&console, "oo").await);
    until(&mut left, "event: init").await;
    assert!(!until(&mut entered, "event: init").await.contains("net-51"));
    let watched = console.open("po", Method::GET, &format!("/api/watch?net={}", net_id(OURS)), "", &[]).await;
    assert_eq!(watched.status(), StatusCode::OK);
    let mut watched = watched.into_body().into_data_stream();
    let moved = console
        .ask(
            EVA,
            Method::POST,
            &format!("/api/nets/{}/move", net_id(OURS)),
            &json!({"project_id": OTHER}).to_string(),
        )
        .await;
    assert_eq!(moved.status, StatusCode::OK, "{}", moved.text);
    let removal = until(&mut left, "net_deleted").await;
    // Its name they know, and the log of its project says that it left; not where it went.
    assert!(!removal.contains(&OTHER.to_string()) && !removal.contains("secret"), "{removal}");
    assert!(!removal.contains("net_put"), "{removal}");
    let entry = until(&mut entered, "net_put").await;
    assert!(entry.contains("net-51") && !entry.contains(&format!("\"moved_from\":\"{PROJECT}\"")), "{entry}");
    ends(&mut watched).await;
}

#[tokio::test]
async fn a_changed_role_a_removed_member_and_a_disabled_user_end_their_streams_within_a_second() {
    let console = console().await;
    let user = |n| format!("/api/users/{}", id_of(n));
    let member = |n| format!("/api/projects/{PROJECT}/members/{}", id_of(n));
    for (caller, method, path, body) in [
        ("fv", Method::PATCH, user(11), json!({"role": "operator"})),
        ("fo", Method::PATCH, user(12), json!({"role": null})),
        ("pv", Method::PUT, member(14), json!({"role": "operator"})),
        ("po", Method::DELETE, member(15), json!({})),
        ("no", Method::PUT, member(18), json!({"role": "viewer"})),
        ("fa", Method::PATCH, user(13), json!({"disabled": true})),
    ] {
        let (mut theirs, mut another) = (sync(&console, caller).await, sync(&console, "oo").await);
        let first = until(&mut theirs, "event: init").await;
        let position = first.split("\"position\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        until(&mut another, "event: init").await;
        let answer = console.ask(EVA, method, &path, &body.to_string()).await;
        assert!(answer.status.is_success(), "{caller}: {}", answer.text);
        let last = ends(&mut theirs).await;
        assert!(last.contains("event: shutdown") && last.contains("\"spread_ms\":0"), "{caller}: {last}");
        let other = tokio::time::timeout(Duration::from_millis(50), another.next()).await;
        assert!(other.is_err() || other.is_ok_and(|frame| frame.is_some()), "only {caller}'s stream ends");
        match caller {
            "fa" => {
                let answer = console.ask(caller, Method::GET, "/api/state", "").await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "their session ended");
            }
            // They see what they saw, and act otherwise: the stream goes on where it was, and says so.
            "fv" | "pv" => {
                let again = until(&mut sync_since(&console, caller, &position).await, "event: sync").await;
                assert!(!again.contains("event: init"), "{caller}: {again}");
                assert!(again.contains("operator"), "{caller}: {again}");
            }
            _ => {
                let again = until(&mut sync_since(&console, caller, &position).await, "event: sync").await;
                assert!(again.contains("event: init"), "{caller} sees other rows now: {again}");
            }
        }
    }
}

#[tokio::test]
async fn a_project_that_is_deleted_and_a_sign_out_end_the_streams_of_its_members_and_of_the_session() {
    let console = console().await;
    let mut member = sync(&console, "oo").await;
    let mut session = sync(&console, "pv").await;
    until(&mut member, "event: init").await;
    until(&mut session, "event: init").await;
    assert_eq!(console.ask("pv", Method::DELETE, "/api/session", "").await.status, StatusCode::NO_CONTENT);
    ends(&mut session).await;
    assert_eq!(console.ask("pv", Method::GET, "/api/session", "").await.status, StatusCode::UNAUTHORIZED);
    let away = json!({"project_id": PROJECT}).to_string();
    console.ask(EVA, Method::POST, &format!("/api/nets/{}/move", net_id(THEIRS)), &away).await;
    let deleted = console.ask(EVA, Method::DELETE, &format!("/api/projects/{OTHER}"), "").await;
    assert_eq!(deleted.status, StatusCode::OK, "{}", deleted.text);
    ends(&mut member).await;
    let me = console.ask("oo", Method::GET, "/api/session", "").await.body;
    assert_eq!(me["roles"], json!({}), "memberships go with their project");
}

/// A token with this body: its id and its secret.
async fn token(console: &Console, caller: &str, body: Value) -> (String, String) {
    let answer = console.ask(caller, Method::POST, "/api/tokens", &body.to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&answer.body["token"]["id"]), text(&answer.body["secret"]))
}

#[tokio::test]
async fn a_token_does_what_its_owner_may_and_no_more() {
    let console = console().await;
    let load = format!("/api/nets/{}/undo-delete", net_id(OURS));
    // Whatever the owner may.
    let (id, own) = token(&console, "po", json!({"name": "ci"})).await;
    assert_eq!(ids(&console.ask(&own, Method::GET, "/api/nets", "").await.body), [net_id(OURS).to_string()]);
    assert_eq!(console.ask(&own, Method::POST, &load, "").await.status, StatusCode::CONFLICT, "let in");
    // A cross-site page could not have sent it: no Origin is asked for.
    let crossed = console.ask_with(&own, Method::POST, &load, "", &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!(crossed.status, StatusCode::CONFLICT, "{}", crossed.text);
    // Less than the owner.
    let (_, reader) =
        token(&console, "fa", json!({"name": "r", "roles": {"projects": {OTHER.to_string(): "viewer"}}}))
            .await;
    assert_eq!(
        ids(&console.ask(&reader, Method::GET, "/api/nets", "").await.body),
        [net_id(THEIRS).to_string()]
    );
    for (method, path) in [
        (Method::POST, format!("/api/nets/{}/load", net_id(THEIRS))),
        (Method::GET, "/api/users".to_owned()),
        (Method::GET, "/api/hosts".to_owned()),
        (Method::POST, "/api/tokens".to_owned()),
    ] {
        let answer = console.ask(&reader, method, &path, "{\"name\":\"x\"}").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {}", answer.text);
    }
    // More than the owner is refused, and a service takes an administrator.
    for body in [
        json!({"name": "x", "roles": {"fleet": "viewer"}}),
        json!({"name": "x", "roles": {"projects": {PROJECT.to_string(): "admin"}}}),
        json!({"name": "x", "service": true, "roles": {"projects": {PROJECT.to_string(): "viewer"}}}),
    ] {
        let answer = console.ask("po", Method::POST, "/api/tokens", &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{body}: {}", answer.text);
    }
    let (_, service) =
        token(&console, "fa", json!({"name": "scraper", "service": true, "roles": {"fleet": "admin"}})).await;
    assert_eq!(console.ask(&service, Method::GET, "/metrics", "").await.status, StatusCode::OK);
    // It follows its owner.
    let demote = json!({"role": "viewer"}).to_string();
    console.ask(EVA, Method::PUT, &format!("/api/projects/{PROJECT}/members/{}", id_of(15)), &demote).await;
    assert_eq!(console.ask(&own, Method::POST, &load, "").await.status, StatusCode::FORBIDDEN);
    // The audit log names it, and the list says that it was used.
    let name: String =
        sqlx::query_scalar("SELECT actor FROM audit WHERE target LIKE 'net %' ORDER BY id LIMIT 1")
            .fetch_one(console.app.store().pool())
            .await
            .unwrap();
    assert_eq!(name, "po (token ci)");
    let rows = console.ask("po", Method::GET, "/api/tokens", "").await;
    assert_eq!(ids(&rows.body), [id.as_str()], "one's own only");
    assert!(rows.body[0]["last_used_at"].is_u64() && !rows.text.contains(&own), "{}", rows.text);
}

#[tokio::test]
async fn a_token_that_is_revoked_or_expires_lets_nobody_in_and_its_stream_ends() {
    let console = console().await;
    let (id, secret) = token(&console, "po", json!({"name": "ci", "expires_in_days": 1})).await;
    let mut stream = sync(&console, &secret).await;
    until(&mut stream, "event: init").await;
    let path = format!("/api/tokens/{id}");
    assert_eq!(
        console.ask("oo", Method::DELETE, &path, "").await.status,
        StatusCode::NOT_FOUND,
        "not theirs"
    );
    let revoked = console.ask("po", Method::DELETE, &path, "").await;
    assert_eq!(revoked.body["status"], "revoked", "{}", revoked.text);
    ends(&mut stream).await;
    let answer = console.ask(&secret, Method::GET, "/api/nets", "").await;
    assert_eq!((answer.status, &answer.body["code"]), (StatusCode::UNAUTHORIZED, &json!("wrong_token")));

    let (id, secret) = token(&console, "po", json!({"name": "short", "expires_in_days": 1})).await;
    assert_eq!(console.ask(&secret, Method::GET, "/api/nets", "").await.status, StatusCode::OK);
    let soon = crate::server::clock::now().plus(Duration::from_millis(700));
    let shorten =
        sqlx::query("UPDATE api_tokens SET expires_at = ? WHERE id = ?").bind(soon.0 as i64).bind(&id);
    shorten.execute(console.app.store().pool()).await.unwrap();
    let mut stream = sync(&console, &secret).await;
    until(&mut stream, "event: init").await;
    tokio::time::timeout(PATIENCE, async { while stream.next().await.is_some() {} })
        .await
        .expect("it expires");
    assert!(crate::server::clock::now() >= soon, "not before its time");
    assert_eq!(console.ask(&secret, Method::GET, "/api/nets", "").await.status, StatusCode::UNAUTHORIZED);
    let unknown = format!("mt_{}", "0".repeat(64));
    // A cookie beside a token that is good for nothing does not help.
    let answer = console.ask_with(&unknown, Method::GET, "/api/nets", "", &[("cookie", "muster=fa")]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let console = console().await;
    // Their passwords are empty words in this harness, so that both count: first all but Eva go.
    let gone = console.ask(EVA, Method::DELETE, &format!("/api/users/{}", id_of(13)), "").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text);
    let eva = format!("/api/users/{}", id_of(3));
    for (method, path, body) in [
        (Method::DELETE, eva.clone(), json!({})),
        (Method::PATCH, eva.clone(), json!({"disabled": true})),
        (Method::PATCH, eva.clone(), json!({"role": "operator"})),
        (Method::PATCH, eva.clone(), json!({"role": null})),
        (Method::POST, format!("{eva}/invite"), json!({})),
    ] {
        let answer = console.ask(EVA, method, &path, &body.to_string()).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (StatusCode::CONFLICT, &json!("last_admin")),
            "{}",
            answer.text
        );
    }
    assert_eq!(
        console.ask(EVA, Method::GET, "/api/users", "").await.status,
        StatusCode::OK,
        "nothing was changed"
    );
    // Who was invited cannot sign in yet, and does not count.
    let invited = console
        .ask(EVA, Method::POST, "/api/users", "{\"email\":\"new@example.org\",\"role\":\"admin\"}")
        .await;
    assert_eq!(invited.status, StatusCode::CREATED, "{}", invited.text);
    let answer = console.ask(EVA, Method::DELETE, &eva, "").await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    let link = invited.body["link"].as_str().unwrap();
    let token = link.strip_prefix("/join/").unwrap();
    let form = format!("token={token}&password=correct-horse");
    let joined = console.ask("", Method::POST, "/do/join", &form).await;
    assert!(joined.status.is_success() || joined.status.is_redirection(), "{}", joined.text);
    let again = console.ask("", Method::POST, "/do/join", &form).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN, "once: {}", again.text);
    assert_eq!(console.ask(EVA, Method::DELETE, &eva, "").await.status, StatusCode::NO_CONTENT);
    let sign_in = json!({"email": "New@example.org", "password": "correct-horse"}).to_string();
    let signed_in = console.ask("", Method::POST, "/api/session", &sign_in).await;
    assert_eq!(signed_in.body["roles"]["fleet"], "admin", "{}", signed_in.text);
}

#[tokio::test]
async fn quotas_hold_when_a_net_is_added_moved_and_assigned() {
    let console = console().await;
    let path = format!("/api/projects/{PROJECT}");
    let quota = async |quotas: Value| {
        let answer = console.ask(EVA, Method::PATCH, &path, &json!({ "quotas": quotas }).to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        serde_json::from_value::<Quotas>(answer.body["project"]["quotas"].clone()).unwrap_or_default()
    };
    assert_eq!(quota(json!({"nets": 1})).await, Quotas { nets: Some(1), workers: None });
    let refused = |answer: &Answer, figures: &str| {
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (StatusCode::CONFLICT, &json!("quota_reached")),
            "{}",
            answer.text
        );
        assert!(answer.detail().contains(figures), "{}", answer.text);
    };
    const PNML: &str = r#"<pnml xmlns="http://www.pnml.org/version-2009/grammar/pnml"><net id="n" type="http://www.pnml.org/version-2009/grammar/ptnet"><page id="p"><place id="a"/></page></net></pnml>"#;
    let add = json!({"name": "more", "project_id": PROJECT, "pnml": PNML}).to_string();
    refused(&console.ask("po", Method::POST, "/api/nets", &add).await, "may have 1 net and has 1");
    let into = json!({"project_id": PROJECT}).to_string();
    let moved = format!("/api/nets/{}/move", net_id(THEIRS));
    refused(&console.ask(EVA, Method::POST, &moved, &into).await, "may have 1 net and has 1");
    // Lifting one bound leaves the other.
    assert_eq!(quota(json!({"nets": null, "workers": 1})).await, Quotas { nets: None, workers: Some(1) });
    assert_eq!(console.ask("po", Method::POST, "/api/nets", &add).await.status, StatusCode::CREATED);
    let added = console.fleet().nets().find(|net| net.name.as_str() == "more").unwrap().id;
    let assign = |worker| (format!("/api/nets/{added}/assign"), json!({ "worker_id": worker }).to_string());
    let (path, body) = assign(SPARE);
    refused(&console.ask("po", Method::POST, &path, &body).await, "may use 1 worker and use 1");
    let (path, body) = assign(WORKER);
    let assigned = console.ask("po", Method::POST, &path, &body).await;
    assert_eq!(assigned.status, StatusCode::OK, "{}", assigned.text);
    // The other project's net brings its worker along: the same one.
    assert_eq!(console.ask(EVA, Method::POST, &moved, &into).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_answer_that_is_given_again_shows_no_row_that_is_out_of_sight_now() {
    let console = console().await;
    let (path, key) = (format!("/api/nets/{}", net_id(THEIRS)), [("idempotency-key", "k")]);
    let first = console.ask_with("oo", Method::DELETE, &path, "", &key).await;
    assert_eq!(first.body["net"]["id"], net_id(THEIRS).to_string(), "{}", first.text);
    // What is about to be deleted does not move.
    let undone = console.ask(EVA, Method::POST, &format!("{path}/undo-delete"), "").await;
    assert_eq!(undone.status, StatusCode::OK, "{}", undone.text);
    let away = json!({"project_id": PROJECT}).to_string();
    let moved = console.ask(EVA, Method::POST, &format!("{path}/move"), &away).await;
    assert_eq!(moved.status, StatusCode::OK, "{}", moved.text);
    let again = console.ask_with("oo", Method::DELETE, &path, "", &key).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text);
    assert_eq!(again.body.get("net"), None, "{}", again.text);
}

#[tokio::test]
async fn what_is_changed_in_the_file_reaches_the_streams_of_a_running_console() {
    let console = console().await;
    let mut stream = sync(&console, "fv").await;
    until(&mut stream, "event: init").await;
    // As the command line does it: through a connection of its own, and without a word to the console.
    let pool = crate::server::storage::open_pool(&console.data.path().join("db")).await.unwrap();
    let edit = crate::model::UserEdit { role: Some(None), ..Default::default() };
    let id = crate::model::UserId(Uuid::from_u128(11));
    crate::server::auth::user::edit(&pool, id, &edit).await.unwrap();
    ends(&mut stream).await;
    assert_eq!(console.ask("fv", Method::GET, "/api/nets", "").await.body, json!([]));
}
