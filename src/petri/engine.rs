//! Runs a net: picks an enabled transition at random, fires it, and keeps the set of enabled ones up to date.
//!
//! The cost of a firing is the places it touches and the transitions whose enabledness it changes; the size of the net
//! does not enter. Three things make that so: the effect of each transition is precomputed with self-loops netted out;
//! each transition counts the inputs it still lacks; the enabled transitions lie densely in one array, so that picking
//! one is one multiplication and removing one is a swap.
//!
//! **Replay.** The same net, seed and sequence of calls give the same firings, on every machine and in every later
//! version. Part of that promise, hence not to be changed: the generator is Xoshiro256++ seeded through SplitMix64; a
//! pick takes the upper 32 bits of an output through Lemire's bounded multiplication with rejection; the enabled array
//! starts in ascending order, grows at its end and shrinks by swapping with the last; a firing changes places in
//! ascending order, and a place tells its consumers in ascending order.

use std::sync::Arc;

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::marking::{Marking, TokenOverflow, shifted};
use super::net::{MAX_COUNT, PetriNet, PlaceIx, TransitionIx};
pub use super::outcome::{FireError, InjectError, RunEnd, RunOutcome, Step};
use super::plan::{Effect, Plan};
use super::watch::{Changes, Watch};

/// Marks a transition that is not in the enabled array.
const ABSENT: u32 = u32::MAX;

/// A net being run. See the module's head for what it costs and promises.
#[derive(Clone, Debug)]
pub struct Engine {
    net: Arc<PetriNet>,
    plan: Arc<Plan>,
    seed: u64,
    rng: Xoshiro256PlusPlus,
    state: State,
    fired: Vec<u64>,
    total: u64,
}

/// What a firing changes. Apart from the plan, so that one can be read while the other is written.
#[derive(Clone, Debug)]
struct State {
    marking: Marking,
    /// Per transition: how many of its inputs hold too few tokens. Enabled means zero.
    unmet: Vec<u32>,
    enabled: Vec<u32>,
    /// Per transition: where it lies in `enabled`, or [`ABSENT`].
    slot: Vec<u32>,
    /// Boxed: it is rarely there.
    watch: Option<Box<Watch>>,
}

impl Engine {
    pub fn new(net: Arc<PetriNet>, seed: u64) -> Self {
        let plan = Arc::new(Plan::of(&net));
        let state = State::initial(&net);
        let fired = vec![0; net.transitions.len()];
        Self { net, plan, seed, rng: Xoshiro256PlusPlus::seed_from_u64(seed), state, fired, total: 0 }
    }

    pub fn net(&self) -> &Arc<PetriNet> {
        &self.net
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    pub fn marking(&self) -> &Marking {
        &self.state.marking
    }

    /// Firings since the start or the last reset.
    pub fn total_fired(&self) -> u64 {
        self.total
    }

    /// Firings per transition since the start or the last reset, in the order of [`PetriNet::transitions`].
    pub fn fired(&self) -> &[u64] {
        &self.fired
    }

    /// The enabled transitions, in no order that means anything.
    pub fn enabled(&self) -> impl ExactSizeIterator<Item = TransitionIx> + '_ {
        self.state.enabled.iter().map(|&t| TransitionIx(t))
    }

    pub fn enabled_count(&self) -> usize {
        self.state.enabled.len()
    }

    pub fn is_enabled(&self, t: TransitionIx) -> bool {
        self.state.slot.get(t.index()).is_some_and(|&slot| slot != ABSENT)
    }

    /// Nothing is enabled.
    pub fn is_dead(&self) -> bool {
        self.state.enabled.is_empty()
    }

    /// Fires this very transition.
    pub fn fire(&mut self, t: TransitionIx) -> Result<(), FireError> {
        if t.index() >= self.fired.len() {
            return Err(FireError::Unknown(t));
        }
        if !self.is_enabled(t) {
            return Err(FireError::NotEnabled(t));
        }
        self.state
            .apply::<true>(&self.plan, t.0)
            .map_err(|place| FireError::Overflow { transition: t, place })?;
        self.fired[t.index()] += 1;
        self.total += 1;
        Ok(())
    }

