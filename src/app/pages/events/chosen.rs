//! Which events are shown, and how that is written in the address.
//!
//! Pure. The page's address, the form that works without JavaScript, the question to the server and the links to export all say it with the
//! same words, which are those of `GET /api/events/history`; `within` and `before` are the page's alone.

use crate::model::{EntityRef, Event, EventId, EventQuery, Severity, Timestamp};
use leptos_router::{location::Url, params::ParamsMap};
use std::time::Duration;

/// A text is looked for in so many characters of it at most.
const MOST_TEXT: usize = 200;

/// How far back, from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Within {
    Hour,
    Day,
    Week,
}

impl Within {
    pub const ALL: [Within; 3] = [Within::Hour, Within::Day, Within::Week];

    pub fn as_str(self) -> &'static str {
        match self {
            Within::Hour => "hour",
            Within::Day => "day",
            Within::Week => "week",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Within::Hour => "Last hour",
            Within::Day => "Last 24 hours",
            Within::Week => "Last 7 days",
        }
    }

    pub fn duration(self) -> Duration {
        const HOUR: u64 = 3_600;
        Duration::from_secs(match self {
            Within::Hour => HOUR,
            Within::Day => 24 * HOUR,
            Within::Week => 7 * 24 * HOUR,
        })
    }
}

/// What the events must be; each part narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Chosen {
    /// Words that the sentence holds, or their beginnings.
    pub text: String,
    /// A type, or the beginning of one and `*`. Empty: any.
    pub kind: String,
    /// One of these, in order. Empty: any.
    pub severities: Vec<Severity>,
    /// What it happened to: a cluster, project, worker, net or host.
    pub resource: Option<EntityRef>,
    pub within: Option<Within>,
    /// From then on.
    pub from: Option<Timestamp>,
    /// Before then.
    pub to: Option<Timestamp>,
    /// Only those that nobody acknowledged.
    pub open: bool,
    /// Only those older than this one: where the list begins.
    pub before: Option<EventId>,
}

impl Chosen {
    /// All that happened to one thing.
    pub fn of(resource: EntityRef) -> Chosen {
        Chosen { resource: Some(resource), ..Chosen::default() }
    }

