//! The rows of a list that are in the page, the heads of its columns, and the room of the rows that are not.

use super::{
    Key, List, PAGE, View,
    keys::list_keys,
    pick::PickAll,
    window::{Layout, Piece, grown, pieces},
};
use crate::app::{
    components::format::count,
    live::viewport::{Drawn, Seen},
};
use leptos::{ev, html, prelude::*};
use leptos_router::components::A;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Lines above and below those seen that are in the page too, so that a scroll finds them there.
const OVER: usize = 8;
/// Rows at most that are made before it is asked whether there is time for more.
const AT_ONCE: usize = 2;

/// A row's place in its list.
#[derive(Clone, Copy)]
pub struct RowPlace<K: Key> {
    pub key: K,
    /// Counted from 1, the heads of the columns being the first; for `aria-rowindex`.
    pub index: Memo<usize>,
}

/// What is in the page.
#[derive(Clone, Debug, PartialEq)]
struct Laid<K> {
    /// In order, with the place among the rows shown.
    pieces: Vec<(Piece<K>, usize)>,
    rooms: [f64; 3],
    /// Whether rows are still to be made.
    drawn: Drawn,
}

impl<K: Copy> Laid<K> {
    fn keys(&self) -> impl Iterator<Item = K> {
        self.pieces.iter().filter_map(|(piece, _)| match piece {
            Piece::Row(key) => Some(*key),
            Piece::Room(_) => None,
        })
    }
}

/// What the parts of one list's table share.
pub(super) struct Screen<K: Key> {
    pub list: List<K>,
    pub seen: RwSignal<Seen>,
    /// How much higher than the others the open rows are.
    pub taller: RwSignal<HashMap<K, f64>>,
    /// The row that has the focus: it stays in the page wherever it is scrolled to.
    pub held: RwSignal<Option<K>>,
    /// The place that the row had which had the focus last.
    pub held_at: StoredValue<usize>,
    pub space: NodeRef<html::Div>,
    /// Told where more rows are to be made.
    pub turn: RwSignal<u32>,
}

impl<K: Key> Clone for Screen<K> {
    fn clone(&self) -> Screen<K> {
        *self
    }
}

impl<K: Key> Copy for Screen<K> {}

impl<K: Key> Screen<K> {
    /// How the rows lie now; read with the index at hand.
    pub fn layout(self, rows: usize, place_of: impl Fn(K) -> Option<usize>) -> Layout {
        let (pitch, across) = self.seen.with(|seen| (seen.pitch, seen.across.max(1)));
        let mut taller = Vec::new();
        self.taller.with(|heights| {
            self.list.open.with(|open| {
                let open = open.iter().filter_map(|key| Some((place_of(*key)? / across, *heights.get(key)?)));
                taller.extend(open);
            });
        });
        taller.sort_unstable_by_key(|(at, _)| *at);
        taller.dedup_by(|(next, by), (line, most)| {
            let same = next == line;
            if same {
                *most = most.max(*by);
            }
            same
        });
        Layout { rows, across, pitch, taller }
    }

