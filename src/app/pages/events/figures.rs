//! How many events there are of each kind among those chosen: by hour as bars, by type and by what they are about as short tables.

use super::{
    chosen::{Chosen, resource},
    filters::resource_label,
};
use crate::{
    app::{
        components::format::{count, counted},
        error::ApiError,
        event_actions::event_figures,
        store::{Store, use_store},
    },
    model::{Bucket, EventStatistics, StatisticsBy, Timestamp},
};
use leptos::{html, prelude::*, task::spawn_local};
use leptos_router::components::A;

const HOUR: u64 = 3_600_000;
/// Hours that are drawn at most, the latest.
const HOURS: usize = 72;
/// Rows of a table.
const ROWS: usize = 8;
/// The drawing, in its own units: a bar is one unit wide.
const HEIGHT: f64 = 24.0;

#[derive(Clone, Debug, Default, PartialEq)]
enum State {
    #[default]
    Closed,
    Loading,
    There(Vec<EventStatistics>),
    Failed(String),
}

#[component]
pub fn Figures(chosen: Memo<Chosen>) -> impl IntoView {
    let store = use_store();
    let details = NodeRef::<html::Details>::new();
    let open = RwSignal::new(false);
    let state = RwSignal::new(State::default());
    let turn = RwSignal::new(0_u32);
    let fetch = move || {
        let asked = turn.get_untracked().wrapping_add(1);
        turn.set(asked);
        state.set(State::Loading);
        let query = chosen.get_untracked().asks(store.now.get_untracked());
        spawn_local(async move {
            let mut all: Result<Vec<EventStatistics>, ApiError> = Ok(Vec::new());
            for by in [StatisticsBy::Hour, StatisticsBy::Type, StatisticsBy::Resource] {
                let one = event_figures(query.clone(), by).await;
                match (&mut all, one) {
                    (Ok(all), Ok(one)) => all.push(one),
                    (_, Err(error)) => {
                        all = Err(error);
                        break;
                    }
                    (Err(_), _) => break,
                }
            }
            if turn.try_get_untracked() == Some(asked) {
                state.set(match all {
                    Ok(all) => State::There(all),
                    Err(error) => State::Failed(error.to_string()),
                });
            }
        });
    };
    Effect::new(move |_| {
        chosen.track();
        if open.get() {
            fetch();
        }
    });
    view! {
        <details
            class="panel event-figures needs-script"
            node_ref=details
            on:toggle=move |_| open.set(details.get_untracked().is_some_and(|details| details.open()))
        >
            <summary>"Figures"</summary>
            {move || match state.get() {
                State::Closed => ().into_any(),
                State::Loading => view! { <p class="quiet-text" role="status">"Counting…"</p> }.into_any(),
                State::Failed(why) => view! {
                    <p class="notice tone-warn" role="alert">
                        {format!("The figures could not be fetched. {why} ")}
                        <button type="button" class="link" on:click=move |_| fetch()>"Try again"</button>
                    </p>
                }
                .into_any(),
                State::There(all) => view! { <Counted all chosen/> }.into_any(),
            }}
        </details>
    }
    .into_any()
}

#[component]
fn Counted(all: Vec<EventStatistics>, chosen: Memo<Chosen>) -> impl IntoView {
    let store = use_store();
    let total = all.first().map_or(0, |hours| hours.total);
    let of = |by| all.iter().find(move |one| one.by == by).map(|one| one.buckets.clone()).unwrap_or_default();
    let hours = drawn(&of(StatisticsBy::Hour));
    let (types, resources) = (of(StatisticsBy::Type), of(StatisticsBy::Resource));
    view! {
        <p>
            {format!("{} ", counted(usize::try_from(total).unwrap_or(usize::MAX), "event", "events"))}
            <span class="quiet-text">"when this was counted"</span>
        </p>
        {(!hours.is_empty()).then(|| view! { <Hours hours/> })}
        <div class="more">
            <Table title="By type" buckets=types row=move |bucket: &Bucket| {
                let href = Chosen { kind: bucket.key.clone(), before: None, ..chosen.get_untracked() }.address();
                (bucket.key.clone(), Some(href))
            }/>
            <Table title="By what they are about" buckets=resources row=move |bucket: &Bucket| about(store, chosen, bucket)/>
        </div>
    }
    .into_any()
}

fn about(store: Store, chosen: Memo<Chosen>, bucket: &Bucket) -> (String, Option<String>) {
    let kind = bucket.resource_type.clone().unwrap_or_default();
    match resource(&format!("{kind}:{}", bucket.key)) {
        Some(entity) => {
            let only = Chosen { resource: Some(entity), before: None, ..chosen.get_untracked() };
            (untrack(|| resource_label(store, entity)), Some(only.address()))
        }
        None => ("nothing in particular".to_owned(), None),
    }
}

