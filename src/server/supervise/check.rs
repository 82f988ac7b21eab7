//! One look at a worker, and what follows from it: asks the worker, then its provider, writes what differs in one transaction, and
//! unloads what should not be there.

use super::{
    Pace, TelemetryBoard,
    reconcile::{self, Picture, Sight, Stray},
    settle::{self, Ended},
};
use crate::{
    model::{Actor, ErrorDetail, Event, Gone, Machine, Severity, Worker, WorkerId, WorkerStatus},
    server::{
        clock::now,
        labs::Desk,
        providers::{MachineState, ProviderError, Providers},
        storage::{StorageError, Store, TransactError},
        workers::{CallError, WorkerClient},
    },
};
use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// What all of supervision works with.
pub(super) struct Tools {
    pub store: Store,
    pub client: WorkerClient,
    pub providers: Providers,
    pub telemetry: TelemetryBoard,
    pub pace: Pace,
    /// Where it is said that a worker has something to tell of its labs.
    pub labs: Desk,
    /// Workers whose stream is open: they tell by themselves, and need no check.
    live: Mutex<HashSet<WorkerId>>,
    asking: Semaphore,
}

/// How many workers are asked together, beside the supervision loop. Each has its own time to answer: it must not pass in our own queues.
const ASKED_AT_ONCE: usize = 64;

/// A look at a worker, and the row's machine when it was taken: what is seen of one machine says nothing about its successor.
pub(super) struct Look {
    pub asked: Option<Machine>,
    pub sight: Sight,
}

/// What became of a look.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The rows agree with it now; these are to be unloaded on the worker.
    Written(Vec<Stray>),
    /// An action is under way that decides by itself.
    Busy,
    /// The row is about another machine by now, or there is none.
    MovedOn,
}

/// Why a check could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error("The worker no longer exists.")]
    Gone,
    #[error("{0}")]
    Provider(ProviderError),
    #[error("{0}")]
    Storage(StorageError),
}

/// A check that was made: what the rows say now is true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    Answered,
    NoAnswer {
        /// A sentence.
        why: String,
    },
    /// The worker changed while it was looked at; nothing was written.
    Changed,
}

impl Tools {
    pub fn new(
        store: Store,
        client: WorkerClient,
        providers: Providers,
        telemetry: TelemetryBoard,
        pace: Pace,
    ) -> Tools {
        Tools {
            store,
            client,
            providers,
            telemetry,
            pace,
            labs: Desk::default(),
            live: Mutex::default(),
            asking: Semaphore::new(ASKED_AT_ONCE),
        }
    }

