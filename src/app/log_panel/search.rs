//! Finding text in a log, a part of it at a time, so that a long one does not stop the page. Pure.

use super::buffer::Buffer;

/// The lines in which a text is, upper and lower case alike.
#[derive(Debug, Default)]
pub struct Search {
    /// Lower case; empty finds nothing.
    wanted: String,
    /// Numbers of lines, ascending.
    found: Vec<u64>,
    /// Lines below this were looked at.
    seen: u64,
}

impl Search {
    pub fn wanted(&self) -> &str {
        &self.wanted
    }

    /// Begins anew.
    pub fn want(&mut self, text: &str) {
        *self = Search { wanted: text.to_lowercase(), ..Search::default() };
    }

    /// Looks at the next lines that have ended, at most so many; whether there are more.
    pub fn step(&mut self, buffer: &Buffer, most: usize) -> bool {
        let gone = self.found.partition_point(|line| *line < buffer.cut());
        self.found.drain(..gone);
        if self.wanted.is_empty() {
            self.seen = buffer.ended();
            return false;
        }
        for (number, line) in buffer.from(self.seen).take(most) {
            if contains(&line.plain(), &self.wanted) {
                self.found.push(number);
            }
            self.seen = number + 1;
        }
        self.seen < buffer.ended()
    }

    /// How many lines have it, as far as was looked.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// Which of them `line` is, from 1.
    pub fn place(&self, line: u64) -> Option<usize> {
        self.found.binary_search(&line).ok().map(|at| at + 1)
    }

    /// The next one after `line`, or before it; around the end and back.
    pub fn next(&self, line: Option<u64>, backwards: bool) -> Option<u64> {
        let Some(line) = line else {
            return if backwards { self.found.last() } else { self.found.first() }.copied();
        };
        let at = match backwards {
            false => self.found.partition_point(|found| *found <= line),
            true => self
                .found
                .partition_point(|found| *found < line)
                .checked_sub(1)
                .unwrap_or(self.found.len().saturating_sub(1)),
        };
        self.found.get(at).or(self.found.first()).copied()
    }
}

fn contains(text: &str, wanted: &str) -> bool {
    if text.len() < wanted.len() {
        return false;
    }
    match text.is_ascii() && wanted.is_ascii() {
        true => find_ascii(text.as_bytes(), wanted.as_bytes(), 0).is_some(),
        false => text.to_lowercase().contains(wanted),
    }
}

fn find_ascii(text: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let last = text.len().checked_sub(wanted.len())?;
    let (first, upper) = (wanted[0], wanted[0].to_ascii_uppercase());
    (from..=last).find(|&at| {
        (text[at] == first || text[at] == upper) && text[at..at + wanted.len()].eq_ignore_ascii_case(wanted)
    })
}

/// Where `wanted` (lower case) is in `text`, byte ranges. Of text that is not ASCII only what has it in this very case is marked.
pub fn hits(text: &str, wanted: &str) -> Vec<std::ops::Range<usize>> {
    let mut hits = Vec::new();
    if wanted.is_empty() {
        return hits;
    }
    let mut from = 0;
    let find = |from: usize| match wanted.is_ascii() {
        true => find_ascii(text.as_bytes(), wanted.as_bytes(), from),
        false => text.get(from..)?.find(wanted).map(|at| from + at),
    };
    while let Some(at) = find(from) {
        hits.push(at..at + wanted.len());
        from = at + wanted.len();
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(lines: &[&str]) -> Buffer {
        let mut buffer = Buffer::default();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        buffer.push(0, text.len() as u64, &text);
        buffer
    }

    #[test]
    fn lines_are_found_in_parts_and_whatever_their_case() {
        let buffer = buffer(&["Error: a", "fine", "an \u{1b}[31mERR\u{1b}[0mOR", "äöü ÄÖÜ"]);
        let mut search = Search::default();
        search.want("error");
        assert!(search.step(&buffer, 1));
        assert_eq!(search.count(), 1);
        assert!(!search.step(&buffer, 100));
        assert_eq!((search.count(), search.place(2)), (2, Some(2)));
        assert_eq!(
            (search.next(None, false), search.next(Some(0), false), search.next(Some(2), false)),
            (Some(0), Some(2), Some(0))
        );
        assert_eq!(
            (search.next(Some(0), true), search.next(None, true), search.next(Some(1), true)),
            (Some(2), Some(2), Some(0))
        );
        search.want("ÄÖ");
        search.step(&buffer, 100);
        assert_eq!(search.count(), 1);
        search.want("");
        search.step(&buffer, 100);
        assert_eq!((search.count(), search.next(None, false)), (0, None));
    }

    #[test]
    fn what_comes_later_is_looked_at_later() {
        let mut buffer = buffer(&["x"]);
        let mut search = Search::default();
        search.want("x");
        search.step(&buffer, 100);
        buffer.push(2, 4, "x\n");
        search.step(&buffer, 100);
        assert_eq!(search.count(), 2);
    }

    #[test]
    fn hits_are_marked_where_they_are() {
        assert_eq!(hits("An error, an ERROR", "error"), [3..8, 13..18]);
        assert_eq!(hits("aaa aa", "aa"), [0..2, 4..6]);
        assert_eq!(hits("é error error", "error"), [3..8, 9..14]);
        assert!(hits("x", "").is_empty());
    }
}
