//! Supervision of real worker processes: the binary, the local provider, signals, and a console that comes back.

use muster::{
    model::{
        Actor, Category, Cluster, ClusterId, Connection, DefinitionHash, Draft, ErrorDetail, Fleet, Gone,
        LoadId, LoadState, Machine, Name, Net, NetCause, NetId, NetSize, OperationId, Project, ProjectId,
        Provider, RunState, Timestamp, Worker, WorkerCause, WorkerId, WorkerStatus,
    },
    server::{
        providers::{LocalConfig, MachineState, ProcessId, Providers},
        storage::{SideWrite, Store},
        supervise::{Pace, Supervisor, TelemetryBoard},
        workers::{Keys, Timing, WorkerClient},
    },
    worker::protocol::RunRequest,
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// Long enough for a busy machine; nothing waits this long when all is well.
const PATIENCE: Duration = Duration::from_secs(60);
const CLUSTER: ClusterId = ClusterId(Uuid::from_u128(1));
const PROJECT: ProjectId = ProjectId(Uuid::from_u128(2));
const WORKER: WorkerId = WorkerId(Uuid::from_u128(3));
const NET: NetId = NetId(Uuid::from_u128(4));
const LOAD: LoadId = LoadId(Uuid::from_u128(5));
/// Two places and two transitions that pass one token round for ever.
const RING: &str = r#"<pnml xmlns="http://www.pnml.org/version-2009/grammar/pnml">
<net id="ring" type="http://www.pnml.org/version-2009/grammar/ptnet"><page id="page">
<place id="a"><initialMarking><text>1</text></initialMarking></place><place id="b"/>
<transition id="s"/><transition id="t"/>
<arc id="1" source="a" target="s"/><arc id="2" source="s" target="b"/>
<arc id="3" source="b" target="t"/><arc id="4" source="t" target="a"/>
</page></net></pnml>"#;

/// What stays when a console goes: its folder, and here also its store.
struct World {
    data: tempfile::TempDir,
    keys: Keys,
    store: Store,
}

/// A console's supervision.
struct Console {
    client: WorkerClient,
    providers: Providers,
    board: TelemetryBoard,
    supervisor: Supervisor,
    shutdown: CancellationToken,
}

impl World {
    async fn new(category: Category) -> World {
        let data = tempfile::tempdir().unwrap();
        let keys = Keys::load(data.path()).unwrap();
        let (news, mut inbox) = mpsc::channel(64);
        tokio::spawn(async move { while inbox.recv().await.is_some() {} });
        let (tasks, never) = (TaskTracker::new(), CancellationToken::new());
        let (store, _) = Store::open(&data.path().join("db"), news, &tasks, never).await.unwrap();
        let world = World { data, keys, store };
        let hash = DefinitionHash::of(RING.as_bytes());
        let definition = SideWrite::Definition { hash, pnml: RING.as_bytes().into() };
        let rows = world.store.transact_with(Actor::System, None, move |draft, _| {
            draft.put_cluster(cluster());
            draft.put_project(project());
            draft.create_worker(worker(category));
            draft.create_net(net());
            Ok::<_, Gone>(((), vec![definition]))
        });
        rows.await.unwrap();
        world
    }

    fn console(&self) -> Console {
        let client = WorkerClient::new(self.keys.clone(), Timing::default()).unwrap();
        let mut local = LocalConfig::new(self.data.path(), self.keys.clone(), client.clone()).unwrap();
        local.program = env!("CARGO_BIN_EXE_muster").into();
        let (providers, exits) = Providers::new(local).unwrap();
        let (board, shutdown) = (TelemetryBoard::default(), CancellationToken::new());
        let supervisor = Supervisor::start(
            self.store.clone(),
            client.clone(),
            providers.clone(),
            exits,
            board.clone(),
            Pace::default(),
            shutdown.clone(),
        );
        Console { client, providers, board, supervisor, shutdown }
    }

    async fn change(&self, change: impl FnOnce(&mut Draft) -> Result<(), Gone> + Send + 'static) {
        self.store.transact(Actor::System, change).await.unwrap();
    }

    fn row(&self) -> Arc<Worker> {
        self.store.fleet().worker(WORKER).unwrap().clone()
    }

    fn net(&self) -> Arc<Net> {
        self.store.fleet().net(NET).unwrap().clone()
    }

    /// Waits until the fleet is as wanted, and says how long that took.
    async fn until(&self, what: &str, is_so: impl Fn(&Fleet) -> bool) -> Duration {
        let (began, mut rows) = (Instant::now(), self.store.watch());
        let waited = tokio::time::timeout(PATIENCE, rows.wait_for(|now| is_so(&now.fleet))).await;
        assert!(waited.is_ok(), "{what}: {:#?}", self.store.fleet());
        began.elapsed()
    }

    async fn until_worker_is(&self, status: WorkerStatus) -> Duration {
        self.until(&status.to_string(), |fleet| fleet.worker(WORKER).unwrap().status == status).await
    }

    async fn until_running(&self) -> Duration {
        self.until("the net runs", |fleet| fleet.net(NET).unwrap().run_state == RunState::Running).await
    }

    fn signal(&self, signal: Signal) {
        let process: ProcessId = self.row().machine.as_ref().unwrap().provider_ref.parse().unwrap();
        kill_process(Pid::from_raw(process.pid as i32).unwrap(), signal).unwrap();
    }
}

impl Console {
    /// What the action does: makes the machine, and writes that it is ready.
    async fn provision(&self, world: &World) -> Machine {
        let machine = self.providers.provision(&world.row()).await.unwrap();
        let made = machine.clone();
        world
            .change(|draft| {
                draft.edit_worker(WORKER, WorkerCause::Status, |row| {
                    (row.status, row.machine) = (WorkerStatus::Ready, Some(made));
                })
            })
            .await;
        machine
    }

    /// Loads the net and lets it run.
    async fn run_net(&self, world: &World, machine: &Machine) {
        world.change(|draft| draft.edit_net(NET, NetCause::Operation, |net| net.load_id = Some(LOAD))).await;
        self.client.load(machine, WORKER, NET, LOAD, RING).await.unwrap();
        let operation = OperationId(Uuid::from_u128(6));
        self.client.run(machine, WORKER, NET, operation, RunRequest { rate: 500 }).await.unwrap();
        world.until_running().await;
    }

    async fn firings(&self, machine: &Machine) -> u64 {
        let health = self.client.health(machine, WORKER).await.unwrap();
        health.nets.iter().find(|net| net.id == NET).unwrap().firings
    }

    /// Goes down as at Ctrl-C.
    async fn leave(self) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.supervisor.ended()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_is_in_error_at_once_and_can_be_provisioned_again() {
    let world = World::new(Category::Ephemeral).await;
    let console = world.console();
    let machine = console.provision(&world).await;
    console.run_net(&world, &machine).await;
    let mut figures = console.board.changes();
    let told = figures.wait_for(|_| console.board.latest().iter().any(|figures| !figures.nets.is_empty()));
    tokio::time::timeout(PATIENCE, told).await.unwrap().unwrap();

    world.signal(Signal::KILL);
    let took = world.until_worker_is(WorkerStatus::Error(ErrorDetail::MachineDestroyed)).await;
    println!("kill -9: seen after {took:?}");
    assert_eq!((world.net().load_state, world.net().load_id), (LoadState::Unloaded, None));
    assert_eq!(console.providers.inspect(&world.row()).await.unwrap(), MachineState::Gone);

    let again = console.provision(&world).await;
    assert_ne!(again.incarnation, machine.incarnation);
    console.run_net(&world, &again).await;
    console.providers.destroy(&world.row()).await.unwrap();
    console.providers.destroy(&world.row()).await.unwrap();
    world.until_worker_is(WorkerStatus::Error(ErrorDetail::MachineDestroyed)).await;
    assert_eq!(std::fs::read_dir(world.data.path().join("workers")).unwrap().count(), 0);
    console.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_worker_is_unreachable_and_is_adopted_with_its_net_when_it_goes_on() {
    let world = World::new(Category::Ephemeral).await;
    let console = world.console();
    let machine = console.provision(&world).await;
    console.run_net(&world, &machine).await;

    world.signal(Signal::STOP);
    let took = world.until_worker_is(WorkerStatus::Error(ErrorDetail::Unreachable)).await;
    println!("SIGSTOP: seen after {took:?}");
    assert_eq!(world.net().load_state, LoadState::Unloaded);

    world.signal(Signal::CONT);
    let took = world.until_worker_is(WorkerStatus::Ready).await;
    println!("SIGCONT: ready after {took:?}");
    world.until_running().await;
    assert_eq!((world.net().load_state, world.net().rate), (LoadState::Loaded, 500));
    assert_eq!(world.row().machine.as_ref().unwrap().incarnation, machine.incarnation);

    // One that hangs can be destroyed too.
    world.signal(Signal::STOP);
    console.providers.destroy(&world.row()).await.unwrap();
    world.until_worker_is(WorkerStatus::Error(ErrorDetail::MachineDestroyed)).await;
    console.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_outlives_its_console_and_the_next_one_takes_over() {
    let world = World::new(Category::Persistent).await;
    let console = world.console();
    let machine = console.provision(&world).await;
    console.run_net(&world, &machine).await;
    let before = console.firings(&machine).await;
    console.leave().await;

    let next = world.console();
    let mut figures = next.board.changes();
    let told = figures.wait_for(|_| !next.board.latest().is_empty());
    tokio::time::timeout(PATIENCE, told).await.unwrap().unwrap();
    // On a quick machine the next console is there before the next firing.
    let fires = async {
        while next.firings(&machine).await <= before {
            figures.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, fires).await.expect("the net has not kept running");
    assert_eq!(world.row().machine.as_ref(), Some(&machine));
    assert_eq!(world.net().run_state, RunState::Running);

    // It is not this console's child, and its end is noticed all the same.
    world.signal(Signal::KILL);
    let took = world.until_worker_is(WorkerStatus::Error(ErrorDetail::MachineStopped)).await;
    println!("kill -9 of an adopted worker: seen after {took:?}");
    assert_eq!(next.providers.inspect(&world.row()).await.unwrap(), MachineState::Stopped);

    let started = next.providers.start(&world.row()).await.unwrap();
    // The console that started it died before it wrote so: a check finds it.
    next.supervisor.refresh(WORKER).await.unwrap();
    assert_eq!(world.row().status, WorkerStatus::Ready);
    assert_eq!(world.row().machine.as_ref(), Some(&started));
    next.providers.destroy(&world.row()).await.unwrap();
    next.leave().await;
}

fn cluster() -> Cluster {
    let at = Timestamp(0);
    Cluster {
        id: CLUSTER,
        name: Name::new("local").unwrap(),
        provider: Provider::Local,
        region: None,
        connection: Connection::Connected,
        lab_sync_minutes: None,
        revision: 1,
        created_at: at,
        updated_at: at,
    }
}

fn project() -> Project {
    let at = Timestamp(0);
    Project {
        id: PROJECT,
        name: Name::new("plant").unwrap(),
        quotas: Default::default(),
        revision: 1,
        created_at: at,
        updated_at: at,
    }
}

fn worker(category: Category) -> Worker {
    let at = Timestamp(0);
    Worker {
        id: WORKER,
        cluster_id: CLUSTER,
        name: Name::new("w1").unwrap(),
        category,
        provider: Provider::Local,
        status: WorkerStatus::Pending,
        status_since: at,
        status_reason: None,
        endpoint: None,
        machine: None,
        region: None,
        cpus: 1,
        memory_mb: 64,
        labs: None,
        operation: None,
        last_action: None,
        revision: 1,
        state_revision: 1,
        created_at: at,
        updated_at: at,
    }
}

fn net() -> Net {
    let at = Timestamp(0);
    Net {
        id: NET,
        project_id: PROJECT,
        name: Name::new("ring").unwrap(),
        definition: DefinitionHash::of(RING.as_bytes()),
        size: NetSize { places: 2, transitions: 2, arcs: 4 },
        version: 1,
        newer: None,
        build: None,
        worker_id: Some(WORKER),
        load_state: LoadState::Unloaded,
        load_error: None,
        load_id: None,
        run_state: RunState::Idle,
        rate: 0,
        operation: None,
        last_action: None,
        revision: 1,
        state_revision: 1,
        created_at: at,
        updated_at: at,
    }
}