    /// Fires one transition, picked uniformly at random among the enabled.
    pub fn step(&mut self) -> Step {
        let Some(t) = self.pick() else { return Step::Dead };
        match self.fire(TransitionIx(t)) {
            Ok(()) => Step::Fired(TransitionIx(t)),
            Err(FireError::Overflow { transition, place }) => Step::Overflow { transition, place },
            // `pick` only gives transitions that exist and are enabled.
            Err(FireError::Unknown(_) | FireError::NotEnabled(_)) => unreachable!("picked among the enabled"),
        }
    }

    /// At most `max_firings` steps; the hot loop.
    pub fn run(&mut self, max_firings: u64) -> RunOutcome {
        match self.state.watch {
            Some(_) => self.run_loop::<true>(max_firings),
            None => self.run_loop::<false>(max_firings),
        }
    }

    fn run_loop<const WATCHED: bool>(&mut self, max_firings: u64) -> RunOutcome {
        let mut fired = 0;
        let mut end = RunEnd::Limit;
        while fired < max_firings {
            let Some(t) = self.pick() else {
                end = RunEnd::Dead;
                break;
            };
            if let Err(place) = self.state.apply::<WATCHED>(&self.plan, t) {
                end = RunEnd::Overflow { transition: TransitionIx(t), place };
                break;
            }
            self.fired[t as usize] += 1;
            fired += 1;
        }
        self.total += fired;
        RunOutcome { fired, end }
    }

    /// Back to the initial marking, counts at zero and the generator at its seed: what follows is what followed before.
    pub fn reset(&mut self) {
        let watch = self.state.watch.take();
        let before = std::mem::replace(&mut self.state, State::initial(&self.net));
        if let Some(mut watch) = watch {
            let tokens = before.marking.as_slice().iter().zip(self.state.marking.as_slice());
            tokens.enumerate().filter(|(_, (old, new))| old != new).for_each(|(p, _)| watch.place(p as u32));
            let slots = before.slot.iter().zip(&self.state.slot);
            let toggled = slots.enumerate().filter(|(_, (old, new))| (**old == ABSENT) != (**new == ABSENT));
            toggled.for_each(|(t, _)| watch.toggle(t as u32));
            watch.forget_fired();
            self.state.watch = Some(watch);
        }
        self.rng = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        self.fired.fill(0);
        self.total = 0;
    }

    /// Puts tokens on a place from outside.
    pub fn inject(&mut self, place: PlaceIx, tokens: u64) -> Result<(), InjectError> {
        let now = self.state.marking.get(place).ok_or(InjectError::Unknown(place))?;
        let next = now.checked_add(tokens).filter(|next| *next <= MAX_COUNT);
        let next = next.ok_or(InjectError::Overflow(place))?;
        self.state.put::<true>(&self.plan, place.0, next);
        Ok(())
    }

    /// Starts or stops the account of changes. Off, a run pays nothing for it.
    pub fn watch(&mut self, on: bool) {
        if on != self.state.watch.is_some() {
            let (places, transitions) = (self.net.places.len(), self.net.transitions.len());
            self.state.watch = on.then(|| Box::new(Watch::new(places, transitions)));
        }
    }

    /// What changed since the last call. Empty unless [`watch`](Self::watch) is on.
    pub fn take_changes(&mut self) -> Changes {
        let State { marking, slot, watch, .. } = &mut self.state;
        let Some(watch) = watch else { return Changes::default() };
        watch.take(marking.as_slice(), |t| slot[t as usize] != ABSENT)
    }

