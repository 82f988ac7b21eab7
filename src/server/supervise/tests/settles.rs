//! Operations that nobody ends.

use super::*;
use crate::{
    model::{LoadState, NetAction, RunState, WorkerAction, WorkerCause, lifecycle::doing_to},
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

/// Past its deadline every action counts as unknown; the log says so, and what is true is looked up.
#[tokio::test]
async fn whatever_action_it_is_past_its_deadline_it_is_unknown_and_a_look_settles_it() {
    for &action in WorkerAction::ALL.iter().filter(|action| **action != WorkerAction::UndoDelete) {
        let status = match action {
            WorkerAction::Provision => WorkerStatus::Provisioning,
            WorkerAction::Start => WorkerStatus::Stopped,
            _ => WorkerStatus::Ready,
        };
        let row = Worker { category: Category::Persistent, ..worker(WorkerStatus::Pending) };
        let (mut console, fake) = Console::with(health([]), row, vec![]).await;
        console.supervise();
        let soon = now().plus(Duration::from_millis(200));
        let machine = fake.machine.clone();
        console
            .change(move |draft| {
                draft.edit_worker(WORKER, WorkerCause::Status, |row| {
                    row.status = status;
                    row.machine = (status != WorkerStatus::Provisioning).then_some(machine);
                    row.operation = Some(operation(action, soon));
                })
            })
            .await;
        let ended = format!("{action:?} is ended");
        console.until(&ended, |fleet| worker_of(fleet).operation.is_none()).await;
        assert!(now() >= soon, "{action:?}: not before it was due");
        // The machine runs, and so that is what the row says in the end; of one that was never made there is nothing to be found.
        let truth = match action {
            WorkerAction::Provision => WorkerStatus::Error(ErrorDetail::ProvisionFailed),
            _ => WorkerStatus::Ready,
        };
        console.until_worker_is(truth).await;
        let fleet = console.store.fleet();
        assert!(unknown(&fleet, &doing_to(action)), "{action:?}: {:?}", fleet.events().collect::<Vec<_>>());
    }
    let actions = NetAction::ALL.iter().filter(|action| **action != NetAction::UndoDelete);
    for (n, &action) in (1..).zip(actions) {
        let (mut console, _fake) =
            Console::with(health([held(n)]), worker(WorkerStatus::Ready), vec![net(n)]).await;
        console.supervise();
        let soon = now().plus(Duration::from_millis(200));
        console.change(move |draft| draft.begin_net(net_id(n), operation(action, soon))).await;
        console.until_net(&format!("{action:?} is ended"), n, |net| net.operation.is_none()).await;
        assert!(now() >= soon, "{action:?}: not before it was due");
        let fleet = console.store.fleet();
        assert!(unknown(&fleet, &doing_to(action)), "{action:?}");
        assert_eq!(fleet.net(net_id(n)).unwrap().load_state, LoadState::Loaded, "{action:?}: as it is there");
    }
}

#[tokio::test]
async fn a_deletion_that_waits_is_never_overdue_and_does_not_stop_the_looking() {
    use crate::model::{Operation, Waiting};
    let until = now().plus(Duration::from_secs(3600));
    let waiting = Some(Box::new(Waiting { until, gives_up: None }));
    // Late, as its deadline goes; but what has not begun cannot be late.
    let operation = Operation { waiting, ..operation(WorkerAction::Delete, Timestamp(1)) };
    let row = Worker { operation: Some(operation.clone()), ..worker(WorkerStatus::Ready) };
    let (mut console, fake) = Console::with(health([held(1)]), row, vec![net(1)]).await;
    console.supervise();
    eventually("heard", || !console.board.latest().is_empty()).await;
    fake.behave(crate::server::workers::fake::Manner::Broken);
    fake.kill_process();
    console.until_worker_is(WorkerStatus::Error(ErrorDetail::MachineDestroyed)).await;
    assert_eq!(worker_of(&console.store.fleet()).operation, Some(operation));
}

#[tokio::test]
async fn operations_on_nets_without_a_worker_end_too() {
    let lone = Net {
        worker_id: None,
        load_id: None,
        operation: Some(operation(NetAction::Load, Timestamp(0))),
        ..unloaded(1)
    };
    let (mut console, _fake) = Console::with(health([]), worker(WorkerStatus::Pending), vec![lone]).await;
    console.supervise();
    console.until_net("ended", 1, |net| net.operation.is_none()).await;
    assert!(unknown(&console.store.fleet(), "Loading net-1"));
}
