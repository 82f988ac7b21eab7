//! Telling many latest values a few at a time, each in its turn.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
};

/// What `take` gives of at most `most` entries, beginning after `turn` and going round once. `turn` becomes the last that gave something,
/// so that what has no room now is first the next time.
pub fn in_turn<K: Copy + Ord, E, T>(
    entries: &mut BTreeMap<K, E>,
    turn: &mut Option<K>,
    most: usize,
    mut take: impl FnMut(&mut E) -> Option<T>,
) -> Vec<T> {
    let mut taken = Vec::new();
    let mut last = *turn;
    let mut look = |(key, entry): (&K, &mut E)| {
        if taken.len() < most
            && let Some(value) = take(entry)
        {
            taken.push(value);
            last = Some(*key);
        }
    };
    match *turn {
        Some(turn) => {
            entries.range_mut((Excluded(turn), Unbounded)).for_each(&mut look);
            entries.range_mut(..=turn).for_each(&mut look);
        }
        None => entries.iter_mut().for_each(&mut look),
    }
    *turn = last;
    taken
}
