//! Markings in few bits, and firing upon them whole words at a time.
//!
//! Each place has a field of bits that holds its tokens, topped by a *guard* bit that is 0 in every stored marking. With the guards of a
//! word set, one subtraction tells whether all its places hold enough tokens (no guard was borrowed from), and after a firing a guard that
//! is set tells of a place that outgrew its field. A place that is proven to hold one token at most needs no guard: it is one bit.

use crate::petri::net::PetriNet;

/// A place's tokens within a packed marking.
#[derive(Clone, Copy, Debug)]
struct Field {
    word: u32,
    shift: u8,
    /// Bits for the tokens, without the guard.
    bits: u8,
    guarded: bool,
}

/// One word of a transition's condition.
#[derive(Clone, Copy, Debug)]
struct Check {
    word: u32,
    /// Taken off the guarded fields.
    least: u64,
    /// Their guards.
    guards: u64,
    /// Bits that must be set: the fields of one bit.
    all: u64,
}

/// One word of a transition's effect.
#[derive(Clone, Copy, Debug)]
struct Change {
    word: u32,
    add: u64,
}

/// How the markings of one net are packed, as long as no place outgrows its field.
#[derive(Clone, Debug)]
pub struct Packing {
    fields: Vec<Field>,
    words: usize,
    guards: Vec<u64>,
    check_ends: Vec<u32>,
    checks: Vec<Check>,
    change_ends: Vec<u32>,
    changes: Vec<Change>,
}

/// A place that outgrew its field: with how many tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgrown {
    pub place: usize,
    pub tokens: u64,
}

/// The bits that hold a number.
pub fn bits_for(value: u64) -> u8 {
    (64 - value.leading_zeros()).max(1) as u8
}

impl Packing {
    /// The most bits of a field: more tokens than `MAX_COUNT` are never counted.
    pub const MAX_BITS: u8 = 54;

    /// The narrowest fields that may hold the initial marking, with no proof about what comes.
    pub fn initial_bits(net: &PetriNet) -> Vec<u8> {
        let mut most: Vec<u64> = net.places.iter().map(|place| place.initial).collect();
        for t in net.transition_indexes() {
            for arc in net.outputs(t) {
                // A firing may at most double what a field holds: the guard must catch it.
                let most = &mut most[arc.place.index()];
                *most = (*most).max(arc.weight);
            }
        }
        most.into_iter().map(bits_for).collect()
    }

    /// Packs with these bits a place, at least [`initial_bits`](Self::initial_bits). A place of `single` never holds more than one token.
    pub fn new(net: &PetriNet, bits: &[u8], single: &[bool]) -> Self {
        let mut fields = Vec::with_capacity(bits.len());
        let (mut word, mut used) = (0u32, 0u8);
        for (place, (&bits, &single)) in net.place_indexes().zip(bits.iter().zip(single)) {
            let plain = net.consumers(place).iter().all(|consumer| consumer.weight == 1);
            let guarded = !(single && bits == 1 && plain);
            let width = bits + u8::from(guarded);
            if used + width > 64 {
                word += 1;
                used = 0;
            }
            fields.push(Field { word, shift: used, bits, guarded });
            used += width;
        }
        let words = word as usize + 1;
        let mut guards = vec![0; words];
        for field in fields.iter().filter(|field| field.guarded) {
            guards[field.word as usize] |= 1 << (field.shift + field.bits);
        }
        let mut packing = Self {
            fields,
            words,
            guards,
            check_ends: vec![0],
            checks: Vec::new(),
            change_ends: vec![0],
            changes: Vec::new(),
        };
        for t in net.transition_indexes() {
            packing.plan(net, t);
        }
        packing
    }

