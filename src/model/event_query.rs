//! Which events somebody wants to see: one meaning for the history in the database, its export and figures, and the live tail of a page.

use super::{ClusterId, Event, HostId, NetId, ProjectId, Severity, Timestamp, WorkerId};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use uuid::Uuid;

/// Events of one page, unless another number is asked for.
pub const EVENTS_PER_PAGE: u32 = 50;
/// Events of one page at most.
pub const MOST_PER_PAGE: u32 = 500;
/// Words of a search at most; what is longer is a text that somebody pasted.
pub const MOST_WORDS: usize = 16;
/// Types, or severities, in one query at most.
pub const MOST_TYPES: usize = 20;

/// A filter: events for which all that is given holds. What is empty is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventQuery {
    /// At this time or later …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// … and before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// One of these types, or of those that begin so and end in `*`: `worker.*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// One of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub severities: Vec<Severity>,
    /// The id of the cluster, project, worker, net or host that it tells of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<ClusterId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<WorkerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_id: Option<NetId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_id: Option<HostId>,
    /// Words that its sentence, its type or the name of who did it have, each at least as the beginning of one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub q: String,
    /// Whether somebody took notice of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<bool>,
}

/// Events, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct EventPage {
    pub events: Vec<Event>,
    /// Where the next page begins; absent on the last one. Events that come meanwhile are not on it, and none is twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What events are counted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StatisticsBy {
    #[default]
    Type,
    Hour,
    Resource,
}

impl StatisticsBy {
    pub const ALL: [StatisticsBy; 3] = [StatisticsBy::Type, StatisticsBy::Hour, StatisticsBy::Resource];

    pub fn as_str(self) -> &'static str {
        match self {
            StatisticsBy::Type => "type",
            StatisticsBy::Hour => "hour",
            StatisticsBy::Resource => "resource",
        }
    }

    pub fn parse(text: &str) -> Option<StatisticsBy> {
        StatisticsBy::ALL.into_iter().find(|by| by.as_str() == text)
    }
}

/// How many events there are of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct EventStatistics {
    pub by: StatisticsBy,
    /// All events that the query holds for, also those of buckets that are not listed.
    pub total: u64,
    /// By type and by resource: the most frequent first, at most [`MOST_BUCKETS`]. By hour: in order of time; hours without events are
    /// left out.
    pub buckets: Vec<Bucket>,
}

/// Buckets of one answer; by hour this is a month.
pub const MOST_BUCKETS: usize = 744;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Bucket {
    /// The type; the beginning of the hour in RFC 3339; the id of the resource.
    pub key: String,
    /// By hour: when it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// By resource: `worker`, `net`, `host`, `project` or `cluster`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    pub count: u64,
    /// How many of them are of each severity.
    pub info: u64,
    pub success: u64,
    pub warning: u64,
    pub error: u64,
}

impl EventQuery {
    /// The words that are searched for: what letters and digits make, in lower case.
    pub fn words(&self) -> Vec<String> {
        words(&self.q)
    }

    /// Whether words are asked for and there is none: signs alone are in no sentence, so nothing is found.
    pub fn finds_nothing(&self) -> bool {
        !self.q.trim().is_empty() && self.words().is_empty()
    }

    /// Whether it holds for `event`.
    pub fn holds(&self, event: &Event) -> bool {
        fn is<T: PartialEq>(wanted: Option<T>, has: Option<T>) -> bool {
            wanted.is_none() || wanted == has
        }
        self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at < until)
            && (self.types.is_empty() || self.types.iter().any(|wanted| is_type(wanted, &event.kind)))
            && (self.severities.is_empty() || self.severities.contains(&event.severity))
            && self.resource.is_none_or(|id| resources(event).any(|(_, of)| of == id))
            && is(self.cluster_id, event.cluster_id)
            && is(self.project_id, event.project_id)
            && is(self.worker_id, event.worker_id)
            && is(self.net_id, event.net_id)
            && is(self.host_id, event.host_id)
            && self.acknowledged.is_none_or(|wanted| wanted == event.acknowledged.is_some())
            && self.is_found_in(event)
    }

    fn is_found_in(&self, event: &Event) -> bool {
        let wanted = self.words();
        if wanted.is_empty() {
            return !self.finds_nothing();
        }
        let mut has = words(&event.text);
        has.extend(words(&event.kind));
        has.extend(words(&event.actor.to_string()));
        wanted.iter().all(|wanted| has.iter().any(|word| word.starts_with(wanted.as_str())))
    }

    /// As the query of an address, without the question mark: what `GET /api/events/history` and its kin take.
    pub fn to_query(&self) -> String {
        let mut pairs: Vec<(&str, String)> = Vec::new();
        pairs.extend(self.since.map(|at| ("since", at.to_string())));
        pairs.extend(self.until.map(|at| ("until", at.to_string())));
        if !self.types.is_empty() {
            pairs.push(("type", self.types.join(",")));
        }
        if !self.severities.is_empty() {
            let severities: Vec<&str> = self.severities.iter().map(|severity| severity.as_str()).collect();
            pairs.push(("severity", severities.join(",")));
        }
        pairs.extend(self.resource.map(|id| ("resource", id.to_string())));
        pairs.extend(self.cluster_id.map(|id| ("cluster_id", id.to_string())));
        pairs.extend(self.project_id.map(|id| ("project_id", id.to_string())));
        pairs.extend(self.worker_id.map(|id| ("worker_id", id.to_string())));
        pairs.extend(self.net_id.map(|id| ("net_id", id.to_string())));
        pairs.extend(self.host_id.map(|id| ("host_id", id.to_string())));
        if !self.q.is_empty() {
            pairs.push(("q", self.q.clone()));
        }
        pairs.extend(self.acknowledged.map(|is| ("acknowledged", is.to_string())));
        let mut query = String::new();
        for (name, value) in pairs {
            let and = if query.is_empty() { "" } else { "&" };
            _ = write!(query, "{and}{name}={}", escaped(&value));
        }
        query
    }
}

/// What an event tells of: the kind of resource and its id, the most particular first.
pub fn resources(event: &Event) -> impl Iterator<Item = (&'static str, Uuid)> {
    [
        ("net", event.net_id.map(|id| id.0)),
        ("worker", event.worker_id.map(|id| id.0)),
        ("host", event.host_id.map(|id| id.0)),
        ("project", event.project_id.map(|id| id.0)),
        ("cluster", event.cluster_id.map(|id| id.0)),
    ]
    .into_iter()
    .filter_map(|(kind, id)| Some((kind, id?)))
}

fn is_type(wanted: &str, kind: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(beginning) => kind.starts_with(beginning),
        None => kind == wanted,
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(|sign: char| !sign.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Percent-encoded, as a part of a query.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b',' | b':' => {
                escaped.push(char::from(byte));
            }
            other => _ = write!(escaped, "%{other:02X}"),
        }
        escaped
    })
}
