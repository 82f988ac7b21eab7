//! What stands above a list: the filter, the facets, the columns, table or cards. A form, so that all of it works without JavaScript.

use super::{Choice, Counted, Key, List, View};
use crate::app::components::{
    format::count,
    keyboard::{in_dialog, typing},
};
use leptos::{ev, html, prelude::*};

/// At most so many values of a facet are offered at once.
pub(super) const MOST_VALUES: usize = 40;
/// With more values than this they can be searched.
const SEARCHED_FROM: usize = 12;

#[component]
pub fn Toolbar<K: Key>(
    list: List<K>,
    /// What the filter is called: `Filter workers`.
    label: &'static str,
) -> impl IntoView {
    let choice = list.choice;
    // What the form does not show of the choice, sent along by those that send it.
    let look = move || {
        let address = list.address(&choice.get().unfiltered());
        let pairs = address.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(key, value)| (key.to_owned(), leptos_router::location::Url::unescape(value)))
            .map(|(key, value)| view! { <input type="hidden" name=key value=value/> })
            .collect_view()
    };
    view! {
        <form class="toolbar" method="get" role="search" on:submit=|event| event.prevent_default()>
            <TextFilter list label/>
            {(0..list.offer.facets.len()).map(|facet| view! { <FacetMenu list facet/> }).collect_view()}
            {look}
            <button class="button apply">"Apply"</button>
            {move || {
                choice
                    .with(Choice::filters)
                    .then(|| {
                        view! {
                            <a
                                class="toolbar-clear"
                                href=move || list.address(&choice.get().unfiltered())
                                on:click=move |event: ev::MouseEvent| {
                                    event.prevent_default();
                                    event.stop_propagation();
                                    list.choose(choice.get_untracked().unfiltered(), false);
                                }
                            >
                                "Clear filters"
                            </a>
                        }
                    })
            }}
            <span class="toolbar-space"></span>
            <Sorting list/>
            <Columns list/>
            <Views list/>
        </form>
    }
    .into_any()
}

#[component]
fn TextFilter<K: Key>(list: List<K>, label: &'static str) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let first = list.choice.with_untracked(|choice| choice.text.clone());
    let on_input = move |event: ev::Event| {
        list.choose(list.choice.get_untracked().with_text(event_target_value(&event)), true);
    };
    // Back, and "Clear filters", change the text too; what is being typed is ahead of the address.
    Effect::new(move |_| {
        let text = list.choice.with(|choice| choice.text.clone());
        if let Some(input) = input.get() {
            let typing = document()
                .active_element()
                .is_some_and(|element| element == *AsRef::<leptos::web_sys::Element>::as_ref(&input));
            if !typing && input.value() != text {
                input.set_value(&text);
            }
        }
    });
    Effect::new(move |_| {
        let handle = window_event_listener(ev::keydown, move |event: ev::KeyboardEvent| {
            let plain = !event.ctrl_key() && !event.meta_key() && !event.alt_key();
            let free = !typing() && !in_dialog();
            if event.key() == "/"
                && plain
                && free
                && let Some(input) = input.get_untracked()
            {
                event.prevent_default();
                _ = input.focus();
                input.select();
            }
        });
        on_cleanup(move || handle.remove());
    });
    let on_key = move |event: ev::KeyboardEvent| {
        // An input method ends a word with Enter too.
        if event.key() == "Enter" && !event.is_composing() {
            event.prevent_default();
            if list.with_untracked(|index| index.len() > 0) {
                // The next key is for the rows already.
                if let Some(input) = input.get_untracked() {
                    _ = input.blur();
                }
                list.entered.update(|times| *times += 1);
            }
        }
        if event.key() == "Escape"
            && let Some(input) = input.get_untracked()
        {
            event.prevent_default();
            event.stop_propagation();
            if input.value().is_empty() {
                _ = input.blur();
            } else {
                input.set_value("");
                list.choose(list.choice.get_untracked().with_text(String::new()), true);
            }
        }
    };
    view! {
        <input
            node_ref=input
            type="search"
            name="q"
            class="input filter"
            placeholder="Filter…"
            aria-label=label
            title="Press / to filter, Enter to go to the rows"
            autocomplete="off"
            value=first
            on:input=on_input
            on:keydown=on_key
        />
    }
    .into_any()
}

