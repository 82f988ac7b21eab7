//! What a page of a large fleet is rendered from: the rows that its address leads to, and the counts over all.
//!
//! Both sides render from the same rows, so that hydration finds what the server sent. The browser fetches the rest when it is alive.

use super::{
    pages::{hosts, nets, workers},
    snapshot::{Part, Snapshot},
    store::{Store, Summary},
    within::Within,
};
use crate::model::{HostId, NetId, WorkerId, health::NAMED_IN_A_REASON};
use axum::{extract::Query, http::Uri};
use leptos::prelude::{GetUntracked, Owner, Set};
use leptos_router::params::ParamsMap;
use serde::Serialize;
use std::{collections::BTreeSet, io};

/// A fleet of at most so many bytes of JSON is sent with every page.
pub const WHOLE: usize = 256 * 1024;
/// So few workers are always sent: a net's form offers them all.
const ALWAYS: usize = 100;

/// The same where it is small, else the part of it that the first screen at `uri` shows to who looks at `within`.
pub fn cut(mut snapshot: Snapshot, uri: &Uri, within: Within) -> Snapshot {
    if is_at_most(WHOLE, &(&snapshot.full, &snapshot.telemetry, &snapshot.host_telemetry)) {
        return snapshot;
    }
    let owner = Owner::new();
    let (wanted, part) = owner.with(|| {
        let store = Store::new();
        store.now.set(snapshot.server_time);
        store.replace(&snapshot.full.state);
        store.telemetry_arrived(&snapshot.telemetry);
        store.host_telemetry_arrived(&snapshot.host_telemetry);
        store.look_within(within);
        wanted(store, uri)
    });
    owner.cleanup();
    let Wanted { mut workers, mut nets, hosts } = wanted;
    let fleet = &snapshot.full.state;
    // A row is shown with its relations, and an action on a worker names the nets that it would stop.
    workers.extend(nets.iter().filter_map(|id| fleet.net(*id)?.worker_id));
    nets.extend(workers.iter().flat_map(|id| fleet.nets_on(*id)).map(|net| net.id));
    if fleet.workers().len() <= ALWAYS {
        workers.extend(fleet.workers().map(|row| row.id));
    }
    let fleet = fleet.only(&workers, &nets, &hosts);
    snapshot.telemetry.retain(|figures| fleet.worker(figures.worker_id).is_some());
    snapshot.host_telemetry.retain(|figures| fleet.host(figures.host_id).is_some());
    snapshot.full.state = fleet;
    snapshot.part = Some(part);
    snapshot
}

#[derive(Default)]
struct Wanted {
    workers: BTreeSet<WorkerId>,
    nets: BTreeSet<NetId>,
    hosts: BTreeSet<HostId>,
}

fn wanted(store: Store, uri: &Uri) -> (Wanted, Part) {
    let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(uri).unwrap_or_default();
    let query: ParamsMap = query.into_iter().collect();
    let (summary, seen) = (store.summary.get_untracked(), store.seen.get_untracked());
    let groups = store.groups.get_untracked();
    let (mut wanted, mut list) = (Wanted::default(), None);
    let path: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
    match path[..] {
        [""] => {
            wanted = needing_attention(&seen);
            wanted.nets.extend(&seen.first_nets);
        }
        ["workers"] => {
            let (name, first) = workers::first_screen(store, &query);
            wanted.workers = first.keys().into_iter().collect();
            list = Some((name, first));
        }
        ["nets"] => {
            let (name, first) = nets::first_screen(store, &query);
            wanted.nets = first.keys().into_iter().collect();
            list = Some((name, first));
        }
        ["hosts"] => {
            let (name, first) = hosts::first_screen(store, &query);
            wanted.hosts = first.keys().into_iter().collect();
            list = Some((name, first));
        }
        ["hosts", id] => wanted.hosts = id.parse().into_iter().collect(),
        ["workers", id] => wanted.workers = id.parse().into_iter().collect(),
        ["nets", id] => wanted.nets = id.parse().into_iter().collect(),
        ["labs", id] => {
            let lab = id.parse().ok().and_then(|id| store.lab_row(id)).map(|row| row.get_untracked());
            wanted.workers = lab.iter().filter_map(|lab| lab.worker_id).collect();
            wanted.nets = lab.iter().map(|lab| lab.net_id).collect();
        }
        // Their reasons name some.
        ["clusters"] => {
            let named = groups.clusters.values().map(|group| group.broken_workers.iter());
            wanted.workers = named.flat_map(|ids| ids.take(NAMED_IN_A_REASON)).copied().collect();
        }
        ["projects"] => {
            let named = groups.projects.values().map(|group| group.failed_nets.iter());
            wanted.nets = named.flat_map(|ids| ids.take(NAMED_IN_A_REASON)).copied().collect();
        }
        ["clusters", id] => {
            let group = id.parse().map(|id| groups.cluster(id)).unwrap_or_default();
            wanted.workers = group.broken_workers.iter().chain(&group.first_workers).copied().collect();
        }
        ["projects", id] => {
            let group = id.parse().map(|id| groups.project(id)).unwrap_or_default();
            wanted.nets = group.failed_nets.iter().chain(&group.first_nets).copied().collect();
        }
        _ => {}
    }
    let clusters = store.clusters.get_untracked();
    let heard =
        clusters.iter().filter_map(|row| Some((row.id, store.heard(row.id).get_untracked()?))).collect();
    (wanted, Part { summary, groups, heard, list })
}

