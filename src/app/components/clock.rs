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

/// `12:03:22`, or `12:03:22 UTC` while the time zone is not known.
pub fn time_of_day(at: Timestamp, utc_offset: Option<i32>) -> String {
    let seconds = (at.0 / 1_000) as i64 + i64::from(utc_offset.unwrap_or(0)) * 60;
    let day = seconds.rem_euclid(86_400);
    let zone = if utc_offset.is_none() { " UTC" } else { "" };
    format!("{:02}:{:02}:{:02}{zone}", day / 3_600, day / 60 % 60, day % 60)
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
}
