//! What a user may see. Visibility is a function of the row alone (DESIGN.md section 3).

use crate::model::{Change, Event, Fleet, ProjectId};
use std::collections::BTreeSet;
use xxhash_rust::xxh3::xxh3_64;

/// The part of the fleet that a user sees. Clusters and workers are visible to everyone who is signed in; nets and their events belong to
/// a project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// A role in the whole fleet.
    Fleet,
    /// A member of these projects.
    Projects(BTreeSet<ProjectId>),
}

impl Scope {
    /// The number in a position that tells scopes apart.
    pub fn revision(&self) -> u64 {
        match self {
            Scope::Fleet => 0,
            Scope::Projects(projects) => {
                let bytes: Vec<u8> = projects.iter().flat_map(|id| *id.0.as_bytes()).collect();
                xxh3_64(&bytes) | 1
            }
        }
    }

    /// Whether hosts, commands and pipelines are in it.
    pub fn sees_hosts(&self) -> bool {
        *self == Scope::Fleet
    }

    pub fn sees_project(&self, project: ProjectId) -> bool {
        match self {
            Scope::Fleet => true,
            Scope::Projects(projects) => projects.contains(&project),
        }
    }

    pub fn sees_event(&self, event: &Event) -> bool {
        *self == Scope::Fleet
            || !event.is_of_hosts() && event.project_id.is_none_or(|project| self.sees_project(project))
    }

    /// A change as this scope sees it: itself, a removal if the row left the scope, or nothing.
    pub fn of_change(&self, change: &Change) -> Option<Change> {
        if *self == Scope::Fleet {
            return Some(change.clone());
        }
        let seen = match change {
            Change::ClusterPut { .. }
            | Change::ClusterDeleted { .. }
            | Change::WorkerPut { .. }
            | Change::WorkerDeleted { .. }
            | Change::RulesPut { .. }
            // A number that says nothing.
            | Change::BuildTrimmed { .. }
            | Change::EventsTrimmed { .. } => true,
            Change::ProjectPut { project, .. } => self.sees_project(project.id),
            Change::ProjectDeleted { id } => self.sees_project(*id),
            Change::NetPut { net, moved_from, cause } => {
                let left = !self.sees_project(net.project_id)
                    && moved_from.is_some_and(|before| self.sees_project(before));
                if left {
                    return Some(Change::NetDeleted { id: net.id, project_id: None });
                }
                // Where it comes from is nobody's business who was not there.
                if moved_from.is_some_and(|before| !self.sees_project(before)) {
                    let entered = || Change::NetPut { cause: *cause, net: net.clone(), moved_from: None };
                    return self.sees_project(net.project_id).then(entered);
                }
                self.sees_project(net.project_id)
            }
            Change::NetDeleted { project_id, .. } => {
                project_id.is_some_and(|project| self.sees_project(project))
            }
            Change::BuildPut { build, .. } => self.sees_project(build.project_id),
            Change::LabPut { lab } => self.sees_project(lab.project_id),
            Change::LabDeleted { project_id, .. } => self.sees_project(*project_id),
            // Hosts need a role in the whole fleet.
            Change::HostPut { .. }
            | Change::HostDeleted { .. }
            | Change::CommandPut { .. }
            | Change::CommandTrimmed { .. }
            | Change::PipelinePut { .. }
            | Change::PipelineTrimmed { .. }
            | Change::PullRequestPut { .. }
            | Change::PullRequestGone { .. }
            | Change::RepositoryPut { .. } => false,
            Change::EventLogged { event } | Change::EventAcknowledged { event } => self.sees_event(event),
        };
        seen.then(|| change.clone())
    }

    /// The part of `fleet` that this scope sees.
    pub fn of_fleet(&self, fleet: &Fleet) -> Fleet {
        match self {
            Scope::Fleet => fleet.clone(),
            Scope::Projects(_) => fleet.filtered(|project| self.sees_project(project)),
        }
    }
}
