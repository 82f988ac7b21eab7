//! The event log: what happens and what happened, as one list; figures of it; its rules.
//!
//! [`chosen`] and [`record`] decide, [`tail`] fetches, the others show. [`timeline`] is the same for one thing, on its own page.

pub mod chosen;
mod figures;
mod filters;
mod list;
mod record;
mod row;
mod rules;
mod tail;
mod timeline;
mod words;

pub use rules::RulesDialog;
pub use timeline::Timeline;
#[cfg(feature = "browser")]
pub use words::about;
pub use words::{actor_words, tone};

use crate::app::{
    components::Icon,
    error::ApiError,
    event_actions::{Older, event_history},
    frame::freshness::FreshnessLine,
    notify::Notify,
    store::{Store, use_store},
};
use chosen::Chosen;
use figures::Figures;
use filters::Filters;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use list::EventsList;
use rules::RulesAsk;

#[component]
pub fn EventsPage() -> impl IntoView {
    let store = use_store();
    let query = use_query_map();
    let chosen = Memo::new(move |_| query.with(Chosen::read));
    let ask = RulesAsk::new();
    let notify: Notify = expect_context();
    // Only what the address leads to first: what is chosen afterwards the list fetches itself.
    let first = Resource::new_blocking(
        || (),
        move |()| {
            let chosen = chosen.get_untracked();
            first_page(store, chosen)
        },
    );
    view! {
        <Title text="Events"/>
        <div class="page-head">
            <h1>"Events"</h1>
            <span class="head-end actions">
                <button type="button" class="button needs-script" on:click=move |_| notify.open_settings()>
                    <Icon name="bell"/>
                    "What I am told"
                </button>
                <button type="button" class="button needs-script" on:click=move |_| ask.open()>
                    "Rules"
                </button>
            </span>
        </div>
        <Filters chosen/>
        <Figures chosen/>
        <Suspense fallback=|| view! { <p class="empty" role="status">"Loading events…"</p> }>
            {move || Suspend::new(async move {
                let (first, failed) = match first.await {
                    Ok(first) => (first, None),
                    Err(error) => (None, Some(error.to_string())),
                };
                view! { <EventsList chosen first failed ask/> }
            })}
        </Suspense>
        <RulesDialog ask/>
        <FreshnessLine/>
    }
    .into_any()
}

/// The first page of the history, where what the store holds is not the beginning of what is chosen.
async fn first_page(store: Store, chosen: Chosen) -> Result<Option<Older>, ApiError> {
    if chosen == Chosen::default() {
        return Ok(None);
    }
    // From the newest on, also what the store will only hear of in a moment: without JavaScript nothing comes later.
    let query = untrack(|| chosen.asks(store.now.get()));
    event_history(query, chosen.before).await.map(Some)
}
