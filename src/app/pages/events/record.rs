//! The events of one list: those that the stream brought and those that were fetched, as one, newest first.
//!
//! Pure. Between the two there is never a gap that nobody knows of: where the stream's window has moved on without us, the record begins
//! anew from it.

use crate::model::{Event, EventId};
use std::{collections::BTreeMap, sync::Arc};

/// What is known of events older than those here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Older {
    /// Ask for those before this one; without one, from the newest on.
    Before(Option<EventId>),
    /// There are none.
    #[default]
    None,
}

/// What a change of the record did to the rows that are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    Rows(Vec<EventId>),
    /// It begins anew.
    All,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    shown: BTreeMap<EventId, Arc<Event>>,
    /// Newer than what is read, and not shown until asked for.
    held: BTreeMap<EventId, Arc<Event>>,
    /// The newest event that the stream brought, matching or not.
    seen: Option<EventId>,
    older: Older,
}

impl Record {
    /// Begins with what the stream has brought (newest first). Of all that is newer than its oldest, nothing is missing.
    pub fn begin(live: &[Arc<Event>], holds: impl Fn(&Event) -> bool) -> Record {
        let shown = live.iter().filter(|event| holds(event)).map(|event| (event.id, event.clone()));
        Record {
            shown: shown.collect(),
            held: BTreeMap::new(),
            seen: live.first().map(|event| event.id),
            older: Older::Before(live.last().map(|event| event.id)),
        }
    }

    /// Begins below `before`: of what the stream brings only changes of what is here are of interest.
    pub fn below(before: EventId) -> Record {
        Record { older: Older::Before(Some(before)), ..Record::default() }
    }

    /// Takes over what the stream has now (newest first). With `hold` what is new waits for [`Record::reveal`].
    pub fn live(&mut self, live: &[Arc<Event>], holds: impl Fn(&Event) -> bool, hold: bool) -> Moved {
        let (newest, oldest) = (live.first().map(|event| event.id), live.last().map(|event| event.id));
        // Ids are counted without a gap, but not every user sees every event: only where the two overlap nothing is missing.
        let apart = matches!((self.seen, oldest), (Some(seen), Some(oldest)) if oldest.0 > seen.0 + 1);
        if newest < self.seen || apart {
            // Signed out, a database was restored, or more happened at once than the stream's window holds.
            *self = Record::begin(live, holds);
            return Moved::All;
        }
        let mut moved = Vec::new();
        for event in live {
            let known = self.shown.get_mut(&event.id).or_else(|| self.held.get_mut(&event.id));
            match known {
                Some(known) if known != event => {
                    known.clone_from(event);
                    // It may be acknowledged by now, and none of those that are wanted.
                    if !holds(event) {
                        self.shown.remove(&event.id);
                        self.held.remove(&event.id);
                    }
                    moved.push(event.id);
                }
                Some(_) => {}
                None if Some(event.id) > self.seen && holds(event) => {
                    let into = if hold { &mut self.held } else { &mut self.shown };
                    into.insert(event.id, event.clone());
                    moved.push(event.id);
                }
                None => {}
            }
        }
        self.seen = newest.max(self.seen);
        if !hold {
            moved.extend(self.reveal());
        }
        Moved::Rows(moved)
    }

    /// Shows what was held back; which these are.
    pub fn reveal(&mut self) -> Vec<EventId> {
        let ids = self.held.keys().copied().collect();
        self.shown.append(&mut self.held);
        ids
    }

    /// Takes over a page of history that was asked for below `asked`.
    pub fn page(&mut self, events: Vec<Event>, next: Option<EventId>) -> Vec<EventId> {
        self.older = next.map_or(Older::None, |next| Older::Before(Some(next)));
        self.put(events)
    }

    /// These are as they are now.
    pub fn put(&mut self, events: Vec<Event>) -> Vec<EventId> {
        let ids = events.iter().map(|event| event.id).collect();
        self.shown.extend(events.into_iter().map(|event| (event.id, Arc::new(event))));
        ids
    }

    /// Forgets rows that must not be shown any more.
    pub fn drop(&mut self, id: EventId) -> bool {
        self.shown.remove(&id).is_some()
    }

    pub fn get(&self, id: EventId) -> Option<&Arc<Event>> {
        self.shown.get(&id)
    }

