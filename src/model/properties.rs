//! Rules that hold for every sequence of what can happen, checked over random ones.

use super::{
    lifecycle::{self, NetAction, WorkerAction},
    *,
};
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

const CLUSTER: ClusterId = ClusterId(Uuid::from_u128(1));
const PROJECT: ProjectId = ProjectId(Uuid::from_u128(2));

/// Something that may happen to the fleet.
#[derive(Clone, Debug)]
enum Happens {
    Worker {
        worker: usize,
        action: WorkerAction,
        succeeds: bool,
    },
    Net {
        net: usize,
        action: NetAction,
        target: usize,
        succeeds: bool,
    },
    /// A machine dies, vanishes, hangs.
    Broken {
        worker: usize,
        detail: ErrorDetail,
    },
    /// A worker thought lost answers again; what still runs there is adopted.
    Back {
        worker: usize,
    },
    /// Nothing is enabled any more.
    Dead {
        net: usize,
    },
    /// A net gets a new version, and that a build.
    Version {
        net: usize,
    },
    /// A version is loaded by its number.
    Older {
        net: usize,
        number: u32,
        succeeds: bool,
    },
    /// The oldest build that is not over ends.
    Built {
        succeeds: bool,
    },
    /// A net moves to the other project.
    Moved {
        net: usize,
    },
    /// A lab is made of a net, or goes on.
    Lab {
        lab: usize,
        net: usize,
        worker: usize,
        state: LabState,
    },
}

fn happens() -> impl Strategy<Value = Happens> {
    let detail = prop_oneof![
        Just(ErrorDetail::MachineStopped),
        Just(ErrorDetail::MachineDestroyed),
        Just(ErrorDetail::Unreachable),
    ];
    let state = prop_oneof![Just(LabState::Idle), Just(LabState::Running), Just(LabState::Done)];
    let worker_action = proptest::sample::select(WorkerAction::ALL);
    let net_action = proptest::sample::select(NetAction::ALL);
    prop_oneof![
        4 => (0..3usize, worker_action, any::<bool>()).prop_map(|(worker, action, succeeds)| Happens::Worker { worker, action, succeeds }),
        8 => (0..4usize, net_action, 0..3usize, any::<bool>())
            .prop_map(|(net, action, target, succeeds)| Happens::Net { net, action, target, succeeds }),
        1 => (0..3usize, detail).prop_map(|(worker, detail)| Happens::Broken { worker, detail }),
        1 => (0..3usize).prop_map(|worker| Happens::Back { worker }),
        1 => (0..4usize).prop_map(|net| Happens::Dead { net }),
        2 => (0..4usize).prop_map(|net| Happens::Version { net }),
        2 => (0..4usize, 1..4u32, any::<bool>())
            .prop_map(|(net, number, succeeds)| Happens::Older { net, number, succeeds }),
        2 => any::<bool>().prop_map(|succeeds| Happens::Built { succeeds }),
        1 => (0..4usize).prop_map(|net| Happens::Moved { net }),
        1 => (0..3usize, 0..4usize, 0..3usize, state)
            .prop_map(|(lab, net, worker, state)| Happens::Lab { lab, net, worker, state }),
    ]
}

/// Where nets move to and back.
const OTHER: ProjectId = ProjectId(Uuid::from_u128(3));

fn worker_id(n: usize) -> WorkerId {
    WorkerId(Uuid::from_u128(100 + n as u128))
}

fn net_id(n: usize) -> NetId {
    NetId(Uuid::from_u128(200 + n as u128))
}

fn machine(life: u128) -> Machine {
    Machine {
        provider_ref: life.to_string(),
        endpoint: "http://127.0.0.1:1".to_owned(),
        incarnation: Incarnation(Uuid::from_u128(life)),
        software_version: "1".to_owned(),
    }
}

pub(super) fn worker(n: usize, category: Category) -> Worker {
    Worker {
        category,
        ..Worker::pending(worker_id(n), Name::new(&format!("worker-{n}")).unwrap(), CLUSTER, Provider::Local)
    }
}

