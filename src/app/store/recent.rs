//! How much changed lately.

use crate::model::Timestamp;
use std::collections::VecDeque;

/// Changes of rows within the last minute, counted by the second, so that a storm costs no more to remember than a quiet hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recent(VecDeque<(u64, usize)>);

const SECONDS: u64 = 60;

impl Recent {
    pub fn add(&mut self, now: Timestamp, rows: usize) {
        let second = now.0 / 1_000;
        self.0.retain(|(at, _)| second.saturating_sub(*at) < SECONDS);
        match self.0.back_mut() {
            Some((at, count)) if *at == second => *count += rows,
            _ => self.0.push_back((second, rows)),
        }
    }

    /// How many changes there were in the minute before `now`.
    pub fn count(&self, now: Timestamp) -> usize {
        let second = now.0 / 1_000;
        self.0.iter().filter(|(at, _)| second.saturating_sub(*at) < SECONDS).map(|(_, rows)| rows).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_a_minute_is_not_counted() {
        let at = |seconds: u64| Timestamp(seconds * 1_000);
        let mut recent = Recent::default();
        recent.add(at(0), 3);
        recent.add(at(30), 1);
        recent.add(at(30), 1);
        assert_eq!([recent.count(at(30)), recent.count(at(59)), recent.count(at(60))], [5, 5, 2]);
        recent.add(at(90), 1);
        assert_eq!((recent.count(at(90)), recent.0.len()), (1, 1));
    }
}