    /// Newest first.
    pub fn ids(&self) -> impl Iterator<Item = EventId> {
        self.shown.keys().rev().copied()
    }

    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// How many newer ones wait to be shown.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    pub fn older(&self) -> Older {
        self.older
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Acknowledged, Actor, Severity, Timestamp};
    use proptest::prelude::*;

    fn event(n: u64) -> Event {
        Event {
            id: EventId(n),
            at: Timestamp(n),
            kind: if n.is_multiple_of(3) { "net.created" } else { "worker.created" }.to_owned(),
            severity: Severity::Info,
            actor: Actor::System,
            text: format!("event {n}"),
            cluster_id: None,
            project_id: None,
            worker_id: None,
            net_id: None,
            host_id: None,
            of_hosts: false,
            data: Default::default(),
            acknowledged: None,
        }
    }

    fn live(ids: std::ops::RangeInclusive<u64>) -> Vec<Arc<Event>> {
        ids.rev().map(|n| Arc::new(event(n))).collect()
    }

    fn ids(record: &Record) -> Vec<u64> {
        record.ids().map(|id| id.0).collect()
    }

    fn nets(event: &Event) -> bool {
        event.kind == "net.created"
    }

    #[test]
    fn history_continues_where_the_stream_began() {
        let mut record = Record::begin(&live(6..=10), |_| true);
        assert_eq!(record.older(), Older::Before(Some(EventId(6))));
        record.page(vec![event(5), event(4)], Some(EventId(4)));
        assert_eq!(ids(&record), [10, 9, 8, 7, 6, 5, 4]);
        assert_eq!(record.older(), Older::Before(Some(EventId(4))));
        record.page(vec![event(3)], None);
        assert_eq!(record.older(), Older::None);
    }

    #[test]
    fn what_is_filtered_is_asked_for_from_the_end_of_the_stream_on() {
        let mut record = Record::begin(&live(7..=10), nets);
        assert_eq!(ids(&record), [9]);
        // Not from 9 on: 7 and 8 are known not to match.
        assert_eq!(record.older(), Older::Before(Some(EventId(7))));
        assert_eq!(record.live(&live(8..=13), nets, false), Moved::Rows(vec![EventId(12)]));
        assert_eq!(ids(&record), [12, 9]);
    }

    #[test]
    fn what_is_new_waits_while_somebody_reads() {
        let mut record = Record::begin(&live(1..=2), |_| true);
        record.live(&live(1..=5), |_| true, true);
        assert_eq!((ids(&record), record.held()), (vec![2, 1], 3));
        record.reveal();
        assert_eq!((ids(&record), record.held()), (vec![5, 4, 3, 2, 1], 0));
        record.live(&live(1..=6), |_| true, true);
        record.live(&live(1..=7), |_| true, false);
        assert_eq!(ids(&record), [7, 6, 5, 4, 3, 2, 1], "none of those held is forgotten");
    }

    #[test]
    fn a_gap_is_not_passed_over() {
        let mut record = Record::begin(&live(1..=5), |_| true);
        record.page(Vec::new(), None);
        assert_eq!(
            record.live(&live(6..=9), |_| true, false),
            Moved::Rows((6..=9).rev().map(EventId).collect())
        );
        assert_eq!(record.live(&live(20..=29), |_| true, true), Moved::All);
        assert_eq!(ids(&record).len(), 10);
        assert_eq!(record.older(), Older::Before(Some(EventId(20))), "what lies between can be fetched");
        assert_eq!(record.live(&[], |_| true, false), Moved::All, "signed out");
        assert_eq!(record.len(), 0);
    }

    #[test]
    fn an_acknowledgement_is_another_row() {
        let mut record = Record::begin(&live(1..=3), |_| true);
        let mut now = live(2..=3);
        let by = Actor::System;
        Arc::make_mut(&mut now[1]).acknowledged = Some(Acknowledged { by, at: Timestamp(9) });
        assert_eq!(record.live(&now, |_| true, false), Moved::Rows(vec![EventId(2)]));
        assert!(record.get(EventId(2)).is_some_and(|event| event.acknowledged.is_some()));
        assert!(record.get(EventId(1)).is_some(), "the stream's window moved on, the list did not");
        Arc::make_mut(&mut now[0]).acknowledged = Some(Acknowledged { by: Actor::System, at: Timestamp(9) });
        let is_open = |event: &Event| event.acknowledged.is_none();
        assert_eq!(record.live(&now, is_open, false), Moved::Rows(vec![EventId(3)]));
        assert!(record.get(EventId(3)).is_none(), "it is none of those wanted any more");
    }

    proptest! {
        /// Whatever the stream's window does, the record is what matches of all that happened, down to where it says it knows.
        #[test]
        fn nothing_is_missed_above_what_is_to_be_fetched(steps in prop::collection::vec((0..30u64, any::<bool>()), 1..20)) {
            const WINDOW: u64 = 10;
            let mut newest = 5;
            let mut record = Record::begin(&live(1..=newest), nets);
            for (more, hold) in steps {
                newest += more;
                record.live(&live(newest.saturating_sub(WINDOW).max(1)..=newest), nets, hold);
                let Older::Before(Some(below)) = record.older() else { panic!("it was never asked") };
                let all: Vec<u64> = (below.0..=newest).filter(|n| n.is_multiple_of(3)).rev().collect();
                let mut whole = record.clone();
                whole.reveal();
                prop_assert_eq!(ids(&whole), all);
            }
        }
    }
}