pub(super) fn net(n: usize) -> Net {
    Net::unassigned(
        net_id(n),
        Name::new(&format!("net-{n}")).unwrap(),
        PROJECT,
        DefinitionHash::of(b"net"),
        NetSize::default(),
    )
}

/// Runs a transaction; `apply_all` asserts the invariants after it.
fn commit<E>(fleet: &mut Fleet, at: u64, write: impl FnOnce(&mut Draft) -> Result<(), E>) -> Result<(), E> {
    let mut draft = Draft::new(fleet, Actor::System, Timestamp(at));
    write(&mut draft)?;
    let changes = draft.finish();
    let before = fleet.clone();
    fleet.apply_all(&changes);
    for worker in fleet.workers() {
        let Some(was) = before.worker(worker.id) else { continue };
        assert!(
            was.status == worker.status || lifecycle::may_follow(was.status, worker.status),
            "{} -> {}",
            was.status,
            worker.status
        );
        assert!(worker.revision >= was.revision && worker.state_revision >= was.state_revision);
        assert!(worker.state_revision > was.state_revision || !worker.state_differs(was));
    }
    for net in fleet.nets() {
        let Some(was) = before.net(net.id) else { continue };
        assert!(net.newest().number >= was.newest().number, "versions are never taken back");
        assert!(net.state_revision > was.state_revision || !net.state_differs(was));
    }
    for build in fleet.builds() {
        let net = fleet.net(build.net_id).expect("a build goes with its net");
        assert_eq!(build.project_id, net.project_id);
        let told = net.build.as_ref().filter(|told| told.id == build.id);
        assert!(told.is_none_or(|told| *told == NetBuild::from(&**build)), "{told:?} of {build:?}");
    }
    for lab in fleet.labs() {
        let net = fleet.net(lab.net_id).expect("a lab goes with its net");
        assert_eq!(lab.project_id, net.project_id);
        let worker = lab.worker_id.map(|id| fleet.worker(id).expect("a worker that is there"));
        let is_heard = worker.is_some_and(|worker| worker.is_ready());
        assert!(is_heard || !lab.state.is_active(), "{lab:?}");
    }
    // Whoever sees a part of it, and follows the changes, sees the same as whoever looks now.
    for project in [PROJECT, OTHER] {
        let scope = crate::sync::Scope::Projects([project].into());
        let mut seen = scope.of_fleet(&before);
        changes.iter().filter_map(|change| scope.of_change(change)).for_each(|change| seen.apply(&change));
        assert_eq!(seen, scope.of_fleet(fleet));
    }
    Ok(())
}

fn version(number: u32) -> NetVersion {
    let definition = DefinitionHash::of(&number.to_be_bytes());
    NetVersion { number, definition, size: NetSize::default() }
}

fn lab(n: usize, net: &Net, worker: WorkerId, state: LabState) -> Lab {
    Lab {
        id: LabId(Uuid::from_u128(400 + n as u128)),
        project_id: net.project_id,
        net_id: net.id,
        version: net.version,
        definition: net.definition,
        worker_id: Some(worker),
        name: Name::new(&format!("lab-{n}")).unwrap(),
        plan: LabPlan::Explore { seconds: 1, memory_mb: 1 },
        state,
        error: None,
        progress: LabProgress::default(),
        incarnation: None,
        synced_at: Timestamp(0),
        history: Vec::new(),
        revision: 0,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
    }
}

fn start() -> Fleet {
    let mut fleet = Fleet::default();
    commit::<Gone>(&mut fleet, 0, |draft| {
        for n in 0..3 {
            draft.create_worker(worker(n, if n == 0 { Category::Ephemeral } else { Category::Persistent }));
        }
        (0..4).for_each(|n| draft.create_net(net(n)));
        Ok(())
    })
    .unwrap();
    fleet
}