/// The values of a facet, each with how many rows it would leave.
#[component]
fn FacetMenu<K: Key>(list: List<K>, facet: usize) -> impl IntoView {
    let of = list.offer.facets[facet];
    let open = RwSignal::new(false);
    let search = RwSignal::new(String::new());
    let chosen =
        Memo::new(move |_| list.choice.with(|choice| choice.facets.get(facet).cloned().unwrap_or_default()));
    // Nobody reads the counts of a menu that is closed.
    let counts = Memo::new(move |before: Option<&Vec<Counted>>| match before {
        Some(before) if list.alive.get() && !open.get() => before.clone(),
        _ => list.facet_counts(facet),
    });
    let offered = Memo::new(move |_| {
        let wanted = search.with(|text| text.trim().to_lowercase());
        chosen.with(|chosen| {
            let mut values: Vec<Counted> = counts.with(|counts| {
                counts
                    .iter()
                    .filter(|counted| wanted.is_empty() || counted.value.to_lowercase().contains(&wanted))
                    .cloned()
                    .collect()
            });
            let missing = chosen
                .iter()
                .filter(|value| counts.with(|counts| counts.iter().all(|counted| counted.value != **value)));
            values.extend(missing.map(|value| Counted { value: value.clone(), rows: 0 }));
            // In one order, whatever is chosen: what moves under the pointer, or loses the focus by moving, is no help.
            values.sort();
            let more = (values.len() + list.values_not_here(facet)).saturating_sub(MOST_VALUES);
            if values.len() > MOST_VALUES {
                let (mut kept, others): (Vec<_>, Vec<_>) =
                    values.into_iter().partition(|counted| chosen.contains(&counted.value));
                kept.extend(others);
                kept.truncate(MOST_VALUES);
                kept.sort();
                values = kept;
            }
            (values, more)
        })
    });
    let details = NodeRef::<html::Details>::new();
    let close = move || {
        if let Some(details) = details.get_untracked() {
            details.set_open(false);
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" && open.get_untracked() {
            event.prevent_default();
            event.stop_propagation();
            close();
            if let Some(summary) =
                details.get_untracked().and_then(|details| details.query_selector("summary").ok().flatten())
            {
                use leptos::wasm_bindgen::JsCast;
                if let Ok(summary) = summary.dyn_into::<leptos::web_sys::HtmlElement>() {
                    _ = summary.focus();
                }
            }
        }
    };
    // What had the focus may go together with all of this: then there is nothing to ask any more.
    let on_blur = move |event: ev::FocusEvent| {
        use leptos::wasm_bindgen::JsCast;
        let into = event.related_target().and_then(|to| to.dyn_into::<leptos::web_sys::Node>().ok());
        let stays =
            details.try_get_untracked().flatten().is_some_and(|details| details.contains(into.as_ref()));
        if into.is_some() && !stays {
            close();
        }
    };
    view! {
        <details
            class="menu facet"
            node_ref=details
            on:toggle=move |_| open.set(details.get_untracked().is_some_and(|details| details.open()))
            on:keydown=on_key
            on:focusout=on_blur
        >
            <summary class="button" class:chosen=move || !chosen.with(|chosen| chosen.is_empty())>
                {of.label}
                {move || {
                    let chosen = chosen.get();
                    match chosen.len() {
                        0 => String::new(),
                        1 => chosen.iter().next().map(|value| format!(": {value}")).unwrap_or_default(),
                        n => format!(": {n}"),
                    }
                }}
            </summary>
            <fieldset class="menu-items facet-values">
                <legend class="visually-hidden">{of.label}</legend>
                {move || {
                    (counts.with(Vec::len) > SEARCHED_FROM && list.alive.get())
                        .then(|| {
                            view! {
                                <input
                                    type="search"
                                    class="input"
                                    placeholder="Find…"
                                    aria-label=format!("Find in {}", of.label)
                                    prop:value=move || search.get()
                                    on:input=move |event| search.set(event_target_value(&event))
                                />
                            }
                        })
                }}
                {move || offered.with(|(values, _)| values.is_empty()).then(|| view! { <p class="menu-text">"Nothing"</p> })}
                <For each=move || offered.with(|(values, _)| values.clone()) key=|counted| counted.value.clone() let:counted>
                    <FacetValue list facet value=counted.value counts/>
                </For>
                {move || {
                    let more = offered.with(|(_, more)| *more);
                    (more > 0).then(|| view! { <p class="menu-text">{format!("and {} more", count(more as u64))}</p> })
                }}
            </fieldset>
        </details>
    }
    .into_any()
}

#[component]
fn FacetValue<K: Key>(
    list: List<K>,
    facet: usize,
    value: String,
    counts: Memo<Vec<Counted>>,
) -> impl IntoView {
    let key = list.offer.facets[facet].key;
    let chosen = Memo::new({
        let value = value.clone();
        move |_| {
            list.choice.with(|choice| choice.facets.get(facet).is_some_and(|chosen| chosen.contains(&value)))
        }
    });
    let rows = Memo::new({
        let value = value.clone();
        move |_| {
            counts.with(|counts| {
                counts.iter().find(|counted| counted.value == value).map_or(0, |counted| counted.rows)
            })
        }
    });
    let toggle = {
        let value = value.clone();
        move |_| list.choose(list.choice.with_untracked(|choice| choice.toggled(facet, &value)), false)
    };
    let first = chosen.get_untracked();
    view! {
        <label class="facet-value" class:none=move || rows.get() == 0>
            <input type="checkbox" name=key value=value.clone() checked=first prop:checked=move || chosen.get() on:change=toggle/>
            <span class="facet-name">{value.clone()}</span>
            <span class="facet-rows">{move || count(rows.get() as u64)}</span>
        </label>
    }
    .into_any()
}

