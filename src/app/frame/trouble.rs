//! What is wrong, told wherever on the page the operator looks: in a message, in the tab's title and in its picture.

use super::freshness::{Freshness, freshness};
use crate::{
    app::{
        components::{Matter, Toasts},
        live::page::{Mark, show_mark},
        notify::{Notify, sentence},
        pages::tone,
        store::{Store, Summary, host_trouble},
    },
    model::{Connection, EntityRef, Event, EventId, LoadState, RunState, Severity, WorkerStatus},
};
use leptos::prelude::*;

/// How many things need somebody: broken workers and nets, clusters that are away, hosts in trouble. A net that is dead came to its end, which is no trouble.
pub fn trouble(summary: &Summary) -> usize {
    summary.workers_broken + summary.nets_failed + summary.hosts.troubled + summary.clusters_away
}

/// `1 needs attention`, `3 need attention`.
pub fn need_attention(n: usize) -> String {
    format!(
        "{} {} attention",
        crate::app::components::format::count(n as u64),
        if n == 1 { "needs" } else { "need" }
    )
}

/// What stands before the name of the page in the tab's title.
#[derive(Clone)]
pub struct TabMark(ArcRwSignal<Mark>);

impl TabMark {
    pub fn new() -> TabMark {
        TabMark(ArcRwSignal::new(Mark::default()))
    }

    /// The whole title of a page, tracked in the browser.
    pub fn title(&self, page: &str) -> String {
        let mark = if cfg!(feature = "browser") { self.0.get() } else { Mark::default() };
        let page = if page.is_empty() { "Muster".to_owned() } else { format!("{page} · Muster") };
        match mark {
            Mark::Well => page,
            Mark::Trouble(n) => format!("({n}) {page}"),
            Mark::Stale => format!("(!) {page}"),
        }
    }
}

/// Keeps the tab's title and picture as the state is.
pub fn mark_tab(store: Store) {
    let Some(TabMark(shown)) = use_context::<TabMark>() else { return };
    let mark = Memo::new(move |_| match (freshness(store), store.summary.with(trouble)) {
        (Freshness::Stale, _) => Mark::Stale,
        (_, 0) => Mark::Well,
        (_, n) => Mark::Trouble(n),
    });
    let plain = shown.clone();
    Effect::new(move |_| {
        let mark = mark.get();
        shown.set(mark);
        show_mark(mark);
    });
    on_cleanup(move || plain.set(Mark::Well));
}

/// Of a batch of changes so many are told at most; the rest is in the log.
const MOST_TOLD: usize = 50;

/// Says what happens as far as the operator wants to be told, and of what was wrong when it is well again.
pub fn announce(store: Store, toasts: Toasts, notify: Notify) {
    Effect::new(move |seen: Option<Option<EventId>>| {
        store.events.with(|events| {
            let newest = events.first().map(|event| event.id);
            if let Some(seen) = seen {
                let fresh = events.iter().take_while(|event| Some(event.id) > seen);
                let told = fresh.map(|event| (event, notify.judge(store, event)));
                let told = told.filter(|(_, told)| told.toast || told.notification);
                // They are told oldest first, and those of one kind in one message.
                for (event, told) in told.take(MOST_TOLD).collect::<Vec<_>>().into_iter().rev() {
                    if told.toast {
                        toasts.about(tone(event.severity), sentence(store, event), matter(store, event));
                    }
                    if told.notification {
                        notify.tell_by_browser(store, event);
                    }
                }
            }
            newest.max(seen.flatten())
        })
    });
    let open = Memo::new(move |_| toasts.open_matters());
    Effect::new(move |_| {
        for matter in open.get() {
            if let Some(words) = since(store, &matter.key) {
                toasts.settle(&matter, &words);
            }
        }
    });
}

