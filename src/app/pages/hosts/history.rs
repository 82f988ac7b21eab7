//! The commands of a host: those that the snapshot holds at once and live, older ones fetched page by page.

use super::super::parts::host_states::{command_state, command_took};
use crate::{
    app::{
        components::{Ago, StateBadge, use_clock},
        guard::use_host_desk,
        store::use_store,
    },
    model::{Actor, Command, CommandId, CommandStatus, HostId, PostCheck, time::age},
};
use leptos::{prelude::*, task::spawn_local};
use std::sync::Arc;

/// A page of `GET /api/hosts/{id}/commands`.
#[derive(serde::Deserialize)]
struct Page {
    commands: Vec<Command>,
    next: Option<CommandId>,
}

/// What was fetched for one filter.
#[derive(Clone, Debug, Default)]
struct Fetched {
    commands: Vec<Arc<Command>>,
    next: Option<CommandId>,
    loading: bool,
    error: Option<String>,
}

#[component]
pub fn CommandHistory(id: HostId) -> impl IntoView {
    let store = use_store();
    let (status, kind) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let fetched = RwSignal::new(Fetched::default());
    #[cfg(feature = "browser")]
    Effect::new(move |_| {
        let wanted = (status.get(), kind.get());
        fetched.set(Fetched { loading: true, ..Fetched::default() });
        spawn_local(load(id, wanted, None, fetched, status, kind));
    });
    let live = store.commands_of(id);
    // What the snapshot holds is newer than what was fetched.
    let rows = Memo::new(move |_| {
        let (status, kind) = (status.get(), kind.get());
        let wanted = |command: &Command| {
            (status.is_empty() || command.status.word() == status)
                && (kind.is_empty() || command.kind.as_str() == kind)
        };
        let live = live.get().into_iter().filter_map(|id| store.command_row(id)).map(|row| row.get());
        let mut rows: Vec<Arc<Command>> = live.filter(|command| wanted(command)).collect();
        fetched.with(|fetched| {
            for command in &fetched.commands {
                let known = store.command_row(command.id).is_some();
                if !known && wanted(command) {
                    rows.push(command.clone());
                }
            }
        });
        rows.sort_by_key(|command| std::cmp::Reverse((command.queued_at, command.id)));
        rows
    });
    let ids = Memo::new(move |_| rows.with(|rows| rows.iter().map(|row| row.id).collect::<Vec<_>>()));
    let kinds = Memo::new(move |_| {
        let mut kinds: Vec<String> = rows.with(|rows| rows.iter().map(|row| row.kind.to_string()).collect());
        if let Some(host) = store.host(id) {
            kinds.extend(host.commands.iter().map(|offer| offer.kind.to_string()));
        }
        kinds.extend(Some(kind.get()).filter(|kind| !kind.is_empty()));
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    });
    let more = move |_| {
        let Some(next) = fetched.with_untracked(|fetched| fetched.next) else { return };
        fetched.update(|fetched| fetched.loading = true);
        spawn_local(load(
            id,
            (status.get_untracked(), kind.get_untracked()),
            Some(next),
            fetched,
            status,
            kind,
        ));
    };
    view! {
        <section class="panel" aria-labelledby="host-commands">
            <div class="panel-head">
                <h2 id="host-commands">"Commands"</h2>
                <span class="actions needs-script">
                    <label class="visually-hidden" for="history-status">"Status"</label>
                    <select id="history-status" class="select" on:change=move |event| status.set(event_target_value(&event))>
                        <option value="">"Any status"</option>
                        {CommandStatus::ALL.map(|status| view! { <option value=status.word()>{status.to_string()}</option> }).collect_view()}
                    </select>
                    <label class="visually-hidden" for="history-kind">"Command"</label>
                    <select id="history-kind" class="select" on:change=move |event| kind.set(event_target_value(&event))>
                        <option value="">"Any command"</option>
                        <For each=move || kinds.get() key=|kind| kind.clone() let:one>
                            <option value=one.clone()>{one.clone()}</option>
                        </For>
                    </select>
                </span>
            </div>
            {move || {
                let (none, loading) = (ids.with(Vec::is_empty), fetched.with(|fetched| fetched.loading));
                (none && !loading).then(|| view! { <p class="quiet-text">"No command."</p> })
            }}
            <ol class="lines history">
                <For each=move || ids.get() key=|id| *id let:id>
                    <HistoryLine command=Memo::new(move |before: Option<&Option<Arc<Command>>>| {
                        let row = rows.with(|rows| rows.iter().find(|row| row.id == id).cloned());
                        row.or(before.cloned().flatten())
                    })/>
                </For>
            </ol>
            {move || fetched.with(|fetched| fetched.error.clone()).map(|error| view! { <p class="notice tone-warn" role="alert">{error}</p> })}
            {move || {
                let (next, loading) = fetched.with(|fetched| (fetched.next.is_some(), fetched.loading));
                (next || loading).then(|| view! {
                    <p class="lines-more">
                        <button type="button" class="button" disabled=loading on:click=more>
                            {if loading { "Loading…" } else { "Older commands" }}
                        </button>
                    </p>
                })
            }}
        </section>
    }
    .into_any()
}

