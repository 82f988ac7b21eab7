//! Which rows a list shows, in which order, and how many each facet's values would leave: kept up to date row by row.
//!
//! Pure. What a row says of itself are its [`Facts`]; a change of one costs a search, a keystroke one pass, never more than a sort.

use serde::{Deserialize, Serialize};
use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

/// What a row is sorted by. Rows that have none come last, whichever the direction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum SortKey {
    Number(u64),
    Text(String),
    #[default]
    None,
}

/// What the list needs to know of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What decides between rows that sort alike; lower case.
    pub name: String,
    /// What the text filter looks in; lower case.
    pub text: String,
    /// The row's value of each facet.
    pub facets: Vec<String>,
    pub sort: SortKey,
}

/// What is wanted of the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Each of them must be in a row's text; lower case.
    pub words: Vec<String>,
    /// For each facet the values that are let through; none is all.
    pub facets: Vec<BTreeSet<String>>,
    pub descending: bool,
}

#[derive(Debug)]
struct Entry<K> {
    key: K,
    name: String,
    text: String,
    /// Numbers of values in [`FacetIndex`].
    facets: Vec<u32>,
    sort: SortKey,
    has_words: bool,
    /// The facets that do not let it through, a bit each.
    barred: u32,
}

impl<K> Entry<K> {
    fn shown(&self) -> bool {
        self.has_words && self.barred == 0
    }
}

#[derive(Debug, Default)]
struct FacetIndex {
    numbers: HashMap<String, u32>,
    values: Vec<FacetValue>,
}

#[derive(Debug)]
struct FacetValue {
    text: String,
    wanted: bool,
    /// Rows of this value that everything but this facet lets through.
    rows: usize,
    /// All rows of this value.
    all: usize,
}

/// A value of a facet, with how many rows it would leave.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Counted {
    pub value: String,
    pub rows: usize,
}

#[derive(Debug)]
pub struct Index<K> {
    slots: HashMap<K, u32>,
    entries: Vec<Option<Entry<K>>>,
    free: Vec<u32>,
    facets: Vec<FacetIndex>,
    /// Slots by name: what decides between rows that sort alike.
    by_name: Vec<u32>,
    /// Slots in order, all and those shown.
    ranked: Vec<u32>,
    shown: Vec<u32>,
    wanted: Wanted,
}

impl<K: Copy + Eq + Hash + Ord> Index<K> {
    /// An index of rows with so many facets, at most 32.
    pub fn new(facets: usize) -> Index<K> {
        Index {
            slots: HashMap::new(),
            entries: Vec::new(),
            free: Vec::new(),
            facets: std::iter::repeat_with(FacetIndex::default).take(facets.min(32)).collect(),
            by_name: Vec::new(),
            ranked: Vec::new(),
            shown: Vec::new(),
            wanted: Wanted::default(),
        }
    }

    /// Forgets every row and takes these.
    pub fn fill(&mut self, wanted: Wanted, rows: impl IntoIterator<Item = (K, Facts)>) {
        *self = Index::new(self.facets.len());
        self.wanted = wanted;
        for (key, facts) in rows {
            let entry = self.enter(key, facts);
            let slot = self.place(entry);
            self.by_name.push(slot);
        }
        let entries = &self.entries;
        self.by_name.sort_by(|a, b| name_order(entries, *a, *b));
        self.rank();
    }

    /// The row is new, or says other things of itself.
    pub fn put(&mut self, key: K, facts: Facts) {
        if let Some(&slot) = self.slots.get(&key)
            && let Some(entry) = &self.entries[slot as usize]
        {
            let same = entry.name == facts.name
                && entry.text == facts.text
                && entry.sort == facts.sort
                && entry
                    .facets
                    .iter()
                    .zip(&self.facets)
                    .map(|(n, facet)| &facet.values[*n as usize].text)
                    .eq(&facts.facets);
            if same {
                return;
            }
            self.remove(key);
        }
        let entry = self.enter(key, facts);
        let slot = self.place(entry);
        let by = self.wanted.descending;
        insert(&mut self.by_name, slot, |a, b| name_order(&self.entries, a, b));
        insert(&mut self.ranked, slot, |a, b| order(&self.entries, by, a, b));
        if self.entry(slot).is_some_and(Entry::shown) {
            insert(&mut self.shown, slot, |a, b| order(&self.entries, by, a, b));
        }
    }

