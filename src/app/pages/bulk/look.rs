//! Looking at the rows of a bulk action as they are now, and sending it for one of them.

use super::job::{Deed, Item, Step};
use crate::{
    app::{
        actions::{act_on_net, act_on_worker},
        components::format::counted,
        error::ApiError,
        host_actions::run_command,
        live::http,
        store::Store,
    },
    model::{
        Done, Host, HostId, Net, NetAction, NetId, Refusal, Worker, WorkerAction, WorkerId,
        lifecycle::{net_action, run_on_host, worker_action},
    },
};
use leptos::prelude::GetUntracked;
use serde::de::DeserializeOwned;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// With more rows than this the whole list is asked for: an address has its bounds.
const MOST_IN_ADDRESS: usize = 100;

/// The rows with these ids, as the server has them now.
pub(in crate::app::pages) async fn fetch<T: DeserializeOwned>(
    list: &str,
    ids: &BTreeSet<Uuid>,
) -> Result<Vec<T>, ApiError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    if ids.len() > MOST_IN_ADDRESS {
        return http::get_json(list).await;
    }
    let ids: Vec<_> = ids.iter().map(Uuid::to_string).collect();
    http::get_json(&format!("{list}?ids={}", ids.join(","))).await
}

/// Each row with what its state says to the deed, and what will be lost. `keys` are those to be used again.
pub async fn look(
    store: Store,
    deed: &Deed,
    ids: &[Uuid],
    keys: &HashMap<Uuid, String>,
) -> Result<(Vec<Item>, Vec<String>), ApiError> {
    let wanted: BTreeSet<Uuid> = ids.iter().copied().collect();
    let item = |id: Uuid, name: String, revision, verdict: Result<(), Refusal>| Item {
        id,
        name,
        revision,
        key: keys.get(&id).cloned().unwrap_or_else(|| Uuid::new_v4().to_string()),
        step: verdict.map_or_else(|refusal| Step::Refused(refusal.to_string()), |()| Step::Waiting),
    };
    let gone = |id: Uuid, name: Option<String>, what: &str| Item {
        id,
        name: name.unwrap_or_else(|| id.to_string()),
        revision: 0,
        key: String::new(),
        step: Step::Refused(format!("The {what} no longer exists.")),
    };
    match *deed {
        Deed::Run(ref kind) => {
            let rows: Vec<Host> = fetch("/api/hosts", &wanted).await?;
            let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id.0, row)).collect();
            let items = ids.iter().map(|id| match rows.get(id) {
                Some(row) => item(*id, row.name.to_string(), row.state_revision, run_on_host(row, kind)),
                None => {
                    let name = store.host_row(HostId(*id)).map(|row| row.get_untracked().name.to_string());
                    gone(*id, name, "host")
                }
            });
            let items: Vec<Item> = items.collect();
            let sent = items.iter().filter(|item| item.step == Step::Waiting);
            let away = sent.filter(|item| rows.get(&item.id).is_some_and(|row| !row.online)).count();
            let losses = match away {
                0 => Vec::new(),
                n => vec![format!(
                    "{} offline: the command waits there for at most 24 h.",
                    counted(n, "host is", "hosts are")
                )],
            };
            Ok((items, losses))
        }
        Deed::Worker(action) => {
            let rows: Vec<Worker> = fetch("/api/workers", &wanted).await?;
            let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id.0, row)).collect();
            let items: Vec<Item> = ids
                .iter()
                .map(|id| match rows.get(id) {
                    Some(row) => {
                        item(*id, row.name.to_string(), row.state_revision, worker_action(row, action))
                    }
                    None => {
                        let name =
                            store.worker_row(WorkerId(*id)).map(|row| row.get_untracked().name.to_string());
                        gone(*id, name, "worker")
                    }
                })
                .collect();
            let losses = worker_losses(store, action, &items);
            Ok((items, losses))
        }
        Deed::Net(action) => {
            let rows: Vec<Net> = fetch("/api/nets", &wanted).await?;
            let on: BTreeSet<Uuid> = rows
                .iter()
                .filter(|row| wanted.contains(&row.id.0))
                .filter_map(|row| row.worker_id)
                .map(|id| id.0)
                .collect();
            let workers: Vec<Worker> = fetch("/api/workers", &on).await?;
            let workers: HashMap<_, _> = workers.into_iter().map(|row| (row.id, row)).collect();
            let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id.0, row)).collect();
            let items: Vec<Item> = ids
                .iter()
                .map(|id| match rows.get(id) {
                    Some(row) => {
                        let worker = row.worker_id.and_then(|id| workers.get(&id));
                        item(*id, row.name.to_string(), row.state_revision, net_action(row, worker, action))
                    }
                    None => {
                        let name = store.net_row(NetId(*id)).map(|row| row.get_untracked().name.to_string());
                        gone(*id, name, "net")
                    }
                })
                .collect();
            let sent = items.iter().filter(|item| item.step == Step::Waiting);
            let loaded = sent.filter(|item| rows.get(&item.id).is_some_and(Net::is_loaded)).count();
            let mut losses = Vec::new();
            if loaded > 0 && matches!(action, NetAction::Unload | NetAction::Unassign) {
                losses.push(format!(
                    "{} unloaded, and the markings lost.",
                    counted(loaded, "net is", "nets are")
                ));
            }
            if action == NetAction::Delete {
                losses.push("The definitions and their history here will be gone.".to_owned());
            }
            Ok((items, losses))
        }
    }
}

fn worker_losses(store: Store, action: WorkerAction, items: &[Item]) -> Vec<String> {
    let stops = matches!(action, WorkerAction::Stop | WorkerAction::Destroy | WorkerAction::Delete);
    if !stops {
        return Vec::new();
    }
    let sent = items.iter().filter(|item| item.step == Step::Waiting);
    let nets = sent.flat_map(|item| store.nets_on_now(WorkerId(item.id)));
    let loaded =
        nets.filter(|id| store.net_row(*id).is_some_and(|net| net.get_untracked().is_loaded())).count();
    let mut losses = Vec::new();
    if loaded > 0 {
        losses.push(format!("{} unloaded, and the markings lost.", counted(loaded, "net is", "nets are")));
    }
    match action {
        WorkerAction::Destroy => {
            losses.push(
                "The machines will be destroyed. The records stay and can be provisioned again.".to_owned(),
            );
        }
        WorkerAction::Delete => losses.push("The machines and their records will be gone.".to_owned()),
        _ => {}
    }
    losses
}

/// Sends it for one row.
pub async fn act(deed: Deed, id: Uuid, revision: u64, key: String) -> Result<Done, ApiError> {
    match deed {
        Deed::Run(kind) => run_command(id.to_string(), kind, Some(revision), Some(key)).await,
        Deed::Worker(action) => act_on_worker(WorkerId(id), action, Some(revision), Some(key)).await,
        Deed::Net(action) => {
            act_on_net(NetId(id), action, None, None, None, None, None, Some(revision), Some(key)).await
        }
    }
}
