//! Single values of a file: attributes, numbers, names.

use quick_xml::events::BytesStart;

use super::error::PnmlErrorKind as Kind;
use super::limits::Limits;
use crate::petri::net::MAX_COUNT;

/// An error with the byte offset it was found at.
pub(super) type Fault = (usize, Kind);

pub(super) fn not_xml(reason: impl ToString) -> Kind {
    // The parser quotes names of elements in full, and these may be as long as the file.
    Kind::NotXml { reason: reason.to_string().chars().take(200).collect() }
}

/// Bytes of a file in a message: never long.
pub(super) fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(80).collect()
}

pub(super) fn attribute(tag: &BytesStart<'_>, name: &str, at: usize) -> Result<Option<String>, Fault> {
    // Unchecked for duplicates: that check is quadratic in the attributes of a tag. The first one counts.
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|e| (at, not_xml(e)))?;
        if attribute.key.as_ref() != name.as_bytes() {
            continue;
        }
        // To XML a tab or a line end in an attribute is a space (XML 1.0, 3.3.3), unless it is written as a reference.
        let mut attribute = attribute;
        if attribute.value.iter().any(|byte| matches!(byte, b'\t' | b'\n' | b'\r')) {
            let spaced = attribute
                .value
                .iter()
                .map(|&byte| if matches!(byte, b'\t' | b'\n' | b'\r') { b' ' } else { byte });
            attribute.value = spaced.collect::<Vec<u8>>().into();
        }
        return match attribute.unescape_value() {
            Ok(value) => Ok(Some(value.into_owned())),
            Err(quick_xml::Error::Escape(quick_xml::escape::EscapeError::UnrecognizedEntity(_, entity))) => {
                Err((at, Kind::Entity { name: shown(entity.as_bytes()) }))
            }
            Err(e) => Err((at, not_xml(e))),
        };
    }
    Ok(None)
}

/// An attribute without which the element means nothing.
pub(super) fn required(tag: &BytesStart<'_>, element: &str, name: &str, at: usize) -> Result<String, Fault> {
    let value = attribute(tag, name, at)?.filter(|value| !value.is_empty());
    value.ok_or_else(|| (at, Kind::MissingAttribute { element: element.into(), attribute: name.into() }))
}

/// An id or a name: not too long, and of characters that XML has.
pub(super) fn check_name(name: &str, limits: &Limits) -> Result<(), Kind> {
    // A name has at most as many characters as bytes, so the count is seldom needed.
    if name.len() > limits.name_chars && name.chars().count() > limits.name_chars {
        return Err(Kind::NameTooLong { limit: limits.name_chars });
    }
    match name.chars().find(|&char| !is_xml_char(char)) {
        None => Ok(()),
        Some(char) => Err(not_xml(format!("there is no character U+{:04X} in XML", u32::from(char)))),
    }
}

/// The characters that a document may hold (XML 1.0, 2.2).
pub(super) fn is_xml_char(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

pub(super) fn plain_arc(found: &str) -> Result<(), Kind> {
    match found.trim() {
        "" | "normal" => Ok(()),
        other => Err(Kind::ArcType { found: shown(other.as_bytes()) }),
    }
}

/// A number of tokens.
pub(super) fn count(text: &str, what: &str, limits: &Limits) -> Result<u64, Kind> {
    let limit = limits.count.min(MAX_COUNT);
    let (what, found) = (what.to_string(), || shown(text.as_bytes()));
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Kind::NotANumber { what, found: found() });
    }
    if text.starts_with('-') && digits.bytes().any(|byte| byte != b'0') {
        return Err(Kind::Negative { what, found: found() });
    }
    match digits.parse::<u64>() {
        Ok(number) if number <= limit => Ok(number),
        _ => Err(Kind::TooBig { what, found: found(), limit }),
    }
}
