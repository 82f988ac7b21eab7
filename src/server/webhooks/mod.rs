//! Webhooks: addresses that are told of events as they happen.
//!
//! Each webhook goes through the event log in order, by a cursor that is kept: what happens while the console or a receiver is down is
//! delivered afterwards. An event is delivered at least once, under the same `webhook-id` each time. [`address`] is whom the console may call,
//! [`sign`] how a receiver knows that it was the console, [`client`] one delivery, [`table`] what is kept; here is the round.

pub mod address;
pub mod client;
pub mod sign;
pub mod table;
#[cfg(test)]
mod tests;

use super::{
    clock::now,
    events::Entry,
    storage::{StorageError, Store},
};
use crate::model::{
    Actor, Event, EventId, EventRules, Fleet, Priority, Timestamp, Webhook, WebhookId, WebhookTested,
    WebhookTrouble,
};
use client::{Message, NotTaken, Outbound};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use table::Kept;
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// Webhooks that there can be: each is a task.
pub const MOST: usize = 50;
/// Events read from the log at once.
const BATCH: u32 = 100;
/// What an entry of the log names the webhook by that it is about.
const WEBHOOK_ID: &str = "webhook_id";
/// What was changed by another process, or while nobody was told, is noticed within this.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// How stubborn deliveries are.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// After the first failure; each further one doubles it.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// An event that is not taken for so long is given up.
    pub give_up_after: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            first_pause: Duration::from_secs(5),
            longest_pause: Duration::from_secs(15 * 60),
            give_up_after: Duration::from_secs(24 * 3600),
        }
    }
}

/// Flags of `muster serve`.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
#[command(next_help_heading = "Webhooks")]
pub struct WebhookArgs {
    /// Let webhooks call addresses that are not of the public internet, and by http: receivers in the console's own network. Without it a
    /// webhook cannot be used to reach into that network.
    #[arg(long, env = "MUSTER_WEBHOOKS_PRIVATE")]
    pub webhooks_private: bool,
}

/// A clone is a handle on the same ones.
#[derive(Clone, Debug)]
pub struct Webhooks {
    pub outbound: Outbound,
    changed: Arc<Notify>,
}

impl Webhooks {
    pub fn new(args: WebhookArgs) -> Result<Webhooks, reqwest::Error> {
        let policy = address::Policy { private: args.webhooks_private };
        Ok(Webhooks { outbound: Outbound::new(policy)?, changed: Arc::default() })
    }

    /// A webhook was added, changed or deleted.
    pub fn changed(&self) {
        self.changed.notify_one();
    }

