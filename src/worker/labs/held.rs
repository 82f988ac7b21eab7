//! One lab: its state, who may change it, and what of the work done for it counts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::plan::{self, Task};
use super::runner::{Runner, Turn};
use super::work::{Stretch, Work};
use crate::model::{DefinitionHash, LabFigures, LabId, LabPlan, LabState, NetId};
use crate::petri::PetriNet;
use crate::worker::hub::Hub;
use crate::worker::protocol::{HostedLab, LogLevel, NewLab, WorkerEvent};
use crate::worker::refusal::Refusal;

const FAILED: &str = "The lab failed inside the worker and was stopped; wipe it to begin anew.";

/// A lab that this worker holds.
pub struct Held {
    id: LabId,
    net_id: NetId,
    definition: DefinitionHash,
    plan: LabPlan,
    net: Arc<PetriNet>,
    task: Task,
    hub: Hub,
    /// Held for moments only: whoever works has a hold on the work instead.
    doing: Mutex<Doing>,
    /// Counts starts and stops; changed with `doing` locked. A place in the queue, and the work that comes of it, is good for the run it
    /// was made for.
    run: AtomicU64,
}

struct Doing {
    state: State,
    /// Another one after it was wiped: a thread that has not let go yet goes on with what nobody looks at any more.
    work: Arc<Work>,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    Idle,
    Queued,
    Running,
    Done,
    Failed,
    /// Deleted, and somebody still has a hold on it.
    Gone,
}

impl Held {
    pub fn new(
        new: &NewLab,
        definition: DefinitionHash,
        net: Arc<PetriNet>,
        hub: Hub,
    ) -> Result<Self, Refusal> {
        let task = plan::task(&new.plan, &net)?;
        let work = Arc::new(Work::new(&task, &net)?);
        Ok(Self {
            id: new.id,
            net_id: new.net_id,
            definition,
            plan: new.plan.clone(),
            net,
            task,
            hub,
            doing: Mutex::new(Doing { state: State::Idle, work }),
            run: AtomicU64::new(0),
        })
    }

    /// Whether it is what is asked for.
    pub fn is(&self, new: &NewLab, definition: DefinitionHash) -> bool {
        (self.net_id, self.definition, &self.plan) == (new.net_id, definition, &new.plan)
    }

    pub fn net_of(&self, definition: DefinitionHash) -> Option<Arc<PetriNet>> {
        (self.definition == definition).then(|| self.net.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Doing> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn work(&self) -> Arc<Work> {
        self.lock().work.clone()
    }

    pub fn describe(&self) -> HostedLab {
        self.described(&self.lock())
    }

    fn described(&self, doing: &Doing) -> HostedLab {
        HostedLab {
            id: self.id,
            net_id: self.net_id,
            definition: self.definition,
            plan: self.plan.clone(),
            state: doing.state.told(),
            error: (doing.state == State::Failed).then(|| FAILED.to_string()),
            progress: doing.work.progress(),
        }
    }

    /// `None`: it neither works nor waits for its turn.
    pub fn figures(&self) -> Option<LabFigures> {
        let doing = self.lock();
        let state = doing.state.told();
        state.is_active().then(|| LabFigures { id: self.id, state, progress: doing.work.progress() })
    }

    /// Enters `state` and says so. Told under the lock, so that states are told in their order.
    fn enter(&self, doing: &mut Doing, state: State) -> HostedLab {
        doing.state = state;
        let answer = self.described(doing);
        self.hub.tell(&WorkerEvent::Lab(answer.clone()));
        answer
    }

    /// Begins or goes on. One that works or is done stays as it is.
    pub fn start(self: &Arc<Self>, runner: &Runner) -> Result<HostedLab, Refusal> {
        let mut doing = self.lock();
        match doing.state {
            State::Idle => {}
            State::Queued | State::Running | State::Done => return Ok(self.described(&doing)),
            State::Failed => return Err(Refusal::LabFailed),
            State::Gone => return Err(Refusal::NoLab),
        }
        let run = self.next_run();
        // No thread can take its turn before this lock is let go.
        runner.put(Turn { lab: self.clone(), run }).map_err(|error| {
            tracing::error!(%error, "no thread for labs can be started");
            Refusal::Internal
        })?;
        Ok(self.enter(&mut doing, State::Queued))
    }

    /// What was counted is kept. One that does not work is stopped already.
    pub fn stop(&self) -> Result<HostedLab, Refusal> {
        let mut doing = self.lock();
        match doing.state {
            State::Queued | State::Running => {
                self.next_run();
                Ok(self.enter(&mut doing, State::Idle))
            }
            State::Idle | State::Done | State::Failed => Ok(self.described(&doing)),
            State::Gone => Err(Refusal::NoLab),
        }
    }

    /// Forgets what was counted.
    pub fn wipe(&self) -> Result<HostedLab, Refusal> {
        let mut doing = self.lock();
        match doing.state {
            State::Idle | State::Done | State::Failed => {
                doing.work = Arc::new(Work::new(&self.task, &self.net)?);
                Ok(self.enter(&mut doing, State::Idle))
            }
            State::Queued | State::Running => Err(Refusal::LabActive),
            State::Gone => Err(Refusal::NoLab),
        }
    }

    /// It is deleted, or its worker ends: nothing is told of it any more, and its work stops.
    pub fn leave(&self) {
        let mut doing = self.lock();
        self.next_run();
        doing.state = State::Gone;
    }

    fn next_run(&self) -> u64 {
        self.run.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub fn is_current(&self, run: u64) -> bool {
        self.run.load(Ordering::SeqCst) == run
    }

    /// A thread's turn on it, for the run numbered `run`: works until it is done, stopped, or `ended`. A panic fails this lab and no other.
    pub fn take_turn(&self, run: u64, ended: &dyn Fn() -> bool) {
        let work = {
            let mut doing = self.lock();
            if !self.is_current(run) {
                return;
            }
            doing.work.take_up();
            self.enter(&mut doing, State::Running);
            doing.work.clone()
        };
        let stop = || ended() || !self.is_current(run);
        let worked = catch_unwind(AssertUnwindSafe(|| work.go_on(&stop)));
        let mut doing = self.lock();
        if doing.state == State::Gone || !Arc::ptr_eq(&doing.work, &work) {
            return;
        }
        let after = match worked {
            Ok(Stretch::Finished(found)) if self.is_current(run) => {
                work.keep(found);
                State::Done
            }
            // Stopped, and not started again: what was done up to there counts.
            Ok(Stretch::Finished(found) | Stretch::Stopped(found)) if doing.state == State::Idle => {
                work.keep(found);
                State::Idle
            }
            // It goes on in another turn, or everything ends.
            Ok(_) => return,
            // What it left is not to be trusted, whoever goes on with it by now.
            Err(_) => {
                self.next_run();
                self.hub.log(LogLevel::Error, Some(self.net_id), FAILED);
                State::Failed
            }
        };
        self.enter(&mut doing, after);
    }
}

impl State {
    fn told(&self) -> LabState {
        match self {
            // Nobody is told of one that is gone; who still had a hold on it hears that nothing is done.
            State::Idle | State::Gone => LabState::Idle,
            State::Queued => LabState::Queued,
            State::Running => LabState::Running,
            State::Done => LabState::Done,
            State::Failed => LabState::Failed,
        }
    }
}
