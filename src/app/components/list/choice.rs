//! What the operator chose to see of a list, and how that is written in the address.
//!
//! Pure. The address holds all of it, so that a link leads to the same rows and Back undoes a choice.

use super::index::Wanted;
use leptos_router::{location::Url, params::ParamsMap};
use std::collections::BTreeSet;

/// A column of a list. Its cells carry the class `cell-{key}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub key: &'static str,
    pub heading: &'static str,
    /// Right-aligned figures.
    pub figure: bool,
    pub sorts: bool,
    /// Whether the operator may hide it.
    pub optional: bool,
}

/// Something rows can be narrowed by, offered with its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facet {
    pub key: &'static str,
    pub label: &'static str,
}

/// What a list offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Names the list where choices are remembered.
    pub name: &'static str,
    pub columns: &'static [Column],
    pub facets: &'static [Facet],
    /// Whether the list searches its rows for the words in the address. Of a page that does so itself they are none of its business.
    pub searches: bool,
    /// Up to so many rows all of them are in the page, for the browser to search and print; of a longer list, what is seen.
    pub whole: usize,
    /// The column that orders the rows while nothing is chosen.
    pub sorted_by: &'static str,
}

/// The keys that mean something of their own in an address.
const OWN: [&str; 5] = ["q", "sort", "hide", "view", "page"];

impl Offer {
    fn column(&self, key: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.key == key)
    }

    fn owns(&self, key: &str) -> bool {
        OWN.contains(&key) && (self.searches || key != "q")
            || self.facets.iter().any(|facet| facet.key == key)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// A column's key.
    pub by: &'static str,
    pub descending: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    #[default]
    Table,
    Cards,
}

/// How a list is laid out: what is remembered as the default for the next visit. What is filtered is not: rows that a forgotten filter
/// hides would be missed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub sort: Option<Sort>,
    /// Columns that are not shown.
    pub hidden: BTreeSet<&'static str>,
    pub view: View,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    pub text: String,
    /// The values let through, a set for each facet of the offer; an empty one lets all through.
    pub facets: Vec<BTreeSet<String>>,
    pub look: Look,
    /// From 1; for pages made without JavaScript, which hold [`PAGE`](super::PAGE) rows.
    pub page: usize,
    /// What the address says besides, as it stands.
    others: Vec<(String, String)>,
}

impl Choice {
    /// Reads an address. What it does not say of the look, `default` says; what it says wrongly is not said.
    pub fn read(offer: &Offer, query: &ParamsMap, default: &Look) -> Choice {
        // No name or state holds a control character, and the two sides of a page do not agree on how to show one.
        let all = |key: &str| -> Vec<String> {
            let values = query.get_all(key).unwrap_or_default().into_iter();
            values.map(|value| value.chars().filter(|c| !c.is_control()).collect()).collect()
        };
        let facet = |key| all(key).into_iter().filter(|value| !value.is_empty()).collect();
        let sort = query.get("sort").and_then(|sort| {
            let (by, descending) = match sort.strip_prefix('-') {
                Some(by) => (by, true),
                None => (&*sort, false),
            };
            offer.column(by).filter(|column| column.sorts).map(|column| Sort { by: column.key, descending })
        });
        let hidden = query.get("hide").map(|keys| {
            let columns = keys.split(',').filter_map(|key| offer.column(key));
            columns.filter(|column| column.optional).map(|column| column.key).collect()
        });
        let view = query.get("view").map(|view| if view == "cards" { View::Cards } else { View::Table });
        let others = query.clone().into_iter().filter(|(key, _)| !offer.owns(key));
        Choice {
            text: all("q").pop().filter(|_| offer.searches).unwrap_or_default(),
            facets: offer.facets.iter().map(|of| facet(of.key)).collect(),
            look: Look {
                sort: sort.or(default.sort),
                hidden: hidden.unwrap_or_else(|| default.hidden.clone()),
                view: view.unwrap_or(default.view),
            },
            page: query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1).max(1),
            others: others.map(|(key, value)| (key.into_owned(), value)).collect(),
        }
    }

    /// The query of the address that [`Choice::read`] with the same `default` reads as this: empty, or from its `?` on.
    pub fn query(&self, offer: &Offer, default: &Look) -> String {
        let mut pairs = self.others.clone();
        let mut say = |key: &str, value: String| pairs.push((key.to_owned(), value));
        if !self.text.is_empty() {
            say("q", self.text.clone());
        }
        for (facet, values) in offer.facets.iter().zip(&self.facets) {
            values.iter().for_each(|value| say(facet.key, value.clone()));
        }
        if self.page > 1 {
            say("page", self.page.to_string());
        }
        for (key, value) in self.look.pairs(default) {
            say(key, value);
        }
        written(&pairs)
    }

    /// How the rows are ordered: by `sort`, or as the offer says.
    pub fn sort(&self, offer: &Offer) -> Sort {
        self.look.sort.unwrap_or(Sort { by: offer.sorted_by, descending: false })
    }

    pub fn wanted(&self, offer: &Offer) -> Wanted {
        Wanted {
            words: self.text.to_lowercase().split_whitespace().map(str::to_owned).collect(),
            facets: self.facets.clone(),
            descending: self.sort(offer).descending,
        }
    }

    pub fn filters(&self) -> bool {
        !self.text.trim().is_empty() || self.facets.iter().any(|values| !values.is_empty())
    }

    /// The same without any filter.
    pub fn unfiltered(&self) -> Choice {
        let facets = vec![BTreeSet::new(); self.facets.len()];
        Choice { text: String::new(), facets, page: 1, ..self.clone() }
    }

    pub fn with_text(&self, text: String) -> Choice {
        Choice { text, page: 1, ..self.clone() }
    }

    pub fn on_page(&self, page: usize) -> Choice {
        Choice { page, ..self.clone() }
    }

    pub fn toggled(&self, facet: usize, value: &str) -> Choice {
        let mut choice = Choice { page: 1, ..self.clone() };
        if let Some(values) = choice.facets.get_mut(facet)
            && !values.remove(value)
        {
            values.insert(value.to_owned());
        }
        choice
    }

    /// Ordered by `column`; where it is already, the other way round.
    pub fn sorted(&self, offer: &Offer, column: &'static str) -> Choice {
        let now = self.sort(offer);
        let descending = now.by == column && !now.descending;
        let mut choice = Choice { page: 1, ..self.clone() };
        choice.look.sort = Some(Sort { by: column, descending });
        choice
    }
}