/// The rows that the overview names.
fn needing_attention(summary: &Summary) -> Wanted {
    Wanted {
        workers: summary.broken_workers.iter().copied().collect(),
        nets: summary.failed_nets.iter().chain(&summary.dead_nets).copied().collect(),
        hosts: summary.hosts.troubled_hosts.iter().copied().collect(),
    }
}

/// Whether `value` is at most so many bytes of JSON. Writes no more than that.
fn is_at_most(most: usize, value: &impl Serialize) -> bool {
    struct Room(usize);
    impl io::Write for Room {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::WriteZero)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Room(most), value).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{snapshot::Me, store::FIRST},
        model::{
            Change, ClusterId, DefinitionHash, Fleet, Name, Net, NetCause, NetSize, ProjectId, Provider,
            Role, Roles, Timestamp, UserId, Worker, WorkerCause,
        },
        sync::{FullState, Token},
    };
    use std::sync::Arc;
    use uuid::Uuid;

    fn worker_id(n: u32) -> WorkerId {
        WorkerId(Uuid::from_u128(1_000_000 + u128::from(n)))
    }

    fn net_id(n: u32) -> NetId {
        NetId(Uuid::from_u128(2_000_000 + u128::from(n)))
    }

    /// Two nets on each worker.
    fn snapshot(workers: u32) -> Snapshot {
        let mut state = Fleet::default();
        for n in 0..workers {
            let name = Name::new(format!("worker-{n:05}").as_str()).unwrap();
            let row = Worker::pending(worker_id(n), name, ClusterId(Uuid::from_u128(1)), Provider::Local);
            state.apply(&Change::WorkerPut { cause: WorkerCause::Edited, worker: Arc::new(row) });
        }
        for n in 0..2 * workers {
            let name = Name::new(format!("net-{n:05}").as_str()).unwrap();
            let (project, definition) = (ProjectId(Uuid::from_u128(2)), DefinitionHash::of(b"<pnml/>"));
            let net = Net::unassigned(net_id(n), name, project, definition, NetSize::default());
            let net = Arc::new(Net { worker_id: Some(worker_id(n / 2)), ..net });
            state.apply(&Change::NetPut { cause: NetCause::Edited, net, moved_from: None });
        }
        Snapshot {
            full: FullState { position: Token("here".to_owned()), version: 7, state },
            part: None,
            server_time: Timestamp(1),
            user: Me {
                user_id: UserId(Uuid::from_u128(3)),
                name: "A".to_owned(),
                email: "a@b.c".to_owned(),
                role: Role::Admin,
                roles: Roles { fleet: Some(Role::Admin), ..Roles::default() },
            },
            telemetry: Vec::new(),
            host_telemetry: Vec::new(),
        }
    }

    fn at(path: &'static str) -> Snapshot {
        cut(snapshot(3_000), &Uri::from_static(path), Within::default())
    }

    #[test]
    fn a_small_fleet_is_sent_whole() {
        assert_eq!(cut(snapshot(10), &Uri::from_static("/workers"), Within::default()), snapshot(10));
    }

    #[test]
    fn of_a_large_one_a_list_gets_its_page_and_every_count() {
        let cut = at("/workers?page=3&sort=-name");
        let part = cut.part.as_ref().unwrap();
        assert_eq!((part.summary.workers, part.summary.nets), (3_000, 6_000));
        let first = part.first_screen("workers").unwrap();
        let keys: Vec<WorkerId> = first.keys();
        assert_eq!(keys.len(), 200);
        assert_eq!(keys[0], worker_id(2_599));
        assert!(keys.iter().all(|id| cut.full.state.nets_on(*id).count() == 2));
        assert_eq!(cut.full.state.workers().len(), 200);
        assert_eq!(cut.full.version, 7);
        assert!(is_at_most(WHOLE, &cut), "{}", serde_json::to_vec(&cut).unwrap().len());
        assert_eq!(part.first_screen("nets"), None);
    }

    #[test]
    fn what_is_filtered_out_is_not_sent() {
        let cut = at("/nets?q=net-0123");
        let first = cut.part.as_ref().unwrap().first_screen("nets").unwrap();
        assert_eq!(first.keys::<NetId>().len(), 10);
        assert_eq!((cut.full.state.workers().len(), cut.full.state.nets().len()), (5, 10));
    }

    #[test]
    fn a_row_s_own_page_has_it_with_its_relations() {
        let path = format!("/nets/{}", net_id(4_001));
        let cut = cut(snapshot(3_000), &path.parse().unwrap(), Within::default());
        assert!(
            cut.full.state.net(net_id(4_001)).is_some() && cut.full.state.worker(worker_id(2_000)).is_some()
        );
        assert_eq!(cut.full.state.nets().len(), 2);
    }

    #[test]
    fn the_overview_has_the_rows_it_names() {
        let cut = at("/");
        assert_eq!(cut.part.as_ref().unwrap().list, None);
        assert_eq!(cut.full.state.nets().len(), FIRST);
        assert!(is_at_most(WHOLE, &cut));
    }

    #[test]
    fn a_list_of_another_cluster_or_project_is_empty_and_every_count_is_sent() {
        let elsewhere = Within { cluster: Some(ClusterId(Uuid::from_u128(9))), project: None };
        let cut = cut(snapshot(3_000), &Uri::from_static("/workers"), elsewhere);
        let part = cut.part.unwrap();
        assert_eq!(part.first_screen("workers").unwrap().keys::<WorkerId>(), []);
        assert_eq!(part.summary.workers, 3_000);
        assert_eq!(part.groups.cluster(ClusterId(Uuid::from_u128(1))).workers, 3_000);
    }
}
