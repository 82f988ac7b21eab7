//! Pipelines and merges through the API, against a stub of GitHub.

use super::harness::*;
use crate::{
    model::{
        Actor, Agent, AgentId, Cell, CommandOffer, CommandStatus, Gone, Happening, Host, HostId, Name,
        OperationId, Outcome, PipelineStatus, Plan, PullRequest, UserId, WorkerStatus, host::Checks,
    },
    server::{
        actions::settle_merges,
        clock::now,
        github::stub::{Stub, StubPull, Trouble},
        storage::{
            SideWrite,
            merges::{self, Merge},
        },
        supervise::tests::fixtures::{health, worker},
    },
};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

fn host_id(n: u128) -> HostId {
    HostId(Uuid::from_u128(500 + n))
}

fn host(n: u128, kinds: &[&str]) -> Host {
    let offer = |kind: &&str| CommandOffer { kind: kind.parse().unwrap(), timeout_s: 60, checks: Vec::new() };
    let agent = Agent { id: AgentId(Uuid::from_u128(n)), version: "1".to_owned(), outdated: false };
    let name = Name::new(&format!("host-{n}")).unwrap();
    Host { agent: Some(agent), commands: kinds.iter().map(offer).collect(), ..Host::unseen(host_id(n), name) }
}

/// A console with three hosts, the last of which offers only `pull`.
async fn console(stub: Option<&Stub>) -> Console {
    let console = Console::with_github(
        stub.map(Stub::target),
        health([]),
        worker(WorkerStatus::Ready),
        Vec::new(),
        Vec::new(),
    )
    .await;
    let hosts = [host(1, &["pull", "switch"]), host(2, &["pull", "switch"]), host(3, &["pull"])];
    let added = console.app.store().transact(Actor::System, move |draft| {
        hosts.into_iter().for_each(|host| draft.create_host(host));
        Ok::<_, Gone>(())
    });
    added.await.unwrap();
    console
}

fn sha() -> String {
    "a".repeat(40)
}

/// With pull request #42, as GitHub has it.
async fn with_pull(stub: &Stub) -> Console {
    stub.world().pulls.insert(42, StubPull::new("Update the lock file", &sha()));
    let console = console(Some(stub)).await;
    let row = PullRequest {
        number: 42,
        title: "Update the lock file".to_owned(),
        url: "https://github.com/acme/hosts/pull/42".to_owned(),
        head_sha: sha(),
        mergeable: Some(true),
        checks: Checks::Passing,
        revision: 0,
        updated_at: now(),
    };
    let put = console.app.store().transact(Actor::System, move |draft| {
        draft.put_pull_request(row);
        Ok::<_, Gone>(())
    });
    put.await.unwrap();
    console
}

fn plan(hosts: &[u128]) -> Value {
    let ids: Vec<String> = hosts.iter().map(|n| host_id(*n).to_string()).collect();
    json!({ "host_ids": ids, "stages": ["pull", "switch"], "concurrency": 1 })
}

async fn post(console: &Console, path: &str, body: &Value) -> Answer {
    console.ask(ANA, Method::POST, path, &body.to_string()).await
}

fn events(console: &Console) -> Vec<String> {
    console.fleet().events().map(|event| event.text.clone()).collect()
}

