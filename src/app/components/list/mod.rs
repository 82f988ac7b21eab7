//! Lists of many rows: filtered, narrowed, sorted and picked from, with only what is seen of them in the page.
//!
//! Knows nothing of what the rows are: a page says what it offers ([`Offer`]), what a row says of itself ([`Source`]) and how one looks.
//! What the operator chose lives in the address ([`Choice`]). Decisions are made in the pure [`index`], [`window`] and [`choice`].

mod choice;
mod first;
mod index;
mod keys;
mod pick;
mod rows;
mod toolbar;
mod window;

pub use choice::{Choice, Column, Facet, Look, Offer, Sort, View};
pub use first::FirstScreen;
pub use index::{Counted, Facts, SortKey};
pub use pick::{PickBox, PickedBar};
pub use rows::{ListRows, RowPlace, measured};
pub use toolbar::{ListCount, ListEmpty, Toolbar};

use index::{Index, Wanted};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate, use_query_map},
};
use std::{collections::HashSet, fmt::Display, hash::Hash, str::FromStr, sync::Arc, time::Duration};

/// Rows on a page made without JavaScript; a list of more has only those in the page that are seen.
pub const PAGE: usize = 200;

/// A list of more rows than this is sorted in a task of its own, and drawn in the next.
const SORTED_AT_ONCE: usize = 2_000;

/// More changes at once than this and the list is filled anew.
const MOST_SINGLY: usize = 1_000;

/// What tells rows apart.
pub trait Key: Copy + Eq + Ord + Hash + Display + FromStr + Send + Sync + 'static {}
impl<T: Copy + Eq + Ord + Hash + Display + FromStr + Send + Sync + 'static> Key for T {}

/// Where a list has its rows from.
pub trait Source<K>: Send + Sync + 'static {
    fn keys(&self) -> Vec<K>;
    /// What the row says of itself, sorted by the column `by`; `None` if there is no such row.
    fn facts(&self, key: K, by: &str) -> Option<Facts>;
    /// Only what it is sorted by.
    fn sort_key(&self, key: K, by: &str) -> SortKey;
    /// What there is of the list while its other rows are not here; tracked.
    fn first_screen(&self) -> Option<FirstScreen> {
        None
    }
}

/// A list on a page.
pub struct List<K: Key> {
    pub offer: &'static Offer,
    pub choice: Memo<Choice>,
    /// The look that goes without saying: as it was remembered when the page was opened.
    default: RwSignal<Look>,
    source: StoredValue<Arc<dyn Source<K>>>,
    index: StoredValue<Index<K>>,
    /// The column that the index has its sort keys of.
    sorted_by: StoredValue<&'static str>,
    changed: RwSignal<u64>,
    settled: Memo<u64>,
    /// Whether the page has been taken over by the browser; until then it is as it was sent.
    pub alive: RwSignal<bool>,
    pub open: RwSignal<HashSet<K>>,
    pub picked: RwSignal<HashSet<K>>,
    /// Where a range of picks begins.
    anchor: RwSignal<Option<K>>,
    /// The row that keys act on.
    pub current: RwSignal<Option<K>>,
    /// How often somebody went from the filter to the rows.
    entered: RwSignal<u32>,
    wish: RwSignal<Option<(Choice, bool)>>,
    /// Set until the other rows are here.
    first: Memo<Option<FirstScreen>>,
    /// What was chosen when the first screen was made: nothing else can be answered from it.
    first_choice: StoredValue<Choice>,
}

impl<K: Key> Clone for List<K> {
    fn clone(&self) -> List<K> {
        *self
    }
}

impl<K: Key> Copy for List<K> {}

