//! Place and transition invariants: what the incidence matrix alone tells.
//!
//! A *place invariant* weighs the places so that no firing changes the weighted sum of tokens; a *transition invariant* counts firings
//! that cancel out. Two kinds are worked out: the *semiflows* (no negative weight, minimal support) by the algorithm of Farkas, which give
//! bounds; and a *basis* of all integer solutions by elimination, which tells how many independent sums there are.
//!
//! There may be exponentially many semiflows, so rows are limited. Whatever is returned is an invariant; `complete` says whether nothing
//! was left out.

use super::budget::Deadline;
use super::sparse::{self, Vector};
use crate::petri::net::PetriNet;

/// Rows that the elimination may hold at once, and may combine for one column.
const MAX_ROWS: usize = 20_000;
const MAX_COMBINATIONS: usize = 50_000;
/// Numbers that all its rows may have together, and what each takes.
const MAX_ENTRIES: usize = 4_000_000;
const ENTRY_BYTES: usize = 2 * size_of::<(u32, i64)>();

/// Weights by index of place or transition, ascending, none of them zero.
pub type Weights = Vec<(u32, i64)>;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Invariants {
    /// Weights at least 1, greatest common divisor 1; no support within another's where `complete`.
    pub semiflows: Vec<Weights>,
    /// `semiflows` holds all there are.
    pub complete: bool,
    /// A basis of all integer invariants; `None` where the net was too large for it.
    pub basis: Option<Vec<Weights>>,
}

impl Invariants {
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let all = self.semiflows.iter().chain(self.basis.iter().flatten());
        all.map(|weights| weights.capacity() * size_of::<(u32, i64)>() + size_of::<Weights>()).sum()
    }
}

/// The effect of each transition on the places: its column of the incidence matrix.
pub fn incidence(net: &PetriNet) -> Vec<Vector> {
    net.transition_indexes()
        .map(|t| {
            let taken = net.inputs(t).iter().map(|arc| (arc.place.0, -(arc.weight as i64)));
            let given = net.outputs(t).iter().map(|arc| (arc.place.0, arc.weight as i64));
            sparse::sum(taken.chain(given).collect())
        })
        .collect()
}

/// Weighted sums of tokens that stay the same.
pub fn of_places(net: &PetriNet, memory: usize, deadline: &Deadline<'_>) -> Invariants {
    let effects = incidence(net);
    solve(&sparse::transposed(&effects, net.places.len()), effects.len(), memory, deadline)
}

/// Counts of firings that change nothing.
pub fn of_transitions(net: &PetriNet, memory: usize, deadline: &Deadline<'_>) -> Invariants {
    solve(&incidence(net), net.places.len(), memory, deadline)
}

/// All `y` with `y · rows = 0`.
fn solve(rows: &[Vector], columns: usize, memory: usize, deadline: &Deadline<'_>) -> Invariants {
    let limit = (memory / ENTRY_BYTES).min(MAX_ENTRIES);
    let (semiflows, complete) = Farkas::new(rows, columns, limit).run(deadline);
    Invariants { semiflows, complete, basis: basis(rows, columns, limit, deadline) }
}

/// A combination of the rows of the matrix.
#[derive(Clone)]
struct Row {
    /// What it still leaves in each column.
    rest: Vector,
    weights: Vector,
}

impl Row {
    fn unit(index: usize, rest: &Vector) -> Self {
        Self { rest: rest.clone(), weights: vec![(index as u32, 1)] }
    }

    /// `a · self + b · other`, made as small as it can be; `None` if a number leaves the range.
    fn combined(&self, a: i64, other: &Row, b: i64) -> Option<Row> {
        let mut rest = sparse::combined(&self.rest, a, &other.rest, b)?;
        let mut weights = sparse::combined(&self.weights, a, &other.weights, b)?;
        let divisor = sparse::divisor(&weights, sparse::divisor(&rest, 0));
        sparse::divide(&mut rest, divisor);
        sparse::divide(&mut weights, divisor);
        Some(Row { rest, weights })
    }

    /// The combination of both that leaves nothing in `column`, with positive factors if the signs there differ.
    fn without(&self, column: u32, other: &Row) -> Option<Row> {
        let (a, b) = (sparse::at(&self.rest, column), sparse::at(&other.rest, column));
        let divisor = sparse::gcd(a.unsigned_abs(), b.unsigned_abs()) as i64;
        let same = (a > 0) == (b > 0);
        let factor = if same { -(a.abs() / divisor) } else { a.abs() / divisor };
        self.combined(b.abs() / divisor, other, factor)
    }
}

