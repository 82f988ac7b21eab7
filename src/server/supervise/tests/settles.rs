//! Operations that nobody ends.

use super::*;
use crate::{
    model::{LoadState, NetAction, RunState, WorkerAction},
    worker::protocol::HostedNet,
};

fn unknown(fleet: &Fleet, words: &str) -> bool {
    fleet.events().any(|event| event.text.contains("not known how that ended") && event.text.contains(words))
}

#[tokio::test]
async fn a_machine_that_was_never_finished_is_a_failed_provision() {
    let row = busy(WorkerStatus::Provisioning, WorkerAction::Provision);
    let (mut console, _fake) = Console::with(health([]), row, vec![]).await;
    console.supervise();
    console.until_worker_is(WorkerStatus::Error(ErrorDetail::ProvisionFailed)).await;
    let fleet = console.store.fleet();
    assert_eq!(worker_of(&fleet).operation, None);
    assert!(unknown(&fleet, "w1 is now error · provision failed"));
}

#[tokio::test]
async fn a_machine_that_was_finished_after_all_is_ready() {
    let row = busy(WorkerStatus::Provisioning, WorkerAction::Provision);
    let (mut console, fake) = Console::with(health([]), row, vec![]).await;
    // What the console that died had written.
    let (pid, start_time) = fake.machine.provider_ref.split_once('@').unwrap();
    let run = format!(
        r#"{{"pid":{pid},"start_time":{start_time},"up":{{"endpoint":"{}","incarnation":"{}","software_version":"1.0.0"}}}}"#,
        fake.machine.endpoint, fake.machine.incarnation
    );
    let folder = console.data.path().join("workers");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{WORKER}.json")), run).unwrap();
    console.supervise();
    console.until_worker_is(WorkerStatus::Ready).await;
    let fleet = console.store.fleet();
    assert_eq!(worker_of(&fleet).machine, Some(fake.machine.clone()));
    assert_eq!(worker_of(&fleet).operation, None);
    assert!(unknown(&fleet, "w1 is now ready"));
}

#[tokio::test]
async fn a_stop_whose_end_nobody_saw_is_judged_by_the_machine() {
    let stopping = Worker { category: Category::Persistent, ..busy(WorkerStatus::Ready, WorkerAction::Stop) };
    let (mut console, fake) = Console::with(health([]), stopping.clone(), vec![]).await;
    fake.behave(crate::server::workers::fake::Manner::Broken);
    fake.kill_process();
    console.supervise();
    console.until_worker_is(WorkerStatus::Stopped).await;

    let (mut console, _fake) = Console::with(health([]), stopping, vec![]).await;
    console.supervise();
    console.until("the stop is given up", |fleet| worker_of(fleet).operation.is_none()).await;
    assert!(worker_of(&console.store.fleet()).is_ready());
}

#[tokio::test]
async fn a_destroy_whose_end_nobody_saw_has_happened_if_the_machine_is_gone() {
    let row = busy(WorkerStatus::Ready, WorkerAction::Destroy);
    let (mut console, fake) = Console::with(health([]), row, vec![]).await;
    fake.behave(crate::server::workers::fake::Manner::Broken);
    fake.kill_process();
    console.supervise();
    console.until_worker_is(WorkerStatus::Pending).await;
    assert_eq!(worker_of(&console.store.fleet()).machine, None);
}

#[tokio::test]
async fn an_operation_past_its_deadline_ends_as_unknown_and_the_truth_is_looked_up() {
    let running = HostedNet { run_state: RunState::Running, rate: 4, ..held(1) };
    let (mut console, _fake) =
        Console::with(health([running]), worker(WorkerStatus::Ready), vec![unloaded(1), unloaded(2)]).await;
    console.supervise();
    console.until_net("adopted", 1, |net| net.load_state == LoadState::Loaded).await;

    // Somebody's action hangs: the net is loaded there, and our record does not know.
    let soon = now().plus(Duration::from_millis(300));
    console
        .change(move |draft| {
            for id in [1, 2] {
                draft.edit_net(net_id(id), crate::model::NetCause::Operation, |net| {
                    (net.load_state, net.run_state) = (LoadState::Unloaded, RunState::Idle);
                    net.operation = Some(operation(NetAction::Load, soon));
                })?;
            }
            Ok(())
        })
        .await;
    console.until_net("settled", 2, |net| net.operation.is_none()).await;
    console
        .until_net("settled", 1, |net| net.operation.is_none() && net.load_state == LoadState::Loaded)
        .await;
    let fleet = console.store.fleet();
    assert!(unknown(&fleet, "Loading net-1") && unknown(&fleet, "net-1 is now loaded and running"));
    assert!(unknown(&fleet, "net-2 is now unloaded"));
    assert!(fleet.events().any(|event| event.at >= soon), "not before it was due");
}

#[tokio::test]
async fn operations_on_nets_without_a_worker_end_too() {
    let lone = Net {
        worker_id: None,
        load_id: None,
        operation: Some(operation(NetAction::Delete, Timestamp(0))),
        ..unloaded(1)
    };
    let (mut console, _fake) = Console::with(health([]), worker(WorkerStatus::Pending), vec![lone]).await;
    console.supervise();
    console.until_net("ended", 1, |net| net.operation.is_none()).await;
    assert!(unknown(&console.store.fleet(), "Deleting net-1"));
}