/// Does what the server would do, if the lifecycle permits it. Refusals are returned.
fn happen(fleet: &mut Fleet, at: u64, happens: &Happens) -> Result<(), Refusal> {
    match *happens {
        Happens::Worker { worker, action, succeeds } => {
            let Some(row) = fleet.worker(worker_id(worker)).cloned() else { return Ok(()) };
            lifecycle::worker_action(&row, action)?;
            act_on_worker(fleet, at, &row, action, succeeds);
        }
        Happens::Net { net, action, target, succeeds } => {
            let Some(row) = fleet.net(net_id(net)).cloned() else { return Ok(()) };
            lifecycle::net_action(&row, fleet.worker_of(&row).map(Arc::as_ref), action)?;
            if action == NetAction::Assign {
                let Some(target) = fleet.worker(worker_id(target)).cloned() else { return Ok(()) };
                lifecycle::assign_target(&row, &target)?;
            }
            act_on_net(fleet, at, &row, action, worker_id(target), succeeds);
        }
        Happens::Broken { worker, detail } => {
            let row = fleet.worker(worker_id(worker)).cloned();
            if let Some(row) = row.filter(|row| row.is_ready()) {
                commit(fleet, at, |draft| draft.set_worker_status(row.id, WorkerStatus::Error(detail), None))
                    .unwrap();
            }
        }
        Happens::Back { worker } => {
            let row = fleet.worker(worker_id(worker)).cloned();
            if let Some(row) = row.filter(|row| row.status == WorkerStatus::Error(ErrorDetail::Unreachable)) {
                commit(fleet, at, |draft| {
                    draft.set_worker_status(row.id, WorkerStatus::Ready, None)?;
                    for net in draft.nets_on(row.id).iter().filter(|net| net.load_id.is_some()) {
                        draft.edit_net(net.id, NetCause::LoadState, |net| {
                            net.load_state = LoadState::Loaded
                        })?;
                    }
                    Ok::<_, Gone>(())
                })
                .unwrap();
            }
        }
        Happens::Dead { net } => {
            let row = fleet.net(net_id(net)).cloned();
            if let Some(row) = row.filter(|row| row.is_loaded()) {
                commit(fleet, at, |draft| {
                    draft.edit_net(row.id, NetCause::RunState, |net| net.run_state = RunState::Dead)
                })
                .unwrap();
            }
        }
        Happens::Version { net } => {
            let Some(row) = fleet.net(net_id(net)).cloned() else { return Ok(()) };
            let next = version(row.newest().number + 1);
            let build = BuildId(Uuid::from_u128(1_000 + u128::from(at)));
            commit(fleet, at, |draft| {
                draft.add_version(row.id, next)?;
                let project = draft.net(row.id)?.project_id;
                let queued = Build::queued(build, row.id, project, next.number, next.definition, draft.now());
                draft.put_build(BuildCause::Queued, queued)
            })
            .unwrap();
        }
        Happens::Older { net, number, succeeds } => {
            let Some(row) = fleet.net(net_id(net)).cloned() else { return Ok(()) };
            if number >= row.newest().number {
                return Ok(());
            }
            let older = Net { build: None, ..Net::clone(&row) };
            lifecycle::net_action(&older, fleet.worker_of(&row).map(Arc::as_ref), NetAction::Load)?;
            commit(fleet, at, |draft| {
                draft.edit_net(row.id, NetCause::Operation, |net| {
                    net.put_in_force(version(number));
                    net.load_id = Some(LoadId(Uuid::from_u128(u128::from(at))));
                })
            })
            .unwrap();
            assert_eq!(
                fleet.net(row.id).map(|net| (net.version, net.newest())),
                Some((number, row.newest()))
            );
            commit(fleet, at, |draft| {
                draft.edit_net(row.id, NetCause::LoadState, |net| {
                    net.load_state = if succeeds { LoadState::Loaded } else { LoadState::Error };
                })
            })
            .unwrap();
        }
        Happens::Built { succeeds } => {
            let Some(build) = fleet.builds().find(|build| !build.status.is_over()).cloned() else {
                return Ok(());
            };
            let status = if succeeds { BuildStatus::Succeeded } else { BuildStatus::Failed };
            commit(fleet, at, |draft| {
                draft.put_build(BuildCause::Finished, Build { status, ..Build::clone(&build) })
            })
            .unwrap();
        }
        Happens::Moved { net } => {
            let Some(row) = fleet.net(net_id(net)).cloned() else { return Ok(()) };
            let project = if row.project_id == PROJECT { OTHER } else { PROJECT };
            commit(fleet, at, |draft| {
                draft.edit_net(row.id, NetCause::Edited, |net| net.project_id = project)
            })
            .unwrap();
        }
        Happens::Lab { lab: n, net, worker, state } => {
            let Some(row) = fleet.net(net_id(net)).cloned() else { return Ok(()) };
            let worker = fleet.worker(worker_id(worker)).filter(|worker| worker.is_ready()).cloned();
            let id = LabId(Uuid::from_u128(400 + n as u128));
            if let (Some(worker), None) = (worker, fleet.lab(id)) {
                commit(fleet, at, |draft| draft.put_lab(lab(n, &row, worker.id, state))).unwrap();
            } else if state == LabState::Done && fleet.lab(id).is_some() {
                commit(fleet, at, |draft| draft.delete_lab(id)).unwrap();
            }
        }
    }
    Ok(())
}

