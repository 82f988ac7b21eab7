//! The marking of a running net with what it enables, changed one place at a time.

use super::history::{Log, Toggle};
use super::marking::{Marking, TokenOverflow, shifted};
use super::net::{PetriNet, PlaceIx};
use super::plan::{Effect, Need, Plan};
use super::watch::Watch;

/// Marks a transition that is not in the enabled array.
pub(super) const ABSENT: u32 = u32::MAX;

/// What a firing changes. Apart from the plan, so that one can be read while the other is written.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub marking: Marking,
    /// Per transition: how many of its inputs hold too few tokens. Enabled means zero.
    unmet: Vec<u32>,
    pub enabled: Vec<u32>,
    /// Per transition: where it lies in `enabled`, or [`ABSENT`].
    pub slot: Vec<u32>,
    /// Boxed, and so is the log: they are rarely there. What is done `NOTED` is told to both.
    pub watch: Option<Box<Watch>>,
    pub log: Option<Box<Log>>,
}

impl State {
    pub fn initial(net: &PetriNet) -> Self {
        let marking = Marking::initial(net);
        let mut state = Self {
            unmet: Vec::with_capacity(net.transitions.len()),
            enabled: Vec::new(),
            slot: vec![ABSENT; net.transitions.len()],
            marking,
            watch: None,
            log: None,
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

    /// Whether anybody wants to be told.
    pub fn noted(&self) -> bool {
        self.watch.is_some() || self.log.is_some()
    }

    /// Applies the effect of an enabled transition, or nothing of it.
    #[inline(always)]
    pub fn apply<const NOTED: bool>(&mut self, plan: &Plan, t: u32) -> Result<(), PlaceIx> {
        let effects = plan.effects(t);
        for (done, &Effect { place, delta }) in effects.iter().enumerate() {
            match shifted(self.marking.0[place as usize], delta) {
                Ok(tokens) => self.put::<NOTED>(plan, place, tokens),
                Err(TokenOverflow) => {
                    self.undo::<NOTED>(plan, &effects[..done]);
                    return Err(PlaceIx(place));
                }
            }
        }
        if NOTED && let Some(watch) = &mut self.watch {
            watch.fired(t);
        }
        Ok(())
    }

    #[cold]
    fn undo<const NOTED: bool>(&mut self, plan: &Plan, effects: &[Effect]) {
        for &Effect { place, delta } in effects.iter().rev() {
            let tokens = self.marking.0[place as usize].wrapping_sub(delta as u64);
            self.put::<NOTED>(plan, place, tokens);
        }
    }

    /// Sets the tokens of one place and tells the consumers whose threshold that crosses.
    #[inline(always)]
    pub fn put<const NOTED: bool>(&mut self, plan: &Plan, place: u32, new: u64) {
        let old = std::mem::replace(&mut self.marking.0[place as usize], new);
        if NOTED && let Some(watch) = &mut self.watch {
            watch.place(place);
        }
        let (top, consumers) = plan.consumers(place);
        if old < top && old < new {
            for &Need { transition, weight } in consumers {
                if old < weight && weight <= new {
                    let unmet = &mut self.unmet[transition as usize];
                    *unmet -= 1;
                    if *unmet == 0 {
                        self.enable::<NOTED>(transition);
                    }
                }
            }
        } else if new < top && new < old {
            for &Need { transition, weight } in consumers {
                if new < weight && weight <= old {
                    let unmet = &mut self.unmet[transition as usize];
                    *unmet += 1;
                    if *unmet == 1 {
                        self.disable::<NOTED>(transition);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn enable<const NOTED: bool>(&mut self, t: u32) {
        if NOTED {
            self.toggled(t, ABSENT);
        }
        self.slot[t as usize] = self.enabled.len() as u32;
        self.enabled.push(t);
    }

    #[inline(always)]
    fn disable<const NOTED: bool>(&mut self, t: u32) {
        let slot = std::mem::replace(&mut self.slot[t as usize], ABSENT);
        if NOTED {
            self.toggled(t, slot);
        }
        self.enabled.swap_remove(slot as usize);
        if let Some(&moved) = self.enabled.get(slot as usize) {
            self.slot[moved as usize] = slot;
        }
    }

    fn toggled(&mut self, transition: u32, slot: u32) {
        if let Some(watch) = &mut self.watch {
            watch.toggle(transition);
        }
        if let Some(log) = &mut self.log {
            log.toggle(Toggle { transition, slot });
        }
    }

    /// Sets the tokens of one place as they were, and with them what its consumers lack, but not which of them are enabled.
    pub fn put_back(&mut self, plan: &Plan, place: u32, before: u64) {
        let now = std::mem::replace(&mut self.marking.0[place as usize], before);
        for &Need { transition, weight } in plan.consumers(place).1 {
            let unmet = &mut self.unmet[transition as usize];
            match (now >= weight, before >= weight) {
                (false, true) => *unmet -= 1,
                (true, false) => *unmet += 1,
                _ => {}
            }
        }
        if let Some(watch) = &mut self.watch {
            watch.place(place);
        }
    }

    /// Takes back one change of the enabled array, which was the last one. The array is then in the very order it was in.
    pub fn toggle_back(&mut self, Toggle { transition, slot }: Toggle) {
        if slot == ABSENT {
            // It was enabled, at the end.
            self.enabled.pop();
        } else {
            let end = self.enabled.len() as u32;
            match self.enabled.get_mut(slot as usize) {
                None => self.enabled.push(transition),
                Some(at) => {
                    let moved = std::mem::replace(at, transition);
                    self.enabled.push(moved);
                    self.slot[moved as usize] = end;
                }
            }
        }
        self.slot[transition as usize] = slot;
        if let Some(watch) = &mut self.watch {
            watch.toggle(transition);
        }
    }
}
