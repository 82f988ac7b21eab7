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

use super::history::{Happened, Log, TakenBack};
use super::marking::{Marking, shifted};
use super::net::{MAX_COUNT, PetriNet, PlaceIx, TransitionIx};
pub use super::outcome::{FireError, InjectError, RunEnd, RunOutcome, Step};
use super::plan::{Effect, Plan};
use super::recording::{Act, Recording};
use super::state::{ABSENT, State};
use super::watch::{Changes, Watch};

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
    recording: Recording,
}

impl Engine {
    pub fn new(net: Arc<PetriNet>, seed: u64) -> Self {
        let plan = Arc::new(Plan::of(&net));
        let state = State::initial(&net);
        let fired = vec![0; net.transitions.len()];
        let (rng, recording) = (Xoshiro256PlusPlus::seed_from_u64(seed), Recording::new(seed));
        Self { net, plan, seed, rng, state, fired, total: 0, recording }
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
        // Looked at beforehand: to begin and take it back could leave the enabled array in another order, and what is picked next
        // depends on that.
        let full =
            |effect: &&Effect| shifted(self.state.marking.0[effect.place as usize], effect.delta).is_err();
        if let Some(effect) = self.plan.effects(t.0).iter().find(full) {
            return Err(FireError::Overflow { transition: t, place: PlaceIx(effect.place) });
        }
        self.state
            .apply::<true>(&self.plan, t.0)
            .map_err(|place| FireError::Overflow { transition: t, place })?;
        self.note(Happened::Fired { transition: t.0 });
        self.recording.push(Act::Fire(t));
        self.fired[t.index()] += 1;
        self.total += 1;
        Ok(())
    }

    /// Fires one transition, picked uniformly at random among the enabled.
    pub fn step(&mut self) -> Step {
        let before = self.rng.clone();
        let Some(t) = self.pick() else { return Step::Dead };
        self.recording.picks(1);
        self.apply_picked::<true>(t, before)
    }

    /// Fires the transition that was picked. `before` is the generator as it was until then.
    #[inline(always)]
    fn apply_picked<const NOTED: bool>(&mut self, t: u32, before: Xoshiro256PlusPlus) -> Step {
        let transition = TransitionIx(t);
        match self.state.apply::<NOTED>(&self.plan, t) {
            Ok(()) => {
                if NOTED {
                    self.note(Happened::Picked { transition: t, before });
                }
                self.fired[t as usize] += 1;
                self.total += 1;
                Step::Fired(transition)
            }
            Err(place) => {
                if NOTED {
                    self.note(Happened::Tried { before });
                }
                Step::Overflow { transition, place }
            }
        }
    }

    fn note(&mut self, happened: Happened) {
        if let Some(log) = &mut self.state.log {
            log.step(happened);
        }
    }

    /// At most `max_firings` steps; the hot loop.
    pub fn run(&mut self, max_firings: u64) -> RunOutcome {
        let outcome = match self.state.noted() {
            true => self.run_loop::<true>(max_firings),
            false => self.run_loop::<false>(max_firings),
        };
        self.recording.picks(outcome.fired + u64::from(matches!(outcome.end, RunEnd::Overflow { .. })));
        outcome
    }

    fn run_loop<const NOTED: bool>(&mut self, max_firings: u64) -> RunOutcome {
        let mut fired = 0;
        while fired < max_firings {
            let before = self.rng.clone();
            let Some(t) = self.pick() else { return RunOutcome { fired, end: RunEnd::Dead } };
            match self.apply_picked::<NOTED>(t, before) {
                Step::Overflow { transition, place } => {
                    return RunOutcome { fired, end: RunEnd::Overflow { transition, place } };
                }
                _ => fired += 1,
            }
        }
        RunOutcome { fired, end: RunEnd::Limit }
    }

    /// Back to the initial marking, counts at zero and the generator at its seed: what follows is what followed before.
    pub fn reset(&mut self) {
        let (watch, mut log) = (self.state.watch.take(), self.state.log.take());
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
        log.iter_mut().for_each(|log| log.clear());
        self.state.log = log;
        self.recording = Recording::new(self.seed);
        self.rng = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        self.fired.fill(0);
        self.total = 0;
    }

