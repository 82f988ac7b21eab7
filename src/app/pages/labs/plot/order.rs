//! Which rows of a plot are shown, in which order, and how many of them. Pure.

use crate::petri::lab::Estimate;
use std::cmp::Ordering;

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

/// Rows that are shown at first, and that come with each wish for more.
pub const FIRST: usize = 50;
pub const STEP: usize = 100;

/// How many of `rows` rows are shown where `wanted` are. A few that would be left over are shown as well.
pub fn shown_of(rows: usize, wanted: usize) -> usize {
    if rows <= wanted + FIRST / 5 { rows } else { wanted }
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
    fn of_many_rows_the_first_are_shown_and_no_few_are_left_over() {
        assert_eq!(shown_of(20, FIRST), 20);
        assert_eq!(shown_of(60, FIRST), 60);
        assert_eq!(shown_of(61, FIRST), 50);
        assert_eq!(shown_of(10_000, 150), 150);
        assert_eq!(SortBy::parse("mean"), SortBy::Mean);
        assert_eq!(SortBy::parse("nonsense"), SortBy::File);
    }
}
