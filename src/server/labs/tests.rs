//! Labs through the doors of a console, against a worker that has them.

use super::*;
use crate::{
    model::{Actor, Draft, ErrorDetail, Gone, Lab, LabProgress, LabState, NetId, WorkerCause, WorkerStatus},
    server::{
        actions::tests::harness::*,
        supervise::tests::fixtures::{self as some, WORKER, health, hosted, incarnation, worker},
        workers::fake::Manner,
    },
    worker::protocol::HostedLab,
};
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use std::sync::Arc;

const RING: &str = r#"<pnml xmlns="http://www.pnml.org/version-2009/grammar/pnml"><net id="ring" type="http://www.pnml.org/version-2009/grammar/ptnet"><page id="page"><place id="a"><initialMarking><text>1</text></initialMarking></place><place id="b"/><transition id="s"/><transition id="t"/><arc id="1" source="a" target="s"/><arc id="2" source="s" target="b"/><arc id="3" source="b" target="t"/><arc id="4" source="t" target="a"/></page></net></pnml>"#;

/// A console with a ready worker and a net on it.
async fn console() -> (Console, NetId) {
    let console = Console::with(health([]), worker(WorkerStatus::Ready), vec![], vec![]).await;
    let body = json!({"name": "ring", "project_id": some::PROJECT, "pnml": RING}).to_string();
    let added = console.ask(ANA, Method::POST, "/api/nets", &body).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    let net: NetId = added.body["net"]["id"].as_str().unwrap().parse().unwrap();
    let body = json!({ "worker_id": WORKER }).to_string();
    let assigned = console.ask(ANA, Method::POST, &format!("/api/nets/{net}/assign"), &body).await;
    assert_eq!(assigned.status, StatusCode::OK, "{}", assigned.text);
    (console, net)
}

fn new_lab(net: NetId, name: &str) -> Value {
    json!({
        "net_id": net,
        "name": name,
        "plan": {"kind": "monte_carlo", "runs": 10, "firings": 100, "seed": 1},
        "start": true,
    })
}

