//! The lines of one command's output, as many as are kept. Pure.

use super::ansi::{Style, overwritten, plain, style_after};
use std::collections::VecDeque;

/// So many lines are kept; the oldest go first, and it is said that they went.
pub const MOST_LINES: usize = 200_000;
/// And so many bytes of text.
pub const MOST_BYTES: usize = 64 << 20;
/// A line longer than this, bytes, is several.
pub const LONGEST: usize = 8 << 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Text {
        text: Box<str>,
        /// The style in which it begins.
        start: Style,
        /// Characters that are seen.
        width: u32,
    },
    /// So many bytes are missing here.
    Gap(u64),
}

impl Line {
    fn of(text: &str, start: Style) -> Line {
        let bare = plain(text);
        let width = if bare.is_ascii() { bare.len() } else { bare.chars().count() };
        Line::Text { text: text.into(), start, width: width as u32 }
    }

    fn bytes(&self) -> usize {
        match self {
            Line::Text { text, .. } => text.len(),
            Line::Gap(_) => 0,
        }
    }

    /// What is seen of it.
    pub fn plain(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Line::Text { text, .. } => plain(text),
            Line::Gap(size) => gap_words(*size).into(),
        }
    }

    pub fn width(&self) -> usize {
        match self {
            Line::Text { width, .. } => *width as usize,
            Line::Gap(size) => gap_words(*size).len(),
        }
    }
}

/// What stands where bytes are missing.
pub fn gap_words(size: u64) -> String {
    format!(
        "[{} bytes are missing here: they could not be kept]",
        crate::app::components::format::count(size)
    )
}

#[derive(Debug, Default)]
pub struct Buffer {
    lines: VecDeque<Line>,
    /// Lines that were let go.
    cut: u64,
    bytes: usize,
    /// The line that has not ended yet, and how it begins.
    open: String,
    open_start: Style,
    /// The next byte of the output.
    offset: u64,
}

impl Buffer {
    /// The next byte of the output that is wanted.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Lines that were let go, from the beginning.
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// The lines that there are, by number; the first of the output is 0.
    pub fn range(&self) -> std::ops::Range<u64> {
        self.cut..self.cut + self.len() as u64
    }

    /// How many lines there are, the one that has not ended included.
    pub fn len(&self) -> usize {
        self.lines.len() + usize::from(!self.open.is_empty())
    }

