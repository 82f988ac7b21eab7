//! Every action in every state, by both doors: what the table permits works, what it refuses is refused in the table's words and changes
//! nothing at all.

use super::harness::*;
use crate::{
    model::{
        Category, ErrorDetail, LoadState, Net, NetAction, RunState, Timestamp, Worker, WorkerAction,
        WorkerId, WorkerStatus, lifecycle,
    },
    server::{clock::now, supervise::tests::fixtures::*},
    worker::protocol::HostedNet,
};
use axum::http::{Method, StatusCode};
use uuid::Uuid;

const OTHER: WorkerId = WorkerId(Uuid::from_u128(30));

#[derive(Clone, Copy, Debug, PartialEq)]
enum Door {
    ServerFunction,
    Rest,
}

const DOORS: [Door; 2] = [Door::ServerFunction, Door::Rest];

fn wire(action: impl serde::Serialize) -> String {
    serde_json::to_value(action).unwrap().as_str().unwrap().to_owned()
}

async fn act_on_worker(console: &Console, door: Door, action: WorkerAction) -> Answer {
    let word = wire(action);
    match (door, action) {
        (Door::ServerFunction, _) => {
            let form = format!("id={WORKER}&action={word}");
            console.ask(ANA, Method::POST, "/do/worker", &form).await
        }
        (Door::Rest, WorkerAction::Delete) => {
            console.ask(ANA, Method::DELETE, &format!("/api/workers/{WORKER}"), "").await
        }
        (Door::Rest, _) => {
            let path = format!("/api/workers/{WORKER}/{}", word.replace('_', "-"));
            console.ask(ANA, Method::POST, &path, "").await
        }
    }
}

fn statuses() -> Vec<WorkerStatus> {
    use ErrorDetail::*;
    let errors = [MachineStopped, MachineDestroyed, Unreachable, ProvisionFailed].map(WorkerStatus::Error);
    let others =
        [WorkerStatus::Pending, WorkerStatus::Provisioning, WorkerStatus::Ready, WorkerStatus::Stopped];
    others.into_iter().chain(errors).collect()
}

/// Every status, alone and with what may be in flight on it.
fn worker_states(category: Category) -> Vec<(String, Worker)> {
    let mut states = Vec::new();
    for status in statuses() {
        let row = Worker { category, ..worker(status) };
        let mut with = |what: &str, operation| {
            let name = format!("{} worker, {status}{what}", category.as_str());
            states.push((name, Worker { operation, ..row.clone() }));
        };
        with("", None);
        with(", being checked", Some(in_flight(WorkerAction::Refresh)));
        with(", being stopped", Some(in_flight(WorkerAction::Stop)));
        with(", being deleted", Some(in_flight(WorkerAction::Delete)));
        with(", to be deleted", Some(waiting(WorkerAction::Delete, Timestamp(0))));
        if status == WorkerStatus::Provisioning {
            with(", being provisioned", Some(in_flight(WorkerAction::Provision)));
        }
    }
    states
}

/// What a worker must be once the action was done.
fn check_worker(case: &str, action: WorkerAction, answer: &Answer, row: &Worker) {
    let (status, message) = match action {
        WorkerAction::Provision => (Some(WorkerStatus::Ready), "Provisioned w1; it is ready."),
        WorkerAction::Start => (Some(WorkerStatus::Ready), "Started w1; it is ready."),
        WorkerAction::Refresh => (Some(WorkerStatus::Ready), "Checked w1: it is ready."),
        WorkerAction::Stop => (Some(WorkerStatus::Stopped), "Stopped w1."),
        WorkerAction::Destroy => (Some(WorkerStatus::Pending), "Destroyed the machine of w1."),
        WorkerAction::Delete => (None, "Deleting w1 in 10 s. Until then it can be undone."),
        WorkerAction::UndoDelete => (None, "The deletion of w1 was undone."),
    };
    assert_eq!(answer.message(), message, "{case}");
    assert!(status.is_none_or(|status| row.status == status), "{case}: {row:?}");
    let waits = row.operation.as_ref().is_some_and(|operation| operation.is_waiting());
    assert_eq!(waits, action == WorkerAction::Delete, "{case}: {row:?}");
    assert!(waits || row.operation.is_none(), "{case}: {row:?}");
    let last = row.last_action.as_ref().map(|last| (last.action, last.actor.to_string()));
    match action {
        // The one changes nothing, of the other the operation tells.
        WorkerAction::Refresh | WorkerAction::Delete => {}
        _ => assert_eq!(last, Some((action, ANA.to_owned())), "{case}"),
    }
}

