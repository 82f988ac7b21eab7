//! The live end of the log and its history as one list: what of it is here, what is being fetched, and what went wrong.
//!
//! The store brings what happens; older events are asked for page by page. Decisions are [`Record`]'s.

use super::{
    chosen::Chosen,
    record::{Moved, Older, Record},
};
use crate::{
    app::{
        event_actions::{self, MOST_IDS, event_history, events_now},
        store::{Store, Touched},
    },
    model::{EntityRef, Event, EventId},
};
use leptos::{prelude::*, task::spawn_local};
use std::{collections::HashSet, sync::Arc};

/// So many events are kept on a page; whoever reads on begins a new list below them.
pub const MOST: usize = 10_000;

#[derive(Clone, Debug, Default, PartialEq)]
pub enum Fetching {
    #[default]
    Idle,
    Under,
    /// In words for the operator.
    Failed(String),
}

type OnMoved = Arc<dyn Fn(Moved) + Send + Sync>;

#[derive(Clone, Copy)]
pub struct Tail {
    store: Store,
    pub chosen: Signal<Chosen>,
    pub record: RwSignal<Record>,
    pub fetching: RwSignal<Fetching>,
    /// Counts the lists that were begun: what was asked for another one is not taken.
    begun: StoredValue<u64>,
    on_moved: StoredValue<Option<OnMoved>>,
    /// Whether what is new is held back now.
    holds_back: StoredValue<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl Tail {
    /// The events that `chosen` names, as they are now and for as long as the current owner lives. `first` is the first page of the history,
    /// where it was fetched already.
    pub fn new(store: Store, chosen: Signal<Chosen>, first: Option<event_actions::Older>) -> Tail {
        let tail = Tail {
            store,
            chosen,
            record: RwSignal::new(Record::default()),
            fetching: RwSignal::new(Fetching::Idle),
            begun: StoredValue::new(0),
            on_moved: StoredValue::new(None),
            holds_back: StoredValue::new(Arc::new(|| false)),
        };
        tail.begin();
        if let Some(first) = first {
            tail.record.update(|record| _ = take(record, first));
        }
        tail.follow();
        tail
    }

    /// Calls `on` after each change of the record.
    pub fn on_moved(&self, on: impl Fn(Moved) + Send + Sync + 'static) {
        self.on_moved.set_value(Some(Arc::new(on)));
    }

    /// While `holds` answers yes, what is new waits.
    #[cfg_attr(not(feature = "browser"), expect(dead_code, reason = "only a browser scrolls"))]
    pub fn hold_back_while(&self, holds: impl Fn() -> bool + Send + Sync + 'static) {
        self.holds_back.set_value(Arc::new(holds));
    }

    fn begin(&self) {
        self.begun.update_value(|begun| *begun += 1);
        let (chosen, now) = (self.chosen.get_untracked(), self.store.now.get_untracked());
        let record = match chosen.before {
            Some(before) => Record::below(before),
            None => {
                self.store.events.with_untracked(|live| Record::begin(live, |event| chosen.holds(event, now)))
            }
        };
        self.record.set(record);
        self.fetching.set(Fetching::Idle);
    }

    fn moved(&self, moved: Moved) {
        if let Some(Some(on)) = self.on_moved.try_get_value() {
            on(moved);
        }
    }

    fn follow(self) {
        let store = self.store;
        Effect::new(move |before: Option<Chosen>| {
            let chosen = self.chosen.get();
            if before.is_some_and(|before| before != chosen) {
                self.begin();
                self.moved(Moved::All);
                self.fetch_older();
            }
            chosen
        });
        Effect::new(move |before: Option<()>| {
            let now = store.now.get_untracked();
            let chosen = self.chosen.get_untracked();
            let hold = before.is_some() && self.holds_back.with_value(|holds| holds());
            let moved = store.events.with(|live| {
                self.record.try_update(|record| record.live(live, |event| chosen.holds(event, now), hold))
            });
            match moved {
                Some(Moved::Rows(rows)) if rows.is_empty() => {}
                Some(moved) => {
                    let anew = moved == Moved::All;
                    if anew {
                        // What was being fetched belongs to what was there before.
                        self.begin();
                    }
                    self.moved(moved);
                }
                None => {}
            }
        });
        // Of events that the stream's window has left, only the news that they changed comes.
        store.watch(move |touched| {
            let Touched::Rows(rows) = touched else { return };
            let live: HashSet<EventId> =
                store.events.with_untracked(|live| live.iter().map(|event| event.id).collect());
            let here = |id: &EventId| {
                self.record.try_with_untracked(|record| record.get(*id).is_some()).unwrap_or(false)
            };
            let ids = rows.iter().filter_map(|row| match row {
                EntityRef::Event(id) => Some(*id),
                _ => None,
            });
            let changed: Vec<EventId> = ids.filter(|id| !live.contains(id) && here(id)).collect();
            self.read_again(changed);
        });
    }

    /// Fetches the events older than those here, unless that is under way or there are none.
    pub fn fetch_older(self) {
        let Some(Older::Before(before)) = self.record.try_with_untracked(Record::older) else { return };
        if self.fetching.get_untracked() == Fetching::Under || self.is_full() {
            return;
        }
        self.fetching.set(Fetching::Under);
        let begun = self.begun.get_value();
        let query = self.chosen.get_untracked().asks(self.store.now.get_untracked());
        spawn_local(async move {
            let answer = event_history(query, before).await;
            if self.begun.try_get_value() != Some(begun) {
                return;
            }
            match answer {
                Ok(page) => {
                    let rows = self.record.try_update(|record| take(record, page)).unwrap_or_default();
                    self.fetching.set(Fetching::Idle);
                    self.moved(Moved::Rows(rows));
                }
                Err(error) => self.fetching.set(Fetching::Failed(error.to_string())),
            }
        });
    }

    /// Whether no more are kept on this page; not tracked.
    pub fn is_full(self) -> bool {
        self.record.try_with_untracked(|record| record.len() >= MOST).unwrap_or(true)
    }

    /// Shows what was held back.
    pub fn reveal(self) {
        let rows = self.record.try_update(Record::reveal).unwrap_or_default();
        self.moved(Moved::Rows(rows));
    }

    /// Asks how these events are now: somebody acknowledged them.
    pub fn read_again(self, ids: Vec<EventId>) {
        for ids in ids.chunks(MOST_IDS).map(<[_]>::to_vec) {
            spawn_local(async move {
                // Where there is no answer, the row is as it was when it was fetched, and says no more than that.
                let Ok(events) = events_now(ids).await else { return };
                let Some(chosen) = self.chosen.try_get_untracked() else { return };
                let now = self.store.now.get_untracked();
                let rows = self.record.try_update(|record| {
                    let (stay, go): (Vec<_>, Vec<_>) =
                        events.into_iter().partition(|event| chosen.holds(event, now));
                    let mut rows = record.put(stay);
                    rows.extend(go.iter().filter(|event| record.drop(event.id)).map(|event| event.id));
                    rows
                });
                self.moved(Moved::Rows(rows.unwrap_or_default()));
            });
        }
    }

    /// The event as it is in the list; tracked.
    pub fn event(self, id: EventId) -> Option<Arc<Event>> {
        self.record.with(|record| record.get(id).cloned())
    }
}

fn take(record: &mut Record, page: event_actions::Older) -> Vec<EventId> {
    record.page(page.events, page.next)
}
