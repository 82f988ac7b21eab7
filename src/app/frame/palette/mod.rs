//! The command palette: every page, worker, net, action and command, by its name; an action that is not permitted now says why.
//!
//! [`search`] finds names, [`finder`] searches the fleet without keeping the page waiting, [`items`] says what there is to choose. What is
//! chosen runs through the same guard as any button. A combobox with a listbox (ARIA APG), for the keyboard alone.

mod finder;
mod items;
mod search;

use super::{ThemeChoice, keys::KeyMap};
use crate::{
    app::{
        actions::{ActOnNet, ActOnWorker},
        components::Icon,
        guard::{Desk, use_desk, use_host_desk},
        host_actions::ActOnHost,
        live::{page, session},
        store::use_store,
    },
    model::{HostId, NetAction, NetId, WorkerId},
};
use finder::Finding;
use items::{Command, Does, Item, items};
use leptos::{ev, html, prelude::*, task::spawn_local};
use leptos_router::hooks::use_navigate;
use search::Query;

/// What the palette looks at closer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    Worker(WorkerId),
    Net(NetId),
    Host(HostId),
    /// The workers that a net can go to.
    AssignTo(NetId),
}

/// Opens the palette from anywhere.
#[derive(Clone, Copy)]
pub struct Palette {
    open: RwSignal<bool>,
    layers: RwSignal<Vec<Layer>>,
}

impl Palette {
    pub fn new() -> Palette {
        Palette { open: RwSignal::new(false), layers: RwSignal::new(Vec::new()) }
    }

    pub fn open(self) {
        self.layers.set(Vec::new());
        self.open.set(true);
    }

    /// Opens it where only this is chosen from.
    pub fn open_at(self, layer: Layer) {
        self.layers.set(vec![layer]);
        self.open.set(true);
    }

    pub fn close(self) {
        self.open.set(false);
    }

    pub fn is_open(self) -> bool {
        self.open.get_untracked()
    }
}

impl Default for Palette {
    fn default() -> Palette {
        Palette::new()
    }
}

/// The box in the top bar that opens it.
#[component]
pub fn PaletteButton() -> impl IntoView {
    let palette: Palette = expect_context();
    view! {
        <button
            type="button"
            class="search-box needs-script"
            aria-haspopup="dialog"
            aria-keyshortcuts="Control+K Meta+K"
            title="Search or act (Ctrl-K, on a Mac ⌘-K)"
            on:click=move |_| palette.open()
        >
            <Icon name="search"/>
            <span class="search-box-text">"Search or act…"</span>
            <kbd aria-hidden="true">"Ctrl K"</kbd>
        </button>
    }
    .into_any()
}

#[component]
pub fn PaletteDialog() -> impl IntoView {
    let palette: Palette = expect_context();
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        if !palette.open.get()
            && let Some(dialog) = dialog.get()
            && dialog.open()
        {
            dialog.close();
        }
    });
    let on_click = move |event: ev::MouseEvent| {
        // Beside the panel is the backdrop, which belongs to the dialog itself.
        use leptos::wasm_bindgen::JsCast;
        let target = event.target().and_then(|target| target.dyn_into::<leptos::web_sys::Element>().ok());
        if target.is_some_and(|target| target.tag_name() == "DIALOG") {
            palette.close();
        }
    };
    view! {
        <dialog
            class="palette"
            node_ref=dialog
            aria-label="Search or act"
            on:close=move |_| palette.close()
            on:click=on_click
        >
            {move || palette.open.get().then(|| view! { <Panel dialog/> })}
        </dialog>
    }
    .into_any()
}

fn option_id(i: usize) -> String {
    format!("palette-option-{i}")
}