/// Fetches a page, unless the filter is another one by the time it is here.
async fn load(
    id: HostId,
    wanted: (String, String),
    before: Option<CommandId>,
    fetched: RwSignal<Fetched>,
    status: RwSignal<String>,
    kind: RwSignal<String>,
) {
    use crate::app::live::http;
    let mut url = format!("/api/hosts/{id}/commands?");
    for (name, value) in [("status", &wanted.0), ("kind", &wanted.1)] {
        if !value.is_empty() {
            url.push_str(&format!("{name}={value}&"));
        }
    }
    if let Some(before) = before {
        url.push_str(&format!("cursor={before}"));
    }
    let page = http::get_json::<Page>(&url).await;
    let same = status.try_get_untracked().as_ref() == Some(&wanted.0)
        && kind.try_get_untracked().as_ref() == Some(&wanted.1);
    if !same {
        return;
    }
    fetched.update(|fetched| {
        fetched.loading = false;
        match page {
            Ok(page) => {
                fetched.commands.extend(page.commands.into_iter().map(Arc::new));
                (fetched.next, fetched.error) = (page.next, None);
            }
            Err(error) => fetched.error = Some(format!("Older commands could not be fetched. {error}")),
        }
    });
}

#[component]
fn HistoryLine(command: Memo<Option<Arc<Command>>>) -> impl IntoView {
    let (desk, clock, store) = (use_host_desk(), use_clock(), use_store());
    let first = command.get_untracked()?;
    let id = first.id;
    let state = Memo::new(move |_| {
        command.with(|command| command.as_deref().map(command_state)).unwrap_or_else(|| command_state(&first))
    });
    let read = move |of: fn(&Command) -> Option<String>| {
        Memo::new(move |_| command.with(|command| command.as_deref().and_then(of)))
    };
    let kind = read(|command| Some(command.kind.to_string()));
    let reason = read(|command| {
        let failed = match &command.post_check {
            Some(PostCheck::Failed { message }) => Some(message.clone()),
            _ => None,
        };
        command.reason.clone().or(failed)
    });
    let by = read(|command| match &command.actor {
        Actor::System => None,
        Actor::User { name, .. } => Some(name.clone()),
    });
    let took = Memo::new(move |_| {
        let now = clock.now.get();
        command.with(|command| {
            let command = command.as_deref()?;
            let word = if command.status.is_over() { "took" } else { "for" };
            Some(format!("{word} {}", age(command_took(command, now)?)))
        })
    });
    let at = Signal::derive(move || {
        command.with(|command| command.as_ref().map(|command| command.queued_at)).unwrap_or_default()
    });
    let open = Memo::new(move |_| {
        let open = |command: &Arc<Command>| !command.status.is_over() && command.cancel.is_none();
        store.may_act() && command.with(|command| command.as_ref().is_some_and(open))
    });
    Some(
        view! {
        <li class="line" data-command=id.to_string()>
            <button type="button" class="link needs-script line-name" title="Show its log" on:click=move |_| spawn_local(async move { desk.open_log(id).await })>
                {move || kind.get()}
            </button>
            <a class="without-script line-name" href=format!("/api/commands/{id}/output") rel="external">{move || kind.get()}</a>
            <StateBadge state/>
            <span class="quiet-text">{move || by.get().map(|by| format!("{by} · "))} <Ago at/> " ago"</span>
            <span class="quiet-text figure">{move || took.get()}</span>
            {move || reason.get().map(|reason| view! { <span class="line-error">{reason}</span> })}
            {move || {
                open.get().then(|| view! {
                    <span class="line-actions">
                        <button type="button" class="button needs-script" on:click=move |_| spawn_local(async move { desk.cancel(id).await })>"Cancel"</button>
                    </span>
                })
            }}
        </li>
        }
        .into_any(),
    )
}
