//! Hosts, their commands and pipelines: a signal a row, and what is counted over them, kept up row by row.

use super::{Figures, Row, order::Order, rows::put, summary::NAMED};
use crate::model::{
    Command, CommandId, CommandStatus, CompartmentKind, CompartmentStatus, EntityRef, Fleet, Host, HostId,
    HostMetrics, Pipeline, PipelineId, Timestamp,
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

/// Counts over all hosts, and which need attention.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSummary {
    pub hosts: usize,
    pub online: usize,
    /// Hosts with something of [`HostTrouble`].
    pub troubled: usize,
    /// The first [`NAMED`] of them, by name.
    pub troubled_hosts: Vec<HostId>,
    /// Pipelines that are not over.
    pub pipelines_open: usize,
}

/// Why a host needs somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostTrouble {
    /// Its agent was there, and is not.
    Offline,
    /// What it is about, and what its host says.
    Compartment(CompartmentKind, String),
    /// Its last command did not end well.
    Command(CommandId),
}

/// What is wrong with `host`, whose last command to end is `last`. A host whose agent never came, or may not come, waits for nobody.
pub fn host_trouble(host: &Host, last: Option<&Command>) -> Vec<HostTrouble> {
    let mut trouble = Vec::new();
    if !host.online && host.agent.is_some() && !host.revoked {
        trouble.push(HostTrouble::Offline);
    }
    for kind in CompartmentKind::ALL {
        let compartment = host.compartments.get(kind);
        if compartment.status == CompartmentStatus::Error {
            trouble.push(HostTrouble::Compartment(kind, compartment.message.clone()));
        }
    }
    let failed = |command: &&Command| {
        matches!(command.status, CommandStatus::Failed | CommandStatus::TimedOut | CommandStatus::Lost)
    };
    trouble.extend(last.filter(failed).map(|command| HostTrouble::Command(command.id)));
    trouble
}

#[derive(Default)]
pub struct HostRows {
    hosts: HashMap<HostId, Row<Host>>,
    order: Order<HostId>,
    figures: HashMap<HostId, Figures<HostMetrics>>,
    commands: HashMap<CommandId, Row<Command>>,
    /// The commands of each host that has any in the snapshot, oldest first.
    of_host: HashMap<HostId, BTreeSet<(Timestamp, CommandId)>>,
    /// Signals over `of_host`, newest first, of the hosts that somebody asked for.
    asked: HashMap<HostId, ArcRwSignal<Vec<CommandId>>>,
    pipelines: HashMap<PipelineId, Row<Pipeline>>,
    pipeline_order: BTreeSet<(Timestamp, PipelineId)>,
    /// The names under which troubled hosts are in `troubled`.
    named: HashMap<HostId, String>,
    troubled: Order<HostId>,
    online: usize,
    open: usize,
}

/// Which orders are others than before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostOrders {
    pub hosts: bool,
    pub pipelines: bool,
}

impl HostRows {
    /// Takes over every row of `fleet`.
    pub fn replace(&mut self, fleet: &Fleet) {
        self.hosts.retain(|id, _| fleet.host(*id).is_some());
        self.figures.retain(|id, _| fleet.host(*id).is_some());
        self.asked.retain(|id, _| fleet.host(*id).is_some());
        self.commands.retain(|id, _| fleet.command(*id).is_some());
        self.pipelines.retain(|id, _| fleet.pipeline(*id).is_some());
        self.order = Order::of(fleet.hosts().map(|row| (row.name.as_str(), row.id)));
        self.online = fleet.hosts().filter(|row| row.online).count();
        self.open = fleet.pipelines().filter(|row| !row.status.is_over()).count();
        self.pipeline_order = fleet.pipelines().map(|row| (row.created_at, row.id)).collect();
        (self.of_host, self.named, self.troubled) = Default::default();
        for row in fleet.hosts() {
            put(&mut self.hosts, row.id, Some(row));
        }
        for row in fleet.commands() {
            put(&mut self.commands, row.id, Some(row));
            self.of_host.entry(row.host_id).or_default().insert((row.queued_at, row.id));
        }
        for row in fleet.pipelines() {
            put(&mut self.pipelines, row.id, Some(row));
        }
        fleet.hosts().for_each(|row| self.judge(row.id));
        for (id, signal) in &self.asked {
            show(signal, self.of_host.get(id));
        }
    }

