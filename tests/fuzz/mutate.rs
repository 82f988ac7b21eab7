//! Makes inputs from inputs.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The largest input made, for most; one in a few hundred is up to [`HUGE`].
const LARGE: usize = 1 << 17;
const HUGE: usize = 3 << 20;
/// Inputs that others are made from; beyond that a new one takes the place of one that is no seed.
const POOL: usize = 4_000;

/// What a reader of PNML may stumble over.
const WORDS: [&str; 64] = [
    "<",
    ">",
    "/>",
    "</",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?x",
    "?>",
    "&",
    ";",
    "&#x0;",
    "&#1114112;",
    "&#xD800;",
    "&amp;",
    "&lt;",
    "&bomb;",
    "<!DOCTYPE pnml [<!ENTITY a 'b'>]>",
    "<?xml version='1.0' encoding='utf-16'?>",
    "\u{FEFF}",
    "\0",
    "\r",
    "\n",
    "é",
    "\u{2028}",
    "-1",
    "0",
    "1",
    "9007199254740992",
    "9007199254740993",
    "18446744073709551616",
    "1e9",
    "NaN",
    "inf",
    "''",
    "\"",
    "=",
    " ",
    "<place id='q'/>",
    "<transition id='u'/>",
    "<arc id='x' source='p' target='t'/>",
    "<arc source='t' target='p'>",
    "</arc>",
    "<page id='g2'>",
    "</page>",
    "<net id='m' type='ptnet'>",
    "</net>",
    "<pnml>",
    "</pnml>",
    "<name><text>",
    "</text></name>",
    "<initialMarking><text>",
    "</text></initialMarking>",
    "<inscription><text>",
    "</text></inscription>",
    "<graphics><position x='1' y='2'/></graphics>",
    "<referencePlace id='r' ref='p'/>",
    "<referenceTransition id='s' ref='t'/>",
    "<toolspecific tool='t' version='1'>",
    "</toolspecific>",
    "<type value='inhibitor'/>",
    "xmlns:x='y'",
    "id='",
];

pub struct Mutator {
    seed: u64,
    random: Xoshiro256PlusPlus,
    pool: Vec<Vec<u8>>,
    seeds: usize,
}

impl Mutator {
    pub fn new(seed: u64) -> Self {
        Self { seed, random: Xoshiro256PlusPlus::seed_from_u64(seed), pool: Vec::new(), seeds: 0 }
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Makes more from this one too.
    pub fn keep(&mut self, input: Vec<u8>) {
        if self.pool.len() < POOL {
            self.pool.push(input);
            self.seeds = self.seeds.max(self.pool.len().min(64));
        } else {
            let at = self.seeds + self.below(POOL - self.seeds);
            self.pool[at] = input;
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.random.next_u64()) * bound.max(1) as u128) >> 64) as usize
    }

    fn any(&mut self) -> Vec<u8> {
        let at = self.below(self.pool.len());
        self.pool.get(at).cloned().unwrap_or_default()
    }

    /// A range of `input`, seldom long.
    fn range(&mut self, input: &[u8]) -> std::ops::Range<usize> {
        let start = self.below(input.len() + 1);
        let longest = if self.below(4) == 0 { input.len() } else { 64 };
        let length = self.below(longest.min(input.len() - start) + 1);
        start..start + length
    }

    /// The next input.
    pub fn next(&mut self) -> Vec<u8> {
        let mut input = self.any();
        for _ in 0..1 + self.below(6) {
            self.change(&mut input);
        }
        if self.below(300) == 0 {
            self.swell(&mut input, HUGE)
        } else {
            input.truncate(LARGE)
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let range = self.range(input);
        let at = range.start;
        match self.below(9) {
            0 => _ = input.drain(range),
            1 => {
                let word = WORDS[self.below(WORDS.len())];
                input.splice(at..at, word.bytes());
            }
            2 => {
                let word = WORDS[self.below(WORDS.len())];
                input.splice(range, word.bytes());
            }
            3 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << (self.random.next_u64() % 8);
                }
            }
            4 => {
                // Some of it again, elsewhere.
                let piece = input[range].to_vec();
                let to = self.below(input.len() + 1);
                input.splice(to..to, piece);
            }
            5 => {
                // Some of another.
                let other = self.any();
                let from = self.range(&other);
                input.splice(range, other[from].to_vec());
            }
            6 => self.swell(input, LARGE),
            7 => {
                // A whole element, by its tags, again: ids are then there twice, and depth grows.
                let open = input[at..].iter().position(|&byte| byte == b'<').map(|n| at + n);
                let close = open.and_then(|open| {
                    input[open..].iter().position(|&byte| byte == b'>').map(|n| open + n + 1)
                });
                if let (Some(open), Some(close)) = (open, close) {
                    let tag = input[open..close].to_vec();
                    let to = self.below(input.len() + 1);
                    input.splice(to..to, tag);
                }
            }
            _ => {
                // A number after another.
                let number = self.random.next_u64() >> self.below(64);
                input.splice(range, number.to_string().bytes());
            }
        }
    }

    /// A piece of it many times over.
    fn swell(&mut self, input: &mut Vec<u8>, most: usize) {
        let range = self.range(input);
        if range.is_empty() {
            return;
        }
        let piece = input[range.clone()].to_vec();
        let longest = most.saturating_sub(input.len()) / piece.len();
        let times = self.below(longest + 1);
        input.splice(range.end..range.end, piece.repeat(times));
    }
}
