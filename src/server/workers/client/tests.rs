use super::*;
use crate::{
    model::{LabId, LabPlan, LabState, RunState},
    server::{
        supervise::tests::fixtures::{self, WORKER, held, load_id, net_id},
        workers::fake::{FakeWorker, Manner},
    },
    worker::protocol::{LabResults, NewLab},
};
use futures::StreamExt;
use tokio::net::TcpListener;
use uuid::Uuid;

pub fn impatient() -> Timing {
    let short = Duration::from_millis(700);
    Timing { connect: short, probe: short, call: short, load: short, silence: short }
}

struct Set {
    _data: tempfile::TempDir,
    client: WorkerClient,
    fake: FakeWorker,
}

async fn set() -> Set {
    let data = tempfile::tempdir().unwrap();
    let keys = Keys::load(data.path()).unwrap();
    let fake = FakeWorker::start(&keys, fixtures::health([held(1)])).await;
    Set { _data: data, client: WorkerClient::new(keys, impatient()).unwrap(), fake }
}

fn operation() -> OperationId {
    OperationId(Uuid::from_u128(5))
}

#[tokio::test]
async fn a_worker_that_behaves_is_understood() {
    let Set { client, fake, .. } = &set().await;
    let machine = &fake.machine;
    assert_eq!(client.health(machine, WORKER).await.unwrap(), fixtures::health([held(1)]));
    let loaded = client.load(machine, WORKER, net_id(2), load_id(2), b"<pnml/>".to_vec()).await.unwrap();
    assert_eq!((loaded.id, loaded.load_id), (net_id(2), load_id(2)));
    let stepped = client.step(machine, WORKER, net_id(2), operation()).await.unwrap();
    assert_eq!(stepped.net.run_state, RunState::Idle);
    client.run(machine, WORKER, net_id(2), operation(), RunRequest { rate: 3 }).await.unwrap();
    assert_eq!(fake.keys(), [operation().to_string(), operation().to_string()]);
    client.unload(machine, WORKER, net_id(2), load_id(2)).await.unwrap();
    assert_eq!(fake.unloaded(), [(net_id(2), Some(load_id(2)))]);
}

#[tokio::test]
async fn labs_are_made_controlled_and_asked_for() {
    let Set { client, fake, .. } = &set().await;
    let machine = &fake.machine;
    let plan = LabPlan::Explore { seconds: 1, memory_mb: 1 };
    let lab = NewLab { id: LabId(Uuid::from_u128(1)), net_id: net_id(1), plan, pnml: "<pnml/>".into() };
    let made = client.make_lab(machine, WORKER, &lab).await.unwrap();
    assert_eq!((made.id, made.state), (lab.id, LabState::Idle));
    assert_eq!(client.make_lab(machine, WORKER, &lab).await.unwrap(), made);
    assert_eq!(client.start_lab(machine, WORKER, lab.id).await.unwrap().state, LabState::Running);
    let refused = client.wipe_lab(machine, WORKER, lab.id).await.unwrap_err();
    assert!(matches!(refused, CallError::Refused { status: 409, .. }), "{refused:?}");
    assert_eq!(client.stop_lab(machine, WORKER, lab.id).await.unwrap().state, LabState::Idle);
    client.wipe_lab(machine, WORKER, lab.id).await.unwrap();
    let found = client.lab_results(machine, WORKER, lab.id).await.unwrap();
    assert_eq!(found, LabResults::Explore { report: None });
    assert_eq!(client.labs(machine, WORKER).await.unwrap(), [made]);
    for _ in 0..2 {
        client.delete_lab(machine, WORKER, lab.id).await.unwrap();
    }
    assert!(client.labs(machine, WORKER).await.unwrap().is_empty());
    let refused = client.start_lab(machine, WORKER, lab.id).await.unwrap_err();
    assert!(matches!(refused, CallError::Refused { status: 404, .. }), "{refused:?}");
}

