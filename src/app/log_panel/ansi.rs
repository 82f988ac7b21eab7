//! What a terminal would make of a line: colours and weights (SGR, ECMA-48 section 8.3.117), and nothing else.
//!
//! Sequences that mean something else are left out, as are other control characters: a log shows text. What comes out are runs of text with
//! a style each, which become text nodes; nothing of a log is ever read as HTML.

use std::borrow::Cow;

/// How a run of text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Style {
    /// One of the 16 colours.
    pub ink: Option<u8>,
    pub ground: Option<u8>,
    pub bold: bool,
    pub dim: bool,
    pub italic: bool,
    pub underline: bool,
    pub inverse: bool,
    pub struck: bool,
}

impl Style {
    /// The classes of the style sheet; empty for plain text.
    pub fn class(self) -> String {
        let (ink, ground) = match self.inverse {
            true => (self.ground, self.ink),
            false => (self.ink, self.ground),
        };
        let mut class = String::new();
        let mut add = |word: &str| {
            if !class.is_empty() {
                class.push(' ');
            }
            class.push_str(word);
        };
        if let Some(ink) = ink {
            add(&format!("ink-{ink}"));
        }
        if let Some(ground) = ground {
            add(&format!("ground-{ground}"));
        }
        let words = [
            (self.bold, "bold"),
            (self.dim, "dim"),
            (self.italic, "italic"),
            (self.underline, "underline"),
            (self.struck, "struck"),
            (self.inverse && self.ink.is_none() && self.ground.is_none(), "inverse"),
        ];
        words.iter().filter(|(set, _)| *set).for_each(|(_, word)| add(word));
        class
    }

    /// The style after the parameters of an SGR sequence.
    fn after(mut self, parameters: &str) -> Style {
        // A colon parts what belongs together, in the newer way of writing colours.
        let mut numbers = parameters.split([';', ':']).map(|text| match text {
            "" => Some(0),
            digits => digits.parse::<u16>().ok(),
        });
        while let Some(number) = numbers.next() {
            match number {
                Some(0) => self = Style::default(),
                Some(1) => self.bold = true,
                Some(2) => self.dim = true,
                Some(3) => self.italic = true,
                Some(4 | 21) => self.underline = true,
                Some(7) => self.inverse = true,
                Some(9) => self.struck = true,
                Some(22) => (self.bold, self.dim) = (false, false),
                Some(23) => self.italic = false,
                Some(24) => self.underline = false,
                Some(27) => self.inverse = false,
                Some(29) => self.struck = false,
                Some(n @ 30..=37) => self.ink = Some((n - 30) as u8),
                Some(39) => self.ink = None,
                Some(n @ 40..=47) => self.ground = Some((n - 40) as u8),
                Some(49) => self.ground = None,
                Some(n @ 90..=97) => self.ink = Some((n - 90 + 8) as u8),
                Some(n @ 100..=107) => self.ground = Some((n - 100 + 8) as u8),
                Some(n @ (38 | 48)) => {
                    let colour = extended(&mut numbers);
                    match n {
                        38 => self.ink = colour.or(self.ink),
                        _ => self.ground = colour.or(self.ground),
                    }
                }
                _ => {}
            }
        }
        self
    }
}

/// The nearest of the 16 colours to one written as `5;n` or `2;r;g;b`.
fn extended(numbers: &mut impl Iterator<Item = Option<u16>>) -> Option<u8> {
    let [red, green, blue] = match numbers.next()?? {
        5 => match numbers.next()?? {
            n @ 0..=15 => return Some(n as u8),
            n @ 16..=231 => {
                let n = n - 16;
                [n / 36, n / 6 % 6, n % 6].map(|step| if step == 0 { 0 } else { 55 + 40 * step })
            }
            n @ 232..=255 => [8 + 10 * (n - 232); 3],
            _ => return None,
        },
        2 => [numbers.next()??, numbers.next()??, numbers.next()??],
        _ => return None,
    };
    let bright = red.max(green).max(blue);
    if bright < 48 {
        return Some(0);
    }
    // Which of the three are at least half as strong as the strongest.
    let on = |part: u16, bit: u8| if part * 2 > bright { bit } else { 0 };
    let hue = on(red, 1) | on(green, 2) | on(blue, 4);
    Some(match (hue, bright) {
        (7, 0..=110) => 8,
        (7, 111..=210) => 7,
        (_, 0..=180) => hue,
        _ => hue + 8,
    })
}

/// Whether a line is text and nothing else.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte >= 0x20 && byte != 0x7f && byte != 0xc2 || byte == b'\t')
}

/// Hands over the runs of text of one line, which begins in the style `start`; the style at its end.
pub fn read<'a>(text: &'a str, start: Style, mut on: impl FnMut(Style, &'a str)) -> Style {
    if is_plain(text) {
        if !text.is_empty() {
            on(start, text);
        }
        return start;
    }
    let mut style = start;
    let mut run = 0;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        let is_text = c == '\t' || !c.is_control();
        if is_text {
            continue;
        }
        if run < at {
            on(style, &text[run..at]);
        }
        let rest = &text[at + c.len_utf8()..];
        let skip = match c {
            '\u{1b}' => match rest.chars().next() {
                Some('[') => {
                    let (length, sgr) = control_sequence(&rest[1..]);
                    style = sgr.map_or(style, |parameters| style.after(parameters));
                    1 + length
                }
                Some(']' | 'P' | '^' | '_' | 'X') => string_sequence(rest),
                // Intermediate bytes, then the final one: `ESC ( B`.
                Some(' '..='/') => rest
                    .char_indices()
                    .find(|(_, c)| !(' '..='/').contains(c))
                    .map_or(rest.len(), |(at, c)| at + c.len_utf8()),
                Some(c) => c.len_utf8(),
                None => 0,
            },
            // CSI as one character.
            '\u{9b}' => {
                let (length, sgr) = control_sequence(rest);
                style = sgr.map_or(style, |parameters| style.after(parameters));
                length
            }
            _ => 0,
        };
        run = at + c.len_utf8() + skip;
        while skip > 0 && chars.offset() < run {
            chars.next();
        }
    }
    if run < text.len() {
        on(style, &text[run..]);
    }
    style
}

