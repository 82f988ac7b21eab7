//! Names that operators give to workers, nets, clusters and projects.

use serde::{Deserialize, Serialize};
use std::fmt;

/// At most this many characters, so that a row stays a row.
pub const MAX_NAME_CHARS: usize = 80;

/// A name that was checked: trimmed, 1 to 80 characters, no control characters.
///
/// Markup is allowed: it is text, and every view escapes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("The name is empty. Give it 1 to {MAX_NAME_CHARS} characters.")]
    Empty,
    #[error("The name is {0} characters long. Use at most {MAX_NAME_CHARS}.")]
    TooLong(usize),
    #[error(
        "The name contains a control character or one that cannot be seen (a line break, a tab or a zero-width space, for example). Remove it."
    )]
    Control,
}

impl Name {
    pub fn new(text: &str) -> Result<Name, NameError> {
        let text = text.trim();
        let chars = text.chars().count();
        if chars == 0 {
            Err(NameError::Empty)
        } else if chars > MAX_NAME_CHARS {
            Err(NameError::TooLong(chars))
        } else if text.chars().any(is_control) {
            Err(NameError::Control)
        } else {
            Ok(Name(text.to_owned()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether people would take the two for the same name: capitals do not tell names apart.
    pub fn reads_as(&self, other: &Name) -> bool {
        let (a, b) = (self.0.chars(), other.0.chars());
        a.flat_map(char::to_lowercase).eq(b.flat_map(char::to_lowercase))
    }
}

/// Control characters, marks that reorder text so that a name could pose as another, and characters that nobody sees.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{3164}')
}

impl TryFrom<String> for Name {
    type Error = NameError;
    fn try_from(text: String) -> Result<Name, NameError> {
        Name::new(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_bounded() {
        assert_eq!(Name::new("  eu-17 ").unwrap().as_str(), "eu-17");
        assert_eq!(Name::new("   "), Err(NameError::Empty));
        assert_eq!(Name::new(&"x".repeat(10_000)), Err(NameError::TooLong(10_000)));
        assert_eq!(Name::new("a\nb"), Err(NameError::Control));
        assert_eq!(Name::new("safe\u{202e}exe"), Err(NameError::Control));
        assert_eq!(Name::new("\u{200b}"), Err(NameError::Control), "nobody could see it, or click it");
        assert!(Name::new("<script>alert(1)</script>").is_ok(), "markup is text");
        assert!(Name::new("dup").unwrap().reads_as(&Name::new("DUP").unwrap()));
        assert!(Name::new("Öl").unwrap().reads_as(&Name::new("öL").unwrap()));
        assert!(!Name::new("dup").unwrap().reads_as(&Name::new("dup2").unwrap()));
        assert!(Name::new(&"ö".repeat(MAX_NAME_CHARS)).is_ok(), "characters count, not bytes");
    }
}