    fn laid(self, before: Option<&Laid<K>>) -> Laid<K> {
        let row = |place, key| (Piece::Row(key), place);
        let alive = self.list.alive.get();
        let page = if alive { 1 } else { self.list.choice.with(|choice| choice.page) };
        if let Some((from, keys)) = self.list.first_rows() {
            let rows = keys.into_iter().enumerate().map(|(n, key)| row(from + n, key));
            return Laid { pieces: rows.collect(), rooms: [0.0; 3], drawn: Drawn::Whole };
        }
        self.list.with(|index| {
            if !alive {
                let from = (page - 1).saturating_mul(PAGE);
                let rows = index.page(from, PAGE).enumerate().map(|(n, key)| row(from + n, key));
                return Laid { pieces: rows.collect(), rooms: [0.0; 3], drawn: Drawn::Whole };
            }
            self.turn.track();
            let there: HashSet<K> = before.iter().flat_map(|laid| laid.keys()).collect();
            if index.len() <= self.list.offer.whole {
                return short(index.page(0, index.len()).collect(), &there);
            }
            let layout = self.layout(index.len(), |key| index.place_of(key));
            let seen = self.seen.get();
            let window = layout.between(seen.top, seen.bottom, OVER);
            let keys: Vec<K> = index.page(window.start, window.len()).collect();
            let place = |key: K| index.place_of(key).filter(|place| window.contains(place));
            let held = self.held.get();
            let going = there.iter().any(|key| place(*key).is_none() && held != Some(*key));
            let is_there =
                |place: usize| keys.get(place - window.start).is_some_and(|key| there.contains(key));
            let on_screen = layout.between(seen.top, seen.bottom, 0);
            let next = grown(&window, &on_screen, is_there, if going { 0 } else { AT_ONCE });
            let across = layout.across.max(1);
            let drawn = match () {
                () if next == window => Drawn::Whole,
                // A line of cards that is not full would move those that follow.
                () if !next.start.is_multiple_of(across) => Drawn::MidLine,
                () if !next.end.is_multiple_of(across) && next.end < index.len() => Drawn::MidLine,
                () => Drawn::Partly,
            };
            let window = next;
            let held = held.and_then(|key| index.place_of(key));
            let (parts, rooms) = pieces(&layout, window, held);
            let mut laid = Vec::new();
            for (n, part) in parts.into_iter().enumerate() {
                laid.push((Piece::Room(n as u8), part.start));
                let rows = index.page(part.start, part.len());
                laid.extend(rows.enumerate().map(|(n, key)| row(part.start + n, key)));
            }
            laid.push((Piece::Room(2), index.len()));
            Laid { pieces: laid, rooms, drawn }
        })
    }
}

// Either rows go or some come: of both at once the framework would take all that are below for moved, and moving them costs as much as
// making them.

/// A list that is to be in the page as a whole: those of `wanted` that are `there`, and the next.
fn short<K: Key>(wanted: Vec<K>, there: &HashSet<K>) -> Laid<K> {
    let staying = wanted.iter().filter(|key| there.contains(key)).count();
    let mut new = usize::from(staying == there.len());
    let next = wanted.iter().enumerate().filter(|(_, key)| {
        there.contains(key) || {
            let comes = new > 0;
            new = 0;
            comes
        }
    });
    let pieces: Vec<_> = next.map(|(place, key)| (Piece::Row(*key), place)).collect();
    let drawn = if pieces.len() == wanted.len() { Drawn::Whole } else { Drawn::Partly };
    Laid { pieces, rooms: [0.0; 3], drawn }
}

/// The table of a list, or its cards. `row` makes the `<tbody class="entry">` of a row.
#[component]
pub fn ListRows<K: Key>(
    list: List<K>,
    #[prop(into)] label: String,
    /// Whether rows can be picked.
    picks: bool,
    #[prop(into)] row: Callback<RowPlace<K>, AnyView>,
) -> impl IntoView {
    let screen = Screen {
        list,
        seen: RwSignal::new(Seen::default()),
        taller: RwSignal::new(HashMap::new()),
        held: RwSignal::new(None),
        held_at: StoredValue::new(0),
        space: NodeRef::new(),
        turn: RwSignal::new(0),
    };
    provide_context(screen);
    list_keys(screen);
    let laid = Memo::new(move |before| screen.laid(before));
    #[cfg(feature = "browser")]
    live(screen, Signal::derive(move || laid.with(|laid| laid.drawn)));
    let places = Memo::new(move |_| {
        laid.with(|laid| {
            let rows = laid.pieces.iter().filter_map(|(piece, place)| match piece {
                Piece::Row(key) => Some((*key, *place)),
                Piece::Room(_) => None,
            });
            Arc::new(rows.collect::<HashMap<_, _>>())
        })
    });
    let shown = Memo::new(move |_| list.counts().0);
    let class = move || {
        list.choice.with(|choice| {
            let mut class = "table".to_owned();
            if choice.look.view == View::Cards {
                class.push_str(" cards");
            }
            if !picks {
                class.push_str(" no-pick");
            }
            choice.look.hidden.iter().for_each(|key| class.push_str(&format!(" no-{key}")));
            class
        })
    };
    let columns = move || {
        let hidden = list.choice.with(|choice| choice.look.hidden.len());
        list.offer.columns.len() + usize::from(picks) - hidden
    };
    view! {
        <div
            class="table-space"
            class:no-rows=move || shown.get() == 0
            class:windowed=move || { list.alive.get() && (shown.get() > list.offer.whole) && !list.is_part() }
            node_ref=screen.space
            on:focusin=move |event| held_by(screen, &event)
            on:focusout=move |event| let_go(screen, &event)
        >
            <table
                class=class
                aria-label=label
                role="table"
                aria-rowcount=move || (shown.get() + 1).to_string()
                aria-colcount=move || columns().to_string()
            >
                <thead role="rowgroup">
                    <tr role="row" aria-rowindex="1">
                        {picks.then(|| view! { <th class="cell-pick" role="columnheader" scope="col"><PickAll list/></th> })}
                        {list.offer.columns.iter().map(|column| view! { <Head list column/> }).collect_view()}
                    </tr>
                </thead>
                <For each=move || laid.with(|laid| laid.pieces.iter().map(|(piece, _)| *piece).collect::<Vec<_>>()) key=|piece| *piece let:piece>
                    {match piece {
                        Piece::Row(key) => {
                            let index = Memo::new(move |before: Option<&usize>| {
                                let place = places.with(|places| places.get(&key).copied());
                                place.map(|place| place + 2).or(before.copied()).unwrap_or(2)
                            });
                            row.run(RowPlace { key, index })
                        }
                        Piece::Room(n) => {
                            let height = Memo::new(move |_| laid.with(|laid| laid.rooms[usize::from(n)]));
                            view! { <Room height/> }.into_any()
                        }
                    }}
                </For>
            </table>
        </div>
        {move || (!list.alive.get() && shown.get() > PAGE).then(|| view! { <Pages list/> })}
        {move || {
            list.rows_to_come().map(|rows| {
                view! { <p class="list-rest quiet-text" role="status">{format!("Loading {} more…", count(rows as u64))}</p> }
            })
        }}
    }
    .into_any()
}