fn act_on_worker(fleet: &mut Fleet, at: u64, row: &Worker, action: WorkerAction, succeeds: bool) {
    let id = row.id;
    let made = |draft: &mut Draft, failure| match succeeds {
        true => draft.edit_worker(id, WorkerCause::Status, |worker| {
            (worker.status, worker.machine) = (WorkerStatus::Ready, Some(machine(u128::from(at))));
        }),
        false => draft.set_worker_status(id, WorkerStatus::Error(failure), None),
    };
    let outcome = match action {
        WorkerAction::Provision => {
            commit(fleet, at, |draft| draft.set_worker_status(id, WorkerStatus::Provisioning, None))
                .and_then(|()| commit(fleet, at, |draft| made(draft, ErrorDetail::ProvisionFailed)))
        }
        WorkerAction::Start => commit(fleet, at, |draft| made(draft, ErrorDetail::MachineStopped)),
        WorkerAction::Stop if succeeds => {
            commit(fleet, at, |draft| draft.set_worker_status(id, WorkerStatus::Stopped, None))
        }
        WorkerAction::Destroy if succeeds => {
            commit(fleet, at, |draft| draft.set_worker_status(id, WorkerStatus::Pending, None))
        }
        WorkerAction::Delete if succeeds => commit(fleet, at, |draft| draft.delete_worker(id)),
        // It waits, and the next thing that happens may be an undo, or its worker's end.
        WorkerAction::Delete => commit(fleet, at, |draft| draft.begin_worker(id, waiting(at, action))),
        WorkerAction::UndoDelete => commit(fleet, at, |draft| {
            draft.edit_worker(id, WorkerCause::Operation, |worker| worker.operation = None)
        }),
        _ => Ok(()),
    };
    outcome.unwrap();
}

fn waiting<A>(at: u64, action: A) -> Operation<A> {
    let until = Timestamp(at).plus(lifecycle::UNDO_FOR);
    Operation {
        id: OperationId(Uuid::from_u128(u128::from(at))),
        action,
        actor: Actor::System,
        since: Timestamp(at),
        deadline: until,
        waiting: Some(Box::new(Waiting { until, gives_up: None })),
    }
}

