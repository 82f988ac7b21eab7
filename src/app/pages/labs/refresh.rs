//! Asking workers for their labs by hand: once in ten seconds, and how long that still takes is on the button.

use crate::{
    app::{
        components::{Ago, use_toasts},
        error::ApiError,
        lab_actions::{RefreshLabs as Ask, refresh_labs},
        store::use_store,
    },
    model::{Timestamp, WorkerId, lab::REFRESH_FLOOR},
};
use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use server_fn::ServerFn;
use std::time::Duration;

/// Whole seconds from `now` until `until`, rounded up; nothing where that is over.
fn wait(now: Timestamp, until: Option<Timestamp>) -> Option<u64> {
    let left = until?.since(now).as_millis() as u64;
    (left > 0).then(|| left.div_ceil(1_000))
}

#[component]
pub fn RefreshLabs(
    /// Those that are asked.
    #[prop(into)]
    workers: Signal<Vec<WorkerId>>,
    /// Up to when all of their labs are known.
    #[prop(into)]
    synced: Signal<Option<Timestamp>>,
) -> impl IntoView {
    let (store, toasts) = (use_store(), use_toasts());
    let until = RwSignal::new(None::<Timestamp>);
    let busy = RwSignal::new(false);
    let left = Memo::new(move |_| wait(store.now.get(), until.get()));
    let ready = Memo::new(move |_| {
        let workers = workers.get().into_iter();
        workers.filter(|id| store.worker(*id).is_some_and(|row| row.is_ready())).collect::<Vec<_>>()
    });
    let ids = move || ready.get().iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() || left.get_untracked().is_some() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let answer = refresh_labs(untrack(ids)).await;
            let again = |wait: Duration| until.try_set(Some(store.now.get_untracked().plus(wait)));
            match answer {
                Ok(done) => {
                    toasts.announce(done.message);
                    _ = again(REFRESH_FLOOR);
                }
                // Somebody else was quicker: what they asked for is seen here, too.
                Err(ApiError::TooMany { retry_after_s }) => _ = again(Duration::from_secs(retry_after_s)),
                Err(error) => toasts.error(error.to_string()),
            }
            _ = busy.try_set(false);
        });
    };
    let label = move || match (busy.get(), left.get()) {
        (true, _) => "Refreshing".to_owned(),
        (false, Some(left)) => format!("Again in {left} s"),
        (false, None) => "Refresh".to_owned(),
    };
    let synced = move || match synced.get() {
        Some(at) => view! { "synced " <Ago at/> " ago" }.into_any(),
        None => "never synced".into_any(),
    };
    view! {
        <span class="labs-synced quiet-text">{synced}</span>
        {store.may_act_on_nets().then(|| view! {
            <form class="labs-refresh" method="post" action=Ask::url() on:submit=on_submit hidden=move || ready.with(Vec::is_empty)>
                <input type="hidden" name="ids" value=ids/>
                <button
                    class="button"
                    title="Ask for the labs as they are now; once in ten seconds"
                    aria-disabled=move || (busy.get() || left.get().is_some()).then_some("true")
                >
                    {label}
                </button>
            </form>
        })}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_counted_down_to_its_last_part_of_a_second() {
        let at = |ms| Some(Timestamp(ms));
        assert_eq!(wait(Timestamp(0), None), None);
        assert_eq!(wait(Timestamp(1_000), at(11_000)), Some(10));
        assert_eq!(wait(Timestamp(10_999), at(11_000)), Some(1));
        assert_eq!(wait(Timestamp(11_000), at(11_000)), None);
        assert_eq!(wait(Timestamp(20_000), at(11_000)), None);
    }
}