/// The head of a column; a link that sorts by it, where it can be sorted by.
#[component]
fn Head<K: Key>(list: List<K>, column: &'static super::Column) -> impl IntoView {
    let sort = Memo::new(move |_| list.choice.with(|choice| choice.sort(list.offer)));
    let sorted = move || match sort.get() {
        sort if sort.by != column.key => "none",
        sort if sort.descending => "descending",
        _ => "ascending",
    };
    let class = format!("cell-{}{}", column.key, if column.figure { " figure" } else { "" });
    let next = move || list.choice.with(|choice| choice.sorted(list.offer, column.key));
    if !column.sorts {
        // A column of buttons has a name, too, for who does not see them.
        let name = column.heading.is_empty().then(|| view! { <span class="visually-hidden">"Open"</span> });
        return view! { <th scope="col" class=class role="columnheader">{name} {column.heading}</th> }
            .into_any();
    }
    let on_click = move |event: ev::MouseEvent| {
        if !event.ctrl_key() && !event.meta_key() && !event.shift_key() {
            event.prevent_default();
            event.stop_propagation();
            list.choose(list.choice.with_untracked(|choice| choice.sorted(list.offer, column.key)), false);
        }
    };
    view! {
        <th scope="col" class=class role="columnheader" aria-sort=sorted>
            <a class="sort" href=move || list.address(&next()) on:click=on_click>
                {column.heading}
                <svg class="sort-mark" viewBox="0 0 8 8" aria-hidden="true" focusable="false">
                    <path d=move || match sorted() {
                        "ascending" => "M4 1.5L7 6H1z",
                        "descending" => "M4 6.500L1 2h6z",
                        _ => "",
                    }></path>
                </svg>
            </a>
        </th>
    }
    .into_any()
}

/// The room of rows that are not in the page.
#[component]
fn Room(height: Memo<f64>) -> impl IntoView {
    let cell = NodeRef::<html::Td>::new();
    #[cfg(feature = "browser")]
    Effect::new(move |_| {
        if let Some(cell) = cell.get() {
            crate::app::live::viewport::set_height(&cell, height.get());
        }
    });
    view! {
        <tbody class="room" class:none=move || height.get() == 0.0 role="none">
            <tr role="none">
                <td node_ref=cell role="none"></td>
            </tr>
        </tbody>
    }
    .into_any()
}

/// The pages of a list made without JavaScript.
#[component]
fn Pages<K: Key>(list: List<K>) -> impl IntoView {
    let pages = move || list.counts().0.div_ceil(PAGE);
    let page = move || list.choice.with(|choice| choice.page);
    let link = move |page: usize| list.address(&list.choice.get().on_page(page));
    view! {
        <nav class="pages" aria-label="Pages of the list">
            {move || (page() > 1).then(|| view! { <A href=link(page() - 1)>"Previous page"</A> })}
            <span class="quiet-text">{move || format!("page {} of {}", page(), pages())}</span>
            {move || (page() < pages()).then(|| view! { <A href=link(page() + 1)>"Next page"</A> })}
        </nav>
    }
    .into_any()
}

