//! The search over the whole fleet: names are read and compared a few thousand at a time, so that no step holds the page up.

use super::search::{Index, Query, Search};
use crate::{app::store::Store, model::EntityRef};
use leptos::prelude::*;
use std::time::Duration;

/// So many names are read, or compared, in one go.
const READ: usize = 1_500;
const COMPARED: usize = 4_000;
/// The best so many are kept.
const MOST: usize = 12;

/// What was found, best first, with how well it matches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// For all that was typed.
    pub whole: Vec<(u32, EntityRef)>,
    /// For what was typed after a verb.
    pub after_verb: Vec<(u32, EntityRef)>,
}

struct Finder {
    /// Not read yet.
    left: Vec<EntityRef>,
    index: Index<EntityRef>,
    whole: Search<EntityRef>,
    after_verb: Search<EntityRef>,
    /// Counts the searches, so that an old one stops.
    turn: u64,
}

/// A search while it is wanted.
#[derive(Clone, Copy)]
pub struct Finding {
    finder: StoredValue<Finder>,
    pub found: RwSignal<Found>,
    store: Store,
}

impl Finding {
    pub fn new(store: Store) -> Finding {
        let workers = store.workers.get_untracked().into_iter().map(EntityRef::Worker);
        let nets = store.nets.get_untracked().into_iter().map(EntityRef::Net);
        let hosts = store.hosts.get_untracked().into_iter().map(EntityRef::Host);
        // Taken from the end: workers first.
        let left = hosts.rev().chain(nets.rev()).chain(workers.rev()).collect();
        let nothing = || Search::new(Query::new(""), 0);
        let (whole, after_verb) = (nothing(), nothing());
        let finder = Finder { left, index: Index::new(), whole, after_verb, turn: 0 };
        Finding { finder: StoredValue::new(finder), found: RwSignal::default(), store }
    }

    /// Looks for these; what was looked for before is given up.
    pub fn look_for(self, whole: Query, after_verb: Query) {
        let turn = self.finder.try_update_value(|finder| {
            finder.whole = Search::new(whole, MOST);
            finder.after_verb = Search::new(after_verb, MOST);
            finder.turn += 1;
            finder.turn
        });
        if let Some(turn) = turn {
            self.go_on(turn);
        }
    }

    fn go_on(self, turn: u64) {
        let store = self.store;
        // The palette may have been closed meanwhile.
        let ended = self.finder.try_update_value(|finder| (finder.turn == turn).then(|| finder.step(store)));
        match ended.flatten() {
            Some(Some(found)) => _ = self.found.try_set(found),
            Some(None) => set_timeout(move || self.go_on(turn), Duration::ZERO),
            None => {}
        }
    }
}

impl Finder {
    /// What was found, once that is all.
    fn step(&mut self, store: Store) -> Option<Found> {
        let within = store.within.get_untracked();
        for _ in 0..READ.min(self.left.len()) {
            match self.left.pop() {
                Some(what @ EntityRef::Worker(id)) => {
                    if let Some(row) =
                        store.worker_row(id).filter(|row| row.with_untracked(|row| within.has_worker(row)))
                    {
                        row.with_untracked(|row| self.index.add(what, row.name.as_str(), id.0.as_u128()));
                    }
                }
                Some(what @ EntityRef::Net(id)) => {
                    if let Some(row) =
                        store.net_row(id).filter(|row| row.with_untracked(|row| within.has_net(row)))
                    {
                        row.with_untracked(|row| self.index.add(what, row.name.as_str(), id.0.as_u128()));
                    }
                }
                Some(what @ EntityRef::Host(id)) => {
                    if let Some(row) = store.host_row(id) {
                        row.with_untracked(|row| self.index.add(what, row.name.as_str(), id.0.as_u128()));
                    }
                }
                _ => {}
            }
        }
        let whole = self.whole.step(&self.index, COMPARED);
        let after_verb = self.after_verb.step(&self.index, COMPARED);
        (self.left.is_empty() && whole && after_verb)
            .then(|| Found { whole: self.whole.found(), after_verb: self.after_verb.found() })
    }
}
