//! A version beside the one before it: drawn, and as a list.

use super::{super::tabs::Tab, drawing::DiffDrawingView};
use crate::{
    app::{
        build_actions::{Compared, compare_versions},
        components::format,
    },
    model::NetId,
    petri::diff::{Difference, Mark, NetDiff},
};
use leptos::prelude::*;

/// Differences shown at first.
const SHOWN: usize = 50;

#[component]
pub fn Comparison(id: NetId, version: u32) -> impl IntoView {
    let compared = Resource::new(move || version, move |version| compare_versions(id, version));
    view! {
        <section class="panel comparison" aria-labelledby="compare-title">
            <div class="panel-head">
                <h2 id="compare-title">{format!("What version {version} changed")}</h2>
                <a class="button" href=Tab::Versions.of(id) data-noscroll="">
                    "Close"
                </a>
            </div>
            <Transition fallback=|| view! { <p class="quiet-text">"Comparing…"</p> }>
                {move || Suspend::new(async move {
                    match compared.await {
                        Ok(compared) => view! { <Found compared/> }.into_any(),
                        Err(error) => view! { <p class="notice tone-bad" role="alert">{error.to_string()}</p> }.into_any(),
                    }
                })}
            </Transition>
        </section>
    }
    .into_any()
}

#[component]
fn Found(compared: Compared) -> impl IntoView {
    let Compared { before, after, diff } = compared;
    match diff {
        Err(why) => view! { <p class="notice tone-bad">{why}</p> }.into_any(),
        Ok(diff) if diff.found == 0 => view! {
            <p>{format!("Nothing that runs: versions {before} and {after} differ in what is drawn or written only.")}</p>
        }
        .into_any(),
        Ok(diff) => view! { <Both diff before after/> }.into_any(),
    }
}

#[component]
fn Both(diff: NetDiff, before: u32, after: u32) -> impl IntoView {
    let NetDiff { differences, found, drawing } = diff;
    let count = |mark: Mark| differences.iter().filter(|difference| difference.mark() == mark).count();
    let counts = [Mark::Added, Mark::Removed, Mark::Changed].map(|mark| (mark, count(mark)));
    let said: Vec<String> = (counts.iter())
        .filter(|(_, count)| *count > 0)
        .map(|(mark, count)| format!("{} {}", format::count(*count as u64), mark.word()))
        .collect();
    let listed = differences.len();
    let shown = RwSignal::new(SHOWN);
    let differences = StoredValue::new(differences);
    let said = if found > listed {
        format!(
            "{} differences; the first {} are listed.",
            format::count(found as u64),
            format::count(listed as u64)
        )
    } else {
        format!("From version {before} to {after}: {}.", said.join(", "))
    };
    let line = move |n: usize| {
        differences.with_value(|all| all.get(n).cloned()).map(|difference| view! { <Line difference/> })
    };
    let partial = drawing.as_ref().is_some_and(|drawing| drawing.partial);
    view! {
        <p>{said}</p>
        {match drawing {
            Some(drawing) => view! { <DiffDrawingView drawing/> }.into_any(),
            None => view! { <p class="quiet-text">"Too much changed to be drawn."</p> }.into_any(),
        }}
        {partial
            .then(|| view! { <p class="quiet-text">"Of a net this large, what changed is drawn and what it is joined to."</p> })}
        <ul class="differences" aria-label="Differences">
            <For each=move || 0..shown.get().min(listed) key=|n| *n children=line/>
        </ul>
        {move || {
            (shown.get() < listed)
                .then(|| {
                    view! {
                        <button type="button" class="link needs-script" on:click=move |_| shown.set(listed)>
                            {format!("Show all {}", format::count(listed as u64))}
                        </button>
                    }
                })
        }}
    }
    .into_any()
}

/// The sign, the colour and the word of a mark: any of them tells it.
pub fn sign(mark: Mark) -> (&'static str, &'static str) {
    match mark {
        Mark::Same => ("", "quiet"),
        Mark::Added => ("+", "good"),
        Mark::Removed => ("−", "bad"),
        Mark::Changed => ("≠", "warn"),
    }
}

#[component]
fn Line(difference: Difference) -> impl IntoView {
    let mark = difference.mark();
    let (sign, tone) = sign(mark);
    view! {
        <li class="difference">
            <span class=format!("state tone-{tone}")>
                <span class="difference-sign" aria-hidden="true">{sign}</span>
                <span class="state-word">{mark.word()}</span>
            </span>
            <span>{difference.words()}</span>
        </li>
    }
    .into_any()
}
