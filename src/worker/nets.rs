//! All nets of this worker.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use super::cell::Cell;
use super::hosted::Hosted;
use super::hub::Hub;
use super::protocol::{HostedNet, LogLevel, WorkerEvent};
use super::refusal::Refusal;
use crate::model::{LoadId, NetId, NetMetrics};
use crate::petri::pnml::{self, Limits};

/// The nets, by id. All that may wait for a net is blocking and meant for threads that may block.
pub struct Nets {
    cells: RwLock<BTreeMap<NetId, Arc<Cell>>>,
    hub: Hub,
    limits: Limits,
}

impl Nets {
    pub fn new(hub: Hub) -> Self {
        Self { cells: RwLock::default(), hub, limits: Limits::default() }
    }

    pub fn get(&self, id: NetId) -> Result<Arc<Cell>, Refusal> {
        let cells = self.cells.read().unwrap_or_else(PoisonError::into_inner);
        cells.get(&id).cloned().ok_or(Refusal::NotLoaded)
    }

    fn all(&self) -> Vec<Arc<Cell>> {
        self.cells.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub fn count(&self) -> usize {
        self.cells.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Loads a net; under the load id it already has, nothing happens, under another it replaces what was there.
    /// `seed` decides its choices. Blocks.
    pub fn load(&self, id: NetId, load_id: LoadId, pnml: &[u8], seed: u64) -> Result<HostedNet, Refusal> {
        if let Ok(cell) = self.get(id)
            && cell.load_id == load_id
        {
            return Ok(cell.with(|hosted| hosted.describe()));
        }
        let net = pnml::read(pnml, &self.limits).map_err(Refusal::BadPnml)?;
        let hosted = Hosted::new(id, load_id, Arc::new(net), seed, Instant::now());
        let (answer, seed) = (hosted.describe(), hosted.seed());
        let cell = Cell::new(id, load_id, hosted, self.hub.clone());
        let replaced = {
            let mut cells = self.cells.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(there) = cells.get(&id).filter(|there| there.load_id == load_id).cloned() {
                // The same request came twice and the other was quicker.
                drop(cells);
                return Ok(there.with(|hosted| hosted.describe()));
            }
            let replaced = cells.insert(id, cell);
            // Told under the lock, so that nobody hears of a net's leaving before its coming.
            if let Some(replaced) = &replaced {
                self.hub.tell(&WorkerEvent::Unloaded { id, load_id: replaced.load_id });
            }
            self.hub.tell(&WorkerEvent::Loaded(answer.clone()));
            replaced
        };
        if let Some(replaced) = replaced {
            replaced.leave();
        }
        self.hub.log(LogLevel::Info, Some(id), format!("Loaded; its choices follow seed {seed}."));
        Ok(answer)
    }

    /// Unloads a net; one that is not there is unloaded already. Blocks.
    pub fn unload(&self, id: NetId, only: Option<LoadId>) {
        let left = {
            let mut cells = self.cells.write().unwrap_or_else(PoisonError::into_inner);
            let wanted = cells.get(&id).is_some_and(|cell| only.is_none_or(|only| only == cell.load_id));
            let left = if wanted { cells.remove(&id) } else { None };
            if let Some(left) = &left {
                self.hub.tell(&WorkerEvent::Unloaded { id, load_id: left.load_id });
            }
            left
        };
        if let Some(left) = left {
            left.leave();
        }
    }

    /// The worker ends without its process ending: no net moves any more. Blocks, for as long as a slice lasts at most.
    pub fn leave(&self) {
        for cell in self.all() {
            cell.leave();
        }
    }

    /// Blocks.
    pub fn describe(&self) -> Vec<HostedNet> {
        self.all().iter().map(|cell| cell.with(|hosted| hosted.describe())).collect()
    }

    /// Figures of every net, over the time since the last call. Blocks.
    pub fn measure(&self) -> Vec<NetMetrics> {
        self.all().iter().map(|cell| cell.with(|hosted| hosted.measure(Instant::now()))).collect()
    }
}