impl<K: Key> List<K> {
    /// A list over `source` as it is now; [`List::follow`] keeps it up to date.
    pub fn new(offer: &'static Offer, source: impl Source<K>) -> List<K> {
        let query = use_query_map();
        let default = RwSignal::new(Look::default());
        let choice = Memo::new(move |_| {
            query.with(|query| default.with(|default| Choice::read(offer, query, default)))
        });
        let source: StoredValue<Arc<dyn Source<K>>> = StoredValue::new(Arc::new(source));
        let first = Memo::new(move |_| source.get_value().first_screen());
        let first_choice = StoredValue::new(choice.get_untracked());
        let index = StoredValue::new(Index::new(offer.facets.len()));
        let sorted_by = StoredValue::new("");
        let changed = RwSignal::new(0);
        // A page that the browser makes itself has only what is seen in it from the beginning.
        let alive = RwSignal::new(cfg!(feature = "browser") && !made_elsewhere());
        let sorting = StoredValue::new(false);
        let resort = move || {
            let Some(choice) = choice.try_get_untracked() else { return };
            sorting.set_value(false);
            let by = choice.sort(offer).by;
            let source = source.get_value();
            index.update_value(|index| index.sort(choice.wanted(offer), |key| source.sort_key(key, by)));
            sorted_by.set_value(by);
            set_timeout(move || _ = changed.try_update(|changed| *changed += 1), Duration::ZERO);
        };
        // The index is brought to what is chosen where it is read, so that it is right on both sides and at every moment.
        let settled = Memo::new(move |runs: Option<&u64>| {
            changed.track();
            let choice = choice.get();
            let by = choice.sort(offer).by;
            let source = source.get_value();
            index.update_value(|index: &mut Index<K>| {
                if sorted_by.get_value() == by {
                    index.want(choice.wanted(offer));
                } else if runs.is_some() && alive.get_untracked() && index.all() > SORTED_AT_ONCE {
                    // Until then it is in the order that it had.
                    index.want(Wanted { descending: index.descending(), ..choice.wanted(offer) });
                    if !sorting.get_value() {
                        sorting.set_value(true);
                        set_timeout(resort, Duration::ZERO);
                    }
                    return;
                } else if runs.is_some() {
                    index.sort(choice.wanted(offer), |key| source.sort_key(key, by));
                } else {
                    fill(index, &*source, &choice, offer);
                }
                sorted_by.set_value(by);
            });
            runs.map_or(0, |runs| runs + 1)
        });
        let list = List {
            offer,
            choice,
            default,
            source,
            index,
            sorted_by,
            changed,
            settled,
            alive,
            open: RwSignal::new(HashSet::new()),
            picked: RwSignal::new(HashSet::new()),
            anchor: RwSignal::new(None),
            current: RwSignal::new(None),
            entered: RwSignal::new(0),
            wish: RwSignal::new(None),
            first,
            first_choice,
        };
        list.steer();
        list
    }

    /// Goes where the operator wishes, and remembers how the list then looks.
    fn steer(self) {
        let (navigate, location) = (use_navigate(), use_location());
        Effect::new(move |_| {
            let Some((choice, replace)) = self.wish.get() else { return };
            #[cfg(feature = "browser")]
            crate::app::live::viewport::remember(self.offer.name, &choice.look.written());
            let query = self.default.with_untracked(|default| choice.query(self.offer, default));
            let path = format!("{}{query}", location.pathname.get_untracked());
            navigate(&path, NavigateOptions { replace, scroll: false, ..Default::default() });
        });
        #[cfg(feature = "browser")]
        Effect::new(move |_| {
            if let Some(look) = crate::app::live::viewport::remembered(self.offer.name) {
                self.default.set(Look::read(self.offer, &look));
            }
        });
    }

    /// Shows the list as chosen. `typed`: one of many small steps, which Back does not go through one by one.
    pub fn choose(self, choice: Choice, typed: bool) {
        self.wish.set(Some((choice, typed)));
    }

    /// The address of the list as chosen, within its page; for plain links.
    pub fn address(self, choice: &Choice) -> String {
        let query = self.default.with(|default| choice.query(self.offer, default));
        if query.is_empty() { "?".to_owned() } else { query }
    }

