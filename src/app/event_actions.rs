//! The server functions of the event log: reading its history, acknowledging, and the rules for events.
//!
//! As in [`super::actions`], each that changes something is also the target of a plain HTML form.

use super::error::ApiError;
use crate::model::{Done, Event, EventId, EventQuery, EventRules, EventStatistics, StatisticsBy};
#[cfg(feature = "ssr")]
use crate::{
    model::{Action, Options},
    server::{
        App,
        actions::perform,
        auth::Who,
        context::{app, fail, who},
        events,
        storage::events::{by_ids, cursor, read_cursor},
    },
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// Events that are fetched at once.
pub const PAGE: u32 = 100;
/// Events that can be read again, or acknowledged, at once.
pub const MOST_IDS: usize = 500;

/// A page of the history, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Older {
    pub events: Vec<Event>,
    /// Those older than this one come next; absent where there are none.
    pub next: Option<EventId>,
}

/// Events older than `before`, newest first; of those that the user may see, those that `query` lets through.
#[server(prefix = "/do", endpoint = "events", input = server_fn::codec::Json)]
pub async fn event_history(query: EventQuery, before: Option<EventId>) -> Result<Older, ApiError> {
    let (app, who) = asked().await?;
    let before = before.map(cursor);
    let page = events::history(&app, &who, &query, before.as_deref(), PAGE).await.map_err(fail)?;
    Ok(Older { events: page.events, next: page.next.as_deref().and_then(read_cursor) })
}

/// These events as they are now; those that are gone, or are not for this user, are left out.
#[server(prefix = "/do", endpoint = "events-now", input = server_fn::codec::Json)]
pub async fn events_now(ids: Vec<EventId>) -> Result<Vec<Event>, ApiError> {
    let (app, who) = asked().await?;
    let ids = &ids[..ids.len().min(MOST_IDS)];
    let events = by_ids(app.store().pool(), ids).await;
    let mut events = events.map_err(|error| fail(crate::server::api::error::internal(&error)))?;
    events.retain(|event| who.scope.sees_event(event));
    Ok(events)
}

/// How many events there are of each kind, among those that `query` lets through.
#[server(prefix = "/do", endpoint = "event-statistics", input = server_fn::codec::Json)]
pub async fn event_figures(query: EventQuery, by: StatisticsBy) -> Result<EventStatistics, ApiError> {
    let (app, who) = asked().await?;
    events::statistics(&app, &who, &query, by).await.map_err(fail)
}

/// Says that one knows of the events named in `ids`, parted by commas.
#[server(prefix = "/do", endpoint = "acknowledge")]
pub async fn acknowledge_events(
    ids: String,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    let ids = read_ids(&ids).map_err(fail)?;
    let (app, who) = asked().await?;
    let key = key.map(|key| format!("{key}-acknowledge-{}", ids.first().map_or(0, |id| id.0)));
    let done = perform(&app, &who, Action::AcknowledgeEvents(ids), Options { if_match: None, key }).await;
    let done = done.map_err(fail)?;
    super::actions::tell_next_page(&done);
    Ok(done)
}

/// Replaces the rules for events; `revision` is theirs, as they were seen.
#[server(prefix = "/do", endpoint = "event-rules", input = server_fn::codec::Json)]
pub async fn set_event_rules(rules: EventRules, revision: u64) -> Result<Done, ApiError> {
    let (app, who) = asked().await?;
    let options = Options { if_match: Some(revision), key: None };
    perform(&app, &who, Action::SetRules(rules), options).await.map_err(fail)
}

#[cfg(feature = "ssr")]
async fn asked() -> Result<(App, Who), ApiError> {
    Ok((app().map_err(fail)?, who().await.map_err(fail)?))
}

/// The ids in a form's field, parted by commas.
pub fn read_ids(text: &str) -> Result<Vec<EventId>, ApiError> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let ids = words.map(|word| {
        let detail =
            || format!("{:?} is not the number of an event.", word.chars().take(60).collect::<String>());
        word.parse().map(EventId).map_err(|_| ApiError::BadRequest { detail: detail() })
    });
    ids.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_from_text() {
        assert_eq!(read_ids(" 3, 4,"), Ok(vec![EventId(3), EventId(4)]));
        assert_eq!(read_ids(""), Ok(Vec::new()));
        assert!(read_ids("all").is_err());
    }
}
