//! What changed in a net since somebody last looked. Its size is bounded by the net, not by how much happened.

use serde::{Deserialize, Serialize};

use super::net::{PlaceIx, TransitionIx};

/// How many of the last firings are told one by one.
pub const RECENT: usize = 50;

/// What happened since the last look.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// Each place touched, once, with its tokens now.
    pub tokens: Vec<(PlaceIx, u64)>,
    /// Transitions that are enabled now and were not then.
    pub enabled: Vec<TransitionIx>,
    /// Transitions that were enabled then and are not now.
    pub disabled: Vec<TransitionIx>,
    /// The last transitions fired, oldest first, at most [`RECENT`].
    pub fired: Vec<TransitionIx>,
    /// Firings before those in `fired`.
    pub skipped: u64,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.enabled.is_empty() && self.disabled.is_empty() && self.fired.is_empty()
    }
}

/// Keeps the account. The engine notes here while somebody watches.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    places: Vec<u32>,
    place_listed: Vec<bool>,
    transitions: Vec<u32>,
    toggled: Vec<Toggled>,
    recent: [u32; RECENT],
    fired: u64,
    /// The oldest firing that `recent` still holds, or would if it was fired.
    oldest: u64,
}

/// How often a transition changed between enabled and not: only whether, and whether an odd number of times, matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Toggled {
    Never,
    Even,
    Odd,
}

impl Watch {
    pub fn new(places: usize, transitions: usize) -> Self {
        Self {
            places: Vec::new(),
            place_listed: vec![false; places],
            transitions: Vec::new(),
            toggled: vec![Toggled::Never; transitions],
            recent: [0; RECENT],
            fired: 0,
            oldest: 0,
        }
    }

    #[inline(always)]
    pub fn place(&mut self, place: u32) {
        let listed = &mut self.place_listed[place as usize];
        if !*listed {
            *listed = true;
            self.places.push(place);
        }
    }

    #[inline(always)]
    pub fn toggle(&mut self, transition: u32) {
        let toggled = &mut self.toggled[transition as usize];
        *toggled = match *toggled {
            Toggled::Never => {
                self.transitions.push(transition);
                Toggled::Odd
            }
            Toggled::Odd => Toggled::Even,
            Toggled::Even => Toggled::Odd,
        };
    }

    #[inline(always)]
    pub fn fired(&mut self, transition: u32) {
        self.recent[(self.fired % RECENT as u64) as usize] = transition;
        self.fired += 1;
        self.oldest = self.oldest.max(self.fired.saturating_sub(RECENT as u64));
    }

    /// The last firing was taken back. One that has been told already stays told.
    pub fn unfired(&mut self) {
        self.fired = self.fired.saturating_sub(1);
        self.oldest = self.oldest.min(self.fired);
    }

    /// The firings noted so far did not lead to where the net is now.
    pub fn forget_fired(&mut self) {
        self.fired = 0;
        self.oldest = 0;
    }

    /// Gives the account and begins a new one.
    pub fn take(&mut self, tokens: &[u64], is_enabled: impl Fn(u32) -> bool) -> Changes {
        let mut changes = Changes { skipped: self.oldest, ..Changes::default() };
        for place in self.places.drain(..) {
            self.place_listed[place as usize] = false;
            changes.tokens.push((PlaceIx(place), tokens[place as usize]));
        }
        for transition in self.transitions.drain(..) {
            if std::mem::replace(&mut self.toggled[transition as usize], Toggled::Never) == Toggled::Odd {
                let list = if is_enabled(transition) { &mut changes.enabled } else { &mut changes.disabled };
                list.push(TransitionIx(transition));
            }
        }
        let at = |n: u64| TransitionIx(self.recent[(n % RECENT as u64) as usize]);
        changes.fired = (changes.skipped..self.fired).map(at).collect();
        self.fired = 0;
        self.oldest = 0;
        changes
    }
}
