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
            ClusterId(Uuid::from_u128(1 + u128::from(n % 2))),
            Provider::Local,
        )
    };
    Change::WorkerPut { cause: WorkerCause::Edited, worker: Arc::new(worker) }
}

fn net(n: u8, name: &str, on: Option<u8>, load_state: LoadState, run_state: RunState, project: u8) -> Change {
    let net = Net {
        worker_id: on.map(worker_id),
        load_state,
        run_state,
        ..Net::unassigned(
            net_id(n),
            Name::new(name).unwrap(),
            ProjectId(Uuid::from_u128(2 + u128::from(project))),
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
        6 => (0..8u8, name(), proptest::option::of(0..6u8), load, run, 0..3u8)
            .prop_map(|(n, name, on, load, run, project)| net(n, name, on, load, run, project)),
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
            prop_assert_eq!(store.groups.get_untracked(), anew.groups.get_untracked());
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

#[test]
fn what_is_looked_at_is_counted_and_the_whole_fleet_still_is() {
    let owner = Owner::new();
    owner.set();
    let (store, mut fleet) = (Store::new(), Fleet::default());
    let changes = [
        worker(0, "a", WorkerStatus::Ready),
        worker(1, "b", WorkerStatus::Error(ErrorDetail::Unreachable)),
        worker(2, "c", WorkerStatus::Ready),
        net(0, "x", Some(0), LoadState::Loaded, RunState::Idle, 0),
        net(1, "y", Some(0), LoadState::Loaded, RunState::Idle, 0),
        net(2, "z", Some(2), LoadState::Error, RunState::Idle, 1),
    ];
    changes.iter().for_each(|change| fleet.apply(change));
    store.replace(&fleet);
    let project = |n: u128| Some(ProjectId(Uuid::from_u128(2 + n)));
    let cluster = Some(ClusterId(Uuid::from_u128(1)));
    store.look_within(Within { cluster, project: project(0) });
    let seen = store.seen.get_untracked();
    assert_eq!((seen.workers, seen.workers_ready, seen.workers_broken), (2, 2, 0));
    assert_eq!((seen.nets, seen.nets_failed, seen.workers_used), (2, 0, 1));
    assert_eq!(
        (seen.first_workers, seen.first_nets),
        (vec![worker_id(0), worker_id(2)], vec![net_id(0), net_id(1)])
    );
    assert_eq!(store.summary.with_untracked(|all| (all.workers, all.nets, all.workers_broken)), (3, 3, 1));

    let moved = net(1, "y", Some(0), LoadState::Loaded, RunState::Idle, 1);
    fleet.apply(&moved);
    store.apply(&fleet, &HashSet::from([touched(&moved)]));
    assert_eq!(store.seen.with_untracked(|seen| seen.nets), 1, "it was moved to another project");
    store.look_within(Within { cluster: None, project: project(7) });
    assert_eq!(store.seen.with_untracked(|seen| (seen.nets, seen.workers)), (0, 3), "no such project");
}
