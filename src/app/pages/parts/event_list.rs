//! What happened lately.

use crate::{
    app::{
        components::{Ago, Tone},
        events::{EventFilter, use_events},
        store::use_store,
    },
    model::{Actor, Event, Severity},
};
use leptos::prelude::*;
use leptos_router::components::A;
use std::sync::Arc;

const SHOWN: usize = 14;

/// The newest events that `filter` lets through; its reader can clear them.
#[component]
pub fn EventList(filter: EventFilter, title: &'static str, id: &'static str) -> impl IntoView {
    let (of_one, within) = (filter.resource.is_some(), use_store().within);
    let events = use_events(filter);
    // What is about one row is about it, whatever else is looked at.
    let newest = Memo::new(move |_| {
        let within = if of_one { Default::default() } else { within.get() };
        events.newest_of(SHOWN, |event| within.has_event(event))
    });
    let empty = Memo::new(move |_| newest.with(Vec::is_empty));
    view! {
        <section class="panel" aria-labelledby=id>
            <div class="panel-head">
                <h2 id=id>{title}</h2>
                {move || {
                    (!empty.get())
                        .then(|| {
                            view! {
                                <button type="button" class="button quiet" on:click=move |_| events.clear()>
                                    "Clear"
                                </button>
                            }
                        })
                }}
            </div>
            {move || empty.get().then(|| view! { <p class="quiet-text">"Nothing among the last 100 changes of the fleet."</p> })}
            <ol class="events">
                <For each=move || newest.get() key=|event| event.id let:event>
                    <EventLine event/>
                </For>
            </ol>
            <p class="lines-more">
                <A href="/events">"All events"</A>
            </p>
        </section>
    }
    .into_any()
}

#[component]
fn EventLine(event: Arc<Event>) -> impl IntoView {
    let tone = match event.severity {
        Severity::Info => Tone::Quiet,
        Severity::Success => Tone::Good,
        Severity::Warning => Tone::Warn,
        Severity::Error => Tone::Bad,
    };
    let href = match (event.net_id, event.worker_id, event.host_id) {
        (Some(net), ..) => Some(format!("/nets/{net}")),
        (None, Some(worker), _) => Some(format!("/workers/{worker}")),
        (None, None, Some(host)) => Some(format!("/hosts/{host}")),
        (None, None, None) => None,
    };
    let by = match &event.actor {
        Actor::System => None,
        Actor::User { name, .. } => Some(format!("{name} · ")),
    };
    let text = event.text.clone();
    view! {
        <li class="event">
            <span class=format!("event-mark tone-{}", tone.class()) title=event.severity.as_str()></span>
            <span class="event-text">
                {match href {
                    Some(href) => view! { <A href>{text}</A> }.into_any(),
                    None => text.into_any(),
                }}
            </span>
            <span class="event-when">
                {by} <Ago at=event.at/>
            </span>
        </li>
    }
    .into_any()
}