fn matter(store: Store, event: &Event) -> Matter {
    let troubled = event.severity >= Severity::Warning;
    if let Some(host) = event.host_id {
        let name = store.host_row(host).map(|row| row.with_untracked(|row| row.name.to_string()));
        return Matter {
            name: name.unwrap_or_else(|| event.text.clone()),
            key: format!("host:{host}"),
            href: format!("/hosts/{host}"),
            many: if troubled { "hosts in trouble" } else { "hosts" },
        };
    }
    let (key, href, name, many) = match (event.net_id, event.worker_id, event.cluster_id) {
        (Some(net), _, _) => {
            let name = store.net_row(net).map(|row| row.with_untracked(|row| row.name.to_string()));
            (format!("net:{net}"), format!("/nets/{net}"), name, ["nets", "nets in trouble"])
        }
        (None, Some(worker), _) => {
            let name = store.worker_row(worker).map(|row| row.with_untracked(|row| row.name.to_string()));
            (
                format!("worker:{worker}"),
                format!("/workers/{worker}"),
                name,
                ["workers", "workers in trouble"],
            )
        }
        (None, None, Some(cluster)) => {
            let name = Some(store.cluster_name_now(cluster)).filter(|name| !name.is_empty());
            (format!("cluster:{cluster}"), "/".to_owned(), name, ["clusters", "clusters in trouble"])
        }
        (None, None, None) => {
            (format!("event:{}", event.id), "/events".to_owned(), None, ["things", "things in trouble"])
        }
    };
    let many = many[usize::from(troubled)];
    Matter { name: name.unwrap_or_else(|| event.text.clone()), key, href, many }
}

fn entity(key: &str) -> Option<EntityRef> {
    let (kind, id) = key.split_once(':')?;
    Some(match kind {
        "net" => EntityRef::Net(id.parse().ok()?),
        "worker" => EntityRef::Worker(id.parse().ok()?),
        "cluster" => EntityRef::Cluster(id.parse().ok()?),
        "host" => EntityRef::Host(id.parse().ok()?),
        _ => return None,
    })
}

/// What became of what a message told of, if it is no trouble any more; tracked.
fn since(store: Store, key: &str) -> Option<String> {
    const GONE: &str = "It no longer exists.";
    match entity(key)? {
        EntityRef::Worker(id) => match store.worker(id) {
            None => Some(GONE.to_owned()),
            // A machine that is being made is not there yet.
            Some(worker) if matches!(worker.status, WorkerStatus::Error(_) | WorkerStatus::Provisioning) => {
                None
            }
            Some(worker) => Some(format!("Since then: {}.", worker.status)),
        },
        EntityRef::Net(id) => match store.net(id) {
            None => Some(GONE.to_owned()),
            Some(net) if net.load_state == LoadState::Error || net.run_state == RunState::Dead => None,
            Some(net) => Some(format!("Since then: {}.", crate::model::lifecycle::NetWord(&net))),
        },
        EntityRef::Host(id) => match store.host(id) {
            None => Some(GONE.to_owned()),
            Some(host) if !host_trouble(&host, store.last_ended(id).as_deref()).is_empty() => None,
            Some(_) => Some("Since then: well again.".to_owned()),
        },
        EntityRef::Cluster(id) => {
            let connected = store.clusters.with(|rows| {
                rows.iter().find(|row| row.id == id).map(|row| row.connection == Connection::Connected)
            });
            match connected {
                None => Some(GONE.to_owned()),
                Some(true) => Some("Since then: connected.".to_owned()),
                Some(false) => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_to_its_end_is_no_trouble() {
        let mut summary = Summary { clusters: 2, clusters_connected: 2, nets_dead: 1, ..Summary::default() };
        assert_eq!(trouble(&summary), 0);
        summary.nets_failed = 1;
        summary.clusters_connected = 1;
        assert_eq!(trouble(&summary), 1, "one that was never reached is not lost");
        summary.clusters_away = 1;
        assert_eq!(trouble(&summary), 2);
    }

    #[test]
    fn one_needs_and_two_need() {
        assert_eq!(need_attention(1), "1 needs attention");
        assert_eq!(need_attention(2), "2 need attention");
    }

    #[test]
    fn a_matter_names_its_entity() {
        let id = crate::model::WorkerId(uuid::Uuid::from_u128(7));
        assert_eq!(entity(&format!("worker:{id}")), Some(EntityRef::Worker(id)));
        assert_eq!(entity("event:7"), None);
        assert_eq!(entity("worker:7"), None);
    }

    #[test]
    fn the_title_is_the_pages() {
        assert_eq!(TabMark::new().title("Nets"), "Nets · Muster");
        assert_eq!(TabMark::new().title(""), "Muster");
    }
}
