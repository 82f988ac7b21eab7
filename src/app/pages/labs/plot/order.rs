//! Which rows of a plot are shown, in which order, and which of them are in the page. Pure.

use crate::petri::lab::Estimate;
use std::{cmp::Ordering, ops::Range};

/// What a row of a plot is called, and what was estimated.
#[derive(Clone, Debug, PartialEq)]
pub struct PlotRow {
    pub id: String,
    pub name: String,
    pub estimate: Estimate,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// As in the file.
    #[default]
    File,
    Name,
    /// The largest first.
    Mean,
    /// The least certain first.
    Width,
}

impl SortBy {
    pub const ALL: [SortBy; 4] = [SortBy::File, SortBy::Name, SortBy::Mean, SortBy::Width];

    pub fn key(self) -> &'static str {
        match self {
            SortBy::File => "file",
            SortBy::Name => "name",
            SortBy::Mean => "mean",
            SortBy::Width => "width",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            SortBy::File => "in the file's order",
            SortBy::Name => "by name",
            SortBy::Mean => "largest first",
            SortBy::Width => "least certain first",
        }
    }

    pub fn parse(text: &str) -> SortBy {
        SortBy::ALL.into_iter().find(|sort| sort.key() == text).unwrap_or_default()
    }
}

/// Places of the rows that `query` is in, in order.
pub fn shown(rows: &[PlotRow], query: &str, sort: SortBy) -> Vec<usize> {
    let query = query.trim().to_lowercase();
    let fits =
        |row: &PlotRow| row.name.to_lowercase().contains(&query) || row.id.to_lowercase().contains(&query);
    let mut shown: Vec<usize> = (0..rows.len()).filter(|at| query.is_empty() || fits(&rows[*at])).collect();
    let mean = |at: usize| rows[at].estimate.mean.unwrap_or(f64::NEG_INFINITY);
    let width = |at: usize| rows[at].estimate.interval.map_or(f64::NEG_INFINITY, |(low, high)| high - low);
    let falling = |a: f64, b: f64| b.partial_cmp(&a).unwrap_or(Ordering::Equal);
    match sort {
        SortBy::File => {}
        SortBy::Name => shown.sort_by_cached_key(|at| rows[*at].name.to_lowercase()),
        SortBy::Mean => shown.sort_by(|a, b| falling(mean(*a), mean(*b))),
        SortBy::Width => shown.sort_by(|a, b| falling(width(*a), width(*b))),
    }
    shown
}

/// A plot of more rows has only those in the page that are seen.
pub const WHOLE: usize = 200;
/// Height of a row, and of the space that rows are scrolled in, in pixels; `style/labs.css` says the same.
pub const ROW: f64 = 28.0;
pub const SPACE: f64 = 448.0;
/// Rows beyond those seen on either side.
const OVER: usize = 8;

/// Which of `rows` rows are in the page when it is scrolled down by `top` pixels.
pub fn window(rows: usize, top: f64) -> Range<usize> {
    if rows <= WHOLE {
        return 0..rows;
    }
    let first = ((top.max(0.0) / ROW) as usize).saturating_sub(OVER);
    let seen = (SPACE / ROW).ceil() as usize + 2 * OVER;
    let first = first.min(rows.saturating_sub(seen));
    first..(first + seen).min(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, mean: Option<f64>, half: f64) -> PlotRow {
        let interval = mean.map(|mean| (mean - half, mean + half));
        PlotRow {
            id: format!("id-{name}"),
            name: name.to_owned(),
            estimate: Estimate { runs: 9, mean, interval },
        }
    }

    #[test]
    fn rows_are_searched_and_sorted() {
        let rows = [
            row("Zeta", Some(1.0), 0.1),
            row("alpha", Some(3.0), 0.2),
            row("beta", None, 0.0),
            row("gamma", Some(2.0), 0.9),
        ];
        assert_eq!(shown(&rows, "", SortBy::File), [0, 1, 2, 3]);
        assert_eq!(shown(&rows, "", SortBy::Name), [1, 2, 3, 0]);
        assert_eq!(shown(&rows, "", SortBy::Mean), [1, 3, 0, 2], "what is not known comes last");
        assert_eq!(shown(&rows, "", SortBy::Width), [3, 1, 0, 2]);
        assert_eq!(shown(&rows, " ETA", SortBy::File), [0, 2]);
        assert_eq!(shown(&rows, "id-alp", SortBy::File), [1]);
    }

    #[test]
    fn of_many_rows_those_that_are_seen_are_in_the_page() {
        assert_eq!(window(200, 5_000.0), 0..200);
        assert_eq!(window(10_000, 0.0), 0..32);
        assert_eq!(window(10_000, 2_800.0), 92..124);
        assert_eq!(window(10_000, 1e9), 9_968..10_000);
        assert_eq!(SortBy::parse("mean"), SortBy::Mean);
        assert_eq!(SortBy::parse("nonsense"), SortBy::File);
    }
}