/// The length of a control sequence after its beginning, and its parameters if it sets a style.
fn control_sequence(rest: &str) -> (usize, Option<&str>) {
    let parameters = rest.bytes().take_while(|byte| (0x30..=0x3f).contains(byte)).count();
    let between = rest[parameters..].bytes().take_while(|byte| (0x20..=0x2f).contains(byte)).count();
    match rest[parameters + between..].bytes().next() {
        Some(b'm') if between == 0 && !rest.starts_with(['<', '=', '>', '?']) => {
            (parameters + 1, Some(&rest[..parameters]))
        }
        Some(0x40..=0x7e) => (parameters + between + 1, None),
        // Broken off: what follows is text again.
        _ => (parameters + between, None),
    }
}

/// The length of an operating system command and the like, to its end or the end of the line.
fn string_sequence(rest: &str) -> usize {
    let bell = rest.find('\u{7}').map(|at| at + 1);
    let end = rest.find("\u{1b}\\").map(|at| at + 2);
    bell.into_iter().chain(end).min().unwrap_or(rest.len())
}

/// The text alone.
pub fn plain(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut bare = String::with_capacity(text.len());
    read(text, Style::default(), |_, run| bare.push_str(run));
    Cow::Owned(bare)
}

/// The style at the end of a line that begins in `start`.
pub fn style_after(text: &str, start: Style) -> Style {
    if text.contains(['\u{1b}', '\u{9b}']) { read(text, start, |_, _| {}) } else { start }
}

/// What a carriage return leaves of a line: the text after the last one, as on a terminal that writes over it.
pub fn overwritten(line: &str) -> &str {
    let line = line.strip_suffix('\r').unwrap_or(line);
    line.rsplit_once('\r').map_or(line, |(_, last)| last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn runs(text: &str) -> Vec<(String, String)> {
        let mut runs = Vec::new();
        read(text, Style::default(), |style, run| runs.push((style.class(), run.to_owned())));
        runs
    }

    fn run(class: &str, text: &str) -> (String, String) {
        (class.to_owned(), text.to_owned())
    }

    #[test]
    fn colours_and_weights_are_classes() {
        assert_eq!(
            runs("a\u{1b}[1;31mb\u{1b}[0mc\u{1b}[92md\u{1b}[;4me"),
            [run("", "a"), run("ink-1 bold", "b"), run("", "c"), run("ink-10", "d"), run("underline", "e")]
        );
        assert_eq!(runs("\u{1b}[7mx"), [run("inverse", "x")]);
        assert_eq!(runs("\u{1b}[31;7mx"), [run("ground-1", "x")]);
    }

    #[test]
    fn many_colours_are_brought_to_sixteen() {
        let ink = |text: &str| runs(&format!("\u{1b}[{text}mx"))[0].0.clone();
        assert_eq!([ink("38;5;9"), ink("38;5;196"), ink("38;5;232")], ["ink-9", "ink-9", "ink-0"]);
        assert_eq!(
            [ink("38;2;0;200;0"), ink("38:2:0:0:120"), ink("48;2;128;128;128")],
            ["ink-10", "ink-4", "ground-7"]
        );
        assert_eq!(runs("\u{1b}[38;5mx"), [run("", "x")], "half a colour is none");
        assert_eq!(runs("\u{1b}[38;9;1mx"), [run("bold", "x")], "and an unknown way of writing one neither");
    }

    #[test]
    fn what_is_not_understood_is_dropped() {
        assert_eq!(
            plain("a\u{1b}[2Kb\u{1b}[?25lc\u{1b}]0;title\u{7}d\u{1b}]8;;x\u{1b}\\e\u{1b}(Bf\u{8}g\u{0}h\ti"),
            "abcdefgh\ti"
        );
        assert_eq!(plain("a\u{1b}[31"), "a");
        assert_eq!(plain("a\u{1b}"), "a");
        assert_eq!(plain("a\u{1b}]0;never ends"), "a");
        assert_eq!(plain("a\u{9b}31mb"), "ab");
        assert_eq!(plain("naïve ✓"), "naïve ✓");
    }

    #[test]
    fn a_style_goes_on_in_the_next_line() {
        let red = style_after("x\u{1b}[31my", Style::default());
        assert_eq!(red.class(), "ink-1");
        assert_eq!(style_after("plain", red), red);
        assert_eq!(style_after("\u{1b}[m", red), Style::default());
    }

    #[test]
    fn a_carriage_return_writes_over_the_line() {
        assert_eq!(
            [overwritten("10 %\r50 %\r100 %"), overwritten("a\r"), overwritten("a")],
            ["100 %", "a", "a"]
        );
    }

    proptest! {
        #[test]
        fn nothing_breaks_it_and_no_control_character_comes_out(text in "[\\u{0}-\\u{ff}✓\\u{1b}\\[\\];m0-9]{0,60}") {
            let mut out = String::new();
            read(&text, Style::default(), |_, run| out.push_str(run));
            prop_assert!(out.chars().all(|c| c == '\t' || !c.is_control()), "{out:?}");
            prop_assert_eq!(plain(&text).into_owned(), out);
        }
    }
}
