//! What a worker tells, or does not, becomes rows.

use super::*;
use crate::{
    model::{
        Lab, LabState, LoadState, NetCause, NetMetrics, RunState, WorkerAction, WorkerCause, WorkerMetrics,
    },
    server::workers::fake::Manner,
    worker::protocol::{HostedNet, LogLevel, WorkerEvent},
};

fn ready() -> Worker {
    worker(WorkerStatus::Ready)
}

fn loaded(net: &Net) -> bool {
    net.load_state == LoadState::Loaded
}

#[tokio::test]
async fn what_a_worker_holds_is_adopted_and_what_it_should_not_hold_is_unloaded() {
    let (mut console, fake) =
        Console::with(health([held(1), held(9)]), ready(), vec![unloaded(1), net(2)]).await;
    console.supervise();
    console.until_net("adopted", 1, loaded).await;
    console.until_net("lost", 2, |net| !loaded(net) && net.load_error.is_some()).await;
    // Both the first check and the stream may have found it; nothing else is unloaded.
    eventually("the stray is unloaded", || !fake.unloaded().is_empty()).await;
    assert!(fake.unloaded().iter().all(|unloaded| *unloaded == (net_id(9), Some(load_id(9)))));

    // From here on the stream tells.
    let running = HostedNet { run_state: RunState::Running, rate: 3, ..held(2) };
    fake.tell(&WorkerEvent::Loaded(running));
    console.until_net("runs", 2, |net| net.run_state == RunState::Running && net.rate == 3).await;
    let (id, load_id) = (net_id(2), load_id(2));
    fake.tell(&WorkerEvent::RunState { id, load_id, run_state: RunState::Dead, rate: 3 });
    console.until_net("dead", 2, |net| net.run_state == RunState::Dead).await;
    fake.tell(&WorkerEvent::Unloaded { id, load_id });
    console.until_net("unloaded", 2, |net| !loaded(net)).await;
    assert!(worker_of(&console.store.fleet()).is_ready());
}

#[tokio::test]
async fn a_row_that_says_otherwise_than_the_stream_is_put_right() {
    let (mut console, fake) = Console::with(health([held(1)]), ready(), vec![net(1)]).await;
    console.supervise();
    eventually("heard", || !console.board.latest().is_empty()).await;
    let wrong = |draft: &mut Draft| {
        draft.edit_net(net_id(1), NetCause::RunState, |net| net.run_state = RunState::Running)
    };
    console.change(wrong).await;
    console.until_net("idle again", 1, |net| net.run_state == RunState::Idle).await;
    assert_eq!(fake.unloaded(), []);
}

#[tokio::test]
async fn figures_go_to_the_board_and_leave_it_with_the_worker() {
    let (mut console, fake) = Console::with(health([held(1)]), ready(), vec![net(1)]).await;
    console.supervise();
    eventually("heard", || !console.board.latest().is_empty()).await;
    let figures = |id| NetMetrics {
        id: net_id(id),
        run_state: RunState::Idle,
        firings: 8,
        rate: 0.5,
        tokens: 3,
        enabled: 1,
    };
    let worker = WorkerMetrics { uptime_s: 9, ..WorkerMetrics::default() };
    fake.tell(&WorkerEvent::Metrics { worker, nets: vec![figures(1), figures(2)], labs: Vec::new() });
    eventually("figures", || console.board.of(WORKER).is_some_and(|known| known.worker.uptime_s == 9)).await;
    assert_eq!(console.board.of(WORKER).unwrap().nets, [figures(1)], "of its own nets only");
    fake.behave(Manner::Silent);
    eventually("forgotten", || console.board.latest().is_empty()).await;
}

#[tokio::test]
async fn a_worker_that_tells_of_a_lab_is_asked_for_its_labs_and_one_without_labs_is_not() {
    let (mut console, fake) = Console::with(health([]), ready(), vec![unloaded(1)]).await;
    console.supervise();
    let labs = console.supervisor.as_ref().unwrap().0.labs().clone();
    eventually("heard", || !console.board.latest().is_empty()).await;
    assert!(labs.take().is_empty(), "there is nothing to ask for");
    let gone = WorkerEvent::LabGone { id: lab_id(9) };
    for event in [WorkerEvent::Lab(hosted(&lab(1, 1), LabState::Running, 0)), gone] {
        fake.tell(&event);
        tokio::time::timeout(PATIENCE, labs.is_called()).await.unwrap();
        assert_eq!(labs.take().into_keys().collect::<Vec<_>>(), [WORKER]);
    }
    // And a stream that begins anew says so, where there is a lab on either side.
    fake.change(|health| health.labs.push(hosted(&lab(1, 1), LabState::Running, 0)));
    fake.tell_text("event: worker\ndata: nonsense\n\n");
    tokio::time::timeout(PATIENCE, labs.is_called()).await.unwrap();
    assert_eq!(labs.take().into_keys().collect::<Vec<_>>(), [WORKER]);
}

