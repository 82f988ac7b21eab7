//! Supervision: keeps what the rows say of workers true (DESIGN.md section 6).
//!
//! [`reconcile`] holds the rules, purely. `check` is one look at a worker and what follows from it; `link` does the same continuously
//! from a worker's stream; `settle` ends operations whose outcome nobody knows. The [`Supervisor`] here decides who is looked at when.
//! What comes in: the store, the worker client, the providers. Nothing in here is called by a view, and nothing waits for a browser.

mod check;
mod link;
pub mod reconcile;
mod round;
pub mod settle;
mod telemetry;
mod touched;

pub use check::{CheckError, Checked};
pub use round::Breadth;
pub use telemetry::TelemetryBoard;

use self::{
    check::{Look, Tools, is_same},
    link::Link,
    reconcile::Sight,
};
use super::{
    clock::now,
    labs::Desk,
    metrics::METRICS,
    providers::{MachineState, Providers, WorkerExit},
    storage::Store,
    workers::WorkerClient,
};
use crate::model::{Category, ErrorDetail, Fleet, Machine, Timestamp, Worker, WorkerId, WorkerStatus};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    future::Future,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, interval_at, sleep, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often and how soon things are done.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Events of a worker that come within this time become one transaction.
    pub gather: Duration,
    /// A row that differs from the stream for this long is wrong.
    pub settle: Duration,
    /// Before a broken stream of a worker that answers is opened again; doubles up to `steady`.
    pub reopen: Duration,
    pub steady: Duration,
    /// A machine whose port closed gets this long to be gone.
    pub ending: Duration,
    /// Probes of an unreachable worker: this far apart during `probe_eager`, then doubling up to `probe_slow`, until `probe_for` has
    /// passed; the sweep goes on.
    pub probe_every: Duration,
    pub probe_eager: Duration,
    pub probe_slow: Duration,
    pub probe_for: Duration,
    /// The supervision loop, how many workers it looks at together, and how long each may take.
    pub sweep_every: Duration,
    pub sweep_breadth: Breadth,
    pub sweep_patience: Duration,
    /// How often operations past their deadline are looked for, and how long past it they are left to whoever began them.
    pub deadlines_every: Duration,
    pub deadline_grace: Duration,
    /// Lines of a worker's own errors that go into the event log, a minute.
    pub log_lines: usize,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            gather: Duration::from_millis(100),
            settle: Duration::from_millis(500),
            reopen: Duration::from_millis(100),
            steady: Duration::from_secs(5),
            ending: Duration::from_millis(150),
            probe_every: Duration::from_secs(1),
            probe_eager: Duration::from_secs(60),
            probe_slow: Duration::from_secs(10),
            probe_for: Duration::from_secs(600),
            sweep_every: Duration::from_secs(60),
            sweep_breadth: Breadth { least: 20, most: 256, within: Duration::from_secs(40) },
            sweep_patience: Duration::from_secs(5),
            deadlines_every: Duration::from_secs(1),
            deadline_grace: Duration::from_secs(1),
            log_lines: 10,
        }
    }
}

/// How many unreachable workers are probed together. Those that hang take their time; whoever's stream broke just now does not wait
/// behind them.
const PROBES_AT_ONCE: usize = 64;
/// Rows are followed at most this often: in a large fleet that changes all the time, looking through it is not for every commit.
const FOLLOW_EVERY: Duration = Duration::from_millis(20);

/// Keeps the rows of workers true until `shutdown`. Cloning gives another handle.
#[derive(Clone)]
pub struct Supervisor {
    tools: Arc<Tools>,
    tasks: TaskTracker,
}

impl Supervisor {
    /// Settles what an earlier console left open, then follows every worker. Returns at once. `exits` is what [`Providers::new`] gave.
    pub fn start(
        store: Store,
        client: WorkerClient,
        providers: Providers,
        exits: mpsc::Receiver<WorkerExit>,
        telemetry: TelemetryBoard,
        pace: Pace,
        shutdown: CancellationToken,
    ) -> Supervisor {
        // Taken before anybody can begin an operation in this process: whatever is open is nobody's.
        let left_open = settle::left_open(&store.fleet());
        let tools = Arc::new(Tools::new(store, client, providers, telemetry, pace));
        let tasks = TaskTracker::new();
        let rounds = Rounds::new(tools.clone(), shutdown.clone());
        tasks.spawn(rounds.run(left_open, exits));
        tasks.close();
        Supervisor { tools, tasks }
    }