/// The order of cards, which have no heads to click.
#[component]
fn Sorting<K: Key>(list: List<K>) -> impl IntoView {
    let sort = Memo::new(move |_| list.choice.with(|choice| choice.sort(list.offer)));
    let cards = Memo::new(move |_| list.choice.with(|choice| choice.look.view == View::Cards));
    let mark = move |key: &str| match sort.get() {
        sort if sort.by != key => "",
        sort if sort.descending => " ↓",
        _ => " ↑",
    };
    let details = NodeRef::<html::Details>::new();
    let by = list.offer.columns.iter().filter(|column| column.sorts).map(|column| {
        let next = move || list.choice.with(|choice| choice.sorted(list.offer, column.key));
        view! {
            <a
                class="menu-item"
                href=move || list.address(&next())
                aria-current=move || (sort.get().by == column.key).then_some("true")
                on:click=move |event: ev::MouseEvent| {
                    event.prevent_default();
                    event.stop_propagation();
                    list.choose(untrack(next), false);
                    if let Some(details) = details.get_untracked() {
                        details.set_open(false);
                    }
                }
            >
                {column.heading}
                {move || mark(column.key)}
            </a>
        }
    });
    let by = by.collect_view();
    let now = move || {
        let sort = sort.get();
        let heading = list
            .offer
            .columns
            .iter()
            .find(|column| column.key == sort.by)
            .map_or("", |column| column.heading);
        format!("{heading}{}", mark(sort.by))
    };
    view! {
        <details class="menu facet sorting" class:in-cards=move || cards.get() node_ref=details>
            <summary class="button">"Sort: " {now}</summary>
            <div class="menu-items facet-values">{by}</div>
        </details>
    }
    .into_any()
}

/// Which columns are shown.
#[component]
fn Columns<K: Key>(list: List<K>) -> impl IntoView {
    let optional = list.offer.columns.iter().filter(|column| column.optional);
    let boxes = optional.map(|column| {
        let shown = Memo::new(move |_| list.choice.with(|choice| !choice.look.hidden.contains(column.key)));
        let toggle = move |_| {
            let mut choice = list.choice.get_untracked();
            if !choice.look.hidden.remove(column.key) {
                choice.look.hidden.insert(column.key);
            }
            list.choose(choice, false);
        };
        view! {
            <label class="facet-value">
                <input type="checkbox" prop:checked=move || shown.get() on:change=toggle/>
                <span class="facet-name">{column.heading}</span>
            </label>
        }
    });
    let boxes = boxes.collect_view();
    view! {
        <div class="needs-life" class:alive=move || list.alive.get()>
            <details class="menu facet">
                <summary class="button">"Columns"</summary>
                <div class="menu-items facet-values">{boxes}</div>
            </details>
        </div>
    }
    .into_any()
}

/// Table or cards.
#[component]
fn Views<K: Key>(list: List<K>) -> impl IntoView {
    let link = move |view: View, label: &'static str, path: &'static str| {
        let chosen = move || {
            let mut choice = list.choice.get();
            choice.look.view = view;
            choice
        };
        let now = Memo::new(move |_| list.choice.with(|choice| choice.look.view == view));
        view! {
            <a
                class="view-choice"
                href=move || list.address(&chosen())
                aria-current=move || now.get().then_some("true")
                aria-label=label
                title=label
                on:click=move |event: ev::MouseEvent| {
                    event.prevent_default();
                    event.stop_propagation();
                    list.choose(untrack(chosen), false);
                }
            >
                <svg class="icon" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true" focusable="false">
                    <path d=path></path>
                </svg>
            </a>
        }
    };
    view! {
        <div class="view-choices" role="group" aria-label="View">
            {link(View::Table, "Table", "M2 4h12M2 8h12M2 12h12")}
            {link(View::Cards, "Cards", "M2.500 3h4.500v4h-4.500zM9 3h4.500v4h-4.500zM2.500 9.500h4.500v4h-4.500zM9 9.500h4.500v4h-4.500z")}
        </div>
    }
    .into_any()
}

/// `12 of 1 204`, or `1 204`.
#[component]
pub fn ListCount<K: Key>(list: List<K>) -> impl IntoView {
    move || {
        let (shown, all) = list.counts();
        if list.must_wait() {
            format!("… of {}", count(all as u64))
        } else if list.choice.with(Choice::filters) {
            format!("{} of {}", count(shown as u64), count(all as u64))
        } else {
            count(all as u64)
        }
    }
}

/// Said where a list has nothing to show.
#[component]
pub fn ListEmpty<K: Key>(
    list: List<K>,
    /// While there are no rows at all.
    none: &'static str,
    /// While no row matches.
    no_match: &'static str,
) -> impl IntoView {
    let state = Memo::new(move |_| {
        let (shown, all) = list.counts();
        (shown == 0 && !list.must_wait()).then_some(all == 0)
    });
    move || {
        state.get().map(|nothing| {
            let text = if nothing { none } else { no_match };
            view! { <p class="empty">{text}</p> }
        })
    }
}