/// The row that `event` happened in has the focus.
fn held_by<K: Key>(screen: Screen<K>, event: &ev::FocusEvent) {
    use leptos::wasm_bindgen::JsCast;
    let target = event.target().and_then(|target| target.dyn_into::<leptos::web_sys::Element>().ok());
    let entry = target.and_then(|target| target.closest("[data-key]").ok().flatten());
    let key = entry.and_then(|entry| entry.get_attribute("data-key")?.parse::<K>().ok());
    if let Some(held) = key {
        let place = screen.list.with_untracked(|index| index.place_of(held));
        screen.held_at.set_value(place.unwrap_or(0));
        screen.held.set(key);
        screen.list.current.set(key);
    }
}

/// The focus left a row: for another element; because the row was moved in the document when others left it, and then it gets it back; or
/// because the row is gone, and then the one that came to its place has it.
fn let_go<K: Key>(screen: Screen<K>, event: &ev::FocusEvent) {
    #[cfg(feature = "browser")]
    {
        use crate::app::live::viewport;
        use leptos::wasm_bindgen::JsCast;
        let target = event.target().and_then(|target| target.dyn_into::<leptos::web_sys::HtmlElement>().ok());
        // The whole list may be going.
        let Some(held) = screen.held.try_get_untracked() else { return };
        match target {
            Some(target) if event.related_target().is_none() => viewport::once_shown(move || {
                let same = screen.held.try_get_untracked() == Some(held);
                if !same || viewport::refocus(&target) {
                    return;
                }
                screen.held.set(None);
                let gone = held.is_some_and(|held| !screen.list.with_untracked(|index| index.shows(held)));
                if gone && !target.is_connected() {
                    super::keys::focus_place(screen, screen.held_at.get_value());
                }
            }),
            _ => screen.held.set(None),
        }
    }
    #[cfg(not(feature = "browser"))]
    let _ = (screen, event);
}

/// From here on the page is the browser's: it holds what is seen of the list, and no more.
#[cfg(feature = "browser")]
fn live<K: Key>(screen: Screen<K>, drawn: Signal<Drawn>) {
    use crate::app::live::viewport;
    viewport::watch(screen.space, screen.seen, drawn, screen.turn);
    Effect::new(move |_| {
        let Some(space) = screen.space.get() else { return };
        // Where the columns or the kind of the list change, so may the heights. What is measured is laid out by then.
        let _ = screen.list.choice.with(|choice| choice.look.clone());
        let shown = screen.list.counts().0;
        let look = move || {
            if let Some(before) = screen.seen.try_get_untracked() {
                let now = viewport::seen(&space, before);
                if now != before {
                    screen.seen.set(now);
                }
                screen.list.alive.set(true);
            }
        };
        if shown > 0 || !screen.list.alive.get_untracked() {
            viewport::once_shown(look);
        }
    });
}

/// Tells the list how high the open entry `key` is, while the current owner lives.
#[cfg(feature = "browser")]
pub(super) fn measure<K: Key>(screen: Screen<K>, key: K, entry: &leptos::web_sys::Element) {
    use crate::app::live::viewport;
    viewport::watch_height(entry, move |height| {
        let pitch = screen.seen.try_get_untracked().map_or(0.0, |seen| seen.pitch);
        if pitch > 0.0 && height > 0.0 {
            let by = (height - pitch).max(0.0);
            let same =
                screen.taller.try_with_untracked(|heights| heights.get(&key) == Some(&by)).unwrap_or(true);
            if !same {
                screen.taller.update(|heights| _ = heights.insert(key, by));
            }
        }
    });
}

/// Lets the list know how high `entry` is while it is open.
pub fn measured<K: Key>(entry: NodeRef<html::Tbody>, key: K, open: Memo<bool>) {
    #[cfg(feature = "browser")]
    {
        let Some(screen) = use_context::<Screen<K>>() else { return };
        Effect::new(move |_| {
            if let Some(entry) = entry.get().filter(|_| open.get()) {
                measure(screen, key, &entry);
            }
        });
    }
    #[cfg(not(feature = "browser"))]
    let _ = (entry, key, open);
}
