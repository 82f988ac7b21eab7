//! What happened to one thing, on its own page: live, and further back as one asks.

use super::{
    chosen::Chosen,
    record::{Moved, Older},
    tail::{Fetching, MOST, Tail},
    words::{actor_words, severity_state},
};
use crate::{
    app::{components::Moment, store::use_store},
    model::{Acknowledged, EntityRef, EventId},
};
use leptos::{ev, prelude::*};
use leptos_router::components::A;

/// So many are shown before anybody asks for more.
const SHOWN: usize = 20;

#[component]
pub fn Timeline(
    /// A cluster, project, worker, net or host.
    resource: EntityRef,
    id: &'static str,
) -> impl IntoView {
    let store = use_store();
    let tail = Tail::new(store, Signal::stored(Chosen::of(resource)), None);
    let most = RwSignal::new(SHOWN);
    // What is among the latest events of the whole fleet is soon nothing of this one's. Only in a browser: an effect.
    Effect::new(move |_| untrack(|| tail.fetch_older()));
    tail.on_moved(move |moved| {
        if moved == Moved::All {
            tail.fetch_older();
        }
    });
    let ids =
        Memo::new(move |_| tail.record.with(|record| record.ids().take(most.get()).collect::<Vec<_>>()));
    let all = Chosen::of(resource).address();
    let more = Memo::new(move |_| {
        tail.record.with(|record| record.len() > most.get() || record.older() != Older::None)
            && most.get() < MOST
    });
    let older = {
        let all = all.clone();
        move || {
            let all = all.clone();
            let on_click = move |event: ev::MouseEvent| {
                if event.ctrl_key() || event.meta_key() || event.shift_key() {
                    return;
                }
                event.prevent_default();
                event.stop_propagation();
                most.update(|most| *most += SHOWN);
                if tail.record.with_untracked(|record| record.len() < most.get_untracked()) {
                    tail.fetch_older();
                }
            };
            match tail.fetching.get() {
                Fetching::Under => view! { <p class="quiet-text" role="status">"Loading its events…"</p> }.into_any(),
                Fetching::Failed(why) => view! {
                    <p class="notice tone-warn" role="alert">
                        {format!("Older events could not be fetched; what is above stays as it is. {why} ")}
                        <button type="button" class="link needs-script" on:click=move |_| tail.fetch_older()>"Try again"</button>
                    </p>
                }
                .into_any(),
                Fetching::Idle => more
                    .get()
                    .then(|| view! { <a class="button" href=all on:click=on_click>"Older"</a> })
                    .into_any(),
            }
        }
    };
    let empty = move || {
        // What is being fetched is said below.
        let nothing = ids.with(Vec::is_empty) && tail.fetching.get() == Fetching::Idle;
        let words = if more.get() {
            "Nothing among the latest events of the fleet."
        } else {
            "Nothing happened to it."
        };
        nothing.then(|| view! { <p class="quiet-text">{words}</p> })
    };
    view! {
        <section class="panel timeline" aria-labelledby=id>
            <div class="panel-head">
                <h2 id=id>"What happened"</h2>
                <A href=all>"All its events"</A>
            </div>
            {empty}
            <ol class="events" aria-labelledby=id>
                <For each=move || ids.get() key=|id| *id let:id>
                    <Entry tail id/>
                </For>
            </ol>
            <div class="lines-more">{older}</div>
        </section>
    }
    .into_any()
}

#[component]
fn Entry(tail: Tail, id: EventId) -> impl IntoView {
    let event = tail.record.with_untracked(|record| record.get(id).cloned())?;
    let acknowledged = Memo::new(move |before: Option<&Option<Acknowledged>>| {
        tail.event(id).map_or(before.cloned().flatten(), |event| event.acknowledged.clone())
    });
    let by = actor_words(&event.actor);
    Some(
        view! {
            <li class="event timeline-event" data-event=event.kind.clone()>
                {severity_state(event.severity).badge()}
                <span class="event-text">{event.text.clone()}</span>
                <span class="event-when">
                    {move || {
                        acknowledged
                            .get()
                            .map(|Acknowledged { by, .. }| format!("acknowledged by {} · ", actor_words(&by)))
                    }}
                    {by} " · " <Moment at=event.at/>
                </span>
            </li>
        }
        .into_any(),
    )
}