    /// One that checks when it is asked to, and does nothing by itself.
    #[cfg(test)]
    pub fn idle(
        store: Store,
        client: WorkerClient,
        providers: Providers,
        telemetry: TelemetryBoard,
        pace: Pace,
    ) -> Supervisor {
        let tools = Arc::new(Tools::new(store, client, providers, telemetry, pace));
        Supervisor { tools, tasks: TaskTracker::new() }
    }

    /// One check of a worker now. Afterwards its row, and those of its nets, say what is true.
    pub async fn refresh(&self, worker: WorkerId) -> Result<Checked, CheckError> {
        self.tools.check(worker, self.tools.pace.sweep_patience, Vec::new()).await
    }

    /// Workers whose stream is open: what their rows say is told by themselves.
    pub fn streams(&self) -> usize {
        self.tools.live().len()
    }

    /// Where the streams of workers call for their labs to be asked for.
    pub fn labs(&self) -> &Desk {
        &self.tools.labs
    }

    /// Returns once everything has ended after the shutdown.
    pub async fn ended(&self) {
        self.tasks.wait().await;
    }
}

/// What a task was about, when it is done.
enum Done {
    Link(WorkerId),
    Probe(WorkerId),
    Settled(Option<WorkerId>),
    Swept,
    Exit,
}

/// The tasks of supervision, and which of them run.
struct Rounds {
    tools: Arc<Tools>,
    shutdown: CancellationToken,
    tasks: JoinSet<Done>,
    links: HashMap<WorkerId, Linked>,
    probes: HashMap<WorkerId, (Timestamp, CancellationToken)>,
    settling: HashSet<Option<WorkerId>>,
    sweeping: bool,
    probing: Arc<Semaphore>,
    /// The rows as they were followed last, and when they will be next.
    followed: Arc<Fleet>,
    /// Workers whose link or probe ended since: their rows may call for another.
    ended: BTreeSet<WorkerId>,
    follow_at: Option<Instant>,
    followed_at: Instant,
}

/// A link that runs.
struct Linked {
    machine: Machine,
    stop: CancellationToken,
    /// Tells it that its worker's row, or one of its nets', changed.
    touched: watch::Sender<()>,
}

impl Rounds {
    fn new(tools: Arc<Tools>, shutdown: CancellationToken) -> Rounds {
        Rounds {
            tools,
            shutdown,
            tasks: JoinSet::new(),
            links: HashMap::new(),
            probes: HashMap::new(),
            settling: HashSet::new(),
            sweeping: false,
            probing: Arc::new(Semaphore::new(PROBES_AT_ONCE)),
            // Nothing was followed yet: every row is new.
            followed: Arc::default(),
            ended: BTreeSet::new(),
            follow_at: None,
            followed_at: Instant::now(),
        }
    }

    /// Has the rows followed soon: at once, if that was not done a moment ago.
    fn follow_soon(&mut self) {
        self.follow_at.get_or_insert(self.followed_at + FOLLOW_EVERY);
    }

