//! The simulated database: what SQLite promises of the little that Muster asks of it.
//!
//! A transaction is staged under the one write lock, then made durable, and only then seen by readers, whole. A crash takes away what
//! was not yet durable, or, if the disk was faster than the process, leaves all of it. `tests::the_simulated_storage_behaves_like_sqlite`
//! runs one script against both.

use crate::{
    model::Fleet,
    server::{
        sse::resume::Witness,
        storage::ledger::{Head, Ledger, Tail, Written},
    },
    sync::journal::{Chain, Entry},
};
use std::{collections::BTreeMap, sync::Arc};

/// A database file at one moment.
#[derive(Clone, Debug)]
pub struct Content {
    pub head: Head,
    pub fleet: Fleet,
    journal: BTreeMap<u64, Arc<(Entry, String)>>,
}

impl Content {
    pub fn new(epoch: u64) -> Content {
        let head = Head { epoch, version: 0, chain: Chain::default() };
        Content { head, fleet: Fleet::default(), journal: BTreeMap::new() }
    }

    pub fn append(&mut self, written: &Written) {
        let entry = &written.entry;
        self.fleet.apply_all(&entry.transaction.changes);
        self.journal.insert(entry.version, Arc::new((entry.clone(), written.payload.clone())));
        (self.head.version, self.head.chain) = (entry.version, entry.chain);
    }

    pub fn trim(&mut self, version: u64) {
        self.journal = self.journal.split_off(&(version + 1));
    }

    pub fn read(&self) -> Ledger {
        Ledger { fleet: self.fleet.clone(), head: self.head }
    }

    pub fn tail(&self, version: u64, limit: usize) -> Tail {
        Tail { head: self.head, entries: self.after(version, limit).map(|row| (**row).clone()).collect() }
    }

    pub fn chain_at(&self, version: u64) -> Option<Chain> {
        match self.journal.get(&version) {
            Some(row) => Some(row.0.chain),
            None => {
                let whole = version == 0 && (self.head.version == 0 || self.journal.contains_key(&1));
                whole.then(Chain::default)
            }
        }
    }

    pub fn witness(&self, client: u64, hub: u64) -> Witness {
        Witness { head: self.head, at_client: self.chain_at(client), at_hub: self.chain_at(hub) }
    }

    pub fn entries(&self, version: u64, limit: usize) -> Vec<Entry> {
        self.after(version, limit).map(|row| row.0.clone()).collect()
    }

    fn after(&self, version: u64, limit: usize) -> impl Iterator<Item = &Arc<(Entry, String)>> {
        self.journal.range(version + 1..).map(|(_, row)| row).take(limit)
    }
}

/// The disk that every process of a run shares.
pub struct Disk {
    durable: Content,
    /// A commit that is not durable yet. While it is there, nobody else may write.
    staged: Option<Content>,
    /// SQLite's `data_version`: another number whenever the content became another.
    pub changes: u64,
    /// A planted bug: readers see what is not durable.
    pub shows_staged: bool,
}

impl Disk {
    pub fn new(content: Content) -> Disk {
        Disk { durable: content, staged: None, changes: 0, shows_staged: false }
    }

    /// What a reader sees.
    pub fn content(&self) -> &Content {
        match &self.staged {
            Some(staged) if self.shows_staged => staged,
            _ => &self.durable,
        }
    }

    pub fn locked(&self) -> bool {
        self.staged.is_some()
    }

    pub fn stage(&mut self, content: Content) {
        debug_assert!(self.staged.is_none(), "SQLite has one writer");
        self.staged = Some(content);
        self.changes += u64::from(self.shows_staged);
    }

    /// The disk has it: from now on readers see it, and no crash takes it away.
    pub fn sync(&mut self) {
        if let Some(staged) = self.staged.take() {
            self.durable = staged;
            self.changes += 1;
        }
    }

    /// The process that wrote died before it heard from the disk. `reached`: the disk had it all the same.
    pub fn crash(&mut self, reached: bool) {
        match reached {
            true => self.sync(),
            false => {
                self.staged = None;
                self.changes += 1;
            }
        }
    }

    /// Somebody put an older copy in its place.
    pub fn restore(&mut self, copy: Content) {
        self.durable = copy;
        self.staged = None;
        self.changes += 1;
    }
}
