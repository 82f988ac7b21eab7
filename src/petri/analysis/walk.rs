//! Walks through the state space that look for witnesses: a deadlock, two tokens on a place, each transition fired, many tokens at once, a
//! place that grows for ever. What a walk meets is real; what it does not meet is not thereby absent.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::budget::Deadline;
use super::sparse::Vector;
use crate::petri::net::{MAX_COUNT, PetriNet, PlaceIx, TransitionIx};

/// Any fixed number: the same net gives the same report.
const SEED: u64 = 7;
const ABSENT: u32 = u32::MAX;
/// The longest path to a deadlock that is kept.
const MAX_PATH: usize = 1 << 20;
const LOOK: usize = 1 << 10;

/// What was met so far, by all walks.
pub struct Witnesses {
    pub fired: Vec<bool>,
    /// Per place.
    pub most: Vec<u64>,
    pub most_in_all: u128,
    pub deadlock: Option<Vec<TransitionIx>>,
    pub unbounded: Option<PlaceIx>,
    unfired: usize,
}

/// How a walk picks among the enabled transitions.
enum Policy {
    Random,
    /// The one that comes first by these ranks.
    Ranked(Vec<u32>),
    /// The one that leaves the fewest enabled.
    Fewest,
    /// One that never fired, else one that this walk has not fired, else any.
    Unfired,
}

/// A marking with what it enables, kept up to date.
struct Walker<'a> {
    net: &'a PetriNet,
    effects: &'a [Vector],
    tokens: Vec<u64>,
    unmet: Vec<u32>,
    enabled: Vec<u32>,
    slots: Vec<u32>,
    total: u128,
    /// By this walk.
    fired: Vec<bool>,
}

impl<'a> Walker<'a> {
    fn new(net: &'a PetriNet, effects: &'a [Vector]) -> Self {
        let tokens: Vec<u64> = net.places.iter().map(|place| place.initial).collect();
        let total = tokens.iter().map(|&tokens| u128::from(tokens)).sum();
        let transitions = net.transitions.len();
        let mut walker = Self {
            net,
            effects,
            tokens,
            unmet: vec![0; transitions],
            enabled: Vec::new(),
            slots: vec![ABSENT; transitions],
            total,
            fired: vec![false; transitions],
        };
        for t in net.transition_indexes() {
            let unmet =
                net.inputs(t).iter().filter(|arc| walker.tokens[arc.place.index()] < arc.weight).count();
            walker.unmet[t.index()] = unmet as u32;
            if unmet == 0 {
                walker.slots[t.index()] = walker.enabled.len() as u32;
                walker.enabled.push(t.0);
            }
        }
        walker
    }

    /// Fires an enabled transition, or takes its firing back.
    fn apply(&mut self, t: u32, back: bool) {
        for &(place, delta) in &self.effects[t as usize] {
            let delta = if back { -delta } else { delta };
            let before = self.tokens[place as usize];
            let after = before.wrapping_add_signed(delta);
            self.tokens[place as usize] = after;
            self.total = self.total.wrapping_add_signed(i128::from(delta));
            for consumer in self.net.consumers(PlaceIx(place)) {
                let (was, is) = (before >= consumer.weight, after >= consumer.weight);
                let of = consumer.transition.index();
                if was && !is {
                    self.unmet[of] += 1;
                    if self.unmet[of] == 1 {
                        self.disable(of);
                    }
                } else if is && !was {
                    self.unmet[of] -= 1;
                    if self.unmet[of] == 0 {
                        self.slots[of] = self.enabled.len() as u32;
                        self.enabled.push(of as u32);
                    }
                }
            }
        }
    }

    fn disable(&mut self, t: usize) {
        let slot = std::mem::replace(&mut self.slots[t], ABSENT) as usize;
        self.enabled.swap_remove(slot);
        if let Some(&moved) = self.enabled.get(slot) {
            self.slots[moved as usize] = slot as u32;
        }
    }

