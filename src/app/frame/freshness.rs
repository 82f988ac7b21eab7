//! How old what is shown is: said at the foot of every list, and dimmed where it may no longer be true.

use crate::{
    app::{
        components::TimeOfDay,
        live::retry_now,
        store::{Store, use_store},
    },
    model::time::age,
    sync::Status,
};
use leptos::prelude::*;
use std::time::Duration;

/// A beacon comes every 5 s; without one for this long the badge leaves green.
const SILENT_AFTER: Duration = Duration::from_secs(7);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    Live,
    /// The stream is there and has been silent for more than a beacon's interval.
    Waiting,
    /// There is no stream.
    Stale,
}

fn silence(store: Store) -> Duration {
    let seen = store.link.with(|link| link.seen);
    Duration::from_millis(store.ticks.get().saturating_sub(seen))
}

pub fn silent(store: Store) -> bool {
    silence(store) > SILENT_AFTER
}

pub fn freshness(store: Store) -> Freshness {
    let down = store.link.with(|link| !matches!(link.status, Status::Connecting | Status::Connected));
    match (down, silent(store)) {
        (true, _) => Freshness::Stale,
        (false, true) => Freshness::Waiting,
        (false, false) => Freshness::Live,
    }
}

#[component]
pub fn FreshnessLine(
    /// Also say how long ago it was last known to be right.
    #[prop(optional)]
    refreshed: bool,
) -> impl IntoView {
    let store = use_store();
    let state = Memo::new(move |_| freshness(store));
    let as_of = Memo::new(move |_| store.link.with(|link| link.as_of));
    let words = Memo::new(move |_| {
        let old = || age(silence(store));
        match state.get() {
            Freshness::Live if store.ticks.get() == 0 => String::new(),
            Freshness::Live => {
                let now = store.now.get();
                let recent = store.changes.with(|changes| changes.count(now));
                match recent {
                    0 => " · live".to_owned(),
                    1 => " · live · 1 change in the last minute".to_owned(),
                    n => format!(" · live · {n} changes in the last minute"),
                }
            }
            Freshness::Waiting => format!(" · {} without word from the server", old()),
            Freshness::Stale => {
                let next = store.link.with(|link| match link.status {
                    Status::Reconnecting { retry_at, .. } | Status::Disconnected { retry_at } => {
                        let wait = retry_at.saturating_sub(store.ticks.get()).div_ceil(1_000).max(1);
                        format!("reconnecting in {wait} s")
                    }
                    Status::SignedOut => "signed out".to_owned(),
                    Status::SwitchedOff => "real-time is switched off".to_owned(),
                    Status::Offline => "the browser is offline".to_owned(),
                    _ => "not connected".to_owned(),
                });
                format!(", {} old — {next}", old())
            }
        }
    });
    let off = Memo::new(move |_| store.link.with(|link| link.status == Status::SwitchedOff));
    let last = Memo::new(move |_| {
        (refreshed && store.ticks.get() > 0).then(|| format!(" · last refreshed {} ago", age(silence(store))))
    });
    view! {
        <p class="freshness" data-state=move || format!("{:?}", state.get()).to_lowercase()>
            {move || if state.get() == Freshness::Stale { "showing " } else { "as of " }}
            <TimeOfDay at=as_of/>
            {move || words.get()}
            {move || last.get().map(|last| view! { <span data-refreshed="">{last}</span> })}
            {move || {
                (state.get() == Freshness::Stale && !off.get())
                    .then(|| {
                        view! {
                            <button type="button" class="link" on:click=move |_| retry_now()>
                                "Retry now"
                            </button>
                        }
                    })
            }}
        </p>
    }
    .into_any()
}
