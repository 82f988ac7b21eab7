use super::*;
use crate::{
    model::{NetAction, Operation},
    server::supervise::tests::fixtures::*,
};

const LATER: Timestamp = Timestamp(1_000);

fn sees(health: Health) -> Sight {
    Sight::Answer { machine: machine("http://127.0.0.1:1"), picture: Picture::new(health, LATER) }
}

fn silence(state: MachineState) -> Sight {
    Sight::Silence { state, why: "it is silent".into() }
}

fn running() -> MachineState {
    MachineState::Running { machine: machine("http://127.0.0.1:1") }
}

fn follows(worker: &Worker, nets: &[Net], sight: &Sight) -> Vec<Step> {
    let all: Vec<Arc<Net>> = nets.iter().cloned().map(Arc::new).collect();
    let here = all.iter().filter(|net| net.worker_id == Some(worker.id)).cloned().collect();
    let other = |id: NetId| all.iter().find(|net| net.id == id).cloned();
    super::plan(&Rows { worker, nets: here, other: &other }, sight)
}

fn ready() -> Worker {
    worker(WorkerStatus::Ready)
}

fn error(detail: ErrorDetail) -> Worker {
    worker(WorkerStatus::Error(detail))
}

fn stray(net: u128, load: u128) -> Step {
    Step::Unload(Stray { net: net_id(net), load_id: load_id(load) })
}

/// The status a step gives, without its machine and reason.
fn statuses(steps: &[Step]) -> Vec<WorkerStatus> {
    let status = |step: &Step| if let Step::Status { status, .. } = step { Some(*status) } else { None };
    steps.iter().filter_map(status).collect()
}

#[test]
fn rows_that_agree_need_nothing() {
    let running = HostedNet { run_state: RunState::Running, rate: 5, ..held(2) };
    let row = Net { run_state: RunState::Running, rate: 5, ..net(2) };
    assert_eq!(follows(&ready(), &[net(1), row], &sees(health([held(1), running]))), []);
}

#[test]
fn a_net_with_the_matching_load_id_is_adopted_as_it_runs() {
    let held = HostedNet { run_state: RunState::Running, rate: 7, ..held(1) };
    let sight = sees(health([held]));
    let adopt = [Step::Adopt { net: net_id(1), run_state: RunState::Running, rate: 7 }];
    assert_eq!(follows(&ready(), &[unloaded(1)], &sight), adopt);

    let steps = follows(&error(ErrorDetail::Unreachable), &[unloaded(1)], &sight);
    assert_eq!(statuses(&steps), [WorkerStatus::Ready]);
    assert_eq!(steps[1..], adopt, "after the worker is ready, never before");
}

#[test]
fn any_other_net_is_unloaded_there() {
    assert_eq!(follows(&ready(), &[], &sees(health([held(1)]))), [stray(1, 1)], "deleted meanwhile");

    let elsewhere = Net { worker_id: Some(WorkerId(uuid::Uuid::from_u128(99))), ..unloaded(1) };
    assert_eq!(follows(&ready(), &[elsewhere], &sees(health([held(1)]))), [stray(1, 1)]);

    let other_loading = HostedNet { load_id: load_id(50), ..held(1) };
    assert_eq!(
        follows(&ready(), &[net(1)], &sees(health([other_loading.clone()]))),
        [Step::Lost { net: net_id(1), why: OTHER_LOADING }, stray(1, 50)]
    );
    assert_eq!(follows(&ready(), &[unloaded(1)], &sees(health([other_loading]))), [stray(1, 50)]);
}

#[test]
fn a_net_the_worker_does_not_hold_is_not_loaded() {
    let lost = Step::Lost { net: net_id(1), why: NOT_THERE };
    assert_eq!(follows(&ready(), &[net(1), net(2)], &sees(health([held(2)]))), [lost]);
    assert_eq!(follows(&ready(), &[unloaded(1)], &sees(health([]))), []);
    let failed = Net { load_state: LoadState::Error, ..net(1) };
    assert_eq!(follows(&ready(), &[failed], &sees(health([]))), [], "its error stays to be read");
}

