//! The event log of the demo: what the fleet in the page remembers of itself.

use super::{
    doors::{Answer, Body, ok},
    fleet::Demo,
};
use crate::{
    app::{
        error::ApiError,
        event_actions::{
            AcknowledgeEvents, EventFigures, EventHistory, EventsNow, Older, PAGE, SetEventRules, read_ids,
        },
    },
    model::{
        Bucket, Done, Event, EventId, EventQuery, EventStatistics, StatisticsBy, Timestamp,
        event_query::resources,
    },
};
use serde::de::DeserializeOwned;
use server_fn::ServerFn;
use std::{collections::BTreeMap, sync::Arc};

const HOUR: u64 = 3_600_000;

/// The answer of a server function of the log; `None` where `path` is none of them.
pub async fn answer(demo: &Demo, path: &str, body: &Body) -> Result<Option<Answer>, ApiError> {
    Ok(Some(if path == EventHistory::PATH {
        let EventHistory { query, before } = json(body)?;
        ok(&history(demo, &query, before))
    } else if path == EventsNow::PATH {
        let EventsNow { ids } = json(body)?;
        let fleet = demo.fleet();
        ok(&ids.iter().filter_map(|id| fleet.event(*id).cloned()).collect::<Vec<_>>())
    } else if path == EventFigures::PATH {
        let EventFigures { query, by } = json(body)?;
        ok(&statistics(demo, &query, by))
    } else if path == AcknowledgeEvents::PATH {
        let AcknowledgeEvents { ids, .. } = form(body)?;
        ok(&acknowledge(demo, &read_ids(&ids)?)?)
    } else if path == SetEventRules::PATH {
        let SetEventRules { rules, revision } = json(body)?;
        let done = demo.transact(demo.operator(), |draft| {
            if draft.before().rules().map_or(0, |rules| rules.revision) != revision {
                return Err(ApiError::Changed { what: "rules for events".to_owned() });
            }
            draft.put_rules(rules);
            Ok(Done { message: "The rules for events were changed.".to_owned(), ..Done::default() })
        });
        ok(&done?)
    } else {
        return Ok(None);
    }))
}

fn json<T: DeserializeOwned>(body: &Body) -> Result<T, ApiError> {
    let Body::Text(text) = body else { return Err(unreadable("it holds a file")) };
    serde_json::from_str(text).map_err(|error| unreadable(&error.to_string()))
}

fn form<T: DeserializeOwned>(body: &Body) -> Result<T, ApiError> {
    let Body::Text(text) = body else { return Err(unreadable("it holds a file")) };
    serde_qs::Config::new(5, false).deserialize_str(text).map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(why: &str) -> ApiError {
    ApiError::BadRequest { detail: format!("The request could not be read: {why}") }
}

/// Newest first.
fn those(demo: &Demo, query: &EventQuery) -> Vec<Arc<Event>> {
    demo.fleet().events().rev().filter(|event| query.holds(event)).cloned().collect()
}

fn history(demo: &Demo, query: &EventQuery, before: Option<EventId>) -> Older {
    let older = those(demo, query).into_iter().filter(|event| before.is_none_or(|before| event.id < before));
    let mut events: Vec<Event> = older.take(PAGE as usize + 1).map(|event| (*event).clone()).collect();
    let more = events.len() > PAGE as usize;
    events.truncate(PAGE as usize);
    let next = events.last().filter(|_| more).map(|event| event.id);
    Older { events, next }
}

fn statistics(demo: &Demo, query: &EventQuery, by: StatisticsBy) -> EventStatistics {
    let events = those(demo, query);
    let mut buckets: BTreeMap<String, Bucket> = BTreeMap::new();
    for event in &events {
        let (key, at, resource_type) = match by {
            StatisticsBy::Type => (event.kind.clone(), None, None),
            StatisticsBy::Hour => {
                let at = Timestamp(event.at.0 / HOUR * HOUR);
                (at.to_string(), Some(at), None)
            }
            StatisticsBy::Resource => match resources(event).next() {
                Some((kind, id)) => (id.to_string(), None, Some(kind.to_owned())),
                None => continue,
            },
        };
        let bucket = buckets.entry(key.clone()).or_default();
        (bucket.key, bucket.at, bucket.resource_type) = (key, at, resource_type);
        bucket.count += 1;
        *match event.severity {
            crate::model::Severity::Info => &mut bucket.info,
            crate::model::Severity::Success => &mut bucket.success,
            crate::model::Severity::Warning => &mut bucket.warning,
            crate::model::Severity::Error => &mut bucket.error,
        } += 1;
    }
    let mut buckets: Vec<Bucket> = buckets.into_values().collect();
    if by != StatisticsBy::Hour {
        buckets.sort_by_key(|bucket| std::cmp::Reverse(bucket.count));
    }
    EventStatistics { by, total: events.len() as u64, buckets }
}

fn acknowledge(demo: &Demo, ids: &[EventId]) -> Result<Done, ApiError> {
    demo.transact(demo.operator(), |draft| {
        let mut acknowledged = 0;
        for id in ids {
            let event = draft.before().event(*id).cloned();
            let event = event.ok_or_else(|| ApiError::Gone { what: format!("event {id}") })?;
            if event.acknowledged.is_none() {
                draft.acknowledge(&event);
                acknowledged += 1;
            }
        }
        let events = crate::app::components::format::counted(acknowledged, "event", "events");
        Ok(Done { message: format!("Acknowledged {events}."), ..Done::default() })
    })
}