fn act_on_net(fleet: &mut Fleet, at: u64, row: &Net, action: NetAction, target: WorkerId, succeeds: bool) {
    let id = row.id;
    let load_id = LoadId(Uuid::from_u128(u128::from(at)));
    let outcome = commit(fleet, at, |draft| match action {
        NetAction::Assign => draft.edit_net(id, NetCause::Assigned, |net| net.worker_id = Some(target)),
        NetAction::Unassign => draft.edit_net(id, NetCause::Unassigned, |net| net.worker_id = None),
        NetAction::Delete if succeeds => draft.delete_net(id),
        NetAction::Delete => draft.begin_net(id, waiting(at, action)),
        NetAction::UndoDelete => draft.edit_net(id, NetCause::Operation, |net| net.operation = None),
        NetAction::Load => draft.edit_net(id, NetCause::LoadState, |net| {
            net.load_id = Some(load_id);
            net.load_state = if succeeds { LoadState::Loaded } else { LoadState::Error };
        }),
        NetAction::Unload => draft.edit_net(id, NetCause::LoadState, |net| {
            (net.load_state, net.load_id) = (LoadState::Unloaded, None);
        }),
        NetAction::Run => draft.edit_net(id, NetCause::RunState, |net| net.run_state = RunState::Running),
        NetAction::Stop | NetAction::Reset => {
            draft.edit_net(id, NetCause::RunState, |net| net.run_state = RunState::Idle)
        }
        NetAction::Step | NetAction::Inject => Ok(()),
    });
    outcome.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_permitted_actions_breaks_an_invariant(story in prop::collection::vec(happens(), 1..120)) {
        let mut fleet = start();
        for (at, happens) in story.iter().enumerate() {
            // A refusal changes nothing; what is permitted is checked at every commit.
            let _ = happen(&mut fleet, at as u64 + 1, happens);
            prop_assert_eq!(fleet.violation(), None, "after {:?}", happens);
        }
    }

    #[test]
    fn every_refusal_names_the_state(story in prop::collection::vec(happens(), 1..60)) {
        let mut fleet = start();
        for (at, happens) in story.iter().enumerate() {
            let refusal = happen(&mut fleet, at as u64 + 1, happens).err();
            let Some(text) = refusal.map(|refusal| refusal.to_string()) else { continue };
            let states = ["pending", "provisioning", "ready", "stopped", "error", "unloaded", "loaded", "idle", "running", "dead", "assigned", "deleting", "broken"];
            prop_assert!(states.iter().any(|state| text.contains(state)), "{}", text);
        }
    }

    #[test]
    fn a_snapshot_is_the_fleet_it_was_made_of(story in prop::collection::vec(happens(), 1..60)) {
        let mut fleet = start();
        for (at, happens) in story.iter().enumerate() {
            let _ = happen(&mut fleet, at as u64 + 1, happens);
        }
        let json = serde_json::to_string(&fleet).unwrap();
        prop_assert_eq!(serde_json::from_str::<Fleet>(&json).unwrap(), fleet);
    }
}

/// DESIGN.md section 2, row by row: the permitted actions of each state.
#[test]
fn the_table_of_worker_actions_is_the_designs() {
    use ErrorDetail::*;
    use WorkerAction::*;
    let permitted = |category, status| {
        let row = Worker { status, ..worker(0, category) };
        lifecycle::worker_actions(&row).collect::<Vec<_>>()
    };
    let (e, p) = (Category::Ephemeral, Category::Persistent);
    for category in [e, p] {
        assert_eq!(permitted(category, WorkerStatus::Pending), [Provision, Delete]);
        assert_eq!(permitted(category, WorkerStatus::Provisioning), [Delete]);
        assert_eq!(
            permitted(category, WorkerStatus::Error(MachineDestroyed)),
            [Provision, Refresh, Destroy, Delete]
        );
        assert_eq!(
            permitted(category, WorkerStatus::Error(ProvisionFailed)),
            [Provision, Refresh, Destroy, Delete]
        );
        assert_eq!(permitted(category, WorkerStatus::Error(Unreachable)), [Refresh, Destroy, Delete]);
    }
    assert_eq!(permitted(e, WorkerStatus::Ready), [Refresh, Destroy, Delete]);
    assert_eq!(permitted(p, WorkerStatus::Ready), [Stop, Refresh, Destroy, Delete]);
    assert_eq!(permitted(p, WorkerStatus::Stopped), [Start, Refresh, Destroy, Delete]);
    assert_eq!(permitted(p, WorkerStatus::Error(MachineStopped)), [Start, Refresh, Destroy, Delete]);
    assert_eq!(permitted(e, WorkerStatus::Error(MachineStopped)), [Provision, Refresh, Destroy, Delete]);
}

