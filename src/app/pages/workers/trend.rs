//! A worker's last hour: CPU, memory and firing rate as small lines.

use crate::{
    app::{
        actions::worker_trend,
        components::{Sparkline, format},
        store::use_store,
    },
    model::{Sample, Series, Trend, WorkerId},
};
use leptos::prelude::*;

/// The newest bucket grows; this often it is fetched again, milliseconds.
const REFRESH_MS: u64 = 10_000;

/// The three lines. They are fetched when shown, and again while they are.
#[component]
pub fn WorkerTrend(id: WorkerId) -> impl IntoView {
    let store = use_store();
    // Zero while the page is rendered and hydrated, so that both sides ask for the same.
    let round = Memo::new(move |_| store.ticks.get() / REFRESH_MS);
    let trend = Resource::new_blocking(move || round.get(), move |_| worker_trend(id));
    view! {
        <div class="trend">
            <Transition fallback=|| view! { <p class="quiet-text">"Fetching the last hour…"</p> }>
                {move || Suspend::new(async move {
                    match trend.await {
                        Ok(trend) => {
                            let (series, span) = worth_showing(trend);
                            view! { <Lines series span/> }.into_any()
                        }
                        Err(error) => view! { <p class="quiet-text">{error.to_string()}</p> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
    .into_any()
}

/// A worker heard for a few minutes only would be a dot in the hour: then the last five minutes say more.
fn worth_showing(trend: Trend) -> (Series, &'static str) {
    const FEW: usize = 8;
    match trend.hour.samples.iter().flatten().count() {
        0..FEW => (trend.five_minutes, "last 5 min"),
        _ => (trend.hour, "last hour"),
    }
}

/// A figure's name, what it is, how it is written, and what at least the top of its line stands for.
struct Figure {
    name: &'static str,
    of: fn(&Sample) -> f32,
    text: fn(f32) -> String,
    top: f32,
}

const FIGURES: [Figure; 3] = [
    Figure {
        name: "CPU",
        of: |sample| sample.cpu_percent,
        text: |value| format!("{value:.0} %"),
        top: 100.0,
    },
    Figure {
        name: "Memory",
        of: |sample| sample.memory_mb,
        text: |value| format::bytes((f64::from(value) * f64::from(1 << 20)) as u64),
        top: 64.0,
    },
    Figure {
        name: "Firings/s",
        of: |sample| sample.rate,
        text: |value| format::rate(f64::from(value)),
        top: 1.0,
    },
];

#[component]
fn Lines(series: Series, span: &'static str) -> impl IntoView {
    FIGURES
        .map(|Figure { name, of, text, top }| {
            let points: Vec<Option<f32>> =
                series.samples.iter().map(|sample| sample.as_ref().map(of)).collect();
            let range = range(&points).map(|(low, high)| format!("{} to {}", text(low), text(high)));
            let range = range.unwrap_or_else(|| "not heard".to_owned());
            let words = format!("{name}, {span}: {range}");
            let title = words.clone();
            view! {
                <figure class="trend-line" title=title>
                    <figcaption>
                        <span>{name} " " <span class="quiet-text">{span}</span></span>
                        <span class="quiet-text figure">{range}</span>
                    </figcaption>
                    <Sparkline points top words/>
                </figure>
            }
        })
        .collect_view()
        .into_any()
}

fn range(points: &[Option<f32>]) -> Option<(f32, f32)> {
    let known = || points.iter().flatten().copied().filter(|value| value.is_finite());
    let low = known().reduce(f32::min)?;
    Some((low, known().reduce(f32::max)?))
}
