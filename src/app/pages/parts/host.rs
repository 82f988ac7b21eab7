//! What is shown of a host wherever it is shown: its presence, its compartments, its figures and its command.

use super::host_states::{command_state, command_took, compartment_state, presence_state};
use crate::{
    app::{
        components::{Ago, Glyph, Meter, State, StateBadge, Tone, format, use_clock},
        guard::use_host_desk,
        store::{Store, use_store},
    },
    model::{CompartmentKind, Host, HostId, HostMetrics, Presence, Timestamp, host::STALE_AFTER, time::age},
};
use leptos::{prelude::*, task::spawn_local};
use std::sync::Arc;

pub type HostRowSignal = ArcRwSignal<Arc<Host>>;

/// When a host was heard last: what its figures say, or what its row kept.
pub fn heard(store: Store, host: &HostRowSignal) -> Memo<Option<Timestamp>> {
    let figures = store.host_figures(host.with_untracked(|host| host.id));
    let host = host.clone();
    Memo::new(move |_| {
        let at = figures.with(|dated| dated.as_ref().map(|dated| dated.at));
        at.max(host.with(|host| host.last_seen))
    })
}

/// Online, stale or offline: never by the connection alone.
pub fn presence(store: Store, host: &HostRowSignal) -> Memo<Presence> {
    let (heard, host) = (heard(store, host), host.clone());
    Memo::new(move |_| host.with(|host| host.presence(heard.get(), store.now.get())))
}

/// The dot, and the word beside it. A heartbeat sends out a ripple.
#[component]
pub fn PresenceBadge(host: HostRowSignal) -> impl IntoView {
    let store = use_store();
    let presence = presence(store, &host);
    let figures = store.host_figures(host.with_untracked(|host| host.id));
    // Two names of one animation: with each heartbeat the other one begins. What was there at first is no heartbeat.
    let beats = Memo::new(move |before: Option<&(u32, Option<Timestamp>)>| {
        let at = figures.with(|dated| dated.as_ref().map(|dated| dated.at));
        match before {
            Some((count, seen)) if *seen == at => (*count, at),
            Some((count, _)) => (count + 1, at),
            None => (0, at),
        }
    });
    let state = Memo::new(move |_| host.with(|host| presence_state(host, presence.get())));
    let class = move || match (presence.get(), beats.with(|(count, _)| *count)) {
        (Presence::Online, 1..) if beats.with(|(count, _)| count % 2 == 0) => "presence beat-even",
        (Presence::Online, 1..) => "presence beat-odd",
        _ => "presence",
    };
    view! {
        <span class=class data-presence=move || presence.get().word()>
            <StateBadge state/>
        </span>
    }
    .into_any()
}

/// When it was heard last, ticking.
#[component]
pub fn LastSeen(host: HostRowSignal) -> impl IntoView {
    let heard = heard(use_store(), &host);
    let known = Memo::new(move |_| heard.with(Option::is_some));
    move || match known.get() {
        true => view! { <Ago at=Signal::derive(move || heard.get().unwrap_or_default())/> }.into_any(),
        false => "—".into_any(),
    }
}

/// The three compartments, a letter, a shape and a colour each; the lock's has a dot while a pull request is open.
#[component]
pub fn Compartments(host: HostRowSignal) -> impl IntoView {
    CompartmentKind::ALL
        .map(|kind| view! { <CompartmentMark host=host.clone() kind/> })
        .collect_view()
        .into_any()
}

