//! The panel itself: its grip, its tabs, and the log of the one that is shown.

use super::{LogPanel, Opened, lines::LogLines, tools::LogTools};
use crate::{
    app::{
        components::Icon,
        pages::command_state,
        store::{Store, use_store},
    },
    model::Command,
};
use leptos::{ev, html, prelude::*};
use std::sync::Arc;

/// Heights of the panel, pixels.
const LOWEST: f64 = 120.0;
const FIRST: f64 = 300.0;
/// A press of an arrow key moves its edge by so much.
const STEP: f64 = 24.0;
/// What of the window stays free above it.
#[cfg(feature = "browser")]
const ABOVE: f64 = 120.0;
/// Where its height is remembered.
#[cfg(feature = "browser")]
const REMEMBERED: &str = "log-height";

/// The command of a tab as it is now: its row, or where the snapshot has let go of it, as it was last.
pub fn row_of(store: Store, opened: &Opened) -> Memo<Arc<Command>> {
    let first = opened.command.clone();
    let others = store.commands_of(first.host_id);
    Memo::new(move |before: Option<&Arc<Command>>| {
        others.track();
        let row = store.command_row(first.id).map(|row| row.get());
        row.or(before.cloned()).unwrap_or_else(|| first.clone())
    })
}

/// `pull@hsb1`.
pub fn called(store: Store, command: &Command) -> String {
    format!("{}@{}", command.kind, store.host_name_now(command.host_id))
}

#[component]
pub fn LogDock() -> impl IntoView {
    let panel: LogPanel = expect_context();
    let any = Memo::new(move |_| panel.opened.with(|all| !all.is_empty()));
    #[cfg(feature = "browser")]
    listen(panel);
    move || any.get().then(|| view! { <Panel/> })
}

/// Only the log that is looked at is read: a browser has few connections to spare.
#[cfg(feature = "browser")]
fn listen(panel: LogPanel) {
    Effect::new(move |_| {
        let active = panel.active.get();
        let unfolded = panel.unfolded.get();
        panel.opened.with(|all| {
            for Opened { tab, .. } in all {
                if unfolded && Some(tab.id()) == active { tab.listen() } else { tab.rest() }
            }
        });
    });
}

#[component]
fn Panel() -> impl IntoView {
    let panel: LogPanel = expect_context();
    let height = RwSignal::new(FIRST);
    let highest = RwSignal::new(FIRST);
    let body = NodeRef::<html::Div>::new();
    let section = NodeRef::<html::Section>::new();
    #[cfg(feature = "browser")]
    keep_height(panel, height, highest, body, section);
    let shown = Memo::new(move |_| panel.shown());
    let turn = move |_| panel.unfolded.update(|unfolded| *unfolded = !*unfolded);
    view! {
        <section class="logs" class:folded=move || !panel.unfolded.get() aria-label="Output of commands" node_ref=section>
            <Grip height highest/>
            <div class="logs-head">
                <button
                    type="button"
                    class="button quiet logs-fold"
                    aria-expanded=move || panel.unfolded.get().to_string()
                    aria-label="Show the log"
                    title="Show or hide the log"
                    on:click=turn
                >
                    <Icon name="chevron"/>
                </button>
                <Tabs/>
                <button type="button" class="button quiet" aria-label="Close all logs" title="Close all logs" on:click=move |_| panel.close_all()>
                    <Icon name="close"/>
                </button>
            </div>
            <div class="logs-body" id="log-body" role="tabpanel" aria-labelledby=move || shown.with(|shown| shown.as_ref().map(tab_id)) node_ref=body>
                {move || {
                    let opened = shown.get().filter(|_| panel.unfolded.get())?;
                    Some(view! { <LogTools opened=opened.clone()/> <LogLines opened/> })
                }}
            </div>
        </section>
    }
    .into_any()
}

fn tab_id(opened: &Opened) -> String {
    format!("log-tab-{}", opened.tab.id())
}

#[component]
fn Tabs() -> impl IntoView {
    let panel: LogPanel = expect_context();
    let list = NodeRef::<html::Div>::new();
    let on_key = move |event: ev::KeyboardEvent| {
        let to = match event.key().as_str() {
            "ArrowRight" => panel.beside(1),
            "ArrowLeft" => panel.beside(-1),
            "Delete" => {
                if let Some(id) = panel.active.get_untracked() {
                    panel.close(id);
                }
                panel.active.get_untracked()
            }
            _ => return,
        };
        event.prevent_default();
        if let Some(to) = to {
            panel.select(to);
            #[cfg(feature = "browser")]
            crate::app::live::viewport::once_shown(move || {
                use crate::app::live::viewport::find;
                let tab = list.get_untracked().and_then(|list| find(&list, "[aria-selected=true]"));
                tab.inspect(|tab| _ = tab.focus());
            });
        }
    };
    view! {
        <div class="log-tabs" role="tablist" aria-label="Commands" node_ref=list on:keydown=on_key>
            <For each=move || panel.opened.get() key=|opened| opened.tab.id() let:opened>
                <TabButton opened/>
            </For>
        </div>
    }
    .into_any()
}

