//! What a net is made of, by content: the PNML bytes are kept once under their hash and never change.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// SHA-256 of a PNML document. On the wire: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct DefinitionHash([u8; 32]);

impl DefinitionHash {
    pub fn of(pnml: &[u8]) -> DefinitionHash {
        DefinitionHash(Sha256::digest(pnml).into())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a definition hash is 64 hexadecimal digits")]
pub struct NotAHash;

impl FromStr for DefinitionHash {
    type Err = NotAHash;
    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(NotAHash);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| NotAHash)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NotAHash)?;
        }
        Ok(DefinitionHash(bytes))
    }
}

impl TryFrom<String> for DefinitionHash {
    type Error = NotAHash;
    fn try_from(text: String) -> Result<Self, NotAHash> {
        text.parse()
    }
}

impl From<DefinitionHash> for String {
    fn from(hash: DefinitionHash) -> String {
        hash.to_string()
    }
}

impl fmt::Display for DefinitionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DefinitionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DefinitionHash({self})")
    }
}

/// How large a net is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct NetSize {
    pub places: u32,
    pub transitions: u32,
    pub arcs: u32,
}

impl NetSize {
    /// Of a version that cannot be read: a net that can be is never empty.
    pub fn is_nothing(self) -> bool {
        self.places == 0 && self.transitions == 0
    }
}

/// `2 places, 1 transition, 3 arcs`.
impl fmt::Display for NetSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = |n: u32| if n == 1 { "" } else { "s" };
        let NetSize { places, transitions, arcs } = *self;
        write!(
            f,
            "{places} place{}, {transitions} transition{}, {arcs} arc{}",
            many(places),
            many(transitions),
            many(arcs)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_survives_the_round_trip_through_text() {
        let hash = DefinitionHash::of(b"<pnml/>");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!("zz".repeat(32).parse::<DefinitionHash>(), Err(NotAHash));
        assert_eq!("ab".parse::<DefinitionHash>(), Err(NotAHash));
    }
}
