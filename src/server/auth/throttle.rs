//! Slows down who guesses passwords.

use crate::{app::error::ApiError, model::Timestamp};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// So many wrong passwords for one address …
const FAILURES: usize = 5;
/// … within this time, and it must wait.
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses remembered; beyond them, all wait until the window has passed. Guessing many addresses is guessing, too.
const MOST_ADDRESSES: usize = 10_000;

#[derive(Default)]
pub struct Throttle {
    failures: Mutex<HashMap<String, Vec<Timestamp>>>,
}

impl Throttle {
    pub fn check(&self, email: &str, now: Timestamp) -> Result<(), ApiError> {
        let mut failures = self.lock();
        failures.retain(|_, times| {
            times.retain(|time| now.since(*time) < WINDOW);
            !times.is_empty()
        });
        let full = failures.len() >= MOST_ADDRESSES;
        match failures.get(email) {
            Some(times) if times.len() >= FAILURES => {
                let oldest = times.first().copied().unwrap_or(now);
                let wait = WINDOW.saturating_sub(now.since(oldest)).as_secs() + 1;
                Err(ApiError::TooMany { retry_after_s: wait })
            }
            None if full => Err(ApiError::TooMany { retry_after_s: WINDOW.as_secs() }),
            _ => Ok(()),
        }
    }

    pub fn failed(&self, email: &str, now: Timestamp) {
        self.lock().entry(email.to_owned()).or_default().push(now);
    }

    pub fn succeeded(&self, email: &str) {
        self.lock().remove(email);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Timestamp>>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_try_within_a_minute_waits() {
        let throttle = Throttle::default();
        for second in 0..5 {
            assert!(throttle.check("a@b", Timestamp(second * 1000)).is_ok());
            throttle.failed("a@b", Timestamp(second * 1000));
        }
        assert_eq!(throttle.check("a@b", Timestamp(10_000)), Err(ApiError::TooMany { retry_after_s: 51 }));
        assert!(throttle.check("c@d", Timestamp(10_000)).is_ok(), "others do not wait");
        assert!(throttle.check("a@b", Timestamp(61_000)).is_ok(), "the window passed");
    }
}