    /// Keeps a task for each webhook that is enabled, until shutdown.
    pub async fn run(self, store: Store, pace: Pace, shutdown: CancellationToken) {
        let mut running: BTreeMap<WebhookId, (Webhook, JoinHandle<()>)> = BTreeMap::new();
        loop {
            match table::all(store.pool()).await {
                Ok(kept) => {
                    let wanted: BTreeMap<WebhookId, Webhook> = (kept.into_iter())
                        .filter(|kept| kept.webhook.plan.enabled)
                        .map(|kept| (kept.webhook.id, kept.webhook))
                        .collect();
                    running.retain(|id, (webhook, task)| {
                        let stays = wanted.get(id).is_some_and(|now| now.revision == webhook.revision)
                            && !task.is_finished();
                        if !stays {
                            task.abort();
                        }
                        stays
                    });
                    for (id, webhook) in wanted {
                        running.entry(id).or_insert_with(|| {
                            let teller =
                                Teller { id, store: store.clone(), outbound: self.outbound.clone(), pace };
                            (webhook, tokio::spawn(teller.run()))
                        });
                    }
                }
                Err(error) => tracing::error!(%error, "the webhooks cannot be read; trying again"),
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.changed.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        running.into_values().for_each(|(_, task)| task.abort());
    }

    /// Sends `kept` a message that tells of nothing, and says what became of it.
    pub async fn test(&self, kept: &Kept) -> WebhookTested {
        let (at, began) = (now(), std::time::Instant::now());
        let id = format!("test_{}", uuid::Uuid::now_v7().simple());
        let body = body(
            "webhook.test",
            at,
            &serde_json::json!({ "text": "A test from Muster", "webhook_id": kept.webhook.id }),
        );
        let sent =
            self.outbound.deliver(&kept.webhook.plan.url, &kept.secret, &Message { id, body }, at).await;
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        match sent {
            Ok(()) => WebhookTested { taken: true, said: "The receiver took it.".to_owned(), took_ms },
            Err(why) => WebhookTested {
                taken: false,
                said: format!("The receiver did not take it: {}.", why.reason),
                took_ms,
            },
        }
    }
}

/// What a receiver gets, in the shape that the Standard Webhooks specification proposes.
#[derive(Serialize)]
struct Body<'a, T> {
    r#type: &'a str,
    /// When it happened, milliseconds since 1970 UTC.
    timestamp: Timestamp,
    data: &'a T,
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    event: &'a Event,
    priority: Priority,
}

fn body<T: Serialize>(kind: &str, timestamp: Timestamp, data: &T) -> Vec<u8> {
    serde_json::to_vec(&Body { r#type: kind, timestamp, data }).expect("rows are plain data")
}

/// Tells one webhook of everything that is for it.
struct Teller {
    id: WebhookId,
    store: Store,
    outbound: Outbound,
    pace: Pace,
}

impl Teller {
    async fn run(self) {
        let mut commits = self.store.watch();
        loop {
            // Most commits bring no event, and then there is nothing to read.
            let seen = newest(&self.store.fleet());
            match self.tell().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::error!(webhook = %self.id, %error, "a webhook cannot go on; trying again");
                    tokio::time::sleep(self.pace.first_pause).await;
                    continue;
                }
            }
            if commits.wait_for(|followed| newest(&followed.fleet) != seen).await.is_err() {
                return;
            }
        }
    }

    /// Delivers what is in the log and was not delivered; `false` if the webhook is gone or off.
    async fn tell(&self) -> Result<bool, StorageError> {
        let pool = self.store.pool();
        loop {
            let Some(kept) = table::by_id(pool, self.id).await?.filter(|kept| kept.webhook.plan.enabled)
            else {
                return Ok(false);
            };
            let events = table::events_after(pool, kept.cursor, BATCH).await?;
            let Some(last) = events.last().map(|event| event.id) else { return Ok(true) };
            let fleet = self.store.fleet();
            let rules = fleet.rules().map(|rules| (**rules).clone()).unwrap_or_default();
            let first = events.into_iter().find(|event| is_for(&kept.webhook, &rules, event, now()));
            match first {
                None => table::advance(pool, self.id, Some(last), |_| {}).await?,
                Some(event) if !self.deliver(&kept, &rules, &event).await? => return Ok(false),
                Some(_) => {}
            }
        }
    }

    /// Tries until the event is taken or given up; `false` if the receiver wants no more at all.
    async fn deliver(&self, kept: &Kept, rules: &EventRules, event: &Event) -> Result<bool, StorageError> {
        let pool = self.store.pool();
        let url = &kept.webhook.plan.url;
        let told = Told { event, priority: rules.priority(event) };
        let message =
            Message { id: format!("evt_{}_{}", self.id, event.id), body: body(&event.kind, event.at, &told) };
        let mut trouble = kept.webhook.trouble.clone();
        // A console that starts again does not hurry.
        if let Some(trouble) = &trouble {
            tokio::time::sleep(trouble.next_attempt_at.since(now())).await;
        }
        loop {
            let why = match self.outbound.deliver(url, &kept.secret, &message, now()).await {
                Ok(()) => {
                    table::advance(pool, self.id, Some(event.id), |webhook| {
                        webhook.delivered += 1;
                        (webhook.delivered_at, webhook.trouble) = (Some(now()), None);
                    })
                    .await?;
                    return Ok(true);
                }
                Err(why) => why,
            };
            let failed = self.failed(trouble.as_ref(), &why);
            let over = now().since(failed.since) >= self.pace.give_up_after;
            tracing::warn!(webhook = %kept.webhook.plan.name, event = %event.id, attempts = failed.attempts, reason = %why.reason, over, "a webhook's receiver did not take an event");
            if over || why.for_good {
                table::advance(pool, self.id, Some(event.id), |webhook| {
                    webhook.given_up += 1;
                    webhook.trouble = (!over).then(|| failed.clone());
                    webhook.plan.enabled &= !why.for_good;
                })
                .await?;
                if why.for_good {
                    let name = &kept.webhook.plan.name;
                    let text = format!("Webhook {name} was switched off: {}", why.reason);
                    let entry = Entry::new("webhook.disabled", text).warning();
                    about(entry, &kept.webhook)
                        .with("reason", &why.reason)
                        .write(&self.store, Actor::System)
                        .await;
                }
                return Ok(!why.for_good);
            }
            table::advance(pool, self.id, None, |webhook| webhook.trouble = Some(failed.clone())).await?;
            tokio::time::sleep(failed.next_attempt_at.since(now())).await;
            trouble = Some(failed);
        }
    }

    fn failed(&self, before: Option<&WebhookTrouble>, why: &NotTaken) -> WebhookTrouble {
        let at = now();
        let attempts = before.map_or(0, |before| before.attempts) + 1;
        let doubled = self.pace.first_pause.saturating_mul(1 << (attempts - 1).min(16));
        let pause = doubled.min(self.pace.longest_pause).max(why.pause.unwrap_or_default());
        // Receivers that come back are not met by everybody at once.
        let jitter = pause.mul_f64(rand::random::<f64>() * 0.2);
        WebhookTrouble {
            since: before.map_or(at, |before| before.since),
            attempts,
            reason: why.reason.clone(),
            next_attempt_at: at.plus(pause + jitter),
        }
    }
}

/// Says for programs which webhook an entry of the log is about.
pub fn about(entry: Entry, webhook: &Webhook) -> Entry {
    entry.with("webhook", &webhook.plan.name).with(WEBHOOK_ID, webhook.id)
}

fn newest(fleet: &Fleet) -> Option<EventId> {
    fleet.events().next_back().map(|event| event.id)
}

fn is_for(webhook: &Webhook, rules: &EventRules, event: &Event, now: Timestamp) -> bool {
    // Its receiver is not told of the webhook itself: that it was made is nothing to it.
    let own = event.data.get(WEBHOOK_ID).is_some_and(|id| *id == webhook.id.to_string());
    !own && webhook.plan.matcher.holds(event)
        && rules.priority(event) >= webhook.plan.priority
        && !rules.mutes(event, now)
}
