//! How high a log is: each line is one row, or where long ones are wrapped as many as it needs. Pure.

use super::buffer::Buffer;
use std::collections::VecDeque;

/// Which rows the lines of a log take up.
#[derive(Debug, Default)]
pub struct Wrap {
    /// Characters in a row; `None`: lines are not wrapped.
    columns: Option<usize>,
    /// For each line that has ended, the rows up to its end, counted from the first line there ever was.
    ends: VecDeque<u64>,
    /// The number of the first of them, and the rows before it.
    first: u64,
    before: u64,
}

impl Wrap {
    /// Counts anew if the width is another.
    pub fn set(&mut self, columns: Option<usize>) {
        if self.columns != columns {
            *self = Wrap { columns, ..Wrap::default() };
        }
    }

    fn rows_of(&self, width: usize) -> u64 {
        self.columns.map_or(1, |columns| width.div_ceil(columns.max(1)).max(1) as u64)
    }

    /// Takes in the lines that ended since, and lets go of those that are gone.
    pub fn follow(&mut self, buffer: &Buffer) {
        if self.columns.is_none() {
            return;
        }
        while self.first < buffer.cut() {
            self.before = self.ends.pop_front().unwrap_or(self.before);
            self.first += 1;
        }
        let from = self.first + self.ends.len() as u64;
        for (_, line) in buffer.from(from) {
            let end = self.ends.back().copied().unwrap_or(self.before) + self.rows_of(line.width());
            self.ends.push_back(end);
        }
    }

    /// Rows above a line.
    pub fn top(&self, buffer: &Buffer, line: u64) -> u64 {
        let at = line.saturating_sub(buffer.cut());
        match self.columns {
            None => at,
            Some(_) if at == 0 => 0,
            Some(_) => self.ends.get(at as usize - 1).or(self.ends.back()).map_or(0, |end| end - self.before),
        }
    }

    /// Rows of all lines.
    pub fn rows(&self, buffer: &Buffer) -> u64 {
        let open = buffer.line(buffer.ended()).map_or(0, |line| self.rows_of(line.width()));
        self.top(buffer, buffer.ended()) + open
    }

    /// The line at a row.
    pub fn line_at(&self, buffer: &Buffer, row: u64) -> u64 {
        let at = match self.columns {
            None => row,
            Some(_) => self.ends.partition_point(|end| end - self.before <= row) as u64,
        };
        (buffer.cut() + at).min(buffer.range().end.saturating_sub(1).max(buffer.cut()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_row_is_of_the_line_that_begins_above_it(widths in prop::collection::vec(0..40usize, 1..40), columns in prop::option::of(1..20usize)) {
            let mut buffer = Buffer::default();
            let text: String = widths.iter().map(|width| format!("{}\n", "x".repeat(*width))).collect();
            buffer.push(0, text.len() as u64, &text);
            let mut wrap = Wrap::default();
            wrap.set(columns);
            wrap.follow(&buffer);
            let rows: u64 = widths.iter().map(|width| columns.map_or(1, |columns| width.div_ceil(columns).max(1) as u64)).sum();
            prop_assert_eq!(wrap.rows(&buffer), rows);
            for row in 0..rows {
                let line = wrap.line_at(&buffer, row);
                prop_assert!(wrap.top(&buffer, line) <= row && row < wrap.top(&buffer, line + 1), "row {} line {}", row, line);
            }
        }
    }

    #[test]
    fn lines_that_are_gone_take_their_rows_along() {
        use super::super::buffer::MOST_LINES;
        let mut buffer = Buffer::default();
        buffer.push(0, 21, "xxxxxxxxxxxxxxxxxxxx\n");
        let mut wrap = Wrap::default();
        wrap.set(Some(10));
        wrap.follow(&buffer);
        assert_eq!(wrap.rows(&buffer), 2);
        let text = "y\n".repeat(MOST_LINES);
        buffer.push(21, 21 + text.len() as u64, &text);
        wrap.follow(&buffer);
        assert_eq!((buffer.cut(), wrap.rows(&buffer)), (1, MOST_LINES as u64));
        assert_eq!(wrap.line_at(&buffer, 0), 1);
    }
}
