//! How long to wait before trying again.

use std::time::Duration;

/// The delay doubles from 1 s to 30 s, with full jitter (each wait is drawn evenly from zero to the bound), so that clients which lost the
/// same server do not come back in step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    tries: u32,
}

/// No wait is longer.
pub const LONGEST: Duration = Duration::from_secs(30);

impl Backoff {
    /// The wait before the next try. `jitter` is drawn evenly from 0 to 1.
    pub fn next(&mut self, jitter: f64) -> Duration {
        let bound = Duration::from_secs(1 << self.tries.min(5)).min(LONGEST);
        self.tries = self.tries.saturating_add(1);
        bound.mul_f64(jitter.clamp(0.0, 1.0))
    }

    /// Tries since the last success.
    pub fn tries(self) -> u32 {
        self.tries
    }

    pub fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_thirty_seconds_and_stay_there() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..8).map(|_| backoff.next(1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(backoff.next(0.5), Duration::from_secs(15));
        backoff.reset();
        assert_eq!(backoff.next(1.0), Duration::from_secs(1));
    }

    #[test]
    fn jitter_from_outside_its_range_is_harmless() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.next(-3.0), Duration::ZERO);
        assert_eq!(backoff.next(9.0), Duration::from_secs(2));
    }
}
