//! Two operators at once: one wins, the other is told who did what.

use super::harness::*;
use crate::{
    model::{Category, NetAction, Worker, WorkerStatus},
    server::supervise::tests::fixtures::*,
};
use axum::http::{Method, StatusCode};
use uuid::Uuid;

fn ready() -> Worker {
    Worker { category: Category::Persistent, ..worker(WorkerStatus::Ready) }
}

fn stop() -> String {
    format!("/api/workers/{WORKER}/stop")
}

/// Ages, never points in time.
fn has_no_timestamp(text: &str) -> bool {
    !text.contains("20") && !text.contains('Z')
}

#[tokio::test]
async fn who_comes_second_is_told_who_came_first() {
    let console = Console::with(health([]), ready(), vec![], vec![]).await;
    let seen = format!("\"{}\"", console.row().state_revision);
    let answer = console.ask(ANA, Method::POST, &stop(), "").await;
    assert_eq!(answer.message(), "Stopped w1.");

    let old = console.ask_with(BEN, Method::POST, &stop(), "", &[("if-match", &seen)]).await;
    assert_eq!(old.status, StatusCode::PRECONDITION_FAILED);
    let said =
        "w1 changed since you looked; it is now stopped. Ana stopped it 0 s ago. Review it and try again.";
    assert_eq!(old.detail(), said);
    assert_eq!(old.body["current"]["status"], "stopped");

    let late = console.ask(BEN, Method::POST, &stop(), "").await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    let said = "Cannot stop w1: it is stopped. Only a ready worker can be stopped. Ana stopped it 0 s ago.";
    assert_eq!(late.detail(), said);
    console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_at_the_same_time_one_wins() {
    let console = Console::with(health([]), ready(), vec![], vec![]).await;
    let seen = format!("\"{}\"", console.row().state_revision);
    let (path, if_match) = (stop(), [("if-match", seen.as_str())]);
    let (ana, ben) = tokio::join!(
        console.ask_with(ANA, Method::POST, &path, "", &if_match),
        console.ask_with(BEN, Method::POST, &path, "", &if_match),
    );
    let (won, lost, winner) = if ana.status == StatusCode::OK { (ana, ben, ANA) } else { (ben, ana, BEN) };
    assert_eq!(won.message(), "Stopped w1.");
    assert_eq!(lost.status, StatusCode::PRECONDITION_FAILED, "{}", lost.text);
    assert!(has_no_timestamp(lost.detail()), "{}", lost.detail());
    let fleet = console.fleet();
    let stops: Vec<_> = fleet.events().filter(|event| event.text == "Worker w1 is stopped").collect();
    assert_eq!(stops.len(), 1);
    assert_eq!(stops[0].actor.to_string(), winner);
    console.close().await;
}

#[tokio::test]
async fn an_action_in_flight_names_its_actor_and_its_age() {
    use crate::model::{Timestamp, WorkerAction};
    let mut operation = in_flight(WorkerAction::Stop);
    operation.since = Timestamp(crate::server::clock::now().0 - 65_000);
    let console = Console::with(health([]), Worker { operation: Some(operation), ..ready() }, vec![], vec![]);
    let console = console.await;
    let answer = console.ask(ANA, Method::POST, &stop(), "").await;
    assert_eq!(answer.detail(), "Cannot stop w1: Ben has been stopping it for 1 min. Wait for it to end.");
    assert_eq!(answer.body["code"], "operation_in_flight");
    console.close().await;
}

#[tokio::test]
async fn what_somebody_deleted_and_what_never_was_are_told_apart_where_that_is_known() {
    use crate::model::Timestamp;
    let going =
        crate::model::Net { operation: Some(waiting(NetAction::Delete, Timestamp(1))), ..unloaded(1) };
    let console = Console::with(health([]), ready(), vec![], vec![going]).await;
    console.carry_out_deletions();
    console.until("deleted", |fleet| fleet.net(net_id(1)).is_none()).await;
    for (method, path) in [
        (Method::GET, format!("/api/nets/{}", net_id(1))),
        (Method::DELETE, format!("/api/nets/{}", net_id(1))),
        (Method::POST, format!("/api/nets/{}/load", net_id(1))),
    ] {
        let answer = console.ask(ANA, method, &path, "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        let said = "There is no net with this id any more: Ben deleted it 0 s ago.";
        assert_eq!(answer.detail(), said, "{path}");
        assert_eq!(answer.body["who"], "Ben deleted it 0 s ago.");
    }
    let never = Uuid::from_u128(999);
    for (method, path, what) in [
        (Method::GET, format!("/api/workers/{never}"), "worker"),
        (Method::DELETE, format!("/api/workers/{never}"), "worker"),
        (Method::POST, format!("/api/workers/{never}/start"), "worker"),
        (Method::POST, format!("/api/nets/{never}/load"), "net"),
    ] {
        let answer = console.ask(ANA, method, &path, "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        let said = format!("There is no {what} with this id; it may have been deleted.");
        assert_eq!(answer.detail(), said, "{path}");
    }
    console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_twice_at_once_does_it_once_and_answers_the_same() {
    let console = Console::with(health([held(1)]), ready(), vec![], vec![net(1)]).await;
    let path = format!("/api/nets/{}/step", net_id(1));
    let key = [("idempotency-key", "double")];
    let (first, second) = tokio::join!(
        console.ask_with(ANA, Method::POST, &path, "", &key),
        console.ask_with(ANA, Method::POST, &path, "", &key),
    );
    assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::OK), "{}", second.text);
    assert_eq!(first.body, second.body);
    assert_eq!(console.fake.keys().len(), 1, "the worker heard of it once");
    let fleet = console.fleet();
    assert_eq!(fleet.events().filter(|event| event.text == "Net net-1 stepped: t1 fired").count(), 1);
    console.close().await;
}