#[test]
fn what_is_wrong_with_a_worker_decides_its_remedy() {
    use ErrorDetail::*;
    use WorkerAction::*;
    let remedy = |category, status| lifecycle::remedy(&Worker { status, ..worker(0, category) });
    for (category, status, expected) in [
        (Category::Persistent, WorkerStatus::Error(MachineStopped), Some(Start)),
        (Category::Ephemeral, WorkerStatus::Error(MachineStopped), Some(Provision)),
        (Category::Persistent, WorkerStatus::Error(MachineDestroyed), Some(Provision)),
        (Category::Persistent, WorkerStatus::Error(ProvisionFailed), Some(Provision)),
        (Category::Persistent, WorkerStatus::Error(Unreachable), Some(Refresh)),
        (Category::Persistent, WorkerStatus::Stopped, Some(Start)),
        (Category::Persistent, WorkerStatus::Pending, Some(Provision)),
        (Category::Persistent, WorkerStatus::Provisioning, None),
        (Category::Persistent, WorkerStatus::Ready, None),
        (Category::Ephemeral, WorkerStatus::Ready, None),
    ] {
        assert_eq!(remedy(category, status), expected, "{category:?} {status}");
    }
}

#[test]
fn the_table_of_net_actions_is_the_designs() {
    use NetAction::*;
    let permitted = |status, load_state, run_state| {
        let on = Worker { status, ..worker(0, Category::Persistent) };
        let row = Net { worker_id: Some(on.id), load_state, run_state, ..net(0) };
        lifecycle::net_actions(&row, Some(&on)).collect::<Vec<_>>()
    };
    let (ready, idle) = (WorkerStatus::Ready, RunState::Idle);
    assert_eq!(permitted(ready, LoadState::Unloaded, idle), [Assign, Unassign, Load, Delete]);
    assert_eq!(permitted(ready, LoadState::Error, idle), [Assign, Unassign, Load, Unload, Delete]);
    assert_eq!(
        permitted(ready, LoadState::Loaded, idle),
        [Assign, Unassign, Unload, Step, Run, Reset, Inject]
    );
    assert_eq!(
        permitted(ready, LoadState::Loaded, RunState::Running),
        [Assign, Unassign, Unload, Run, Stop, Reset, Inject]
    );
    assert_eq!(
        permitted(ready, LoadState::Loaded, RunState::Dead),
        [Assign, Unassign, Unload, Reset, Inject]
    );
    assert_eq!(permitted(WorkerStatus::Stopped, LoadState::Unloaded, idle), [Assign, Unassign, Delete]);
    for status in
        [WorkerStatus::Pending, WorkerStatus::Provisioning, WorkerStatus::Error(ErrorDetail::Unreachable)]
    {
        assert_eq!(permitted(status, LoadState::Unloaded, idle), [Delete], "{status}");
    }
    assert_eq!(lifecycle::net_actions(&net(0), None).collect::<Vec<_>>(), [Assign, Delete]);
}

#[test]
fn a_deletion_that_waits_permits_its_undoing_only() {
    use NetAction as N;
    let on = Worker { status: WorkerStatus::Ready, ..worker(0, Category::Persistent) };
    let leaving = Worker { operation: Some(waiting(1, WorkerAction::Delete)), ..on.clone() };
    assert_eq!(lifecycle::worker_actions(&leaving).collect::<Vec<_>>(), [WorkerAction::UndoDelete]);
    let row = Net { worker_id: Some(on.id), operation: Some(waiting(1, N::Delete)), ..net(0) };
    assert_eq!(lifecycle::net_actions(&row, Some(&on)).collect::<Vec<_>>(), [N::UndoDelete]);
    let other = Net { worker_id: Some(on.id), ..net(1) };
    assert_eq!(lifecycle::net_actions(&other, Some(&leaving)).collect::<Vec<_>>(), [N::Delete]);

    let refusal = lifecycle::worker_action(&leaving, WorkerAction::Stop).unwrap_err();
    assert_eq!(
        refusal.tell(Timestamp(3_001)),
        "Cannot stop worker-0: the console is deleting it, in 7 s. Undo that first."
    );
    let operation = leaving.operation.unwrap();
    assert_eq!(lifecycle::in_progress(&operation, Timestamp(3_001)), "Deleting in 7 s");
    // Begun, it cannot be taken back.
    let begun = Worker { operation: Some(Operation { waiting: None, ..operation }), ..on };
    assert_eq!(lifecycle::worker_actions(&begun).count(), 0);
}

