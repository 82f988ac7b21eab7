//! Deletions wait, can be undone meanwhile, and happen then, whoever has gone away in between.

use super::harness::*;
use crate::{
    model::{
        Actor, ErrorDetail, Gone, LoadState, Net, NetAction, Operation, Timestamp, Worker, WorkerAction,
        WorkerCause, WorkerStatus,
    },
    petri::samples::SAMPLES,
    server::{clock::now, supervise::tests::fixtures::*},
};
use axum::http::{Method, StatusCode};
use serde_json::json;
use std::time::Duration;

fn soon() -> Timestamp {
    now().plus(Duration::from_millis(300))
}

fn leaving(until: Timestamp) -> Worker {
    Worker { operation: Some(waiting(WorkerAction::Delete, until)), ..worker(WorkerStatus::Ready) }
}

#[tokio::test]
async fn a_deletion_is_carried_out_at_its_time_in_the_name_of_who_asked_for_it() {
    let until = soon();
    let console = Console::with(health([held(1)]), leaving(until), vec![], vec![net(1), unloaded(2)]).await;
    console.carry_out_deletions();
    console.until("deleted", |fleet| fleet.worker(WORKER).is_none()).await;
    assert!(now() >= until, "not before its time");
    let fleet = console.fleet();
    let left = fleet.net(net_id(1)).unwrap();
    assert_eq!((left.worker_id, left.load_state), (None, LoadState::Unloaded));
    let told = fleet.events().find(|event| event.text == "Worker w1 deleted").expect("told");
    assert_eq!(told.actor.to_string(), BEN);
    let process: crate::server::providers::ProcessId = console.fake.machine.provider_ref.parse().unwrap();
    tokio::time::timeout(PATIENCE, process.ended()).await.expect("its machine is gone with it");
}

#[tokio::test]
async fn a_net_is_deleted_at_its_time_even_if_its_worker_left_meanwhile() {
    let going = Net { operation: Some(waiting(NetAction::Delete, soon())), ..unloaded(1) };
    let console = Console::with(health([]), worker(WorkerStatus::Ready), vec![], vec![going]).await;
    let lost = console.app.store().transact(Actor::System, |draft| {
        draft.set_worker_status(WORKER, WorkerStatus::Error(ErrorDetail::Unreachable), None)
    });
    lost.await.unwrap();
    assert!(console.fleet().net(net_id(1)).unwrap().operation.is_some(), "it still waits");
    console.carry_out_deletions();
    console.until("deleted", |fleet| fleet.net(net_id(1)).is_none()).await;
    console.close().await;
}

#[tokio::test]
async fn what_waits_or_has_begun_outlives_the_console() {
    let begun = Worker { operation: Some(in_flight(WorkerAction::Delete)), ..worker(WorkerStatus::Ready) };
    let going = Net { operation: Some(waiting(NetAction::Delete, Timestamp(1))), ..unloaded(1) };
    let console = Console::with(health([]), begun, vec![], vec![going]).await;
    let console = console.restarted().await;
    let row = console.row();
    assert!(row.operation.as_ref().is_some_and(|open| !open.is_waiting()), "it is in the record: {row:?}");
    console.carry_out_deletions();
    console
        .until("both are gone", |fleet| fleet.worker(WORKER).is_none() && fleet.net(net_id(1)).is_none())
        .await;
}

