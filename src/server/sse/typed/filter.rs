//! Which events of its scope a client wants.

use super::message::Message;
use crate::{
    app::error::ApiError,
    model::{ClusterId, HostId, NetId, ProjectId, WorkerId},
};
use std::str::FromStr;

/// Events for which all that is given holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    cluster_id: Option<ClusterId>,
    project_id: Option<ProjectId>,
    worker_id: Option<WorkerId>,
    net_id: Option<NetId>,
    host_id: Option<HostId>,
    region: Option<String>,
    /// What a type begins with, up to its first dot: one of these; empty for any.
    resource_types: Vec<&'static str>,
}

const RESOURCE_TYPES: [&str; 12] = [
    "worker",
    "net",
    "host",
    "command",
    "pipeline",
    "pull_request",
    "cluster",
    "project",
    "error",
    "event",
    "lab",
    "build",
];

/// Parameters that are not filters.
const OTHERS: [&str; 4] = ["since", "unnamed", "ticket", "token"];

impl Filter {
    pub fn read(pairs: &[(String, String)]) -> Result<Filter, ApiError> {
        let mut filter = Filter::default();
        for (name, value) in pairs {
            match name.as_str() {
                // As forms and clients write what is not asked for.
                _ if value.is_empty() => {}
                "cluster_id" => filter.cluster_id = Some(id(name, value)?),
                "project_id" => filter.project_id = Some(id(name, value)?),
                "worker_id" => filter.worker_id = Some(id(name, value)?),
                // Seed 004 calls a net a workload.
                "net_id" | "workload_id" => filter.net_id = Some(id(name, value)?),
                "host_id" => filter.host_id = Some(id(name, value)?),
                "region" => filter.region = Some(value.clone()),
                "resource_type" => {
                    filter.resource_types = value.split(',').map(resource_type).collect::<Result<_, _>>()?;
                }
                name if OTHERS.contains(&name) => {}
                // A filter that is misspelt would let everything through.
                name => {
                    let shown: String = name.chars().take(60).collect();
                    return Err(bad(format!(
                        "There is no parameter {shown:?}. There are cluster_id, project_id, worker_id, net_id, workload_id, host_id, region, resource_type, since and ticket."
                    )));
                }
            }
        }
        Ok(filter)
    }

    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    pub fn holds(&self, message: &Message) -> bool {
        let about = &message.about;
        fn is<T: PartialEq>(wanted: &Option<T>, has: &Option<T>) -> bool {
            wanted.is_none() || wanted == has
        }
        let kind = message.kind.split('.').next().unwrap_or_default();
        (self.resource_types.is_empty() || self.resource_types.contains(&kind))
            && is(&self.worker_id, &about.worker_id)
            && is(&self.net_id, &about.net_id)
            && is(&self.host_id, &about.host_id)
            && (is(&self.project_id, &about.project_id) || self.project_id == about.left)
            && (is(&self.cluster_id, &about.cluster_id) || about.is_unplaced && about.cluster_id.is_none())
            && (is(&self.region, &about.region) || about.is_unplaced)
    }
}

fn id<T: FromStr>(name: &str, value: &str) -> Result<T, ApiError> {
    let shown: String = value.chars().take(60).collect();
    value.parse().map_err(|_| bad(format!("{name} must be an id; it is {shown:?}.")))
}

fn resource_type(word: &str) -> Result<&'static str, ApiError> {
    let word = if word == "workload" { "net" } else { word.trim() };
    RESOURCE_TYPES.into_iter().find(|known| *known == word).ok_or_else(|| {
        let shown: String = word.chars().take(60).collect();
        bad(format!(
            "There is no resource_type {shown:?}. There are workload and {}.",
            RESOURCE_TYPES.join(", ")
        ))
    })
}

fn bad(detail: String) -> ApiError {
    ApiError::BadRequest { detail }
}
