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

/// The end of the journal as one read of the database sees it.
#[derive(Clone, Debug)]
pub struct Tail {
    pub head: Head,
    /// Entries after the version that was asked for, oldest first, each with the text its chain hashes; perhaps not up to the head.
    pub entries: Vec<(Entry, String)>,
}

/// An entry together with the exact text that its chain hashes.
pub struct Written {
    pub entry: Entry,
    pub payload: String,
}

/// The version up to which the journal is to be trimmed after a group of transactions led from `before` to `head`. The journal keeps
/// `keeps` entries, and is trimmed once in `every`.
pub fn trim_after(before: u64, head: u64, keeps: u64, every: u64) -> Option<u64> {
    (head / every != before / every).then(|| head.saturating_sub(keeps))
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

    /// Takes over what was committed since; every entry is handed to `news` with the head it leads to. `Ok(true)` once the head is
    /// reached: `false` asks for the next tail.
    pub fn follow_tail(&mut self, tail: Tail, mut news: impl FnMut(Entry, Head)) -> Result<bool, Broken> {
        let goes_on = !tail.entries.is_empty();
        for (entry, payload) in tail.entries {
            self.follow(&entry, &payload)?;
            news(entry, self.head);
        }
        if self.head == tail.head {
            return Ok(true);
        }
        // Behind the head with nothing to follow, or beyond it: not the database that this ledger was read from.
        let behind = self.head.epoch == tail.head.epoch && self.head.version < tail.head.version;
        if goes_on && behind { Ok(false) } else { Err(Broken(tail.head.version)) }
    }
}
