//! How a whole is made up, at a glance.

use super::Tone;
use leptos::prelude::*;

/// A part of the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub tone: Tone,
    pub count: usize,
    /// What its members are: `ready`.
    pub word: &'static str,
}

/// Width of the bar in its own units.
const WIDTH: f64 = 200.0;
/// So that one among ten thousand is still seen.
const LEAST: f64 = 3.0;

/// Where each part begins and how wide it is; parts without members have no width.
fn spans(counts: &[usize]) -> Vec<(f64, f64)> {
    let all: usize = counts.iter().sum();
    let wide = |count: usize| match count {
        0 => 0.0,
        _ => (WIDTH * count as f64 / all as f64).max(LEAST),
    };
    let total: f64 = counts.iter().map(|count| wide(*count)).sum();
    let mut from = 0.0;
    counts
        .iter()
        .map(|count| {
            let width = if total > 0.0 { wide(*count) * WIDTH / total } else { 0.0 };
            let span = (from, width);
            from += width;
            span
        })
        .collect()
}

/// A bar of the parts, with the same in words.
#[component]
pub fn ShareBar(#[prop(into)] parts: Signal<Vec<Part>>) -> impl IntoView {
    let words = Memo::new(move |_| {
        let said = parts.with(|parts| {
            let some = parts.iter().filter(|part| part.count > 0);
            some.map(|part| format!("{} {}", super::format::count(part.count as u64), part.word))
                .collect::<Vec<_>>()
        });
        if said.is_empty() { "none yet".to_owned() } else { said.join(", ") }
    });
    let bars = move || {
        parts.with(|parts| {
            let spans = spans(&parts.iter().map(|part| part.count).collect::<Vec<_>>());
            let seen = parts.iter().zip(spans).filter(|(part, _)| part.count > 0);
            seen.map(|(part, (x, width))| {
                // A gap before the next; the last one ends where the bar ends.
                let gap = if x + width < WIDTH - 0.5 { 1.0 } else { 0.0 };
                view! {
                    <rect
                        class=format!("share-part tone-{}", part.tone.class())
                        x=format!("{x:.1}")
                        width=format!("{:.1}", (width - gap).max(1.0))
                        height="6"
                        rx="1"
                    ></rect>
                }
            })
            .collect_view()
        })
    };
    view! {
        <svg class="share" viewBox="0 0 200 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
            <rect class="meter-track" width="200" height="6" rx="1"></rect>
            {bars}
        </svg>
        <p class="share-words">{move || words.get()}</p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_among_many_is_seen_and_all_fill_the_bar() {
        let spans = spans(&[10_000, 1, 0]);
        assert!(spans[1].1 > 2.0);
        assert_eq!(spans[2].1, 0.0);
        assert!((spans[0].1 + spans[1].1 - WIDTH).abs() < 1e-9);
        assert_eq!(super::spans(&[0, 0]), [(0.0, 0.0), (0.0, 0.0)]);
    }
}
