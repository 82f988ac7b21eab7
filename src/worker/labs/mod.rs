//! Labs: experiments that are worked on beside the nets, by threads that stand back for them.
//!
//! What lives here: [`Labs`], all labs of a worker by id; `held` (one of them: its state, and who may change it), `work` (what is
//! counted and explored), `plan` (a plan's words made into numbers of the net as it was read), [`runner`] (the queue and its threads).
//! What may come in: plans and files from a console, which are not trusted. What must not: the nets that run here. A lab has a copy of
//! its own, and nothing that it does can move them.
//!
//! **Nobody waits for a lab.** Commands change its state and return; the thread that works on it finds out within some 50 ms, and puts
//! down what it did for a run that is over. Only who asks for results waits, for a slice.

mod held;
mod plan;
mod priority;
mod runner;
#[cfg(test)]
mod tests;
mod work;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

pub use runner::Runner;

use super::hub::Hub;
use super::protocol::{HostedLab, LabResults, NewLab, WorkerEvent};
use super::refusal::Refusal;
use crate::model::lab::LABS_ON_A_WORKER;
use crate::model::{DefinitionHash, LabFigures, LabId};
use crate::petri::PetriNet;
use crate::petri::pnml::{self, Limits};
use held::Held;

type ById = BTreeMap<LabId, Arc<Held>>;

/// The labs, by id. All that takes a file or gives results is blocking and meant for threads that may block.
pub struct Labs {
    held: RwLock<ById>,
    hub: Hub,
    runner: Arc<Runner>,
    limits: Limits,
}

impl Labs {
    /// The runner may be shared with the labs of other workers.
    pub fn new(hub: Hub, runner: Arc<Runner>) -> Self {
        Self { held: RwLock::default(), hub, runner, limits: Limits::default() }
    }

    fn all(&self) -> RwLockReadGuard<'_, ById> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, id: LabId) -> Result<Arc<Held>, Refusal> {
        self.all().get(&id).cloned().ok_or(Refusal::NoLab)
    }

    /// Makes a lab, idle. The same that is there stays as it is.
    pub fn make(&self, new: NewLab) -> Result<HostedLab, Refusal> {
        let definition = DefinitionHash::of(new.pnml.as_bytes());
        if let Some(answer) = admit(&self.all(), &new, definition)? {
            return Ok(answer);
        }
        plan::check_size(&new.plan)?;
        let net = self.net(&new.pnml, definition)?;
        let (id, lab) = (new.id, Held::new(&new, definition, net, self.hub.clone())?);
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        // Others may have come while the file was read.
        if let Some(answer) = admit(&held, &new, definition)? {
            return Ok(answer);
        }
        let answer = lab.describe();
        held.insert(id, Arc::new(lab));
        // Told under the lock, so that nobody hears of a lab's leaving before its coming.
        self.hub.tell(&WorkerEvent::Lab(answer.clone()));
        Ok(answer)
    }

    /// The net of a definition. Labs of the same one share it.
    fn net(&self, pnml: &str, definition: DefinitionHash) -> Result<Arc<PetriNet>, Refusal> {
        let there = self.all().values().find_map(|lab| lab.net_of(definition));
        match there {
            Some(net) => Ok(net),
            None => pnml::read(pnml.as_bytes(), &self.limits).map(Arc::new).map_err(Refusal::BadPnml),
        }
    }

    pub fn start(&self, id: LabId) -> Result<HostedLab, Refusal> {
        self.get(id)?.start(&self.runner)
    }

    pub fn stop(&self, id: LabId) -> Result<HostedLab, Refusal> {
        let answer = self.get(id)?.stop();
        self.runner.sweep();
        answer
    }

    pub fn wipe(&self, id: LabId) -> Result<HostedLab, Refusal> {
        self.get(id)?.wipe()
    }

    /// Whatever it does, it goes. One that is not there is gone already.
    pub fn delete(&self, id: LabId) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(gone) = held.remove(&id) {
            gone.leave();
            self.hub.tell(&WorkerEvent::LabGone { id });
            self.runner.sweep();
        }
    }

    /// What a lab has found up to now. Waits for a slice of its work.
    pub fn results(&self, id: LabId) -> Result<LabResults, Refusal> {
        Ok(self.get(id)?.work().results())
    }

    pub fn describe(&self) -> Vec<HostedLab> {
        self.all().values().map(|lab| lab.describe()).collect()
    }

    /// Those that work or wait for their turn.
    pub fn figures(&self) -> Vec<LabFigures> {
        self.all().values().filter_map(|lab| lab.figures()).collect()
    }

    /// The worker ends without its process ending: no more work is done for it.
    pub fn leave(&self) {
        let gone = std::mem::take(&mut *self.held.write().unwrap_or_else(PoisonError::into_inner));
        gone.values().for_each(|lab| lab.leave());
        self.runner.sweep();
    }
}

/// Whether there is room for a new lab; the answer at once where it is there already.
fn admit(held: &ById, new: &NewLab, definition: DefinitionHash) -> Result<Option<HostedLab>, Refusal> {
    match held.get(&new.id) {
        Some(there) if there.is(new, definition) => Ok(Some(there.describe())),
        Some(_) => Err(Refusal::LabExists),
        None if held.len() >= LABS_ON_A_WORKER => Err(Refusal::LabLimit(LABS_ON_A_WORKER)),
        None => Ok(None),
    }
}
