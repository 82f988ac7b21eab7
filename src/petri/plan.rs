//! A net rearranged for firing: flat arrays with `u32` indexes, worked out once and shared by all engines of a net.

use super::net::PetriNet;

/// What firing a transition does to one place, self-loops netted out. Never zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effect {
    pub place: u32,
    pub delta: i64,
}

/// A transition that needs `weight` tokens on a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    pub transition: u32,
    pub weight: u64,
}

#[derive(Clone, Copy, Debug)]
struct Needs {
    start: u32,
    end: u32,
    /// The greatest weight: while a place stays at or above it, no consumer can notice a change.
    top: u64,
}

#[derive(Debug)]
pub(super) struct Plan {
    effect_ends: Vec<u32>,
    effects: Vec<Effect>,
    places: Vec<Needs>,
    needs: Vec<Need>,
}

impl Plan {
    pub fn of(net: &PetriNet) -> Self {
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
            effects.extend(row.iter().filter(|effect| effect.delta != 0));
            effect_ends.push(effects.len() as u32);
        }
        let mut places = Vec::with_capacity(net.places.len());
        let mut needs = Vec::new();
        for p in net.place_indexes() {
            let consumers = net.consumers(p);
            let start = needs.len() as u32;
            needs.extend(consumers.iter().map(|c| Need { transition: c.transition.0, weight: c.weight }));
            let top = consumers.iter().map(|c| c.weight).max().unwrap_or(0);
            places.push(Needs { start, end: needs.len() as u32, top });
        }
        Self { effect_ends, effects, places, needs }
    }

    #[inline(always)]
    pub fn effects(&self, t: u32) -> &[Effect] {
        let (start, end) = (self.effect_ends[t as usize], self.effect_ends[t as usize + 1]);
        &self.effects[start as usize..end as usize]
    }

    /// The greatest weight among the consumers of a place, and those consumers.
    #[inline(always)]
    pub fn consumers(&self, place: u32) -> (u64, &[Need]) {
        let Needs { start, end, top } = self.places[place as usize];
        (top, &self.needs[start as usize..end as usize])
    }
}
