//! The lines of a log that are seen.
//!
//! A row is [`ROW`] pixels high, so which lines are seen is arithmetic; the others are empty room above and below. What screen readers are
//! told is apart from that: what comes while little is written, and that it ended.

use super::{
    Opened, Tab,
    buffer::Line,
    dock::{called, row_of},
    pieces::pieces,
};
use crate::app::{components::format::count, pages::command_state, store::use_store};
use leptos::{html, prelude::*};

/// The height of a row of text, pixels; `style/log.css` has the same.
#[cfg(feature = "browser")]
pub const ROW: f64 = 18.0;
/// Rows beyond those seen that are in the page, so that a scroll finds them there.
#[cfg(feature = "browser")]
const OVER: u64 = 10;
/// Characters of the ruler that says how wide one is.
const RULER: usize = 50;
/// A log that grows by more lines than this in a second is not read out.
const READ_OUT: u64 = 4;

/// What is in the page: lines by number, each with what makes it another to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shown {
    lines: Vec<Key>,
    cut: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    number: u64,
    /// The last line may still grow.
    length: usize,
    wanted: String,
    current: bool,
}

#[component]
pub fn LogLines(opened: Opened) -> impl IntoView {
    let store = use_store();
    let tab = opened.tab.clone();
    let scroller = NodeRef::<html::Div>::new();
    let (space, window, ruler) =
        (NodeRef::<html::Div>::new(), NodeRef::<html::Div>::new(), NodeRef::<html::Span>::new());
    let shown = RwSignal::new(Shown::default());
    #[cfg(feature = "browser")]
    browser::keep(&tab, shown, scroller, space, window, ruler);
    let wraps = tab.wraps();
    let cut = Memo::new(move |_| shown.with(|shown| shown.cut));
    let each = move || shown.with(|shown| shown.lines.clone());
    let line_of = tab.clone();
    let name = called(store, &opened.command);
    view! {
        {move || {
            (cut.get() > 0)
                .then(|| {
                    let words = format!("The first {} lines are not kept here. The download has them.", count(cut.get()));
                    view! { <p class="log-cut">{words}</p> }
                })
        }}
        <div
            class="log-lines"
            class:wraps=move || wraps.get()
            node_ref=scroller
            role="log"
            aria-live="off"
            aria-label=format!("Output of {name}")
            tabindex="0"
        >
            <span class="log-ruler" aria-hidden="true" node_ref=ruler>{"0".repeat(RULER)}</span>
            <div class="log-space" node_ref=space>
                <div class="log-window" node_ref=window>
                    <For each key=|key| key.clone() let:key>
                        {let line = line_of.log().buffer.line(key.number);
                        painted(line, &key)}
                    </For>
                </div>
            </div>
        </div>
        <ReadOut opened tab/>
    }
    .into_any()
}

fn painted(line: Option<Line>, key: &Key) -> AnyView {
    let pieces = line.map(|line| pieces(&line, &key.wanted)).unwrap_or_default();
    let pieces = pieces.into_iter().map(|piece| match (piece.hit, piece.class.is_empty()) {
        (true, _) => view! { <mark class=piece.class>{piece.text}</mark> }.into_any(),
        (false, true) => piece.text.into_any(),
        (false, false) => view! { <span class=piece.class>{piece.text}</span> }.into_any(),
    });
    view! {
        <div class=if key.current { "log-line current" } else { "log-line" } data-line=key.number.to_string()>
            {pieces.collect_view()}
        </div>
    }
    .into_any()
}

/// What is said of the log to those who do not see it.
#[component]
fn ReadOut(opened: Opened, tab: Tab) -> impl IntoView {
    let store = use_store();
    let command = row_of(store, &opened);
    let name = called(store, &opened.command);
    let told = RwSignal::new(String::new());
    let before = StoredValue::new(tab.log().buffer.ended());
    Effect::new(move |_| {
        store.ticks.track();
        let log = tab.log();
        let (from, to) = (before.get_value(), log.buffer.ended());
        before.set_value(to);
        if to > from && to - from <= READ_OUT {
            let words: Vec<String> =
                log.buffer.from(from).map(|(_, line)| line.plain().into_owned()).collect();
            told.set(words.join("\n"));
        }
    });
    let over = Memo::new(move |_| {
        let over = command.with(|command| command.status.is_over());
        over.then(|| command.with(|command| command_state(command).word))
    });
    Effect::new(move |first: Option<bool>| {
        let over = over.get();
        if let (Some(false), Some(word)) = (first, &over) {
            told.set(format!("{name}: {word}"));
        }
        over.is_some()
    });
    view! { <p class="visually-hidden" aria-live="polite">{move || told.get()}</p> }.into_any()
}

#[cfg(feature = "browser")]
mod browser {
    use super::{super::tab::Log, Key, OVER, ROW, RULER, Shown, Tab};
    use crate::app::live::{
        browser::Listener,
        scroller::{Stand, character_width, place_at, scroll_to, stand},
        viewport::{set_height, watch_height},
    };
    use leptos::{html, prelude::*};