#[test]
fn another_incarnation_has_forgotten_every_net() {
    let restarted = Health { incarnation: incarnation(2), ..health([]) };
    let machine = Machine { incarnation: incarnation(2), ..machine("http://127.0.0.1:1") };
    assert_eq!(
        follows(&ready(), &[net(1)], &sees(restarted)),
        [Step::Machine(machine), Step::Lost { net: net_id(1), why: RESTARTED }]
    );
}

#[test]
fn a_net_that_runs_otherwise_is_corrected() {
    let dead = HostedNet { run_state: RunState::Dead, ..held(1) };
    let step = Step::Runs { net: net_id(1), run_state: RunState::Dead, rate: 0 };
    assert_eq!(follows(&ready(), &[net(1)], &sees(health([dead]))), [step]);

    let idle = HostedNet { rate: 9, ..held(1) };
    assert_eq!(
        follows(&ready(), &[net(1)], &sees(health([idle]))),
        [],
        "the rate of an idle net says nothing"
    );
    let fast = HostedNet { run_state: RunState::Running, rate: 9, ..held(1) };
    let slow = Net { run_state: RunState::Running, rate: 1, ..net(1) };
    let step = Step::Runs { net: net_id(1), run_state: RunState::Running, rate: 9 };
    assert_eq!(follows(&ready(), &[slow], &sees(health([fast]))), [step]);
}

#[test]
fn a_row_newer_than_the_picture_is_not_judged_by_it() {
    let newer = Net { updated_at: Timestamp(LATER.0 + 1), ..net(1) };
    let nets = [newer.clone()];
    assert_eq!(follows(&ready(), &nets, &sees(health([]))), [], "it may have been loaded since");
    let other_loading = HostedNet { load_id: load_id(50), ..held(1) };
    assert_eq!(follows(&ready(), &nets, &sees(health([other_loading]))), [], "nor is it unloaded");

    let mut sight = sees(health([]));
    if let Sight::Answer { picture, .. } = &mut sight {
        picture.heard.insert(newer.id, newer.updated_at);
    }
    assert_eq!(follows(&ready(), &nets, &sight).len(), 1, "unless something as new was heard of it");
}

#[test]
fn a_net_with_an_action_in_flight_is_left_to_that_action() {
    let in_flight = |net: Net| {
        let operation: Operation<NetAction> = operation(NetAction::Load, Timestamp(u64::MAX));
        Net { operation: Some(operation), ..net }
    };
    let nets = [in_flight(unloaded(1)), in_flight(net(2)), in_flight(unloaded(3))];
    let strange = HostedNet { load_id: load_id(50), ..held(3) };
    assert_eq!(follows(&ready(), &nets, &sees(health([held(1), strange]))), []);
}

#[test]
fn a_worker_with_an_action_in_flight_is_left_to_that_action() {
    let stopping = busy(WorkerStatus::Ready, WorkerAction::Stop);
    assert_eq!(follows(&stopping, &[net(1)], &silence(MachineState::Stopped)), []);
    let refreshed = busy(WorkerStatus::Ready, WorkerAction::Refresh);
    assert_eq!(follows(&refreshed, &[], &silence(MachineState::Gone)).len(), 1, "a check is what this is");
}

