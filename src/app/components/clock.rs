//! Time on the page. Rendered from the server's clock on both sides, and ticking only once the page is alive.

use crate::model::{Timestamp, time::age};
use leptos::prelude::*;

/// The clock that the times on a page follow.
#[derive(Clone, Copy)]
pub struct Clock {
    /// The server's time.
    pub now: RwSignal<Timestamp>,
    /// Minutes ahead of UTC; unknown until the page is alive.
    pub utc_offset: RwSignal<Option<i32>>,
}

pub fn use_clock() -> Clock {
    expect_context()
}

/// How long ago: `12 s`, `4 min`; the exact time on hover.
#[component]
pub fn Ago(#[prop(into)] at: Signal<Timestamp>) -> impl IntoView {
    let clock = use_clock();
    let text = Memo::new(move |_| age(clock.now.get().since(at.get())));
    let exact = Memo::new(move |_| at.get().to_string());
    view! {
        <time datetime=move || exact.get() title=move || exact.get()>
            {move || text.get()}
        </time>
    }
    .into_any()
}

/// `12:03:22`, in the operator's time zone once that is known.
#[component]
pub fn TimeOfDay(#[prop(into)] at: Signal<Timestamp>) -> impl IntoView {
    let clock = use_clock();
    let text = Memo::new(move |_| time_of_day(at.get(), clock.utc_offset.get()));
    let exact = Memo::new(move |_| at.get().to_string());
    view! {
        <time datetime=move || exact.get() title=move || exact.get()>
            {move || text.get()}
        </time>
    }
    .into_any()
}

/// When it was or will be: `12:03:22` today, `20 Nov 12:03:22` on another day; the exact time on hover.
#[component]
pub fn Moment(at: Timestamp) -> impl IntoView {
    let clock = use_clock();
    // It is another word after midnight only: the clock need not be asked every second.
    let day = Memo::new(move |_| clock.now.get().0 / 60_000);
    let text = move || {
        day.track();
        moment(at, clock.now.get_untracked(), clock.utc_offset.get())
    };
    view! {
        <time datetime=at.to_string() title=at.to_string()>
            {text}
        </time>
    }
    .into_any()
}

/// `12:03:22`, or `12:03:22 UTC` while the time zone is not known.
pub fn time_of_day(at: Timestamp, utc_offset: Option<i32>) -> String {
    let seconds = (at.0 / 1_000) as i64 + i64::from(utc_offset.unwrap_or(0)) * 60;
    let day = seconds.rem_euclid(86_400);
    let zone = if utc_offset.is_none() { " UTC" } else { "" };
    format!("{:02}:{:02}:{:02}{zone}", day / 3_600, day / 60 % 60, day % 60)
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: i64 = 86_400;

/// `12:03:22` today, `20 Nov 12:03:22` on another day, in the operator's time zone once that is known.
fn moment(at: Timestamp, now: Timestamp, utc_offset: Option<i32>) -> String {
    let local = |at: Timestamp| (at.0 / 1_000) as i64 + i64::from(utc_offset.unwrap_or(0)) * 60;
    let day = local(at).div_euclid(DAY);
    let time = time_of_day(at, utc_offset);
    if day == local(now).div_euclid(DAY) {
        return time;
    }
    let (_, month, day) = date(day);
    format!("{day} {} {time}", MONTHS[month as usize - 1])
}

/// Year, month and day of the month, of a day counted from 1970-01-01. H. Hinnant, "chrono-compatible low-level date algorithms".
fn date(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * shifted + 2) / 5 + 1) as u32;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_day_is_the_operators() {
        let at = Timestamp(1_000_000_000_041);
        assert_eq!(time_of_day(at, None), "01:46:40 UTC");
        assert_eq!(time_of_day(at, Some(120)), "03:46:40");
        assert_eq!(time_of_day(at, Some(-180)), "22:46:40");
    }

    #[test]
    fn a_time_of_another_day_says_which() {
        let at = Timestamp(1_000_000_000_041);
        assert_eq!(moment(at, at, None), "01:46:40 UTC");
        assert_eq!(moment(at, Timestamp(at.0 + 86_400_000), None), "9 Sep 01:46:40 UTC");
        // Three hours behind UTC it is the day before.
        assert_eq!(moment(at, at, Some(-180)), "22:46:40");
        assert_eq!(moment(at, Timestamp(at.0 + 3_600_000 * 12), Some(-180)), "8 Sep 22:46:40");
    }

    #[test]
    fn days_are_counted_as_calendars_do() {
        for (days, is) in [
            (0, (1970, 1, 1)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (20_778, (2026, 11, 21)),
            (-1, (1969, 12, 31)),
        ] {
            assert_eq!(date(days), is, "{days}");
        }
    }
}
