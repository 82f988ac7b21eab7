//! `/api/webhooks`: for administrators, because a webhook tells of the whole fleet.

use super::{error::internal, extract::id, fields::Fields, openapi::bodies};
use crate::{
    app::error::ApiError,
    model::{Matcher, Name, Priority, Role, Webhook, WebhookId, WebhookPlan, WebhookTested},
    server::{
        App,
        auth::Who,
        clock::now,
        events::Entry,
        storage::audit,
        webhooks::{
            MOST, about,
            sign::Secret,
            table::{self, Kept},
        },
    },
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

pub async fn list(State(app): State<App>, who: Who) -> Result<Json<Vec<Webhook>>, ApiError> {
    webhooks(&app, &who).await.map(Json)
}

/// All webhooks, oldest first.
pub async fn webhooks(app: &App, who: &Who) -> Result<Vec<Webhook>, ApiError> {
    who.need(Role::Admin)?;
    let all = table::all(app.store().pool()).await.map_err(|error| internal(&error))?;
    Ok(all.into_iter().map(|kept| kept.webhook).collect())
}

pub async fn show(
    State(app): State<App>,
    who: Who,
    Path(webhook): Path<String>,
) -> Result<Json<Webhook>, ApiError> {
    self::webhook(&app, &who, id(&webhook, "webhook")?).await.map(Json)
}

pub async fn webhook(app: &App, who: &Who, id: WebhookId) -> Result<Webhook, ApiError> {
    who.need(Role::Admin)?;
    find(app, id).await.map(|kept| kept.webhook)
}

/// A webhook with its secret, which is told this once.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Created {
    #[serde(flatten)]
    pub webhook: Webhook,
    pub secret: String,
}

