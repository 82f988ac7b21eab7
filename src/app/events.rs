//! The events that a page or component is interested in: the last hundred, from the one stream (seed 004's hook).

use super::store::use_store;
use crate::model::{EntityRef, Event, EventId, ProjectId};
use leptos::prelude::*;
use std::sync::Arc;

/// A page keeps so many.
pub const KEPT: usize = 100;

/// Which events; each part narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// A type, such as `worker.status.updated`, or the beginning of one up to a dot, such as `worker`.
    pub kind: Option<String>,
    /// What it happened to.
    pub resource: Option<EntityRef>,
    pub project: Option<ProjectId>,
}

impl EventFilter {
    /// All that happened to one worker, net, cluster or project.
    pub fn of(resource: EntityRef) -> EventFilter {
        EventFilter { resource: Some(resource), ..EventFilter::default() }
    }

    pub fn matches(&self, event: &Event) -> bool {
        let kind = self.kind.as_deref().is_none_or(|wanted| {
            event.kind.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        let resource = self.resource.is_none_or(|resource| match resource {
            EntityRef::Cluster(id) => event.cluster_id == Some(id),
            EntityRef::Project(id) => event.project_id == Some(id),
            EntityRef::Worker(id) => event.worker_id == Some(id),
            EntityRef::Net(id) => event.net_id == Some(id),
            EntityRef::Host(id) => event.host_id == Some(id),
            // Nothing tells of these one by one.
            EntityRef::Command(_)
            | EntityRef::Pipeline(_)
            | EntityRef::Build(_)
            | EntityRef::Lab(_)
            | EntityRef::PullRequest(_)
            | EntityRef::Repository
            | EntityRef::Rules => false,
            EntityRef::Event(id) => event.id == id,
        });
        kind && resource && self.project.is_none_or(|project| event.project_id == Some(project))
    }
}

/// Newest first. It outlives the state's own window of events: what was seen stays until it is cleared or pushed out.
#[derive(Clone, Debug, Default, PartialEq)]
struct Kept {
    events: Vec<Arc<Event>>,
    /// Nothing up to here is shown (again).
    cleared: Option<EventId>,
}

impl Kept {
    /// Takes over what is new in `all` (newest first).
    fn take(&mut self, all: &[Arc<Event>], filter: &EventFilter) {
        let newest = all.first().map(|event| event.id);
        let seen = self.events.first().map(|event| event.id).max(self.cleared);
        if newest < seen {
            // Signed out, or a database was restored: what was seen never was.
            *self = Kept::default();
        }
        let seen = self.events.first().map(|event| event.id).max(self.cleared);
        let fresh =
            all.iter().take_while(|event| Some(event.id) > seen).filter(|event| filter.matches(event));
        let mut events: Vec<_> = fresh.take(KEPT).cloned().collect();
        events.append(&mut self.events);
        events.truncate(KEPT);
        self.events = events;
    }

    fn clear(&mut self, newest: Option<EventId>) {
        *self = Kept { events: Vec::new(), cleared: newest };
    }
}

/// A component's own last events.
#[derive(Clone, Copy)]
pub struct Events {
    kept: RwSignal<Kept>,
    all: RwSignal<Vec<Arc<Event>>>,
}

impl Events {
    /// Those that are `wanted`, newest first, tracked.
    pub fn newest_of(&self, most: usize, wanted: impl Fn(&Event) -> bool) -> Vec<Arc<Event>> {
        self.kept.with(|kept| kept.events.iter().filter(|event| wanted(event)).take(most).cloned().collect())
    }

    /// Empties this component's list; what happens from now on comes in again.
    pub fn clear(&self) {
        let newest = self.all.with_untracked(|all| all.first().map(|event| event.id));
        self.kept.update(|kept| kept.clear(newest));
    }
}

/// The last [`KEPT`] events that `filter` lets through, for as long as the component lives.
pub fn use_events(filter: EventFilter) -> Events {
    let all = use_store().events;
    let mut first = Kept::default();
    all.with_untracked(|all| first.take(all, &filter));
    let kept = RwSignal::new(first);
    Effect::new(move |_| {
        all.with(|all| {
            let mut now = kept.get_untracked();
            now.take(all, &filter);
            if kept.with_untracked(|before| *before != now) {
                kept.set(now);
            }
        });
    });
    Events { kept, all }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Actor, NetId, Severity, Timestamp, WorkerId};
    use uuid::Uuid;

    fn event(n: u64, kind: &str) -> Arc<Event> {
        Arc::new(Event {
            id: EventId(n),
            at: Timestamp(n),
            kind: kind.to_owned(),
            severity: Severity::Info,
            actor: Actor::System,
            text: format!("event {n}"),
            cluster_id: None,
            project_id: Some(ProjectId(Uuid::from_u128(u128::from(n % 2)))),
            worker_id: Some(WorkerId(Uuid::from_u128(1))),
            net_id: None,
            host_id: None,
            of_hosts: false,
            data: Default::default(),
            acknowledged: None,
        })
    }

    fn newest_first(ids: std::ops::RangeInclusive<u64>) -> Vec<Arc<Event>> {
        ids.rev().map(|n| event(n, "worker.created")).collect()
    }

    fn ids(kept: &Kept) -> Vec<u64> {
        kept.events.iter().map(|event| event.id.0).collect()
    }

    #[test]
    fn the_last_hundred_are_kept_even_when_the_state_forgets_them() {
        let mut kept = Kept::default();
        let all = EventFilter::default();
        kept.take(&newest_first(1..=3), &all);
        kept.take(&newest_first(3..=5), &all);
        assert_eq!(ids(&kept), [5, 4, 3, 2, 1]);
        kept.take(&newest_first(6..=250), &all);
        assert_eq!(kept.events.len(), KEPT);
        assert_eq!(kept.events[0].id, EventId(250));
    }

    #[test]
    fn cleared_means_cleared_and_new_ones_come() {
        let mut kept = Kept::default();
        let all = EventFilter::default();
        kept.take(&newest_first(1..=3), &all);
        kept.clear(Some(EventId(3)));
        kept.take(&newest_first(1..=3), &all);
        assert_eq!(ids(&kept), Vec::<u64>::new());
        kept.take(&newest_first(1..=4), &all);
        assert_eq!(ids(&kept), [4]);
    }

    #[test]
    fn signing_out_empties_every_list() {
        let mut kept = Kept::default();
        kept.take(&newest_first(1..=3), &EventFilter::default());
        kept.take(&[], &EventFilter::default());
        assert_eq!(ids(&kept), Vec::<u64>::new());
    }

    #[test]
    fn filters_narrow_by_type_resource_and_project() {
        let event = event(1, "worker.status.updated");
        let kind = |kind: &str| EventFilter { kind: Some(kind.to_owned()), ..EventFilter::default() };
        assert!(kind("worker.status.updated").matches(&event));
        assert!(kind("worker").matches(&event));
        assert!(!kind("work").matches(&event));
        assert!(!kind("net").matches(&event));
        assert!(EventFilter::of(EntityRef::Worker(WorkerId(Uuid::from_u128(1)))).matches(&event));
        assert!(!EventFilter::of(EntityRef::Net(NetId(Uuid::from_u128(1)))).matches(&event));
        let project =
            |n| EventFilter { project: Some(ProjectId(Uuid::from_u128(n))), ..EventFilter::default() };
        assert!(project(1).matches(&event) && !project(0).matches(&event));
    }
}