    /// The row is gone.
    pub fn remove(&mut self, key: K) {
        let Some(slot) = self.slots.remove(&key) else { return };
        let by = self.wanted.descending;
        take(&mut self.by_name, slot, |a, b| name_order(&self.entries, a, b));
        take(&mut self.ranked, slot, |a, b| order(&self.entries, by, a, b));
        if self.entry(slot).is_some_and(Entry::shown) {
            take(&mut self.shown, slot, |a, b| order(&self.entries, by, a, b));
        }
        if let Some(entry) = self.entries[slot as usize].take() {
            self.count(&entry, false);
        }
        self.free.push(slot);
    }

    /// Something else is wanted; of the facts of the rows nothing changed.
    pub fn want(&mut self, wanted: Wanted) {
        if wanted == self.wanted {
            return;
        }
        let turned = wanted.descending != self.wanted.descending;
        self.wanted = wanted;
        for (facet, wanted) in self.facets.iter_mut().zip(&self.wanted.facets) {
            for value in &mut facet.values {
                (value.wanted, value.rows, value.all) = (wanted.contains(&value.text), 0, 0);
            }
        }
        let mut entries = std::mem::take(&mut self.entries);
        for entry in entries.iter_mut().flatten() {
            self.judge(entry);
            self.count(entry, true);
        }
        self.entries = entries;
        if turned {
            self.rank();
        } else {
            self.choose();
        }
    }

    /// The rows are sorted by something else.
    pub fn sort(&mut self, wanted: Wanted, key_of: impl Fn(K) -> SortKey) {
        for entry in self.entries.iter_mut().flatten() {
            entry.sort = key_of(entry.key);
        }
        let turned = wanted.descending != self.wanted.descending;
        self.want(wanted);
        if !turned {
            self.rank();
        }
    }

    /// Keys of the rows shown, in order, from `from` on, at most `most`.
    pub fn page(&self, from: usize, most: usize) -> impl Iterator<Item = K> {
        self.shown.iter().skip(from).take(most).filter_map(|slot| self.entry(*slot).map(|entry| entry.key))
    }

    /// Where among the rows shown `key` is.
    pub fn place_of(&self, key: K) -> Option<usize> {
        let slot = *self.slots.get(&key)?;
        self.entry(slot).filter(|entry| entry.shown())?;
        let by = self.wanted.descending;
        find(&self.shown, slot, |a, b| order(&self.entries, by, a, b)).ok()
    }

    pub fn descending(&self) -> bool {
        self.wanted.descending
    }

    /// How many rows are shown.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// How many rows there are.
    pub fn all(&self) -> usize {
        self.ranked.len()
    }

    /// Whether the row is among those shown.
    pub fn shows(&self, key: K) -> bool {
        self.slots.get(&key).and_then(|slot| self.entry(*slot)).is_some_and(Entry::shown)
    }

    pub fn holds(&self, key: K) -> bool {
        self.slots.contains_key(&key)
    }

    /// The values that rows have of a facet, by text, with how many rows each would leave.
    pub fn counts(&self, facet: usize) -> Vec<Counted> {
        let values = self.facets.get(facet).map(|facet| &facet.values[..]).unwrap_or_default();
        let there = values.iter().filter(|value| value.all > 0);
        let mut counts: Vec<_> =
            there.map(|value| Counted { value: value.text.clone(), rows: value.rows }).collect();
        counts.sort_unstable();
        counts
    }

    fn entry(&self, slot: u32) -> Option<&Entry<K>> {
        self.entries.get(slot as usize)?.as_ref()
    }

    fn enter(&mut self, key: K, facts: Facts) -> Entry<K> {
        let mut facets = Vec::with_capacity(self.facets.len());
        for ((facet, text), n) in self.facets.iter_mut().zip(facts.facets).zip(0..) {
            let wanted = self.wanted.facets.get(n).is_some_and(|wanted| wanted.contains(&text));
            facets.push(facet.number(text, wanted));
        }
        let mut entry = Entry {
            key,
            name: facts.name,
            text: facts.text,
            facets,
            sort: facts.sort,
            has_words: true,
            barred: 0,
        };
        self.judge(&mut entry);
        self.count(&entry, true);
        entry
    }