async fn workers_of(category: Category) {
    let (mut refused, mut done) = (0, 0);
    for (state, row) in worker_states(category) {
        let console = Console::with(health([]), row.clone(), vec![], vec![]).await;
        let before = console.picture().await;
        for (&action, door) in WorkerAction::ALL.iter().flat_map(|action| DOORS.map(|door| (action, door))) {
            let case = format!("{state}: {action:?} by {door:?}");
            let Err(refusal) = lifecycle::worker_action(&console.row(), action) else {
                let console = Console::with(health([]), row.clone(), vec![], vec![]).await;
                let answer = act_on_worker(&console, door, action).await;
                assert_eq!(answer.status, StatusCode::OK, "{case}: {}", answer.text);
                check_worker(&case, action, &answer, &console.row());
                console.close().await;
                done += 1;
                continue;
            };
            let answer = act_on_worker(&console, door, action).await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "{case}: {}", answer.text);
            assert_eq!(answer.detail(), refusal.tell(now()), "{case}");
            assert_eq!(answer.body["code"], refusal.code(), "{case}");
            assert_eq!(console.picture().await, before, "{case}: a refusal changed something");
            refused += 1;
        }
        console.close().await;
    }
    println!("{}: {done} done, {refused} refused", category.as_str());
    assert!(done > 40 && refused > 400, "{done} done, {refused} refused: the table was not walked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_action_on_an_ephemeral_worker() {
    workers_of(Category::Ephemeral).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_action_on_a_persistent_worker() {
    workers_of(Category::Persistent).await;
}

/// The workers that a net can be on, and how.
fn homes() -> Vec<(String, Option<Worker>)> {
    let ready = worker(WorkerStatus::Ready);
    let mut homes = vec![("on no worker".to_owned(), None)];
    homes.extend(
        statuses().into_iter().map(|status| (format!("on a worker, {status}"), Some(worker(status)))),
    );
    for (what, operation) in [
        ("being checked", in_flight(WorkerAction::Refresh)),
        ("being stopped", in_flight(WorkerAction::Stop)),
        ("to be deleted", waiting(WorkerAction::Delete, Timestamp(0))),
    ] {
        let row = Worker { operation: Some(operation), ..ready.clone() };
        homes.push((format!("on a worker, ready, {what}"), Some(row)));
    }
    homes
}

/// The states of a net there, alone and with what may be in flight on it.
fn net_states(home: Option<&Worker>) -> Vec<(String, Net)> {
    let place = |net: Net| match home {
        Some(_) => net,
        None => Net { worker_id: None, load_id: None, ..net },
    };
    let mut states = vec![("unloaded", place(unloaded(0)))];
    if home.is_some_and(Worker::is_ready) {
        let error = Net { load_error: Some("no".to_owned()), ..net(0) };
        states.extend([
            ("load error", Net { load_state: LoadState::Error, ..error }),
            ("idle", net(0)),
            ("running", Net { run_state: RunState::Running, rate: 3, ..net(0) }),
            ("dead", Net { run_state: RunState::Dead, ..net(0) }),
        ]);
    }
    let mut all = Vec::new();
    for (name, row) in states {
        let with = |what: &str, operation| (format!("{name}{what}"), Net { operation, ..row.clone() });
        all.push(with("", None));
        all.push(with(", in flight", Some(in_flight(NetAction::Load))));
        if !row.is_loaded() {
            all.push(with(", to be deleted", Some(waiting(NetAction::Delete, Timestamp(0)))));
        }
    }
    all
}

async fn act_on_net(console: &Console, door: Door, net: &Net, action: NetAction) -> Answer {
    let (id, word) = (net.id, wire(action));
    match (door, action) {
        (Door::ServerFunction, _) => {
            // As the console's own forms: with all the fields there are.
            let form = format!("id={id}&action={word}&worker_id={OTHER}&rate=5&place=p1&tokens=2");
            console.ask(ANA, Method::POST, "/do/net", &form).await
        }
        (Door::Rest, NetAction::Delete) => {
            console.ask(ANA, Method::DELETE, &format!("/api/nets/{id}"), "").await
        }
        (Door::Rest, _) => {
            let body = match action {
                NetAction::Assign => format!("{{\"worker_id\":\"{OTHER}\"}}"),
                NetAction::Run => "{\"rate\":5}".to_owned(),
                NetAction::Inject => "{\"place\":\"p1\",\"tokens\":2}".to_owned(),
                _ => String::new(),
            };
            let path = format!("/api/nets/{id}/{}", word.replace('_', "-"));
            console.ask(ANA, Method::POST, &path, &body).await
        }
    }
}

/// What a net must be once the action was done.
fn check_net(case: &str, action: NetAction, answer: &Answer, before: &Net, row: &Net) {
    let name = &row.name;
    let (is_so, message) = match action {
        NetAction::Assign => (row.worker_id == Some(OTHER), format!("Assigned {name} to other.")),
        NetAction::Unassign => (row.worker_id.is_none(), format!("Unassigned {name} from w1.")),
        NetAction::Load => (row.is_loaded(), format!("Loaded {name} on w1.")),
        NetAction::Unload => (row.load_state == LoadState::Unloaded, format!("Unloaded {name} from w1.")),
        NetAction::Step => (row.is_loaded(), format!("Stepped {name}: t1 fired.")),
        NetAction::Run => {
            let runs = row.run_state == RunState::Running && row.rate == 5;
            (runs, format!("{name} runs at 5 firings/s."))
        }
        NetAction::Stop => (row.run_state == RunState::Idle, format!("Stopped {name}.")),
        NetAction::Reset => {
            (row.run_state == RunState::Idle, format!("Reset {name} to its initial marking."))
        }
        NetAction::Inject => (row.is_loaded(), format!("Added 2 tokens to p1 of {name}; it now holds 5.")),
        NetAction::Delete => (row.load_state == before.load_state, {
            format!("Deleting {name} in 10 s. Until then it can be undone.")
        }),
        NetAction::UndoDelete => {
            (row.load_state == before.load_state, format!("The deletion of {name} was undone."))
        }
    };
    assert!(is_so, "{case}: {row:?}");
    assert_eq!(answer.message(), message, "{case}");
    let waits = row.operation.as_ref().is_some_and(|operation| operation.is_waiting());
    assert_eq!(waits, action == NetAction::Delete, "{case}: {row:?}");
    assert!(waits || row.operation.is_none(), "{case}: {row:?}");
    let last = row.last_action.as_ref().map(|last| (last.action, last.actor.to_string()));
    assert!(waits || last == Some((action, ANA.to_owned())), "{case}: {last:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_action_on_a_net() {
    let (mut refused, mut done) = (0, 0);
    for (place, home) in homes() {
        for (state, row) in net_states(home.as_ref()) {
            // A net for each action and door, all in this state.
            let cases: Vec<(NetAction, Door)> =
                NetAction::ALL.iter().flat_map(|&action| DOORS.map(|door| (action, door))).collect();
            let nets: Vec<Net> = (100..).zip(&cases).map(|(n, _)| like(&row, n)).collect();
            let held = nets.iter().filter(|net| net.is_loaded()).map(|net| HostedNet {
                id: net.id,
                load_id: net.load_id.unwrap(),
                run_state: net.run_state,
                rate: net.rate,
                firings: 0,
            });
            let other = Worker {
                id: OTHER,
                name: crate::model::Name::new("other").unwrap(),
                ..worker(WorkerStatus::Ready)
            };
            let w1 = home.clone().unwrap_or_else(|| worker(WorkerStatus::Pending));
            let console = Console::with(health(held), w1, vec![other], nets.clone()).await;
            for ((action, door), net) in cases.into_iter().zip(nets) {
                let case = format!("net, {state}, {place}: {action:?} by {door:?}");
                let fleet = console.fleet();
                let net = fleet.net(net.id).unwrap();
                let permitted = lifecycle::net_action(net, fleet.worker_of(net).map(AsRef::as_ref), action);
                let before = console.picture().await;
                let answer = act_on_net(&console, door, net, action).await;
                match permitted {
                    Ok(()) => {
                        assert_eq!(answer.status, StatusCode::OK, "{case}: {}", answer.text);
                        check_net(&case, action, &answer, net, console.fleet().net(net.id).unwrap());
                        done += 1;
                    }
                    Err(refusal) => {
                        assert_eq!(answer.status, StatusCode::CONFLICT, "{case}: {}", answer.text);
                        assert_eq!(answer.detail(), refusal.tell(now()), "{case}");
                        assert_eq!(answer.body["code"], refusal.code(), "{case}");
                        assert_eq!(console.picture().await, before, "{case}: a refusal changed something");
                        refused += 1;
                    }
                }
            }
            console.close().await;
        }
    }
    println!("{done} done, {refused} refused");
    assert!(done > 100 && refused > 700, "{done} done, {refused} refused: the table was not walked");
}

fn like(row: &Net, n: u128) -> Net {
    let load_id = row.load_id.map(|_| load_id(n));
    Net { id: net_id(n), name: net(n).name, load_id, ..row.clone() }
}
