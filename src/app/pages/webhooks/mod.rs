//! Webhooks: which addresses are told of events, and how that goes. For administrators.

mod add;

use super::settings::SettingsNav;
use crate::{
    app::{
        components::{Ago, Glyph, Question, State, StateBadge, TimeOfDay, Tone, use_clock},
        guard::use_desk,
        store::use_store,
        webhook_actions::{delete_webhook, list_webhooks, switch_webhook, test_webhook},
    },
    model::{Priority, Timestamp, Webhook, WebhookTested, time::age},
};
use add::{AddWebhook, SecretDialog};
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;

/// The rows, as of a moment: they are fetched, not followed.
#[derive(Clone, Debug, Default)]
struct Fetched {
    webhooks: Vec<Webhook>,
    as_of: Option<Timestamp>,
    error: Option<String>,
    loading: bool,
}

/// How often the rows are fetched anew while the page is seen, milliseconds.
#[cfg(feature = "browser")]
const EVERY: u32 = 10_000;

#[component]
pub fn WebhooksPage() -> impl IntoView {
    let (store, clock) = (use_store(), use_clock());
    let fetched = RwSignal::new(Fetched { loading: true, ..Fetched::default() });
    let told = RwSignal::new(None);
    let look = move || {
        spawn_local(async move {
            let answer = list_webhooks().await;
            fetched.try_update(|fetched| {
                fetched.loading = false;
                match answer {
                    Ok(webhooks) => {
                        (fetched.webhooks, fetched.as_of, fetched.error) =
                            (webhooks, Some(clock.now.get_untracked()), None);
                    }
                    Err(error) => fetched.error = Some(error.to_string()),
                }
            });
        });
    };
    let may = store.may_administer();
    #[cfg(feature = "browser")]
    Effect::new(move |_| {
        if may {
            look();
            let every = gloo_timers::callback::Interval::new(EVERY, move || {
                if !crate::app::live::browser::hidden() {
                    look();
                }
            });
            let kept = send_wrapper::SendWrapper::new(every);
            on_cleanup(move || drop(kept));
        }
    });
    let ids = Memo::new(move |_| {
        fetched.with(|fetched| fetched.webhooks.iter().map(|webhook| webhook.id).collect::<Vec<_>>())
    });
    view! {
        <Title text="Webhooks"/>
        <SettingsNav/>
        <div class="page-head">
            <h1>"Webhooks"</h1>
            {may.then(|| view! { <AddWebhook told look/> })}
        </div>
        <p class="quiet-text">
            "Addresses that are told of events as they happen, in order, signed as the Standard Webhooks specification says. What a receiver does not take is tried again for a day."
        </p>
        {if may {
            view! {
                <noscript><p class="notice">"This page needs JavaScript. Webhooks can also be managed over the API: /api/webhooks."</p></noscript>
                {move || {
                    let (error, as_of) = fetched.with(|fetched| (fetched.error.clone(), fetched.as_of));
                    error.map(|error| view! {
                        <p class="notice tone-warn" role="alert">
                            {match as_of {
                                Some(_) => format!("The webhooks could not be fetched anew, and may be others by now. {error}"),
                                None => format!("The webhooks could not be fetched. {error}"),
                            }}
                            " "
                            <button type="button" class="button" on:click=move |_| look()>"Retry now"</button>
                        </p>
                    })
                }}
                <ul class="webhooks" class:stale=move || fetched.with(|fetched| fetched.error.is_some())>
                    <For each=move || ids.get() key=|id| *id let:id>
                        <WebhookCard
                            webhook=Memo::new(move |before: Option<&Option<Webhook>>| {
                                let row = fetched.with(|fetched| fetched.webhooks.iter().find(|row| row.id == id).cloned());
                                row.or(before.cloned().flatten())
                            })
                            look
                        />
                    </For>
                </ul>
                {move || {
                    let (none, loading, failed) = fetched.with(|fetched| (fetched.webhooks.is_empty(), fetched.loading, fetched.error.is_some()));
                    (none && !failed).then(|| view! {
                        <p class="empty">{if loading { "Loading the webhooks…" } else { "No webhook yet. Add one to have a chat, a pager or a program told of events." }}</p>
                    })
                }}
                <p class="freshness quiet-text">
                    {move || fetched.with(|fetched| fetched.as_of).map(|as_of| view! { "as of " <TimeOfDay at=as_of/> })}
                </p>
                <SecretDialog told/>
            }
            .into_any()
        } else {
            view! { <p class="notice">"This needs the role admin. Ask an administrator."</p> }.into_any()
        }}
    }
    .into_any()
}

fn state_of(webhook: &Webhook) -> State {
    let (glyph, tone, word) = match (&webhook.trouble, webhook.plan.enabled) {
        (_, false) => (Glyph::Square, Tone::Quiet, "off"),
        (Some(_), true) => (Glyph::Cross, Tone::Bad, "not taken"),
        (None, true) => (Glyph::Dot, Tone::Good, "on"),
    };
    State::new(glyph, tone, word)
}

