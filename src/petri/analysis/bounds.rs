//! Upper bounds on tokens that the structure of a net gives, each with its proof.
//!
//! If `y ≥ 0` weighs the places so that no firing raises the weighted sum, then `y · m ≤ y · m₀` in every reachable marking `m`. Semiflows
//! are such weights; for small nets a linear programme over the state equation finds the best ones. The programme is solved in floating
//! point, its answer rounded to fractions, and these are then checked in whole numbers: a bound never rests on rounding.

use super::budget::Deadline;
use super::invariants::{Weights, incidence};
use super::sparse::{self, Vector};
use crate::petri::net::PetriNet;

/// The largest tableau solved: places × (places + transitions).
const MAX_CELLS: usize = 400_000;
/// Denominators tried when an answer of the programme is made a fraction.
const DENOMINATORS: i64 = 60;

/// The most tokens each place can hold by the semiflows; `None` where they do not say.
pub fn of_places(net: &PetriNet, semiflows: &[Weights]) -> Vec<Option<u64>> {
    let mut bounds = vec![None; net.places.len()];
    for weights in semiflows {
        let Some(sum) = initially(net, weights) else { continue };
        for &(place, weight) in weights {
            let bound = (sum / i128::from(weight)) as u64;
            let known: &mut Option<u64> = &mut bounds[place as usize];
            *known = Some(known.map_or(bound, |known| known.min(bound)));
        }
    }
    bounds
}

/// The weighted sum of the initial marking, where it is a number of tokens that can be counted.
fn initially(net: &PetriNet, weights: &Weights) -> Option<i128> {
    let terms = weights.iter().map(|&(place, weight)| {
        i128::from(weight).checked_mul(i128::from(net.places[place as usize].initial))
    });
    let sum = terms.sum::<Option<i128>>()?;
    (0..=i128::from(u64::MAX)).contains(&sum).then_some(sum)
}

/// The most tokens a marking can hold by semiflows that cover all places, picked greedily. Good where they hardly overlap.
pub fn of_markings_by_cover(net: &PetriNet, semiflows: &[Weights]) -> Option<u64> {
    let mut sums: Vec<(i128, &Weights)> =
        semiflows.iter().filter_map(|weights| Some((initially(net, weights)?, weights))).collect();
    sums.sort_by_key(|&(sum, weights)| (sum, std::cmp::Reverse(weights.len())));
    let mut covered = vec![false; net.places.len()];
    let mut bound = 0i128;
    for (sum, weights) in sums {
        let new = weights.iter().filter(|&&(place, _)| !covered[place as usize]);
        // A sum of nothing costs nothing, and one that covers only places it weighs is worth its price.
        if new.count() == 0 {
            continue;
        }
        bound = bound.checked_add(sum)?;
        weights.iter().for_each(|&(place, _)| covered[place as usize] = true);
    }
    if covered.contains(&false) { None } else { u64::try_from(bound).ok() }
}

/// The linear programme of a net's state equation: the most a weighted sum can be over all `m₀ + C σ ≥ 0`, `σ ≥ 0`.
pub struct StateEquation<'n> {
    net: &'n PetriNet,
    effects: Vec<Vector>,
}

impl<'n> StateEquation<'n> {
    /// `None` if the net is too large for it.
    pub fn of(net: &'n PetriNet) -> Option<Self> {
        let cells = net.places.len().checked_mul(net.places.len() + net.transitions.len())?;
        (cells <= MAX_CELLS).then(|| Self { net, effects: incidence(net) })
    }

    /// The most tokens that the places counted by `counts` can hold together.
    pub fn most(&self, counts: impl Fn(usize) -> bool, deadline: &Deadline<'_>) -> Option<u64> {
        let counted: Vec<bool> = (0..self.net.places.len()).map(counts).collect();
        let dual = self.dual(&counted, deadline)?;
        (1..=DENOMINATORS).find_map(|denominator| self.certified(&counted, &dual, denominator))
    }

