//! The list of events: what is seen of it, what is done with those picked, and how it goes on below.

use super::{
    chosen::Chosen,
    record::{Moved, Older},
    row::EventRow,
    rules::RulesAsk,
    tail::{Fetching, MOST, Tail},
};
use crate::{
    app::{
        components::{
            format::{count, counted},
            list::{Column, Facts, List, ListRows, Offer, PickedBar, RowPlace, SortKey, Source},
            use_toasts,
        },
        error::ApiError,
        event_actions::{self, AcknowledgeEvents, acknowledge_events},
        store::use_store,
    },
    model::EventId,
};
use leptos::{ev, html, prelude::*, task::spawn_local};
use server_fn::ServerFn;

const fn column(key: &'static str, heading: &'static str) -> Column {
    Column { key, heading, figure: false, sorts: false, optional: false }
}

const OFFER: Offer = Offer {
    name: "events",
    columns: &[
        column("open", ""),
        column("severity", "Severity"),
        column("time", "Time"),
        column("name", "What happened"),
        column("about", "About"),
        column("type", "Type"),
        column("actor", "By"),
        column("ack", "Acknowledged"),
        column("actions", "Actions"),
    ],
    facets: &[],
    searches: false,
    // It grows while it is scrolled through: becoming long then would be a jolt.
    whole: 0,
    sorted_by: "time",
};

/// The form that the buttons of all rows belong to: with one in each, a row would have three more elements to be made and laid out.
pub const ACKNOWLEDGE: &str = "acknowledge-events";

/// Newest first. What to show was decided before it came here.
struct Rows(Tail);

impl Source<EventId> for Rows {
    fn keys(&self) -> Vec<EventId> {
        self.0.record.with_untracked(|record| record.ids().collect())
    }

    fn facts(&self, id: EventId, by: &str) -> Option<Facts> {
        let there = self.0.record.with_untracked(|record| record.get(id).is_some());
        there.then(|| Facts { sort: self.sort_key(id, by), ..Facts::default() })
    }

    fn sort_key(&self, id: EventId, _by: &str) -> SortKey {
        SortKey::Number(u64::MAX - id.0)
    }
}

#[component]
pub fn EventsList(
    chosen: Memo<Chosen>,
    first: Option<event_actions::Older>,
    /// Why there is no first page.
    failed: Option<String>,
    ask: RulesAsk,
) -> impl IntoView {
    let store = use_store();
    let tail = Tail::new(store, chosen.into(), first);
    if let Some(why) = failed {
        tail.fetching.set(Fetching::Failed(why));
    }
    let list = List::new(&OFFER, Rows(tail));
    tail.on_moved(move |moved| match moved {
        Moved::Rows(rows) => list.follow(&rows),
        Moved::All => {
            list.drop_picks();
            list.refill();
        }
    });
    let beginning = NodeRef::<html::Div>::new();
    let end = NodeRef::<html::Div>::new();
    #[cfg(feature = "browser")]
    {
        use crate::app::live::nearing;
        tail.hold_back_while(move || {
            beginning.try_get_untracked().flatten().is_some_and(|element| nearing::begins_above(&element))
        });
        nearing::when_near(end, move || {
            // What failed is tried again when somebody says so, not by scrolling.
            if tail.fetching.try_get_untracked() == Some(Fetching::Idle) {
                tail.fetch_older();
            }
        });
        // A page that leaves the end in sight calls for the next one.
        Effect::new(move |_| {
            tail.record.with(|record| record.len());
            if tail.fetching.get() == Fetching::Idle
                && let Some(end) = end.get()
            {
                crate::app::live::viewport::once_shown(move || {
                    let top = end.get_bounding_client_rect().top();
                    let near = top < 2.0 * crate::app::live::scroller::window_height();
                    if near && end.is_connected() && tail.fetching.try_get_untracked() == Some(Fetching::Idle)
                    {
                        tail.fetch_older();
                    }
                });
            }
        });
    }
    let held = Memo::new(move |_| tail.record.with(|record| record.held()));
    let none = Memo::new(move |_| tail.record.with(|record| record.len() == 0));
    let over = Memo::new(move |_| tail.record.with(|record| record.older() == Older::None));
    let reveal = move |_| {
        tail.reveal();
        #[cfg(feature = "browser")]
        if let Some(beginning) = beginning.get_untracked() {
            crate::app::live::nearing::to_beginning(&beginning);
        }
    };
    let row = move |place: RowPlace<EventId>| view! { <EventRow list tail place ask/> }.into_any();
    view! {
        {move || {
            chosen
                .with(|chosen| chosen.before.map(|_| chosen.to_the_newest().address()))
                .map(|newest| {
                    view! {
                        <p class="notice tone-busy">
                            "These are older events; what happens now is not among them. " <a href=newest>"To the newest"</a>
                        </p>
                    }
                })
        }}
        <div class="events-list" node_ref=beginning>
            <p class="events-newer" aria-live="polite">
                {move || {
                    (held.get() > 0)
                        .then(|| {
                            view! {
                                <button type="button" class="button primary" on:click=reveal>
                                    {move || format!("{} newer", count(held.get() as u64))}
                                </button>
                            }
                        })
                }}
            </p>
            {move || {
                let waits = tail.fetching.with(|fetching| *fetching != Fetching::Idle);
                let words = match (none.get() && over.get(), chosen.with(Chosen::filters)) {
                    (false, _) => return None,
                    (true, _) if waits => return None,
                    (true, true) => "No event matches the filter.",
                    (true, false) => "Nothing has happened yet.",
                };
                Some(view! { <p class="empty">{words}</p> })
            }}
            <form id=ACKNOWLEDGE method="post" action=AcknowledgeEvents::url() hidden>
                <input type="hidden" name="key" value=move || store.form_key.get()/>
            </form>
            <ListRows list label="Events" picks=store.may_act_on_nets() row/>
        </div>
        <PickedBar list one="event" many="events">
            <AcknowledgePicked list tail/>
        </PickedBar>
        <div class="events-end" node_ref=end>
            <End tail chosen over/>
        </div>
    }
    .into_any()
}

