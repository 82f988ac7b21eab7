//! What stands above the events: which of them to show. A form, so that it works without JavaScript.

use super::chosen::{Chosen, Within, field, resource_words, severities, severity_words};
use crate::{
    app::{
        components::{
            Icon,
            keyboard::{in_dialog, typing},
        },
        store::{Store, use_store},
    },
    model::EntityRef,
};
use leptos::{ev, html, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use std::sync::Arc;

/// The types of events, by what they tell of.
const TYPES: &[(&str, &[&str])] = &[
    (
        "worker",
        &["worker.created", "worker.status.updated", "worker.updated", "worker.terminated", "worker.deleted"],
    ),
    (
        "net",
        &[
            "net.created",
            "net.assigned",
            "net.unassigned",
            "net.load_state.updated",
            "net.run_state.updated",
            "net.updated",
            "net.deleted",
        ],
    ),
    ("host", &["host.added", "host.updated", "host.offline", "host.removed"]),
    ("command", &["command.queued", "command.finished"]),
    ("cluster", &["cluster.connected", "cluster.disconnected", "cluster.status.updated"]),
    ("project", &["project.created", "project.status.updated", "project.deleted"]),
    ("pipeline", &[]),
    ("pull_request", &[]),
    ("user", &["user.created", "user.updated", "user.deleted"]),
    ("member", &["member.updated", "member.removed"]),
    ("token", &["token.created", "token.revoked"]),
    ("webhook", &["webhook.created", "webhook.updated", "webhook.disabled", "webhook.deleted"]),
    ("rules", &[]),
];

/// The choices that are offered, as the address has them.
const SEVERITIES: [(&str, &str); 4] = [
    ("", "Any severity"),
    ("success,warning,error", "Successes and worse"),
    ("warning,error", "Warnings and errors"),
    ("error", "Errors"),
];

#[component]
pub fn Filters(chosen: Memo<Chosen>) -> impl IntoView {
    let store = use_store();
    let navigate = use_navigate();
    // Typed: one of many small steps, which Back does not go through one by one.
    let go = Callback::new(move |(chosen, typed): (Chosen, bool)| {
        let options = NavigateOptions { replace: typed, scroll: false, ..Default::default() };
        navigate(&Chosen { before: None, ..chosen }.address(), options);
    });
    let change = move |with: fn(&mut Chosen, String)| {
        move |event: ev::Event| {
            let mut next = chosen.get_untracked();
            with(&mut next, event_target_value(&event));
            go.run((next, false));
        }
    };
    let kind = Memo::new(move |_| chosen.with(|chosen| chosen.kind.clone()));
    let severity = Memo::new(move |_| chosen.with(|chosen| severity_words(&chosen.severities)));
    let rarer = move || Some(severity.get()).filter(|now| SEVERITIES.iter().all(|(value, _)| value != now));
    let within = Memo::new(move |_| chosen.with(|chosen| chosen.within));
    let open = Memo::new(move |_| chosen.with(|chosen| chosen.open));
    let known = |kind: &str| TYPES.iter().any(|(of, all)| kind == format!("{of}.*") || all.contains(&kind));
    let other = move || Some(kind.get()).filter(|kind| !kind.is_empty() && !known(kind));
    let types = TYPES
        .iter()
        .map(|(of, all)| {
            let whole = format!("{of}.*");
            let (shown, value) = (format!("{of}: all"), whole.clone());
            view! {
                <optgroup label=*of>
                    <option value=value selected=move || kind.with(|kind| *kind == whole)>{shown}</option>
                    {all
                        .iter()
                        .map(|one| view! { <option value=*one selected=move || kind.with(|kind| kind == one)>{*one}</option> })
                        .collect_view()}
                </optgroup>
            }
        })
        .collect_view();
    view! {
        <form class="toolbar events-filter" method="get" action="/events" role="search" on:submit=|event| event.prevent_default()>
            <TextFilter chosen go/>
            <select name="type" class="select" aria-label="Type" on:change=change(|chosen, value| chosen.kind = value) prop:value=move || kind.get()>
                <option value="" selected=move || kind.with(String::is_empty)>"Any type"</option>
                {move || other().map(|other| view! { <option value=other.clone() selected=true>{other.clone()}</option> })}
                {types}
            </select>
            <select
                name="severity"
                class="select"
                aria-label="Severity"
                on:change=change(|chosen, value| chosen.severities = severities(&value))
                prop:value=move || severity.get()
            >
                {SEVERITIES
                    .map(|(value, label)| view! { <option value=value selected=move || severity.with(|now| now.as_str() == value)>{label}</option> })
                    .collect_view()}
                {move || rarer().map(|rarer| view! { <option value=rarer.clone() selected=true>"Only " {rarer.replace(',', ", ")}</option> })}
            </select>
            <Resource chosen store go/>
            <select
                name="within"
                class="select"
                aria-label="Time"
                on:change=change(|chosen, value| chosen.within = Within::ALL.into_iter().find(|within| within.as_str() == value))
                prop:value=move || within.get().map(Within::as_str).unwrap_or_default()
            >
                <option value="" selected=move || within.get().is_none()>"Any time"</option>
                {Within::ALL
                    .map(|one| view! { <option value=one.as_str() selected=move || within.get() == Some(one)>{one.label()}</option> })
                    .collect_view()}
            </select>
            <Range chosen go/>
            <label class="choice events-open">
                <input
                    type="checkbox"
                    name="acknowledged"
                    value="false"
                    checked=open.get_untracked()
                    prop:checked=move || open.get()
                    on:change=move |event| {
                        let next = Chosen { open: event_target_checked(&event), ..chosen.get_untracked() };
                        go.run((next, false));
                    }
                />
                "Not acknowledged"
            </label>
            <button class="button apply">"Apply"</button>
            {move || {
                chosen
                    .with(Chosen::filters)
                    .then(|| view! { <a class="toolbar-clear" href="/events">"Clear filters"</a> })
            }}
            <span class="toolbar-space"></span>
            <Export chosen/>
        </form>
    }
    .into_any()
}

#[component]
fn TextFilter(chosen: Memo<Chosen>, go: Callback<(Chosen, bool)>) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let first = chosen.with_untracked(|chosen| chosen.text.clone());
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
    // Back, and "Clear filters", change the text too; what is being typed is ahead of the address.
    Effect::new(move |_| {
        let text = chosen.with(|chosen| chosen.text.clone());
        if let Some(input) = input.get() {
            let typing = document()
                .active_element()
                .is_some_and(|element| element == *AsRef::<leptos::web_sys::Element>::as_ref(&input));
            if !typing && input.value() != text {
                input.set_value(&text);
            }
        }
    });
    // A question to the server for every key would be too many.
    let typed = RwSignal::new(0_u32);
    let on_input = move |_| {
        let turn = typed.get_untracked().wrapping_add(1);
        typed.set(turn);
        set_timeout(
            move || {
                if typed.try_get_untracked() == Some(turn)
                    && let Some(input) = input.get_untracked()
                {
                    go.run((Chosen { text: input.value(), ..chosen.get_untracked() }, true));
                }
            },
            std::time::Duration::from_millis(200),
        );
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape"
            && let Some(input) = input.get_untracked()
        {
            event.prevent_default();
            event.stop_propagation();
            if input.value().is_empty() {
                _ = input.blur();
            } else {
                input.set_value("");
                go.run((Chosen { text: String::new(), ..chosen.get_untracked() }, true));
            }
        }
    };
    view! {
        <input
            node_ref=input
            type="search"
            name="q"
            class="input filter"
            placeholder="Words…"
            aria-label="Filter events by words"
            title="Words of the sentence, the type or the name of who did it, or their beginnings. Press / to come here"
            autocomplete="off"
            value=first
            on:input=on_input
            on:keydown=on_key
        />
    }
    .into_any()
}

