//! What a net can do, found out before it is run: its state space, its invariants, and eight verdicts about it.
//!
//! What lives here: [`analyse`], which puts the parts together; the parts: `explore` (the state space, with `packing` and `store`), `live`
//! (its terminal components), [`invariants`], [`bounds`] and `siphon` (what the structure proves), `stubborn` (a smaller state space with
//! the same deadlocks), `walk` (witnesses); [`budget`] and [`verdict`].
//!
//! What may come in: a net, limits and a clock, as values. What must not: guesses. Each part proves what it says, or says nothing; where
//! the budget runs out, a verdict is "not decided" unless what was seen until then settles it.

pub mod bounds;
pub mod budget;
mod explore;
pub mod invariants;
mod live;
mod packing;
mod siphon;
mod sparse;
mod store;
mod structure;
mod stubborn;
mod verdict;
mod walk;

#[cfg(test)]
mod tests;

pub use budget::{Budget, Resource};
pub use structure::Structure;
pub use verdict::{Explored, Report, Undecided, Verdict, Verdicts};

use bounds::StateEquation;
use explore::{Explorer, Rest};
use invariants::Invariants;
use sparse::Vector;
use walk::{Wanted, Witnesses};

use super::net::{PetriNet, PlaceIx, TransitionIx};

/// Markings explored before the structure is asked: most nets people write are done by then.
const FIRST_LOOK: u64 = 50_000;
/// Walks at most.
const ROUNDS: u32 = 200;

/// Finds out what it can within the budget.
pub fn analyse(net: &PetriNet, budget: &Budget<'_>) -> Report {
    analyse_telling(net, budget, &|_| ())
}

/// The same; `seen` is told how many markings were seen: when the invariants are done and the states come, and from time to time from then
/// on.
pub fn analyse_telling(net: &PetriNet, budget: &Budget<'_>, seen: &dyn Fn(u64)) -> Report {
    look(net, budget, [FIRST_LOOK, u64::MAX], seen)
}

#[cfg(test)]
fn analyse_up_to(net: &PetriNet, budget: &Budget<'_>, first: u64, last: u64) -> Report {
    look(net, budget, [first, last], &|_| ())
}

/// The same with a limit on the markings explored before and after the structure is asked. With none, all rests on the structure, the
/// walks and the reduced state space.
fn look(net: &PetriNet, budget: &Budget<'_>, [first, last]: [u64; 2], seen: &dyn Fn(u64)) -> Report {
    let effects = invariants::incidence(net);
    let place_invariants = invariants::of_places(net, budget.memory / 8, &budget.share(0.2));
    let transition_invariants = invariants::of_transitions(net, budget.memory / 8, &budget.share(0.1));
    let memory = budget.memory.saturating_sub(place_invariants.bytes() + transition_invariants.bytes());
    let place_bounds = bounds::of_places(net, &place_invariants.semiflows);
    let bounded = place_bounds.iter().all(Option::is_some);
    let mut explorer = Explorer::new(net, &place_bounds, bounded, memory).watched(seen);

    seen(explorer.states());
    let mut rest = explorer.run(&budget.share(0.3), first, false);
    let mut known = Known::new(net, &effects, place_bounds, bounded);
    known.learn_from(&explorer, rest);
    if rest != Some(Rest::Complete) {
        known.structure(&place_invariants, budget);
        known.walk(budget);
    }
    // An unbounded state space has no end that exploring would come to.
    if !settled(rest) {
        // The full exploration keeps the larger part of the memory.
        known.reduced(memory.saturating_sub(explorer.bytes()) / 3, budget);
        rest = explorer.run(&budget.end(), last, false);
        known.learn_from(&explorer, rest);
    }
    let mut hit = match rest {
        Some(Rest::Hit(resource)) => Some(resource),
        _ => None,
    };
    let complete = rest == Some(Rest::Complete);
    if complete && known.live().is_none() {
        let left = memory.saturating_sub(explorer.bytes());
        let transitions = net.transitions.len();
        match live::is_live(explorer.store(), explorer.packing(), transitions, left, &budget.end()) {
            Ok(live) => known.live = Some(live),
            Err(resource) => hit = Some(resource),
        }
    }
    let dead_transitions = complete.then(|| unfired(net, explorer.fired()));
    let explored = explored(&explorer, rest);
    // The explorer's path is the shortest.
    let deadlock_path = explorer.deadlock_path().or(known.deadlock_path.take());
    Report {
        verdicts: known.verdicts(&explored),
        deadlock_path,
        unbounded: known.unbounded,
        too_many_tokens: rest == Some(Rest::TooManyTokens),
        dead_transitions,
        explored,
        place_invariants,
        transition_invariants,
        hit,
    }
}