    /// [`reset`](Self::reset) to another seed: as a new engine of the same net would be, for less.
    pub fn restart(&mut self, seed: u64) {
        self.seed = seed;
        self.reset();
    }

    /// Puts tokens on a place from outside.
    pub fn inject(&mut self, place: PlaceIx, tokens: u64) -> Result<(), InjectError> {
        let now = self.state.marking.get(place).ok_or(InjectError::Unknown(place))?;
        let next = now.checked_add(tokens).filter(|next| *next <= MAX_COUNT);
        let next = next.ok_or(InjectError::Overflow(place))?;
        self.state.put::<true>(&self.plan, place.0, next);
        self.note(Happened::Injected { place, tokens });
        self.recording.push(Act::Inject { place, tokens });
        Ok(())
    }

    /// Keeps the last `steps` firings and injections from now on, so that they can be taken [`back`](Self::back); 0 keeps none. A step
    /// takes some 60 bytes, and 8 for each transition that it enables or disables. Off, a run pays nothing for it.
    pub fn keep(&mut self, steps: usize) {
        if self.state.log.as_ref().map_or(0, |log| log.limit()) != steps {
            self.state.log = (steps > 0).then(|| Box::new(Log::new(steps)));
        }
    }

    /// How many steps can be taken back.
    pub fn kept(&self) -> usize {
        self.state.log.as_ref().map_or(0, |log| log.len())
    }

    /// Takes the last firing or injection back, if it is kept. All is as it was before, the generator too: what follows by lot is what
    /// followed then.
    pub fn back(&mut self) -> Option<TakenBack> {
        loop {
            let (happened, toggles) = self.state.log.as_mut()?.pop()?;
            let (taken_back, before) = match happened {
                Happened::Picked { transition, before } => {
                    (Some(TakenBack::Fired(TransitionIx(transition))), Some(before))
                }
                Happened::Fired { transition } => (Some(TakenBack::Fired(TransitionIx(transition))), None),
                Happened::Injected { place, tokens } => (Some(TakenBack::Injected { place, tokens }), None),
                Happened::Tried { before } => (None, Some(before)),
            };
            match taken_back {
                Some(TakenBack::Fired(t)) => self.unfire(t),
                Some(TakenBack::Injected { place, tokens }) => {
                    let now = self.state.marking.0[place.index()];
                    self.state.put_back(&self.plan, place.0, now - tokens);
                }
                None => {}
            }
            toggles.into_iter().for_each(|toggle| self.state.toggle_back(toggle));
            self.recording.pop();
            if let Some(before) = before {
                self.rng = before;
            }
            if taken_back.is_some() {
                return taken_back;
            }
        }
    }

    fn unfire(&mut self, t: TransitionIx) {
        for &Effect { place, delta } in self.plan.effects(t.0).iter().rev() {
            let now = self.state.marking.0[place as usize];
            self.state.put_back(&self.plan, place, now.wrapping_sub(delta as u64));
        }
        self.fired[t.index()] -= 1;
        self.total -= 1;
        if let Some(watch) = &mut self.state.watch {
            watch.unfired();
        }
    }

    /// What has been done since the start or the last reset, but for what was taken back. `None`: more than is written down, which takes
    /// ten thousand acts by hand.
    pub fn recording(&self) -> Option<&Recording> {
        self.recording.is_whole().then_some(&self.recording)
    }

    /// Does again what a recording says was done by lot. `Err`: nothing is enabled before that.
    pub(super) fn pick_again(&mut self, mut picks: u64) -> Result<(), RunEnd> {
        while picks > 0 {
            let outcome = self.run(picks);
            match outcome.end {
                RunEnd::Dead => return Err(RunEnd::Dead),
                RunEnd::Limit => picks = 0,
                RunEnd::Overflow { .. } => picks -= outcome.fired + 1,
            }
        }
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