    async fn run(mut self, left_open: settle::Open, mut exits: mpsc::Receiver<WorkerExit>) {
        let pace = self.tools.pace;
        let mut rows = self.tools.store.watch();
        let mut sweep = interval(pace.sweep_every);
        let mut deadlines = interval_at(Instant::now() + pace.deadlines_every, pace.deadlines_every);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        deadlines.set_missed_tick_behavior(MissedTickBehavior::Delay);

        self.settle(left_open);
        self.follow_rows();
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => break,
                changed = rows.changed() => match changed {
                    Ok(()) => self.follow_soon(),
                    Err(_) => break,
                },
                () = sleep_until(self.follow_at.unwrap_or_else(Instant::now)), if self.follow_at.is_some() => {
                    self.follow_rows();
                }
                Some(exit) = exits.recv() => self.take_exit(exit),
                Some(done) = self.tasks.join_next() => {
                    // When a thousand end together, the rows are gone through once.
                    let mut next = Some(done);
                    while let Some(done) = next {
                        match done {
                            Ok(done) => self.take_done(done),
                            Err(error) => self.take_panic(&error),
                        }
                        next = self.tasks.try_join_next();
                    }
                    self.follow_soon();
                }
                // The first is at once: after a start every worker is looked at.
                _ = sweep.tick() => self.sweep(),
                _ = deadlines.tick() => self.settle_overdue(),
            }
        }
        // Everything but a transaction under way ends at its next await; what a worker does is not touched.
        self.tasks.shutdown().await;
    }

    /// Starts and ends links and probes so that they are those that the rows call for: of the workers that something changed about.
    fn follow_rows(&mut self) {
        (self.follow_at, self.followed_at) = (None, Instant::now());
        let fleet = self.tools.store.fleet();
        let before = std::mem::replace(&mut self.followed, fleet.clone());
        let mut due = touched::between(&before, &fleet);
        due.append(&mut self.ended);
        for id in due {
            let row = fleet.worker(id);
            if let Some(Linked { machine, stop, touched }) = self.links.get(&id) {
                let is_so = |row: &Worker| row.is_ready() && is_same(row.machine.as_ref(), Some(machine));
                if row.is_some_and(|row| is_so(row)) {
                    touched.send_replace(());
                } else {
                    stop.cancel();
                }
            }
            if let Some((since, stop)) = self.probes.get(&id)
                && !row.is_some_and(|row| is_unreachable(row) && row.status_since == *since)
            {
                stop.cancel();
            }
            let Some(worker) = row else { continue };
            if let (true, Some(machine)) = (worker.is_ready(), &worker.machine) {
                self.link(worker, machine);
            } else if is_unreachable(worker) {
                self.probe(worker);
            }
        }
    }

    /// Opens the stream of a ready worker, unless it is open, or its predecessor is still ending.
    fn link(&mut self, worker: &Worker, machine: &Machine) {
        if self.links.contains_key(&worker.id) {
            return;
        }
        self.tools.providers.watch(worker);
        let worker = worker.id;
        let stop = self.shutdown.child_token();
        let (touched, rows) = watch::channel(());
        self.links.insert(worker, Linked { machine: machine.clone(), stop: stop.clone(), touched });
        let tools = self.tools.clone();
        let link = Link { tools: tools.clone(), worker, machine: machine.clone(), rows };
        self.tasks.spawn(async move {
            stop.run_until_cancelled(link.run()).await;
            tools.live().remove(&worker);
            tools.telemetry.forget(worker);
            Done::Link(worker)
        });
    }

    /// Asks an unreachable worker again and again whether it is back.
    fn probe(&mut self, worker: &Worker) {
        if self.probes.contains_key(&worker.id) {
            return;
        }
        self.tools.providers.watch(worker);
        let stop = self.shutdown.child_token();
        self.probes.insert(worker.id, (worker.status_since, stop.clone()));
        let (tools, probing, id) = (self.tools.clone(), self.probing.clone(), worker.id);
        self.tasks.spawn(async move {
            stop.run_until_cancelled(probe(&tools, &probing, id)).await;
            // Its place stays taken until its row changes: the sweep asks from here on.
            stop.cancelled().await;
            Done::Probe(id)
        });
    }

    /// A machine ended. It counts if it is the one in the row; whether an action is ending it is asked when it is written.
    fn take_exit(&mut self, exit: WorkerExit) {
        let fleet = self.tools.store.fleet();
        let Some(row) = fleet.worker(exit.worker_id) else { return };
        let machine = row.machine.as_ref().filter(|machine| machine.provider_ref == exit.provider_ref);
        let alive = row.is_ready() || is_unreachable(row);
        let (Some(machine), true) = (machine, alive) else { return };
        let state = match row.category {
            Category::Persistent => MachineState::Stopped,
            Category::Ephemeral => MachineState::Gone,
        };
        let sight = Sight::Silence { state, why: format!("its process {}", exit.how) };
        let look = Look { asked: Some(machine.clone()), sight };
        let (tools, worker) = (self.tools.clone(), exit.worker_id);
        self.tasks.spawn(async move {
            if let Err(error) = tools.write(worker, look, Vec::new()).await {
                // The sweep finds it again.
                tracing::error!(%worker, %error, "the end of a worker's process could not be written");
            }
            Done::Exit
        });
    }

    fn sweep(&mut self) {
        if std::mem::replace(&mut self.sweeping, true) {
            return;
        }
        let tools = self.tools.clone();
        self.spawn(Done::Swept, async move { sweep(&tools).await });
    }

    fn settle_overdue(&mut self) {
        let late = Timestamp(now().0.saturating_sub(self.tools.pace.deadline_grace.as_millis() as u64));
        let overdue = settle::open_operations(&self.tools.store.fleet(), |deadline| deadline < late);
        self.settle(overdue);
    }

    fn settle(&mut self, open: settle::Open) {
        for (worker, ended) in open {
            if !self.settling.insert(worker) {
                continue;
            }
            let tools = self.tools.clone();
            self.spawn(Done::Settled(worker), async move {
                let pace = tools.pace;
                if let Err(error) = settle::settle(&tools, worker, ended, pace.sweep_patience).await {
                    tracing::error!(?worker, %error, "operations with an unknown outcome could not be settled");
                    // They are still open, and found again.
                    sleep(pace.steady).await;
                }
            });
        }
    }

    fn spawn(&mut self, done: Done, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(async move {
            work.await;
            done
        });
    }

    fn take_done(&mut self, done: Done) {
        match done {
            Done::Link(worker) => {
                self.links.remove(&worker);
                self.ended.insert(worker);
            }
            Done::Probe(worker) => {
                self.probes.remove(&worker);
                self.ended.insert(worker);
            }
            Done::Settled(worker) => drop(self.settling.remove(&worker)),
            Done::Swept => self.sweeping = false,
            Done::Exit => {}
        }
    }

    /// A bug in one task. It cannot be told whose place it held, so all begin anew.
    fn take_panic(&mut self, error: &tokio::task::JoinError) {
        if error.is_cancelled() {
            // One of those ended below.
            return;
        }
        tracing::error!(%error, "a task of supervision failed; all are started again");
        self.tasks.abort_all();
        self.links.clear();
        self.probes.clear();
        self.settling.clear();
        self.sweeping = false;
        self.followed = Arc::default();
        self.tools.live().clear();
    }
}

