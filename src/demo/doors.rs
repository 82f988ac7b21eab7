//! What each address answers: the server functions under `/do/` and the part of the REST API that the interface itself uses.

use super::{
    actions::perform,
    fleet::{Demo, Stream, json, now},
    forms::{arguments, new_net},
};
use crate::{
    app::{
        Me, Opening, Snapshot, Theme, account, actions as door, admin_actions as admin,
        error::{ApiError, ErrorBody},
        snapshot::Drawn,
    },
    model::{
        Action, ClusterId, Member, NetId, NewCluster, NewWorker, Options, ProjectId, Role, Roles, TokenRow,
        UserId, UserRow, UserStatus, WorkerId,
        action::{CPUS, MEMORY_MB},
    },
    petri::NetGraph,
};
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use serde::Serialize;
use server_fn::ServerFn;
use std::collections::HashMap;
use uuid::Uuid;

/// A request, read.
pub struct Call {
    pub method: String,
    pub path: String,
    pub query: HashMap<&'static str, String>,
    pub body: Body,
}

pub enum Body {
    Text(String),
    Form(Vec<(String, Vec<u8>)>),
}

pub enum Answer {
    Json {
        status: u16,
        body: String,
        /// Where the page is to go next.
        location: Option<String>,
    },
    Stream {
        frames: UnboundedReceiver<String>,
        sender: Stream,
    },
}

pub async fn answer(demo: &Demo, call: Call) -> Answer {
    if call.path.starts_with("/do/") {
        server_function(demo, &call).await.unwrap_or_else(|error| Answer::Json {
            status: error.status(),
            body: json(&error),
            location: None,
        })
    } else {
        rest(demo, &call).unwrap_or_else(|error| Answer::Json {
            status: error.status(),
            body: json(&ErrorBody::from(&error)),
            location: None,
        })
    }
}