/// What the events are about: the clusters and projects are offered; one worker, net or host is chosen where it is seen.
#[component]
fn Resource(chosen: Memo<Chosen>, store: Store, go: Callback<(Chosen, bool)>) -> impl IntoView {
    let now = Memo::new(move |_| {
        chosen.with(|chosen| chosen.resource.and_then(resource_words)).unwrap_or_default()
    });
    let offers = Memo::new(move |_| {
        let mut offers: Vec<(String, String)> = Vec::new();
        let mut offer = |entity, label: String| {
            offers.extend(resource_words(entity).map(|value| (value, label)));
        };
        store.clusters.with(|rows| {
            rows.iter().for_each(|row| offer(EntityRef::Cluster(row.id), format!("cluster {}", row.name)));
        });
        store.projects.with(|rows| {
            rows.iter().for_each(|row| offer(EntityRef::Project(row.id), format!("project {}", row.name)));
        });
        if let Some(entity) = chosen.with(|chosen| chosen.resource)
            && !matches!(entity, EntityRef::Cluster(_) | EntityRef::Project(_))
        {
            offer(entity, resource_label(store, entity));
        }
        offers
    });
    view! {
        <select
            name="resource"
            class="select"
            aria-label="About"
            prop:value=move || {
                offers.track();
                now.get()
            }
            on:change=move |event| {
                let resource = super::chosen::resource(&event_target_value(&event));
                go.run((Chosen { resource, ..chosen.get_untracked() }, false));
            }
        >
            <option value="" selected=move || now.with(String::is_empty)>"About anything"</option>
            {move || {
                offers
                    .get()
                    .into_iter()
                    .map(|(value, label)| {
                        let selected = now.with_untracked(|now| *now == value);
                        view! { <option value=value selected=selected>{label}</option> }
                    })
                    .collect_view()
            }}
        </select>
    }
    .into_any()
}

