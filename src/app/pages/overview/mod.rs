//! The first page: is all well, and if not, what needs attention; what to do next; what happened.

mod attention;
mod checklist;

use crate::{
    app::{
        components::{Part, ShareBar, Tone, format::count},
        events::EventFilter,
        frame::freshness::FreshnessLine,
        store::{FIRST, Summary, use_store},
    },
    model::NetId,
};
use attention::Attention;
use checklist::Checklist;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;

use super::parts::{EventList, NetLines};

#[component]
pub fn Overview() -> impl IntoView {
    let store = use_store();
    let all = Memo::new(move |_| store.seen.with(|seen| seen.nets));
    let first: Memo<Vec<NetId>> = Memo::new(move |_| store.seen.with(|seen| seen.first_nets.clone()));
    view! {
        <Title text="Overview"/>
        <div class="page-head">
            <h1>"Overview"</h1>
        </div>
        <Tiles/>
        <Checklist/>
        <div class="columns">
            <div class="stack">
                <Attention/>
                <section class="panel" aria-labelledby="available-nets">
                    <h2 id="available-nets">"Available nets"</h2>
                    {move || (all.get() == 0).then(|| view! { <p class="quiet-text">"No nets yet."</p> })}
                    <NetLines ids=first with_worker=true/>
                    {move || {
                        (all.get() > FIRST)
                            .then(|| {
                                view! {
                                    <p class="lines-more">
                                        <A href="/nets">{move || format!("All {} nets", count(all.get() as u64))}</A>
                                    </p>
                                }
                            })
                    }}
                </section>
            </div>
            <EventList filter=EventFilter::default() title="Recent changes" id="recent-changes"/>
        </div>
        <FreshnessLine/>
    }
    .into_any()
}

/// What the fleet is made up of.
fn parts(summary: &Summary) -> [Vec<Part>; 4] {
    let part = |tone, count, word| Part { tone, count, word };
    let away = summary.clusters_away;
    let unreached = summary.clusters.saturating_sub(summary.clusters_connected + away);
    let (broken, errors) = (summary.workers_broken, summary.nets_failed);
    let rest = summary.workers.saturating_sub(summary.workers_ready + broken);
    let idle = summary.nets_loaded.saturating_sub(summary.nets_running + summary.nets_dead);
    [
        vec![
            part(Tone::Good, summary.clusters_connected, "connected"),
            part(Tone::Bad, away, "disconnected"),
            part(Tone::Quiet, unreached, "not reached yet"),
        ],
        vec![
            part(Tone::Good, summary.workers_ready, "ready"),
            part(Tone::Bad, broken, "in error"),
            part(Tone::Quiet, rest, "not running"),
        ],
        vec![
            part(Tone::Good, summary.nets_running, "running"),
            part(Tone::Busy, idle, "idle"),
            part(Tone::Warn, summary.nets_dead, "dead"),
            part(Tone::Bad, errors, "with a load error"),
            part(Tone::Quiet, summary.nets.saturating_sub(summary.nets_loaded + errors), "unloaded"),
        ],
        vec![
            part(Tone::Good, summary.hosts.online, "online"),
            part(Tone::Quiet, summary.hosts.hosts.saturating_sub(summary.hosts.online), "offline"),
        ],
    ]
}

/// The fleet at a glance: the figures, and what is behind them.
#[component]
fn Tiles() -> impl IntoView {
    let store = use_store();
    let figures = Memo::new(move |_| {
        store.seen.with(|summary| {
            [
                ("Clusters connected", summary.clusters_connected, summary.clusters, "/clusters"),
                ("Workers ready", summary.workers_ready, summary.workers, "/workers"),
                ("Nets loaded", summary.nets_loaded, summary.nets, "/nets"),
                ("Hosts online", summary.hosts.online, summary.hosts.hosts, "/hosts"),
            ]
        })
    });
    let all_parts = Memo::new(move |_| store.seen.with(parts));
    view! {
        <dl class="tiles">
            {(0..4)
                .map(|i| {
                    let (label, _, _, href) = figures.get_untracked()[i];
                    let parts = Memo::new(move |_| all_parts.with(|parts| parts[i].clone()));
                    view! {
                        <div class="tile">
                            <dt>
                                <A href=href>{label}</A>
                            </dt>
                            <dd>
                                <p class="figure-large">
                                    {move || count(figures.get()[i].1 as u64)}
                                    <span class="quiet-text">{move || format!(" of {}", count(figures.get()[i].2 as u64))}</span>
                                </p>
                                <ShareBar parts/>
                            </dd>
                        </div>
                    }
                })
                .collect_view()}
        </dl>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::store::HostSummary;

    #[test]
    fn the_parts_are_the_whole() {
        let summary = Summary {
            clusters: 4,
            clusters_connected: 2,
            clusters_away: 1,
            workers: 9,
            workers_ready: 4,
            workers_broken: 2,
            nets: 10,
            nets_loaded: 6,
            nets_running: 3,
            nets_dead: 1,
            nets_failed: 2,
            hosts: HostSummary { hosts: 3, online: 1, ..HostSummary::default() },
            ..Summary::default()
        };
        let counts = parts(&summary).map(|parts| parts.iter().map(|part| part.count).collect::<Vec<_>>());
        assert_eq!(counts, [vec![2, 1, 1], vec![4, 2, 3], vec![3, 2, 1, 2, 2], vec![1, 2]]);
    }
}