#[tokio::test]
async fn a_refusal_carries_the_workers_words_fit_to_be_shown() {
    let Set { client, fake, .. } = &set().await;
    let refused = client.load(&fake.machine, WORKER, net_id(2), load_id(2), b"<html/>".to_vec()).await;
    let Err(CallError::Refused { status: 422, error }) = refused else { panic!("{refused:?}") };
    assert_eq!((error.code.as_str(), error.line, error.column), ("bad_pnml", Some(3), Some(4)));
    assert!(error.error.starts_with("not a net !"), "one line");
    assert!(error.error.chars().count() <= LONGEST_SENTENCE + 1, "of bounded length");

    let refused = client.step(&fake.machine, WORKER, net_id(9), operation()).await.unwrap_err();
    assert!(matches!(refused, CallError::Refused { status: 404, .. }) && !refused.may_have_happened());
}

#[tokio::test]
async fn nonsense_silence_and_floods_end_in_an_error() {
    let Set { client, fake, .. } = &set().await;
    let machine = &fake.machine;
    for manner in [Manner::Nonsense, Manner::Endless, Manner::Broken] {
        fake.behave(manner);
        let answer = client.health(machine, WORKER).await;
        assert!(matches!(answer, Err(CallError::Nonsense { .. })), "{manner:?}: {answer:?}");
        let answer = client.step(machine, WORKER, net_id(1), operation()).await;
        assert!(matches!(answer, Err(CallError::Nonsense { .. })), "{manner:?}: {answer:?}");
        let answer = client.events(machine, WORKER).await.map(drop);
        assert!(matches!(answer, Err(CallError::Nonsense { .. })), "{manner:?}: {answer:?}");
    }
    fake.behave(Manner::Silent);
    let answer = client.step(machine, WORKER, net_id(1), operation()).await.unwrap_err();
    assert!(matches!(answer, CallError::Timeout { .. }) && answer.may_have_happened(), "{answer:?}");
    assert!(matches!(client.events(machine, WORKER).await.map(drop), Err(CallError::Timeout { .. })));
}

#[tokio::test]
async fn a_worker_that_is_another_or_not_there_is_told_apart() {
    let Set { client, fake, .. } = &set().await;
    fake.change(|health| health.worker_id = WorkerId(Uuid::from_u128(99)));
    assert!(matches!(client.health(&fake.machine, WORKER).await, Err(CallError::Nonsense { .. })));
    let other = WorkerId(Uuid::from_u128(98));
    let answer = client.health(&fake.machine, other).await;
    assert!(matches!(answer, Err(CallError::Refused { status: 401, .. })), "its token is not for this one");

    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let machine = fixtures::machine(&format!("http://{}", nobody.local_addr().unwrap()));
    drop(nobody);
    let answer = client.health(&machine, WORKER).await.unwrap_err();
    assert!(matches!(answer, CallError::Unreachable { sent: false, .. }), "{answer:?}");
    assert!(!answer.may_have_happened());
    let answer = client.health(&fixtures::machine("not an address"), WORKER).await;
    assert!(matches!(answer, Err(CallError::Unreachable { .. })), "{answer:?}");
}

#[tokio::test]
async fn a_stream_ends_where_it_breaks_goes_silent_or_says_too_much() {
    let Set { client, fake, .. } = &set().await;
    let opened = || async {
        fake.behave(Manner::Well);
        let mut frames = client.events(&fake.machine, WORKER).await.unwrap();
        assert!(matches!(frames.next().await, Some(Ok(WorkerEvent::State(_)))));
        frames
    };

    let mut frames = opened().await;
    fake.tell_text("event: of-the-future\ndata: 1\n\n");
    fake.tell(&WorkerEvent::Loaded(held(2)));
    let frame = frames.next().await;
    assert!(matches!(frame, Some(Ok(WorkerEvent::Loaded(_)))), "unknown events are skipped: {frame:?}");
    fake.behave(Manner::Broken);
    assert!(frames.next().await.is_none());

    let mut frames = opened().await;
    fake.behave(Manner::Silent);
    assert!(matches!(frames.next().await, Some(Err(CallError::Timeout { .. }))));
    assert!(frames.next().await.is_none(), "an error is the last");

    let mut frames = opened().await;
    fake.tell_text("event: worker\ndata: {\"type\":\n\n");
    assert!(matches!(frames.next().await, Some(Err(CallError::Nonsense { .. }))));

    let mut frames = opened().await;
    for _ in 0..9 {
        fake.tell_text(&"data: x".repeat(150_000));
    }
    let frame = frames.next().await;
    assert!(matches!(frame, Some(Err(CallError::Nonsense { .. }))), "{frame:?}");
}