#[component]
fn Table<F>(title: &'static str, buckets: Vec<Bucket>, row: F) -> impl IntoView
where
    F: Fn(&Bucket) -> (String, Option<String>) + Send + Sync + 'static,
{
    let left = buckets.len().saturating_sub(ROWS);
    let most = buckets.iter().map(|bucket| bucket.count).max().unwrap_or(1).max(1);
    let rows = buckets
        .iter()
        .take(ROWS)
        .map(|bucket| {
            let (label, href) = row(bucket);
            let width = (bucket.count as f64 / most as f64 * 100.0).max(1.0);
            let troubled = bucket.warning + bucket.error;
            view! {
                <tr>
                    <th scope="row">
                        {match href {
                            Some(href) => view! { <A href>{label}</A> }.into_any(),
                            None => label.into_any(),
                        }}
                    </th>
                    <td class="event-bar">
                        <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                            <rect class="bar-all" width=format!("{width:.1}") height="6"></rect>
                        </svg>
                    </td>
                    <td class="figure">{count(bucket.count)}</td>
                    <td class="figure quiet-text">{(troubled > 0).then(|| format!("{} in trouble", count(troubled)))}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="event-table">
            <table>
                <caption>{title}</caption>
                <thead class="visually-hidden">
                    <tr>
                        <th scope="col">{title}</th>
                        <th scope="col">"Bar"</th>
                        <th scope="col">"Events"</th>
                        <th scope="col">"Warnings and errors"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            {(left > 0).then(|| view! { <p class="quiet-text">{format!("and {} more", count(left as u64))}</p> })}
        </div>
    }
    .into_any()
}

/// The latest hours in order, those without events too.
fn drawn(buckets: &[Bucket]) -> Vec<Bucket> {
    let at = |bucket: &Bucket| bucket.at.map(|at| at.0 / HOUR);
    let (Some(first), Some(last)) = (buckets.iter().find_map(at), buckets.iter().rev().find_map(at)) else {
        return Vec::new();
    };
    let first = first.max((last + 1).saturating_sub(HOURS as u64));
    (first..=last)
        .map(|hour| {
            let there = buckets.iter().find(|bucket| at(bucket) == Some(hour)).cloned();
            let at = Timestamp(hour * HOUR);
            there.unwrap_or_else(|| Bucket { key: at.to_string(), at: Some(at), ..Bucket::default() })
        })
        .collect()
}

/// Bars, and the same as a table for whoever wants the numbers.
#[component]
fn Hours(hours: Vec<Bucket>) -> impl IntoView {
    let most = hours.iter().map(|bucket| bucket.count).max().unwrap_or(1).max(1);
    let wide = hours.len().max(24);
    let hour = |bucket: &Bucket| {
        bucket.at.unwrap_or_default().to_string().chars().take(16).collect::<String>().replace('T', " ")
    };
    let bars = hours
        .iter()
        .enumerate()
        .map(|(n, bucket)| {
            let mut foot = HEIGHT;
            let parts = [
                (bucket.error, "bar-error"),
                (bucket.warning, "bar-warning"),
                (bucket.success, "bar-success"),
                (bucket.info, "bar-info"),
            ];
            let parts = parts
                .into_iter()
                .filter(|(events, _)| *events > 0)
                .map(|(events, class)| {
                    let height = events as f64 / most as f64 * HEIGHT;
                    foot -= height;
                    view! {
                        <rect class=class x=format!("{:.2}", (wide - hours.len() + n) as f64 + 0.1) y=format!("{foot:.2}") width="0.8" height=format!("{height:.2}")></rect>
                    }
                })
                .collect_view();
            let words = format!("{} UTC: {} events, {} warnings, {} errors", hour(bucket), bucket.count, bucket.warning, bucket.error);
            view! { <g><title>{words}</title>{parts}</g> }
        })
        .collect_view();
    let rows = hours
        .iter()
        .rev()
        .filter(|bucket| bucket.count > 0)
        .map(|bucket| {
            let figures = [bucket.count, bucket.info, bucket.success, bucket.warning, bucket.error];
            view! {
                <tr>
                    <th scope="row">{hour(bucket)}</th>
                    {figures.map(|figure| view! { <td class="figure">{count(figure)}</td> }).collect_view()}
                </tr>
            }
        })
        .collect_view();
    let (from, to) =
        (hours.first().map(hour).unwrap_or_default(), hours.last().map(hour).unwrap_or_default());
    let label = format!("Events per hour from {from} to {to} UTC, at most {most} in an hour");
    view! {
        <svg class="event-hours" viewBox=format!("0 0 {wide} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=label>
            {bars}
        </svg>
        <p class="event-hours-foot quiet-text">
            <span>{format!("{from} UTC")}</span>
            <span class="event-legend">
                <span class="tone-bad">"■ errors"</span>
                <span class="tone-warn">"■ warnings"</span>
                <span class="tone-good">"■ successes"</span>
                <span class="tone-quiet">"■ others"</span>
            </span>
            <span>{format!("{to} UTC")}</span>
        </p>
        <details>
            <summary>"Per hour as a table"</summary>
            <table class="event-hours-table">
                <thead>
                    <tr>
                        <th scope="col">"Hour (UTC)"</th>
                        <th scope="col" class="figure">"All"</th>
                        <th scope="col" class="figure">"Info"</th>
                        <th scope="col" class="figure">"Success"</th>
                        <th scope="col" class="figure">"Warning"</th>
                        <th scope="col" class="figure">"Error"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(hour: u64, count: u64) -> Bucket {
        let at = Timestamp(hour * HOUR);
        Bucket { key: at.to_string(), at: Some(at), count, info: count, ..Bucket::default() }
    }

    #[test]
    fn hours_without_events_are_drawn_as_such() {
        let counts =
            |buckets: &[Bucket]| drawn(buckets).iter().map(|bucket| bucket.count).collect::<Vec<_>>();
        assert_eq!(counts(&[bucket(10, 3), bucket(13, 1)]), [3, 0, 0, 1]);
        assert_eq!(counts(&[]), Vec::<u64>::new());
        let long = drawn(&[bucket(10, 3), bucket(1_000, 1)]);
        assert_eq!((long.len(), long[0].at), (HOURS, Some(Timestamp((1_001 - HOURS as u64) * HOUR))));
    }
}
