//! Supervision against workers that behave, that do not, and that die.

pub mod fixtures;
mod follows;
mod settles;

use self::fixtures::*;
use super::*;
use crate::{
    model::{Actor, DefinitionHash, Draft, Fleet, Gone, Net, Worker},
    server::{
        providers::LocalConfig,
        storage::SideWrite,
        workers::{Keys, Timing, fake::FakeWorker},
    },
    worker::protocol::Health,
};
use tokio::sync::mpsc;

/// Long enough for a busy machine; nothing waits this long when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// A console without its doors.
struct Console {
    data: tempfile::TempDir,
    keys: Keys,
    store: Store,
    board: TelemetryBoard,
    supervisor: Option<(Supervisor, CancellationToken)>,
}

fn timing() -> Timing {
    let short = Duration::from_secs(1);
    Timing { connect: short, probe: short, call: short, load: short, silence: short }
}

fn pace() -> Pace {
    let soon = Duration::from_millis(50);
    Pace {
        gather: Duration::from_millis(5),
        settle: Duration::from_millis(100),
        reopen: soon,
        steady: Duration::from_millis(400),
        ending: soon,
        probe_every: soon,
        sweep_every: Duration::from_millis(300),
        sweep_patience: Duration::from_secs(1),
        deadlines_every: soon,
        deadline_grace: Duration::ZERO,
        ..Pace::default()
    }
}

impl Console {
    /// A store with these rows, and a worker's server that answers `health`. The worker's row is given the machine if it has one.
    async fn with(health: Health, mut row: Worker, nets: Vec<Net>) -> (Console, FakeWorker) {
        let data = tempfile::tempdir().unwrap();
        let keys = Keys::load(data.path()).unwrap();
        let fake = FakeWorker::start(&keys, health).await;
        if row.machine.is_some() {
            row.machine = Some(fake.machine.clone());
        }
        let (news, mut inbox) = mpsc::channel(64);
        tokio::spawn(async move { while inbox.recv().await.is_some() {} });
        let (tasks, never) = (TaskTracker::new(), CancellationToken::new());
        let (store, _) = Store::open(&data.path().join("db"), news, &tasks, never).await.unwrap();
        let console = Console { data, keys, store, board: TelemetryBoard::default(), supervisor: None };
        let definition = SideWrite::Definition { hash: DefinitionHash::of(PNML), pnml: PNML.into() };
        let rows = console.store.transact_with(Actor::System, None, move |draft, _| {
            draft.put_cluster(cluster());
            draft.put_project(project());
            draft.create_worker(row);
            nets.into_iter().for_each(|net| draft.create_net(net));
            Ok::<_, Gone>(((), vec![definition]))
        });
        rows.await.unwrap();
        (console, fake)
    }

    fn supervise(&mut self) {
        let client = WorkerClient::new(self.keys.clone(), timing()).unwrap();
        let local = LocalConfig::new(self.data.path(), self.keys.clone(), client.clone()).unwrap();
        let (providers, exits) = Providers::new(local).unwrap();
        let (board, shutdown) = (self.board.clone(), CancellationToken::new());
        let store = self.store.clone();
        let supervisor = Supervisor::start(store, client, providers, exits, board, pace(), shutdown.clone());
        self.supervisor = Some((supervisor, shutdown));
    }

    async fn change(&self, change: impl FnOnce(&mut Draft) -> Result<(), Gone> + Send + 'static) {
        self.store.transact(Actor::System, change).await.unwrap();
    }

    /// Waits until the fleet is as wanted.
    async fn until(&self, what: &str, is_so: impl Fn(&Fleet) -> bool) {
        let mut rows = self.store.watch();
        let waited = tokio::time::timeout(PATIENCE, rows.wait_for(|now| is_so(&now.fleet))).await;
        assert!(waited.is_ok(), "{what}: {:#?}", self.store.fleet());
    }

    async fn until_worker_is(&self, status: WorkerStatus) {
        self.until(&status.to_string(), |fleet| worker_of(fleet).status == status).await;
    }

    async fn until_net(&self, what: &str, id: u128, is_so: impl Fn(&Net) -> bool) {
        self.until(what, |fleet| fleet.net(net_id(id)).is_some_and(|net| is_so(net))).await;
    }
}

fn worker_of(fleet: &Fleet) -> &Worker {
    fleet.worker(WORKER).unwrap()
}

/// Waits for what nothing tells of.
async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let poll = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, poll).await.unwrap_or_else(|_| panic!("{what}"));
}