    fn place(&mut self, entry: Entry<K>) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() as u32 - 1
        });
        self.slots.insert(entry.key, slot);
        self.entries[slot as usize] = Some(entry);
        slot
    }

    fn judge(&self, entry: &mut Entry<K>) {
        entry.has_words = self.wanted.words.iter().all(|word| entry.text.contains(word.as_str()));
        entry.barred = 0;
        for (n, (facet, value)) in self.facets.iter().zip(&entry.facets).enumerate() {
            let lets_all = self.wanted.facets.get(n).is_none_or(BTreeSet::is_empty);
            if !lets_all && !facet.values[*value as usize].wanted {
                entry.barred |= 1 << n;
            }
        }
    }

    fn count(&mut self, entry: &Entry<K>, there: bool) {
        let step = |count: &mut usize| if there { *count += 1 } else { *count -= 1 };
        for (n, (facet, value)) in self.facets.iter_mut().zip(&entry.facets).enumerate() {
            let value = &mut facet.values[*value as usize];
            step(&mut value.all);
            if entry.has_words && entry.barred & !(1 << n) == 0 {
                step(&mut value.rows);
            }
        }
    }

    /// Sorts as [`order`] says. Texts are compared once for each that there is, not for each pair of rows: what is sorted are numbers.
    fn rank(&mut self) {
        let mut ranks: HashMap<&str, u64> = HashMap::new();
        for entry in self.entries.iter().flatten() {
            if let SortKey::Text(text) = &entry.sort {
                ranks.insert(text, 0);
            }
        }
        let mut texts: Vec<&str> = ranks.keys().copied().collect();
        texts.sort_unstable();
        for (rank, text) in (0..).zip(texts) {
            ranks.insert(text, rank);
        }
        let descending = self.wanted.descending;
        let turned =
            |class: u8, value: u64| if descending { (1 - class, u64::MAX - value) } else { (class, value) };
        let keyed = |(place, slot): (usize, &u32)| {
            let (class, value) = match self.entry(*slot).map(|entry| &entry.sort) {
                Some(SortKey::Number(number)) => turned(0, *number),
                Some(SortKey::Text(text)) => turned(1, ranks.get(text.as_str()).copied().unwrap_or_default()),
                Some(SortKey::None) | None => (2, 0),
            };
            (class, value, place as u32)
        };
        let mut keyed: Vec<(u8, u64, u32)> = self.by_name.iter().enumerate().map(keyed).collect();
        keyed.sort_unstable();
        self.ranked = keyed.into_iter().map(|(_, _, place)| self.by_name[place as usize]).collect();
        self.choose();
    }

    fn choose(&mut self) {
        let mut shown = std::mem::take(&mut self.shown);
        shown.clear();
        shown.extend(self.ranked.iter().filter(|slot| self.entry(**slot).is_some_and(Entry::shown)));
        self.shown = shown;
    }
}

impl FacetIndex {
    fn number(&mut self, text: String, wanted: bool) -> u32 {
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        let number = self.values.len() as u32;
        self.numbers.insert(text.clone(), number);
        self.values.push(FacetValue { text, wanted, rows: 0, all: 0 });
        number
    }
}

fn order<K: Ord>(entries: &[Option<Entry<K>>], descending: bool, a: u32, b: u32) -> Ordering {
    let (Some(a), Some(b)) = (&entries[a as usize], &entries[b as usize]) else { return Ordering::Equal };
    let by = match (&a.sort, &b.sort) {
        (SortKey::None, _) | (_, SortKey::None) => a.sort.cmp(&b.sort),
        (a, b) if descending => b.cmp(a),
        (a, b) => a.cmp(b),
    };
    by.then_with(|| a.name.cmp(&b.name)).then_with(|| a.key.cmp(&b.key))
}

fn name_order<K: Ord>(entries: &[Option<Entry<K>>], a: u32, b: u32) -> Ordering {
    let (Some(a), Some(b)) = (&entries[a as usize], &entries[b as usize]) else { return Ordering::Equal };
    a.name.cmp(&b.name).then_with(|| a.key.cmp(&b.key))
}

fn find(ranked: &[u32], slot: u32, order: impl Fn(u32, u32) -> Ordering) -> Result<usize, usize> {
    ranked.binary_search_by(|other| order(*other, slot))
}

fn insert(ranked: &mut Vec<u32>, slot: u32, order: impl Fn(u32, u32) -> Ordering) {
    let (Ok(at) | Err(at)) = find(ranked, slot, order);
    ranked.insert(at, slot);
}

