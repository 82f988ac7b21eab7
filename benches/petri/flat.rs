//! What the engine and the explorer are measured by: loops written for one net each, with all that is known of it in the code.
//!
//! No arcs are looked up, no place has a name, counts are bytes. The rules are the same: a uniform pick among the enabled transitions from
//! the same generator, and every marking stored once with the way back.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const ABSENT: u32 = u32::MAX;

/// The enabled transitions, densely in one array.
struct Enabled {
    list: Vec<u32>,
    slot: Vec<u32>,
}

impl Enabled {
    fn new(transitions: usize) -> Self {
        Self { list: Vec::with_capacity(transitions), slot: vec![ABSENT; transitions] }
    }

    #[inline(always)]
    fn set(&mut self, t: usize, enabled: bool) {
        let slot = self.slot[t];
        if enabled && slot == ABSENT {
            self.slot[t] = self.list.len() as u32;
            self.list.push(t as u32);
        } else if !enabled && slot != ABSENT {
            self.slot[t] = ABSENT;
            self.list.swap_remove(slot as usize);
            if let Some(&moved) = self.list.get(slot as usize) {
                self.slot[moved as usize] = slot;
            }
        }
    }

    #[inline(always)]
    fn pick(&self, random: &mut Xoshiro256PlusPlus) -> usize {
        let n = self.list.len() as u32;
        let mut product = (random.next_u64() >> 32) * u64::from(n);
        if (product as u32) < n {
            let threshold = n.wrapping_neg() % n;
            while (product as u32) < threshold {
                product = (random.next_u64() >> 32) * u64::from(n);
            }
        }
        self.list[(product >> 32) as usize] as usize
    }
}

/// A row of kanban stations with three cards each, as [`Family::Kanban`](muster::petri::generate::Family) makes it.
pub struct Kanban {
    cards: Vec<u8>,
    work: Vec<u8>,
    done: Vec<u8>,
    /// Enter and finish of each station, then leave.
    enabled: Enabled,
    random: Xoshiro256PlusPlus,
    fired: Vec<u64>,
}

impl Kanban {
    pub fn new(stations: usize, seed: u64) -> Self {
        let mut kanban = Self {
            cards: vec![3; stations],
            work: vec![0; stations],
            done: vec![0; stations],
            enabled: Enabled::new(2 * stations + 1),
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            fired: vec![0; 2 * stations + 1],
        };
        kanban.look_at_enter(0);
        kanban
    }

    #[inline(always)]
    fn look_at_enter(&mut self, station: usize) {
        let fed = station == 0 || self.done[station - 1] > 0;
        self.enabled.set(2 * station, fed && self.cards[station] > 0);
    }

    /// The net never stops, so all of them take place.
    pub fn run(&mut self, firings: u64) -> u64 {
        let last = self.cards.len() - 1;
        for _ in 0..firings {
            let t = self.enabled.pick(&mut self.random);
            self.fired[t] += 1;
            let station = t / 2;
            if station > last {
                self.done[last] -= 1;
                self.cards[last] += 1;
                self.enabled.set(t, self.done[last] > 0);
                self.look_at_enter(last);
            } else if t.is_multiple_of(2) {
                self.cards[station] -= 1;
                self.work[station] += 1;
                self.enabled.set(t + 1, true);
                if station > 0 {
                    self.done[station - 1] -= 1;
                    self.cards[station - 1] += 1;
                    self.look_at_enter(station - 1);
                }
                self.look_at_enter(station);
            } else {
                self.work[station] -= 1;
                self.done[station] += 1;
                self.enabled.set(t, self.work[station] > 0);
                if station == last {
                    self.enabled.set(t + 1, true);
                } else {
                    self.look_at_enter(station + 1);
                }
            }
        }
        self.fired.iter().sum()
    }
}

/// What an exploration saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub states: u64,
    pub edges: u64,
}

/// Markings of one type in a flat array, found by an open-addressing table of their numbers.
struct Markings<M> {
    all: Vec<M>,
    parents: Vec<u32>,
    table: Vec<u32>,
    hash: fn(&M) -> u64,
}

impl<M: Copy + Eq> Markings<M> {
    fn new(initial: M, hash: fn(&M) -> u64) -> Self {
        let mut markings = Self { all: Vec::new(), parents: Vec::new(), table: vec![ABSENT; 1 << 10], hash };
        markings.add(initial, ABSENT);
        markings
    }

    #[inline(always)]
    fn add(&mut self, marking: M, parent: u32) {
        let mask = self.table.len() - 1;
        let mut slot = (self.hash)(&marking) as usize & mask;
        while self.table[slot] != ABSENT {
            if self.all[self.table[slot] as usize] == marking {
                return;
            }
            slot = (slot + 1) & mask;
        }
        self.table[slot] = self.all.len() as u32;
        self.all.push(marking);
        self.parents.push(parent);
        if self.all.len() * 5 > self.table.len() * 4 {
            self.grow();
        }
    }

