//! One action on several rows.
//!
//! First a look at how the rows are now: which permit the action, which refuse it and why; nothing is sent before the operator has seen
//! that. Then one request a row, a few at a time, each with the revision just seen and a key of its own, and what became of each.

mod dialog;
mod job;
mod look;

pub use dialog::BulkDialog;
pub(super) use look::fetch;

use crate::{
    app::{
        components::{Menu, Toasts, list::List, use_toasts},
        guard::use_desk,
        store::Store,
    },
    model::{CommandKind, HostId, NetAction, NetId, WorkerAction, WorkerId, lifecycle::Verb},
};
use futures::{StreamExt, stream};
use job::{Deed, Job, Phase};
use leptos::{prelude::*, task::spawn_local};
use std::collections::HashMap;
use uuid::Uuid;

/// Requests in flight at once.
const AT_ONCE: usize = 8;

/// The one bulk action of a page, if any.
#[derive(Clone, Copy)]
pub struct Bulk {
    job: RwSignal<Option<Job>>,
    store: Store,
    toasts: Toasts,
    /// Tells the current job from one that was closed.
    number: RwSignal<u64>,
}

impl Bulk {
    fn new() -> Bulk {
        let (job, number) = (RwSignal::new(None), RwSignal::new(0));
        Bulk { job, store: use_desk().store, toasts: use_toasts(), number }
    }

    /// Looks at the rows and shows what would happen.
    fn plan(self, deed: Deed, ids: Vec<Uuid>, keys: HashMap<Uuid, String>) {
        if ids.is_empty()
            || self.job.with_untracked(|job| job.as_ref().is_some_and(|job| job.phase == Phase::Running))
        {
            return;
        }
        let number = self.number.get_untracked() + 1;
        self.number.set(number);
        self.job.set(Some(Job::looking(deed.clone(), ids.len())));
        spawn_local(async move {
            let looked = look::look(self.store, &deed, &ids, &keys).await;
            self.update(number, |job| match looked {
                Ok((items, losses)) => (job.items, job.losses, job.phase) = (items, losses, Phase::Planned),
                Err(error) => job.phase = Phase::Blind(error.to_string()),
            });
        });
    }

    /// Sends what the plan permits.
    fn run(self) {
        let number = self.number.get_untracked();
        let Some(deed) = self.update(number, |job| {
            job.phase = Phase::Running;
            job.deed.clone()
        }) else {
            return;
        };
        spawn_local(async move {
            let waiting = self
                .job
                .try_with_untracked(|job| job.as_ref().map(Job::waiting))
                .flatten()
                .unwrap_or_default();
            stream::iter(waiting)
                .for_each_concurrent(AT_ONCE, |n| {
                    let deed = deed.clone();
                    async move {
                        let taken = self.update(number, |job| job.take(n)).flatten();
                        let Some((id, revision, key)) = taken else { return };
                        let outcome = look::act(deed, id, revision, key).await;
                        self.update(number, |job| job.ended(n, outcome));
                    }
                })
                .await;
            if let Some(words) = self.update(number, |job| {
                job.phase = Phase::Over;
                job.outcome()
            }) {
                self.toasts.announce(words);
            }
        });
    }

    /// Looks again at what failed, to send it once more.
    fn retry(self) {
        let Some((deed, failed)) =
            self.job.with_untracked(|job| job.as_ref().map(|job| (job.deed.clone(), job.failed())))
        else {
            return;
        };
        let ids = failed.iter().map(|(id, _)| *id).collect();
        // Where it is not known whether it was done, the same key: it is not done twice.
        let keys = failed.into_iter().filter_map(|(id, key)| Some((id, key?))).collect();
        self.plan(deed, ids, keys);
    }

    /// Sends nothing more; what is in flight ends.
    fn halt(self) {
        self.update(self.number.get_untracked(), |job| job.halted = true);
    }

    fn close(self) {
        if self.job.with_untracked(|job| job.as_ref().is_some_and(|job| job.phase != Phase::Running)) {
            self.job.set(None);
        }
    }

    /// The page, or this job, may be gone by now.
    fn update<T>(self, number: u64, change: impl FnOnce(&mut Job) -> T) -> Option<T> {
        (self.number.try_get_untracked() == Some(number))
            .then(|| self.job.try_update(|job| job.as_mut().map(change)))
            .flatten()
            .flatten()
    }
}

/// What can be done with several workers.
#[derive(Clone, Copy)]
pub struct WorkerBulk {
    pub bulk: Bulk,
    list: List<WorkerId>,
}

impl WorkerBulk {
    pub fn new(list: List<WorkerId>) -> WorkerBulk {
        WorkerBulk { bulk: Bulk::new(), list }
    }

    pub fn buttons(self) -> AnyView {
        use WorkerAction::*;
        let plan = move |action: WorkerAction| {
            let ids = self.list.picks().into_iter().map(|id| id.0).collect();
            self.bulk.plan(Deed::Worker(action), ids, HashMap::new());
        };
        buttons(&[Provision, Start, Stop, Refresh], &[Destroy, Delete], plan)
    }
}

/// What can be run on several hosts.
#[derive(Clone, Copy)]
pub struct HostBulk {
    pub bulk: Bulk,
}

impl HostBulk {
    pub fn new() -> HostBulk {
        HostBulk { bulk: Bulk::new() }
    }

    /// Shows what running `kind` on these hosts would do.
    pub fn run(self, kind: CommandKind, hosts: Vec<HostId>) {
        self.bulk.plan(Deed::Run(kind), hosts.into_iter().map(|id| id.0).collect(), HashMap::new());
    }
}

/// What can be done with several nets.
#[derive(Clone, Copy)]
pub struct NetBulk {
    pub bulk: Bulk,
    list: List<NetId>,
}

impl NetBulk {
    pub fn new(list: List<NetId>) -> NetBulk {
        NetBulk { bulk: Bulk::new(), list }
    }

    pub fn buttons(self) -> AnyView {
        use NetAction::*;
        let plan = move |action: NetAction| {
            let ids = self.list.picks().into_iter().map(|id| id.0).collect();
            self.bulk.plan(Deed::Net(action), ids, HashMap::new());
        };
        buttons(&[Load, Unload, Stop, Unassign], &[Delete], plan)
    }
}

fn buttons<A: Verb + PartialEq + Send + Sync + 'static>(
    often: &'static [A],
    rarely: &'static [A],
    plan: impl Fn(A) + Copy + Send + Sync + 'static,
) -> AnyView {
    let button = move |action: A, class: &'static str| {
        view! { <button type="button" class=class on:click=move |_| plan(action)>{action.label()} "…"</button> }
    };
    view! {
        {often.iter().map(|action| button(*action, "button")).collect_view()}
        <Menu label="More actions on the selection">
            {rarely.iter().map(|action| button(*action, "menu-item danger")).collect_view()}
        </Menu>
    }
    .into_any()
}
