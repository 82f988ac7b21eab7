//! What is kept up row by row must be what reading everything anew would give.

use super::*;
use crate::model::{
    Change, ClusterId, DefinitionHash, ErrorDetail, LoadState, Name, NetCause, NetSize, ProjectId, Provider,
    RunState, WorkerCause, WorkerStatus,
};
use proptest::prelude::*;
use uuid::Uuid;

fn worker_id(n: u8) -> WorkerId {
    WorkerId(Uuid::from_u128(100 + u128::from(n)))
}

fn net_id(n: u8) -> NetId {
    NetId(Uuid::from_u128(200 + u128::from(n)))
}

fn worker(n: u8, name: &str, status: WorkerStatus) -> Change {
    let worker = Worker {
        status,
        ..Worker::pending(
            worker_id(n),
            Name::new(name).unwrap(),
            ClusterId(Uuid::from_u128(1)),
            Provider::Local,
        )
    };
    Change::WorkerPut { cause: WorkerCause::Edited, worker: Arc::new(worker) }
}

fn net(n: u8, name: &str, on: Option<u8>, load_state: LoadState, run_state: RunState) -> Change {
    let net = Net {
        worker_id: on.map(worker_id),
        load_state,
        run_state,
        ..Net::unassigned(
            net_id(n),
            Name::new(name).unwrap(),
            ProjectId(Uuid::from_u128(2)),
            DefinitionHash::of(b"<pnml/>"),
            NetSize::default(),
        )
    };
    Change::NetPut { cause: NetCause::Edited, net: Arc::new(net), moved_from: None }
}

/// Names that differ in case and repeat, so that ids have to decide.
const NAMES: &[&str] = &["alpha", "Alpha", "beta", "gamma", "Zeta"];

fn change() -> impl Strategy<Value = Change> {
    use WorkerStatus::*;
    let name = || proptest::sample::select(NAMES);
    let status = proptest::sample::select(&[Pending, Ready, Stopped, Error(ErrorDetail::Unreachable)][..]);
    let load = proptest::sample::select(&[LoadState::Unloaded, LoadState::Loaded, LoadState::Error][..]);
    let run = proptest::sample::select(&[RunState::Idle, RunState::Running, RunState::Dead][..]);
    prop_oneof![
        4 => (0..6u8, name(), status).prop_map(|(n, name, status)| worker(n, name, status)),
        1 => (0..6u8).prop_map(|n| Change::WorkerDeleted { id: worker_id(n) }),
        6 => (0..8u8, name(), proptest::option::of(0..6u8), load, run)
            .prop_map(|(n, name, on, load, run)| net(n, name, on, load, run)),
        1 => (0..8u8).prop_map(|n| Change::NetDeleted { id: net_id(n), project_id: None }),
    ]
}

fn touched(change: &Change) -> EntityRef {
    match change {
        Change::WorkerPut { worker, .. } => EntityRef::Worker(worker.id),
        Change::WorkerDeleted { id } => EntityRef::Worker(*id),
        Change::NetPut { net, .. } => EntityRef::Net(net.id),
        Change::NetDeleted { id, .. } => EntityRef::Net(*id),
        other => unreachable!("not made here: {other:?}"),
    }
}

proptest! {
    #[test]
    fn a_store_fed_by_changes_is_the_store_filled_anew(batches in prop::collection::vec(prop::collection::vec(change(), 0..6), 1..40)) {
        let owner = Owner::new();
        owner.set();
        let (store, mut fleet) = (Store::new(), Fleet::default());
        for batch in batches {
            // Somebody looks at these, so that signals have to follow.
            let looked_at: Vec<_> = (0..6).map(|n| store.nets_on(worker_id(n))).collect();
            batch.iter().for_each(|change| fleet.apply(change));
            store.apply(&fleet, &batch.iter().map(touched).collect());
            let anew = Store::new();
            anew.replace(&fleet);
            prop_assert_eq!(store.summary.get_untracked(), anew.summary.get_untracked());
            prop_assert_eq!(store.workers.get_untracked(), anew.workers.get_untracked());
            prop_assert_eq!(store.nets.get_untracked(), anew.nets.get_untracked());
            for n in 0..6 {
                let nets = anew.nets_on(worker_id(n)).get_untracked();
                prop_assert_eq!(store.nets_on(worker_id(n)).get_untracked(), nets.clone());
                prop_assert_eq!(looked_at[n as usize].get_untracked(), nets);
            }
            for row in fleet.workers() {
                prop_assert_eq!(store.worker_row(row.id).map(|signal| signal.get_untracked()), Some(row.clone()));
            }
            for row in fleet.nets() {
                prop_assert_eq!(store.net_row(row.id).map(|signal| signal.get_untracked()), Some(row.clone()));
            }
        }
    }
}

#[test]
fn watchers_hear_of_every_application_until_their_owner_ends() {
    let owner = Owner::new();
    owner.set();
    let store = Store::new();
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let page = owner.child();
    page.with(|| {
        let heard = heard.clone();
        store.watch(move |touched| {
            heard.lock().unwrap().push(match touched {
                Touched::All => None,
                Touched::Rows(rows) => Some(rows.len()),
            });
        });
    });
    let mut fleet = Fleet::default();
    store.replace(&fleet);
    let change = worker(1, "a", WorkerStatus::Ready);
    fleet.apply(&change);
    store.apply(&fleet, &HashSet::from([touched(&change)]));
    page.cleanup();
    store.replace(&fleet);
    assert_eq!(*heard.lock().unwrap(), [None, Some(1)]);
}
