//! The place in a file that an error names, cut out to be shown. Pure.

use serde::{Deserialize, Serialize};

/// Letters shown of a line, on either side of the error.
const AROUND: usize = 60;

/// The line that an error is in, parted at its column, and the lines around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// From 1.
    pub line: u32,
    pub previous: Option<String>,
    pub before: String,
    /// The letter at the column; empty at the end of a line.
    pub at: String,
    pub after: String,
    pub next: Option<String>,
}

impl Excerpt {
    /// `line` and `column` from 1, the column in letters. `None` where the text has no such line.
    pub fn of(text: &str, line: u32, column: u32) -> Option<Excerpt> {
        let index = (line as usize).checked_sub(1)?;
        let mut lines = text.lines().skip(index.saturating_sub(1));
        let previous = if index == 0 { None } else { Some(lines.next()?) };
        // The end of a file may be a line of its own.
        let wanted = lines.next().unwrap_or_default();
        let next = lines.next();
        let letters: Vec<char> = wanted.chars().collect();
        let at = (column as usize).saturating_sub(1).min(letters.len());
        let (from, to) = (at.saturating_sub(AROUND), (at + 1 + AROUND).min(letters.len()));
        let dots = |cut: bool| if cut { "…" } else { "" };
        let text =
            |range: std::ops::Range<usize>| letters.get(range).unwrap_or_default().iter().collect::<String>();
        let head = |line: &str| -> String {
            let mut cut: String = line.chars().take(2 * AROUND).collect();
            if cut.len() < line.len() {
                cut.push('…');
            }
            cut
        };
        Some(Excerpt {
            line,
            previous: previous.map(head),
            before: format!("{}{}", dots(from > 0), text(from..at)),
            at: text(at..(at + 1).min(letters.len())),
            after: format!("{}{}", text((at + 1).min(to)..to), dots(to < letters.len())),
            next: next.map(head),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letter_at_the_column_stands_alone() {
        let excerpt = Excerpt::of("<a>\n  <b/>\n</a>", 2, 4).expect("there is a second line");
        assert_eq!(excerpt.previous.as_deref(), Some("<a>"));
        assert_eq!((&*excerpt.before, &*excerpt.at, &*excerpt.after), ("  <", "b", "/>"));
        assert_eq!(excerpt.next.as_deref(), Some("</a>"));
    }

    #[test]
    fn of_a_long_line_the_part_around_the_error_is_shown() {
        let long = "é".repeat(1_000);
        let excerpt = Excerpt::of(&long, 1, 500).expect("there is a first line");
        assert_eq!(
            (excerpt.before.chars().count(), &*excerpt.at, excerpt.after.chars().count()),
            (61, "é", 61)
        );
        assert!(excerpt.before.starts_with('…') && excerpt.after.ends_with('…'));
        assert_eq!((excerpt.previous, excerpt.next), (None, None));
    }

    #[test]
    fn what_is_beyond_the_end_is_harmless() {
        assert_eq!(Excerpt::of("a\n", 2, 1).map(|excerpt| excerpt.at), Some(String::new()));
        assert_eq!(
            Excerpt::of("a", 1, 9).map(|excerpt| (excerpt.before, excerpt.at)),
            Some(("a".into(), String::new()))
        );
        assert_eq!(Excerpt::of("", 0, 0), None);
        assert_eq!(Excerpt::of("a", 7, 1), None);
    }
}