async fn made(console: &Console, net: NetId, name: &str) -> LabId {
    let made = console.ask(ANA, Method::POST, "/api/labs", &new_lab(net, name).to_string()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    made.body["lab"]["id"].as_str().unwrap().parse().unwrap()
}

async fn act(console: &Console, lab: LabId, verb: &str) -> Answer {
    console.ask(ANA, Method::POST, &format!("/api/labs/{lab}/{verb}"), "").await
}

fn row(console: &Console, lab: LabId) -> Arc<Lab> {
    console.fleet().lab(lab).unwrap().clone()
}

fn told(lab: &Lab) -> Vec<&str> {
    lab.history.iter().map(|entry| entry.text.as_str()).collect()
}

/// What the worker has.
fn held(console: &Console) -> Vec<HostedLab> {
    let mut labs = Vec::new();
    console.fake.change(|health| labs = health.labs.clone());
    labs
}

fn is_over(console: &Console, state: LabState, runs: u64) {
    console.fake.change(|health| {
        for lab in &mut health.labs {
            lab.state = state;
            lab.progress = LabProgress { runs, firings: runs * 100, states: 0 };
        }
    });
}

async fn change(console: &Console, change: impl FnOnce(&mut Draft) -> Result<(), Gone> + Send + 'static) {
    console.app.store().transact(Actor::System, change).await.unwrap();
}

async fn set_status(console: &Console, status: WorkerStatus) {
    change(console, move |draft| draft.set_worker_status(WORKER, status, None)).await;
}

async fn results_of(console: &Console, lab: LabId) -> Value {
    let answer = console.ask(ANA, Method::GET, &format!("/api/labs/{lab}/results"), "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.body
}

#[tokio::test]
async fn a_lab_is_made_works_and_what_it_found_outlives_its_worker() {
    let (console, net) = console().await;
    let lab = made(&console, net, "first").await;
    assert_eq!(row(&console, lab).state, LabState::Running);
    assert_eq!(told(&row(&console, lab)), ["Made on w1", "Started"]);
    assert_eq!(row(&console, lab).history[0].actor.to_string(), ANA);
    // Of one that works the worker is asked.
    is_over(&console, LabState::Running, 4);
    assert_eq!(results_of(&console, lab).await["results"]["results"]["runs"], 4);
    assert!(labs::kept(console.app.store().pool(), &[lab]).await.unwrap().is_empty());

    is_over(&console, LabState::Done, 10);
    let counts = sync(&console.app, WORKER, Reach::Over).await.unwrap();
    assert_eq!((counts.total, counts.active), (1, 0));
    assert_eq!(console.row().labs, Some(counts));
    assert_eq!(row(&console, lab).state, LabState::Done);
    assert_eq!(told(&row(&console, lab))[2], "Done: 10 runs, 1000 firings");
    let fleet = console.fleet();
    assert!(fleet.events().any(|event| event.text == "Lab first: Done: 10 runs, 1000 firings"));

    // Nothing changed: nothing is written of it.
    let before = row(&console, lab).revision;
    sync(&console.app, WORKER, Reach::All).await.unwrap();
    assert_eq!(row(&console, lab).revision, before);

    console.fake.behave(Manner::Broken);
    set_status(&console, WorkerStatus::Error(ErrorDetail::Unreachable)).await;
    assert_eq!(row(&console, lab).state, LabState::Done, "what is over stays over");
    assert_eq!(results_of(&console, lab).await["results"]["results"]["runs"], 10);
    let listed = console.ask(ANA, Method::GET, "/api/labs", "").await;
    assert_eq!(listed.body[0]["id"], lab.to_string());

    // Its process is gone for good: it is over, and nowhere any more.
    console.fake.behave(Manner::Well);
    console.fake.change(|health| health.labs.clear());
    set_status(&console, WorkerStatus::Ready).await;
    sync(&console.app, WORKER, Reach::Over).await.unwrap();
    assert_eq!((row(&console, lab).state, row(&console, lab).incarnation), (LabState::Done, None));
    // And it can be emptied all the same, which makes it anew.
    let wiped = act(&console, lab, "wipe").await;
    assert_eq!(wiped.status, StatusCode::OK, "{}", wiped.text);
    assert_eq!((row(&console, lab).state, held(&console).len()), (LabState::Idle, 1));
    assert_eq!(results_of(&console, lab).await, Value::Null);
    console.close().await;
}

#[tokio::test]
async fn a_lab_that_was_lost_is_found_again_or_made_anew() {
    let (console, net) = console().await;
    let lab = made(&console, net, "first").await;
    set_status(&console, WorkerStatus::Error(ErrorDetail::Unreachable)).await;
    assert_eq!(row(&console, lab).state, LabState::Lost);
    assert_eq!(told(&row(&console, lab)).last(), Some(&"Lost: its worker is not ready"));
    let refused = act(&console, lab, "start").await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert!(refused.detail().contains("its worker w1 is error"), "{}", refused.text);

    // It was there all the time.
    set_status(&console, WorkerStatus::Ready).await;
    sync(&console.app, WORKER, Reach::Over).await.unwrap();
    assert_eq!((row(&console, lab).state, row(&console, lab).error.clone()), (LabState::Running, None));
    assert_eq!(told(&row(&console, lab)).last(), Some(&"Found again on w1; it is running"));

    // Another process.
    console.fake.change(|health| {
        health.labs.clear();
        health.incarnation = incarnation(2);
    });
    change(&console, |draft| {
        draft.edit_worker(WORKER, WorkerCause::Edited, |row| {
            if let Some(machine) = &mut row.machine {
                machine.incarnation = incarnation(2);
            }
        })
    })
    .await;
    for _ in 0..2 {
        sync(&console.app, WORKER, Reach::Over).await.unwrap();
        let lost = row(&console, lab);
        assert_eq!(lost.state, LabState::Lost);
        assert!(lost.error.as_ref().unwrap().starts_with("The process that had it is gone."), "{lost:?}");
        assert_eq!(told(&lost).last(), Some(&"Lost: the process that had it is gone"));
        assert_eq!(lost.history.len(), 5, "it is told once: {:?}", told(&lost));
    }
    let started = act(&console, lab, "start").await;
    assert_eq!(started.status, StatusCode::OK, "{}", started.text);
    let again = row(&console, lab);
    assert_eq!((again.state, again.incarnation), (LabState::Running, Some(incarnation(2))));
    assert_eq!(told(&again).last(), Some(&"Made anew on w1 and started"));
    assert_eq!(held(&console)[0].id, lab);
    // Under their feet: it is noticed when it is to be stopped.
    console.fake.change(|health| health.labs.clear());
    let stopped = act(&console, lab, "stop").await;
    assert_eq!(stopped.status, StatusCode::CONFLICT, "{}", stopped.text);
    assert_eq!(row(&console, lab).state, LabState::Lost);
    assert_eq!(told(&row(&console, lab)).last(), Some(&"Could not stop: this lab is not here"));
    console.close().await;
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused_with_the_field_and_nothing_is_made() {
    let (console, net) = console().await;
    let with = |field: &str, value: Value| {
        let mut body = new_lab(net, "first");
        body[field] = value;
        body.to_string()
    };
    let plan = |field: &str, value: Value| {
        let mut body = new_lab(net, "first");
        body["plan"][field] = value;
        body.to_string()
    };
    let nobody = "00000000-0000-0000-0000-0000000000ff";
    for (body, status, begins) in [
        (plan("runs", json!(0)), 400, "plan.runs must be a whole number from 1 to"),
        (plan("runs", json!(-1)), 400, "plan.runs is not usable: -1 is given where a whole number"),
        (plan("goals", json!(1)), 400, "plan.goals is not usable"),
        (plan("goal", json!({"place": "a"})), 400, "plan.goal is not usable: the field \"kind\" is missing"),
        (plan("goal", json!({"kind": "deadlock", "x": 1})), 400, "plan.goal is not usable"),
        (plan("rates", json!({"x": 1})), 400, "plan.rates names the transition \"x\""),
        (plan("rates", json!({"s": -1})), 400, "plan.rates is not usable: -1 is not a number above zero"),
        (plan("goal", json!({"kind": "tokens", "place": "z", "at_least": 1})), 400, "plan.goal.place names"),
        (with("plan", Value::Null), 400, "The body has no field \"plan\""),
        (with("name", json!(" ")), 400, ""),
        (with("version", json!(7)), 400, "version names 7, which net ring does not have; its newest is 1."),
        (with("worker_id", json!(nobody)), 404, "There is no worker"),
        (with("net_id", json!(nobody)), 404, "There is no net"),
    ] {
        let answer = console.ask(ANA, Method::POST, "/api/labs", &body).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.text);
        assert!(answer.detail().starts_with(begins), "{body}: {}", answer.text);
    }
    set_status(&console, WorkerStatus::Error(ErrorDetail::Unreachable)).await;
    let answer = console.ask(ANA, Method::POST, "/api/labs", &new_lab(net, "first").to_string()).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.detail().starts_with("Cannot make first: its worker w1 is error"), "{}", answer.text);
    set_status(&console, WorkerStatus::Ready).await;
    assert_eq!((console.fleet().labs().len(), held(&console).len()), (0, 0));

    made(&console, net, "first").await;
    let again = console.ask(ANA, Method::POST, "/api/labs", &new_lab(net, "First").to_string()).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.detail().starts_with("There is a lab named first in net ring already"), "{}", again.text);
    assert_eq!(held(&console).len(), 1);
    console.close().await;
}

