//! A line as it is painted: pieces of text, each with its classes. Pure.

use super::{
    ansi::{self, Style},
    buffer::{Line, gap_words},
    search::hits,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub class: String,
    /// What is searched for.
    pub hit: bool,
    pub text: String,
}

/// The pieces of a line, what is `wanted` (lower case) set apart.
pub fn pieces(line: &Line, wanted: &str) -> Vec<Piece> {
    let (text, start) = match line {
        Line::Text { text, start, .. } => (text, *start),
        Line::Gap(size) => {
            return vec![Piece { class: "log-gap".to_owned(), hit: false, text: gap_words(*size) }];
        }
    };
    let mut bare = String::with_capacity(text.len());
    let mut runs: Vec<(Style, usize)> = Vec::new();
    ansi::read(text, start, |style, run| {
        bare.push_str(run);
        match runs.last_mut() {
            Some((last, end)) if *last == style => *end = bare.len(),
            _ => runs.push((style, bare.len())),
        }
    });
    let mut hits = hits(&bare, wanted).into_iter().peekable();
    let (mut pieces, mut from) = (Vec::new(), 0);
    for (style, end) in runs {
        while from < end {
            while hits.next_if(|hit| hit.end <= from).is_some() {}
            let (to, hit) = match hits.peek() {
                Some(hit) if hit.start <= from => (hit.end.min(end), true),
                Some(hit) => (hit.start.min(end), false),
                None => (end, false),
            };
            pieces.push(Piece { class: style.class(), hit, text: bare[from..to].to_owned() });
            from = to;
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::log_panel::buffer::Buffer;

    fn line(text: &str) -> Line {
        let mut buffer = Buffer::default();
        buffer.push(0, text.len() as u64 + 1, &format!("{text}\n"));
        buffer.line(0).unwrap()
    }

    fn seen(text: &str, wanted: &str) -> Vec<(String, bool, String)> {
        pieces(&line(text), wanted).into_iter().map(|piece| (piece.class, piece.hit, piece.text)).collect()
    }

    #[test]
    fn a_hit_may_lie_across_colours() {
        let piece = |class: &str, hit, text: &str| (class.to_owned(), hit, text.to_owned());
        assert_eq!(
            seen("an \u{1b}[31mer\u{1b}[0mror x", "error"),
            [
                piece("", false, "an "),
                piece("ink-1", true, "er"),
                piece("", true, "ror"),
                piece("", false, " x"),
            ]
        );
        assert_eq!(
            seen("<b>&amp;", "b"),
            [piece("", false, "<"), piece("", true, "b"), piece("", false, ">&amp;")]
        );
        assert_eq!(seen("", "x"), []);
    }
}