    pub fn live(&self) -> MutexGuard<'_, HashSet<WorkerId>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn to ask a worker; it lasts as long as what is returned.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Never closed.
        self.asking.acquire().await.ok()
    }

    /// Looks at a worker: by asking it, and if it does not answer, its provider.
    pub async fn look(&self, worker: &Worker, within: Duration) -> Result<Look, ProviderError> {
        let asked = worker.machine.clone();
        let mut failed = None;
        // A machine that is known to be stopped is not asked: its address may be somebody else's by now.
        let stopped =
            matches!(worker.status, WorkerStatus::Stopped | WorkerStatus::Error(ErrorDetail::MachineStopped));
        if let Some(machine) = asked.as_ref().filter(|_| !stopped) {
            match self.ask(worker.id, machine, within).await {
                Ok(sight) => return Ok(Look { asked, sight }),
                Err(error) => failed = Some(error),
            }
        }
        let mut state = self.providers.inspect(worker).await?;
        if let (MachineState::Running { .. }, Some(CallError::Unreachable { .. })) = (&state, &failed) {
            // Its port is closed and yet it is there: most likely it is just ending, and the next look tells.
            tokio::time::sleep(self.pace.ending).await;
            state = self.providers.inspect(worker).await?;
        }
        if let MachineState::Running { machine } = &state
            && (failed.is_none() || asked.as_ref().is_none_or(|asked| asked.endpoint != machine.endpoint))
        {
            // The provider knows of a machine that the row does not, or that was not asked yet.
            match self.ask(worker.id, machine, within).await {
                Ok(sight) => return Ok(Look { asked, sight }),
                Err(error) => failed = Some(error),
            }
        }
        let why = match (&state, &failed) {
            (MachineState::Running { .. }, Some(error)) => error.to_string().trim_end_matches('.').to_owned(),
            (MachineState::Running { .. }, None) => "it was not asked".to_owned(),
            (MachineState::Stopped, _) => "its provider says that the machine is stopped".to_owned(),
            (MachineState::Gone, _) => "its provider says that the machine is gone".to_owned(),
        };
        Ok(Look { asked, sight: Sight::Silence { state, why } })
    }

    async fn ask(&self, worker: WorkerId, machine: &Machine, within: Duration) -> Result<Sight, CallError> {
        // The picture is at least as new as the question.
        let as_of = now();
        let health = self.client.health_within(&machine.endpoint, worker, within).await?;
        Ok(Sight::Answer { machine: machine.clone(), picture: Picture::new(health, as_of) })
    }

    /// Brings the rows in line with a look, in one transaction, ending the operations in `ended` first.
    pub async fn write(
        &self,
        worker: WorkerId,
        look: Look,
        ended: Vec<Ended>,
    ) -> Result<Verdict, StorageError> {
        if ended.is_empty() && reconcile::plan_for(&self.store.fleet(), worker, &look.sight).is_empty() {
            return Ok(self.verdict(worker, &look.asked).unwrap_or_else(|| Verdict::Written(Vec::new())));
        }
        let written = self.store.transact(Actor::System, move |draft| {
            let row = draft.worker(worker)?;
            if !is_same(row.machine.as_ref(), look.asked.as_ref()) {
                return Ok(Verdict::MovedOn);
            }
            let mut sight = look.sight;
            let unknown = settle::end(draft, &ended, &mut sight)?;
            let busy = reconcile::is_busy(draft.worker(worker)?);
            let strays = reconcile::write(draft, worker, &sight)?;
            settle::tell(draft, &unknown);
            Ok::<_, Gone>(if busy { Verdict::Busy } else { Verdict::Written(strays) })
        });
        match written.await {
            Ok(verdict) => Ok(verdict),
            Err(TransactError::Refused(Gone(_))) => Ok(Verdict::MovedOn),
            Err(TransactError::Storage(error)) => Err(error),
        }
    }

    /// What stands in the way of a look at this worker, if anything does.
    fn verdict(&self, worker: WorkerId, asked: &Option<Machine>) -> Option<Verdict> {
        match self.store.fleet().worker(worker) {
            None => Some(Verdict::MovedOn),
            Some(row) if !is_same(row.machine.as_ref(), asked.as_ref()) => Some(Verdict::MovedOn),
            Some(row) if reconcile::is_busy(row) => Some(Verdict::Busy),
            Some(_) => None,
        }
    }

    /// Looks, writes and unloads: one whole check.
    pub async fn check(
        &self,
        worker: WorkerId,
        within: Duration,
        ended: Vec<Ended>,
    ) -> Result<Checked, CheckError> {
        let row = self.store.fleet().worker(worker).cloned().ok_or(CheckError::Gone)?;
        let look = self.look(&row, within).await.map_err(CheckError::Provider)?;
        let (machine, checked) = match &look.sight {
            Sight::Answer { machine, .. } => (Some(machine.clone()), Checked::Answered),
            Sight::Silence { why, .. } => (None, Checked::NoAnswer { why: format!("{why}.") }),
        };
        match self.write(worker, look, ended).await.map_err(CheckError::Storage)? {
            Verdict::Written(strays) => {
                if let Some(machine) = machine {
                    self.unload(worker, &machine, &strays).await;
                }
                Ok(checked)
            }
            Verdict::Busy | Verdict::MovedOn => Ok(Checked::Changed),
        }
    }

    /// Unloads what no row wants on a worker. What fails is found again at the next look.
    pub async fn unload(&self, worker: WorkerId, machine: &Machine, strays: &[Stray]) {
        let mut unloaded = Vec::new();
        for stray in strays {
            // An action may have begun to load it since.
            let fleet = self.store.fleet();
            let wanted = fleet.net(stray.net).is_some_and(|net| {
                net.operation.is_some() || net.worker_id == Some(worker) && net.load_id == Some(stray.load_id)
            });
            if wanted {
                continue;
            }
            match self.client.unload(machine, worker, stray.net, stray.load_id).await {
                Ok(()) => {
                    tracing::info!(%worker, net = %stray.net, "unloaded a net that should not be there");
                    unloaded.push(*stray);
                }
                Err(error) => {
                    tracing::warn!(%worker, net = %stray.net, %error, "a net that should not be there stays");
                    if error.is_workers_fault() {
                        break;
                    }
                }
            }
        }
        if !unloaded.is_empty() {
            self.tell_unloaded(worker, unloaded).await;
        }
    }

    /// One event for all of them: an operator wants to know that it happened, not a hundred times.
    async fn tell_unloaded(&self, worker: WorkerId, unloaded: Vec<Stray>) {
        let told = self.store.transact(Actor::System, move |draft| {
            let row = draft.worker(worker)?.clone();
            let text = match unloaded.as_slice() {
                [one] => match draft.net(one.net) {
                    Ok(net) => {
                        format!("Worker {} held net {}, which is not loaded there", row.name, net.name)
                    }
                    Err(_) => format!("Worker {} held a net that was deleted", row.name),
                },
                more => format!("Worker {} held {} nets that are not loaded there", row.name, more.len()),
            };
            let text = format!("{text}; unloaded");
            draft.log(Severity::Warning, "worker.updated", text, |event: &mut Event| {
                (event.cluster_id, event.worker_id) = (Some(row.cluster_id), Some(worker));
            });
            Ok::<_, Gone>(())
        });
        if let Err(error) = told.await {
            tracing::warn!(%worker, %error, "the event log could not be written");
        }
    }
}

/// Whether two rows' machines are the same one. Its incarnation may differ: that is what a look finds out.
pub(super) fn is_same(a: Option<&Machine>, b: Option<&Machine>) -> bool {
    let key = |machine: &Machine| (machine.provider_ref.clone(), machine.endpoint.clone());
    a.map(key) == b.map(key)
}