#[tokio::test]
async fn labs_of_a_worker_that_is_not_ready_are_lost_until_it_is_heard_again() {
    let (mut console, fake) = Console::with(health([]), ready(), vec![unloaded(1)]).await;
    console.change(|draft| draft.put_lab(Lab { state: LabState::Running, ..lab(1, 1) })).await;
    console.change(|draft| draft.put_lab(Lab { state: LabState::Done, ..lab(2, 1) })).await;
    console.supervise();
    let labs = console.supervisor.as_ref().unwrap().0.labs().clone();
    eventually("heard", || !console.board.latest().is_empty()).await;
    labs.take();
    fake.behave(Manner::Silent);
    console.until("lost", |fleet| fleet.lab(lab_id(1)).unwrap().state == LabState::Lost).await;
    let fleet = console.store.fleet();
    assert_eq!(fleet.lab(lab_id(1)).unwrap().error.as_deref(), Some("Its worker is not ready."));
    assert_eq!(fleet.lab(lab_id(2)).unwrap().state, LabState::Done, "what is over stays over");
    fake.behave(Manner::Well);
    console.until_worker_is(WorkerStatus::Ready).await;
    eventually("it is asked for its labs", || !labs.take().is_empty()).await;
}

#[tokio::test]
async fn a_silent_worker_is_unreachable_and_comes_back_with_its_nets() {
    let running = HostedNet { run_state: RunState::Running, rate: 2, ..held(1) };
    let row = Net { run_state: RunState::Running, rate: 2, ..net(1) };
    let (mut console, fake) = Console::with(health([running]), ready(), vec![row]).await;
    console.supervise();
    eventually("heard", || !console.board.latest().is_empty()).await;

    fake.behave(Manner::Silent);
    console.until_worker_is(WorkerStatus::Error(ErrorDetail::Unreachable)).await;
    let net = console.store.fleet().net(net_id(1)).cloned().unwrap();
    assert_eq!((net.load_state, net.run_state), (LoadState::Unloaded, RunState::Idle));
    assert_eq!(net.load_id, Some(load_id(1)), "kept, so that it can be adopted");

    fake.behave(Manner::Well);
    console.until_worker_is(WorkerStatus::Ready).await;
    console.until_net("adopted", 1, |net| loaded(net) && net.run_state == RunState::Running).await;
    assert_eq!(fake.unloaded(), []);
}

#[tokio::test]
async fn a_worker_whose_process_ends_is_in_error_at_once() {
    for (category, detail) in [
        (Category::Ephemeral, ErrorDetail::MachineDestroyed),
        (Category::Persistent, ErrorDetail::MachineStopped),
    ] {
        let (mut console, fake) =
            Console::with(health([held(1)]), Worker { category, ..ready() }, vec![net(1)]).await;
        console.supervise();
        eventually("heard", || !console.board.latest().is_empty()).await;
        // Its server still answers: only the end of the process tells.
        fake.kill_process();
        console.until_worker_is(WorkerStatus::Error(detail)).await;
        assert!(!loaded(console.store.fleet().net(net_id(1)).unwrap()));
        let fleet = console.store.fleet();
        let reason = worker_of(&fleet).status_reason.clone().unwrap();
        assert_eq!(reason, "its process ended");
    }
}

#[tokio::test]
async fn an_end_that_an_action_brings_about_is_left_to_the_action() {
    let stopping = Worker { category: Category::Persistent, ..busy(WorkerStatus::Ready, WorkerAction::Stop) };
    let (mut console, fake) = Console::with(health([]), ready(), vec![]).await;
    console.supervise();
    eventually("heard", || !console.board.latest().is_empty()).await;
    console
        .change(move |draft| {
            draft.edit_worker(WORKER, WorkerCause::Operation, |row| {
                row.operation = stopping.operation;
            })
        })
        .await;
    fake.behave(Manner::Broken);
    fake.kill_process();
    let opened = fake.streams_opened();
    eventually("the stream is tried again", || fake.streams_opened() > opened).await;
    assert!(worker_of(&console.store.fleet()).is_ready());

    console
        .change(|draft| draft.edit_worker(WORKER, WorkerCause::Operation, |row| row.operation = None))
        .await;
    console.until_worker_is(WorkerStatus::Error(ErrorDetail::MachineDestroyed)).await;
}

