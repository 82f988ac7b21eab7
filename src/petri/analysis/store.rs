//! The markings that were reached: packed, each once, in the order they were found.
//!
//! They lie in chunks that never move; an open-addressing table of their numbers finds them again. The store never takes more bytes than
//! it was given: whoever adds a marking may hear that there is no room, or that time ran out while the table was made anew. After
//! either, markings and parents can be read, and none can be found or added.

use super::budget::{Deadline, Resource};
use super::packing::sized;

const EMPTY: u32 = u32::MAX;
/// Words of a chunk, about: 256 KiB.
const CHUNK_WORDS: usize = 1 << 15;
/// Entries of a table that the caches hold, with the markings.
const SMALL: usize = 1 << 16;
/// The number that stands for "no parent".
pub const ROOT: u32 = u32::MAX;

#[derive(Debug)]
pub struct Store {
    words: usize,
    /// Markings in a chunk: `1 << shift`.
    shift: u32,
    chunks: Vec<Vec<u64>>,
    parents: Vec<Vec<u32>>,
    len: u32,
    table: Vec<u32>,
    limit: usize,
    guesses: Vec<u32>,
    seen: u64,
}

/// Numbers entered into a new table between two looks at the clock.
const LOOK: u32 = 1 << 14;

/// What a marking is found by.
#[inline(always)]
pub fn hash<const W: usize>(marking: &[u64]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = FACTOR;
    for &word in sized::<W>(marking) {
        let product = u128::from(hash ^ word) * u128::from(FACTOR | 1);
        hash = (product as u64) ^ (product >> 64) as u64;
        hash = hash.rotate_left(23).wrapping_mul(0xd6e8_feb8_6659_fd93);
    }
    hash ^ (hash >> 32)
}

impl Store {
    /// For markings of `words` words, within `limit` bytes.
    pub fn new(words: usize, limit: usize) -> Self {
        let shift = (CHUNK_WORDS / words.max(1)).max(1).ilog2();
        Self {
            words,
            shift,
            chunks: Vec::new(),
            parents: Vec::new(),
            len: 0,
            table: vec![EMPTY; 1 << 10],
            limit,
            guesses: Vec::new(),
            seen: 0,
        }
    }

    pub fn len(&self) -> u32 {
        self.len
    }

    fn chunk_bytes(&self) -> usize {
        (self.words * 8 + 4) << self.shift
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.chunks.len() * self.chunk_bytes() + self.table.len() * 4
    }

    pub fn get(&self, id: u32) -> &[u64] {
        self.sized::<0>(id)
    }

    /// A marking, where its number of words is known when this is compiled.
    #[inline(always)]
    pub fn sized<const W: usize>(&self, id: u32) -> &[u64] {
        let words = if W == 0 { self.words } else { W };
        let (chunk, at) = ((id >> self.shift) as usize, (id & ((1 << self.shift) - 1)) as usize);
        sized::<W>(&self.chunks[chunk][at * words..(at + 1) * words])
    }

    /// Who led to this marking first; [`ROOT`] for the initial one.
    pub fn parent(&self, id: u32) -> u32 {
        let (chunk, at) = ((id >> self.shift) as usize, (id & ((1 << self.shift) - 1)) as usize);
        self.parents[chunk][at]
    }

    /// The numbers from the initial marking to this one, both included.
    pub fn path(&self, id: u32) -> Vec<u32> {
        let mut path = vec![id];
        let mut at = id;
        while self.parent(at) != ROOT {
            at = self.parent(at);
            path.push(at);
        }
        path.reverse();
        path
    }

