//! Where in the history of the fleet a replica is.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A position as clients see it: opaque. They keep it, compare it for equality and send it back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Token(pub String);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What this crate's own replicas read out of a position. They are compiled from the same source as the server; nobody else can count on it.
impl Token {
    fn read(&self) -> Option<Position> {
        self.0.parse().ok()
    }

    pub fn version(&self) -> Option<u64> {
        self.read().map(|position| position.version)
    }

    /// Whether both are of one database as one scope sees it. What is not must never be mixed: rows of a state that was asked for with one
    /// membership do not go with deltas that are filtered by another.
    pub fn kin(&self, other: &Token) -> bool {
        let line = |position: Position| (position.epoch, position.scope);
        match (self.read(), other.read()) {
            (Some(ours), Some(theirs)) => line(ours) == line(theirs),
            _ => false,
        }
    }

    /// Whether this one is further on the same line.
    pub fn ahead_of(&self, other: &Token) -> bool {
        self.kin(other) && self.version() > other.version()
    }

    /// Names the scope, whatever the version.
    pub fn scope(&self) -> &str {
        self.0.rsplit('-').next().unwrap_or_default()
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
    fn positions_of_two_databases_or_two_scopes_are_not_kin() {
        let position = Position { epoch: 1, version: 5, chain: 9, scope: 3 };
        let later = Position { version: 6, chain: 10, ..position };
        assert!(position.token().kin(&later.token()) && later.token().ahead_of(&position.token()));
        assert!(!position.token().ahead_of(&later.token()) && !position.token().ahead_of(&position.token()));
        for other in [Position { epoch: 2, ..later }, Position { scope: 4, ..later }] {
            assert!(!position.token().kin(&other.token()), "{other}");
            assert!(!other.token().ahead_of(&position.token()), "{other}");
        }
        assert_eq!((position.token().version(), position.token().scope()), (Some(5), "3"));
        assert!(!Token("nonsense".to_owned()).kin(&Token("nonsense".to_owned())));
    }

    #[test]
    fn a_position_survives_the_round_trip_through_its_token() {
        let position = Position { epoch: u64::MAX, version: 42, chain: 7, scope: 0 };
        assert_eq!(position.token().0.parse(), Ok(position));
        for nonsense in ["", "1-2-3", "x-1-2-3", "1-x-2-3", "1-2-3-4-5", "1--2-3"] {
            assert_eq!(nonsense.parse::<Position>(), Err(NotAPosition), "{nonsense:?}");
        }
    }
}