/// `worker eu-1`; tracked.
pub fn resource_label(store: Store, entity: EntityRef) -> String {
    let named = |kind: &str, name: Option<String>| match name {
        Some(name) => format!("{kind} {name}"),
        None => format!("a {kind} that is gone"),
    };
    match entity {
        EntityRef::Worker(id) => named("worker", store.worker(id).map(|row| row.name.to_string())),
        EntityRef::Net(id) => named("net", store.net(id).map(|row| row.name.to_string())),
        EntityRef::Host(id) => named("host", store.host(id).map(|row| row.name.to_string())),
        EntityRef::Cluster(id) => {
            named("cluster", Some(store.cluster_name(id)).filter(|name| !name.is_empty()))
        }
        EntityRef::Project(id) => {
            let rows = store.projects.get();
            named("project", rows.iter().find(|row| row.id == id).map(|row| row.name.to_string()))
        }
        _ => String::new(),
    }
}

/// From when to when, to the minute, in UTC: what a form without JavaScript sends means the same everywhere.
#[component]
fn Range(chosen: Memo<Chosen>, go: Callback<(Chosen, bool)>) -> impl IntoView {
    let bounds = Memo::new(move |_| chosen.with(|chosen| (field(chosen.from), field(chosen.to))));
    let label = move || {
        bounds.with(|(from, to)| match (from.is_empty(), to.is_empty()) {
            (true, true) => "From – to".to_owned(),
            _ => format!("{} – {}", from.replace('T', " "), to.replace('T', " ")),
        })
    };
    let part = move |name: &'static str, text: &'static str, of: fn(&(String, String)) -> String| {
        let on_change = move |event: ev::Event| {
            let mut pairs = chosen.get_untracked().pairs();
            pairs.retain(|(key, _)| *key != name);
            pairs.push((name, event_target_value(&event)));
            let pairs = pairs.into_iter().map(|(key, value)| (key.to_owned(), value));
            go.run((Chosen::read(&pairs.collect()), false));
        };
        view! {
            <div class="field">
                <label for=format!("events-{name}")>{text}</label>
                <input
                    id=format!("events-{name}")
                    type="datetime-local"
                    class="input"
                    name=name
                    value=bounds.with_untracked(of)
                    prop:value=move || bounds.with(of)
                    on:change=on_change
                />
            </div>
        }
    };
    view! {
        <details class="menu facet">
            <summary class="button" class:chosen=move || bounds.with(|(from, to)| !from.is_empty() || !to.is_empty())>
                {label}
            </summary>
            <div class="menu-items facet-values events-range" role="group" aria-label="Time range">
                {part("since", "From (UTC)", |bounds| bounds.0.clone())}
                {part("until", "Before (UTC)", |bounds| bounds.1.clone())}
            </div>
        </details>
    }
    .into_any()
}

/// The same events as a file.
#[component]
fn Export(chosen: Memo<Chosen>) -> impl IntoView {
    let store = use_store();
    let address = move |format: &'static str| {
        // The time only matters to "the last hour", and a link is not to change every second.
        let query = chosen.with(|chosen| chosen.asks(store.now.get_untracked()).to_query());
        let and = if query.is_empty() { "" } else { "&" };
        format!("/api/events/export?format={format}{and}{query}")
    };
    let link = Arc::new(move |format, label: &'static str, title: &'static str| {
        view! {
            <a class="button" href=move || address(format) download="" rel="external" title=title>
                <Icon name="download"/>
                {label}
            </a>
        }
    });
    view! {
        <span class="actions" role="group" aria-label="Export">
            {link("jsonl", "JSON lines", "These events as a file, one JSON object a line")}
            {link("csv", "CSV", "These events as a file for a spreadsheet")}
        </span>
    }
    .into_any()
}
