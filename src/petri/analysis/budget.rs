//! What an analysis may use: time by a clock that is handed in, memory by its own count.

use std::time::Duration;

/// A budget. `elapsed` tells the time since the analysis began; it is asked every few thousand steps. A caller who wants to stop early
/// lets it answer [`Duration::MAX`].
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    pub time: Duration,
    /// Bytes that the stored markings, their index and the work upon them may take together.
    pub memory: usize,
    pub elapsed: &'a dyn Fn() -> Duration,
}

/// Which part of a budget was used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    Time,
    Memory,
}

/// A point in time that one part of the analysis ends at.
#[derive(Clone, Copy)]
pub struct Deadline<'a> {
    at: Duration,
    elapsed: &'a dyn Fn() -> Duration,
}

impl<'a> Budget<'a> {
    /// A budget of memory alone, for callers whose nets are known to be small.
    pub fn of_memory(memory: usize) -> Budget<'static> {
        Budget { time: Duration::MAX, memory, elapsed: &|| Duration::ZERO }
    }

    /// The end of the budget.
    pub(super) fn end(&self) -> Deadline<'a> {
        Deadline { at: self.time, elapsed: self.elapsed }
    }

    /// The time after `share` (0 to 1) of what is left from now on.
    pub(super) fn share(&self, share: f64) -> Deadline<'a> {
        let now = (self.elapsed)();
        let left = self.time.saturating_sub(now);
        let part =
            if self.time == Duration::MAX { Duration::MAX } else { left.mul_f64(share.clamp(0.0, 1.0)) };
        Deadline { at: now.saturating_add(part).min(self.time), elapsed: self.elapsed }
    }
}

impl Deadline<'_> {
    pub(super) fn passed(&self) -> bool {
        (self.elapsed)() >= self.at
    }
}
