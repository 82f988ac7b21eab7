//! The journal: every transaction in order, each chained to the one before it.

use crate::model::{Actor, Change, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The head of the chain after a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Chain(pub [u8; 16]);

impl Chain {
    /// The chain after `payload` became `version`. Two databases that ever took another transaction never agree again.
    pub fn then(self, version: u64, payload: &str) -> Chain {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(version.to_be_bytes());
        hash.update(payload.as_bytes());
        let mut head = [0; 16];
        head.copy_from_slice(&hash.finalize()[..16]);
        Chain(head)
    }

    /// The part of it that a position carries.
    pub fn short(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

/// A transaction as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    pub at: Timestamp,
    pub actor: Actor,
    pub changes: Vec<Change>,
}

/// A committed transaction with its place in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub version: u64,
    pub chain: Chain,
    pub transaction: Transaction,
}
