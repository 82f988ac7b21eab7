//! Points in time. The model never asks what time it is; it is told.

use serde::{Deserialize, Serialize};
use std::{
    fmt,
    time::{Duration, UNIX_EPOCH},
};

/// Milliseconds since 1970-01-01T00:00:00Z. On the wire: that number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The time elapsed from `earlier` to `self`; zero if the clock went back in between.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    pub fn plus(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(duration.as_millis() as u64))
    }
}

/// RFC 3339 in UTC with milliseconds: `2026-11-21T12:03:22.041Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // humantime refuses years past 9999; a corrupt row must not take a page down with it.
        let millis = self.0.min(253_402_300_799_999);
        write!(f, "{}", humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(millis)))
    }
}

/// An age or a duration in the words of the console: `0 s`, `41 s`, `4 min`, `3 h`, `2 d`.
pub fn age(duration: Duration) -> String {
    match duration.as_secs() {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3600 => format!("{} min", s / 60),
        s @ 3600..86_400 => format!("{} h", s / 3600),
        s => format!("{} d", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_reads_as_rfc_3339() {
        assert_eq!(Timestamp(1_000_000_000_041).to_string(), "2001-09-09T01:46:40.041Z");
        assert_eq!(Timestamp(u64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn ages_are_rounded_down_to_one_unit() {
        let of = |s| age(Duration::from_secs(s));
        assert_eq!(
            [of(0), of(59), of(60), of(3599), of(7200), of(200_000)],
            ["0 s", "59 s", "1 min", "59 min", "2 h", "2 d"]
        );
    }
}