fn take(ranked: &mut Vec<u32>, slot: u32, order: impl Fn(u32, u32) -> Ordering) {
    if let Ok(at) = find(ranked, slot, order) {
        ranked.remove(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts() -> impl Strategy<Value = Facts> {
        let name = proptest::sample::select(&["ant", "bee", "cat"][..]);
        let facet = || proptest::sample::select(&["red", "green", "blue"][..]);
        let text = proptest::sample::select(&["x", "y"][..]).prop_map(|text| SortKey::Text(text.to_owned()));
        let sort = prop_oneof![Just(SortKey::None), (0..3u64).prop_map(SortKey::Number), text];
        (name, facet(), facet(), sort).prop_map(|(name, a, b, sort)| Facts {
            name: name.to_owned(),
            text: format!("{name} {a}"),
            facets: vec![a.to_owned(), b.to_owned()],
            sort,
        })
    }

    fn wanted() -> impl Strategy<Value = Wanted> {
        let words = proptest::sample::subsequence(vec!["a", "e", "red"], 0..2);
        let values = || proptest::sample::subsequence(vec!["red", "green", "gone"], 0..3);
        (words, values(), values(), any::<bool>()).prop_map(|(words, a, b, descending)| Wanted {
            words: words.into_iter().map(str::to_owned).collect(),
            facets: [a, b].map(|values| values.into_iter().map(str::to_owned).collect()).to_vec(),
            descending,
        })
    }

    #[derive(Clone, Debug)]
    enum Happens {
        Put(u8, Facts),
        Removed(u8),
        Wanted(Wanted),
    }

    fn happens() -> impl Strategy<Value = Happens> {
        prop_oneof![
            6 => (0..12u8, facts()).prop_map(|(key, facts)| Happens::Put(key, facts)),
            2 => (0..12u8).prop_map(Happens::Removed),
            1 => wanted().prop_map(Happens::Wanted),
        ]
    }

    /// What a list shows, read straight from the rows.
    fn plainly(rows: &HashMap<u8, Facts>, wanted: &Wanted) -> (Vec<u8>, Vec<Vec<Counted>>) {
        let words = |facts: &Facts| wanted.words.iter().all(|word| facts.text.contains(word));
        let lets = |n: usize, facts: &Facts| {
            wanted.facets[n].is_empty() || wanted.facets[n].contains(&facts.facets[n])
        };
        let mut shown: Vec<_> =
            rows.iter().filter(|(_, facts)| words(facts) && lets(0, facts) && lets(1, facts)).collect();
        shown.sort_by(|(a, x), (b, y)| {
            let last = (x.sort == SortKey::None).cmp(&(y.sort == SortKey::None));
            let by = if wanted.descending { y.sort.cmp(&x.sort) } else { x.sort.cmp(&y.sort) };
            last.then(by).then(x.name.cmp(&y.name)).then(a.cmp(b))
        });
        let counts = (0..2).map(|n| {
            let values: BTreeSet<_> = rows.values().map(|facts| &facts.facets[n]).collect();
            let left = |value: &String| {
                rows.values()
                    .filter(|facts| words(facts) && lets(1 - n, facts) && facts.facets[n] == *value)
                    .count()
            };
            values.into_iter().map(|value| Counted { value: value.clone(), rows: left(value) }).collect()
        });
        (shown.into_iter().map(|(key, _)| *key).collect(), counts.collect())
    }

    proptest! {
        #[test]
        fn what_is_kept_up_row_by_row_is_what_the_rows_say(story in prop::collection::vec(happens(), 1..80)) {
            let (mut index, mut rows) = (Index::new(2), HashMap::new());
            let mut wanted = Wanted { facets: vec![BTreeSet::new(); 2], ..Wanted::default() };
            index.fill(wanted.clone(), []);
            for happens in story {
                match happens {
                    Happens::Put(key, facts) => {
                        index.put(key, facts.clone());
                        rows.insert(key, facts);
                    }
                    Happens::Removed(key) => {
                        index.remove(key);
                        rows.remove(&key);
                    }
                    Happens::Wanted(other) => {
                        index.want(other.clone());
                        wanted = other;
                    }
                }
                let (shown, counts) = plainly(&rows, &wanted);
                prop_assert_eq!(index.page(0, usize::MAX).collect::<Vec<_>>(), shown.clone());
                prop_assert_eq!((index.counts(0), index.counts(1)), (counts[0].clone(), counts[1].clone()));
                prop_assert_eq!((index.len(), index.all()), (shown.len(), rows.len()));
                for (place, key) in shown.iter().enumerate() {
                    prop_assert_eq!(index.place_of(*key), Some(place));
                }
                let mut anew = Index::new(2);
                anew.fill(wanted.clone(), rows.clone());
                prop_assert_eq!(anew.page(0, usize::MAX).collect::<Vec<_>>(), shown);
            }
        }
    }
}