    fn plan(&mut self, net: &PetriNet, t: crate::petri::net::TransitionIx) {
        let first_check = self.checks.len();
        let first_change = self.changes.len();
        for arc in net.inputs(t) {
            let Field { word, shift, bits, guarded } = self.fields[arc.place.index()];
            let check = match self.checks[first_check..].iter().position(|check| check.word == word) {
                Some(at) => &mut self.checks[first_check + at],
                None => {
                    self.checks.push(Check { word, least: 0, guards: 0, all: 0 });
                    let last = self.checks.len() - 1;
                    &mut self.checks[last]
                }
            };
            if arc.weight >> bits != 0 {
                // More than the field can hold, so the field has a guard. In a stored marking that is never set: this is never met.
                check.all |= 1 << (shift + bits);
            } else if guarded {
                check.least |= arc.weight << shift;
                check.guards |= 1 << (shift + bits);
            } else {
                check.all |= 1 << shift;
            }
            self.change(first_change, word, (arc.weight << shift).wrapping_neg());
        }
        for arc in net.outputs(t) {
            let Field { word, shift, .. } = self.fields[arc.place.index()];
            self.change(first_change, word, arc.weight << shift);
        }
        let mut at = first_change;
        while at < self.changes.len() {
            if self.changes[at].add == 0 {
                self.changes.swap_remove(at);
            } else {
                at += 1;
            }
        }
        self.check_ends.push(self.checks.len() as u32);
        self.change_ends.push(self.changes.len() as u32);
    }

    fn change(&mut self, first: usize, word: u32, add: u64) {
        match self.changes[first..].iter_mut().find(|change| change.word == word) {
            Some(change) => change.add = change.add.wrapping_add(add),
            None => self.changes.push(Change { word, add }),
        }
    }

    /// `u64`s of a packed marking.
    pub fn words(&self) -> usize {
        self.words
    }

    #[inline(always)]
    pub fn is_enabled(&self, marking: &[u64], t: usize) -> bool {
        let (start, end) = (self.check_ends[t] as usize, self.check_ends[t + 1] as usize);
        self.checks[start..end].iter().all(|check| {
            let word = marking[check.word as usize];
            (word | check.guards).wrapping_sub(check.least) & check.guards == check.guards
                && word & check.all == check.all
        })
    }

    /// Fires an enabled transition upon a copy. `false`: a place outgrew its field, and `to` holds what it has become all the same.
    #[inline(always)]
    pub fn fire(&self, from: &[u64], t: usize, to: &mut [u64]) -> bool {
        to.copy_from_slice(from);
        let (start, end) = (self.change_ends[t] as usize, self.change_ends[t + 1] as usize);
        let mut grown = 0;
        for change in &self.changes[start..end] {
            let word = &mut to[change.word as usize];
            *word = word.wrapping_add(change.add);
            grown |= *word & self.guards[change.word as usize];
        }
        grown == 0
    }

    #[inline(always)]
    pub fn tokens(&self, marking: &[u64], place: usize) -> u64 {
        let field = self.fields[place];
        (marking[field.word as usize] >> field.shift) & ((1 << field.bits) - 1)
    }

    /// A place whose guard is set.
    pub fn outgrown(&self, marking: &[u64]) -> Option<Outgrown> {
        self.fields.iter().enumerate().find_map(|(place, field)| {
            let tokens = (marking[field.word as usize] >> field.shift) & ((2 << field.bits) - 1);
            (field.guarded && tokens >> field.bits != 0).then_some(Outgrown { place, tokens })
        })
    }

    pub fn pack(&self, tokens: impl Iterator<Item = u64>, to: &mut [u64]) {
        to.fill(0);
        for (field, tokens) in self.fields.iter().zip(tokens) {
            to[field.word as usize] |= tokens << field.shift;
        }
    }

    /// The tokens of a marking whose places may have outgrown their fields by one firing.
    pub fn unpack_wide<'a>(&'a self, marking: &'a [u64]) -> impl Iterator<Item = u64> + 'a {
        self.fields.iter().map(|field| {
            let mask = if field.guarded { (2 << field.bits) - 1 } else { (1 << field.bits) - 1 };
            (marking[field.word as usize] >> field.shift) & mask
        })
    }

    pub fn unpack<'a>(&'a self, marking: &'a [u64]) -> impl Iterator<Item = u64> + 'a {
        (0..self.fields.len()).map(|place| self.tokens(marking, place))
    }
}