    /// A uniform pick among the enabled transitions (Lemire, "Fast random integer generation in an interval", 2019).
    #[inline(always)]
    fn pick(&mut self) -> Option<u32> {
        let n = self.state.enabled.len() as u32;
        if n == 0 {
            return None;
        }
        let mut product = (self.rng.next_u64() >> 32) * u64::from(n);
        if (product as u32) < n {
            let threshold = n.wrapping_neg() % n;
            while (product as u32) < threshold {
                product = (self.rng.next_u64() >> 32) * u64::from(n);
            }
        }
        Some(self.state.enabled[(product >> 32) as usize])
    }
}

impl State {
    fn initial(net: &PetriNet) -> Self {
        let marking = Marking::initial(net);
        let mut state = Self {
            unmet: Vec::with_capacity(net.transitions.len()),
            enabled: Vec::new(),
            slot: vec![ABSENT; net.transitions.len()],
            marking,
            watch: None,
        };
        for t in net.transition_indexes() {
            let tokens = state.marking.as_slice();
            let unmet = net.inputs(t).iter().filter(|arc| tokens[arc.place.index()] < arc.weight).count();
            state.unmet.push(unmet as u32);
            if unmet == 0 {
                state.enable::<false>(t.0);
            }
        }
        state
    }

    /// Applies the effect of an enabled transition, or nothing of it.
    #[inline(always)]
    fn apply<const WATCHED: bool>(&mut self, plan: &Plan, t: u32) -> Result<(), PlaceIx> {
        let effects = plan.effects(t);
        for (done, &Effect { place, delta }) in effects.iter().enumerate() {
            match shifted(self.marking.0[place as usize], delta) {
                Ok(tokens) => self.put::<WATCHED>(plan, place, tokens),
                Err(TokenOverflow) => {
                    self.undo::<WATCHED>(plan, &effects[..done]);
                    return Err(PlaceIx(place));
                }
            }
        }
        if WATCHED && let Some(watch) = &mut self.watch {
            watch.fired(t);
        }
        Ok(())
    }

    #[cold]
    fn undo<const WATCHED: bool>(&mut self, plan: &Plan, effects: &[Effect]) {
        for &Effect { place, delta } in effects.iter().rev() {
            let tokens = self.marking.0[place as usize].wrapping_sub(delta as u64);
            self.put::<WATCHED>(plan, place, tokens);
        }
    }

    /// Sets the tokens of one place and tells the consumers whose threshold that crosses.
    #[inline(always)]
    fn put<const WATCHED: bool>(&mut self, plan: &Plan, place: u32, new: u64) {
        let old = std::mem::replace(&mut self.marking.0[place as usize], new);
        if WATCHED && let Some(watch) = &mut self.watch {
            watch.place(place);
        }
        let (top, consumers) = plan.consumers(place);
        if old < top && old < new {
            for consumer in consumers {
                if old < consumer.weight && consumer.weight <= new {
                    let unmet = &mut self.unmet[consumer.transition as usize];
                    *unmet -= 1;
                    if *unmet == 0 {
                        self.enable::<WATCHED>(consumer.transition);
                    }
                }
            }
        } else if new < top && new < old {
            for consumer in consumers {
                if new < consumer.weight && consumer.weight <= old {
                    let unmet = &mut self.unmet[consumer.transition as usize];
                    *unmet += 1;
                    if *unmet == 1 {
                        self.disable::<WATCHED>(consumer.transition);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn toggled<const WATCHED: bool>(&mut self, t: u32) {
        if WATCHED && let Some(watch) = &mut self.watch {
            watch.toggle(t);
        }
    }

    #[inline(always)]
    fn enable<const WATCHED: bool>(&mut self, t: u32) {
        self.toggled::<WATCHED>(t);
        self.slot[t as usize] = self.enabled.len() as u32;
        self.enabled.push(t);
    }

    #[inline(always)]
    fn disable<const WATCHED: bool>(&mut self, t: u32) {
        self.toggled::<WATCHED>(t);
        let slot = std::mem::replace(&mut self.slot[t as usize], ABSENT);
        self.enabled.swap_remove(slot as usize);
        if let Some(&moved) = self.enabled.get(slot as usize) {
            self.slot[moved as usize] = slot;
        }
    }
}
