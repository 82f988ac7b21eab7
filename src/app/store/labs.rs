//! Labs: a signal a row, and which are on each worker and of each net, kept up row by row.

use super::{Figures, Row, rows::put};
use crate::model::{EntityRef, Fleet, Lab, LabFigures, LabId, NetId, Timestamp, WorkerId};
use leptos::prelude::*;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::Hash,
    sync::Arc,
};

/// Oldest first.
type Ages = BTreeSet<(Timestamp, LabId)>;
type Ids = ArcRwSignal<Vec<LabId>>;

/// The labs of each worker or of each net that has any.
struct By<K> {
    all: HashMap<K, Ages>,
    /// Signals over `all`, newest first, of those that somebody asked for.
    asked: HashMap<K, Ids>,
}

impl<K> Default for By<K> {
    fn default() -> By<K> {
        By { all: HashMap::new(), asked: HashMap::new() }
    }
}

impl<K: Copy + Eq + Hash> By<K> {
    fn put(&mut self, key: Option<K>, age: (Timestamp, LabId)) {
        if let Some(key) = key {
            self.all.entry(key).or_default().insert(age);
        }
    }

    fn take(&mut self, key: Option<K>, age: (Timestamp, LabId)) {
        if let Some(key) = key
            && let Some(ages) = self.all.get_mut(&key)
        {
            ages.remove(&age);
            if ages.is_empty() {
                self.all.remove(&key);
            }
        }
    }

    fn ids(&mut self, key: K) -> Ids {
        let now = self.all.get(&key);
        self.asked.entry(key).or_insert_with(|| ArcRwSignal::new(newest_first(now))).clone()
    }

    /// Shows the signals of `key` what is so now.
    fn show(&self, key: K) {
        if let Some(signal) = self.asked.get(&key) {
            let ids = newest_first(self.all.get(&key));
            if signal.with_untracked(|before| *before != ids) {
                signal.set(ids);
            }
        }
    }

    fn show_all(&self) {
        self.asked.keys().for_each(|key| self.show(*key));
    }
}

fn newest_first(labs: Option<&Ages>) -> Vec<LabId> {
    labs.into_iter().flatten().rev().map(|(_, id)| *id).collect()
}

#[derive(Default)]
pub struct LabRows {
    labs: HashMap<LabId, Row<Lab>>,
    order: Ages,
    of_worker: By<WorkerId>,
    of_net: By<NetId>,
    figures: HashMap<LabId, Figures<LabFigures>>,
}

impl LabRows {
    /// Takes over every row of `fleet`.
    pub fn replace(&mut self, fleet: &Fleet) {
        self.labs.retain(|id, _| fleet.lab(*id).is_some());
        self.figures.retain(|id, _| fleet.lab(*id).is_some());
        self.order = fleet.labs().map(|row| (row.created_at, row.id)).collect();
        (self.of_worker.all, self.of_net.all) = Default::default();
        for row in fleet.labs() {
            put(&mut self.labs, row.id, Some(row));
            self.of_worker.put(row.worker_id, (row.created_at, row.id));
            self.of_net.put(Some(row.net_id), (row.created_at, row.id));
        }
        self.of_worker.asked.retain(|id, _| fleet.worker(*id).is_some());
        self.of_net.asked.retain(|id, _| fleet.net(*id).is_some());
        self.of_worker.show_all();
        self.of_net.show_all();
    }

    /// Takes over the rows of `fleet` that are named in `changed`. Whether labs came or went.
    pub fn apply(&mut self, fleet: &Fleet, changed: &HashSet<EntityRef>) -> bool {
        let mut moved = false;
        let mut gone = Vec::new();
        for entity in changed {
            match entity {
                EntityRef::Lab(id) => moved |= self.change(*id, fleet.lab(*id)),
                // A net takes its labs with it, without a word about each.
                EntityRef::Net(id) => {
                    let labs = self.of_net.all.get(id).into_iter().flatten();
                    let taken: Vec<_> =
                        labs.map(|(_, lab)| *lab).filter(|lab| fleet.lab(*lab).is_none()).collect();
                    for lab in taken {
                        moved |= self.change(lab, None);
                    }
                    if fleet.net(*id).is_none() {
                        self.of_net.asked.remove(id);
                    }
                }
                EntityRef::Worker(id) if fleet.worker(*id).is_none() => gone.push(*id),
                _ => {}
            }
        }
        // Only now: who still holds the signal has been shown the end.
        gone.iter().for_each(|id| _ = self.of_worker.asked.remove(id));
        moved
    }

    /// The row of a lab is another. Whether it came or went.
    fn change(&mut self, id: LabId, after: Option<&Arc<Lab>>) -> bool {
        let before = put(&mut self.labs, id, after);
        if let Some(row) = &before {
            let age = (row.created_at, id);
            self.order.remove(&age);
            self.of_worker.take(row.worker_id, age);
            self.of_net.take(Some(row.net_id), age);
        }
        if let Some(row) = after {
            let age = (row.created_at, id);
            self.order.insert(age);
            self.of_worker.put(row.worker_id, age);
            self.of_net.put(Some(row.net_id), age);
        } else {
            self.figures.remove(&id);
        }
        for row in before.as_ref().into_iter().chain(after) {
            row.worker_id.into_iter().for_each(|worker| self.of_worker.show(worker));
            self.of_net.show(row.net_id);
        }
        before.is_some() != after.is_some()
    }

