//! The state space, breadth first: every marking once, in the order of its distance from the initial one.

mod expand;
mod widen;

use super::budget::{Budget, Deadline, Resource};
use super::packing::{Outgrown, Packing};
use super::sparse::Vector;
use super::store::{ROOT, Store, hash};
use super::stubborn::Stubborn;
use crate::petri::net::{PetriNet, PlaceIx, TransitionIx};

/// Work between two looks at the clock: words copied and transitions tried.
const LOOK: u64 = 1 << 18;
/// Successors that are looked up together.
const BATCH: usize = 32;
/// The longest path that is searched for a marking which covers an earlier one.
const MAX_PATH: usize = 20_000;

/// Why an exploration came to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Everything reachable was seen (for a reduced search: everything it needs).
    Complete,
    /// A deadlock was found, and the caller wanted no more.
    Deadlock,
    /// This place grows without bound.
    Unbounded(PlaceIx),
    /// A place holds more tokens than are counted.
    TooManyTokens,
    Hit(Resource),
}

/// An exploration that can be taken up again where it rested.
pub struct Explorer<'n> {
    net: &'n PetriNet,
    packing: Packing,
    bits: Vec<u8>,
    single: Vec<bool>,
    store: Store,
    /// The next marking to expand.
    next: u32,
    edges: u64,
    fired: Vec<bool>,
    deadlock: Option<u32>,
    most: Vec<u64>,
    /// What belongs to `most` of the places of one bit, packed.
    ones: Vec<u64>,
    most_in_all: u128,
    bounded: bool,
    stubborn: Option<Stubborn>,
    failed: Option<Rest>,
    /// Work since the last look at the clock.
    work: u64,
    /// Told at each look how many markings were seen.
    seen: Option<&'n dyn Fn(u64)>,
    /// Successors of the marking being expanded that are not stored yet, and their hashes.
    pending: Vec<u64>,
    hashes: Vec<u64>,
}

impl<'n> Explorer<'n> {
    /// `bounds`: what is proven about places. `bounded`: the state space is known to be finite.
    pub fn new(net: &'n PetriNet, bounds: &[Option<u64>], bounded: bool, memory: usize) -> Self {
        let mut bits = Packing::initial_bits(net);
        for (bits, bound) in bits.iter_mut().zip(bounds) {
            if let Some(bound) = bound {
                *bits = (*bits).max(super::packing::bits_for(*bound).min(8));
            }
        }
        let single: Vec<bool> = bounds.iter().map(|bound| bound.is_some_and(|bound| bound <= 1)).collect();
        let packing = Packing::new(net, &bits, &single);
        let mut store = Store::new(packing.words(), memory);
        let mut initial = vec![0; packing.words()];
        packing.pack(net.places.iter().map(|place| place.initial), &mut initial);
        // The table does not grow for the first one, so the time does not matter.
        let failed = store
            .add::<0>(&initial, hash::<0>(&initial), ROOT, &Budget::of_memory(memory).end())
            .err()
            .map(Rest::Hit);
        Self {
            net,
            ones: vec![0; packing.words()],
            packing,
            bits,
            single,
            store,
            next: 0,
            edges: 0,
            fired: vec![false; net.transitions.len()],
            deadlock: None,
            most: net.places.iter().map(|place| place.initial).collect(),
            most_in_all: net.places.iter().map(|place| u128::from(place.initial)).sum(),
            bounded,
            stubborn: None,
            failed,
            work: 0,
            seen: None,
            pending: Vec::new(),
            hashes: Vec::with_capacity(BATCH),
        }
    }

    /// Tells how many markings it has seen, each time it looks at the clock.
    pub fn watched(mut self, seen: &'n dyn Fn(u64)) -> Self {
        self.seen = Some(seen);
        self
    }

    /// Follows stubborn sets only: all deadlocks are still found, and little else.
    pub fn for_deadlocks(mut self, effects: &[Vector]) -> Self {
        self.stubborn = Some(Stubborn::of(self.net, effects));
        self
    }

    pub fn states(&self) -> u64 {
        u64::from(self.store.len())
    }

    /// Pairs of an expanded marking and a transition enabled in it.
    pub fn edges(&self) -> u64 {
        self.edges
    }

    pub fn bytes(&self) -> usize {
        self.store.bytes()
    }

    /// Per transition, whether it was seen enabled.
    pub fn fired(&self) -> &[bool] {
        &self.fired
    }

    /// The most tokens seen per place.
    pub fn most(&self) -> &[u64] {
        &self.most
    }

    /// The most tokens seen in one marking.
    pub fn most_in_all(&self) -> u128 {
        self.most_in_all
    }

