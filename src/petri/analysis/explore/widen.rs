//! What to do when a place outgrows its field.

use super::{Explorer, MAX_PATH, Rest};
use crate::petri::analysis::budget::Deadline;
use crate::petri::analysis::packing::{Outgrown, Packing};
use crate::petri::analysis::store::Store;
use crate::petri::net::PlaceIx;

impl Explorer<'_> {
    /// Makes the field of a place wider and packs all markings anew. `outgrown_by` is the marking that did not fit, a successor of the one
    /// being expanded. A place seldom outgrows its field, so here is the moment to look for unboundedness.
    pub(super) fn widen(
        &mut self,
        outgrown: Outgrown,
        outgrown_by: &[u64],
        deadline: &Deadline<'_>,
    ) -> Result<(), Rest> {
        let Outgrown { place, tokens } = outgrown;
        self.most[place] = self.most[place].max(tokens);
        if !self.bounded
            && let Some(place) = self.covered(outgrown_by)
        {
            return Err(Rest::Unbounded(place));
        }
        let bits = self.bits[place] + 1 + self.bits[place] / 2;
        if self.bits[place] >= Packing::MAX_BITS {
            return Err(Rest::TooManyTokens);
        }
        self.bits[place] = bits.min(Packing::MAX_BITS);
        let wider = Packing::new(self.net, &self.bits, &self.single);
        let empty = Store::new(1, 0);
        let store = std::mem::replace(&mut self.store, empty);
        let old = &self.packing;
        self.store = store
            .converted(wider.words(), |from, to| wider.pack(old.unpack(from), to), deadline)
            .map_err(Rest::Hit)?;
        self.ones = vec![0; wider.words()];
        self.packing = wider;
        Ok(())
    }

    /// Whether a marking on the path to this one is covered by a later one of it: then the firings between them can be repeated for ever,
    /// and some place grows with each round.
    fn covered(&self, last: &[u64]) -> Option<PlaceIx> {
        let path = self.store.path(self.next);
        let path = &path[path.len().saturating_sub(MAX_PATH)..];
        // The last one's fields may reach into their guards: read it as wide as that.
        let later: Vec<u64> = self.packing.unpack_wide(last).collect();
        path.iter().rev().find_map(|&id| {
            let earlier = self.store.get(id);
            let mut grown = None;
            for (place, &tokens) in later.iter().enumerate() {
                let before = self.packing.tokens(earlier, place);
                if tokens < before {
                    return None;
                }
                if tokens > before {
                    grown = Some(PlaceIx(place as u32));
                }
            }
            grown
        })
    }
}
