//! `/api/events/…` and `/api/stream-tickets`: the log, its rules, and tickets for the streams. The streams themselves are in
//! [`crate::server::sse::typed`].

use super::{error::internal, extract::options, fields::Fields, openapi::bodies};
use crate::{
    app::error::ApiError,
    model::{Action, Done, EventId, EventPage, EventRules, EventStatistics},
    server::{
        App,
        actions::perform,
        auth::Who,
        events::{self, Asked, tickets::Issued},
    },
};
use axum::{
    Json,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};

type Pairs = Query<Vec<(String, String)>>;

/// The log is written while it is read.
const FRESH: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

pub async fn history(
    State(app): State<App>,
    who: Who,
    Query(pairs): Pairs,
) -> Result<impl IntoResponse, ApiError> {
    let asked = Asked::read(&pairs, &["cursor", "limit"])?;
    let page: EventPage =
        events::history(&app, &who, &asked.query, asked.cursor.as_deref(), asked.limit).await?;
    Ok((FRESH, Json(page)))
}

pub async fn statistics(
    State(app): State<App>,
    who: Who,
    Query(pairs): Pairs,
) -> Result<impl IntoResponse, ApiError> {
    let asked = Asked::read(&pairs, &["by"])?;
    let counted: EventStatistics = events::statistics(&app, &who, &asked.query, asked.by).await?;
    Ok((FRESH, Json(counted)))
}

pub async fn export(State(app): State<App>, who: Who, Query(pairs): Pairs) -> Result<Response, ApiError> {
    let asked = Asked::read(&pairs, &["format"])?;
    events::export::export(&app, &who, asked.query, asked.format)
}

pub async fn acknowledge(
    State(app): State<App>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Done>, ApiError> {
    let ids = Fields::read::<bodies::Acknowledge>(&body)?.whole_numbers("ids", "numbers of events")?;
    let action = Action::AcknowledgeEvents(ids.into_iter().map(EventId).collect());
    perform(&app, &who, action, options(&headers)?).await.map(Json)
}

/// The rules, and their revision as ETag; what has no rules has revision 0.
pub async fn rules(State(app): State<App>, _: Who) -> Result<Response, ApiError> {
    let fleet = app.store().fleet();
    let rules = fleet.rules().map(|rules| EventRules::clone(rules)).unwrap_or_default();
    let tag = HeaderValue::from_str(&format!("\"{}\"", rules.revision)).map_err(|error| internal(&error))?;
    Ok((FRESH, [(header::ETAG, tag)], Json(rules)).into_response())
}

/// Replaces the rules. `If-Match` takes their revision.
pub async fn set_rules(
    State(app): State<App>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Done>, ApiError> {
    let body = Fields::read::<bodies::NewEventRules>(&body)?;
    let rules = EventRules {
        mutes: body.objects("mutes")?,
        priorities: body.objects("priorities")?,
        ..EventRules::default()
    };
    perform(&app, &who, Action::SetRules(rules), options(&headers)?).await.map(Json)
}

/// A ticket for one stream, to be used within a minute.
pub async fn ticket(State(app): State<App>, who: Who) -> Result<impl IntoResponse, ApiError> {
    let issued: Issued = app.tickets().issue(&who, app.cutter().token(&who))?;
    Ok((FRESH, Json(issued)))
}