#[component]
fn TabButton(opened: Opened) -> impl IntoView {
    let (panel, store): (LogPanel, _) = (expect_context(), use_store());
    let id = opened.tab.id();
    let selected = Memo::new(move |_| panel.active.get() == Some(id));
    let command = row_of(store, &opened);
    let state = Memo::new(move |_| command.with(|command| command_state(command)));
    let name = called(store, &opened.command);
    let title = move || state.with(|state| format!("{}: {}", called(store, &opened.command), state.word));
    let class = move || state.with(|state| format!("log-tab tone-{}", state.tone.class()));
    let symbol = move || state.with(|state| state.glyph.symbol());
    view! {
        <button
            type="button"
            id=format!("log-tab-{id}")
            class=class
            role="tab"
            aria-selected=move || selected.get().to_string()
            aria-controls="log-body"
            tabindex=move || if selected.get() { "0" } else { "-1" }
            title=title
            on:click=move |_| panel.select(id)
            on:auxclick=move |event: ev::MouseEvent| if event.button() == 1 { panel.close(id) }
        >
            <svg class="glyph" class:turning=move || state.with(|state| state.glyph == crate::app::components::Glyph::Half) viewBox="0 0 12 12" aria-hidden="true" focusable="false">
                <use href=symbol></use>
            </svg>
            <span class="log-tab-name">{name}</span>
            <span class="visually-hidden">{move || state.with(|state| format!(", {}", state.word))}</span>
        </button>
    }
    .into_any()
}

/// The edge by which the panel is made higher and lower.
#[component]
fn Grip(height: RwSignal<f64>, highest: RwSignal<f64>) -> impl IntoView {
    // The pointer that drags, where it began, and how high the panel was then.
    let drag = RwSignal::new(None::<(i32, f64, f64)>);
    let set = move |to: f64| height.set(to.clamp(LOWEST, highest.get_untracked().max(LOWEST)));
    let on_down = move |event: ev::PointerEvent| {
        crate::app::live::pointer::capture(&event);
        event.prevent_default();
        drag.set(Some((event.pointer_id(), f64::from(event.client_y()), height.get_untracked())));
    };
    let on_move = move |event: ev::PointerEvent| {
        if let Some((pointer, from, was)) = drag.get_untracked()
            && pointer == event.pointer_id()
        {
            set(was + from - f64::from(event.client_y()));
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        let now = height.get_untracked();
        let to = match event.key().as_str() {
            "ArrowUp" => now + STEP,
            "ArrowDown" => now - STEP,
            "PageUp" => now + 5.0 * STEP,
            "PageDown" => now - 5.0 * STEP,
            "Home" => LOWEST,
            "End" => f64::MAX,
            _ => return,
        };
        event.prevent_default();
        set(to);
    };
    view! {
        <div
            class="logs-grip"
            role="separator"
            tabindex="0"
            aria-orientation="horizontal"
            aria-label="Height of the log"
            aria-controls="log-body"
            aria-valuemin=LOWEST.to_string()
            aria-valuemax=move || highest.get().round().to_string()
            aria-valuenow=move || height.get().round().to_string()
            on:pointerdown=on_down
            on:pointermove=on_move
            on:pointerup=move |_| drag.set(None)
            on:pointercancel=move |_| drag.set(None)
            on:keydown=on_key
        ></div>
    }
    .into_any()
}

/// Gives the panel its height, remembers it, and keeps the foot of the page free for it.
#[cfg(feature = "browser")]
fn keep_height(
    panel: LogPanel,
    height: RwSignal<f64>,
    highest: RwSignal<f64>,
    body: NodeRef<html::Div>,
    section: NodeRef<html::Section>,
) {
    use crate::app::live::{
        scroller::{keep_foot_free, window_height},
        viewport::{remember, remembered, set_height, watch_height},
    };
    highest.set((window_height() - ABOVE).max(LOWEST));
    if let Some(before) = remembered(REMEMBERED).and_then(|text| text.parse::<f64>().ok()) {
        height.set(before.clamp(LOWEST, highest.get_untracked()));
    }
    Effect::new(move |_| {
        let (height, unfolded) = (height.get(), panel.unfolded.get());
        if let Some(body) = body.get() {
            set_height(&body, if unfolded { height } else { 0.0 });
        }
        remember(REMEMBERED, &height.round().to_string());
    });
    let resized = window_event_listener(ev::resize, move |_| {
        highest.set((window_height() - ABOVE).max(LOWEST));
        if height.get_untracked() > highest.get_untracked() {
            height.set(highest.get_untracked());
        }
    });
    Effect::new(move |_| {
        if let Some(section) = section.get() {
            watch_height(&section, keep_foot_free);
        }
    });
    on_cleanup(move || {
        resized.remove();
        keep_foot_free(0.0);
    });
}
