//! What is shown of a long list before its other rows are here: as many as a page holds, and the counts over all.

use super::{Choice, Counted, Key, List, Offer, PAGE, Source, fill, index::Index, toolbar::MOST_VALUES};
use leptos::prelude::*;
use leptos_router::params::ParamsMap;
use serde::{Deserialize, Serialize};

/// The page of a list that an address leads to, made from all rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstScreen {
    /// How many rows match.
    shown: usize,
    /// How many there are.
    all: usize,
    /// Keys of the rows on the page, in order.
    keys: Vec<String>,
    facets: Vec<FacetPart>,
}

/// The values of a facet that a menu shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct FacetPart {
    counts: Vec<Counted>,
    /// How many values there are besides.
    more: usize,
}

impl FirstScreen {
    /// What the address with `query` leads to.
    pub fn of<K: Key>(offer: &Offer, source: &dyn Source<K>, query: &ParamsMap) -> FirstScreen {
        let choice = Choice::read(offer, query, &Default::default());
        let mut index = Index::new(offer.facets.len());
        fill(&mut index, source, &choice, offer);
        let facet = |(n, chosen): (usize, &std::collections::BTreeSet<String>)| {
            let mut counts = index.counts(n);
            let all = counts.len();
            let mut place = 0;
            counts.retain(|counted| {
                place += 1;
                place <= MOST_VALUES || chosen.contains(&counted.value)
            });
            FacetPart { more: all - counts.len(), counts }
        };
        FirstScreen {
            shown: index.len(),
            all: index.all(),
            keys: index
                .page((choice.page - 1).saturating_mul(PAGE), PAGE)
                .map(|key| key.to_string())
                .collect(),
            facets: choice.facets.iter().enumerate().map(facet).collect(),
        }
    }

    /// The keys of its rows; those that are none are left out.
    pub fn keys<K: Key>(&self) -> Vec<K> {
        self.keys.iter().filter_map(|key| key.parse().ok()).collect()
    }

    pub(super) fn facet(&self, facet: usize) -> Vec<Counted> {
        self.facets.get(facet).map(|facet| facet.counts.clone()).unwrap_or_default()
    }
}

impl<K: Key> List<K> {
    /// Whether only the first screen is here; tracked.
    pub(super) fn is_part(self) -> bool {
        self.first.with(Option::is_some)
    }

    /// Whether something was chosen that cannot be answered before the other rows are here; tracked.
    pub(super) fn must_wait(self) -> bool {
        self.is_part()
            && self.choice.with(|choice| {
                self.first_choice.with_value(|first| {
                    first.wanted(self.offer) != choice.wanted(self.offer)
                        || first.sort(self.offer) != choice.sort(self.offer)
                        || first.page != choice.page
                })
            })
    }

    /// See [`List::counts`], while only the first screen is here.
    pub(super) fn first_counts(self) -> Option<(usize, usize)> {
        let waits = self.must_wait();
        self.first.with(|first| first.as_ref().map(|first| (if waits { 0 } else { first.shown }, first.all)))
    }

    /// The rows of the first screen, with the place of the first of them; tracked.
    pub(super) fn first_rows(self) -> Option<(usize, Vec<K>)> {
        let waits = self.must_wait();
        let page = self.choice.with(|choice| choice.page);
        self.first.with(|first| {
            let first = first.as_ref()?;
            Some(((page - 1).saturating_mul(PAGE), if waits { Vec::new() } else { first.keys() }))
        })
    }

    /// How many rows the page still waits for, if it is alive and does; tracked.
    pub(super) fn rows_to_come(self) -> Option<usize> {
        if !self.alive.get() {
            return None;
        }
        let waits = self.must_wait();
        let rows = self.first.with(|first| {
            first
                .as_ref()
                .map(|first| if waits { first.all } else { first.shown - first.keys.len().min(first.shown) })
        });
        rows.filter(|rows| *rows > 0)
    }

    /// Values of a facet that are not among those here; tracked.
    pub(super) fn values_not_here(self, facet: usize) -> usize {
        self.first.with(|first| {
            first.as_ref().and_then(|first| first.facets.get(facet)).map_or(0, |facet| facet.more)
        })
    }
}
