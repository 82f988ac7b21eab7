//! An [`EventQuery`] out of the query of an address, with a sentence for everything in it that is wrong.

use super::bad;
use crate::{
    app::error::ApiError,
    model::{
        EventQuery, Severity, StatisticsBy, Timestamp,
        event_query::{EVENTS_PER_PAGE, MOST_PER_PAGE},
    },
};
use std::{
    collections::BTreeSet,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

/// A format of [`super::export`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    JsonLines,
    Csv,
}

/// What was asked for: the filter, and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub query: EventQuery,
    pub cursor: Option<String>,
    pub limit: u32,
    pub by: StatisticsBy,
    pub format: Format,
}

impl Asked {
    /// Reads the parameters; of those beside the filter's only `also` are known to the route.
    pub fn read(pairs: &[(String, String)], also: &[&str]) -> Result<Asked, ApiError> {
        let mut asked = Asked {
            query: EventQuery::default(),
            cursor: None,
            limit: EVENTS_PER_PAGE,
            by: StatisticsBy::default(),
            format: Format::JsonLines,
        };
        let mut seen = BTreeSet::new();
        for (name, value) in pairs {
            if !seen.insert(name) {
                return Err(bad(format!("{} is given twice. Write several values as a,b.", shown(name))));
            }
            // A form that leaves a field empty does not ask for anything.
            if value.is_empty() {
                continue;
            }
            let query = &mut asked.query;
            match name.as_str() {
                "since" => query.since = Some(time(name, value)?),
                "until" => query.until = Some(time(name, value)?),
                "type" => query.types = value.split(',').map(|kind| kind.trim().to_owned()).collect(),
                "severity" => query.severities = value.split(',').map(severity).collect::<Result<_, _>>()?,
                "resource" => resource(query, name, value)?,
                "cluster_id" => query.cluster_id = Some(id(name, value)?),
                "project_id" => query.project_id = Some(id(name, value)?),
                "worker_id" => query.worker_id = Some(id(name, value)?),
                "net_id" => query.net_id = Some(id(name, value)?),
                "host_id" => query.host_id = Some(id(name, value)?),
                "q" => query.q = value.clone(),
                "acknowledged" => query.acknowledged = Some(yes_or_no(name, value)?),
                "cursor" if also.contains(&"cursor") => asked.cursor = Some(value.clone()),
                "limit" if also.contains(&"limit") => {
                    let limit = value.parse().ok().filter(|limit| (1..=MOST_PER_PAGE).contains(limit));
                    asked.limit = limit.ok_or_else(|| {
                        bad(format!(
                            "limit must be a whole number from 1 to {MOST_PER_PAGE}; it is {}.",
                            shown(value)
                        ))
                    })?;
                }
                "by" if also.contains(&"by") => {
                    asked.by = StatisticsBy::parse(value).ok_or_else(|| {
                        bad(format!("by must be type, hour or resource; it is {}.", shown(value)))
                    })?;
                }
                "format" if also.contains(&"format") => {
                    asked.format = match value.as_str() {
                        "jsonl" => Format::JsonLines,
                        "csv" => Format::Csv,
                        _ => {
                            return Err(bad(format!("format must be jsonl or csv; it is {}.", shown(value))));
                        }
                    };
                }
                _ => {
                    let filter = "since, until, type, severity, resource, cluster_id, project_id, worker_id, net_id, host_id, q, acknowledged";
                    let more: String = also.iter().map(|name| format!(", {name}")).collect();
                    let detail = format!("There is no parameter {}. There are {filter}{more}.", shown(name));
                    return Err(bad(detail));
                }
            }
        }
        Ok(asked)
    }
}

/// RFC 3339 in UTC, or milliseconds since 1970.
pub fn time(name: &str, value: &str) -> Result<Timestamp, ApiError> {
    let wrong = || {
        let detail = format!(
            "{name} must be a time, like 2026-11-21T12:00:00Z or milliseconds since 1970; it is {}.",
            shown(value)
        );
        bad(detail)
    };
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        let millis = value.parse().ok().filter(|millis| i64::try_from(*millis).is_ok());
        return millis.map(Timestamp).ok_or_else(wrong);
    }
    let at: SystemTime = humantime::parse_rfc3339_weak(value).map_err(|_| wrong())?;
    let since = at.duration_since(UNIX_EPOCH).map_err(|_| wrong())?;
    Ok(Timestamp(u64::try_from(since.as_millis()).map_err(|_| wrong())?))
}

/// Whatever it is; with its kind before it, `worker:…`, as the addresses of pages have it.
fn resource(query: &mut EventQuery, name: &str, value: &str) -> Result<(), ApiError> {
    match value.split_once(':') {
        None => query.resource = Some(id(name, value)?),
        Some(("cluster", of)) => query.cluster_id = Some(id(name, of)?),
        Some(("project", of)) => query.project_id = Some(id(name, of)?),
        Some(("worker", of)) => query.worker_id = Some(id(name, of)?),
        Some(("net", of)) => query.net_id = Some(id(name, of)?),
        Some(("host", of)) => query.host_id = Some(id(name, of)?),
        Some(_) => {
            let kinds = "cluster:, project:, worker:, net: or host:";
            return Err(bad(format!(
                "{name} must be an id, alone or after {kinds}; it is {}.",
                shown(value)
            )));
        }
    }
    Ok(())
}

pub fn id<T: FromStr>(name: &str, value: &str) -> Result<T, ApiError> {
    value.parse().map_err(|_| bad(format!("{name} must be an id; it is {}.", shown(value))))
}

fn severity(word: &str) -> Result<Severity, ApiError> {
    let all = [Severity::Info, Severity::Success, Severity::Warning, Severity::Error];
    all.into_iter().find(|severity| severity.as_str() == word.trim()).ok_or_else(|| {
        bad(format!("severity must be info, success, warning or error; it is {}.", shown(word)))
    })
}

fn yes_or_no(name: &str, value: &str) -> Result<bool, ApiError> {
    value.parse().map_err(|_| bad(format!("{name} must be true or false; it is {}.", shown(value))))
}

/// As much of a wrong value as helps.
fn shown(value: &str) -> String {
    match value.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}…", &value[..end]),
        None => format!("{value:?}"),
    }
}
