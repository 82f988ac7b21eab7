//! Builds: a signal for each version of a net that somebody looks at.

use super::Store;
use crate::model::{Build, EntityRef, Fleet, NetId};
use leptos::prelude::*;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

type BuildRow = ArcRwSignal<Option<Arc<Build>>>;

#[derive(Default)]
pub struct BuildRows {
    /// The last build of each version. Of what nobody looks at there is a row all the same: it costs little, and the order in which pages
    /// and rows come does not matter.
    rows: HashMap<(NetId, u32), BuildRow>,
}

impl BuildRows {
    fn row(&mut self, net: NetId, version: u32) -> BuildRow {
        self.rows.entry((net, version)).or_default().clone()
    }

    fn put(&mut self, build: &Arc<Build>) {
        let row = self.row(build.net_id, build.version);
        // Ids are in the order of time.
        let newer = row.with_untracked(|before| {
            before.as_ref().is_none_or(|before| before.id <= build.id && before != build)
        });
        if newer {
            row.set(Some(build.clone()));
        }
    }

    pub fn replace(&mut self, fleet: &Fleet) {
        self.rows.retain(|(net, _), _| fleet.net(*net).is_some());
        fleet.builds().for_each(|build| self.put(build));
    }

    pub fn apply(&mut self, fleet: &Fleet, changed: &HashSet<EntityRef>) {
        for entity in changed {
            match entity {
                EntityRef::Build(id) => {
                    if let Some(build) = fleet.build(*id) {
                        self.put(build);
                    }
                }
                EntityRef::Net(id) if fleet.net(*id).is_none() => self.rows.retain(|(net, _), _| net != id),
                _ => {}
            }
        }
    }
}

impl Store {
    /// The last build of a version of a net, as far as it is known here: those that ended long ago are not.
    pub fn build_of(&self, net: NetId, version: u32) -> ArcRwSignal<Option<Arc<Build>>> {
        self.build_rows.try_update_value(|rows| rows.row(net, version)).unwrap_or_default()
    }
}