    /// The bound that the weights `dual + counted` prove, once rounded to this denominator; `None` if they prove nothing.
    fn certified(&self, counted: &[bool], dual: &[f64], denominator: i64) -> Option<u64> {
        let mut weights = Vec::with_capacity(dual.len());
        for (&value, &counted) in dual.iter().zip(counted) {
            let scaled = (value.max(0.0) * denominator as f64).round();
            if !(0.0..1e12).contains(&scaled) {
                return None;
            }
            weights.push(scaled as i128 + if counted { i128::from(denominator) } else { 0 });
        }
        let falls = |effect: &Vector| {
            effect.iter().map(|&(place, delta)| weights[place as usize] * i128::from(delta)).sum::<i128>()
                <= 0
        };
        if !self.effects.iter().all(falls) {
            return None;
        }
        let initial = self.net.places.iter().map(|place| i128::from(place.initial));
        let sum: i128 = weights.iter().zip(initial).map(|(weight, initial)| weight * initial).sum();
        u64::try_from(sum / i128::from(denominator)).ok()
    }

    /// The dual values of `max (w C) σ` subject to `-C σ ≤ m₀`, `σ ≥ 0`, by the simplex method with Bland's rule. The origin is feasible, so
    /// there is no first phase. `None`: unbounded, or too slow.
    fn dual(&self, counted: &[bool], deadline: &Deadline<'_>) -> Option<Vec<f64>> {
        const EPSILON: f64 = 1e-9;
        let (rows, columns) = (self.net.places.len(), self.effects.len());
        let width = columns + rows + 1;
        let mut table = vec![0.0; (rows + 1) * width];
        for (t, effect) in self.effects.iter().enumerate() {
            let mut gain = 0.0;
            for &(place, delta) in effect {
                table[place as usize * width + t] = -(delta as f64);
                if counted[place as usize] {
                    gain += delta as f64;
                }
            }
            table[rows * width + t] = -gain;
        }
        let mut basis: Vec<usize> = (0..rows).map(|row| columns + row).collect();
        for (row, place) in self.net.places.iter().enumerate() {
            table[row * width + columns + row] = 1.0;
            table[row * width + width - 1] = place.initial as f64;
        }
        for round in 0..50 * (rows + columns) {
            if round % 16 == 15 && deadline.passed() {
                return None;
            }
            let objective = &table[rows * width..(rows + 1) * width - 1];
            let Some(enters) = objective.iter().position(|&value| value < -EPSILON) else {
                return Some(objective[columns..].to_vec());
            };
            let mut leaves: Option<(f64, usize)> = None;
            for row in 0..rows {
                let value = table[row * width + enters];
                if value > EPSILON {
                    let ratio = table[row * width + width - 1] / value;
                    let better = leaves.is_none_or(|(least, other)| {
                        ratio < least - EPSILON || (ratio <= least + EPSILON && basis[row] < basis[other])
                    });
                    if better {
                        leaves = Some((ratio, row));
                    }
                }
            }
            let (_, leaves) = leaves?;
            pivot(&mut table, width, leaves, enters);
            basis[leaves] = enters;
        }
        None
    }
}

fn pivot(table: &mut [f64], width: usize, row: usize, column: usize) {
    let divisor = table[row * width + column];
    table[row * width..(row + 1) * width].iter_mut().for_each(|value| *value /= divisor);
    let pivot_row = table[row * width..(row + 1) * width].to_vec();
    for (at, other) in table.chunks_exact_mut(width).enumerate() {
        let factor = other[column];
        if at != row && factor != 0.0 {
            other.iter_mut().zip(&pivot_row).for_each(|(value, pivot)| *value -= factor * pivot);
        }
    }
}

/// Whether weights of at least 1 on every place fall or stay with every firing: then the net is bounded from any marking.
pub fn covers_all(net: &PetriNet, semiflows: &[Weights]) -> bool {
    let mut covered = vec![false; net.places.len()];
    semiflows.iter().flatten().for_each(|&(place, _)| covered[place as usize] = true);
    !covered.contains(&false) && semiflows.iter().all(|weights| sparse::divisor(weights, 0) > 0)
}
