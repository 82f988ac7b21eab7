//! What can be done with a log: follow or pause, search, wrap, copy, download, cancel, close.

use super::{
    Feed, LogPanel, Opened,
    dock::{called, row_of},
};
use crate::{
    app::{
        components::{Icon, StateBadge, format::count, use_clock, use_toasts},
        guard::use_host_desk,
        live::page::copy,
        pages::{command_state, command_took},
        store::use_store,
    },
    model::time::age,
};
use leptos::{ev, prelude::*, task::spawn_local};

/// Lines looked at in one go while searching: a frame's worth.
#[cfg(feature = "browser")]
const AT_ONCE: usize = 4_000;

#[component]
pub fn LogTools(opened: Opened) -> impl IntoView {
    let (panel, store, clock, toasts, desk): (LogPanel, _, _, _, _) =
        (expect_context(), use_store(), use_clock(), use_toasts(), use_host_desk());
    let id = opened.tab.id();
    let command = row_of(store, &opened);
    let state = Memo::new(move |_| command.with(|command| command_state(command)));
    let took = Memo::new(move |_| {
        let now = clock.now.get();
        command.with(|command| command_took(command, now).map(age))
    });
    // A reason says it, too.
    let code =
        Memo::new(move |_| command.with(|command| command.exit_code.filter(|_| command.reason.is_none())));
    let reason = Memo::new(move |_| command.with(|command| command.reason.clone()));
    let open = Memo::new(move |_| {
        command.with(|command| !command.status.is_over() && command.cancel.is_none()) && store.may_act()
    });
    let (follow, wraps) = (opened.tab.follow(), opened.tab.wraps());
    let (follows, wrapped, following) = (follow.clone(), wraps.clone(), follow.clone());
    let tab = opened.tab.clone();
    let on_copy = move |_| {
        let text = tab.log().buffer.text();
        spawn_local(async move {
            match copy(&text).await {
                true => toasts.success("Copied the log."),
                false => toasts.warning("The browser does not let us copy the log. Download it instead."),
            }
        });
    };
    let file = format!("{}.log", called(store, &opened.command).replace('@', "-"));
    view! {
        <div class="log-tools">
            <StateBadge state/>
            <span class="log-took figure">{move || took.get()}</span>
            <span class="quiet-text">
                {move || code.get().map(|code| format!("exit code {code}"))}
            </span>
            <span class="log-reason quiet-text" title=move || reason.get()>{move || reason.get()}</span>
            <FeedWords opened=opened.clone()/>
            <span class="toolbar-space"></span>
            <SearchBox opened=opened.clone()/>
            <button
                type="button"
                class="button"
                aria-pressed=move || follows.get().to_string()
                title="Stay at the end while it grows"
                on:click=move |_| follow.update(|follow| *follow = !*follow)
            >
                {move || if following.get() { "Pause" } else { "Follow" }}
            </button>
            <button
                type="button"
                class="button"
                aria-pressed=move || wrapped.get().to_string()
                title="Break long lines"
                on:click=move |_| wraps.update(|wraps| *wraps = !*wraps)
            >
                "Wrap"
            </button>
            <button type="button" class="button quiet" aria-label="Copy the log" title="Copy the log" on:click=on_copy>
                <Icon name="copy"/>
            </button>
            <a class="button quiet" href=format!("/api/commands/{id}/output?download") download=file rel="external" aria-label="Download the log" title="Download the log">
                <Icon name="download"/>
            </a>
            {move || {
                open.get()
                    .then(|| {
                        view! {
                            <button
                                type="button"
                                class="button danger"
                                on:click=move |_| spawn_local(async move { desk.cancel(id).await })
                            >
                                "Cancel"
                            </button>
                        }
                    })
            }}
            <button type="button" class="button quiet" aria-label="Close this log" title="Close this log (Delete on its tab)" on:click=move |_| panel.close(id)>
                <Icon name="close"/>
            </button>
        </div>
    }
    .into_any()
}

