//! Who may do what.

use super::ProjectId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a user may do in the fleet. A higher role includes the lower ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees everything in scope, changes nothing.
    Viewer,
    /// Acts on workers and nets.
    Operator,
    /// Also manages users, clusters and projects.
    Admin,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Role> {
        [Role::Viewer, Role::Operator, Role::Admin].into_iter().find(|role| role.as_str() == text)
    }
}

/// What one user may do where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Roles {
    /// In the whole fleet: it counts in every project, and is what workers, clusters and hosts ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet: Option<Role>,
    /// As a member of projects.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub projects: BTreeMap<ProjectId, Role>,
}

impl Roles {
    /// Whether the user has at least `role` in the whole fleet.
    pub fn in_fleet(&self, role: Role) -> bool {
        self.fleet >= Some(role)
    }

    /// Whether the user has at least `role` in a project, by membership or in the whole fleet.
    pub fn in_project(&self, project: ProjectId, role: Role) -> bool {
        self.in_fleet(role) || self.projects.get(&project).is_some_and(|member| *member >= role)
    }

    /// The highest role anywhere.
    pub fn best(&self) -> Option<Role> {
        self.projects.values().copied().chain(self.fleet).max()
    }
}