    pub fn found_deadlock(&self) -> bool {
        self.deadlock.is_some()
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn packing(&self) -> &Packing {
        &self.packing
    }

    /// A shortest run to the first deadlock found (shortest only if nothing was left out by stubborn sets).
    pub fn deadlock_path(&self) -> Option<Vec<TransitionIx>> {
        let path = self.store.path(self.deadlock?);
        let mut to = vec![0; self.packing.words()];
        path.windows(2)
            .map(|pair| {
                let (from, goal) = (self.store.get(pair[0]), self.store.get(pair[1]));
                self.net.transition_indexes().find(|t| {
                    self.packing.is_enabled::<0>(from, t.index()) && {
                        self.packing.fire::<0>(from, t.index(), &mut to);
                        to == goal
                    }
                })
            })
            .collect()
    }

    /// Goes on until all is seen or one of the limits is reached. `states` limits the markings in all.
    pub fn run(&mut self, deadline: &Deadline<'_>, states: u64, stop_at_deadlock: bool) -> Option<Rest> {
        if self.failed.is_some() {
            return self.failed;
        }
        let until = Until { deadline, states, deadlock: stop_at_deadlock };
        loop {
            let leg = match self.packing.words() {
                1 => self.run_sized::<1>(&until),
                2 => self.run_sized::<2>(&until),
                3 => self.run_sized::<3>(&until),
                4 => self.run_sized::<4>(&until),
                _ => self.run_sized::<0>(&until),
            };
            self.settle_maxima();
            match leg {
                Leg::Limit => return None,
                Leg::Rest(rest) => return Some(rest),
                Leg::Failed(rest) => {
                    self.failed = Some(rest);
                    return self.failed;
                }
                Leg::Outgrown(outgrown, successor) => {
                    if let Err(rest) = self.widen(outgrown, &successor, deadline) {
                        self.failed = Some(rest);
                        return self.failed;
                    }
                    // The same marking again, in wider fields; what was counted for it has been taken back.
                }
            }
        }
    }

    /// [`run`](Self::run) as long as markings have so many words.
    fn run_sized<const W: usize>(&mut self, until: &Until<'_, '_>) -> Leg {
        let mut marking = vec![0; self.packing.words()];
        let mut successor = marking.clone();
        let mut chosen: Vec<u32> = Vec::new();
        while self.next < self.store.len() {
            if self.late(self.fired.len() as u64, until.deadline) {
                return Leg::Rest(Rest::Hit(Resource::Time));
            }
            if self.states() > until.states {
                return Leg::Limit;
            }
            marking.copy_from_slice(self.store.sized::<W>(self.next));
            // An expansion that was broken off may have left some.
            self.pending.clear();
            self.hashes.clear();
            let end = match &mut self.stubborn {
                None => self.expand::<W>(&marking, &mut successor, until.deadline),
                Some(stubborn) => {
                    stubborn.choose(self.net, |place| self.packing.tokens(&marking, place), &mut chosen);
                    self.expand_chosen::<W>(&marking, &mut successor, &chosen, until.deadline)
                }
            };
            match end {
                Ok(()) => {
                    let sum = self.packing.measure::<W>(&marking, &mut self.ones, &mut self.most);
                    self.most_in_all = self.most_in_all.max(sum);
                    self.next += 1;
                    if until.deadlock && self.deadlock.is_some() {
                        return Leg::Rest(Rest::Deadlock);
                    }
                }
                // Nothing is broken: the same marking is expanded anew next time.
                Err(Stop::Late) => return Leg::Rest(Rest::Hit(Resource::Time)),
                Err(Stop::Store(resource)) => return Leg::Failed(Rest::Hit(resource)),
                Err(Stop::Outgrown(outgrown)) => return Leg::Outgrown(outgrown, successor),
            }
        }
        Leg::Rest(Rest::Complete)
    }

    /// Brings [`most`](Self::most) up to date.
    fn settle_maxima(&mut self) {
        for (most, seen) in self.most.iter_mut().zip(self.packing.unpack(&self.ones)) {
            *most = (*most).max(seen);
        }
    }
}

/// Where a run ends.
struct Until<'d, 'b> {
    deadline: &'d Deadline<'b>,
    states: u64,
    deadlock: bool,
}

/// Why one leg of a run ended.
enum Leg {
    Limit,
    Rest(Rest),
    /// It cannot go on after this.
    Failed(Rest),
    /// By this marking.
    Outgrown(Outgrown, Vec<u64>),
}

/// Why the expansion of a marking was broken off.
enum Stop {
    Late,
    Store(Resource),
    Outgrown(Outgrown),
}
