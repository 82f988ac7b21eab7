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
#[derive(Clone, Copy, Debug, Default)]
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
#[derive(Clone, Copy, Debug, Default)]
struct Change {
    word: u32,
    add: u64,
}

/// Something for each word that a transition has to do with. Most have to do with one or two, so the first lies by itself: what is tried
/// with every marking is then one array from its start to its end.
#[derive(Clone, Debug)]
struct PerWord<T> {
    first: Vec<T>,
    ends: Vec<u32>,
    more: Vec<T>,
}

/// How the markings of one net are packed, as long as no place outgrows its field.
///
/// Many functions here and in the [store](super::store) are compiled for each usual number of words, `W`, so that copying and comparing a
/// marking is an instruction or two; `W` = 0 stands for any number.
#[derive(Clone, Debug)]
pub struct Packing {
    fields: Vec<Field>,
    words: usize,
    guards: Vec<u64>,
    /// Per word, the fields of one bit without a guard.
    ones: Vec<u64>,
    /// The places that have other fields.
    wide: Vec<u32>,
    checks: PerWord<Check>,
    changes: PerWord<Change>,
}

impl<T: Copy + Default> PerWord<T> {
    fn new() -> Self {
        Self { first: Vec::new(), ends: vec![0], more: Vec::new() }
    }

    /// The next transition's. With none the first is one that does nothing.
    fn push(&mut self, of: &[T]) {
        self.first.push(of.first().copied().unwrap_or_default());
        self.more.extend(of.iter().skip(1));
        self.ends.push(self.more.len() as u32);
    }

    /// All but the first.
    #[inline(always)]
    fn more(&self, t: usize) -> &[T] {
        &self.more[self.ends[t] as usize..self.ends[t + 1] as usize]
    }
}

impl Check {
    #[inline(always)]
    fn holds(&self, word: u64) -> bool {
        (word | self.guards).wrapping_sub(self.least) & self.guards == self.guards
            && word & self.all == self.all
    }
}

/// A marking as so many words as it is compiled for.
#[inline(always)]
pub fn sized<const W: usize>(marking: &[u64]) -> &[u64] {
    if W == 0 { marking } else { &marking[..W] }
}

#[inline(always)]
fn sized_mut<const W: usize>(marking: &mut [u64]) -> &mut [u64] {
    if W == 0 { marking } else { &mut marking[..W] }
}

fn change(changes: &mut Vec<Change>, word: u32, add: u64) {
    match changes.iter_mut().find(|change| change.word == word) {
        Some(change) => change.add = change.add.wrapping_add(add),
        None => changes.push(Change { word, add }),
    }
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
        let mut ones = vec![0; words];
        for field in fields.iter().filter(|field| !field.guarded) {
            ones[field.word as usize] |= 1 << field.shift;
        }
        let wide = (0..fields.len() as u32).filter(|&place| fields[place as usize].guarded).collect();
        let mut packing =
            Self { fields, words, guards, ones, wide, checks: PerWord::new(), changes: PerWord::new() };
        for t in net.transition_indexes() {
            packing.plan(net, t);
        }
        packing
    }

    fn plan(&mut self, net: &PetriNet, t: crate::petri::net::TransitionIx) {
        let mut checks: Vec<Check> = Vec::new();
        let mut changes: Vec<Change> = Vec::new();
        for arc in net.inputs(t) {
            let Field { word, shift, bits, guarded } = self.fields[arc.place.index()];
            let at = checks.iter().position(|check| check.word == word).unwrap_or_else(|| {
                checks.push(Check { word, ..Check::default() });
                checks.len() - 1
            });
            let check = &mut checks[at];
            if arc.weight >> bits != 0 {
                // More than the field can hold, so the field has a guard. In a stored marking that is never set: this is never met.
                check.all |= 1 << (shift + bits);
            } else if guarded {
                check.least |= arc.weight << shift;
                check.guards |= 1 << (shift + bits);
            } else {
                check.all |= 1 << shift;
            }
            change(&mut changes, word, (arc.weight << shift).wrapping_neg());
        }
        for arc in net.outputs(t) {
            let Field { word, shift, .. } = self.fields[arc.place.index()];
            change(&mut changes, word, arc.weight << shift);
        }
        changes.retain(|change| change.add != 0);
        self.checks.push(&checks);
        self.changes.push(&changes);
    }

    /// `u64`s of a packed marking.
    pub fn words(&self) -> usize {
        self.words
    }

    #[inline(always)]
    pub fn is_enabled<const W: usize>(&self, marking: &[u64], t: usize) -> bool {
        let marking = sized::<W>(marking);
        let first = &self.checks.first[t];
        let holds = |check: &Check| check.holds(marking[check.word as usize]);
        // Of one word there is one condition.
        if W == 1 { first.holds(marking[0]) } else { holds(first) && self.checks.more(t).iter().all(holds) }
    }

    /// Fires an enabled transition upon a copy. `false`: a place outgrew its field, and `to` holds what it has become all the same.
    #[inline(always)]
    pub fn fire<const W: usize>(&self, from: &[u64], t: usize, to: &mut [u64]) -> bool {
        let to = sized_mut::<W>(to);
        to.copy_from_slice(sized::<W>(from));
        let mut grown = 0;
        let mut apply = |change: &Change| {
            let word = &mut to[change.word as usize];
            *word = word.wrapping_add(change.add);
            grown |= *word & self.guards[change.word as usize];
        };
        apply(&self.changes.first[t]);
        if W != 1 {
            self.changes.more(t).iter().for_each(apply);
        }
        grown == 0
    }

    /// Takes a marking into maxima: the places of one bit into `ones`, a marking in which each is as it was in some marking seen; of the
    /// others the most tokens. Returns the tokens in all.
    #[inline(always)]
    pub fn measure<const W: usize>(&self, marking: &[u64], ones: &mut [u64], most: &mut [u64]) -> u128 {
        let mut sum = 0;
        for ((&word, &of_one), seen) in sized::<W>(marking).iter().zip(&self.ones).zip(ones) {
            sum += u128::from((word & of_one).count_ones());
            *seen |= word & of_one;
        }
        for &place in &self.wide {
            let tokens = self.tokens(marking, place as usize);
            let most = &mut most[place as usize];
            *most = (*most).max(tokens);
            sum += u128::from(tokens);
        }
        sum
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
