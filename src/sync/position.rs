//! Where in the history of the fleet a replica is.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A position as clients see it: opaque. They keep it, compare it for equality and send it back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub String);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A position as the server understands it. If any part does not match, the client needs an `init`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// Drawn when the database was created: another database, another epoch.
    pub epoch: u64,
    /// Transactions committed so far.
    pub version: u64,
    /// The head of the journal's chain hash at `version`: tells a restored or copied database apart even at equal numbers.
    pub chain: u64,
    /// What the client may see; another membership or role gives another number.
    pub scope: u64,
}

impl Position {
    pub fn token(self) -> Token {
        Token(self.to_string())
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}-{:x}-{:x}", self.epoch, self.version, self.chain, self.scope)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position that this server gave out")]
pub struct NotAPosition;

impl FromStr for Position {
    type Err = NotAPosition;
    fn from_str(text: &str) -> Result<Position, NotAPosition> {
        let parts: Vec<&str> = text.split('-').collect();
        let [epoch, version, chain, scope] = parts[..] else { return Err(NotAPosition) };
        let hex = |part| u64::from_str_radix(part, 16).map_err(|_| NotAPosition);
        let version = version.parse().map_err(|_| NotAPosition)?;
        Ok(Position { epoch: hex(epoch)?, version, chain: hex(chain)?, scope: hex(scope)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_the_round_trip_through_its_token() {
        let position = Position { epoch: u64::MAX, version: 42, chain: 7, scope: 0 };
        assert_eq!(position.token().0.parse(), Ok(position));
        for nonsense in ["", "1-2-3", "x-1-2-3", "1-x-2-3", "1-2-3-4-5", "1--2-3"] {
            assert_eq!(nonsense.parse::<Position>(), Err(NotAPosition), "{nonsense:?}");
        }
    }
}