/// Explores the state space and nothing else: no verdicts, no walks.
pub fn state_space(net: &PetriNet, budget: &Budget<'_>) -> Explored {
    let invariants = invariants::of_places(net, budget.memory / 8, &budget.share(0.2));
    let bounds = bounds::of_places(net, &invariants.semiflows);
    let bounded = bounds.iter().all(Option::is_some);
    let memory = budget.memory.saturating_sub(invariants.bytes());
    let mut explorer = Explorer::new(net, &bounds, bounded, memory);
    let rest = explorer.run(&budget.end(), u64::MAX, false);
    explored(&explorer, rest)
}

fn explored(explorer: &Explorer<'_>, rest: Option<Rest>) -> Explored {
    Explored {
        states: explorer.states(),
        edges: explorer.edges(),
        bytes: explorer.bytes() as u64,
        complete: rest == Some(Rest::Complete),
    }
}

/// Nothing more can be learnt by exploring.
fn settled(rest: Option<Rest>) -> bool {
    matches!(rest, Some(Rest::Complete | Rest::Unbounded(_)))
}

fn unfired(net: &PetriNet, fired: &[bool]) -> Vec<TransitionIx> {
    net.transition_indexes().filter(|t| !fired[t.index()]).collect()
}

/// What is known so far. Every field is a fact; `None` and `false` mean only that nothing is known.
struct Known<'n> {
    net: &'n PetriNet,
    effects: &'n [Vector],
    /// No more tokens than this on each place, by proof.
    place_bounds: Vec<Option<u64>>,
    /// No more tokens than this in a marking, by proof.
    marking_bound: Option<u64>,
    bounded: bool,
    witnesses: Witnesses,
    deadlock: Option<bool>,
    deadlock_path: Option<Vec<TransitionIx>>,
    unbounded: Option<PlaceIx>,
    live: Option<bool>,
    complete: bool,
}

impl<'n> Known<'n> {
    fn new(net: &'n PetriNet, effects: &'n [Vector], place_bounds: Vec<Option<u64>>, bounded: bool) -> Self {
        Self {
            net,
            effects,
            place_bounds,
            marking_bound: None,
            bounded,
            witnesses: Witnesses::of(net),
            deadlock: None,
            deadlock_path: None,
            unbounded: None,
            live: None,
            complete: false,
        }
    }

    fn learn_from(&mut self, explorer: &Explorer<'_>, rest: Option<Rest>) {
        self.witnesses.include(explorer.fired(), explorer.most(), explorer.most_in_all());
        match rest {
            Some(Rest::Complete) => {
                self.complete = true;
                self.deadlock = Some(explorer.found_deadlock());
            }
            Some(Rest::Unbounded(place)) => self.unbounded = Some(place),
            _ => {}
        }
        if explorer.found_deadlock() {
            self.deadlock = Some(true);
        }
    }

    /// What the structure proves: bounds by linear programming or by a cover of semiflows, no deadlock by siphons and traps.
    fn structure(&mut self, invariants: &Invariants, budget: &Budget<'_>) {
        self.marking_bound = bounds::of_markings_by_cover(self.net, &invariants.semiflows);
        if let Some(equation) = StateEquation::of(self.net) {
            let deadline = budget.share(0.1);
            let best = equation.most(|_| true, &deadline);
            self.marking_bound = [self.marking_bound, best].into_iter().flatten().min();
            for place in 0..self.net.places.len() {
                if deadline.passed() {
                    break;
                }
                let found = equation.most(|other| other == place, &deadline);
                let bound = &mut self.place_bounds[place];
                *bound = [*bound, found].into_iter().flatten().min();
            }
        }
        self.bounded |= self.marking_bound.is_some() || self.place_bounds.iter().all(Option::is_some);
        if self.deadlock.is_none()
            && let Some(proof) = siphon::prove(self.net, &budget.share(0.1))
        {
            self.deadlock = proof.no_deadlock.then_some(false);
            self.live = proof.live.then_some(true);
        }
    }

