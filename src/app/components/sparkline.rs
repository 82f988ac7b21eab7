//! A small line of figures over time. Where there are none, the line has a gap.

use leptos::prelude::*;

const WIDTH: f32 = 120.0;
const HEIGHT: f32 = 24.0;
/// The line's own thickness stays inside the box.
const MARGIN: f32 = 1.5;

/// `points` from the oldest to the newest, all of the same length of time. `words` says for those who do not see it what it shows.
/// The lower edge is zero; `top` is the least that the upper edge stands for, so that noise near zero does not look like mountains.
#[component]
pub fn Sparkline(points: Vec<Option<f32>>, top: f32, #[prop(into)] words: String) -> impl IntoView {
    let lines = lines(&points, top);
    let runs = lines.into_iter().map(|run| view! { <polyline class="spark-line" points=run></polyline> });
    view! {
        <svg
            class="spark"
            viewBox=format!("0 0 {WIDTH} {HEIGHT}")
            preserveAspectRatio="none"
            role="img"
            aria-label=words
        >
            <line class="spark-floor" x1="0" x2=WIDTH.to_string() y1=HEIGHT.to_string() y2=HEIGHT.to_string()></line>
            {runs.collect_view()}
        </svg>
    }
    .into_any()
}

/// One `points` attribute for each run of figures without a gap.
fn lines(points: &[Option<f32>], top: f32) -> Vec<String> {
    let highest = points.iter().flatten().copied().filter(|value| value.is_finite()).fold(top, f32::max);
    let step = WIDTH / points.len().saturating_sub(1).max(1) as f32;
    let place = |(at, value): (usize, f32)| {
        let share = if highest > 0.0 { (value / highest).clamp(0.0, 1.0) } else { 0.0 };
        let (x, y) = (at as f32 * step, HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN));
        format!("{x:.1},{y:.1}")
    };
    let mut runs: Vec<Vec<String>> = vec![Vec::new()];
    for (at, point) in points.iter().enumerate() {
        match point.filter(|value| value.is_finite()) {
            Some(value) => runs.last_mut().into_iter().for_each(|run| run.push(place((at, value)))),
            None => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs.iter_mut().for_each(|run| {
        // A single figure is drawn as a short line, or it would not be seen.
        if let [only] = &run[..] {
            let (x, y) = only.split_once(',').unwrap_or_default();
            let end = x.parse::<f32>().unwrap_or_default() + step / 2.0;
            run.push(format!("{end:.1},{y}"));
        }
    });
    runs.into_iter().map(|run| run.join(" ")).collect()
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn a_gap_parts_the_line_and_zero_is_the_floor() {
        let runs = lines(&[Some(0.0), Some(10.0), None, Some(5.0)], 1.0);
        assert_eq!(runs, ["0.0,22.5 40.0,1.5", "120.0,12.0 140.0,12.0"]);
    }

    #[test]
    fn small_figures_stay_small_and_nonsense_is_a_gap() {
        assert_eq!(lines(&[Some(1.0), Some(f32::NAN)], 100.0), ["0.0,22.3 60.0,22.3"]);
        assert!(lines(&[None, None], 1.0).is_empty());
        assert!(lines(&[], 1.0).is_empty());
    }
}