#[component]
fn CompartmentMark(host: HostRowSignal, kind: CompartmentKind) -> impl IntoView {
    let (store, clock) = (use_store(), use_clock());
    let compartment = Memo::new(move |_| host.with(|host| host.compartments.get(kind).clone()));
    let state = Memo::new(move |_| compartment_state(&compartment.get(), clock.now.get()));
    let waiting = Memo::new(move |_| {
        (kind == CompartmentKind::Lock)
            .then(|| {
                store
                    .pull_requests
                    .with(|all| all.first().map(|one| format!("#{} {}", one.number, one.title)))
            })
            .flatten()
    });
    let words = Memo::new(move |_| {
        let (now, compartment) = (clock.now.get(), compartment.get());
        let mut words = format!("{}: {}", kind.label(), state.with(|state| state.word.clone()));
        if !compartment.message.is_empty() {
            words.push_str(&format!(". {}", compartment.message));
        }
        match compartment.checked_at {
            Some(at) => words.push_str(&format!(". Checked {} ago", age(now.since(at)))),
            None => words.push_str(". Never checked"),
        }
        if let Some(waiting) = waiting.get() {
            words.push_str(&format!(". Pull request {waiting} is open"));
        }
        words
    });
    let class = move || {
        let turning = state.with(|state| state.glyph == Glyph::Half);
        format!(
            "compartment tone-{}{}",
            state.with(|state| state.tone.class()),
            if turning { " turning" } else { "" }
        )
    };
    view! {
        <span class=class data-compartment=kind.as_str() data-status=move || state.with(|state| state.word.clone()) title=move || words.get()>
            <span class="visually-hidden">{move || words.get()}</span>
            <span class="compartment-letter" aria-hidden="true">{&kind.label()[..1]}</span>
            <svg class="glyph" viewBox="0 0 12 12" aria-hidden="true" focusable="false">
                <use href=move || state.with(|state| state.glyph.symbol())></use>
            </svg>
            {move || waiting.get().map(|_| view! { <span class="compartment-waits" aria-hidden="true"></span> })}
        </span>
    }
    .into_any()
}

/// The figures of a host while they are current; what they were last on hover.
#[derive(Clone, Copy)]
pub struct HostFigures {
    latest: Memo<Option<HostMetrics>>,
    fresh: Memo<bool>,
}

impl HostFigures {
    pub fn of(store: Store, id: HostId) -> HostFigures {
        let figures = store.host_figures(id);
        let row = store.host_row(id);
        let fresh = Memo::new({
            let figures = figures.clone();
            move |_| {
                let online = row.as_ref().is_some_and(|row| row.with(|row| row.online));
                let now = store.now.get();
                online
                    && figures
                        .with(|dated| dated.as_ref().is_some_and(|dated| now.since(dated.at) <= STALE_AFTER))
            }
        });
        HostFigures {
            latest: Memo::new(move |_| figures.with(|dated| dated.as_ref().map(|dated| dated.value))),
            fresh,
        }
    }

    pub fn current(self) -> Option<HostMetrics> {
        if self.fresh.get() { self.latest.get() } else { None }
    }

    /// As text; `—` where nothing is known now.
    pub fn text(self, words: fn(&HostMetrics) -> String) -> String {
        self.current().map_or("—".to_owned(), |figures| words(&figures))
    }

    /// What it was last, where that is not what is shown.
    pub fn last(self, words: fn(&HostMetrics) -> String) -> Option<String> {
        let latest = self.latest.get().filter(|_| !self.fresh.get())?;
        Some(format!("Last known: {}", words(&latest)))
    }
}

pub fn share(used: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { used as f64 / total as f64 }
}

/// A bar with its percentage.
#[component]
pub fn FigureBar(
    figures: HostFigures,
    label: &'static str,
    /// From 0 to 1.
    of: fn(&HostMetrics) -> f64,
    /// More than the percentage, on hover.
    words: fn(&HostMetrics) -> String,
) -> impl IntoView {
    let value = Memo::new(move |_| figures.current().map(|figures| of(&figures)));
    let title = move || figures.last(words).or_else(|| figures.current().map(|figures| words(&figures)));
    view! {
        <span class="figure-bar" title=title>
            <Meter value label/>
            <span class="figure">{move || value.get().map_or("—".to_owned(), |value| format!("{:.0} %", value * 100.0))}</span>
        </span>
    }
    .into_any()
}

pub fn cpu(figures: &HostMetrics) -> f64 {
    f64::from(figures.cpu_percent) / 100.0
}

pub fn ram(figures: &HostMetrics) -> f64 {
    share(figures.ram_used, figures.ram_total)
}

pub fn cpu_words(figures: &HostMetrics) -> String {
    format!("{:.0} % of all cores", figures.cpu_percent)
}

pub fn ram_words(figures: &HostMetrics) -> String {
    let of = |used, total| format!("{} of {}", format::bytes(used), format::bytes(total));
    let swap = match figures.swap_total {
        0 => "no swap".to_owned(),
        total => format!("swap {}", of(figures.swap_used, total)),
    };
    format!("{}; {swap}", of(figures.ram_used, figures.ram_total))
}

