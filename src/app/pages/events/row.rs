//! An event in the list: a table row, a card on a phone; opened, also what it says for programs.

use super::{
    chosen::{Chosen, resource},
    list::{ACKNOWLEDGE, acknowledge},
    rules::RulesAsk,
    tail::Tail,
    words::{About, about, actor_words, priority_tone, severity_state},
};
use crate::{
    app::{
        components::{
            Ago, Icon, Menu, Moment,
            list::{List, PickBox, RowPlace, measured},
            use_toasts,
        },
        store::use_store,
    },
    model::{Acknowledged, Event, EventId, Priority},
};
use leptos::{ev, html, prelude::*, task::spawn_local};
use std::sync::Arc;

#[component]
pub fn EventRow(list: List<EventId>, tail: Tail, place: RowPlace<EventId>, ask: RulesAsk) -> impl IntoView {
    let store = use_store();
    let RowPlace { key: id, index } = place;
    let first = tail.record.with_untracked(|record| record.get(id).cloned())?;
    let open = list.is_open(id);
    let entry = NodeRef::<html::Tbody>::new();
    measured(entry, id, open);
    let picked = Memo::new(move |_| list.picked.with(|picked| picked.contains(&id)));
    let acknowledged = Memo::new(move |before: Option<&Option<Acknowledged>>| {
        tail.event(id).map_or(before.cloned().flatten(), |event| event.acknowledged.clone())
    });
    let leads = Memo::new({
        let event = first.clone();
        move |_| about(store, &event)
    });
    let weight = Memo::new({
        let event = first.clone();
        move |_| {
            let now = store.now.get_untracked();
            store.rules.with(|rules| match rules {
                Some(rules) => Weight { priority: rules.priority(&event), muted: rules.mutes(&event, now) },
                None => Weight { priority: Priority::of(event.severity), muted: false },
            })
        }
    });
    // Without an address it is no link.
    let href = move || leads.with(|leads| leads.first().and_then(|about| about.href.clone()));
    let (text, sentence) = (first.text.clone(), first.text.clone());
    let by = actor_words(&first.actor);
    let more = first.clone();
    let at = first.at;
    Some(
        view! {
        <tbody
            class="entry event-entry"
            class:open=move || open.get()
            class:picked=move || picked.get()
            role="rowgroup"
            data-key=id.to_string()
            data-event=first.kind.clone()
            node_ref=entry
        >
            <tr role="row" tabindex="-1" aria-rowindex=move || index.get().to_string()>
                {store.may_act_on_nets().then(|| view! { <td class="cell-pick" role="cell"><PickBox list key=id name=format!("event {id}")/></td> })}
                <td class="cell-open" role="cell">
                    <button
                        type="button"
                        class="button quiet"
                        aria-expanded=move || open.get().to_string()
                        aria-label=format!("More of event {id}")
                        on:click=move |_| list.turn(id)
                    >
                        <Icon name="chevron"/>
                    </button>
                </td>
                <td class="cell-severity" role="cell" data-label="Severity">
                    {severity_state(first.severity).badge()}
                    {move || weight.get().words()}
                </td>
                <td class="cell-time" role="cell" data-label="Time">
                    <Moment at/>
                </td>
                <th class="cell-name" scope="row" role="rowheader" title=text>
                    <a href=href>{sentence}</a>
                </th>
                <td class="cell-about" role="cell" data-label="About">
                    {move || leads.get().into_iter().take(2).map(|about| view! { <Lead about/> }).collect_view()}
                </td>
                <td class="cell-type mono" role="cell" data-label="Type" title=first.kind.clone()>
                    {first.kind.clone()}
                </td>
                <td class="cell-actor" role="cell" data-label="By" title=by.clone()>
                    {by.clone()}
                </td>
                <td class="cell-ack" role="cell" data-label="Known to">
                    <Acknowledge id tail may=store.may_acknowledge(&first) acknowledged weight/>
                </td>
                <td class="cell-actions" role="cell">
                    <RowMenu event=first.clone() ask/>
                </td>
            </tr>
            {move || {
                let event = more.clone();
                open.get()
                    .then(|| {
                        view! {
                            <tr class="entry-more" role="row">
                                <td role="cell">
                                    <More event leads weight acknowledged/>
                                </td>
                            </tr>
                        }
                    })
            }}
        </tbody>
        }
        .into_any(),
    )
}

/// What the rules make of an event.
#[derive(Clone, Copy, PartialEq)]
struct Weight {
    priority: Priority,
    muted: bool,
}

impl Weight {
    /// Said where somebody should look soon, and where nobody is told.
    fn words(self) -> impl IntoView {
        let soon = (self.priority >= Priority::High).then(|| {
            let class = format!("event-priority tone-{}", priority_tone(self.priority).class());
            view! { <span class=class title="Priority">{self.priority.as_str()}</span> }
        });
        let muted = self.muted.then(|| {
            view! { <span class="quiet-text" title="A rule mutes events like this: nobody is told of it">"muted"</span> }
        });
        (soon, muted)
    }
}