/// What it is told of, in words.
fn what(webhook: &Webhook) -> String {
    let events = match webhook.plan.matcher.kind.as_str() {
        "" => "every event".to_owned(),
        kind => format!("events of type {kind}"),
    };
    match webhook.plan.priority {
        Priority::Low => events,
        priority => format!("{events}, of priority {} or higher", priority.as_str()),
    }
}

#[component]
fn WebhookCard(
    webhook: Memo<Option<Webhook>>,
    look: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let (desk, clock) = (use_desk(), use_clock());
    let id = webhook.get_untracked()?.id;
    let busy = RwSignal::new(None::<&'static str>);
    let tested = RwSignal::new(None::<WebhookTested>);
    let read = move |of: fn(&Webhook) -> Option<String>| {
        Memo::new(move |_| webhook.with(|webhook| webhook.as_ref().and_then(of)))
    };
    let name = read(|webhook| Some(webhook.plan.name.to_string()));
    let url = read(|webhook| Some(webhook.plan.url.clone()));
    let of = read(|webhook| Some(what(webhook)));
    let state = Memo::new(move |_| webhook.with(|webhook| webhook.as_ref().map(state_of)));
    let enabled =
        Memo::new(move |_| webhook.with(|webhook| webhook.as_ref().is_some_and(|it| it.plan.enabled)));
    let trouble = Memo::new(move |_| {
        let now = clock.now.get();
        webhook.with(|webhook| {
            let trouble = webhook.as_ref()?.trouble.as_ref()?;
            let tries = match trouble.attempts {
                1 => "once".to_owned(),
                n => format!("{n} times in {}", age(now.since(trouble.since))),
            };
            let next = match webhook.as_ref().is_some_and(|webhook| webhook.plan.enabled) {
                true => format!(
                    "The next try is in {}; later events wait.",
                    age(trouble.next_attempt_at.since(now))
                ),
                false => "It was switched off for that reason.".to_owned(),
            };
            Some(format!("Tried {tries}: {}. {next}", trouble.reason))
        })
    });
    let figures = Memo::new(move |_| {
        webhook.with(|webhook| {
            webhook.as_ref().map(|webhook| match webhook.given_up {
                0 => format!("{} delivered", webhook.delivered),
                n => format!("{} delivered, {n} given up", webhook.delivered),
            })
        })
    });
    let delivered_at =
        Memo::new(move |_| webhook.with(|webhook| webhook.as_ref().and_then(|it| it.delivered_at)));
    let test = move |_| {
        busy.set(Some("test"));
        spawn_local(async move {
            let answer = test_webhook(id).await;
            busy.try_set(None);
            match answer {
                Ok(answer) => _ = tested.try_set(Some(answer)),
                Err(error) => desk.toasts.error(format!("The webhook could not be tested. {error}")),
            }
        });
    };
    let switch = move |_| {
        busy.set(Some("switch"));
        let on = !enabled.get_untracked();
        spawn_local(async move {
            let answer = switch_webhook(id, on).await;
            busy.try_set(None);
            match answer {
                Ok(_) => look(),
                Err(error) => desk.toasts.error(format!("The webhook could not be switched. {error}")),
            }
        });
    };
    let delete = move |_| {
        let title = format!("Delete webhook {}?", name.get_untracked().unwrap_or_default());
        let losses = vec!["Its receiver is told of nothing any more, and its secret is forgotten: a new webhook has another.".to_owned()];
        spawn_local(async move {
            if !desk.confirm.ask(Question { title, losses, verb: "Delete" }).await {
                return;
            }
            busy.try_set(Some("delete"));
            let answer = delete_webhook(id).await;
            busy.try_set(None);
            match answer {
                Ok(()) => look(),
                Err(error) => desk.toasts.error(format!("The webhook could not be deleted. {error}")),
            }
        });
    };
    let is_busy = move || busy.get().is_some();
    Some(
        view! {
            <li class="panel webhook" data-webhook=move || name.get()>
                <div class="panel-head">
                    <h2>{move || name.get()}</h2>
                    {move || state.get().map(|state| view! { <StateBadge state/> })}
                    <span class="actions">
                        <button type="button" class="button" disabled=is_busy on:click=test>{move || if busy.get() == Some("test") { "Testing…" } else { "Test" }}</button>
                        <button type="button" class="button" disabled=is_busy on:click=switch>{move || if enabled.get() { "Switch off" } else { "Switch on" }}</button>
                        <button type="button" class="button danger" disabled=is_busy on:click=delete>"Delete"</button>
                    </span>
                </div>
                <p class="mono webhook-url">{move || url.get()}</p>
                <p class="quiet-text">
                    {move || of.get()} " · " {move || figures.get()}
                    {move || delivered_at.get().map(|at| view! { ", the last " <Ago at/> " ago" })}
                </p>
                {move || trouble.get().map(|trouble| view! { <p class="notice tone-bad">{trouble}</p> })}
                <div aria-live="polite">
                    {move || tested.get().map(|tested| {
                        let tone = if tested.taken { "tone-good" } else { "tone-bad" };
                        view! { <p class=format!("notice {tone}")>{format!("Test: {} ({} ms)", tested.said, tested.took_ms)}</p> }
                    })}
                </div>
            </li>
        }
        .into_any(),
    )
}