/// How the list goes on: older events on their way, a link to them, what went wrong, or that there are none.
#[component]
fn End(tail: Tail, chosen: Memo<Chosen>, over: Memo<bool>) -> impl IntoView {
    let here = Memo::new(move |_| tail.record.with(|record| record.len()));
    let older = Memo::new(move |_| {
        tail.record.with(|record| match record.older() {
            Older::Before(Some(before)) => Some(Chosen { before: Some(before), ..chosen.get() }.address()),
            _ => None,
        })
    });
    let fetch = move |event: ev::MouseEvent| {
        if !tail.is_full() && !event.ctrl_key() && !event.meta_key() && !event.shift_key() {
            event.prevent_default();
            event.stop_propagation();
            tail.fetch_older();
        }
    };
    let words = move || match (here.get(), over.get()) {
        (0, _) => String::new(),
        (n, true) => format!("{}; the log holds nothing older.", counted(n, "event", "events")),
        (n, false) => format!("{} so far.", counted(n, "event", "events")),
    };
    move || {
        match tail.fetching.get() {
        Fetching::Under => view! { <p class="quiet-text" role="status">"Loading older events…"</p> }.into_any(),
        Fetching::Failed(why) => view! {
            <p class="notice tone-warn" role="alert">
                {format!("Older events could not be fetched; what is above stays as it is. {why} ")}
                <button type="button" class="link needs-script" on:click=move |_| tail.fetch_older()>"Try again"</button>
            </p>
        }
        .into_any(),
        Fetching::Idle => view! {
            <p class="quiet-text">
                {words} " "
                {move || older.get().map(|older| view! { <a href=older on:click=fetch>"Older events"</a> })}
                {move || {
                    (here.get() >= MOST).then_some(" A page holds no more than this; the older ones begin a new one.")
                }}
            </p>
        }
        .into_any(),
    }
    }
}

/// Acknowledges events, says how that went, and shows them as they are then.
pub async fn acknowledge(tail: Tail, toasts: crate::app::components::Toasts, ids: Vec<EventId>) -> bool {
    let key = uuid::Uuid::new_v4().to_string();
    let words: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let send = || acknowledge_events(words.join(","), Some(key.clone()));
    let answer = match send().await {
        // Under the same key it is done once, and the second answer is the first.
        Err(ApiError::Unreachable { .. }) => send().await,
        heard => heard,
    };
    match answer {
        Ok(done) => {
            toasts.announce(done.message);
            tail.read_again(ids);
            true
        }
        Err(error) => {
            toasts.error(format!("Could not acknowledge. {error}"));
            false
        }
    }
}

#[component]
fn AcknowledgePicked(list: List<EventId>, tail: Tail) -> impl IntoView {
    let (store, toasts) = (use_store(), use_toasts());
    let open = Memo::new(move |_| {
        list.picked.track();
        tail.record.with(|record| {
            let is_open = |id: &EventId| {
                let event = record.get(*id);
                event.is_some_and(|event| event.acknowledged.is_none() && store.may_acknowledge(event))
            };
            list.picks().into_iter().filter(is_open).collect::<Vec<_>>()
        })
    });
    let on_click = move |_| {
        let ids = open.get_untracked();
        spawn_local(async move {
            // As many as the server takes at once.
            for ids in ids.chunks(crate::app::event_actions::MOST_IDS) {
                if !acknowledge(tail, toasts, ids.to_vec()).await {
                    return;
                }
            }
            list.drop_picks();
        });
    };
    let label = move || match open.with(Vec::len) {
        0 => "Nothing to acknowledge".to_owned(),
        n => format!("Acknowledge {}", count(n as u64)),
    };
    view! {
        <button type="button" class="button" disabled=move || open.with(Vec::is_empty) on:click=on_click>
            {label}
        </button>
    }
    .into_any()
}
