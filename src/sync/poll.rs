//! When to look again whether the stream told everything: a poll every thirty seconds while somebody looks (seed 000).

use super::replica::Instant;
use std::time::Duration;

/// The shortest time between two polls, whatever happens.
pub const EVERY: Duration = Duration::from_secs(30);

/// One in flight, none while hidden, at once on return, never sooner than [`EVERY`] after the one before or than the server asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    watched: bool,
    in_flight: bool,
    next: Instant,
}

impl Poll {
    /// `fresh` is when what is shown was last known to be right: a page just rendered needs no poll.
    pub fn new(fresh: Instant) -> Poll {
        Poll { watched: false, in_flight: false, next: fresh + EVERY.as_millis() as u64 }
    }

    /// Whether the page that polls is shown and the tab is visible.
    pub fn watched(&mut self, watched: bool) {
        self.watched = watched;
    }

    /// When [`Poll::start`] has something to do.
    pub fn next_tick(&self) -> Option<Instant> {
        (self.watched && !self.in_flight).then_some(self.next)
    }

    /// Whether to poll now. The answer, also a failed one, is to be reported to [`Poll::answered`].
    pub fn start(&mut self, now: Instant) -> bool {
        let due = self.next_tick().is_some_and(|next| next <= now);
        if due {
            self.in_flight = true;
            self.next = now + EVERY.as_millis() as u64;
        }
        due
    }

    /// The poll ended; `retry_after` is what a server that answered 429 asks for.
    pub fn answered(&mut self, retry_after: Option<Duration>, now: Instant) {
        self.in_flight = false;
        if let Some(wait) = retry_after {
            self.next = self.next.max(now + wait.as_millis() as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_watched_page_polls_and_thirty_seconds_are_a_floor() {
        let mut poll = Poll::new(0);
        assert_eq!(poll.next_tick(), None);
        poll.watched(true);
        assert!(!poll.start(29_999));
        assert!(poll.start(30_000));
        assert!(!poll.start(90_000), "one in flight");
        poll.answered(None, 31_000);
        assert!(!poll.start(59_999));
        assert_eq!(poll.next_tick(), Some(60_000));
    }

    #[test]
    fn hidden_it_rests_and_on_return_polls_at_once() {
        let mut poll = Poll::new(0);
        poll.watched(true);
        poll.watched(false);
        assert!(!poll.start(100_000));
        poll.watched(true);
        assert!(poll.start(100_000));
        poll.answered(None, 100_100);
        poll.watched(false);
        poll.watched(true);
        assert!(!poll.start(101_000), "coming and going does not poll more often");
    }

    #[test]
    fn retry_after_is_obeyed() {
        let mut poll = Poll::new(0);
        poll.watched(true);
        assert!(poll.start(30_000));
        poll.answered(Some(Duration::from_secs(45)), 30_500);
        assert_eq!(poll.next_tick(), Some(75_500));
    }
}
