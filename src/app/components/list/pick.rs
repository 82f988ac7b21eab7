//! Picking rows to act on several at once.

use super::{Key, List};
use crate::app::components::format::{count, counted};
use leptos::{ev, html, prelude::*};

impl<K: Key> List<K> {
    /// Picks a row, or drops it; with `range` all from where the last one was picked or dropped.
    pub fn pick(self, key: K, range: bool) {
        let on = !self.picked.with_untracked(|picked| picked.contains(&key));
        let from = self.anchor.get_untracked().filter(|_| range);
        let rows = self.with_untracked(|index| {
            let (Some(from), Some(to)) = (from.and_then(|from| index.place_of(from)), index.place_of(key))
            else {
                return vec![key];
            };
            index.page(from.min(to), from.abs_diff(to) + 1).collect()
        });
        self.picked.update(|picked| {
            for key in rows {
                if on {
                    picked.insert(key)
                } else {
                    picked.remove(&key)
                };
            }
        });
        self.anchor.set(Some(key));
    }

    /// Picks every row that is shown, scrolled to or not.
    pub fn pick_all(self) {
        let all: Vec<K> = self.with_untracked(|index| index.page(0, usize::MAX).collect());
        self.picked.update(|picked| picked.extend(all));
    }

    pub fn drop_picks(self) {
        self.picked.update(|picked| picked.clear());
        self.anchor.set(None);
    }

    /// The picked rows: those shown in their order, then those that a filter hides now.
    pub fn picks(self) -> Vec<K> {
        let mut picks: Vec<K> = self.picked.with_untracked(|picked| picked.iter().copied().collect());
        self.with_untracked(|index| {
            picks.sort_unstable_by_key(|key| (index.place_of(*key).unwrap_or(usize::MAX), *key));
        });
        picks
    }

    /// How many rows are picked, and how many of them a filter hides now; tracked.
    fn picked_counts(self) -> (usize, usize) {
        let picked = self.picked.with(|picked| picked.len());
        let hidden = self
            .with(|index| self.picked.with(|picked| picked.iter().filter(|key| !index.shows(**key)).count()));
        (picked, hidden)
    }
}

/// The box that picks a row.
#[component]
pub fn PickBox<K: Key>(list: List<K>, key: K, #[prop(into)] name: String) -> impl IntoView {
    let picked = Memo::new(move |_| list.picked.with(|picked| picked.contains(&key)));
    let on_click = move |event: ev::MouseEvent| list.pick(key, event.shift_key());
    view! {
        <input
            type="checkbox"
            class="pick"
            aria-label=format!("Select {name}")
            title="Select (x); shift-click selects a range"
            prop:checked=move || picked.get()
            on:click=on_click
        />
    }
    .into_any()
}

/// The box in the head of the table: picks all that match, or none.
#[component]
pub fn PickAll<K: Key>(list: List<K>) -> impl IntoView {
    let state = Memo::new(move |_| {
        let (picked, hidden) = list.picked_counts();
        let here = picked - hidden;
        (here > 0, here > 0 && here == list.counts().0)
    });
    let all = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(all) = all.get() {
            let (some, every) = state.get();
            all.set_checked(every);
            all.set_indeterminate(some && !every);
        }
    });
    view! {
        <input
            type="checkbox"
            class="pick"
            node_ref=all
            aria-label=move || format!("Select all {} that match", count(list.counts().0 as u64))
            title="Select all that match"
            disabled=move || list.is_part()
            on:click=move |_| if state.get_untracked().1 { list.drop_picks() } else { list.pick_all() }
        />
    }
    .into_any()
}

/// What is picked, and what can be done with it (`children`). Absent while nothing is picked.
#[component]
pub fn PickedBar<K: Key>(
    list: List<K>,
    one: &'static str,
    many: &'static str,
    children: ChildrenFn,
) -> impl IntoView {
    let any = Memo::new(move |_| !list.picked.with(|picked| picked.is_empty()));
    let words = move || {
        let (picked, hidden) = list.picked_counts();
        let hidden = if hidden > 0 {
            format!(", {} of them hidden by the filter", count(hidden as u64))
        } else {
            String::new()
        };
        format!("{} selected{hidden}", counted(picked, one, many))
    };
    let children = StoredValue::new(children);
    move || {
        any.get().then(|| {
            view! {
                <div class="selection" role="region" aria-label="Selection">
                    <span class="selection-count" aria-live="polite">{words}</span>
                    {children.with_value(|children| children())}
                    {move || {
                        let (picked, shown) = (list.picked.with(|picked| picked.len()), list.counts().0);
                        (picked < shown && !list.is_part())
                            .then(|| {
                                view! {
                                    <button type="button" class="button quiet" on:click=move |_| list.pick_all()>
                                        {format!("Select all {}", count(shown as u64))}
                                    </button>
                                }
                            })
                    }}
                    <button type="button" class="button quiet" on:click=move |_| list.drop_picks()>
                        "Clear"
                    </button>
                </div>
            }
            .into_any()
        })
    }
}