#[tokio::test]
async fn a_worker_that_fails_leaves_a_line_in_the_history_and_no_lab_that_was_not_made() {
    let (console, net) = console().await;
    let lab = made(&console, net, "first").await;
    console.fake.behave(Manner::Broken);
    let stopped = act(&console, lab, "stop").await;
    assert_eq!(stopped.status, StatusCode::BAD_GATEWAY, "{}", stopped.text);
    let after = row(&console, lab);
    assert!(told(&after).iter().any(|text| text.starts_with("Could not stop: The worker at")), "{after:?}");
    // It was checked at once.
    assert_eq!(after.state, LabState::Lost);

    set_status(&console, WorkerStatus::Ready).await;
    let second = console.ask(ANA, Method::POST, "/api/labs", &new_lab(net, "second").to_string()).await;
    assert_eq!(second.status, StatusCode::BAD_GATEWAY, "{}", second.text);
    assert_eq!(console.fleet().labs().len(), 1);
    assert!(console.fleet().events().any(|event| event.text.starts_with("Could not make lab second")));

    // The record can go all the same; what is left on the worker goes once it is heard.
    set_status(&console, WorkerStatus::Ready).await;
    let deleted = console.ask(ANA, Method::DELETE, &format!("/api/labs/{lab}"), "").await;
    assert_eq!(deleted.status, StatusCode::OK, "{}", deleted.text);
    assert!(deleted.message().contains("did not answer"), "{}", deleted.text);
    assert_eq!((console.fleet().labs().len(), held(&console).len()), (0, 1));
    console.fake.behave(Manner::Well);
    sync(&console.app, WORKER, Reach::Over).await.unwrap();
    assert!(held(&console).is_empty());
    console.close().await;
}

