//! Single values of a file: attributes, numbers, names.

use quick_xml::events::BytesStart;

use super::error::PnmlErrorKind as Kind;
use super::limits::Limits;
use crate::petri::net::MAX_COUNT;

/// An error with the byte offset it was found at.
pub(super) type Fault = (usize, Kind);

pub(super) fn not_xml(reason: impl ToString) -> Kind {
    Kind::NotXml { reason: reason.to_string() }
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

pub(super) fn check_length(name: &str, limits: &Limits) -> Result<(), Kind> {
    // A name has at most as many characters as bytes, so the count is seldom needed.
    if name.len() > limits.name_chars && name.chars().count() > limits.name_chars {
        return Err(Kind::NameTooLong { limit: limits.name_chars });
    }
    Ok(())
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
