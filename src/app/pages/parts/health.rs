//! How clusters and projects are, and how that looks.

use crate::{
    app::{
        components::{Glyph, State, StateBadge, Tone},
        store::Store,
    },
    model::{
        ClusterId, ProjectId, WorkerStatus,
        health::{self, Health, Level, NAMED_IN_A_REASON, Named, NetShare, WorkerShare},
    },
    sync::Status,
};
use leptos::prelude::*;
use std::time::Duration;

/// A worker that is heard says something every second; the word of one that is not is first questioned after this.
const SILENT: Duration = Duration::from_secs(20);

/// `None` while there is no such cluster.
pub fn cluster_health(store: Store, id: ClusterId) -> Memo<Option<Health>> {
    let heard = store.heard(id);
    // By the server's clock, and only while it is heard itself: its silence is not the cluster's.
    let silent = Memo::new(move |_| {
        let as_of = store.link.with(|link| (link.status == Status::Connected).then_some(link.as_of));
        let heard = heard.get();
        as_of.zip(heard).is_some_and(|(as_of, heard)| as_of.since(heard) > SILENT)
    });
    Memo::new(move |_| {
        let connection =
            store.clusters.with(|rows| rows.iter().find(|row| row.id == id).map(|row| row.connection))?;
        let group = store.groups.with(|groups| groups.cluster(id));
        let named = group.broken_workers.iter().take(NAMED_IN_A_REASON);
        let broken: Vec<Named> = named
            .filter_map(|worker| store.worker_row(*worker))
            .map(|row| {
                row.with(|row| Named {
                    name: row.name.to_string(),
                    why: match row.status {
                        WorkerStatus::Error(detail) => detail.as_str().to_owned(),
                        _ => String::new(),
                    },
                })
            })
            .collect();
        let share =
            WorkerShare { all: group.workers, ready: group.workers_ready, broken: group.workers_broken };
        Some(health::cluster(connection, share, silent.get() && group.workers_ready > 0, &broken))
    })
}

/// `None` while there is no such project.
pub fn project_health(store: Store, id: ProjectId) -> Memo<Option<Health>> {
    Memo::new(move |_| {
        let quotas =
            store.projects.with(|rows| rows.iter().find(|row| row.id == id).map(|row| row.quotas))?;
        let group = store.groups.with(|groups| groups.project(id));
        let named = group.failed_nets.iter().take(NAMED_IN_A_REASON);
        let failed: Vec<Named> = named
            .filter_map(|net| store.net_row(*net))
            .map(|row| {
                row.with(|row| Named {
                    name: row.name.to_string(),
                    why: row.load_error.clone().unwrap_or_default(),
                })
            })
            .collect();
        let share = NetShare {
            all: group.nets,
            loaded: group.nets_loaded,
            running: group.nets_running,
            failed: group.nets_failed,
            workers: group.workers_used,
        };
        Some(health::project(share, quotas, &failed))
    })
}

fn state(health: &Health) -> State {
    let (glyph, tone) = match health.level {
        Level::Good => (Glyph::Dot, Tone::Good),
        Level::Idle => (Glyph::Ring, Tone::Quiet),
        Level::Warn => (Glyph::Triangle, Tone::Warn),
        Level::Bad => (Glyph::Cross, Tone::Bad),
    };
    State::new(glyph, tone, health.word)
}

#[component]
pub fn HealthBadge(health: Memo<Option<Health>>) -> impl IntoView {
    let state = Memo::new(move |_| {
        let gone = || State::new(Glyph::Ring, Tone::Quiet, "gone");
        health.with(|health| health.as_ref().map_or_else(gone, state))
    });
    view! { <StateBadge state/> }
}

/// Why, a line each.
#[component]
pub fn Reasons(health: Memo<Option<Health>>) -> impl IntoView {
    let reasons = Memo::new(move |_| {
        health.with(|health| health.as_ref().map(|it| it.reasons.clone()).unwrap_or_default())
    });
    view! {
        <ul class="reasons">
            {move || reasons.get().into_iter().map(|reason| view! { <li>{reason}</li> }).collect_view()}
        </ul>
    }
    .into_any()
}