    fn grow(&mut self) {
        let mask = self.table.len() * 2 - 1;
        self.table = vec![ABSENT; mask + 1];
        for (id, marking) in self.all.iter().enumerate() {
            let mut slot = (self.hash)(marking) as usize & mask;
            while self.table[slot] != ABSENT {
                slot = (slot + 1) & mask;
            }
            self.table[slot] = id as u32;
        }
    }
}

#[inline(always)]
fn mix(word: u64) -> u64 {
    let product = u128::from(word ^ 0x9e37_79b9_7f4a_7c15) * 0x9e37_79b9_7f4a_7c15;
    let hash = product as u64 ^ (product >> 64) as u64;
    hash ^ (hash >> 32)
}

/// All markings of `N` philosophers: a byte a place, four places to a philosopher, `BYTES` = `4 * N`.
pub fn explore_philosophers<const N: usize, const BYTES: usize>() -> Seen {
    const { assert!(BYTES == 4 * N) };
    let mut initial = [0u8; BYTES];
    initial[..2 * N].fill(1);
    let mut markings = Markings::new(initial, of_bytes);
    let (mut next, mut edges) = (0, 0);
    while next < markings.all.len() {
        let marking = markings.all[next];
        let mut follow = |takes: &[usize], gives: &[usize]| {
            if takes.iter().all(|&place| marking[place] > 0) {
                edges += 1;
                let mut successor = marking;
                takes.iter().for_each(|&place| successor[place] -= 1);
                gives.iter().for_each(|&place| successor[place] += 1);
                markings.add(successor, next as u32);
            }
        };
        for n in 0..N {
            let [left, right, thinking, waiting, eating] = [n, (n + 1) % N, N + n, 2 * N + n, 3 * N + n];
            follow(&[thinking, left], &[waiting]);
            follow(&[waiting, right], &[eating]);
            follow(&[eating], &[thinking, left, right]);
        }
        next += 1;
    }
    Seen { states: markings.all.len() as u64, edges }
}

#[inline(always)]
fn of_bytes<const BYTES: usize>(marking: &[u8; BYTES]) -> u64 {
    marking.chunks(8).fold(0, |hash, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        mix(hash ^ u64::from_le_bytes(word))
    })
}

/// The same with a bit a place, all in one word that stays in a register: no array any more, but the most that can be done for this net.
pub fn explore_philosophers_as_a_word<const N: usize>() -> Seen {
    const { assert!(4 * N <= 64) };
    let (fork, thinking, waiting, eating) = (
        |n: usize| 1u64 << (n % N),
        |n: usize| 1u64 << (N + n),
        |n: usize| 1u64 << (2 * N + n),
        |n: usize| 1u64 << (3 * N + n),
    );
    let initial = (1u64 << (2 * N)) - 1;
    let mut markings = Markings::new(initial, |&marking| mix(marking));
    let (mut next, mut edges) = (0, 0);
    while next < markings.all.len() {
        let marking = markings.all[next];
        let mut follow = |takes: u64, gives: u64| {
            if marking & takes == takes {
                edges += 1;
                markings.add(marking & !takes | gives, next as u32);
            }
        };
        for n in 0..N {
            follow(thinking(n) | fork(n), waiting(n));
            follow(waiting(n) | fork(n + 1), eating(n));
            follow(eating(n), thinking(n) | fork(n) | fork(n + 1));
        }
        next += 1;
    }
    Seen { states: markings.all.len() as u64, edges }
}

/// All markings of `N` kanban stations: three bytes to a station, `BYTES` = `3 * N`.
pub fn explore_kanban<const N: usize, const BYTES: usize>() -> Seen {
    const { assert!(BYTES == 3 * N) };
    let mut initial = [0u8; BYTES];
    (0..N).for_each(|station| initial[3 * station] = 3);
    let mut markings = Markings::new(initial, of_bytes);
    let (mut next, mut edges) = (0, 0);
    while next < markings.all.len() {
        let marking = markings.all[next];
        let mut follow = |changes: &[(usize, i8)]| {
            edges += 1;
            let mut successor = marking;
            for &(place, delta) in changes {
                successor[place] = successor[place].wrapping_add_signed(delta);
            }
            markings.add(successor, next as u32);
        };
        for station in 0..N {
            let [cards, work, done] = [3 * station, 3 * station + 1, 3 * station + 2];
            if marking[cards] > 0 && station == 0 {
                follow(&[(cards, -1), (work, 1)]);
            } else if marking[cards] > 0 && marking[cards - 1] > 0 {
                follow(&[(cards, -1), (work, 1), (cards - 1, -1), (cards - 3, 1)]);
            }
            if marking[work] > 0 {
                follow(&[(work, -1), (done, 1)]);
            }
            if station == N - 1 && marking[done] > 0 {
                follow(&[(done, -1), (cards, 1)]);
            }
        }
        next += 1;
    }
    Seen { states: markings.all.len() as u64, edges }
}