/// How the stream stands, where that needs saying.
#[component]
fn FeedWords(opened: Opened) -> impl IntoView {
    let feed = opened.tab.feed();
    let over = row_of(use_store(), &opened);
    let words = Memo::new(move |_| match feed.get() {
        Feed::Lost => Some("the stream is lost, trying again".to_owned()),
        Feed::Refused(why) => Some(why),
        Feed::Waiting if !over.with(|command| command.status.is_over()) => {
            Some("nothing written yet".to_owned())
        }
        Feed::Waiting | Feed::Live | Feed::Ended => None,
    });
    view! { <span class="log-feed" role="status">{move || words.get()}</span> }.into_any()
}

#[component]
fn SearchBox(opened: Opened) -> impl IntoView {
    let tab = opened.tab;
    let (query, current, follow) = (tab.query(), tab.current(), tab.follow());
    let found = RwSignal::new((0_usize, None::<usize>));
    #[cfg(feature = "browser")]
    search(tab.clone(), found);
    let go = {
        let (tab, current) = (tab.clone(), current.clone());
        move |backwards: bool| {
            let next = tab.log().search.next(current.get_untracked(), backwards);
            if next.is_some() {
                follow.set(false);
                current.set(next);
            }
        }
    };
    let on_key = {
        let (go, query) = (go.clone(), query.clone());
        move |event: ev::KeyboardEvent| match event.key().as_str() {
            "Enter" => {
                event.prevent_default();
                go(event.shift_key());
            }
            "Escape" if query.with_untracked(|query| !query.is_empty()) => {
                event.stop_propagation();
                query.set(String::new());
            }
            _ => {}
        }
    };
    let words = {
        let query = query.clone();
        move || {
            let (all, place) = found.get();
            match (query.with(String::is_empty), place) {
                (true, _) => String::new(),
                (false, Some(place)) => format!("{} of {}", count(place as u64), count(all as u64)),
                (false, None) if all == 1 => "1 line".to_owned(),
                (false, None) => format!("{} lines", count(all as u64)),
            }
        }
    };
    let (shown, typed) = (query.clone(), query);
    let back = go.clone();
    view! {
        <span class="log-search">
            <input
                type="search"
                class="input"
                placeholder="Search"
                aria-label="Search the log"
                autocomplete="off"
                prop:value=move || shown.get()
                on:input=move |event| typed.set(event_target_value(&event))
                on:keydown=on_key
            />
            <span class="log-found figure" aria-live="polite">{words}</span>
            <button type="button" class="button quiet" aria-label="Line found before" title="Before (Shift Enter)" on:click=move |_| back(true)>
                <Icon name="up"/>
            </button>
            <button type="button" class="button quiet" aria-label="Next line found" title="Next (Enter)" on:click=move |_| go(false)>
                <Icon name="down"/>
            </button>
        </span>
    }
    .into_any()
}

/// Keeps what was found up to date with the text searched for and with what is written, a part at a time.
#[cfg(feature = "browser")]
fn search(tab: super::Tab, found: RwSignal<(usize, Option<usize>)>) {
    use crate::app::live::browser::before_paint;
    use std::{cell::Cell, rc::Rc};

    fn step(tab: super::Tab, found: RwSignal<(usize, Option<usize>)>, running: Rc<Cell<bool>>) {
        let (more, count) = {
            let mut log = tab.log();
            let super::tab::Log { search, buffer, .. } = &mut *log;
            let more = search.step(buffer, AT_ONCE);
            (more, search.count())
        };
        let place = tab.current().get_untracked().and_then(|line| tab.log().search.place(line));
        if found.try_get_untracked().is_some_and(|before| before != (count, place)) {
            found.set((count, place));
        }
        running.set(more && !found.is_disposed());
        if running.get() {
            before_paint(move || step(tab, found, running));
        }
    }

    let running = Rc::new(Cell::new(false));
    let (query, current, version) = (tab.query(), tab.current(), tab.version());
    let wanted = tab.clone();
    Effect::new(move |_| {
        let query = query.get();
        let same = wanted.log().search.wanted() == query.to_lowercase();
        if !same {
            wanted.log().search.want(&query);
            wanted.current().set(None);
        }
        current.track();
        version.track();
        if !running.replace(true) {
            step(wanted.clone(), found, running.clone());
        }
    });
}