    /// Takes over the rows of `fleet` that are named in `changed`.
    pub fn apply(&mut self, fleet: &Fleet, changed: &HashSet<EntityRef>) -> HostOrders {
        let mut orders = HostOrders::default();
        let (mut touched, mut moved) = (HashSet::new(), HashSet::new());
        for entity in changed {
            match entity {
                EntityRef::Host(id) => {
                    let after = fleet.host(*id);
                    let before = put(&mut self.hosts, *id, after);
                    let name = |row: Option<&Arc<Host>>| row.map(|row| row.name.to_string());
                    orders.hosts |=
                        self.order.change(*id, name(before.as_ref()).as_deref(), name(after).as_deref());
                    self.online += usize::from(after.is_some_and(|row| row.online));
                    self.online -= usize::from(before.is_some_and(|row| row.online));
                    if after.is_none() {
                        self.figures.remove(id);
                    }
                    touched.insert(*id);
                }
                EntityRef::Command(id) => {
                    let after = fleet.command(*id);
                    let before = put(&mut self.commands, *id, after);
                    let place = |row: &Arc<Command>| (row.host_id, row.queued_at);
                    let (was, is) = (before.as_ref().map(place), after.map(place));
                    if was != is {
                        if let Some((host, at)) = was {
                            moved.insert(host);
                            if let Some(all) = self.of_host.get_mut(&host) {
                                all.remove(&(at, *id));
                                if all.is_empty() {
                                    self.of_host.remove(&host);
                                }
                            }
                        }
                        if let Some((host, at)) = is {
                            moved.insert(host);
                            self.of_host.entry(host).or_default().insert((at, *id));
                        }
                    }
                    touched.extend(was.or(is).map(|(host, _)| host));
                }
                EntityRef::Pipeline(id) => {
                    let after = fleet.pipeline(*id);
                    let before = put(&mut self.pipelines, *id, after);
                    let open = |row: Option<&Arc<Pipeline>>| row.is_some_and(|row| !row.status.is_over());
                    self.open += usize::from(open(after));
                    self.open -= usize::from(open(before.as_ref()));
                    if before.is_none() || after.is_none() {
                        orders.pipelines = true;
                        before
                            .iter()
                            .for_each(|row| _ = self.pipeline_order.remove(&(row.created_at, row.id)));
                        self.pipeline_order.extend(after.map(|row| (row.created_at, row.id)));
                    }
                }
                _ => {}
            }
        }
        touched.into_iter().for_each(|id| self.judge(id));
        for id in moved {
            if let Some(signal) = self.asked.get(&id) {
                show(signal, self.of_host.get(&id));
            }
        }
        self.asked.retain(|id, _| self.hosts.contains_key(id));
        orders
    }

    /// Puts the host among those that need attention, or takes it out.
    fn judge(&mut self, id: HostId) {
        let host = self.hosts.get(&id).map(|row| row.get_untracked());
        let last = self.last_ended(id);
        let after = host
            .filter(|host| !host_trouble(host, last.as_deref()).is_empty())
            .map(|host| host.name.to_string());
        let before = match &after {
            Some(name) => self.named.insert(id, name.clone()),
            None => self.named.remove(&id),
        };
        self.troubled.change(id, before.as_deref(), after.as_deref());
    }

    /// The newest command of a host that is over.
    pub fn last_ended(&self, id: HostId) -> Option<Arc<Command>> {
        let newest_first = self.of_host.get(&id)?.iter().rev();
        newest_first
            .filter_map(|(_, id)| self.commands.get(id).map(|row| row.get_untracked()))
            .find(|command| command.status.is_over())
    }

    pub fn summary(&self) -> HostSummary {
        HostSummary {
            hosts: self.order.len(),
            online: self.online,
            troubled: self.troubled.len(),
            troubled_hosts: self.troubled.first(NAMED),
            pipelines_open: self.open,
        }
    }

    pub fn host(&self, id: HostId) -> Option<Row<Host>> {
        self.hosts.get(&id).cloned()
    }

    pub fn host_ids(&self) -> Vec<HostId> {
        self.order.ids()
    }

    pub fn command(&self, id: CommandId) -> Option<Row<Command>> {
        self.commands.get(&id).cloned()
    }

    pub fn pipeline(&self, id: PipelineId) -> Option<Row<Pipeline>> {
        self.pipelines.get(&id).cloned()
    }

    /// Newest first.
    pub fn pipeline_ids(&self) -> Vec<PipelineId> {
        self.pipeline_order.iter().rev().map(|(_, id)| *id).collect()
    }

    pub fn figures(&mut self, id: HostId) -> Figures<HostMetrics> {
        self.figures.entry(id).or_default().clone()
    }

    /// When the figures of a host came, without making a signal for one that nobody looks at.
    pub fn heard(&self, id: HostId) -> Option<Timestamp> {
        self.figures.get(&id)?.with_untracked(|dated| dated.as_ref().map(|dated| dated.at))
    }

    pub fn commands_of(&mut self, id: HostId) -> ArcRwSignal<Vec<CommandId>> {
        let now = self.of_host.get(&id);
        self.asked.entry(id).or_insert_with(|| ArcRwSignal::new(newest_first(now))).clone()
    }
}

fn newest_first(commands: Option<&BTreeSet<(Timestamp, CommandId)>>) -> Vec<CommandId> {
    commands.into_iter().flatten().rev().map(|(_, id)| *id).collect()
}