#[tokio::test]
async fn one_lab_that_cannot_be_read_says_so_and_keeps_nobody_from_the_others() {
    let (console, net) = console().await;
    let (first, second) = (made(&console, net, "first").await, made(&console, net, "second").await);
    console.fake.garble(first, true);
    is_over(&console, LabState::Done, 10);
    for _ in 0..2 {
        let counts = sync(&console.app, WORKER, Reach::All).await.unwrap();
        assert_eq!((counts.total, counts.active), (2, 0));
        assert_eq!(results_of(&console, second).await["results"]["results"]["runs"], 10);
        let lab = row(&console, first);
        assert_eq!(lab.error.as_deref(), Some(judge::UNREADABLE));
        let told = told(&lab).into_iter().filter(|text| text.contains("cannot be read")).count();
        assert_eq!(told, 1, "it is told once");
    }
    assert!(console.fleet().events().any(|event| event.text == "Lab first: Its results cannot be read"));
    console.fake.garble(first, false);
    sync(&console.app, WORKER, Reach::All).await.unwrap();
    assert_eq!(row(&console, first).error, None);
    assert_eq!(results_of(&console, first).await["results"]["results"]["runs"], 10);
}

#[tokio::test]
async fn labs_go_with_their_net_and_stay_without_their_worker() {
    let (console, net) = console().await;
    let lab = made(&console, net, "first").await;
    is_over(&console, LabState::Done, 10);
    sync(&console.app, WORKER, Reach::Over).await.unwrap();
    let other = made(&console, net, "second").await;
    change(&console, |draft| draft.delete_worker(WORKER)).await;
    assert_eq!((row(&console, lab).state, row(&console, lab).worker_id), (LabState::Done, None));
    assert_eq!(row(&console, other).state, LabState::Lost);
    assert_eq!(results_of(&console, lab).await["results"]["results"]["runs"], 10);
    for verb in ["start", "wipe"] {
        let refused = act(&console, lab, verb).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert!(refused.detail().contains("Its worker was deleted"), "{}", refused.text);
    }
    change(&console, move |draft| draft.delete_net(net)).await;
    assert_eq!(console.fleet().labs().len(), 0);
    let told: Vec<String> = console.fleet().events().map(|event| event.text.clone()).collect();
    for text in ["Lab first deleted", "Lab second deleted"] {
        assert!(told.iter().any(|told| told == text), "{told:?}");
    }
    assert!(
        told.iter().any(|told| told.ends_with("deleted with its 2 labs and what they found")),
        "{told:?}"
    );
    let gone = console.ask(ANA, Method::GET, &format!("/api/labs/{lab}/results"), "").await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM lab_results")
        .fetch_one(console.app.store().pool())
        .await
        .unwrap();
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn the_job_deletes_on_the_worker_what_went_with_its_net() {
    let (console, net) = console().await;
    made(&console, net, "first").await;
    console.app.tasks().spawn(run(console.app.clone()));
    console
        .until("asked", |fleet| fleet.worker(WORKER).unwrap().labs.is_some_and(|labs| labs.total == 1))
        .await;
    change(&console, move |draft| draft.delete_net(net)).await;
    console
        .until("gone", |fleet| fleet.worker(WORKER).unwrap().labs.is_some_and(|labs| labs.total == 0))
        .await;
    let gone = async {
        while !held(&console).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.unwrap();
    console.app.shutdown().cancel();
    console.close().await;
}

#[tokio::test]
async fn a_console_that_begins_anew_finds_its_labs_where_they_are() {
    let (console, net) = console().await;
    let lab = made(&console, net, "first").await;
    let console = console.restarted().await;
    assert_eq!(row(&console, lab).state, LabState::Running);
    is_over(&console, LabState::Done, 10);
    sync(&console.app, WORKER, Reach::Over).await.unwrap();
    assert_eq!(row(&console, lab).state, LabState::Done);
    let console = console.restarted().await;
    assert_eq!(row(&console, lab).history.len(), 3);
    assert_eq!(results_of(&console, lab).await["results"]["results"]["runs"], 10);
    console.close().await;
}

#[tokio::test]
async fn a_worker_is_asked_by_hand_once_in_ten_seconds() {
    let (console, net) = console().await;
    let lab = made(&console, net, "first").await;
    is_over(&console, LabState::Running, 4);
    let path = format!("/api/workers/{WORKER}/labs/refresh");
    let first = console.ask(ANA, Method::POST, &path, "").await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    assert_eq!(first.message(), "Asked w1: it has 1 lab, 1 of them at work.");
    assert_eq!(row(&console, lab).progress.runs, 4);
    // What one that works has found is kept, too.
    assert_eq!(labs::kept(console.app.store().pool(), &[lab]).await.unwrap().len(), 1);
    let second = console.open(BEN, Method::POST, &path, "", &[]).await;
    assert_eq!(second.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = second.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    console.close().await;
}

#[tokio::test]
async fn keys_and_revisions_hold_for_labs_as_for_everything_else() {
    let (console, net) = console().await;
    let (body, key) = (new_lab(net, "first").to_string(), [("idempotency-key", "k")]);
    let first = console.ask_with(ANA, Method::POST, "/api/labs", &body, &key).await;
    let second = console.ask_with(ANA, Method::POST, "/api/labs", &body, &key).await;
    assert_eq!(first.body["lab"]["id"], second.body["lab"]["id"], "{}", second.text);
    assert_eq!((console.fleet().labs().len(), held(&console).len()), (1, 1));
    let lab: LabId = first.body["lab"]["id"].as_str().unwrap().parse().unwrap();
    let path = format!("/api/labs/{lab}/stop");
    let old = console.ask_with(ANA, Method::POST, &path, "", &[("if-match", "\"77\"")]).await;
    assert_eq!(old.status, StatusCode::PRECONDITION_FAILED, "{}", old.text);
    let tag = format!("\"{}\"", row(&console, lab).revision);
    let stopped = console.ask_with(ANA, Method::POST, &path, "", &[("if-match", &tag)]).await;
    assert_eq!(stopped.status, StatusCode::OK, "{}", stopped.text);
    assert_eq!(row(&console, lab).state, LabState::Idle);
    console.close().await;
}

#[tokio::test]
async fn how_often_workers_are_asked_is_for_administrators_to_say() {
    let (console, _) = console().await;
    let path = format!("/api/clusters/{}/lab-sync", some::CLUSTER);
    let put = async |user: &str, body: &str| console.ask(user, Method::PUT, &path, body).await;
    assert_eq!(put(ANA, r#"{"minutes":5}"#).await.status, StatusCode::FORBIDDEN);
    for wrong in ["0", "1441", "\"5\""] {
        let answer = put(EVA, &format!("{{\"minutes\":{wrong}}}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
        assert!(
            answer.detail().starts_with("minutes must be a whole number from 1 to 1440"),
            "{}",
            answer.text
        );
    }
    let set = put(EVA, r#"{"minutes":5}"#).await;
    assert_eq!(set.body["cluster"]["lab_sync_minutes"], 5, "{}", set.text);
    let cluster = console.fleet().cluster(some::CLUSTER).unwrap().clone();
    assert_eq!(cluster.lab_sync_minutes, Some(5));
    put(EVA, r#"{"minutes":null}"#).await;
    assert_eq!(console.fleet().cluster(some::CLUSTER).unwrap().lab_sync_minutes, None);
    console.close().await;
}

#[test]
fn a_row_follows_what_its_worker_says_and_strays_are_named() {
    use super::judge::judge;
    let rows: Vec<Arc<Lab>> = [
        some::lab(1, 1),
        Lab { state: LabState::Running, ..some::lab(2, 1) },
        Lab { state: LabState::Running, ..some::lab(3, 1) },
    ]
    .map(Arc::new)
    .into();
    let stray = some::lab(9, 1);
    let said = [
        hosted(&rows[0], LabState::Idle, 0),
        hosted(&rows[1], LabState::Running, 7),
        hosted(&stray, LabState::Running, 1),
    ];
    let at = crate::model::Timestamp(1_000);
    let judged = judge(&rows, Some(incarnation(1)), "w1", &said, at);
    assert_eq!(judged.strays, [stray.id]);
    assert_eq!((judged.counts.total, judged.counts.active), (2, 1));
    let of = |id| judged.rows.iter().find(|lab| lab.id == some::lab_id(id));
    assert_eq!(of(1), None, "it is as it was");
    let working = of(2).unwrap();
    assert_eq!((working.progress.runs, working.synced_at, working.history.len()), (7, at, 0));
    let lost = of(3).unwrap();
    assert_eq!((lost.state, lost.error.as_deref()), (LabState::Lost, Some(NOT_THERE)));
    // Once more, and nothing is left to say.
    let rows: Vec<Arc<Lab>> = rows
        .iter()
        .map(|row| {
            judged.rows.iter().find(|lab| lab.id == row.id).map_or(row.clone(), |lab| Arc::new(lab.clone()))
        })
        .collect();
    assert_eq!(judge(&rows, Some(incarnation(1)), "w1", &said, at).rows, []);
}