    /// Reads an address. What it says wrongly is not said.
    pub fn read(query: &ParamsMap) -> Chosen {
        let said = |key: &str| {
            let value = query.get(key).unwrap_or_default();
            let clean: String = value.chars().filter(|c| !c.is_control()).take(MOST_TEXT).collect();
            clean.trim().to_owned()
        };
        let body = |kind: &str| kind.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '.' | '_'));
        Chosen {
            text: said("q"),
            kind: Some(said("type"))
                .filter(|kind| body(kind.strip_suffix('*').unwrap_or(kind)))
                .unwrap_or_default(),
            severities: severities(&said("severity")),
            resource: resource(&said("resource")),
            within: Within::ALL.into_iter().find(|within| within.as_str() == said("within")),
            from: moment(&said("since")),
            to: moment(&said("until")),
            open: said("acknowledged") == "false",
            before: said("before").parse().ok().map(EventId),
        }
    }

    /// Reads what [`Chosen::query`] wrote.
    #[cfg(test)]
    pub fn parse(query: &str) -> Chosen {
        let pairs = query.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
        let pairs = pairs.map(|(key, value)| (key.to_owned(), Url::unescape(value)));
        Chosen::read(&pairs.collect::<ParamsMap>())
    }

    /// What is said, by the names in the address.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut say = |key, value: String| {
            if !value.is_empty() {
                pairs.push((key, value));
            }
        };
        say("q", self.text.clone());
        say("type", self.kind.clone());
        say("severity", severity_words(&self.severities));
        say("resource", self.resource.and_then(resource_words).unwrap_or_default());
        say("within", self.within.map(Within::as_str).unwrap_or_default().to_owned());
        say("since", self.from.map(|at| at.to_string()).unwrap_or_default());
        say("until", self.to.map(|at| at.to_string()).unwrap_or_default());
        say("acknowledged", if self.open { "false" } else { "" }.to_owned());
        say("before", self.before.map(|id| id.to_string()).unwrap_or_default());
        pairs
    }

    /// The query of the address: empty, or from its `?` on.
    pub fn query(&self) -> String {
        let pairs = self.pairs().into_iter();
        let pairs: Vec<String> = pairs.map(|(key, value)| format!("{key}={}", Url::escape(&value))).collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }

    /// The page with these events.
    pub fn address(&self) -> String {
        format!("/events{}", self.query())
    }

    /// The same from the newest on.
    pub fn to_the_newest(&self) -> Chosen {
        Chosen { before: None, ..self.clone() }
    }

    /// Whether anything is left out, but by where the list begins.
    pub fn filters(&self) -> bool {
        self.to_the_newest() != Chosen::default()
    }

    /// From when on events are let through, at the time `now`.
    pub fn since(&self, now: Timestamp) -> Option<Timestamp> {
        let within = self.within.map(|within| {
            Timestamp(now.0.saturating_sub(u64::try_from(within.duration().as_millis()).unwrap_or(u64::MAX)))
        });
        self.from.max(within)
    }

    /// The question to the server, asked at the time `now`. Where the list begins is not part of it.
    pub fn asks(&self, now: Timestamp) -> EventQuery {
        let mut query = EventQuery {
            since: self.since(now),
            until: self.to,
            types: Some(self.kind.clone()).filter(|kind| !kind.is_empty()).into_iter().collect(),
            severities: self.severities.clone(),
            q: self.text.clone(),
            acknowledged: self.open.then_some(false),
            ..EventQuery::default()
        };
        match self.resource {
            Some(EntityRef::Cluster(id)) => query.cluster_id = Some(id),
            Some(EntityRef::Project(id)) => query.project_id = Some(id),
            Some(EntityRef::Worker(id)) => query.worker_id = Some(id),
            Some(EntityRef::Net(id)) => query.net_id = Some(id),
            Some(EntityRef::Host(id)) => query.host_id = Some(id),
            _ => {}
        }
        query
    }

    /// Whether the event is among them.
    pub fn holds(&self, event: &Event, now: Timestamp) -> bool {
        self.before.is_none_or(|before| event.id < before) && self.asks(now).holds(event)
    }
}

pub const SEVERITIES: [Severity; 4] = [Severity::Info, Severity::Success, Severity::Warning, Severity::Error];

pub fn severity(text: &str) -> Option<Severity> {
    SEVERITIES.into_iter().find(|severity| severity.as_str() == text)
}

/// Several with commas between; all of them are as good as none. What is no severity is not said.
pub fn severities(text: &str) -> Vec<Severity> {
    let named: Vec<Severity> = text.split(',').filter_map(|word| severity(word.trim())).collect();
    let found = SEVERITIES.into_iter().filter(|severity| named.contains(severity));
    Some(found.collect()).filter(|found: &Vec<Severity>| found.len() < SEVERITIES.len()).unwrap_or_default()
}

/// As [`severities`] reads them.
pub fn severity_words(severities: &[Severity]) -> String {
    severities.iter().map(|severity| severity.as_str()).collect::<Vec<_>>().join(",")
}

/// `worker:…`, of what events are about.
pub fn resource_words(resource: EntityRef) -> Option<String> {
    Some(match resource {
        EntityRef::Cluster(id) => format!("cluster:{id}"),
        EntityRef::Project(id) => format!("project:{id}"),
        EntityRef::Worker(id) => format!("worker:{id}"),
        EntityRef::Net(id) => format!("net:{id}"),
        EntityRef::Host(id) => format!("host:{id}"),
        _ => return None,
    })
}

pub fn resource(text: &str) -> Option<EntityRef> {
    let (kind, id) = text.split_once(':')?;
    Some(match kind {
        "cluster" => EntityRef::Cluster(id.parse().ok()?),
        "project" => EntityRef::Project(id.parse().ok()?),
        "worker" => EntityRef::Worker(id.parse().ok()?),
        "net" => EntityRef::Net(id.parse().ok()?),
        "host" => EntityRef::Host(id.parse().ok()?),
        _ => return None,
    })
}