pub fn load_words(figures: &HostMetrics) -> String {
    format!("{:.2}", figures.load[0])
}

/// The command that a host holds, or how its last one ended; a button that opens what it writes.
#[component]
pub fn CommandNow(host: HostRowSignal) -> impl IntoView {
    let (store, clock, desk) = (use_store(), use_clock(), use_host_desk());
    let id = host.with_untracked(|host| host.id);
    let all = store.commands_of(id);
    let row = host.clone();
    // The one it holds, else the oldest that waits, else the newest.
    let command = Memo::new(move |_| {
        let ids = all.get();
        let pending = host.with(|host| host.pending_command);
        let row = |id| store.command_row(id).map(|row| row.get());
        let rows = || ids.iter().filter_map(|id| row(*id));
        let open = rows().rfind(|command| !command.status.is_over());
        pending.and_then(row).or(open).or_else(|| rows().next())
    });
    let waiting = {
        let all = store.commands_of(id);
        Memo::new(move |_| {
            let open =
                |id: &_| store.command_row(*id).is_some_and(|row| row.with(|row| !row.status.is_over()));
            all.with(|ids| ids.iter().filter(|id| open(id)).count().saturating_sub(1))
        })
    };
    // What its host took with it nobody knows, until it is heard again.
    let unheard = Memo::new(move |_| {
        let pending = command.with(|command| command.as_ref().is_some_and(|command| command.is_pending()));
        row.with(|host| (pending && !host.online).then_some(host.online_since))
    });
    let state = Memo::new(move |_| match unheard.get() {
        Some(_) => Some(State::new(Glyph::Dashed, Tone::Quiet, "was running when its host was last heard")),
        None => command.with(|command| command.as_deref().map(command_state)),
    });
    let time = Memo::new(move |_| {
        let now = clock.now.get();
        if let Some(since) = unheard.get() {
            return Some(format!("not heard {}", age(now.since(since))));
        }
        command.with(|command| {
            let command = command.as_deref()?;
            match command.finished_at {
                Some(at) => Some(format!("{} ago", age(now.since(at)))),
                None => command_took(command, now).map(age),
            }
        })
    });
    let there = Memo::new(move |_| command.with(Option::is_some));
    let kind =
        Memo::new(move |_| command.with(|command| command.as_ref().map(|command| command.kind.to_string())));
    let over = Memo::new(move |_| {
        command.with(|command| command.as_ref().is_some_and(|command| command.status.is_over()))
    });
    move || {
        if !there.get() {
            return "—".into_any();
        }
        let class = move || {
            let tone = state.with(|state| state.as_ref().map_or("quiet", |state| state.tone.class()));
            let turns = state.with(|state| state.as_ref().is_some_and(|state| state.glyph == Glyph::Half));
            format!(
                "command-now tone-{tone}{}{}",
                if over.get() { " over" } else { "" },
                if turns { " turning" } else { "" }
            )
        };
        let words = move || {
            let more = match waiting.get() {
                0 => String::new(),
                n => format!(", {n} more waiting"),
            };
            let word = state.with(|state| state.as_ref().map(|state| state.word.clone()).unwrap_or_default());
            format!("{} {word}{more}: show its log", kind.get().unwrap_or_default())
        };
        let open = move |_| {
            if let Some(command) = command.get_untracked() {
                spawn_local(async move { desk.open_log(command.id).await });
            }
        };
        view! {
            <button type="button" class=class title=words on:click=open>
                <svg class="glyph" viewBox="0 0 12 12" aria-hidden="true" focusable="false">
                    <use href=move || state.with(|state| state.as_ref().map(|state| state.glyph.symbol()))></use>
                </svg>
                <span class="command-kind">{move || kind.get()}</span>
                <span class="visually-hidden">{move || state.with(|state| state.as_ref().map(|state| state.word.clone()))}</span>
                <span class="figure command-time">{move || time.get()}</span>
                {move || (waiting.get() > 0).then(|| view! { <span class="command-more">{format!("+{}", waiting.get())}</span> })}
            </button>
        }
        .into_any()
    }
}