    fn pick(&mut self, policy: &Policy, fired: &[bool], random: &mut Xoshiro256PlusPlus) -> Option<u32> {
        let any = |enabled: &[u32], random| enabled.get(below(random, enabled.len())).copied();
        match policy {
            _ if self.enabled.is_empty() => None,
            Policy::Random => any(&self.enabled, random),
            Policy::Unfired => {
                // The one enabled last: what was begun goes on, where a bit of everything would get stuck.
                let new = |fired: &[bool]| self.enabled.iter().rev().copied().find(|&t| !fired[t as usize]);
                new(fired).or_else(|| new(&self.fired)).or_else(|| any(&self.enabled, random))
            }
            Policy::Ranked(ranks) => self.enabled.iter().copied().min_by_key(|&t| ranks[t as usize]),
            Policy::Fewest => {
                // Trying all would make a step of a large net slow; a few dozen tell enough.
                let mut candidates: Vec<u32> = self.enabled.iter().copied().take(48).collect();
                candidates.sort_unstable();
                candidates.into_iter().min_by_key(|&t| {
                    self.apply(t, false);
                    let left = self.enabled.len();
                    self.apply(t, true);
                    left
                })
            }
        }
    }
}

fn below(random: &mut Xoshiro256PlusPlus, bound: usize) -> usize {
    ((u128::from(random.next_u64()) * bound as u128) >> 64) as usize
}

/// What is still looked for: a walk is not worth its time when nothing is.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub deadlock: bool,
    pub firings: bool,
    /// A place with as many tokens as this, if that many may be there.
    pub in_place: Option<u64>,
    pub in_all: Option<u64>,
    pub unbounded: bool,
}

impl Witnesses {
    pub fn of(net: &PetriNet) -> Self {
        Self {
            fired: vec![false; net.transitions.len()],
            most: net.places.iter().map(|place| place.initial).collect(),
            most_in_all: net.places.iter().map(|place| u128::from(place.initial)).sum(),
            deadlock: None,
            unbounded: None,
            unfired: net.transitions.len(),
        }
    }

    /// Takes in what an exploration has seen.
    pub fn include(&mut self, fired: &[bool], most: &[u64], most_in_all: u128) {
        for (known, &seen) in self.fired.iter_mut().zip(fired) {
            if seen && !std::mem::replace(known, true) {
                self.unfired -= 1;
            }
        }
        self.most.iter_mut().zip(most).for_each(|(known, &seen)| *known = (*known).max(seen));
        self.most_in_all = self.most_in_all.max(most_in_all);
    }

    pub fn all_fired(&self) -> bool {
        self.unfired == 0
    }

    pub fn most_in_place(&self) -> u64 {
        self.most.iter().copied().max().unwrap_or(0)
    }

    fn still(&self, wanted: &Wanted) -> bool {
        let tokens = wanted.in_place.is_some_and(|most| self.most_in_place() < most)
            || wanted.in_all.is_some_and(|most| self.most_in_all < u128::from(most))
            || wanted.unbounded;
        wanted.deadlock && self.deadlock.is_none()
            || wanted.firings && !self.all_fired()
            || tokens && self.unbounded.is_none()
    }

    /// Walks until all that is wanted was met or the time is over. `rounds` limits the walks.
    pub fn search(
        &mut self,
        net: &PetriNet,
        effects: &[Vector],
        wanted: &Wanted,
        rounds: u32,
        deadline: &Deadline<'_>,
    ) {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(SEED);
        let gains: Vec<i64> =
            effects.iter().map(|effect| effect.iter().map(|&(_, delta)| delta).sum()).collect();
        let stems = stems(net);
        // Long enough for every token to pass through all of the net a few times.
        let tokens =
            net.places.iter().fold(0u64, |sum, place| sum.saturating_add(place.initial)).min(1_000) as usize;
        let steps = (net.transitions.len() * (40 + 4 * tokens)).clamp(500, 400_000);
        for round in 0..rounds {
            if !self.still(wanted) || deadline.passed() {
                return;
            }
            let policy = match round % 7 {
                0 => by_gain(&gains, &mut random),
                1 => Policy::Ranked((0..net.transitions.len() as u32).collect()),
                2 => by_stem(&stems, &mut random),
                3 => Policy::Fewest,
                4 => Policy::Unfired,
                5 => by_stem(&stems, &mut random),
                _ => Policy::Random,
            };
            // The scans of these policies cost more the more is enabled.
            let steps = if matches!(policy, Policy::Random) { steps } else { steps.min(50_000) };
            self.walk(net, effects, &policy, steps, &mut random, deadline);
        }
    }