    fn walk(&mut self, budget: &Budget<'_>) {
        let wanted = Wanted {
            deadlock: self.deadlock.is_none(),
            firings: true,
            in_place: self
                .place_bounds
                .iter()
                .copied()
                .collect::<Option<Vec<u64>>>()
                .and_then(|all| all.into_iter().max()),
            in_all: self.marking_bound,
            unbounded: !self.bounded && self.unbounded.is_none(),
        };
        self.witnesses.search(self.net, self.effects, &wanted, ROUNDS, &budget.share(0.15));
        if let Some(path) = self.witnesses.deadlock.take() {
            self.deadlock = Some(true);
            self.deadlock_path = Some(path);
        }
        self.unbounded = self.unbounded.or(self.witnesses.unbounded);
    }

    /// Looks for a deadlock in a state space reduced by stubborn sets. What is not found in all of it does not exist.
    fn reduced(&mut self, memory: usize, budget: &Budget<'_>) {
        if self.deadlock.is_some() {
            return;
        }
        let mut explorer =
            Explorer::new(self.net, &self.place_bounds, self.bounded, memory).for_deadlocks(self.effects);
        let rest = explorer.run(&budget.share(0.3), u64::MAX, true);
        self.witnesses.include(explorer.fired(), explorer.most(), explorer.most_in_all());
        match rest {
            Some(Rest::Deadlock) => {
                self.deadlock = Some(true);
                self.deadlock_path = explorer.deadlock_path();
            }
            Some(Rest::Complete) => self.deadlock = Some(explorer.found_deadlock()),
            Some(Rest::Unbounded(place)) => self.unbounded = Some(place),
            _ => {}
        }
    }

    fn one_safe(&self) -> Option<bool> {
        if self.unbounded.is_some() || self.witnesses.most_in_place() > 1 {
            return Some(false);
        }
        let proven = self.place_bounds.iter().all(|bound| bound.is_some_and(|bound| bound <= 1));
        (self.complete || proven).then_some(true)
    }

    fn quasi_live(&self) -> Option<bool> {
        let all = self.witnesses.all_fired() || self.live == Some(true);
        if all { Some(true) } else { self.complete.then_some(false) }
    }

    fn live(&self) -> Option<bool> {
        if self.net.transitions.is_empty() {
            return Some(true);
        }
        // In a deadlock nothing ever fires again; a transition that never fires is not live.
        if self.deadlock == Some(true) || self.quasi_live() == Some(false) {
            return Some(false);
        }
        self.live
    }

    fn max_in_place(&self) -> Option<u64> {
        let met = self.witnesses.most_in_place();
        let bound = self
            .place_bounds
            .iter()
            .copied()
            .collect::<Option<Vec<u64>>>()
            .map(|all| all.into_iter().max().unwrap_or(0));
        (self.unbounded.is_none() && (self.complete || bound == Some(met))).then_some(met)
    }

    fn max_per_marking(&self) -> Option<u64> {
        let met = u64::try_from(self.witnesses.most_in_all).ok()?;
        (self.unbounded.is_none() && (self.complete || self.marking_bound == Some(met))).then_some(met)
    }

    fn verdicts(&self, explored: &Explored) -> Verdicts {
        Verdicts {
            states: explored.complete.then_some(explored.states).into(),
            edges: explored.complete.then_some(explored.edges).into(),
            max_tokens_in_place: self.max_in_place().into(),
            max_tokens_per_marking: self.max_per_marking().into(),
            deadlock: self.deadlock.into(),
            one_safe: self.one_safe().into(),
            quasi_live: self.quasi_live().into(),
            live: self.live().into(),
        }
    }
}