pub async fn create(State(app): State<App>, who: Who, body: Bytes) -> Result<Response, ApiError> {
    let created = make(&app, &who, plan(&body)?).await?;
    let mut response = (StatusCode::CREATED, Json(created)).into_response();
    response
        .headers_mut()
        .insert(axum::http::header::CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store"));
    Ok(response)
}

pub async fn make(app: &App, who: &Who, plan: WebhookPlan) -> Result<Created, ApiError> {
    who.need(Role::Admin)?;
    check(app, &plan)?;
    let pool = app.store().pool();
    if table::all(pool).await.map_err(|error| internal(&error))?.len() >= MOST {
        let detail =
            format!("There are {MOST} webhooks already, and there cannot be more. Delete one first.");
        return Err(ApiError::Conflict { detail });
    }
    let webhook = Webhook {
        id: WebhookId(uuid::Uuid::now_v7()),
        plan,
        revision: 1,
        created_at: now(),
        delivered: 0,
        given_up: 0,
        delivered_at: None,
        trouble: None,
    };
    let secret = Secret::draw();
    table::insert(pool, &webhook, &secret).await.map_err(|error| internal(&error))?;
    app.webhooks().changed();
    record(app, who, "create webhook", &webhook).await;
    tell(app, who, "webhook.created", format!("Webhook {} was added", webhook.plan.name), &webhook).await;
    Ok(Created { webhook, secret: secret.told() })
}

pub async fn change(
    State(app): State<App>,
    who: Who,
    Path(webhook): Path<String>,
    body: Bytes,
) -> Result<Json<Webhook>, ApiError> {
    edit(&app, &who, id(&webhook, "webhook")?, plan(&body)?).await.map(Json)
}

/// Gives a webhook another plan. One that was in trouble is tried again at once.
pub async fn edit(app: &App, who: &Who, id: WebhookId, plan: WebhookPlan) -> Result<Webhook, ApiError> {
    who.need(Role::Admin)?;
    check(app, &plan)?;
    let mut changed = None;
    let write = table::advance(app.store().pool(), id, None, |webhook| {
        webhook.revision += 1;
        (webhook.plan, webhook.trouble) = (plan, None);
        changed = Some(webhook.clone());
    });
    write.await.map_err(|error| internal(&error))?;
    let webhook = changed.ok_or_else(gone)?;
    app.webhooks().changed();
    record(app, who, "change webhook", &webhook).await;
    let is = if webhook.plan.enabled { "is on" } else { "is off" };
    let text = format!("Webhook {} was changed, and {is}", webhook.plan.name);
    tell(app, who, "webhook.updated", text, &webhook).await;
    Ok(webhook)
}

pub async fn delete(
    State(app): State<App>,
    who: Who,
    Path(webhook): Path<String>,
) -> Result<StatusCode, ApiError> {
    remove(&app, &who, id(&webhook, "webhook")?).await.map(|()| StatusCode::NO_CONTENT)
}

pub async fn remove(app: &App, who: &Who, id: WebhookId) -> Result<(), ApiError> {
    who.need(Role::Admin)?;
    let kept = find(app, id).await?;
    table::delete(app.store().pool(), id).await.map_err(|error| internal(&error))?;
    app.webhooks().changed();
    record(app, who, "delete webhook", &kept.webhook).await;
    let webhook = kept.webhook;
    tell(app, who, "webhook.deleted", format!("Webhook {} was deleted", webhook.plan.name), &webhook).await;
    Ok(())
}

pub async fn test(
    State(app): State<App>,
    who: Who,
    Path(webhook): Path<String>,
) -> Result<Json<WebhookTested>, ApiError> {
    try_out(&app, &who, id(&webhook, "webhook")?).await.map(Json)
}

/// Sends a webhook a message that tells of nothing.
pub async fn try_out(app: &App, who: &Who, id: WebhookId) -> Result<WebhookTested, ApiError> {
    who.need(Role::Admin)?;
    let kept = find(app, id).await?;
    let tested = app.webhooks().test(&kept).await;
    record(app, who, "test webhook", &kept.webhook).await;
    Ok(tested)
}

fn gone() -> ApiError {
    ApiError::Gone { what: "webhook".to_owned() }
}

async fn find(app: &App, id: WebhookId) -> Result<Kept, ApiError> {
    table::by_id(app.store().pool(), id).await.map_err(|error| internal(&error))?.ok_or_else(gone)
}

fn check(app: &App, plan: &WebhookPlan) -> Result<(), ApiError> {
    let checked = app.webhooks().outbound.policy().check(&plan.url);
    checked
        .map(drop)
        .map_err(|bad| ApiError::BadRequest { detail: format!("The address is not usable: {bad}.") })
}

fn plan(body: &[u8]) -> Result<WebhookPlan, ApiError> {
    let fields = Fields::read::<bodies::NewWebhook>(body)?;
    let bad = |detail: String| ApiError::BadRequest { detail };
    let name = Name::new(&fields.text("name")?).map_err(|error| bad(error.to_string()))?;
    let matcher: Matcher = fields.whole("matcher")?;
    let priority = match fields.optional_text("priority")? {
        None => Priority::Low,
        Some(text) => Priority::parse(&text)
            .ok_or_else(|| bad(format!("priority must be low, normal, high or urgent; it is {text}.")))?,
    };
    let enabled = fields.optional_flag("enabled")?.unwrap_or(true);
    Ok(WebhookPlan { name, url: fields.text("url")?, matcher, priority, enabled })
}

async fn tell(app: &App, who: &Who, kind: &'static str, text: String, webhook: &Webhook) {
    about(Entry::new(kind, text), webhook).write(app.store(), who.actor()).await;
}

async fn record(app: &App, who: &Who, action: &'static str, webhook: &Webhook) {
    // Not the path and the query: receivers put secrets there.
    let target = format!("webhook {} ({})", webhook.id, webhook.plan.name);
    let line = audit::Line { at: now(), actor: who.actor(), action, target, outcome: "done".to_owned() };
    if let Err(error) = app.store().record(line.clone()).await {
        tracing::error!(%error, ?line, "the audit log could not be written");
    }
}