    pub fn lab(&self, id: LabId) -> Option<Row<Lab>> {
        self.labs.get(&id).cloned()
    }

    /// Newest first.
    pub fn ids(&self) -> Vec<LabId> {
        newest_first(Some(&self.order))
    }

    pub fn on_worker(&mut self, id: WorkerId) -> Ids {
        self.of_worker.ids(id)
    }

    pub fn of_net(&mut self, id: NetId) -> Ids {
        self.of_net.ids(id)
    }

    pub fn figures(&mut self, id: LabId) -> Figures<LabFigures> {
        self.figures.entry(id).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::store::Store,
        model::{
            Change, DefinitionHash, LabPlan, LabProgress, LabState, Name, Net, NetCause, NetSize, ProjectId,
            Telemetry, WorkerMetrics,
        },
    };
    use proptest::prelude::*;
    use uuid::Uuid;

    fn worker_id(n: u8) -> WorkerId {
        WorkerId(Uuid::from_u128(500 + u128::from(n)))
    }

    fn net_id(n: u8) -> NetId {
        NetId(Uuid::from_u128(600 + u128::from(n)))
    }

    fn lab_id(n: u8) -> LabId {
        LabId(Uuid::from_u128(700 + u128::from(n)))
    }

    const PROJECT: ProjectId = ProjectId(Uuid::from_u128(1));

    fn lab(n: u8, on: Option<u8>, state: LabState) -> Change {
        let lab = Lab {
            id: lab_id(n),
            project_id: PROJECT,
            net_id: net_id(n % 3),
            version: 1,
            definition: DefinitionHash::of(b"<pnml/>"),
            worker_id: on.map(worker_id),
            name: Name::new("a lab").unwrap(),
            plan: LabPlan::Explore { seconds: 10, memory_mb: 64 },
            state,
            error: None,
            progress: LabProgress::default(),
            incarnation: None,
            synced_at: Timestamp(0),
            history: Vec::new(),
            revision: 1,
            created_at: Timestamp(u64::from(n)),
            updated_at: Timestamp(0),
        };
        Change::LabPut { lab: Arc::new(lab) }
    }

    fn net(n: u8) -> Change {
        let name = Name::new("a net").unwrap();
        let net =
            Net::unassigned(net_id(n), name, PROJECT, DefinitionHash::of(b"<pnml/>"), NetSize::default());
        Change::NetPut { cause: NetCause::Edited, net: Arc::new(net), moved_from: None }
    }

    fn change() -> impl Strategy<Value = Change> {
        let state = proptest::sample::select(&[LabState::Idle, LabState::Running, LabState::Lost][..]);
        prop_oneof![
            6 => (0..7u8, proptest::option::of(0..3u8), state).prop_map(|(n, on, state)| lab(n, on, state)),
            2 => (0..7u8).prop_map(|n| Change::LabDeleted { id: lab_id(n), project_id: PROJECT }),
            2 => (0..3u8).prop_map(net),
            1 => (0..3u8).prop_map(|n| Change::NetDeleted { id: net_id(n), project_id: None }),
        ]
    }

    fn touched(change: &Change) -> EntityRef {
        match change {
            Change::LabPut { lab } => EntityRef::Lab(lab.id),
            Change::LabDeleted { id, .. } => EntityRef::Lab(*id),
            Change::NetPut { net, .. } => EntityRef::Net(net.id),
            Change::NetDeleted { id, .. } => EntityRef::Net(*id),
            other => unreachable!("not made here: {other:?}"),
        }
    }

    proptest! {
        #[test]
        fn labs_fed_by_changes_are_the_labs_filled_anew(batches in prop::collection::vec(prop::collection::vec(change(), 0..6), 1..30)) {
            let owner = Owner::new();
            owner.set();
            let (store, mut fleet) = (Store::new(), Fleet::default());
            for batch in batches {
                batch.iter().for_each(|change| fleet.apply(change));
                store.apply(&fleet, &batch.iter().map(touched).collect());
                let anew = Store::new();
                anew.replace(&fleet);
                prop_assert_eq!(store.labs.get_untracked(), anew.labs.get_untracked());
                for n in 0..3 {
                    prop_assert_eq!(store.labs_on(worker_id(n)).get_untracked(), anew.labs_on(worker_id(n)).get_untracked());
                    prop_assert_eq!(store.labs_of(net_id(n)).get_untracked(), anew.labs_of(net_id(n)).get_untracked());
                }
                for row in fleet.labs() {
                    prop_assert_eq!(store.lab_row(row.id).map(|signal| signal.get_untracked()), Some(row.clone()));
                }
            }
        }
    }

    #[test]
    fn what_a_worker_says_of_its_labs_is_kept_with_its_time() {
        let owner = Owner::new();
        owner.set();
        let store = Store::new();
        let figures = LabFigures {
            id: lab_id(1),
            state: LabState::Running,
            progress: LabProgress { runs: 7, firings: 70, states: 0 },
        };
        let said = |at| Telemetry {
            worker_id: worker_id(1),
            at: Timestamp(at),
            worker: WorkerMetrics::default(),
            nets: Vec::new(),
            labs: vec![figures],
        };
        store.telemetry_arrived(&[said(5), said(6)]);
        let dated = store.lab_figures(lab_id(1)).get_untracked().expect("told");
        assert_eq!((dated.at, dated.value), (Timestamp(6), figures));
    }
}
