//! A project: a group of nets, and the unit of membership.

use super::{Name, ProjectId, Timestamp};
use serde::{Deserialize, Serialize};

/// How much of the fleet a project may take. What is absent has no bound; what is there already stays when a bound is lowered below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Quotas {
    /// Nets in the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nets: Option<u32>,
    /// Workers that nets of the project are assigned to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<u32>,
}

impl Quotas {
    pub fn is_none(&self) -> bool {
        *self == Quotas::default()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Project {
    pub id: ProjectId,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Quotas::is_none")]
    pub quotas: Quotas,
    /// Counts every change of this record.
    pub revision: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