    // Who tells of rows may do so while the page that shows them is taken down, on a server even from another thread: then, at any point of
    // what follows, there may be nothing left to keep.

    /// These rows are new, gone or others.
    pub fn follow(self, keys: &[K]) {
        if keys.is_empty() || self.settled.try_get_untracked().is_none() {
            return;
        }
        if keys.len() > MOST_SINGLY {
            return self.refill();
        }
        let (Some(source), Some(by)) = (self.source.try_get_value(), self.sorted_by.try_get_value()) else {
            return;
        };
        let mut gone = Vec::new();
        self.index.try_update_value(|index| {
            for key in keys {
                match source.facts(*key, by) {
                    Some(facts) => index.put(*key, facts),
                    None => {
                        index.remove(*key);
                        gone.push(*key);
                    }
                }
            }
        });
        self.forget(|key| gone.contains(key));
        self.changed.try_update(|changed| *changed += 1);
    }

    /// Every row may be another.
    pub fn refill(self) {
        let (Some(choice), Some(source)) = (self.choice.try_get_untracked(), self.source.try_get_value())
        else {
            return;
        };
        self.index.try_update_value(|index| fill(index, &*source, &choice, self.offer));
        self.sorted_by.try_set_value(choice.sort(self.offer).by);
        let index = self.index;
        self.forget(|key| index.try_with_value(|index| !index.holds(*key)).unwrap_or(false));
        self.changed.try_update(|changed| *changed += 1);
    }

    /// A row that is gone is neither picked nor open any more.
    fn forget(self, gone: impl Fn(&K) -> bool) {
        for keys in [self.picked, self.open] {
            if keys.try_with_untracked(|keys| keys.iter().any(&gone)) == Some(true) {
                keys.try_update(|keys| keys.retain(|key| !gone(key)));
            }
        }
    }

    /// How many rows are shown and how many there are, tracked.
    pub fn counts(self) -> (usize, usize) {
        self.first
            .with(Option::is_some)
            .then(|| self.first_counts())
            .flatten()
            .unwrap_or_else(|| self.with(|index| (index.len(), index.all())))
    }

    /// See [`Index::counts`]; tracked.
    pub fn facet_counts(self, facet: usize) -> Vec<Counted> {
        let first = self.first.with(|first| first.as_ref().map(|first| first.facet(facet)));
        first.unwrap_or_else(|| self.with(|index| index.counts(facet)))
    }

    /// Reads the index as it is to be shown, tracked.
    fn with<T>(self, read: impl FnOnce(&Index<K>) -> T) -> T {
        // Reading it brings the index to what is chosen; tracking alone would not.
        _ = self.settled.get();
        self.index.with_value(read)
    }

    fn with_untracked<T>(self, read: impl FnOnce(&Index<K>) -> T) -> T {
        _ = self.settled.get_untracked();
        self.index.with_value(read)
    }

    /// Whether `key`'s row is open.
    pub fn is_open(self, key: K) -> Memo<bool> {
        let open = self.open;
        Memo::new(move |_| open.with(|open| open.contains(&key)))
    }

    pub fn turn(self, key: K) {
        self.open.update(|open| {
            if !open.remove(&key) {
                open.insert(key);
            }
        });
    }
}

/// Whether the page was sent by a server and the browser is still taking it over.
fn made_elsewhere() -> bool {
    Owner::current_shared_context().is_some_and(|shared| shared.during_hydration())
}

fn fill<K: Key>(index: &mut Index<K>, source: &dyn Source<K>, choice: &Choice, offer: &Offer) {
    let by = choice.sort(offer).by;
    let rows = source.keys().into_iter().filter_map(|key| Some((key, source.facts(key, by)?)));
    index.fill(choice.wanted(offer), rows.collect::<Vec<_>>());
}