impl Look {
    /// What is to be said where `default` goes without saying.
    fn pairs(&self, default: &Look) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        if let Some(Sort { by, descending }) = self.sort.filter(|_| self.sort != default.sort) {
            pairs.push(("sort", format!("{}{by}", if descending { "-" } else { "" })));
        }
        if self.hidden != default.hidden {
            pairs.push(("hide", self.hidden.iter().copied().collect::<Vec<_>>().join(",")));
        }
        if self.view != default.view {
            pairs.push(("view", if self.view == View::Cards { "cards" } else { "table" }.to_owned()));
        }
        pairs
    }

    /// As it is remembered: a query that [`Look::read`] reads.
    pub fn written(&self) -> String {
        written(
            &self
                .pairs(&Look::default())
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<Vec<_>>(),
        )
    }

    /// What was remembered. What cannot be understood any more was not chosen.
    pub fn read(offer: &Offer, remembered: &str) -> Look {
        let pairs = remembered.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
        let query = pairs.map(|(key, value)| (key.to_owned(), Url::unescape(value))).collect::<ParamsMap>();
        Choice::read(offer, &query, &Look::default()).look
    }
}

fn written(pairs: &[(String, String)]) -> String {
    let mut query = String::new();
    for (key, value) in pairs {
        query.push(if query.is_empty() { '?' } else { '&' });
        query.push_str(&Url::escape(key));
        if !value.is_empty() {
            query.push('=');
            query.push_str(&Url::escape(value));
        }
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: Offer = Offer {
        name: "test",
        columns: &[
            Column { key: "name", heading: "Name", figure: false, sorts: true, optional: false },
            Column { key: "age", heading: "Age", figure: true, sorts: true, optional: true },
            Column { key: "acts", heading: "", figure: false, sorts: false, optional: false },
        ],
        facets: &[Facet { key: "status", label: "Status" }, Facet { key: "cluster", label: "Cluster" }],
        searches: true,
        whole: crate::app::components::list::PAGE,
        sorted_by: "name",
    };

    fn read(query: &str) -> Choice {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let map = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect::<ParamsMap>();
        Choice::read(&OFFER, &map, &Look::default())
    }

    #[test]
    fn an_address_is_read_and_written_alike() {
        for query in [
            "",
            "q=eu%2017",
            "status=error&status=ready&sort=-age",
            "new&cluster=a%26b&page=3&hide=age&view=cards",
        ] {
            let choice = read(query);
            assert_eq!(
                read(choice.query(&OFFER, &Look::default()).trim_start_matches('?')),
                choice,
                "{query}"
            );
        }
        let choice = read("status=error&status=ready&sort=-age&new");
        assert_eq!(choice.query(&OFFER, &Look::default()), "?new&status=error&status=ready&sort=%2Dage");
        assert_eq!(choice.facets[0].len(), 2);
    }

    #[test]
    fn what_cannot_be_understood_is_not_chosen() {
        let choice = read("sort=acts&hide=name,age,nonsense&page=x&view=pie");
        assert_eq!(choice.look.sort, None);
        assert_eq!(choice.look.hidden, BTreeSet::from(["age"]));
        assert_eq!((choice.page, choice.look.view), (1, View::Table));
    }

    #[test]
    fn the_look_is_remembered_and_the_address_has_the_last_word() {
        let look = read("q=x&status=ready&sort=-age&hide=age").look;
        let remembered = Look::read(&OFFER, &look.written());
        assert_eq!(remembered, look);
        let query: ParamsMap = [("sort", "name")].into_iter().collect();
        let choice = Choice::read(&OFFER, &query, &remembered);
        assert_eq!(choice.sort(&OFFER), Sort { by: "name", descending: false });
        assert_eq!(choice.look.hidden, BTreeSet::from(["age"]));
        assert!(!choice.filters(), "filters are not remembered");
        let none_hidden = Choice { look: Look::default(), ..choice };
        assert_eq!(none_hidden.query(&OFFER, &remembered), "?hide");
    }

    #[test]
    fn a_heading_sorts_and_turns_round() {
        let choice = read("").sorted(&OFFER, "age");
        assert_eq!(choice.sort(&OFFER), Sort { by: "age", descending: false });
        assert!(choice.sorted(&OFFER, "age").sort(&OFFER).descending);
        assert!(read("").sorted(&OFFER, "name").sort(&OFFER).descending, "it is in that order already");
    }
}
