//! A webhook: an address that is told of events.

use super::{Matcher, Name, Priority, Timestamp, WebhookId};
use serde::{Deserialize, Serialize};

/// What a webhook is to be: what its owner decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct WebhookPlan {
    pub name: Name,
    /// Where events are posted to.
    pub url: String,
    /// Which events; muted ones are never sent.
    #[serde(default)]
    pub matcher: Matcher,
    /// Only of this priority or a higher one.
    #[serde(default = "lowest")]
    pub priority: Priority,
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn lowest() -> Priority {
    Priority::Low
}

fn yes() -> bool {
    true
}

/// A webhook and how its deliveries go. Its secret is told once, when it is made, and is not in here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Webhook {
    pub id: WebhookId,
    #[serde(flatten)]
    pub plan: WebhookPlan,
    /// Counts how often its plan was given.
    pub revision: u64,
    pub created_at: Timestamp,
    /// Events that its receiver took.
    pub delivered: u64,
    /// Events that were given up.
    pub given_up: u64,
    /// When the last one was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// Set while the next event is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<WebhookTrouble>,
}

/// An event that its receiver did not take yet. Those that come after it wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct WebhookTrouble {
    pub since: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong the last time, in a sentence.
    pub reason: String,
    pub next_attempt_at: Timestamp,
}

/// What became of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct WebhookTested {
    pub taken: bool,
    /// In a sentence.
    pub said: String,
    /// How long the receiver took, milliseconds.
    pub took_ms: u64,
}