/// The double description method on the cone `y ≥ 0`, one column after the other.
struct Farkas {
    rows: Vec<Option<Row>>,
    alive: usize,
    entries: usize,
    limit: usize,
    /// Per column: rows that have something in it, and perhaps some that no longer do.
    by_column: Vec<Vec<u32>>,
    /// Per first place of a support: its rows. A row within another has its first place there.
    by_first: Vec<Vec<u32>>,
    complete: bool,
}

impl Farkas {
    fn new(matrix: &[Vector], columns: usize, limit: usize) -> Self {
        let mut farkas = Self {
            rows: Vec::new(),
            alive: 0,
            entries: 0,
            limit,
            by_column: vec![Vec::new(); columns],
            by_first: vec![Vec::new(); matrix.len()],
            complete: true,
        };
        for (index, rest) in matrix.iter().enumerate() {
            farkas.add(Row::unit(index, rest));
        }
        farkas
    }

    fn add(&mut self, row: Row) {
        let id = self.rows.len() as u32;
        for &(column, _) in &row.rest {
            self.by_column[column as usize].push(id);
        }
        if let Some(&(first, _)) = row.weights.first() {
            self.by_first[first as usize].push(id);
        }
        self.alive += 1;
        self.entries += row.rest.len() + row.weights.len();
        self.rows.push(Some(row));
    }

    fn remove(&mut self, id: u32) {
        if let Some(row) = self.rows[id as usize].take() {
            self.alive -= 1;
            self.entries -= row.rest.len() + row.weights.len();
            if let Some(&(first, _)) = row.weights.first() {
                self.by_first[first as usize].retain(|&other| other != id);
            }
        }
    }

    /// The rows with a positive and those with a negative number in a column.
    fn sides(&mut self, column: usize) -> (Vec<u32>, Vec<u32>) {
        let rows = &self.rows;
        self.by_column[column].retain(|&id| {
            rows[id as usize].as_ref().is_some_and(|row| sparse::at(&row.rest, column as u32) != 0)
        });
        self.by_column[column].iter().partition(|&&id| {
            rows[id as usize].as_ref().is_some_and(|row| sparse::at(&row.rest, column as u32) > 0)
        })
    }

    fn run(mut self, deadline: &Deadline<'_>) -> (Vec<Weights>, bool) {
        let mut left: Vec<usize> = (0..self.by_column.len()).collect();
        let mut cost: Vec<usize> = self.by_column.iter().map(|rows| rows.len() * rows.len()).collect();
        while !left.is_empty() {
            if deadline.passed() {
                self.complete = false;
                break;
            }
            let Some(at) = self.cheapest(&left, &mut cost) else { break };
            let column = left.swap_remove(at);
            let touched = self.eliminate(column, deadline);
            for touched in touched {
                cost[touched as usize] = usize::MAX;
            }
        }
        let done = self.rows.into_iter().flatten().filter(|row| row.rest.is_empty());
        (done.map(|row| row.weights).collect(), self.complete)
    }

    /// The position in `left` of the column with the fewest combinations. `usize::MAX` in `cost` means: count again.
    fn cheapest(&mut self, left: &[usize], cost: &mut [usize]) -> Option<usize> {
        let mut best: Option<(usize, usize)> = None;
        for (at, &column) in left.iter().enumerate() {
            if cost[column] == usize::MAX {
                let (positive, negative) = self.sides(column);
                cost[column] = positive.len() * negative.len();
            }
            if best.is_none_or(|(least, _)| cost[column] < least) {
                best = Some((cost[column], at));
            }
            if cost[column] == 0 {
                break;
            }
        }
        best.map(|(_, at)| at)
    }

