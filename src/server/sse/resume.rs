//! Whether a client's history and this process's are the same one. The decision, without I/O.

use crate::{
    server::storage::ledger::Head,
    sync::{Position, journal::Chain},
};

/// What the database says of the two positions, all read as of one moment.
#[derive(Clone, Copy, Debug)]
pub struct Witness {
    /// Where the database is.
    pub head: Head,
    /// Its chain at the client's version, and at the hub's; `None` where it is not there yet, or was trimmed.
    pub at_client: Option<Chain>,
    pub at_hub: Option<Chain>,
}

/// How a client's position lies to the hub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// On the way to the hub's head: what lies between is all it misses.
    Behind,
    /// Of another history, or too far back to say: only an `init` helps.
    Foreign,
    /// On the way to the hub's head, but filtered for another scope: only an `init` helps.
    OtherScope,
    /// In the database and not in the hub, which has not followed that far or has not noticed a restore. An `init` now would go back.
    HubBehind,
}

/// Compares the position that a client presents with the hub at `hub`.
pub fn standing(since: Position, hub: Position, database: Witness) -> Standing {
    if since.epoch != database.head.epoch {
        return Standing::Foreign;
    }
    let client_known = database.at_client.is_some_and(|chain| chain.short() == since.chain);
    let hub_known =
        hub.epoch == database.head.epoch && database.at_hub.is_some_and(|chain| chain.short() == hub.chain);
    let trimmed = database.at_client.is_none() && since.version <= database.head.version;
    match (client_known, hub_known) {
        (true, true) if since.version <= hub.version => match since.scope == hub.scope {
            true => Standing::Behind,
            false => Standing::OtherScope,
        },
        (true, _) => Standing::HubBehind,
        (false, _) if trimmed && since.version > hub.version => Standing::HubBehind,
        (false, _) => Standing::Foreign,
    }
}

/// What a client that comes back with a position gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The deltas it missed: this many entries of the journal after its version.
    Replay {
        entries: u64,
    },
    Init,
    /// Nothing yet: it is to ask again in a moment.
    NotYet,
}

/// A replica further back than this gets an `init`: it is shorter.
pub const LONGEST_REPLAY: u64 = 5_000;

/// Decides how the stream of a client at `since` begins, its scope having the number `scope` now and the hub being at `hub`.
pub fn answer(since: Position, scope: u64, hub: Head, database: Witness) -> Answer {
    match standing(since, hub.position(scope), database) {
        Standing::HubBehind => Answer::NotYet,
        Standing::Foreign | Standing::OtherScope => Answer::Init,
        Standing::Behind => match hub.version - since.version {
            entries if entries > LONGEST_REPLAY => Answer::Init,
            entries => Answer::Replay { entries },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Chain = Chain([1; 16]);
    const B: Chain = Chain([2; 16]);

    fn head(version: u64, chain: Chain) -> Head {
        Head { epoch: 7, version, chain }
    }

    fn since(version: u64, chain: Chain) -> Position {
        head(version, chain).position(0)
    }

    #[test]
    fn a_position_on_the_way_to_the_hub_is_resumed_from() {
        let database = Witness { head: head(9, B), at_client: Some(A), at_hub: Some(B) };
        assert_eq!(standing(since(5, A), since(8, B), database), Standing::Behind);
        let database = Witness { at_client: Some(B), ..database };
        assert_eq!(standing(since(8, B), since(8, B), database), Standing::Behind, "nothing was missed");
    }

    #[test]
    fn a_chain_that_differs_or_was_trimmed_needs_an_init() {
        let database = Witness { head: head(9, B), at_client: Some(B), at_hub: Some(B) };
        assert_eq!(standing(since(5, A), since(8, B), database), Standing::Foreign);
        let database = Witness { at_client: None, ..database };
        assert_eq!(standing(since(5, A), since(8, B), database), Standing::Foreign);
        let other = Position { epoch: 8, ..since(5, A) };
        assert_eq!(standing(other, since(8, B), database), Standing::Foreign, "another database");
    }

    #[test]
    fn a_database_behind_the_client_was_restored() {
        let database = Witness { head: head(4, B), at_client: None, at_hub: Some(B) };
        assert_eq!(standing(since(5, A), since(4, B), database), Standing::Foreign);
    }

    #[test]
    fn another_scope_or_a_long_way_is_answered_with_an_init() {
        let database = Witness { head: head(9_000, B), at_client: Some(A), at_hub: Some(B) };
        assert_eq!(answer(since(8, A), 0, head(10, B), database), Answer::Replay { entries: 2 });
        assert_eq!(answer(since(8, A), 1, head(10, B), database), Answer::Init);
        assert_eq!(answer(since(8, A), 0, head(9_000, B), database), Answer::Init);
        assert_eq!(answer(since(11, A), 1, head(10, B), database), Answer::NotYet);
    }

    #[test]
    fn a_state_for_another_scope_is_no_way_on() {
        let database = Witness { head: head(9, B), at_client: Some(A), at_hub: Some(B) };
        let elsewhere = Position { scope: 1, ..since(8, B) };
        assert_eq!(standing(since(5, A), elsewhere, database), Standing::OtherScope);
    }

    #[test]
    fn a_hub_that_has_not_followed_sends_nobody_back() {
        let database = Witness { head: head(9, B), at_client: Some(A), at_hub: Some(B) };
        assert_eq!(
            standing(since(8, A), since(5, B), database),
            Standing::HubBehind,
            "it is behind the client"
        );
        let database = Witness { at_client: Some(A), at_hub: Some(B), ..database };
        assert_eq!(standing(since(5, A), since(8, A), database), Standing::HubBehind, "it missed a restore");
        let database = Witness { at_client: None, ..database };
        assert_eq!(standing(since(8, A), since(5, B), database), Standing::HubBehind, "it is far behind");
    }
}