    /// Keeps the lines that are seen in the page while the current owner lives.
    pub fn keep(
        tab: &Tab,
        shown: RwSignal<Shown>,
        scroller: NodeRef<html::Div>,
        space: NodeRef<html::Div>,
        window: NodeRef<html::Div>,
        ruler: NodeRef<html::Span>,
    ) {
        let now = RwSignal::new(Stand::default());
        let (version, follow, wraps, query, current) =
            (tab.version(), tab.follow(), tab.wraps(), tab.query(), tab.current());
        let columns = Memo::new(move |_| {
            let width = now.with(|now| now.width);
            let character = ruler.get().map_or(0.0, |ruler| character_width(&ruler, RULER));
            // Room for the padding on both sides.
            (character > 0.0).then(|| (((width - 24.0) / character).floor() as usize).max(8))
        });
        // The scroller is there: measure it, and go where it was.
        let from = tab.clone();
        Effect::new(move |_| {
            let Some(element) = scroller.get() else { return };
            let element: leptos::web_sys::HtmlElement = element.into();
            let again = element.clone();
            watch_height(&element, move |_| _ = now.try_set(stand(&again)));
            now.set(stand(&element));
            let (element, follow, tab) = (element.clone(), from.follow(), from.clone());
            let listener = Listener::on(element.clone(), "scroll", move || {
                let Some(before) = now.try_get_untracked() else { return };
                let after = stand(&element);
                if after == before {
                    return;
                }
                let end = f64::from(element.scroll_height()) - after.height;
                // Scrolled up by somebody: they read. Scrolled to the end: they follow again. In a panel that grew the browser moves what
                // is seen by itself.
                let follows = follow.get_untracked();
                let same_size = after.height == before.height && after.width == before.width;
                if after.top < before.top - 1.0 && same_size && follows {
                    follow.set(false);
                } else if after.top >= end - 2.0 && after.top > before.top && !follows {
                    follow.set(true);
                }
                tab.scrolled_to(after.top);
                now.set(after);
            });
            let listener = send_wrapper::SendWrapper::new(listener);
            on_cleanup(move || drop(listener));
        });
        // Scrolls to the line that the search is at.
        let (found, to) = (tab.clone(), current.clone());
        Effect::new(move |before: Option<Option<u64>>| {
            let line = to.get();
            if let (Some(line), Some(element)) =
                (line.filter(|line| before.flatten() != Some(*line)), scroller.get_untracked())
            {
                let log = found.log();
                let top = log.wrap.top(&log.buffer, line) as f64 * ROW;
                let seen = stand(&element);
                if top < seen.top || top + ROW > seen.top + seen.height {
                    scroll_to(&element, (top - seen.height / 2.0).max(0.0));
                }
            }
            line
        });
        let tab = tab.clone();
        let first = std::cell::Cell::new(true);
        let gone = std::cell::Cell::new(tab.log().buffer.cut());
        let paint = move || {
            version.track();
            let (Some(element), Some(space), Some(window)) = (scroller.get(), space.get(), window.get())
            else {
                return;
            };
            let (follows, wanted, current) = (follow.get(), query.get().to_lowercase(), current.get());
            let columns = if wraps.get() { columns.get() } else { None };
            let seen = now.get();
            let mut log = tab.log();
            let Log { buffer, wrap, .. } = &mut *log;
            wrap.set(columns);
            wrap.follow(buffer);
            let height = wrap.rows(buffer) as f64 * ROW;
            set_height(&space, height);
            let mut top = seen.top;
            if follows {
                top = (height + 12.0 - seen.height).max(0.0);
            } else if first.get() {
                top = tab.scrolled();
            } else if buffer.cut() > gone.get() {
                // What was let go above must not move what is read.
                top = (top - (buffer.cut() - gone.get()) as f64 * ROW).max(0.0);
            }
            // A scroller stands on whole pixels.
            let top = top.round();
            first.set(false);
            gone.set(buffer.cut());
            if (top - seen.top).abs() >= 1.0 {
                now.update_untracked(|now| now.top = top);
                scroll_to(&element, top);
            }
            let above = (top / ROW).floor().max(0.0) as u64;
            let row = above.saturating_sub(OVER);
            let start = wrap.line_at(buffer, row);
            let end = wrap.line_at(buffer, above + (seen.height / ROW).ceil() as u64 + OVER);
            place_at(&window, wrap.top(buffer, start) as f64 * ROW);
            let lines = match buffer.is_empty() {
                true => Vec::new(),
                false => (start..=end)
                    .map(|number| Key {
                        number,
                        length: if number >= buffer.ended() {
                            buffer.line(number).map_or(0, |line| line.width())
                        } else {
                            0
                        },
                        wanted: wanted.clone(),
                        current: current == Some(number),
                    })
                    .collect(),
            };
            let next = Shown { lines, cut: buffer.cut() };
            drop(log);
            if shown.with_untracked(|before| *before != next) {
                shown.set(next);
            }
        };
        let paint = send_wrapper::SendWrapper::new(paint);
        Effect::new(move |_| paint());
    }
}
