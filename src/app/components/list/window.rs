//! Which rows of a long list are worth having in the page. Pure arithmetic; lengths are CSS pixels.

use std::ops::Range;

/// How the rows lie: in lines of equal height, but for some that are open.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    pub rows: usize,
    /// Rows beside each other: 1 in a table, more where cards stand in a grid.
    pub across: usize,
    /// From the top of a line to the top of the next.
    pub pitch: f64,
    /// How much higher than the others a line is, for those that are: by line, ascending.
    pub taller: Vec<(usize, f64)>,
}

impl Layout {
    pub fn lines(&self) -> usize {
        self.rows.div_ceil(self.across.max(1))
    }

    /// Where a line begins.
    pub fn top(&self, line: usize) -> f64 {
        let above = self.taller.iter().take_while(|(taller, _)| *taller < line);
        line as f64 * self.pitch + above.map(|(_, by)| by).sum::<f64>()
    }

    /// From the top of the first of these lines to the end of the last.
    pub fn height(&self, lines: Range<usize>) -> f64 {
        if lines.is_empty() { 0.0 } else { self.top(lines.end) - self.top(lines.start) }
    }

    /// The line at `y`; the last one for all below.
    pub fn line_at(&self, y: f64) -> usize {
        let (mut low, mut high) = (0, self.lines().saturating_sub(1));
        while low < high {
            let middle = (low + high).div_ceil(2);
            if self.top(middle) <= y { low = middle } else { high = middle - 1 }
        }
        low
    }

    /// The rows of the lines between two heights, and of `over` lines more on either side.
    pub fn between(&self, top: f64, bottom: f64, over: usize) -> Range<usize> {
        if self.rows == 0 || self.pitch <= 0.0 {
            return 0..self.rows.min(over * self.across.max(1));
        }
        let first = self.line_at(top.max(0.0)).saturating_sub(over);
        let last = (self.line_at(bottom.max(0.0)) + over + 1).min(self.lines());
        let across = self.across.max(1);
        first * across..(last * across).min(self.rows)
    }
}

/// What of `window` to have in the page next: the rows that are `there` already, and at most `new` others, those of `seen` first. Making all
/// rows of a screen at once would keep the page waiting.
pub fn grown(
    window: &Range<usize>,
    seen: &Range<usize>,
    there: impl Fn(usize) -> bool,
    new: usize,
) -> Range<usize> {
    let seen = seen.start.clamp(window.start, window.end)..seen.end.clamp(window.start, window.end);
    let mut left = new;
    // Those at the end move nobody. One at the start moves all others by one, and is the only one then.
    let mut takes = |place: usize, of: usize| {
        let free = there(place);
        let takes = free || of > 0 && left >= of;
        // Where one that comes first has to wait, nothing that comes after it is made.
        left = match (free, takes) {
            (true, _) => left,
            (false, true) => left - of,
            (false, false) => 0,
        };
        takes
    };
    let from = seen.clone().find(|place| there(*place)).unwrap_or(seen.start);
    let mut grown = from..from;
    for limits in [&seen, window] {
        while grown.end < limits.end && takes(grown.end, 1) {
            grown.end += 1;
        }
        while grown.start > limits.start && takes(grown.start - 1, new) {
            grown.start -= 1;
        }
    }
    grown
}

/// What stands in the page: rows, and the room of those that do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Piece<K> {
    Row(K),
    /// The n-th of three: above, between, below.
    Room(u8),
}

/// The rows of `window`, and the one at `held` although it is elsewhere (it has the focus), with the lines that are left out around them.
pub fn pieces(layout: &Layout, window: Range<usize>, held: Option<usize>) -> (Vec<Range<usize>>, [f64; 3]) {
    let across = layout.across.max(1);
    let line = |row: usize| row / across;
    let after = |rows: &Range<usize>| rows.end.div_ceil(across);
    let (first, last) = match held.filter(|held| !window.contains(held) && *held < layout.rows) {
        Some(held) if held < window.start => (held..held + 1, window),
        Some(held) => (window, held..held + 1),
        None => (window, layout.rows..layout.rows),
    };
    let end = layout.lines();
    let last_line = if last.is_empty() { end } else { line(last.start) };
    let rooms = [
        layout.height(0..line(first.start)),
        layout.height(after(&first)..last_line.max(after(&first))),
        if last.is_empty() { 0.0 } else { layout.height(after(&last)..end) },
    ];
    (vec![first, last], rooms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn layout() -> impl Strategy<Value = Layout> {
        (0..400usize, 1..4usize, prop::collection::btree_map(0..100usize, 1.0..300.0f64, 0..4)).prop_map(
            |(rows, across, taller)| Layout {
                rows,
                across,
                pitch: 37.0,
                taller: taller.into_iter().collect(),
            },
        )
    }

    proptest! {
        #[test]
        fn rows_and_room_are_as_high_as_all_rows(layout in layout(), from in 0.0..20_000.0f64, screen in 100.0..2_000.0f64, held in prop::option::of(0..400usize)) {
            let window = layout.between(from, from + screen, 3);
            let (parts, rooms) = pieces(&layout, window.clone(), held);
            let lines = |rows: &Range<usize>| rows.start / layout.across..rows.end.div_ceil(layout.across);
            let rows: f64 = parts.iter().filter(|rows| !rows.is_empty()).map(|rows| layout.height(lines(rows))).sum();
            let all = layout.height(0..layout.lines());
            prop_assert!((rows + rooms.iter().sum::<f64>() - all).abs() < 1e-6, "{parts:?} {rooms:?} of {all}");
            for part in &parts {
                prop_assert!(part.end <= layout.rows);
            }
            if let Some(held) = held.filter(|held| *held < layout.rows) {
                prop_assert!(parts.iter().any(|rows| rows.contains(&held)));
            }
        }

        #[test]
        fn a_window_is_filled_step_by_step_what_is_seen_first(
            from in 0..50usize, long in 1..60usize, cut in 0..20usize, shown in 1..30usize,
            there in prop::collection::hash_set(0..120usize, 0..40), new in 1..10usize,
        ) {
            let window = from..from + long;
            let seen = from + cut..from + cut + shown;
            let (mut there, mut steps) = (there, 0);
            loop {
                let next = grown(&window, &seen, |place| there.contains(&place), new);
                prop_assert!(next.start >= window.start && next.end <= window.end);
                let made = next.clone().filter(|place| !there.contains(place)).count();
                prop_assert!(made <= new);
                let unseen = next.clone().filter(|place| !there.contains(place) && !seen.contains(place)).count();
                let missing = seen.clone().filter(|place| window.contains(place) && !next.contains(place)).count();
                prop_assert!(unseen == 0 || missing == 0, "{next:?} of {window:?} while {seen:?} is not full");
                if next == window {
                    break;
                }
                there = next.collect();
                steps += 1;
                prop_assert!(steps <= long, "it does not come to its end");
            }
        }

        #[test]
        fn what_is_on_the_screen_is_in_the_window(layout in layout(), from in 0.0..20_000.0f64, screen in 100.0..2_000.0f64) {
            let window = layout.between(from, from + screen, 0);
            for row in 0..layout.rows {
                let line = row / layout.across;
                let (top, bottom) = (layout.top(line), layout.top(line + 1));
                if bottom > from && top < from + screen {
                    prop_assert!(window.contains(&row), "row {row} at {top} to {bottom} is not in {window:?}");
                }
            }
        }
    }
}