async fn server_function(demo: &Demo, call: &Call) -> Result<Answer, ApiError> {
    let path = call.path.as_str();
    Ok(if path == door::Open::PATH {
        ok(&open(demo)?)
    } else if path == door::NeedsSetup::PATH {
        ok(&false)
    } else if path == door::ActOnWorker::PATH {
        let door::ActOnWorker { id, action, state_revision, .. } = arguments(call)?;
        let options = Options { if_match: state_revision, key: None };
        ok(&perform(demo, Action::Worker { id, action }, options).await?)
    } else if path == door::ActOnNet::PATH {
        let door::ActOnNet { id, action, worker_id, rate, place, tokens, version, state_revision, .. } =
            arguments(call)?;
        let request = door::net_request(action, worker_id, rate, place, tokens, version)?;
        let options = Options { if_match: state_revision, key: None };
        ok(&perform(demo, Action::Net { id, request }, options).await?)
    } else if path == door::CreateWorker::PATH {
        let door::CreateWorker { name, cluster_id, category, cpus, memory_mb, provision, .. } =
            arguments(call)?;
        let cpus = door::whole_number("cpus", &CPUS, &cpus)?;
        let memory_mb = door::whole_number("memory_mb", &MEMORY_MB, &memory_mb)?;
        let new = NewWorker { name, cluster_id, category, cpus, memory_mb, endpoint: None };
        let done = perform(demo, Action::CreateWorker(new), Options::default()).await?;
        match &done.worker {
            Some(worker) if provision => {
                let provision =
                    Action::Worker { id: worker.id, action: crate::model::WorkerAction::Provision };
                ok(&perform(demo, provision, Options::default()).await?)
            }
            _ => ok(&done),
        }
    } else if path == door::CreateNet::PATH {
        let done = perform(demo, Action::CreateNet(new_net(call)?), Options::default()).await?;
        let location = done.net.as_ref().map(|net| format!("/nets/{}", net.id));
        Answer::Json { status: 200, body: json(&done), location }
    } else if path == admin::CreateCluster::PATH {
        let admin::CreateCluster { name, provider, region, .. } = arguments(call)?;
        ok(&perform(demo, Action::CreateCluster(NewCluster { name, provider, region }), Options::default())
            .await?)
    } else if path == admin::RenameCluster::PATH {
        let admin::RenameCluster { id, name, revision, .. } = arguments(call)?;
        let options = Options { if_match: revision, key: None };
        ok(&perform(demo, Action::RenameCluster { id, name }, options).await?)
    } else if path == admin::DeleteCluster::PATH {
        let admin::DeleteCluster { id, .. } = arguments(call)?;
        ok(&perform(demo, Action::DeleteCluster(id), Options::default()).await?)
    } else if path == admin::CreateProject::PATH {
        let admin::CreateProject { name, nets, workers, .. } = arguments(call)?;
        let new = admin::new_project(name, &nets, &workers)?;
        ok(&perform(demo, Action::CreateProject(new), Options::default()).await?)
    } else if path == admin::EditProject::PATH {
        let admin::EditProject { id, name, nets, workers, revision, .. } = arguments(call)?;
        let edit = admin::new_project(name, &nets, &workers)?;
        let options = Options { if_match: revision, key: None };
        ok(&perform(demo, Action::EditProject { id, edit }, options).await?)
    } else if path == admin::DeleteProject::PATH {
        let admin::DeleteProject { id, .. } = arguments(call)?;
        ok(&perform(demo, Action::DeleteProject(id), Options::default()).await?)
    } else if path == admin::MoveNet::PATH {
        let admin::MoveNet { id, project_id, .. } = arguments(call)?;
        ok(&perform(demo, Action::MoveNet { id, project_id }, Options::default()).await?)
    } else if path == account::ListMembers::PATH {
        ok(&Vec::<Member>::new())
    } else if path == account::ListTokens::PATH {
        ok(&Vec::<TokenRow>::new())
    } else if path == account::ListUsers::PATH {
        // Whoever has the page open is the only one there is.
        let Me { user_id, name, email, roles, .. } = me(demo);
        let (status, created_at) = (UserStatus::Active, now());
        ok(&vec![UserRow { id: user_id, email, name, roles, status, created_at }])
    } else if path == door::NetGraph::PATH {
        let door::NetGraph { id } = arguments(call)?;
        ok(&drawn(demo, id)?)
    } else if path == door::WorkerTrend::PATH {
        let door::WorkerTrend { id } = arguments(call)?;
        ok(&demo.histories.borrow_mut().entry(id).or_default().trend(now()))
    } else if let Some(answer) = super::events::answer(demo, path, &call.body).await? {
        answer
    } else if let Some(answer) = super::versions::answer(demo, call).await? {
        answer
    } else if let Some(answer) = super::labs::answer(demo, call)? {
        answer
    } else if path == door::SetTheme::PATH {
        ok(&())
    } else if path == door::SignIn::PATH {
        let door::SignIn { next, .. } = arguments(call)?;
        demo.signed_in.set(true);
        Answer::Json { status: 200, body: json(&()), location: Some(door::local_path(&next).to_owned()) }
    } else if path == door::SignOut::PATH {
        demo.signed_in.set(false);
        Answer::Json { status: 200, body: json(&()), location: Some("/sign-in".to_owned()) }
    } else {
        return Err(ApiError::BadRequest { detail: "The demo has no such action.".to_owned() });
    })
}