#[tokio::test]
async fn a_pipeline_is_started_paused_resumed_and_cancelled_by_the_api() {
    let console = console(None).await;
    let body = plan(&[1, 2]);
    let key = [("idempotency-key", "once")];
    let first = console.ask_with(ANA, Method::POST, "/api/pipelines", &body.to_string(), &key).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    assert_eq!(first.body["pipeline"]["title"], "pull → switch on 2 hosts");
    assert_eq!(
        first.body["pipeline"]["lanes"][0]["cells"][0]["state"], "active",
        "its first command is queued with it"
    );
    let again = console.ask_with(ANA, Method::POST, "/api/pipelines", &body.to_string(), &key).await;
    assert_eq!(again.body, first.body);
    assert_eq!((console.fleet().pipelines().len(), console.fleet().commands().len()), (1, 1));

    let path = format!("/api/pipelines/{}", first.body["pipeline"]["id"].as_str().unwrap());
    let act = async |action: &str| post(&console, &format!("{path}/{action}"), &json!({})).await;
    assert_eq!(act("resume").await.status, StatusCode::CONFLICT);
    assert_eq!(act("pause").await.body["pipeline"]["status"], "paused");
    assert_eq!(act("resume").await.body["pipeline"]["status"], "running");
    assert_eq!(act("restart").await.status, StatusCode::NOT_FOUND);
    let cancelled = act("cancel").await;
    // Its one command was not sent: it ends at once, and so does all.
    assert_eq!(cancelled.body["pipeline"]["status"], "cancelled", "{}", cancelled.text);
    assert_eq!(cancelled.body["pipeline"]["reason"], "Ana cancelled it");
    let command = console.fleet().commands().next().unwrap().clone();
    assert_eq!(command.status, CommandStatus::Cancelled);
    assert!(command.reason.as_ref().unwrap().starts_with("Ana cancelled it"));
    assert_eq!(act("cancel").await.status, StatusCode::CONFLICT);
    let shown = console.ask(BEN, Method::GET, &path, "").await;
    assert_eq!(shown.body, cancelled.body["pipeline"]);
    let listed = console.ask(BEN, Method::GET, "/api/pipelines", "").await;
    assert_eq!(listed.body, json!([shown.body]));
}

#[tokio::test]
async fn a_plan_that_cannot_be_carried_out_is_refused_and_says_by_whom() {
    let console = console(None).await;
    let before = console.picture().await;
    let of = async |change: fn(&mut Value)| {
        let mut body = plan(&[1, 2]);
        change(&mut body);
        let answer = post(&console, "/api/pipelines", &body).await;
        (
            answer.status.as_u16(),
            answer.body["code"].as_str().unwrap_or_default().to_owned(),
            answer.detail().to_owned(),
        )
    };
    let (status, code, detail) = of(|body| *body = plan(&[1, 3])).await;
    assert_eq!((status, code.as_str()), (409, "command_not_offered"));
    assert!(detail.contains("host-3") && !detail.contains("host-1"), "{detail}");
    let (status, code, detail) = of(|body| *body = plan(&[9])).await;
    assert_eq!((status, code.as_str()), (409, "host_gone"));
    assert!(detail.contains(&host_id(9).to_string()));
    for (change, said) in [
        ((|body| body["host_ids"] = json!([])) as fn(&mut Value), "an empty list never means all hosts"),
        (|body| body["host_ids"] = json!(["all"]), "Each of host_ids must be the id of a host"),
        (|body| body["host_ids"] = json!("all"), "host_ids must be a list"),
        (|body| body["stages"] = json!([]), "1 to 16 stages"),
        (|body| body["stages"] = json!(["rm -rf"]), "Each of stages must be the name of a command"),
        (|body| body["concurrency"] = json!(0), "concurrency must be a whole number from 1 to 5000"),
        (|body| body["canary"] = json!(-1), "canary must be a whole number from 0 to 5000"),
        (|body| body["title"] = json!("a\u{7}b"), "The title must have"),
        (|body| drop(body.as_object_mut().unwrap().remove("stages")), "no field \"stages\""),
    ] {
        let (status, _, detail) = of(change).await;
        assert_eq!(status, 400, "{detail}");
        assert!(detail.contains(said), "{detail}");
    }
    assert_eq!(console.picture().await, before);
}

