//! Who may do what.

use super::{ProjectId, Timestamp, TokenId, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a user may do in the fleet. A higher role includes the lower ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

    /// What is left of these roles for somebody who may use them only within `limit`: nowhere more than either.
    pub fn within(&self, limit: &Roles) -> Roles {
        let in_project = |roles: &Roles, project| roles.fleet.max(roles.projects.get(&project).copied());
        let fleet = self.fleet.min(limit.fleet);
        let named = self.projects.keys().chain(limit.projects.keys()).copied();
        let projects = named.filter_map(|project| {
            let role = in_project(self, project).min(in_project(limit, project))?;
            // What the role in the whole fleet gives anyway is not said twice.
            (fleet < Some(role)).then_some((project, role))
        });
        Roles { fleet, projects: projects.collect() }
    }

    /// The highest role anywhere.
    pub fn best(&self) -> Option<Role> {
        self.projects.values().copied().chain(self.fleet).max()
    }
}

/// Whether a user can sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    Active,
    /// Has a link with which to choose a password, and none yet.
    Invited,
    /// May not sign in, and has no session.
    Disabled,
}

impl UserStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            UserStatus::Active => "active",
            UserStatus::Invited => "invited",
            UserStatus::Disabled => "disabled",
        }
    }
}

/// A user as administrators see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub roles: Roles,
    pub status: UserStatus,
    pub created_at: Timestamp,
}

/// A user who is to be invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewUser {
    pub email: String,
    pub name: String,
    /// Their role in the whole fleet; without one they see what the projects show that they are members of.
    #[serde(default)]
    pub role: Option<Role>,
}

/// What is to be different about a user; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserEdit {
    pub name: Option<String>,
    /// `Some(None)` takes the role in the whole fleet away.
    pub role: Option<Option<Role>>,
    pub disabled: Option<bool>,
}

/// A user with a link with which to choose a password, told this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    pub user: UserRow,
    /// A path of this console, `/join/…`. Whoever opens it first is that user: hand it over privately.
    pub link: String,
    pub expires_at: Timestamp,
}

/// A member of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub user_id: UserId,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub status: UserStatus,
}

/// Whether a token lets anybody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenStatus {
    Active,
    Expired,
    Revoked,
}

/// A token without its secret, which nobody knows but who made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    pub id: TokenId,
    pub name: String,
    /// Whose it is; a service's token has nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    /// The owner's name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_name: Option<String>,
    /// The most it may do. What its owner may not do, it may not either.
    pub roles: Roles,
    pub status: TokenStatus,
    pub created_at: Timestamp,
    /// Absent: until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// To the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// A token that is to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewToken {
    pub name: String,
    /// The most it may do; `None`: whatever its owner may. A service has no owner: its roles must be named.
    #[serde(default)]
    pub roles: Option<Roles>,
    /// For a service, which outlives whoever made it. Administrators of the fleet make them.
    #[serde(default)]
    pub service: bool,
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// A new token with its secret, told this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    pub token: TokenRow,
    /// What goes behind `Authorization: Bearer`.
    pub secret: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn project(n: u128) -> ProjectId {
        ProjectId(Uuid::from_u128(n))
    }

    fn roles(fleet: Option<Role>, projects: &[(u128, Role)]) -> Roles {
        Roles { fleet, projects: projects.iter().map(|(n, role)| (project(*n), *role)).collect() }
    }

    #[test]
    fn a_limited_use_of_roles_is_nowhere_more_than_either() {
        use Role::*;
        let all = [None, Some(Viewer), Some(Operator), Some(Admin)];
        let each = || all.into_iter().flat_map(move |fleet| all.into_iter().map(move |one| (fleet, one)));
        for (own_fleet, own_one) in each() {
            for (limit_fleet, limit_one) in each() {
                let of = |fleet, one: Option<Role>| {
                    roles(fleet, &one.map(|role| (1, role)).into_iter().collect::<Vec<_>>())
                };
                let (own, limit) = (of(own_fleet, own_one), of(limit_fleet, limit_one));
                let left = own.within(&limit);
                for role in [Viewer, Operator, Admin] {
                    assert_eq!(left.in_fleet(role), own.in_fleet(role) && limit.in_fleet(role));
                    for n in [1, 2] {
                        let may = own.in_project(project(n), role) && limit.in_project(project(n), role);
                        assert_eq!(left.in_project(project(n), role), may, "{own:?} {limit:?} {n} {role:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn roles_are_held_by_membership_or_in_the_whole_fleet() {
        let member = roles(None, &[(1, Role::Operator)]);
        assert!(member.in_project(project(1), Role::Viewer) && member.in_project(project(1), Role::Operator));
        assert!(!member.in_project(project(1), Role::Admin) && !member.in_project(project(2), Role::Viewer));
        assert!(!member.in_fleet(Role::Viewer));
        assert_eq!(member.best(), Some(Role::Operator));
        assert!(roles(Some(Role::Operator), &[(1, Role::Viewer)]).in_project(project(1), Role::Operator));
        assert_eq!(Roles::default().best(), None);
    }
}