    /// Makes a column zero in all rows. Returns the columns whose rows changed.
    fn eliminate(&mut self, column: usize, deadline: &Deadline<'_>) -> Vec<u32> {
        let (positive, negative) = self.sides(column);
        let mut made = Vec::new();
        let mut pairs = 0u32;
        let too_many = positive.len().saturating_mul(negative.len()) > MAX_COMBINATIONS;
        if too_many && !positive.is_empty() && !negative.is_empty() {
            self.complete = false;
        } else {
            let mut room = self.limit.saturating_sub(self.entries);
            'combine: for &p in &positive {
                for &n in &negative {
                    pairs += 1;
                    if room == 0 || (pairs.is_multiple_of(64) && deadline.passed()) {
                        self.complete = false;
                        break 'combine;
                    }
                    let (Some(one), Some(other)) = (&self.rows[p as usize], &self.rows[n as usize]) else {
                        continue;
                    };
                    if !self.adjacent(p, one, n, other) {
                        continue;
                    }
                    match one.without(column as u32, other) {
                        Some(row) => {
                            room = room.saturating_sub(row.rest.len() + row.weights.len());
                            made.push(row);
                        }
                        None => self.complete = false,
                    }
                }
            }
        }
        let mut touched: Vec<u32> = Vec::new();
        for &id in positive.iter().chain(&negative) {
            if let Some(row) = &self.rows[id as usize] {
                touched.extend(row.rest.iter().map(|&(column, _)| column));
            }
            self.remove(id);
        }
        for row in made {
            if self.alive >= MAX_ROWS || self.entries >= self.limit {
                self.complete = false;
                break;
            }
            touched.extend(row.rest.iter().map(|&(column, _)| column));
            self.add(row);
        }
        touched.sort_unstable();
        touched.dedup();
        touched
    }

    /// Whether two rays span a face: no third one lies within their supports. Only then is their combination minimal.
    fn adjacent(&self, p: u32, one: &Row, n: u32, other: &Row) -> bool {
        let within = |id: u32| {
            id != p
                && id != n
                && self.rows[id as usize].as_ref().is_some_and(|row| {
                    row.weights.iter().all(|&(place, _)| {
                        sparse::at(&one.weights, place) != 0 || sparse::at(&other.weights, place) != 0
                    })
                })
        };
        let support = one.weights.iter().chain(&other.weights);
        !support.into_iter().any(|&(place, _)| self.by_first[place as usize].iter().any(|&id| within(id)))
    }
}

/// A basis of the left null space, by fraction-free elimination; `None` if a number or the time ran out.
fn basis(matrix: &[Vector], columns: usize, limit: usize, deadline: &Deadline<'_>) -> Option<Vec<Weights>> {
    let mut rows: Vec<Option<Row>> =
        matrix.iter().enumerate().map(|(index, rest)| Some(Row::unit(index, rest))).collect();
    let mut by_column: Vec<Vec<u32>> = vec![Vec::new(); columns];
    for (id, row) in matrix.iter().enumerate() {
        for &(column, _) in row {
            by_column[column as usize].push(id as u32);
        }
    }
    let mut entries: usize = matrix.iter().map(|row| row.len() + 1).sum();
    let mut order: Vec<usize> = (0..columns).collect();
    order.sort_by_key(|&column| by_column[column].len());
    for column in order {
        if deadline.passed() || entries > limit {
            return None;
        }
        let mut ids = std::mem::take(&mut by_column[column]);
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|&id| {
            rows[id as usize].as_ref().is_some_and(|row| sparse::at(&row.rest, column as u32) != 0)
        });
        let length = |id: u32| rows[id as usize].as_ref().map_or(0, |row| row.rest.len() + row.weights.len());
        let Some(&pivot) = ids.iter().min_by_key(|&&id| length(id)) else { continue };
        let pivot_row = rows[pivot as usize].take()?;
        entries -= pivot_row.rest.len() + pivot_row.weights.len();
        for id in ids.into_iter().filter(|&id| id != pivot) {
            let row = rows[id as usize].take()?;
            let next = row.without(column as u32, &pivot_row)?;
            entries = entries + next.rest.len() + next.weights.len() - row.rest.len() - row.weights.len();
            for &(other, _) in &next.rest {
                if sparse::at(&row.rest, other) == 0 {
                    by_column[other as usize].push(id);
                }
            }
            rows[id as usize] = Some(next);
        }
    }
    let mut found: Vec<Weights> = rows.into_iter().flatten().map(|row| row.weights).collect();
    for weights in &mut found {
        // The sign is free; let the first weight be positive.
        if weights.first().is_some_and(|&(_, weight)| weight < 0) {
            weights.iter_mut().for_each(|(_, weight)| *weight = -*weight);
        }
    }
    Some(found)
}
