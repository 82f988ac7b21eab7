//! The audit log, for administrators: who did what to what, and how it ended, newest first.

use super::SettingsNav;
use crate::{
    app::{
        account::audit_log,
        components::{Glyph, Moment, State, Tone},
        store::use_store,
    },
    model::AuditLine,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_query_map};

#[component]
pub fn AuditPage() -> impl IntoView {
    if !use_store().may_administer() {
        return view! {
            <Title text="Audit log"/>
            <SettingsNav/>
            <h1>"Audit log"</h1>
            <p class="empty">"The audit log is for the administrators of the fleet. Ask one of them."</p>
        }
        .into_any();
    }
    let query = use_query_map();
    let before = Memo::new(move |_| query.with(|query| query.get("before")?.parse::<u64>().ok()));
    let page = Resource::new_blocking(move || before.get(), audit_log);
    view! {
        <Title text="Audit log"/>
        <SettingsNav/>
        <div class="page-head">
            <h1>"Audit log"</h1>
            {move || before.get().map(|_| view! { <A href="/settings/audit">"To the newest"</A> })}
        </div>
        <p class="quiet-text">"What people and programs did or were refused, also what changed nothing. What became of the fleet is in the events."</p>
        <section class="panel" aria-label="Audit log">
            <Transition fallback=|| view! { <p class="quiet-text">"Fetching the audit log…"</p> }>
                {move || Suspend::new(async move {
                    match page.await {
                        Err(error) => view! { <p class="notice tone-bad" role="alert">{error.to_string()}</p> }.into_any(),
                        Ok(page) if page.lines.is_empty() => view! { <p class="quiet-text">"Nothing was done yet."</p> }.into_any(),
                        Ok(page) => view! {
                            <ol class="events" aria-label="Audit log">
                                {page.lines.into_iter().map(|line| view! { <Line line/> }).collect_view()}
                            </ol>
                            <p class="lines-more">
                                {page.next.map(|next| view! { <A href=format!("/settings/audit?before={next}")>"Older"</A> })}
                            </p>
                        }.into_any(),
                    }
                })}
            </Transition>
        </section>
    }
    .into_any()
}

#[component]
fn Line(line: AuditLine) -> impl IntoView {
    let state = match line.was_refused() {
        true => State::new(Glyph::Cross, Tone::Warn, "refused"),
        false => State::new(Glyph::Check, Tone::Good, "done"),
    };
    view! {
        <li class="event timeline-event">
            {state.badge()}
            <span class="event-text">{line.actor} ": " {line.action} " " {line.target} ". " {line.outcome}</span>
            <span class="event-when"><Moment at=line.at/></span>
        </li>
    }
    .into_any()
}