    #[inline(always)]
    fn slot<const W: usize>(&self, marking: &[u64], hash: u64) -> Result<u32, usize> {
        let marking = sized::<W>(marking);
        let mask = self.table.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            match self.table[slot] {
                EMPTY => return Err(slot),
                id if self.sized::<W>(id) == marking => return Ok(id),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    pub fn find(&self, marking: &[u64]) -> Option<u32> {
        self.slot::<0>(marking, hash::<0>(marking)).ok()
    }

    /// Reads what [`add`](Self::add) will read for these hashes, so that it lies in the caches then.
    #[inline(always)]
    pub fn touch<const W: usize>(&mut self, hashes: &[u64]) {
        // A small store lies there anyway.
        if self.table.len() < SMALL {
            return;
        }
        let mask = self.table.len() - 1;
        self.guesses.clear();
        self.guesses.extend(hashes.iter().map(|&hash| self.table[hash as usize & mask]));
        let mut seen = 0;
        for &id in self.guesses.iter().filter(|&&id| id != EMPTY) {
            seen ^= self.sized::<W>(id)[0];
        }
        // Kept, or the compiler would see that nobody needs it.
        self.seen = seen;
    }

    /// Adds a marking unless it is there. A parent is kept for new ones only.
    #[inline(always)]
    pub fn add<const W: usize>(
        &mut self,
        marking: &[u64],
        hash: u64,
        parent: u32,
        deadline: &Deadline<'_>,
    ) -> Result<(), Resource> {
        let mut slot = match self.slot::<W>(marking, hash) {
            Ok(_) => return Ok(()),
            Err(slot) => slot,
        };
        // Four fifths full at most.
        if (self.len as usize + 1) * 5 > self.table.len() * 4 {
            self.grow(deadline)?;
            slot = match self.slot::<W>(marking, hash) {
                Ok(_) => return Ok(()),
                Err(slot) => slot,
            };
        }
        if self.len as usize == self.chunks.len() << self.shift {
            if self.bytes() + self.chunk_bytes() > self.limit || self.len >= EMPTY - (1 << self.shift) {
                return Err(Resource::Memory);
            }
            self.chunks.push(Vec::with_capacity(self.words << self.shift));
            self.parents.push(Vec::with_capacity(1 << self.shift));
        }
        let id = self.len;
        let chunk = (id >> self.shift) as usize;
        self.chunks[chunk].extend_from_slice(sized::<W>(marking));
        self.parents[chunk].push(parent);
        self.table[slot] = id;
        self.len += 1;
        Ok(())
    }

    /// Doubles the table. The old one is gone before the new one is made: all that it holds can be found again.
    fn grow(&mut self, deadline: &Deadline<'_>) -> Result<(), Resource> {
        let size = self.table.len() * 2;
        if self.bytes() + self.table.len() * 4 > self.limit {
            return Err(Resource::Memory);
        }
        self.table = Vec::new();
        self.index(size, deadline)
    }

    fn index(&mut self, size: usize, deadline: &Deadline<'_>) -> Result<(), Resource> {
        let mut table = vec![EMPTY; size];
        let mask = size - 1;
        for id in 0..self.len {
            if id % LOOK == LOOK - 1 && deadline.passed() {
                return Err(Resource::Time);
            }
            let mut slot = hash::<0>(self.get(id)) as usize & mask;
            while table[slot] != EMPTY {
                slot = (slot + 1) & mask;
            }
            table[slot] = id;
        }
        self.table = table;
        Ok(())
    }

    /// Stores the same markings anew with `words` words each, as `convert` writes them. They keep their numbers.
    pub fn converted(
        mut self,
        words: usize,
        convert: impl Fn(&[u64], &mut [u64]),
        deadline: &Deadline<'_>,
    ) -> Result<Self, Resource> {
        let size = self.table.len();
        self.table = Vec::new();
        let mut next = Store { table: Vec::new(), ..Store::new(words, self.limit) };
        let mut to = vec![0; words];
        let old_shift = self.shift;
        for (nth, (chunk, parents)) in
            std::mem::take(&mut self.chunks).into_iter().zip(std::mem::take(&mut self.parents)).enumerate()
        {
            if deadline.passed() {
                return Err(Resource::Time);
            }
            for (at, parent) in parents.iter().enumerate() {
                let id = next.len;
                debug_assert_eq!(id as usize, (nth << old_shift) + at);
                convert(&chunk[at * self.words..(at + 1) * self.words], &mut to);
                if id as usize == next.chunks.len() << next.shift {
                    if (next.chunks.len() + 2) * next.chunk_bytes() + size * 4 > self.limit {
                        return Err(Resource::Memory);
                    }
                    next.chunks.push(Vec::with_capacity(words << next.shift));
                    next.parents.push(Vec::with_capacity(1 << next.shift));
                }
                let last = (id >> next.shift) as usize;
                next.chunks[last].extend_from_slice(&to);
                next.parents[last].push(*parent);
                next.len += 1;
            }
        }
        next.index(size, deadline)?;
        Ok(next)
    }
}
