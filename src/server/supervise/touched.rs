//! Which workers a change of the rows concerns. A commit wakes those, and not the thousands of others.

use crate::model::{Fleet, WorkerId};
use std::{collections::BTreeSet, sync::Arc};

/// The workers whose row differs between two states of the fleet, or that a net is or was on whose row differs. Rows are shared between
/// states, so that the same pointer is the same row.
pub fn between(before: &Fleet, after: &Fleet) -> BTreeSet<WorkerId> {
    let mut touched = BTreeSet::new();
    differing(before.workers(), after.workers(), |row| row.id, |row| touched.extend([row.id]));
    differing(before.nets(), after.nets(), |row| row.id, |row| touched.extend(row.worker_id));
    touched
}

/// Calls `tell` for each row that is not the same on both sides, and of a changed one for both. Both are ordered by `id`.
fn differing<'a, T: 'a, I: Ord>(
    before: impl Iterator<Item = &'a Arc<T>>,
    after: impl Iterator<Item = &'a Arc<T>>,
    id: impl Fn(&T) -> I,
    mut tell: impl FnMut(&T),
) {
    let (mut before, mut after) = (before.peekable(), after.peekable());
    loop {
        match (before.peek(), after.peek()) {
            (None, None) => return,
            (Some(old), Some(new)) if Arc::ptr_eq(old, new) => {
                before.next();
                after.next();
            }
            (Some(old), new) if new.is_none_or(|new| id(old) <= id(new)) => {
                tell(old);
                before.next();
            }
            (_, Some(new)) => {
                tell(new);
                after.next();
            }
            (Some(_), None) => unreachable!("answered above: there is nothing to compare it with"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Change, Net, NetCause, Worker, WorkerCause, WorkerStatus},
        server::supervise::tests::fixtures::{net, worker},
    };
    use uuid::Uuid;

    fn id(n: u128) -> WorkerId {
        WorkerId(Uuid::from_u128(n))
    }

    fn put_worker(fleet: &mut Fleet, n: u128) {
        let worker = Arc::new(Worker { id: id(n), ..worker(WorkerStatus::Ready) });
        fleet.apply(&Change::WorkerPut { cause: WorkerCause::Edited, worker });
    }

    fn put_net(fleet: &mut Fleet, n: u128, on: Option<u128>) {
        let net = Arc::new(Net { worker_id: on.map(id), ..net(n) });
        fleet.apply(&Change::NetPut { cause: NetCause::Edited, net, moved_from: None });
    }

    fn touched(before: &Fleet, after: &Fleet) -> Vec<u128> {
        between(before, after).iter().map(|id| id.0.as_u128()).collect()
    }

    #[test]
    fn a_change_touches_its_worker_and_a_move_touches_both() {
        let mut fleet = Fleet::default();
        (1..=5).for_each(|n| put_worker(&mut fleet, n));
        (1..=5).for_each(|n| put_net(&mut fleet, n, Some(n)));
        let before = fleet.clone();
        assert_eq!(touched(&before, &fleet), [0; 0]);
        put_worker(&mut fleet, 2);
        put_net(&mut fleet, 4, Some(5));
        put_net(&mut fleet, 9, Some(1));
        assert_eq!(touched(&before, &fleet), [1, 2, 4, 5]);
        let before = fleet.clone();
        fleet.apply(&Change::NetDeleted { id: net(5).id, project_id: None });
        fleet.apply(&Change::WorkerDeleted { id: id(1) });
        put_net(&mut fleet, 10, None);
        assert_eq!(touched(&before, &fleet), [1, 5]);
        assert_eq!(touched(&Fleet::default(), &fleet), [1, 2, 3, 4, 5]);
    }
}
