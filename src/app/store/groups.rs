//! The same counts as over the whole fleet, for each cluster and each project: kept up to date row by row.

use super::summary::{Summary, Tally};
use crate::{
    app::within::Within,
    model::{Cluster, ClusterId, Connection, Net, NetId, ProjectId, Worker, WorkerId},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::Hash,
    sync::Arc,
};

/// Of a cluster its workers are counted, of a project its nets. Those that have none are not here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Groups {
    pub clusters: BTreeMap<ClusterId, Arc<Summary>>,
    pub projects: BTreeMap<ProjectId, Arc<Summary>>,
}

impl Groups {
    pub fn cluster(&self, id: ClusterId) -> Arc<Summary> {
        self.clusters.get(&id).cloned().unwrap_or_default()
    }

    pub fn project(&self, id: ProjectId) -> Arc<Summary> {
        self.projects.get(&id).cloned().unwrap_or_default()
    }

    /// The counts over what is looked at, where `all` are those over the fleet. Hosts belong to no cluster: they are all in it.
    pub fn within(&self, all: &Summary, within: Within, clusters: &[Arc<Cluster>]) -> Summary {
        let mut summary = all.clone();
        if let Some(id) = within.cluster {
            let chosen = clusters.iter().find(|row| row.id == id);
            let is = |connection| usize::from(chosen.is_some_and(|row| row.connection == connection));
            summary.clusters = usize::from(chosen.is_some());
            summary.clusters_connected = is(Connection::Connected);
            summary.clusters_away = is(Connection::Disconnected);
            summary.take_workers(&self.cluster(id));
        }
        if let Some(id) = within.project {
            summary.take_nets(&self.project(id));
        }
        summary
    }
}

/// What [`Groups`] are read from.
#[derive(Debug, Default)]
pub struct GroupTally {
    clusters: HashMap<ClusterId, Tally>,
    projects: HashMap<ProjectId, Tally>,
    /// Those whose summaries are behind.
    moved: HashSet<ClusterId>,
    moved_projects: HashSet<ProjectId>,
    groups: Groups,
}

impl GroupTally {
    /// A worker was `before` and is `after`.
    pub fn worker(&mut self, id: WorkerId, before: Option<&Worker>, after: Option<&Worker>) {
        let of = |row: &Worker| row.cluster_id;
        for_each_group(&mut self.clusters, &mut self.moved, before, after, of, |tally, before, after| {
            tally.worker(id, before, after);
        });
    }

    /// A net was `before` and is `after`.
    pub fn net(&mut self, id: NetId, before: Option<&Net>, after: Option<&Net>) {
        let of = |row: &Net| row.project_id;
        for_each_group(
            &mut self.projects,
            &mut self.moved_projects,
            before,
            after,
            of,
            |tally, before, after| {
                tally.net(id, before, after);
            },
        );
    }

    /// Brings the groups up to date; `None` if they are what they were.
    pub fn read(&mut self) -> Option<&Groups> {
        let mut changed = summarise(&mut self.clusters, &mut self.moved, &mut self.groups.clusters);
        changed |= summarise(&mut self.projects, &mut self.moved_projects, &mut self.groups.projects);
        changed.then_some(&self.groups)
    }
}

fn for_each_group<I: Copy + Eq + Hash, T>(
    tallies: &mut HashMap<I, Tally>,
    moved: &mut HashSet<I>,
    before: Option<&T>,
    after: Option<&T>,
    of: impl Fn(&T) -> I,
    mut tell: impl FnMut(&mut Tally, Option<&T>, Option<&T>),
) {
    let (was, is) = (before.map(&of), after.map(&of));
    let groups = was.into_iter().chain(is.filter(|is| Some(*is) != was));
    for group in groups {
        let within = |row: Option<&T>, at: Option<I>| row.filter(|_| at == Some(group)).is_some();
        let (before, after) = (before.filter(|_| within(before, was)), after.filter(|_| within(after, is)));
        tell(tallies.entry(group).or_default(), before, after);
        moved.insert(group);
    }
}

fn summarise<I: Copy + Eq + Ord + Hash>(
    tallies: &mut HashMap<I, Tally>,
    moved: &mut HashSet<I>,
    groups: &mut BTreeMap<I, Arc<Summary>>,
) -> bool {
    let mut changed = false;
    for id in moved.drain() {
        let summary = tallies.get_mut(&id).map(|tally| tally.summary(Default::default()));
        match summary.filter(|summary| summary.workers > 0 || summary.nets > 0) {
            Some(summary) => {
                if groups.get(&id).is_none_or(|before| **before != *summary) {
                    groups.insert(id, Arc::new(summary.clone()));
                    changed = true;
                }
            }
            None => {
                tallies.remove(&id);
                changed |= groups.remove(&id).is_some();
            }
        }
    }
    changed
}
