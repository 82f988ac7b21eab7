//! From a marking to its successors: the hot loop of an exploration.

use super::{BATCH, Explorer, LOOK, Stop};
use crate::petri::analysis::budget::Deadline;
use crate::petri::analysis::packing::sized;
use crate::petri::analysis::store::hash;

impl Explorer<'_> {
    /// Adds all successors of a marking.
    #[inline(always)]
    pub(super) fn expand<const W: usize>(
        &mut self,
        marking: &[u64],
        successor: &mut [u64],
        deadline: &Deadline<'_>,
    ) -> Result<(), Stop> {
        let mut edges = 0;
        for t in 0..self.fired.len() {
            if self.packing.is_enabled::<W>(marking, t) {
                edges += 1;
                self.follow::<W>(marking, t, successor, deadline)?;
            }
        }
        self.flush::<W>(deadline)?;
        self.count(edges);
        Ok(())
    }

    pub(super) fn expand_chosen<const W: usize>(
        &mut self,
        marking: &[u64],
        successor: &mut [u64],
        chosen: &[u32],
        deadline: &Deadline<'_>,
    ) -> Result<(), Stop> {
        for &t in chosen {
            self.follow::<W>(marking, t as usize, successor, deadline)?;
        }
        self.flush::<W>(deadline)?;
        self.count(chosen.len() as u64);
        Ok(())
    }

    #[inline(always)]
    fn count(&mut self, edges: u64) {
        self.edges += edges;
        if edges == 0 && self.deadlock.is_none() {
            self.deadlock = Some(self.next);
        }
    }

    #[inline(always)]
    fn follow<const W: usize>(
        &mut self,
        marking: &[u64],
        t: usize,
        successor: &mut [u64],
        deadline: &Deadline<'_>,
    ) -> Result<(), Stop> {
        if self.late(2 + marking.len() as u64, deadline) {
            return Err(Stop::Late);
        }
        if !self.packing.fire::<W>(marking, t, successor)
            && let Some(outgrown) = self.packing.outgrown(successor)
        {
            return Err(Stop::Outgrown(outgrown));
        }
        self.fired[t] = true;
        self.pending.extend_from_slice(sized::<W>(successor));
        self.hashes.push(hash::<W>(successor));
        if self.hashes.len() == BATCH { self.flush::<W>(deadline) } else { Ok(()) }
    }

    /// Stores the successors that wait. Each lookup misses the caches twice, so all of a batch are looked at first and the misses overlap.
    #[inline(always)]
    fn flush<const W: usize>(&mut self, deadline: &Deadline<'_>) -> Result<(), Stop> {
        self.store.touch::<W>(&self.hashes);
        let words = if W == 0 { self.packing.words() } else { W };
        for (successor, &hash) in self.pending.chunks_exact(words).zip(&self.hashes) {
            self.store.add::<W>(successor, hash, self.next, deadline).map_err(Stop::Store)?;
        }
        self.pending.clear();
        self.hashes.clear();
        Ok(())
    }

    /// Counts work, and looks at the clock now and then.
    #[inline(always)]
    pub(super) fn late(&mut self, work: u64, deadline: &Deadline<'_>) -> bool {
        self.work += work;
        if self.work < LOOK {
            return false;
        }
        self.work = 0;
        if let Some(seen) = self.seen {
            seen(self.states());
        }
        deadline.passed()
    }
}
