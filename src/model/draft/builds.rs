//! Versions of nets, their builds, and labs in a transaction.
//!
//! `Net::build` is written here and nowhere else, with the change of the build that it tells of.

use super::{Draft, Gone};
use crate::model::{
    Actor, Build, BuildCause, BuildId, Change, Lab, LabEntry, LabId, LabState, Net, NetBuild, NetCause,
    NetId, NetVersion, WorkerId, build::BUILDS_IN_SNAPSHOT,
};
use std::{collections::BTreeMap, sync::Arc};

impl Draft<'_> {
    /// A build of the snapshot.
    pub fn build(&self, id: BuildId) -> Result<&Arc<Build>, Gone> {
        self.builds.get(&id).or_else(|| self.fleet.build(id)).ok_or(Gone("build"))
    }

    pub fn lab(&self, id: LabId) -> Result<&Arc<Lab>, Gone> {
        self.labs.get(&id).map_or_else(|| self.fleet.lab(id), Option::as_ref).ok_or(Gone("lab"))
    }

    /// The labs that live on a worker.
    pub fn labs_on(&self, worker: WorkerId) -> Vec<Arc<Lab>> {
        self.all_labs(|lab| lab.worker_id == Some(worker))
    }

    /// The labs that have a copy of a net.
    pub fn labs_of(&self, net: NetId) -> Vec<Arc<Lab>> {
        self.all_labs(|lab| lab.net_id == net)
    }

    fn all_labs(&self, wanted: impl Fn(&Lab) -> bool) -> Vec<Arc<Lab>> {
        let kept = self.fleet.labs().filter(|lab| !self.labs.contains_key(&lab.id));
        kept.chain(self.labs.values().flatten()).filter(|lab| wanted(lab)).cloned().collect()
    }

    /// Gives a net a new version, which is in force at once unless the net is on a worker.
    pub fn add_version(&mut self, id: NetId, version: NetVersion) -> Result<(), Gone> {
        self.edit_net(id, NetCause::Version, |net| net.newer = Some(version))
    }

    /// Puts a build; its revision is counted here, and its net's row says what became of it.
    pub fn put_build(&mut self, cause: BuildCause, mut build: Build) -> Result<(), Gone> {
        let before = self.build(build.id).map_or(0, |before| before.revision);
        build.revision = before.max(build.revision) + 1;
        let net = self.net(build.net_id)?.clone();
        build.project_id = net.project_id;
        let build = Arc::new(build);
        self.builds.insert(build.id, build.clone());
        self.record(Change::BuildPut { cause, build: build.clone() });
        let is_newest = build.version == net.newest().number;
        let told = NetBuild::from(&*build);
        if is_newest && net.build.as_ref() != Some(&told) {
            self.put_net(&net, NetCause::Build, |net| net.build = Some(told));
        }
        Ok(())
    }

    /// Puts a lab; its revision and times are counted here. What was added to its history is told in the event log.
    pub fn put_lab(&mut self, lab: Lab) -> Result<(), Gone> {
        self.net(lab.net_id)?;
        if let Some(change) = self.write_lab(lab) {
            self.record(change);
        }
        Ok(())
    }

    pub fn delete_lab(&mut self, id: LabId) -> Result<(), Gone> {
        let project_id = self.lab(id)?.project_id;
        self.record(Change::LabDeleted { id, project_id });
        self.labs.insert(id, None);
        Ok(())
    }

    fn write_lab(&mut self, mut lab: Lab) -> Option<Change> {
        let before = self.lab(lab.id).ok().cloned();
        if before.as_deref() == Some(&lab) {
            return None;
        }
        lab.revision = before.as_ref().map_or(0, |before| before.revision) + 1;
        lab.created_at = before.map_or(self.now, |before| before.created_at);
        lab.updated_at = self.now;
        let lab = Arc::new(lab);
        self.labs.insert(lab.id, Some(lab.clone()));
        Some(Change::LabPut { lab })
    }

    /// Their worker left `ready`, which tells of it: what was not over is lost until the worker is heard again.
    pub(super) fn lose_labs(&mut self, worker: WorkerId, gone: bool) {
        for before in self.labs_on(worker) {
            let mut lab = Lab::clone(&before);
            if gone {
                (lab.worker_id, lab.incarnation) = (None, None);
            }
            if !lab.state.is_over() {
                let why = if gone { "Its worker was deleted." } else { "Its worker is not ready." };
                if lab.state != LabState::Lost {
                    let text =
                        if gone { "Lost: its worker was deleted" } else { "Lost: its worker is not ready" };
                    let (at, actor) = (self.now, Actor::System);
                    lab.remember(LabEntry { at, actor, action: None, text: text.to_owned() });
                }
                (lab.state, lab.error) = (LabState::Lost, Some(why.to_owned()));
            }
            let change = self.write_lab(lab);
            self.changes.extend(change);
        }
    }

    /// What goes with a net that moved to another project.
    pub(super) fn follow_net(&mut self, net: &Net) {
        let builds = self.fleet.builds().filter(|build| !self.builds.contains_key(&build.id));
        let builds: Vec<_> =
            builds.chain(self.builds.values()).filter(|build| build.net_id == net.id).cloned().collect();
        for build in builds {
            let build =
                Build { project_id: net.project_id, revision: build.revision + 1, ..Build::clone(&build) };
            let build = Arc::new(build);
            self.builds.insert(build.id, build.clone());
            self.changes.push(Change::BuildPut { cause: BuildCause::Moved, build });
        }
        for lab in self.labs_of(net.id) {
            let change = self.write_lab(Lab { project_id: net.project_id, ..Lab::clone(&lab) });
            self.changes.extend(change);
        }
    }

    /// What goes with a net that is deleted.
    pub(super) fn forget_with_net(&mut self, id: NetId) {
        for lab in self.labs_of(id) {
            self.record(Change::LabDeleted { id: lab.id, project_id: lab.project_id });
            self.labs.insert(lab.id, None);
        }
        self.builds.retain(|_, build| build.net_id != id);
    }

    /// Keeps the snapshot small: of what is over, the newest stay.
    pub(super) fn trim_builds(&mut self) {
        if self.builds.is_empty() {
            return;
        }
        let mut over: BTreeMap<BuildId, bool> =
            self.fleet.builds().map(|build| (build.id, build.status.is_over())).collect();
        over.extend(self.builds.values().map(|build| (build.id, build.status.is_over())));
        let over: Vec<BuildId> = over.into_iter().filter(|(_, over)| *over).map(|(id, _)| id).collect();
        let surplus = over.len().saturating_sub(BUILDS_IN_SNAPSHOT);
        self.changes.extend(over.into_iter().take(surplus).map(|id| Change::BuildTrimmed { id }));
    }
}
