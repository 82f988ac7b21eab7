//! Estimates as marks on a scale: a bar is where the true value is in 95 of 100 experiments, the dot is the mean.
//!
//! A plot is a table whose second column is drawn, so that who does not see it hears the numbers. What comes in: estimates. Sizes that follow
//! them are attributes of SVG; looks are classes.

mod order;
mod scale;

pub use order::PlotRow;
pub use scale::{Scale, exact, number, share};

use crate::{
    app::{
        components::format::{self, count},
        live::plots::focus_row,
    },
    petri::lab::Estimate,
};
use leptos::{ev, prelude::*};
use order::{FIRST, STEP, SortBy, shown, shown_of};
use std::sync::Arc;

/// Plots of more rows can be searched.
const SEARCHED: usize = 8;

/// The bar and the dot of one estimate.
#[component]
fn Mark(#[prop(into)] estimate: Signal<Estimate>, #[prop(into)] scale: Signal<Scale>) -> impl IntoView {
    let at = move |value: f64| format!("{:.2}%", scale.with(|scale| scale.percent(value)));
    view! {
        <svg class="plot-mark" aria-hidden="true" focusable="false">
            {move || scale.with(|scale| scale.ticks.iter().map(|tick| {
                let x = format!("{:.2}%", scale.percent(*tick));
                view! { <line class="plot-grid" x1=x.clone() x2=x y1="0" y2="100%"></line> }
            }).collect_view())}
            {move || estimate.get().interval.map(|(low, high)| view! {
                <line class="plot-interval" x1=at(low) x2=at(high) y1="50%" y2="50%"></line>
            })}
            {move || estimate.get().mean.map(|mean| view! { <circle class="plot-mean" cx=at(mean) cy="50%" r="4"></circle> })}
        </svg>
    }
    .into_any()
}

/// The numbers of a scale.
#[component]
fn Axis(#[prop(into)] scale: Signal<Scale>, #[prop(optional)] shares: bool) -> impl IntoView {
    view! {
        <svg class="plot-axis" aria-hidden="true" focusable="false">
            {move || scale.with(|scale| {
                let last = scale.ticks.len().saturating_sub(1);
                scale.ticks.iter().enumerate().map(|(n, tick)| {
                    let text = if shares { share(*tick) } else { scale.label(*tick) };
                    let anchor = if n == 0 { "start" } else if n == last { "end" } else { "middle" };
                    view! { <text x=format!("{:.2}%", scale.percent(*tick)) y="12" text-anchor=anchor>{text}</text> }
                }).collect_view()
            })}
        </svg>
    }
    .into_any()
}

fn interval_words(estimate: &Estimate, words: fn(f64) -> String) -> String {
    match estimate.interval {
        Some((low, high)) => format!("{} to {}", words(low), words(high)),
        None => "—".to_owned(),
    }
}

/// One estimate on a scale of its own.
#[component]
pub fn Figure(
    label: &'static str,
    #[prop(into)] estimate: Signal<Estimate>,
    /// It is a share of 1.
    #[prop(optional)]
    shares: bool,
    /// What it counts.
    #[prop(optional)]
    unit: &'static str,
    /// What it rests on.
    of: &'static str,
) -> impl IntoView {
    let words: fn(f64) -> String = if shares { share } else { number };
    let scale = Memo::new(move |_| {
        let estimate = estimate.get();
        let ends = estimate.interval.into_iter().flat_map(|(low, high)| [low, high]);
        if shares { Scale::shares() } else { Scale::over(ends.chain(estimate.mean), 4) }
    });
    view! {
        <div class="plot-one">
            <dt>{label}</dt>
            <dd>
                <span class="plot-value">
                    {move || estimate.get().mean.map_or("—".to_owned(), words)} " " <span class="quiet-text">{unit}</span>
                </span>
                <Mark estimate scale/>
                <Axis scale shares/>
                <span class="plot-said quiet-text">
                    {move || {
                        let estimate = estimate.get();
                        format!("95 % interval {}, of {} {of}", interval_words(&estimate, words), count(estimate.runs))
                    }}
                </span>
            </dd>
        </div>
    }
    .into_any()
}