fn show(signal: &ArcRwSignal<Vec<CommandId>>, commands: Option<&BTreeSet<(Timestamp, CommandId)>>) {
    let ids = newest_first(commands);
    if signal.with_untracked(|before| *before != ids) {
        signal.set(ids);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::store::Store,
        model::{Actor, Agent, AgentId, Change, CommandCause, CommandKind, HostCause, Name},
    };
    use proptest::prelude::*;
    use uuid::Uuid;

    fn host_id(n: u8) -> HostId {
        HostId(Uuid::from_u128(300 + u128::from(n)))
    }

    fn host(n: u8, name: &str, online: bool, git: CompartmentStatus) -> Change {
        let mut host = Host::unseen(host_id(n), Name::new(name).unwrap());
        host.online = online;
        host.compartments.git.status = git;
        host.agent = Some(Agent { id: AgentId(Uuid::from_u128(1)), version: "1".into(), outdated: false });
        Change::HostPut { cause: HostCause::Edited, host: Arc::new(host) }
    }

    fn command(n: u8, on: u8, at: u64, status: CommandStatus) -> Change {
        let id = CommandId(Uuid::from_u128(400 + u128::from(n)));
        let kind: CommandKind = "pull".parse().unwrap();
        // As in life, a command stays on its host and was queued once.
        let command = Command::queued(id, host_id(on), kind, Actor::System, Timestamp(at));
        let command = Arc::new(Command { status, ..command });
        Change::CommandPut { cause: CommandCause::Progress, command }
    }

    fn change() -> impl Strategy<Value = Change> {
        let status = proptest::sample::select(&CommandStatus::ALL[..]);
        let git = proptest::sample::select(&[CompartmentStatus::Ok, CompartmentStatus::Error][..]);
        let name = proptest::sample::select(&["alpha", "Alpha", "beta", "Zeta"][..]);
        prop_oneof![
            4 => (0..5u8, name, any::<bool>(), git).prop_map(|(n, name, online, git)| host(n, name, online, git)),
            1 => (0..5u8).prop_map(|n| Change::HostDeleted { id: host_id(n) }),
            6 => (0..9u8, status).prop_map(|(n, status)| command(n, n % 4, u64::from(n), status)),
            1 => (0..9u8).prop_map(|n| Change::CommandTrimmed { id: CommandId(Uuid::from_u128(400 + u128::from(n))) }),
        ]
    }

    fn touched(change: &Change) -> EntityRef {
        match change {
            Change::HostPut { host, .. } => EntityRef::Host(host.id),
            Change::HostDeleted { id } => EntityRef::Host(*id),
            Change::CommandPut { command, .. } => EntityRef::Command(command.id),
            Change::CommandTrimmed { id } => EntityRef::Command(*id),
            other => unreachable!("not made here: {other:?}"),
        }
    }

    proptest! {
        #[test]
        fn hosts_fed_by_changes_are_the_hosts_filled_anew(batches in prop::collection::vec(prop::collection::vec(change(), 0..6), 1..30)) {
            let owner = Owner::new();
            owner.set();
            let (store, mut fleet) = (Store::new(), Fleet::default());
            for batch in batches {
                batch.iter().for_each(|change| fleet.apply(change));
                store.apply(&fleet, &batch.iter().map(touched).collect());
                let anew = Store::new();
                anew.replace(&fleet);
                prop_assert_eq!(store.summary.get_untracked(), anew.summary.get_untracked());
                prop_assert_eq!(store.hosts.get_untracked(), anew.hosts.get_untracked());
                for row in fleet.hosts() {
                    prop_assert_eq!(store.commands_of(row.id).get_untracked(), anew.commands_of(row.id).get_untracked());
                }
                for row in fleet.commands() {
                    prop_assert_eq!(store.command_row(row.id).map(|signal| signal.get_untracked()), Some(row.clone()));
                }
            }
        }
    }

    #[test]
    fn a_host_needs_attention_until_a_later_command_ends_well() {
        let owner = Owner::new();
        owner.set();
        let (store, mut fleet) = (Store::new(), Fleet::default());
        let mut happen = |change: Change| {
            fleet.apply(&change);
            store.apply(&fleet, &HashSet::from([touched(&change)]));
            store.summary.with_untracked(|summary| summary.hosts.troubled)
        };
        assert_eq!(happen(host(1, "a", true, CompartmentStatus::Ok)), 0);
        assert_eq!(happen(command(1, 1, 1, CommandStatus::Failed)), 1);
        assert_eq!(happen(command(2, 1, 2, CommandStatus::Running)), 1);
        assert_eq!(happen(command(2, 1, 2, CommandStatus::Succeeded)), 0);
        assert_eq!(happen(host(1, "a", false, CompartmentStatus::Ok)), 1);
    }
}