/// A time in UTC, as a form's field has it (`2026-11-21T12:03`) or as RFC 3339 has it.
fn moment(text: &str) -> Option<Timestamp> {
    let whole = match text.len() {
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => text.to_owned(),
    };
    let at = humantime::parse_rfc3339(&whole).ok()?;
    let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok().map(Timestamp)
}

/// As the field of a form has it: to the minute, in UTC.
pub fn field(at: Option<Timestamp>) -> String {
    at.map(|at| at.to_string().chars().take(16).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Acknowledged, Actor, WorkerId};
    use uuid::Uuid;

    pub fn event(n: u64, kind: &str, severity: Severity) -> Event {
        Event {
            id: EventId(n),
            at: Timestamp(n * 60_000),
            kind: kind.to_owned(),
            severity,
            actor: Actor::System,
            text: format!("Worker eu-{n} is ready"),
            cluster_id: None,
            project_id: None,
            worker_id: Some(WorkerId(Uuid::from_u128(1))),
            net_id: None,
            host_id: None,
            of_hosts: false,
            data: Default::default(),
            acknowledged: None,
        }
    }

    #[test]
    fn an_address_is_read_and_written_alike() {
        let id = Uuid::from_u128(7);
        for query in [
            "",
            "?q=eu%2017&type=worker%2E%2A&severity=warning%2Cerror&acknowledged=false",
            &format!("?resource=worker:{id}&within=day&before=17"),
            "?since=2026-11-21T12:03&until=2026-11-22T12:03:00.000Z",
        ] {
            let chosen = Chosen::parse(query);
            assert_eq!(Chosen::parse(&chosen.query()), chosen, "{query}");
            assert_eq!(chosen.filters(), !query.is_empty(), "{query}");
        }
        let chosen = Chosen::parse("?since=2026-11-21T12:03&type=worker.*");
        assert_eq!(field(chosen.from), "2026-11-21T12:03");
        assert_eq!(chosen.kind, "worker.*");
    }

    #[test]
    fn what_cannot_be_understood_is_not_said() {
        let nonsense =
            "?type=a%20b&severity=bad&resource=moon:1&within=year&since=soon&before=x&acknowledged=true";
        assert_eq!(Chosen::parse(nonsense), Chosen::default());
        assert!(!Chosen::parse("?before=4").filters());
    }

    #[test]
    fn the_page_and_the_api_use_the_same_words() {
        let query = "?q=eu&type=worker.*&severity=warning%2Cerror&since=2026-11-21T12:03&acknowledged=false";
        let chosen = Chosen::parse(query);
        let own: Vec<&str> = chosen.pairs().into_iter().map(|(name, _)| name).collect();
        let asked = chosen.asks(Timestamp(0)).to_query();
        for name in own {
            assert!(asked.split('&').any(|pair| pair.split('=').next() == Some(name)), "{name} in {asked}");
        }
        assert!(asked.contains("severity=warning,error"), "{asked}");
    }

    #[test]
    fn each_part_narrows() {
        let now = Timestamp(100 * 60_000);
        let mut one = event(50, "worker.status.updated", Severity::Warning);
        let lets = |query: &str, event: &Event| Chosen::parse(query).holds(event, now);
        let id = Uuid::from_u128(1);
        for query in [
            "",
            "?type=worker.*",
            "?type=worker.status.updated",
            "?severity=error,warning",
            "?severity=info,success,warning,error",
            "?q=ready%20EU",
            "?acknowledged=false",
            "?within=hour",
            "?before=51",
            "?since=1970-01-01T00:50&until=1970-01-01T00:51",
            &format!("?resource=worker:{id}"),
        ] {
            assert!(lets(query, &one), "{query}");
        }
        for query in [
            "?type=net.*",
            "?type=worker.status",
            "?severity=error",
            "?severity=success,error",
            "?q=eady",
            "?q=***",
            "?before=50",
            "?since=1970-01-01T00:51",
            "?until=1970-01-01T00:50",
            &format!("?resource=net:{id}"),
        ] {
            assert!(!lets(query, &one), "{query}");
        }
        one.acknowledged = Some(Acknowledged { by: Actor::System, at: now });
        assert!(!lets("?acknowledged=false", &one));
        assert!(!lets("?within=hour", &event(39, "worker.created", Severity::Info)));
    }
}