#[component]
fn Lead(about: About) -> impl IntoView {
    let title = format!("{} {}", about.kind, about.label());
    let label = about.label();
    match about.href {
        Some(href) => view! { <a href=href class="event-lead" title=title>{label}</a> }.into_any(),
        None => view! { <span class="event-lead quiet-text">{label}</span> }.into_any(),
    }
}

/// Who knows of it; a button of the list's form for those who may say so.
#[component]
fn Acknowledge(
    id: EventId,
    tail: Tail,
    may: bool,
    acknowledged: Memo<Option<Acknowledged>>,
    weight: Memo<Weight>,
) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let on_click = move |event: ev::MouseEvent| {
        event.prevent_default();
        busy.set(true);
        spawn_local(async move {
            acknowledge(tail, toasts, vec![id]).await;
            _ = busy.try_set(false);
        });
    };
    move || {
        match acknowledged.get() {
            Some(Acknowledged { by, at }) => {
                let by = actor_words(&by);
                view! { <span class="quiet-text" title=format!("Acknowledged by {by} at {at}")>{by.clone()} " · " <Ago at/></span> }
                .into_any()
            }
            None if may => view! {
                // Most need nobody: a column of buttons would hide those that do.
                <button
                    class="button"
                    class:quiet=move || weight.get().priority < Priority::Normal
                    form=ACKNOWLEDGE
                    name="ids"
                    value=id.to_string()
                    aria-label=format!("Acknowledge event {id}")
                    disabled=move || busy.get()
                    on:click=on_click
                >
                    "Acknowledge"
                </button>
            }
            .into_any(),
            None => view! { <span class="quiet-text">"nobody yet"</span> }.into_any(),
        }
    }
}

#[component]
fn RowMenu(event: Arc<Event>, ask: RulesAsk) -> impl IntoView {
    let store = use_store();
    let kind = Chosen { kind: event.kind.clone(), ..Chosen::default() }.address();
    let of_kind = format!("Only {}", event.kind);
    let label = format!("More actions on event {}", event.id);
    let (mute, weigh) = (event.clone(), event);
    view! {
        <span class="actions">
            <Menu label lazy=true>
                <a href=kind class="menu-item">{of_kind}</a>
                {store
                    .may_administer()
                    .then(move || {
                        view! {
                            <button type="button" class="menu-item" on:click=move |_| ask.mute(&mute)>
                                "Mute events like this…"
                            </button>
                            <button type="button" class="menu-item" on:click=move |_| ask.weigh(&weigh)>
                                "Set the priority of events like this…"
                            </button>
                        }
                    })}
            </Menu>
        </span>
    }
    .into_any()
}

/// What an open row adds.
#[component]
fn More(
    event: Arc<Event>,
    leads: Memo<Vec<About>>,
    weight: Memo<Weight>,
    acknowledged: Memo<Option<Acknowledged>>,
) -> impl IntoView {
    let data: Vec<(String, String)> =
        event.data.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let none = data.is_empty();
    let all_of = move |about: &About| {
        let only = resource(&format!("{}:{}", about.kind, about.id)).map(Chosen::of);
        only.map(|only| only.address()).unwrap_or_else(|| "/events".to_owned())
    };
    view! {
        <p class="event-whole">{event.text.clone()}</p>
        <div class="more">
            <dl class="facts more-facts">
                <dt>"Number"</dt>
                <dd>{event.id.to_string()}</dd>
                <dt>"At"</dt>
                <dd class="mono">{event.at.to_string()}</dd>
                <dt>"Type"</dt>
                <dd class="mono">{event.kind.clone()}</dd>
                <dt>"By"</dt>
                <dd>{actor_words(&event.actor)}</dd>
                <dt>"Priority"</dt>
                <dd>{move || weight.get().priority.as_str()}</dd>
                {move || {
                    acknowledged
                        .get()
                        .map(|Acknowledged { by, at }| {
                            view! { <dt>"Acknowledged"</dt> <dd>{actor_words(&by)} " at " <span class="mono">{at.to_string()}</span></dd> }
                        })
                }}
                {move || {
                    leads
                        .get()
                        .into_iter()
                        .map(|about| {
                            let (kind, all) = (about.kind, all_of(&about));
                            view! {
                                <dt>{sentence_case(kind)}</dt>
                                <dd><Lead about/> " · " <a href=all>"all its events"</a></dd>
                            }
                        })
                        .collect_view()
                }}
            </dl>
            <div class="more-facts">
                {none.then(|| view! { <p class="quiet-text">"It carries no further data."</p> })}
                <dl class="facts" aria-label="Data">
                    {data
                        .into_iter()
                        .map(|(name, value)| view! { <dt class="mono">{name}</dt> <dd class="mono">{value}</dd> })
                        .collect_view()}
                </dl>
            </div>
        </div>
    }
    .into_any()
}

fn sentence_case(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