/// Many estimates on one scale.
#[component]
pub fn Plot(
    id: &'static str,
    title: &'static str,
    /// What a row is: `Transition`.
    what: &'static str,
    /// What is measured, a phrase.
    #[prop(into)]
    measures: String,
    #[prop(into)] rows: Signal<Arc<Vec<PlotRow>>>,
) -> impl IntoView {
    let query = RwSignal::new(String::new());
    let sort = RwSignal::new(SortBy::default());
    let looked_at = RwSignal::new(None::<usize>);
    let wanted = RwSignal::new(FIRST);
    let all = Memo::new(move |_| rows.with(|rows| rows.len()));
    let scale = Memo::new(move |_| {
        rows.with(|rows| {
            let values = rows.iter().flat_map(|row| {
                let ends = row.estimate.interval.into_iter().flat_map(|(low, high)| [low.max(0.0), high]);
                ends.chain(row.estimate.mean)
            });
            Scale::over(values, 5)
        })
    });
    let order = Memo::new(move |_| rows.with(|rows| query.with(|query| shown(rows, query, sort.get()))));
    let inside = Memo::new(move |_| {
        order
            .with(|order| order.iter().take(shown_of(order.len(), wanted.get())).copied().collect::<Vec<_>>())
    });
    // So many more are shown when that is wanted.
    let next = Memo::new(move |_| {
        let then = order.with(|order| shown_of(order.len(), wanted.get() + STEP).min(order.len()));
        then.saturating_sub(inside.with(Vec::len))
    });
    let any_left = Memo::new(move |_| next.get() > 0);
    let said = Memo::new(move |_| {
        let row = looked_at.get().and_then(|at| rows.with(|rows| rows.get(at).cloned()))?;
        let PlotRow { name, estimate, .. } = row;
        let mean = estimate.mean.map_or("not known".to_owned(), exact);
        let interval = estimate.interval.map_or(String::new(), |(low, high)| {
            format!(", 95 % interval {} to {}", exact(low), exact(high))
        });
        Some(format!(
            "{name}: {mean}{interval}, of {}",
            format::counted(estimate.runs as usize, "run", "runs")
        ))
    });
    let on_key = move |event: ev::KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            _ => return,
        };
        event.prevent_default();
        focus_row(&event, by);
    };
    // The one that the tabulator key comes to.
    let stop = Memo::new(move |_| {
        let first = inside.with(|inside| inside.first().copied());
        looked_at.get().filter(|at| inside.with(|inside| inside.contains(at))).or(first)
    });
    view! {
        <section class="panel plot" aria-labelledby=id>
            <div class="panel-head plot-head">
                <h2 id=id>{title}</h2>
                {move || (all.get() > SEARCHED).then(|| view! {
                    <div class="plot-tools needs-script">
                        <input
                            class="input"
                            type="search"
                            placeholder="Search"
                            aria-label=format!("Search in {title}")
                            on:input=move |event| query.set(event_target_value(&event))
                        />
                        <select class="select" aria-label=format!("Order of {title}") on:change=move |event| sort.set(SortBy::parse(&event_target_value(&event)))>
                            {SortBy::ALL.map(|sort| view! { <option value=sort.key()>{sort.label()}</option> }).collect_view()}
                        </select>
                    </div>
                })}
            </div>
            <p class="plot-said quiet-text">
                {move || said.get().unwrap_or_else(|| match (order.with(Vec::len), all.get()) {
                    (some, all) if some < all => format!("{} of {}; {measures}", count(some as u64), count(all as u64)),
                    _ => measures.clone(),
                })}
            </p>
            // Laid out otherwise on a phone, and a table that is loses its roles where they are not written out.
            <table class="plot-table" role="table" aria-labelledby=id on:keydown=on_key on:mouseleave=move |_| looked_at.set(None)>
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader" class="plot-name">{what}</th>
                        <td role="cell" class="plot-cell"><Axis scale/></td>
                        <th scope="col" role="columnheader" class="figure plot-figure">"Mean"</th>
                        <th scope="col" role="columnheader" class="figure plot-range">"95 % interval"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    <For each=move || inside.get() key=|at| *at let:at>
                        <Row at rows scale looked_at stop/>
                    </For>
                </tbody>
            </table>
            // The button stays the same while it has more to show: it has the focus.
            {move || any_left.get().then(|| view! {
                <p class="plot-more quiet-text">
                    {move || format!("The first {} of {}. ", count(inside.with(Vec::len) as u64), count(order.with(Vec::len) as u64))}
                    <button type="button" class="link needs-script" on:click=move |_| wanted.update(|wanted| *wanted += STEP)>
                        {move || format!("Show {} more", count(next.get() as u64))}
                    </button>
                </p>
            })}
        </section>
    }
    .into_any()
}

#[component]
fn Row(
    at: usize,
    rows: Signal<Arc<Vec<PlotRow>>>,
    scale: Memo<Scale>,
    looked_at: RwSignal<Option<usize>>,
    stop: Memo<Option<usize>>,
) -> impl IntoView {
    let none = Estimate { runs: 0, mean: None, interval: None };
    let (id, name) = rows
        .with_untracked(|rows| rows.get(at).map(|row| (row.id.clone(), row.name.clone())))
        .unwrap_or_default();
    let estimate = Memo::new(move |_| rows.with(|rows| rows.get(at).map_or(none, |row| row.estimate)));
    let title = if id == name { name.clone() } else { format!("{name} ({id})") };
    view! {
        <tr
            class="plot-row"
            role="row"
            data-row=id
            tabindex=move || if stop.get() == Some(at) { "0" } else { "-1" }
            on:mouseenter=move |_| looked_at.set(Some(at))
            on:focus=move |_| looked_at.set(Some(at))
        >
            <th scope="row" role="rowheader" class="plot-name" title=title>{name}</th>
            <td role="cell" class="plot-cell"><Mark estimate scale/></td>
            <td role="cell" class="figure plot-figure">{move || estimate.get().mean.map_or("—".to_owned(), number)}</td>
            <td role="cell" class="figure plot-range">{move || interval_words(&estimate.get(), number)}</td>
        </tr>
    }
    .into_any()
}