#[tokio::test]
async fn a_stream_that_breaks_is_opened_again_while_the_worker_answers() {
    let (mut console, fake) = Console::with(health([held(1)]), ready(), vec![net(1)]).await;
    console.supervise();
    for broken in 1..4 {
        eventually("the stream is open", || fake.streams_opened() >= broken).await;
        eventually("heard", || !console.board.latest().is_empty()).await;
        fake.tell_text("event: worker\ndata: nonsense\n\n");
    }
    eventually("and again", || fake.streams_opened() >= 4).await;
    let fleet = console.store.fleet();
    assert!(worker_of(&fleet).is_ready() && loaded(fleet.net(net_id(1)).unwrap()));
}

#[tokio::test]
async fn a_worker_that_answers_nonsense_is_unreachable() {
    for manner in [Manner::Nonsense, Manner::Endless, Manner::Broken] {
        let (mut console, fake) = Console::with(health([]), ready(), vec![]).await;
        fake.behave(manner);
        console.supervise();
        console.until_worker_is(WorkerStatus::Error(ErrorDetail::Unreachable)).await;
        fake.behave(Manner::Well);
        console.until_worker_is(WorkerStatus::Ready).await;
    }
}

#[tokio::test]
async fn complaints_go_into_the_event_log_but_cannot_fill_it() {
    let (mut console, fake) = Console::with(health([held(1)]), ready(), vec![net(1)]).await;
    console.supervise();
    eventually("heard", || !console.board.latest().is_empty()).await;
    for n in 0..30 {
        let (level, net) = (LogLevel::Error, Some(net_id(1)));
        fake.tell(&WorkerEvent::Log { level, net, text: format!("overflow {n}") });
    }
    let (id, load_id) = (net_id(1), load_id(1));
    fake.tell(&WorkerEvent::RunState { id, load_id, run_state: RunState::Dead, rate: 0 });
    console.until_net("all are taken in", 1, |net| net.run_state == RunState::Dead).await;
    let fleet = console.store.fleet();
    let told: Vec<_> = fleet.events().filter(|event| event.kind == "error.reported").collect();
    assert_eq!(told.len(), pace().log_lines);
    assert_eq!(told[0].text, "Worker w1 says of net net-1: overflow 0");
    assert_eq!((told[0].net_id, told[0].project_id), (Some(net_id(1)), Some(PROJECT)));
}

#[tokio::test]
async fn a_check_on_request_says_what_it_found() {
    let (mut console, fake) = Console::with(health([]), ready(), vec![]).await;
    console.supervise();
    let supervisor = console.supervisor.as_ref().unwrap().0.clone();
    assert_eq!(supervisor.refresh(WORKER).await.unwrap(), Checked::Answered);
    fake.behave(Manner::Broken);
    let checked = supervisor.refresh(WORKER).await.unwrap();
    assert!(!matches!(checked, Checked::Answered), "{checked:?}");
    console.until_worker_is(WorkerStatus::Error(ErrorDetail::Unreachable)).await;
    console.change(|draft| draft.delete_worker(WORKER)).await;
    assert!(matches!(supervisor.refresh(WORKER).await, Err(CheckError::Gone)));
}

#[tokio::test]
async fn everything_ends_at_shutdown_and_changes_nothing() {
    let (mut console, fake) = Console::with(health([held(1)]), ready(), vec![net(1)]).await;
    console.supervise();
    eventually("heard", || !console.board.latest().is_empty()).await;
    let (supervisor, shutdown) = console.supervisor.take().unwrap();
    shutdown.cancel();
    tokio::time::timeout(PATIENCE, supervisor.ended()).await.unwrap();
    let fleet = console.store.fleet();
    assert!(worker_of(&fleet).is_ready() && loaded(fleet.net(net_id(1)).unwrap()));
    let statuses = fleet.events().filter(|event| event.kind == "worker.status.updated").count();
    assert_eq!(statuses, 0, "a console that goes down says nothing about its workers");
    drop(fake);
}