    fn walk(
        &mut self,
        net: &PetriNet,
        effects: &[Vector],
        policy: &Policy,
        steps: usize,
        random: &mut Xoshiro256PlusPlus,
        deadline: &Deadline<'_>,
    ) {
        let mut walker = Walker::new(net, effects);
        let mut path: Vec<u32> = Vec::new();
        // A marking of the walk that later ones are compared with; taken anew at each power of two.
        let mut mark = walker.tokens.clone();
        let mut mark_total = walker.total;
        for step in 1..=steps {
            if step.is_multiple_of(LOOK) && deadline.passed() {
                return;
            }
            let Some(t) = walker.pick(policy, &self.fired, random) else {
                let shorter = self.deadlock.as_ref().is_none_or(|known| known.len() > path.len());
                if shorter && path.len() + 1 == step {
                    self.deadlock = Some(path.into_iter().map(TransitionIx).collect());
                }
                return;
            };
            if !std::mem::replace(&mut self.fired[t as usize], true) {
                self.unfired -= 1;
            }
            walker.fired[t as usize] = true;
            walker.apply(t, false);
            if path.len() < MAX_PATH {
                path.push(t);
            }
            self.most_in_all = self.most_in_all.max(walker.total);
            for &(place, delta) in &effects[t as usize] {
                if delta > 0 {
                    let tokens = walker.tokens[place as usize];
                    let most = &mut self.most[place as usize];
                    if tokens > *most {
                        *most = tokens;
                    }
                    if tokens > MAX_COUNT {
                        return;
                    }
                }
            }
            // Only a marking with more tokens can cover another one.
            if self.unbounded.is_none()
                && walker.total > mark_total
                && (step.is_power_of_two() || step.is_multiple_of(64))
                && walker.tokens.iter().zip(&mark).all(|(now, then)| now >= then)
            {
                let grown = walker.tokens.iter().zip(&mark).position(|(now, then)| now > then);
                self.unbounded = grown.map(|place| PlaceIx(place as u32));
            }
            if step.is_power_of_two() {
                mark.copy_from_slice(&walker.tokens);
                mark_total = walker.total;
            }
        }
    }
}

/// First what adds the most tokens, else at random.
fn by_gain(gains: &[i64], random: &mut Xoshiro256PlusPlus) -> Policy {
    let mut order: Vec<(i64, u64, usize)> =
        gains.iter().enumerate().map(|(t, &gain)| (gain.saturating_neg(), random.next_u64(), t)).collect();
    order.sort_unstable();
    let mut ranks = vec![0; gains.len()];
    order.iter().enumerate().for_each(|(rank, &(.., t))| ranks[t] = rank as u32);
    Policy::Ranked(ranks)
}

/// Transitions that differ by a number only are one kind; the kinds come in random order. A net of many equal parts is driven so into the
/// corners where all parts have done the same.
fn by_stem(stems: &[u32], random: &mut Xoshiro256PlusPlus) -> Policy {
    let kinds = stems.iter().max().map_or(0, |&most| most as usize + 1);
    let mut order: Vec<u32> = (0..kinds as u32).collect();
    for at in (1..kinds).rev() {
        order.swap(at, below(random, at + 1));
    }
    let transitions = stems.len() as u32;
    // Beyond a few thousand transitions times kinds the ranks would not fit; then the kind alone decides.
    let within = if (kinds as u64) * u64::from(transitions) < u64::from(u32::MAX) { transitions } else { 1 };
    let ranks = stems.iter().enumerate().map(|(t, &kind)| order[kind as usize] * within + t as u32 % within);
    Policy::Ranked(ranks.collect())
}

/// Per transition the number of its kind: its id without the digits at its end.
fn stems(net: &PetriNet) -> Vec<u32> {
    let mut kinds = std::collections::HashMap::new();
    let stem =
        |id: &'_ str| id.trim_end_matches(|char: char| char.is_ascii_digit() || char == '_').to_string();
    net.transitions
        .iter()
        .map(|transition| {
            let next = kinds.len() as u32;
            *kinds.entry(stem(&transition.id)).or_insert(next)
        })
        .collect()
}
