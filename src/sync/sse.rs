//! Server-sent events as text: the parser the browser reads streams with, and the writer the server makes frames with.
//!
//! Source: HTML Living Standard, 9.2.6 "Interpreting an event stream".

/// An event that was dispatched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// The event's type; `message` where the stream names none.
    pub event: String,
    pub data: String,
    /// The last event id seen on the stream when this was dispatched.
    pub id: String,
}

/// A line longer than this many bytes is not a frame of ours; it is dropped rather than kept.
const LONGEST_LINE: usize = 256 << 20;

/// Turns bytes, cut anywhere, into events.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    /// The last byte was a CR: an LF right after it belongs to the same line end.
    after_cr: bool,
    /// Bytes of the byte order mark matched so far at the start of the stream; 4 once that is settled.
    bom: u8,
    event: String,
    data: String,
    id: String,
    retry: Option<u64>,
}

const BOM: [u8; 3] = [0xef, 0xbb, 0xbf];
const BOM_SETTLED: u8 = 4;

impl Parser {
    /// Feeds bytes; the events they complete are appended to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<SseEvent>) {
        let mut rest = bytes;
        if self.bom != BOM_SETTLED {
            rest = self.skip_bom(bytes);
        }
        while let Some(&first) = rest.first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                rest = &rest[1..];
                continue;
            }
            match rest.iter().position(|&byte| byte == b'\n' || byte == b'\r') {
                None => {
                    self.extend(rest);
                    return;
                }
                Some(end) => {
                    self.extend(&rest[..end]);
                    self.after_cr = rest[end] == b'\r';
                    rest = &rest[end + 1..];
                    self.end_line(out);
                }
            }
        }
    }

    /// The reconnection time the server asked for, milliseconds.
    pub fn retry(&self) -> Option<u64> {
        self.retry
    }

    fn skip_bom<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        for (at, &byte) in bytes.iter().enumerate() {
            if BOM.get(self.bom as usize) == Some(&byte) {
                self.bom += 1;
                if self.bom == 3 {
                    self.bom = BOM_SETTLED;
                    return &bytes[at + 1..];
                }
            } else {
                // What looked like the beginning of a mark was text.
                let matched = std::mem::replace(&mut self.bom, BOM_SETTLED) as usize;
                self.line.extend_from_slice(&BOM[..matched]);
                return &bytes[at..];
            }
        }
        &[]
    }

    fn extend(&mut self, part: &[u8]) {
        if self.line.len() + part.len() <= LONGEST_LINE {
            self.line.extend_from_slice(part);
        }
    }

    fn end_line(&mut self, out: &mut Vec<SseEvent>) {
        let bytes = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&bytes);
        if line.is_empty() {
            self.dispatch(out);
            return;
        }
        let (field, value) = match line.split_once(':') {
            Some(("", _)) => return,
            Some((field, value)) => (field, value.strip_prefix(' ').unwrap_or(value)),
            None => (&*line, ""),
        };
        match field {
            "event" => self.event = value.to_owned(),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => self.id = value.to_owned(),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok().or(self.retry);
            }
            _ => {}
        }
    }

    fn dispatch(&mut self, out: &mut Vec<SseEvent>) {
        let event = std::mem::take(&mut self.event);
        let mut data = std::mem::take(&mut self.data);
        if data.pop().is_none() {
            return;
        }
        let event = if event.is_empty() { "message".to_owned() } else { event };
        out.push(SseEvent { event, data, id: self.id.clone() });
    }
}

/// Writes one frame. `data` must be one line, which JSON without pretty-printing is.
pub fn frame(event: &str, id: Option<&str>, data: &str) -> String {
    debug_assert!(!data.contains(['\n', '\r']), "a frame's data is one line");
    let mut frame = String::with_capacity(event.len() + id.map_or(0, str::len) + data.len() + 24);
    frame.push_str("event: ");
    frame.push_str(event);
    if let Some(id) = id {
        frame.push_str("\nid: ");
        frame.push_str(id);
    }
    frame.push_str("\ndata: ");
    frame.push_str(data);
    frame.push_str("\n\n");
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way to cut the stream in two gives the same events.
    fn parse(stream: &[u8]) -> Vec<SseEvent> {
        let whole = {
            let (mut parser, mut out) = (Parser::default(), Vec::new());
            parser.push(stream, &mut out);
            out
        };
        for cut in 0..=stream.len() {
            let (mut parser, mut out) = (Parser::default(), Vec::new());
            parser.push(&stream[..cut], &mut out);
            parser.push(&stream[cut..], &mut out);
            assert_eq!(out, whole, "cut at byte {cut}");
        }
        let (mut parser, mut out) = (Parser::default(), Vec::new());
        stream.iter().for_each(|byte| parser.push(&[*byte], &mut out));
        assert_eq!(out, whole, "byte by byte");
        whole
    }

    fn event(event: &str, data: &str, id: &str) -> SseEvent {
        SseEvent { event: event.into(), data: data.into(), id: id.into() }
    }

    #[test]
    fn the_standards_examples_parse() {
        assert_eq!(parse(b"data: YHOO\ndata: +2\ndata: 10\n\n"), [event("message", "YHOO\n+2\n10", "")]);
        let stream =
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n";
        let expected = [
            event("message", "first event", "1"),
            event("message", "second event", ""),
            event("message", " third event", ""),
        ];
        assert_eq!(parse(stream), expected);
        assert_eq!(
            parse(b"data\n\ndata\ndata\n\ndata:"),
            [event("message", "", ""), event("message", "\n", "")]
        );
    }

    #[test]
    fn every_line_end_and_a_byte_order_mark_are_understood() {
        for end in ["\n", "\r", "\r\n"] {
            let stream = format!("\u{feff}event: a{end}data: 1{end}{end}data: 2{end}{end}");
            assert_eq!(parse(stream.as_bytes()), [event("a", "1", ""), event("message", "2", "")], "{end:?}");
        }
        assert_eq!(parse("data: \u{feff}x\n\n".as_bytes()), [event("message", "\u{feff}x", "")]);
        assert_eq!(
            parse(b"\xef\xbbdata: x\n\ndata: y\n\n"),
            [event("message", "y", "")],
            "half a mark is text"
        );
    }

    #[test]
    fn ids_with_nul_and_unknown_fields_are_ignored() {
        assert_eq!(parse(b"id: 7\nid: a\0b\nfoo: bar\ndata: x\n\n"), [event("message", "x", "7")]);
    }

    #[test]
    fn retry_takes_digits_only() {
        let mut parser = Parser::default();
        parser.push(b"retry: 10s\n", &mut Vec::new());
        assert_eq!(parser.retry(), None);
        parser.push(b"retry: 250\nretry: \n", &mut Vec::new());
        assert_eq!(parser.retry(), Some(250));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = frame("delta", Some("e-1-2-3"), r#"{"a":"ä"}"#);
        assert_eq!(parse(text.as_bytes()), [event("delta", r#"{"a":"ä"}"#, "e-1-2-3")]);
    }
}