#[tokio::test]
async fn merge_and_deploy_merges_and_starts_the_pipeline_and_a_repetition_does_neither() {
    let stub = Stub::start().await;
    let console = with_pull(&stub).await;
    let body = json!({ "number": 42, "head_sha": sha(), "deploy": plan(&[1, 2]) }).to_string();
    let key = [("idempotency-key", "merge-42")];
    let done = console.ask_with(ANA, Method::POST, "/api/pull-request/merge", &body, &key).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert!(done.message().starts_with("Pull request #42 was merged as cccccccccc"), "{}", done.message());
    assert_eq!(done.body["pipeline"]["title"], "Deploy #42 Update the lock file");
    let again = console.ask_with(ANA, Method::POST, "/api/pull-request/merge", &body, &key).await;
    assert_eq!(again.body, done.body);
    assert_eq!(stub.world().merges, 1);
    let fleet = console.fleet();
    assert_eq!((fleet.pipelines().len(), fleet.pull_requests().len()), (1, 0));
    assert!(merges::open(console.app.store().pool()).await.unwrap().is_empty());
    assert!(events(&console).iter().any(|text| text.contains("was merged by Ana")));
    // Without a key, it is a new request, and there is nothing to merge.
    let third = post(&console, "/api/pull-request/merge", &json!({ "number": 42, "head_sha": sha() })).await;
    assert_eq!(third.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_github_refuses_is_told_and_nothing_is_deployed() {
    let stub = Stub::start().await;
    let console = with_pull(&stub).await;
    let body = json!({ "number": 42, "head_sha": sha(), "deploy": plan(&[1]) });
    let refused = async |code: &str, said: &str| {
        let answer = post(&console, "/api/pull-request/merge", &body).await;
        assert_eq!(
            (answer.status, answer.body["code"].as_str()),
            (StatusCode::CONFLICT, Some(code)),
            "{}",
            answer.text
        );
        assert!(answer.detail().contains(said), "{}", answer.detail());
    };
    stub.world().pulls.get_mut(&42).unwrap().mergeable = Some(false);
    refused("not_mergeable", "Pull Request is not mergeable").await;
    stub.world().pulls.insert(42, StubPull::new("Update", &"b".repeat(40)));
    refused("head_moved", "Head branch was modified").await;
    for (status, code) in [
        (403, "github_forbids"),
        (404, "not_at_github"),
        (422, "github_refuses"),
        (401, "github_refuses_token"),
    ] {
        stub.world().on_merge = Some(Trouble::Refuses(status));
        refused(code, "GitHub says").await;
    }
    // Known here already: GitHub is not asked.
    let requests = stub.world().requests;
    let old = json!({ "number": 42, "head_sha": "d".repeat(40) });
    let answer = post(&console, "/api/pull-request/merge", &old).await;
    assert_eq!(answer.body["code"], "head_moved");
    let other = json!({ "number": 42, "head_sha": sha(), "deploy": plan(&[3]) });
    assert_eq!(post(&console, "/api/pull-request/merge", &other).await.body["code"], "command_not_offered");
    let short = json!({ "number": 42, "head_sha": "abc" });
    assert_eq!(post(&console, "/api/pull-request/merge", &short).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(stub.world().requests, requests);
    assert_eq!(console.fleet().pipelines().len(), 0);
    assert!(merges::open(console.app.store().pool()).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_that_is_lost_is_looked_for() {
    let stub = Stub::start().await;
    let console = with_pull(&stub).await;
    stub.world().on_merge = Some(Trouble::MergesAndHangsUp);
    let body = json!({ "number": 42, "head_sha": sha(), "deploy": plan(&[1]) });
    let answer = post(&console, "/api/pull-request/merge", &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(console.fleet().pipelines().len(), 1);

    stub.world().pulls.insert(42, StubPull::new("Update the lock file", &sha()));
    let console = with_pull(&stub).await;
    stub.world().on_merge = Some(Trouble::HangsUp);
    let answer = post(&console, "/api/pull-request/merge", &body).await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT, "{}", answer.text);
    assert!(answer.detail().starts_with("It is not known whether #42 was merged"), "{}", answer.detail());
    let again = post(&console, "/api/pull-request/merge", &body).await;
    assert_eq!(again.body["code"], "merge_under_way", "not twice at once");
    assert_eq!(console.fleet().pipelines().len(), 0);
    // The next console takes it up; by then it was merged after all.
    stub.world().pulls.get_mut(&42).unwrap().merge_commit = Some("e".repeat(40));
    let console = console.restarted().await;
    settle_merges(&console.app).await;
    console.until("the deployment follows", |fleet| fleet.pipelines().len() == 1).await;
    assert!(merges::open(console.app.store().pool()).await.unwrap().is_empty());
}

/// What a console leaves that died after it began to merge, so long ago.
async fn left_behind(console: &Console, ago: Duration) {
    let merge = Merge {
        id: OperationId(Uuid::now_v7()),
        number: 42,
        title: "Update the lock file".to_owned(),
        head_sha: sha(),
        actor: Actor::User { id: UserId(Uuid::from_u128(1)), name: ANA.to_owned() },
        deploy: Some(Plan {
            host_ids: vec![host_id(1)],
            stages: vec!["pull".parse().unwrap(), "switch".parse().unwrap()],
            concurrency: 1,
            canary: 0,
            stop_after_failures: 1,
        }),
        at: crate::model::Timestamp(now().0 - ago.as_millis() as u64),
    };
    let left = console.app.store().transact_with(Actor::System, None, move |_, _| {
        Ok::<_, Gone>(((), vec![SideWrite::MergeBegins(merge)]))
    });
    left.await.unwrap();
}

#[tokio::test]
async fn a_merge_that_a_restart_cut_off_is_settled_whichever_way_it_went() {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    for (merged, ago, told, pipelines) in [
        (true, minutes(1), "was merged by Ana", 1),
        (true, minutes(60), "was merged, and not deployed", 0),
        (false, minutes(2), "was not merged", 0),
    ] {
        let stub = Stub::start().await;
        let console = with_pull(&stub).await;
        left_behind(&console, ago).await;
        if merged {
            stub.world().pulls.get_mut(&42).unwrap().merge_commit = Some("e".repeat(40));
        }
        let console = console.restarted().await;
        settle_merges(&console.app).await;
        console.until(told, |fleet| fleet.events().any(|event| event.text.contains(told))).await;
        assert_eq!(console.fleet().pipelines().len(), pipelines, "{told}");
        assert_eq!(console.fleet().pull_requests().len(), usize::from(!merged));
        assert_eq!(stub.world().merges, 0, "it is never asked for again");
        assert!(merges::open(console.app.store().pool()).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn merged_and_not_deployed_is_said_exactly_so() {
    let stub = Stub::start().await;
    let console = with_pull(&stub).await;
    stub.world().pulls.get_mut(&42).unwrap().merge_commit = Some("e".repeat(40));
    left_behind(&console, Duration::from_secs(1)).await;
    let deleted = console.app.store().transact(Actor::System, |draft| draft.delete_host(host_id(1)));
    deleted.await.unwrap();
    settle_merges(&console.app).await;
    let told = "was merged, and not deployed: There is no host with the id";
    console.until(told, |fleet| fleet.events().any(|event| event.text.contains(told))).await;
    assert_eq!(console.fleet().pipelines().len(), 0);
}

#[tokio::test]
async fn pull_requests_and_the_repository_are_listed_with_their_age() {
    let stub = Stub::start().await;
    let console = with_pull(&stub).await;
    let listed = console.ask(BEN, Method::GET, "/api/pull-requests", "").await;
    assert_eq!(listed.body["pull_requests"][0]["number"], 42);
    assert_eq!((&listed.body["configured"], &listed.body["checked_at"]), (&json!(true), &Value::Null));
    let repository = console.ask(BEN, Method::GET, "/api/repository", "").await;
    assert_eq!((repository.status, repository.body), (StatusCode::OK, Value::Null));
}

#[tokio::test]
async fn the_job_takes_over_what_the_api_began() {
    let console = console(None).await;
    let started = post(&console, "/api/pipelines", &plan(&[1])).await;
    let job = tokio::spawn(crate::server::pipelines::run(
        console.app.store().clone(),
        console.app.shutdown().clone(),
    ));
    for stage in 0..2 {
        let active = |fleet: &crate::model::Fleet| {
            let row = fleet.pipelines().next()?.clone();
            row.active()
                .next()
                .filter(|_| row.lanes[0].cells[..stage].iter().all(|cell| matches!(cell, Cell::Ended { .. })))
        };
        console
            .until("its stage begins", |fleet| {
                active(fleet).is_some_and(|id| fleet.command(id).is_some_and(|row| !row.status.is_over()))
            })
            .await;
        let id = active(&console.fleet()).unwrap();
        let done =
            Happening::Finished { outcome: Outcome::Exited { code: 0 }, reason: None, output_bytes: 0 };
        console.app.store().transact(Actor::System, move |draft| draft.happens(id, &done)).await.unwrap();
    }
    console
        .until("it is over", |fleet| fleet.pipelines().all(|row| row.status == PipelineStatus::Succeeded))
        .await;
    assert_eq!(started.body["pipeline"]["status"], "running");
    console.app.shutdown().cancel();
    tokio::time::timeout(PATIENCE, job).await.unwrap().unwrap();
}