#[tokio::test]
async fn an_undone_deletion_never_happens() {
    let console = Console::with(health([]), worker(WorkerStatus::Ready), vec![], vec![unloaded(1)]).await;
    console.carry_out_deletions();
    let path = format!("/api/workers/{WORKER}");
    let answer = console.ask(ANA, Method::DELETE, &path, "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.body["worker"]["operation"]["action"], "delete");
    let until = answer.body["worker"]["operation"]["waiting"]["until"].as_u64().unwrap();
    let since = answer.body["worker"]["operation"]["since"].as_u64().unwrap();
    assert_eq!(until - since, 10_000);

    let answer = console.ask(BEN, Method::POST, &format!("{path}/undo-delete"), "").await;
    assert_eq!(answer.message(), "The deletion of w1 was undone.");
    // Another deletion is due at once; it is done by the same hand, which thus had its chance at the first.
    let net = console.app.store().transact(Actor::System, |draft| {
        draft.begin_net(net_id(1), waiting(NetAction::Delete, Timestamp(1)))
    });
    net.await.unwrap();
    console.until("the net is gone", |fleet| fleet.net(net_id(1)).is_none()).await;
    let row = console.row();
    assert_eq!((row.status, row.operation.clone()), (WorkerStatus::Ready, None));
    let fleet = console.fleet();
    let told: Vec<_> = fleet.events().map(|event| format!("{}: {}", event.actor, event.text)).collect();
    assert!(told.contains(&"Ana: Worker w1 is to be deleted in 10 s".to_owned()), "{told:?}");
    assert!(told.contains(&"Ben: The deletion of worker w1 was undone".to_owned()), "{told:?}");
    console.close().await;
}

#[tokio::test]
async fn what_is_about_to_be_deleted_is_not_changed_built_or_moved() {
    let going = Net { operation: Some(waiting(NetAction::Delete, now().plus(PATIENCE))), ..unloaded(1) };
    let console = Console::with(health([]), worker(WorkerStatus::Ready), vec![], vec![going]).await;
    let other =
        console.ask(EVA, Method::POST, "/api/projects", &json!({"name": "other"}).to_string()).await.body;
    let before = console.fleet().net(net_id(1)).cloned();
    let path = format!("/api/nets/{}", net_id(1));
    for (method, action, body, verb) in [
        (Method::PUT, "definition", json!({"pnml": SAMPLES[0].pnml}), "change"),
        (Method::POST, "build", json!({}), "build"),
        (Method::POST, "move", json!({"project_id": other["project"]["id"]}), "move"),
        (Method::POST, "assign", json!({"worker_id": WORKER}), "assign"),
        (Method::POST, "unassign", json!({}), "unassign"),
        (Method::POST, "load", json!({}), "load"),
    ] {
        let answer = console.ask(EVA, method, &format!("{path}/{action}"), &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{action}: {}", answer.text);
        assert_eq!(answer.body["code"], "deletion_waiting", "{action}: {}", answer.text);
        let begin = format!("Cannot {verb} net-1: Ben is deleting it, in ");
        assert!(answer.detail().starts_with(&begin), "{action}: {}", answer.text);
    }
    let plan = json!({"kind": "monte_carlo", "runs": 1, "firings": 1, "seed": 0});
    let lab = json!({"name": "first", "net_id": net_id(1), "worker_id": WORKER, "plan": plan});
    let answer = console.ask(EVA, Method::POST, "/api/labs", &lab.to_string()).await;
    assert_eq!(answer.body["code"], "deletion_waiting", "{}", answer.text);
    assert!(
        answer.detail().starts_with("Cannot make a lab of net-1: Ben is deleting it, in "),
        "{}",
        answer.text
    );
    assert_eq!(console.fleet().net(net_id(1)).cloned(), before);
    assert_eq!(console.fleet().builds().len(), 0);
    console.close().await;
}

#[tokio::test]
async fn making_a_machine_goes_on_beneath_its_deletion_and_is_in_flight_again_after_an_undo() {
    let making = in_flight(WorkerAction::Provision);
    let row = Worker { operation: Some(making.clone()), ..worker(WorkerStatus::Provisioning) };
    let console = Console::with(health([]), row, vec![], vec![]).await;
    let path = format!("/api/workers/{WORKER}");
    let delete = async || {
        let answer = console.ask(ANA, Method::DELETE, &path, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    };
    let undo = async || {
        let answer = console.ask(ANA, Method::POST, &format!("{path}/undo-delete"), "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        console.row()
    };
    delete().await;
    assert_eq!(undo().await.operation, Some(making.clone()));

    delete().await;
    // As the effect does when the machine is made.
    let made = console.app.store().transact(Actor::System, move |draft| {
        draft.end_worker(WORKER, making.id, WorkerCause::Status, |row| {
            (row.status, row.machine) = (WorkerStatus::Ready, Some(machine("http://127.0.0.1:1")));
        })?;
        Ok::<_, Gone>(())
    });
    made.await.unwrap();
    assert!(console.row().operation.as_ref().is_some_and(Operation::is_waiting), "the deletion still waits");
    let row = undo().await;
    assert_eq!((row.status, row.operation.clone()), (WorkerStatus::Ready, None));
}

#[tokio::test]
async fn a_repeated_deletion_and_a_repeated_undo_are_done_once() {
    let console = Console::with(health([]), worker(WorkerStatus::Pending), vec![], vec![]).await;
    let path = format!("/api/workers/{WORKER}");
    let key = [("idempotency-key", "one")];
    let first = console.ask_with(ANA, Method::DELETE, &path, "", &key).await;
    let again = console.ask_with(ANA, Method::DELETE, &path, "", &key).await;
    assert_eq!((first.status, &first.body), (StatusCode::OK, &again.body));
    let undo = format!("{path}/undo-delete");
    let key = [("idempotency-key", "two")];
    let first = console.ask_with(ANA, Method::POST, &undo, "", &key).await;
    let again = console.ask_with(ANA, Method::POST, &undo, "", &key).await;
    assert_eq!((first.status, &first.body), (StatusCode::OK, &again.body));
    let refused = console.ask(ANA, Method::POST, &undo, "").await;
    assert_eq!(
        refused.detail(),
        "Cannot undo the deletion of w1: it is pending, and no deletion of it is waiting. Ana undid the deletion of it 0 s ago."
    );
}
