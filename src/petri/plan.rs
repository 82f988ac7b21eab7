//! A net rearranged for firing: flat arrays with `u32` indexes, worked out once and shared by all engines of a net.
//!
//! What a firing reads is kept small, so that the tables of a large net fit the fastest cache: counts take four bytes, and the rare one that
//! does not fit lies in a table aside.

use super::net::PetriNet;

/// What firing a transition does to one place, self-loops netted out. Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Effect {
    pub place: u32,
    pub delta: i64,
}

/// A transition that needs `weight` tokens on a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub transition: u32,
    pub weight: u64,
}

/// Counts from here on are places in the table of [`Wide`].
const WIDE: i32 = 1 << 30;

/// The counts that take more than four bytes.
#[derive(Debug, Default)]
struct Wide(Vec<i64>);

impl Wide {
    /// A count in four bytes.
    fn narrowed(&mut self, count: i64) -> i32 {
        match i32::try_from(count) {
            Ok(narrow) if narrow < WIDE => narrow,
            _ => {
                self.0.push(count);
                // Arcs are counted in `u32`, and no reader takes as many as a quarter of that.
                WIDE + (self.0.len() - 1) as i32
            }
        }
    }

    #[inline(always)]
    fn count(&self, narrow: i32) -> i64 {
        if narrow < WIDE { i64::from(narrow) } else { self.aside(narrow) }
    }

    #[cold]
    fn aside(&self, narrow: i32) -> i64 {
        self.0[(narrow - WIDE) as usize]
    }
}

/// A place or transition, and a count as [`Wide`] has it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    node: u32,
    count: i32,
}

#[derive(Clone, Copy, Debug)]
struct Needs {
    /// Its consumers end where those of the next place begin.
    start: u32,
    /// The greatest weight: while a place stays at or above it, no consumer can notice a change. `u32::MAX`: one beyond that.
    top: u32,
}

#[derive(Debug)]
pub(super) struct Plan {
    effect_ends: Vec<u32>,
    effects: Vec<Entry>,
    places: Vec<Needs>,
    needs: Vec<Entry>,
    wide: Wide,
}

impl Plan {
    pub fn of(net: &PetriNet) -> Self {
        let mut wide = Wide::default();
        // One more at the front, so that a transition's range is two neighbours.
        let mut effect_ends = vec![0];
        let mut effects = Vec::with_capacity(net.arc_count());
        let mut row: Vec<Effect> = Vec::new();
        for t in net.transition_indexes() {
            // Weights are at most 2^53, so neither sign nor sum can wrap.
            let taken = net.inputs(t).iter().map(|arc| (arc.place.0, -(arc.weight as i64)));
            let given = net.outputs(t).iter().map(|arc| (arc.place.0, arc.weight as i64));
            row.clear();
            row.extend(taken.chain(given).map(|(place, delta)| Effect { place, delta }));
            row.sort_by_key(|effect| effect.place);
            row.dedup_by(|next, kept| {
                let same = next.place == kept.place;
                if same {
                    kept.delta += next.delta;
                }
                same
            });
            let changes = row.iter().filter(|effect| effect.delta != 0);
            effects.extend(
                changes.map(|effect| Entry { node: effect.place, count: wide.narrowed(effect.delta) }),
            );
            effect_ends.push(effects.len() as u32);
        }
        let mut places = Vec::with_capacity(net.places.len() + 1);
        let mut needs = Vec::new();
        for p in net.place_indexes() {
            let consumers = net.consumers(p);
            let top = consumers.iter().map(|c| c.weight).max().unwrap_or(0);
            places.push(Needs { start: needs.len() as u32, top: u32::try_from(top).unwrap_or(u32::MAX) });
            needs.extend(
                consumers
                    .iter()
                    .map(|c| Entry { node: c.transition.0, count: wide.narrowed(c.weight as i64) }),
            );
        }
        places.push(Needs { start: needs.len() as u32, top: 0 });
        Self { effect_ends, effects, places, needs, wide }
    }

    #[inline(always)]
    pub fn effects(&self, t: u32) -> impl DoubleEndedIterator<Item = Effect> + ExactSizeIterator {
        let (start, end) = (self.effect_ends[t as usize], self.effect_ends[t as usize + 1]);
        let effects = self.effects[start as usize..end as usize].iter();
        effects.map(|entry| Effect { place: entry.node, delta: self.wide.count(entry.count) })
    }

    /// Whether a consumer of a place can notice that it holds `fewer` instead of more, or the other way.
    #[inline(always)]
    pub fn is_noticed(&self, place: u32, fewer: u64) -> bool {
        let top = self.places[place as usize].top;
        fewer < u64::from(top) || top == u32::MAX
    }

    #[inline(always)]
    pub fn consumers(&self, place: u32) -> impl Iterator<Item = Need> {
        let (start, end) = (self.places[place as usize].start, self.places[place as usize + 1].start);
        let needs = self.needs[start as usize..end as usize].iter();
        // A weight is never negative.
        needs.map(|entry| Need { transition: entry.node, weight: self.wide.count(entry.count) as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::petri::{NetBuilder, net::MAX_COUNT};

    #[test]
    fn counts_that_take_more_than_four_bytes_are_as_they_were() {
        let counts = [1, (1 << 30) - 1, 1 << 30, u64::from(u32::MAX), 1 << 40, MAX_COUNT];
        let mut net = NetBuilder::new("wide");
        let places: Vec<_> = (0..counts.len()).map(|n| net.place(&format!("p{n}"), 0)).collect();
        let end = net.place("end", 0);
        for (n, count) in counts.into_iter().enumerate() {
            let t = net.transition(&format!("t{n}"));
            net.input(places[n], t, count);
            net.output(t, end, count);
        }
        let plan = Plan::of(&net.build().expect("a sound net"));
        for (n, count) in counts.into_iter().enumerate() {
            let n = n as u32;
            let delta = count as i64;
            let effects: Vec<_> = plan.effects(n).collect();
            assert_eq!(effects, [Effect { place: n, delta: -delta }, Effect { place: 6, delta }]);
            assert_eq!(plan.consumers(n).collect::<Vec<_>>(), [Need { transition: n, weight: count }]);
            assert!(plan.is_noticed(n, count - 1));
        }
        assert!(!plan.is_noticed(0, 1), "it takes one token: more than one change nothing");
        assert_eq!(plan.consumers(6).count(), 0);
    }
}
