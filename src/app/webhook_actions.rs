//! The server functions of webhooks. Their rows are not in the fleet: they are for administrators, and are fetched.

use super::error::ApiError;
use crate::model::{Priority, Webhook, WebhookId, WebhookTested};
#[cfg(feature = "ssr")]
use crate::{
    model::{Matcher, Name, WebhookPlan},
    server::{
        api::webhooks,
        context::{app, fail, who},
    },
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// A webhook that was made, with its secret, told this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWebhook {
    pub webhook: Webhook,
    pub secret: String,
}

#[server(prefix = "/do", endpoint = "webhooks")]
pub async fn list_webhooks() -> Result<Vec<Webhook>, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    webhooks::webhooks(&app, &who).await.map_err(fail)
}

#[server(prefix = "/do", endpoint = "create-webhook")]
pub async fn create_webhook(
    name: String,
    url: String,
    #[server(default)] kind: String,
    priority: Priority,
) -> Result<NewWebhook, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    let name = Name::new(&name).map_err(|error| fail(ApiError::BadRequest { detail: error.to_string() }))?;
    let matcher = Matcher { kind: kind.trim().to_owned(), ..Matcher::default() };
    let plan = WebhookPlan { name, url: url.trim().to_owned(), matcher, priority, enabled: true };
    let made = webhooks::make(&app, &who, plan).await.map_err(fail)?;
    Ok(NewWebhook { webhook: made.webhook, secret: made.secret })
}

/// Switches a webhook on or off. One that was in trouble is tried at once.
#[server(prefix = "/do", endpoint = "switch-webhook")]
pub async fn switch_webhook(id: WebhookId, enabled: bool) -> Result<Webhook, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    let kept = webhooks::webhook(&app, &who, id).await.map_err(fail)?;
    webhooks::edit(&app, &who, id, WebhookPlan { enabled, ..kept.plan }).await.map_err(fail)
}

#[server(prefix = "/do", endpoint = "test-webhook")]
pub async fn test_webhook(id: WebhookId) -> Result<WebhookTested, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    webhooks::try_out(&app, &who, id).await.map_err(fail)
}

#[server(prefix = "/do", endpoint = "delete-webhook")]
pub async fn delete_webhook(id: WebhookId) -> Result<(), ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    webhooks::remove(&app, &who, id).await.map_err(fail)
}