#[test]
fn a_silent_worker_is_in_error_by_what_its_provider_says() {
    let detail = |worker: Worker, state| {
        let steps = follows(&worker, &[], &silence(state));
        statuses(&steps).pop()
    };
    let is = |detail| Some(WorkerStatus::Error(detail));
    assert_eq!(detail(ready(), running()), is(ErrorDetail::Unreachable));
    assert_eq!(detail(ready(), MachineState::Stopped), is(ErrorDetail::MachineStopped));
    assert_eq!(detail(ready(), MachineState::Gone), is(ErrorDetail::MachineDestroyed));
    assert_eq!(
        detail(error(ErrorDetail::Unreachable), MachineState::Gone),
        is(ErrorDetail::MachineDestroyed)
    );
    assert_eq!(detail(error(ErrorDetail::Unreachable), running()), None, "known already");
    assert_eq!(detail(error(ErrorDetail::ProvisionFailed), MachineState::Gone), None);
    assert_eq!(detail(worker(WorkerStatus::Stopped), MachineState::Stopped), None, "as it should be");
    assert_eq!(detail(worker(WorkerStatus::Pending), MachineState::Gone), None);
    assert_eq!(
        detail(worker(WorkerStatus::Provisioning), MachineState::Gone),
        is(ErrorDetail::ProvisionFailed),
        "without an action nobody makes it"
    );
}

#[test]
fn a_machine_that_is_gone_leaves_the_row() {
    let Some(Step::Status { machine, .. }) = silent(&ready(), &MachineState::Gone, "x") else { panic!() };
    assert_eq!(machine, None);
    let Some(Step::Status { machine, .. }) = silent(&ready(), &running(), "x") else { panic!() };
    assert!(machine.is_some(), "one that may be there stays, so that its nets can be adopted");
}

#[test]
fn whatever_answers_as_the_worker_makes_it_ready() {
    for status in [
        WorkerStatus::Provisioning,
        WorkerStatus::Stopped,
        WorkerStatus::Error(ErrorDetail::Unreachable),
        WorkerStatus::Error(ErrorDetail::MachineDestroyed),
        WorkerStatus::Error(ErrorDetail::ProvisionFailed),
    ] {
        let steps = follows(&worker(status), &[], &sees(health([])));
        assert_eq!(statuses(&steps), [WorkerStatus::Ready], "from {status}");
        assert!(crate::model::lifecycle::may_follow(status, WorkerStatus::Ready));
    }
    assert_eq!(follows(&worker(WorkerStatus::Pending), &[], &sees(health([]))), []);
}

#[test]
fn what_is_written_keeps_the_invariants_and_settles_in_one_round() {
    let mut fleet = Fleet::default();
    let rows = [unloaded(1), unloaded(2), unloaded(3)];
    fleet.apply_all(&[crate::model::Change::WorkerPut {
        cause: WorkerCause::Created,
        worker: Arc::new(error(ErrorDetail::Unreachable)),
    }]);
    for net in rows {
        let (cause, moved_from) = (NetCause::Created, None);
        fleet.apply_all(&[crate::model::Change::NetPut { cause, net: Arc::new(net), moved_from }]);
    }
    let round = |fleet: &mut Fleet, sight: &Sight| {
        let mut draft = Draft::new(fleet, crate::model::Actor::System, LATER);
        let strays = write(&mut draft, WORKER, sight).unwrap();
        let changes = draft.finish();
        fleet.apply_all(&changes);
        (strays, changes.len())
    };
    let running = HostedNet { run_state: RunState::Running, rate: 3, ..held(2) };
    let sight = sees(health([held(1), running, held(9)]));
    let (strays, _) = round(&mut fleet, &sight);
    assert_eq!(strays, [Stray { net: net_id(9), load_id: load_id(9) }]);
    assert!(fleet.worker(WORKER).unwrap().is_ready());
    let states: Vec<_> = fleet.nets().map(|net| (net.load_state, net.run_state)).collect();
    assert_eq!(
        states,
        [
            (LoadState::Loaded, RunState::Idle),
            (LoadState::Loaded, RunState::Running),
            (LoadState::Unloaded, RunState::Idle)
        ]
    );
    assert_eq!(round(&mut fleet, &sight).1, 0, "the second round finds nothing");

    round(&mut fleet, &silence(MachineState::Gone));
    assert!(fleet.nets().all(|net| net.load_state == LoadState::Unloaded && net.load_id.is_none()));
    assert_eq!(fleet.violation(), None);
}
