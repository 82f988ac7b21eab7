//! What happened lately.

use crate::{
    app::{
        components::{Ago, Tone},
        store::use_store,
    },
    model::{Actor, Event, Severity},
};
use leptos::prelude::*;
use leptos_router::components::A;
use std::sync::Arc;

const SHOWN: usize = 14;

#[component]
pub fn RecentChanges() -> impl IntoView {
    let store = use_store();
    let newest = Memo::new(move |_| {
        store.events.with(|events| events.iter().take(SHOWN).cloned().collect::<Vec<_>>())
    });
    view! {
        <section class="panel" aria-labelledby="recent-changes">
            <h2 id="recent-changes">"Recent changes"</h2>
            {move || newest.with(Vec::is_empty).then(|| view! { <p class="quiet-text">"Nothing has happened yet."</p> })}
            <ol class="events">
                <For each=move || newest.get() key=|event| event.id let:event>
                    <EventLine event/>
                </For>
            </ol>
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
    let href = match (event.net_id, event.worker_id) {
        (Some(net), _) => Some(format!("/nets/{net}")),
        (None, Some(worker)) => Some(format!("/workers/{worker}")),
        (None, None) => None,
    };
    let by = match &event.actor {
        Actor::System => None,
        Actor::User { name, .. } => Some(format!("by {name}")),
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
                {by} " " <Ago at=event.at/>
            </span>
        </li>
    }
    .into_any()
}