fn rest(demo: &Demo, call: &Call) -> Result<Answer, ApiError> {
    let session = call.path == "/api/session";
    if !demo.signed_in.get() && !session {
        return Err(ApiError::Unauthorized);
    }
    let segments: Vec<&str> = call.path.trim_start_matches('/').split('/').collect();
    match (call.method.as_str(), &segments[..]) {
        ("GET", ["api", "sync"]) => Ok(stream(|stream| {
            demo.follow(stream, call.query.get("since").map(String::as_str));
        })),
        ("GET", ["api", "watch"]) => {
            let net: NetId = call.query.get("net").and_then(|net| net.parse().ok()).ok_or_else(no_net)?;
            Ok(stream(|stream| demo.machines.borrow_mut().watch(net, stream)))
        }
        ("GET", ["api", "state"]) => Ok(ok(&demo.full())),
        ("GET", ["api", "workers"]) => Ok(ok(&demo.fleet().workers().cloned().collect::<Vec<_>>())),
        ("GET", ["api", "nets"]) => Ok(ok(&demo.fleet().nets().cloned().collect::<Vec<_>>())),
        ("GET", ["api", "workers", id]) => {
            let id: Option<WorkerId> = id.parse().ok();
            let gone = || ApiError::Gone { what: "worker".to_owned() };
            Ok(ok(id.and_then(|id| demo.fleet().worker(id).cloned()).ok_or_else(gone)?.as_ref()))
        }
        ("GET", ["api", "nets", id]) => {
            let id: Option<NetId> = id.parse().ok();
            Ok(ok(id.and_then(|id| demo.fleet().net(id).cloned()).ok_or_else(no_net)?.as_ref()))
        }
        ("GET", ["api", "clusters", id]) => {
            let id: Option<ClusterId> = id.parse().ok();
            let gone = || ApiError::Gone { what: "cluster".to_owned() };
            Ok(ok(id.and_then(|id| demo.fleet().cluster(id).cloned()).ok_or_else(gone)?.as_ref()))
        }
        ("GET", ["api", "projects", id]) => {
            let id: Option<ProjectId> = id.parse().ok();
            let gone = || ApiError::Gone { what: "project".to_owned() };
            Ok(ok(id.and_then(|id| demo.fleet().project(id).cloned()).ok_or_else(gone)?.as_ref()))
        }
        ("POST", ["api", "session"]) => {
            demo.signed_in.set(true);
            Ok(ok(&me(demo)))
        }
        ("DELETE", ["api", "session"]) => {
            demo.signed_in.set(false);
            Ok(Answer::Json { status: 204, body: String::new(), location: None })
        }
        ("GET", ["api", "session"]) if demo.signed_in.get() => Ok(ok(&me(demo))),
        ("GET", ["api", "session"]) => Err(ApiError::Unauthorized),
        _ => Err(ApiError::Gone { what: "address".to_owned() }),
    }
}

pub fn no_net() -> ApiError {
    ApiError::Gone { what: "net".to_owned() }
}

fn me(demo: &Demo) -> Me {
    Me {
        user_id: UserId(Uuid::nil()),
        name: "You".to_owned(),
        email: demo.email(),
        role: Role::Admin,
        roles: Roles { fleet: Some(Role::Admin), ..Roles::default() },
    }
}

fn open(demo: &Demo) -> Result<Opening, ApiError> {
    if !demo.signed_in.get() {
        return Err(ApiError::Unauthorized);
    }
    let telemetry = demo.telemetry.borrow().values().cloned().collect();
    let (user, host_telemetry) = (me(demo), Vec::new());
    let snapshot =
        Snapshot { full: demo.full(), part: None, server_time: now(), user, telemetry, host_telemetry };
    // What was chosen on an earlier visit were rows of another fleet: each page begins with a new one.
    let within = Default::default();
    Ok(Opening { snapshot, form_key: Uuid::new_v4().to_string(), theme: theme(), within, said: None })
}

/// The theme that was chosen on an earlier visit.
pub fn theme() -> Theme {
    use wasm_bindgen::JsCast;
    let document = leptos::prelude::document().dyn_into::<web_sys::HtmlDocument>();
    document
        .ok()
        .and_then(|document| document.cookie().ok())
        .map(|all| Theme::in_cookies(&all))
        .unwrap_or_default()
}

pub fn drawn(demo: &Demo, id: NetId) -> Result<Drawn, ApiError> {
    let definition = demo.fleet().net(id).map(|net| net.definition).ok_or_else(no_net)?;
    let net = demo.definitions.borrow().get(&definition).cloned().ok_or_else(no_net)?;
    Ok(Drawn { graph: NetGraph::of(&net), marking: demo.machines.borrow_mut().marking(id) })
}

pub fn ok(value: &impl Serialize) -> Answer {
    Answer::Json { status: 200, body: json(value), location: None }
}

fn stream(begin: impl FnOnce(Stream)) -> Answer {
    let (sender, frames) = unbounded();
    begin(sender.clone());
    Answer::Stream { frames, sender }
}