#[test]
fn a_row_names_who_brought_it_to_its_state_until_something_else_does() {
    let mut fleet = start();
    let ana = Actor::User { id: UserId(Uuid::from_u128(9)), name: "Ana".to_owned() };
    let mut draft = Draft::new(&fleet, ana, Timestamp(1_000));
    let last = draft.worker_was(WorkerAction::Start);
    draft
        .edit_worker(worker_id(1), WorkerCause::Status, |worker| {
            (worker.status, worker.last_action) = (WorkerStatus::Ready, last);
        })
        .unwrap();
    fleet.apply_all(&draft.finish());
    let said = |fleet: &Fleet| {
        lifecycle::who_did(fleet.worker(worker_id(1)).unwrap().last_action.as_ref(), Timestamp(4_000))
    };
    assert_eq!(said(&fleet).unwrap(), "Ana started it 3 s ago.");
    commit(&mut fleet, 5_000, |draft| {
        draft.set_worker_status(worker_id(1), WorkerStatus::Error(ErrorDetail::Unreachable), None)
    })
    .unwrap();
    assert_eq!(said(&fleet), None);
    let told = fleet.events().next_back().unwrap();
    assert_eq!(told.text, "Worker worker-1 was ready and is error · unreachable");
}

#[test]
fn a_worker_leaving_ready_unloads_its_nets_in_the_same_transaction() {
    let mut fleet = start();
    let at = |fleet: &mut Fleet, n, happens: Happens| happen(fleet, n, &happens).unwrap();
    at(&mut fleet, 1, Happens::Worker { worker: 0, action: WorkerAction::Provision, succeeds: true });
    at(&mut fleet, 2, Happens::Net { net: 0, action: NetAction::Assign, target: 0, succeeds: true });
    at(&mut fleet, 3, Happens::Net { net: 0, action: NetAction::Load, target: 0, succeeds: true });
    at(&mut fleet, 4, Happens::Net { net: 0, action: NetAction::Run, target: 0, succeeds: true });
    let loaded = fleet.net(net_id(0)).unwrap().load_id;

    let mut draft = Draft::new(&fleet, Actor::System, Timestamp(5));
    draft.set_worker_status(worker_id(0), WorkerStatus::Error(ErrorDetail::Unreachable), None).unwrap();
    fleet.apply_all(&draft.finish());
    let row = fleet.net(net_id(0)).unwrap();
    assert_eq!((row.load_state, row.run_state), (LoadState::Unloaded, RunState::Idle));
    assert_eq!(row.load_id, loaded, "kept, so that a net that kept running there can be adopted");
}

#[test]
fn the_snapshot_keeps_the_newest_hundred_events() {
    let mut fleet = start();
    for at in 1..150 {
        commit(&mut fleet, at, |draft| {
            draft.log(Severity::Info, "event.logged", format!("{at}"), |_| {});
            Ok::<_, Gone>(())
        })
        .unwrap();
    }
    assert_eq!(fleet.events().len(), fleet::EVENTS_IN_SNAPSHOT);
    assert_eq!(fleet.events().next_back().unwrap().text, "149");
    let ids: Vec<u64> = fleet.events().map(|event| event.id.0).collect();
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "no gap in the numbers");
}