#[component]
fn Panel(dialog: NodeRef<html::Dialog>) -> impl IntoView {
    let store = use_store();
    let palette: Palette = expect_context();
    let run = runner();
    let input = NodeRef::<html::Input>::new();
    let text = RwSignal::new(String::new());
    let chosen = RwSignal::new(0_usize);
    let said = RwSignal::new(None::<String>);
    let finding = Finding::new(store);
    let layer = Memo::new(move |_| palette.layers.with(|layers| layers.last().copied()));
    Effect::new(move |_| {
        if let (Some(dialog), Some(input)) = (dialog.get(), input.get()) {
            if !dialog.open() {
                _ = dialog.show_modal();
            }
            _ = input.focus();
        }
    });
    Effect::new(move |_| {
        text.with(|text| {
            let rest = items::verb(text).map(|(_, _, rest)| rest).unwrap_or_default();
            finding.look_for(Query::new(text), Query::new(&rest));
        });
    });
    let list = Memo::new(move |_| {
        text.with(|text| finding.found.with(|found| items(store, layer.get(), text, found)))
    });
    let at = Memo::new(move |_| list.with(|list| chosen.get().min(list.len().saturating_sub(1))));
    let reset = move || {
        text.set(String::new());
        chosen.set(0);
        said.set(None);
        if let Some(input) = input.get_untracked() {
            input.set_value("");
        }
    };
    let enter = move |inside: Layer| {
        palette.layers.update(|layers| layers.push(inside));
        reset();
    };
    let choose = move |i: usize| {
        let Some(item) = list.with_untracked(|list| list.get(i).cloned()) else { return };
        match item.does {
            Does::Enter(inside) => enter(inside),
            Does::Refused(why) => said.set(Some(why)),
            does => {
                palette.close();
                run(does);
            }
        }
    };
    let go = move |i: usize| {
        chosen.set(i);
        said.set(None);
        page::reveal(&option_id(i));
    };
    let on_key = move |event: ev::KeyboardEvent| {
        let count = list.with_untracked(Vec::len);
        let now = at.get_untracked();
        match event.key().as_str() {
            "ArrowDown" if count > 0 => go((now + 1) % count),
            "ArrowUp" if count > 0 => go((now + count - 1) % count),
            "PageDown" if count > 0 => go((now + 8).min(count - 1)),
            "PageUp" if count > 0 => go(now.saturating_sub(8)),
            // An input method ends a word with Enter too.
            "Enter" if !event.is_composing() => choose(now),
            "Tab" if !event.shift_key() => {
                if let Some(inside) = list.with_untracked(|list| list.get(now).and_then(|item| item.inside)) {
                    enter(inside);
                }
            }
            "Escape" if !palette.layers.with_untracked(Vec::is_empty) => {
                _ = palette.layers.try_update(Vec::pop);
                reset();
            }
            "Backspace"
                if text.with_untracked(String::is_empty) && !palette.layers.with_untracked(Vec::is_empty) =>
            {
                _ = palette.layers.try_update(Vec::pop);
                reset();
            }
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let about = Memo::new(move |_| match layer.get() {
        None => None,
        Some(Layer::Worker(id)) => store.worker(id).map(|worker| worker.name.to_string()),
        Some(Layer::Net(id)) => store.net(id).map(|net| net.name.to_string()),
        Some(Layer::Host(id)) => store.host(id).map(|host| host.name.to_string()),
        Some(Layer::AssignTo(id)) => store.net(id).map(|net| format!("Assign {}", net.name)),
    });
    // Why the one that is chosen cannot be done now.
    let refusal = move || {
        list.with(|list| match list.get(at.get()).map(|item| &item.does) {
            Some(Does::Refused(why)) => Some(why.clone()),
            _ => None,
        })
    };
    let hint = move || {
        let inside = list.with(|list| list.get(at.get()).is_some_and(|item| item.inside.is_some()));
        let deep = layer.get().is_some();
        view! {
            <span><kbd>"↑"</kbd><kbd>"↓"</kbd>" choose"</span>
            <span><kbd>"Enter"</kbd>" go"</span>
            {inside.then(|| view! { <span><kbd>"Tab"</kbd>" its actions"</span> })}
            <span><kbd>"Esc"</kbd>{if deep { " back" } else { " close" }}</span>
        }
    };
    view! {
        <div class="palette-panel">
            <div class="palette-ask">
                <Icon name="search"/>
                {move || about.get().map(|name| view! { <span class="palette-about">{name}</span> })}
                <input
                    node_ref=input
                    type="text"
                    class="palette-input"
                    role="combobox"
                    aria-label="Search or act"
                    aria-expanded="true"
                    aria-controls="palette-list"
                    aria-autocomplete="list"
                    aria-activedescendant=move || list.with(|list| !list.is_empty()).then(|| option_id(at.get()))
                    autocomplete="off"
                    spellcheck="false"
                    placeholder=move || {
                        match layer.get() {
                            None => "A page, a worker, a net, or a verb and a name",
                            Some(Layer::AssignTo(_)) => "Which worker?",
                            Some(_) => "What to do?",
                        }
                    }
                    on:input=move |event| {
                        text.set(event_target_value(&event));
                        chosen.set(0);
                        said.set(None);
                    }
                    on:keydown=on_key
                />
            </div>
            <ul class="palette-list" id="palette-list" role="listbox" aria-label="Choices">
                {move || {
                    list.get()
                        .into_iter()
                        .enumerate()
                        .map(|(i, item)| view! { <Choice i item at on_point=move || chosen.set(i) on_choose=move || choose(i)/> })
                        .collect_view()
                }}
            </ul>
            <p class="palette-none" role="status">
                {move || match (said.get().or_else(refusal), list.with(Vec::len)) {
                    (Some(why), _) => view! { <span class="palette-said">{why}</span> }.into_any(),
                    (None, 0) => "No page, entity or action is called that.".into_any(),
                    (None, n) => {
                        view! { <span class="visually-hidden">{format!("{n} to choose from")}</span> }.into_any()
                    }
                }}
            </p>
            <p class="palette-hint" aria-hidden="true">
                {hint}
            </p>
        </div>
    }
    .into_any()
}

#[component]
fn Choice(
    i: usize,
    item: Item,
    at: Memo<usize>,
    on_point: impl Fn() + Copy + 'static,
    on_choose: impl Fn() + Copy + 'static,
) -> impl IntoView {
    let is_chosen = Memo::new(move |_| at.get() == i);
    let refused = item.is_refused();
    view! {
        <li
            id=option_id(i)
            class="palette-item"
            class:chosen=move || is_chosen.get()
            role="option"
            aria-selected=move || is_chosen.get().to_string()
            aria-disabled=refused.then_some("true")
            on:mousemove=move |_| {
                if !is_chosen.get_untracked() {
                    on_point();
                }
            }
            on:click=move |_| on_choose()
        >
            <span class="palette-label">{item.label}</span>
            <span class="palette-note">{item.note}</span>
            <span class="palette-kind">{item.kind}</span>
        </li>
    }
    .into_any()
}

/// Does what was chosen.
fn runner() -> impl Fn(Does) + Copy + 'static {
    let (desk, hosts) = (use_desk(), use_host_desk());
    let map: KeyMap = expect_context();
    let ThemeChoice(theme) = expect_context();
    let navigate = StoredValue::new_local(use_navigate());
    move |does| match does {
        Does::Go(path) => {
            let path = desk.store.within.get_untracked().carry(&path);
            navigate.with_value(|navigate| navigate(&path, Default::default()));
        }
        Does::Worker(id, action) => {
            let ask = ActOnWorker { id, action, state_revision: None, key: None };
            spawn_local(desk.worker(ask));
        }
        Does::Net(id, action, rate) => act_on_net(desk, id, action, None, rate),
        Does::Run(id, kind) => spawn_local(async move { hosts.run(id, kind).await }),
        Does::Host(id, action) => {
            let ask = ActOnHost { id, action, state_revision: None, key: None };
            spawn_local(async move { hosts.host(ask).await });
        }
        Does::Assign(id, worker) => act_on_net(desk, id, NetAction::Assign, Some(worker), None),
        Does::Command(Command::Theme(chosen)) => {
            theme.set(chosen);
            page::show_theme(chosen);
        }
        Does::Command(Command::Realtime(on)) => session::set_realtime(on),
        Does::Command(Command::Messages) => desk.toasts.read_history(true),
        Does::Command(Command::Keys) => map.show(),
        Does::Command(Command::SignOut) => spawn_local(async move {
            if let Err(error) = session::sign_out().await {
                desk.toasts.error(format!("Could not sign out. {error}"));
            }
        }),
        Does::Enter(_) | Does::Refused(_) => {}
    }
}

fn act_on_net(desk: Desk, id: NetId, action: NetAction, worker: Option<WorkerId>, rate: Option<u32>) {
    let ask = ActOnNet {
        id,
        action,
        worker_id: worker.map(|id| id.to_string()),
        rate: rate.map(|rate| rate.to_string()),
        place: None,
        tokens: None,
        version: None,
        state_revision: None,
        key: None,
    };
    spawn_local(desk.net(ask));
}