fn is_unreachable(worker: &Worker) -> bool {
    worker.status == WorkerStatus::Error(ErrorDetail::Unreachable)
}

async fn probe(tools: &Tools, probing: &Semaphore, worker: WorkerId) {
    let (pace, began) = (tools.pace, Instant::now());
    let mut pause = pace.probe_every;
    while began.elapsed() < pace.probe_for {
        sleep(pause).await;
        if began.elapsed() > pace.probe_eager {
            pause = (pause * 2).min(pace.probe_slow);
        }
        // Never closed.
        let Ok(_turn) = probing.acquire().await else { return };
        let within = tools.client.timing().probe;
        if let Err(error) = tools.check(worker, within, Vec::new()).await {
            tracing::debug!(%worker, %error, "an unreachable worker could not be checked");
        }
    }
}

/// Looks at every worker that has a machine, or should have none, except those that tell by themselves.
async fn sweep(tools: &Tools) {
    let fleet = tools.store.fleet();
    let live = tools.live().clone();
    let due = fleet.workers().filter(|worker| {
        worker.status != WorkerStatus::Pending && !reconcile::is_busy(worker) && !live.contains(&worker.id)
    });
    let due: Vec<WorkerId> = due.map(|worker| worker.id).collect();
    let (patience, breadth, looks) = (tools.pace.sweep_patience, tools.pace.sweep_breadth, due.len());
    let took = round::run(due, breadth, |worker| async move {
        // Its stream may have been opened meanwhile.
        if tools.live().contains(&worker) {
            return;
        }
        if let Err(error) = tools.check(worker, patience, Vec::new()).await {
            tracing::warn!(%worker, %error, "a worker could not be checked");
        }
    });
    let took = took.await;
    METRICS.swept(looks, took);
    if took > tools.pace.sweep_every {
        tracing::warn!(looks, ?took, "looking at every worker took longer than a round");
    }
}

#[cfg(test)]
pub mod tests;
