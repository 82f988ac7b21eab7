//! How many firings are due at a given time, for a rate. Told the time, so that it is tested without a clock.

use std::time::Duration;

use web_time::Instant;

/// Firings are handed out in portions no smaller than fit in this, so that a high rate does not wake a thread for each.
const PORTION: Duration = Duration::from_millis(5);
/// What a machine too slow, or a process stopped for a while, may catch up with. Beyond it, time lost is lost.
const DEBT: Duration = Duration::from_millis(250);

/// A rate and how far it has been kept.
#[derive(Clone, Debug)]
pub struct Pace {
    rate: u32,
    start: Instant,
    done: u64,
}

impl Pace {
    /// `rate` in firings per second; 0 is as fast as possible.
    pub fn new(rate: u32, now: Instant) -> Self {
        Self { rate, start: now, done: 0 }
    }

    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// How many firings are due. The first one at once.
    pub fn due(&mut self, now: Instant) -> u64 {
        if self.rate == 0 {
            return u64::MAX;
        }
        let owed = self.entitled(now).saturating_sub(self.done);
        let most = 1 + (u128::from(self.rate) * DEBT.as_nanos() / 1_000_000_000) as u64;
        if owed > most {
            (self.start, self.done) = (now, 0);
            // One is due at the very start; the others that may be caught up with are given on top.
            return most;
        }
        owed
    }

    pub fn fired(&mut self, count: u64) {
        self.done += count;
    }

    /// When a portion will be due.
    pub fn next(&self, now: Instant) -> Instant {
        if self.rate == 0 {
            return now;
        }
        let portion = (u128::from(self.rate) * PORTION.as_nanos() / 1_000_000_000).max(1) as u64;
        let nanos = u128::from(self.done + portion - 1) * 1_000_000_000 / u128::from(self.rate);
        self.start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX) + 1)
    }

    /// Firings since the start, the one at the start included.
    fn entitled(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.start).as_nanos();
        1 + u64::try_from(elapsed * u128::from(self.rate) / 1_000_000_000).unwrap_or(u64::MAX - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Firings in `span`, where a slice fires all that is due and the thread wakes `late` after the time it asked for.
    fn fired_in(rate: u32, span: Duration, late: Duration) -> (u64, u64) {
        let start = Instant::now();
        let mut pace = Pace::new(rate, start);
        let (mut now, mut fired, mut wakes) = (start, 0, 0);
        while now < start + span {
            let due = pace.due(now);
            pace.fired(due);
            fired += due;
            wakes += 1;
            now = pace.next(now).max(now) + late;
        }
        (fired, wakes)
    }

    #[test]
    fn a_rate_is_kept_within_five_percent_from_1_to_100_000() {
        for rate in [1, 2, 7, 10, 60, 199, 200, 201, 1_000, 12_345, 100_000] {
            for late in [Duration::ZERO, Duration::from_micros(300), Duration::from_millis(3)] {
                let span = Duration::from_secs(20);
                let (fired, _) = fired_in(rate, span, late);
                let wanted = f64::from(rate) * span.as_secs_f64();
                let error = (fired as f64 - wanted).abs();
                assert!(
                    error <= (wanted * 0.01).max(1.0),
                    "rate {rate}, late {late:?}: {fired} for {wanted}"
                );
            }
        }
    }

    #[test]
    fn a_high_rate_does_not_wake_a_thread_for_each_firing() {
        let (_, wakes) = fired_in(100_000, Duration::from_secs(1), Duration::ZERO);
        assert!(wakes <= 210, "{wakes}");
    }

    #[test]
    fn time_lost_is_not_caught_up_with() {
        let start = Instant::now();
        let mut pace = Pace::new(1_000, start);
        let later = start + Duration::from_secs(3600);
        assert_eq!(pace.due(later), 251);
        pace.fired(251);
        assert_eq!(pace.due(later), 0);
        assert_eq!(pace.due(later + Duration::from_millis(300)), 50);
    }

    #[test]
    fn the_first_firing_is_due_at_once() {
        let start = Instant::now();
        let mut pace = Pace::new(1, start);
        assert_eq!(pace.due(start), 1);
        pace.fired(1);
        assert_eq!((pace.due(start), pace.due(pace.next(start))), (0, 1));
    }
}