    /// How many have ended.
    pub fn ended(&self) -> u64 {
        self.cut + self.lines.len() as u64
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The line with a number; the last may still grow.
    pub fn line(&self, number: u64) -> Option<Line> {
        let at = usize::try_from(number.checked_sub(self.cut)?).ok()?;
        match self.lines.get(at) {
            Some(line) => Some(line.clone()),
            None if at == self.lines.len() && !self.open.is_empty() => {
                Some(Line::of(overwritten(&self.open), self.open_start))
            }
            None => None,
        }
    }

    /// The lines from a number on that have ended.
    pub fn from(&self, number: u64) -> impl Iterator<Item = (u64, &Line)> {
        let skip = usize::try_from(number.saturating_sub(self.cut)).unwrap_or(usize::MAX);
        let first = self.cut + skip.min(self.lines.len()) as u64;
        (first..).zip(self.lines.iter().skip(skip))
    }

    /// Takes over what the output has at `offset`, of which the next byte is at `next`. What is here already is not taken twice; what is
    /// missing before it is marked.
    pub fn push(&mut self, offset: u64, next: u64, text: &str) {
        if next <= self.offset && !text.is_empty() {
            return;
        }
        let text = match self.offset.checked_sub(offset) {
            None => {
                self.gap(offset - self.offset);
                text
            }
            // Only where the text is byte for byte the output can a part of it be told.
            Some(known) if known > 0 => {
                usize::try_from(known).ok().and_then(|known| text.get(known..)).unwrap_or(text)
            }
            Some(_) => text,
        };
        self.offset = next.max(self.offset);
        let mut rest = text;
        while let Some(end) = rest.find('\n') {
            self.open.push_str(&rest[..end]);
            self.end_line();
            rest = &rest[end + 1..];
        }
        self.open.push_str(rest);
        while self.open.len() > LONGEST {
            let at = (0..=LONGEST).rev().find(|at| self.open.is_char_boundary(*at)).unwrap_or(LONGEST);
            let rest = self.open.split_off(at);
            self.end_line();
            self.open = rest;
        }
    }

    /// So many bytes are missing at the end of what is here.
    pub fn gap(&mut self, size: u64) {
        if !self.open.is_empty() {
            self.end_line();
        }
        self.offset += size;
        self.keep(Line::Gap(size));
    }

    fn end_line(&mut self) {
        let text = std::mem::take(&mut self.open);
        let mut rest = overwritten(&text);
        // A style goes on behind what was written over, too.
        let after = style_after(&text, self.open_start);
        let mut start = self.open_start;
        while rest.len() > LONGEST {
            let at = (0..=LONGEST).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
            let (part, others) = rest.split_at(at);
            self.keep(Line::of(part, start));
            start = style_after(part, start);
            rest = others;
        }
        self.keep(Line::of(rest, start));
        self.open_start = after;
    }

    fn keep(&mut self, line: Line) {
        self.bytes += line.bytes();
        self.lines.push_back(line);
        while self.lines.len() > MOST_LINES || self.bytes > MOST_BYTES {
            if let Some(gone) = self.lines.pop_front() {
                self.bytes -= gone.bytes();
                self.cut += 1;
            }
        }
    }

    /// All of it as text.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.bytes + self.lines.len());
        for line in &self.lines {
            text.push_str(&line.plain());
            text.push('\n');
        }
        text.push_str(&plain(overwritten(&self.open)));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(buffer: &Buffer) -> Vec<String> {
        buffer.range().map(|n| buffer.line(n).unwrap().plain().into_owned()).collect()
    }

    fn push(buffer: &mut Buffer, offset: u64, text: &str) {
        buffer.push(offset, offset + text.len() as u64, text);
    }

    #[test]
    fn lines_are_put_together_whatever_they_come_in() {
        let mut buffer = Buffer::default();
        push(&mut buffer, 0, "one\ntw");
        assert_eq!(all(&buffer), ["one", "tw"]);
        push(&mut buffer, 6, "o\r\nthree");
        assert_eq!(all(&buffer), ["one", "two", "three"]);
        assert_eq!((buffer.offset(), buffer.ended()), (14, 2));
        assert_eq!(buffer.text(), "one\ntwo\nthree");
    }

    #[test]
    fn what_comes_twice_is_taken_once_and_what_is_missing_is_marked() {
        let mut buffer = Buffer::default();
        push(&mut buffer, 0, "one\n");
        push(&mut buffer, 0, "one\n");
        push(&mut buffer, 2, "e\ntwo\n");
        assert_eq!(all(&buffer), ["one", "two"]);
        push(&mut buffer, 1_008, "end\n");
        assert_eq!(all(&buffer)[2..], [gap_words(1_000), "end".to_owned()]);
        assert_eq!(buffer.line(2), Some(Line::Gap(1_000)));
    }

    #[test]
    fn the_oldest_lines_go_and_are_counted() {
        let mut buffer = Buffer::default();
        let text: String = (0..MOST_LINES + 10).map(|n| format!("{n}\n")).collect();
        push(&mut buffer, 0, &text);
        assert_eq!((buffer.cut(), buffer.len()), (10, MOST_LINES));
        assert_eq!(buffer.line(10).unwrap().plain(), "10");
        assert_eq!(buffer.line(9), None);
        assert_eq!(buffer.from(0).next().map(|(n, _)| n), Some(10));
    }

    #[test]
    fn a_line_without_end_is_cut_into_several() {
        let mut buffer = Buffer::default();
        let text = "é".repeat(LONGEST);
        push(&mut buffer, 0, &text);
        push(&mut buffer, text.len() as u64, &text);
        push(&mut buffer, 2 * text.len() as u64, "\n");
        assert!(all(&buffer).iter().all(|line| line.len() <= LONGEST));
        assert_eq!(all(&buffer).concat().len(), 2 * text.len());
    }

    proptest! {
        #[test]
        fn cuts_of_the_stream_change_nothing(lines in prop::collection::vec("[a-z\\u{1b}\\[0-9;m ]{0,20}", 0..20), cuts in prop::collection::vec(0..400usize, 0..8)) {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let mut whole = Buffer::default();
            push(&mut whole, 0, &text);
            let mut parts = Buffer::default();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(text.len())).collect();
            cuts.push(text.len());
            cuts.sort_unstable();
            let mut from = 0;
            for to in cuts {
                push(&mut parts, from as u64, &text[from..to]);
                from = to;
            }
            prop_assert_eq!(whole.lines, parts.lines);
            prop_assert_eq!(whole.offset, parts.offset);
        }
    }
}
