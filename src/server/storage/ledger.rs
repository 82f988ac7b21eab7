//! The transaction code, without I/O: the state at the head of the journal, and how a decision becomes the next entry.

use crate::{
    model::{Actor, Change, Fleet, Timestamp},
    sync::{
        Position,
        journal::{Chain, Entry, Transaction},
    },
};

/// Where the journal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub epoch: u64,
    pub version: u64,
    pub chain: Chain,
}

impl Head {
    /// This head as the position of a client with that scope.
    pub fn position(self, scope_revision: u64) -> Position {
        Position {
            epoch: self.epoch,
            version: self.version,
            chain: self.chain.short(),
            scope: scope_revision,
        }
    }
}

/// The fleet at the head of the journal.
#[derive(Clone, Debug)]
pub struct Ledger {
    pub fleet: Fleet,
    pub head: Head,
}

/// An entry together with the exact text that its chain hashes.
pub struct Written {
    pub entry: Entry,
    pub payload: String,
}

/// The entry read from the journal does not continue what this process holds: the database was restored, copied or tampered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal does not continue at version {0}")]
pub struct Broken(pub u64);

impl Ledger {
    /// Makes the next entry of what was decided. Nothing of it counts before it is committed; if that fails, this ledger is to be thrown
    /// away and read anew.
    pub fn append(&mut self, at: Timestamp, actor: Actor, changes: Vec<Change>) -> Written {
        self.fleet.apply_all(&changes);
        let version = self.head.version + 1;
        let transaction = Transaction { at, actor, changes };
        let payload = serde_json::to_string(&transaction)
            .expect("changes are plain data: no map keys, no failing serialiser");
        let chain = self.head.chain.then(version, &payload);
        (self.head.version, self.head.chain) = (version, chain);
        Written { entry: Entry { version, chain, transaction }, payload }
    }

    /// Takes over an entry that was committed.
    pub fn follow(&mut self, entry: &Entry, payload: &str) -> Result<(), Broken> {
        let continues = entry.version == self.head.version + 1
            && entry.chain == self.head.chain.then(entry.version, payload);
        if !continues {
            return Err(Broken(entry.version));
        }
        self.fleet.apply_all(&entry.transaction.changes);
        (self.head.version, self.head.chain) = (entry.version, entry.chain);
        Ok(())
    }
}
