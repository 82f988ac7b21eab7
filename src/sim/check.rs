//! What the server ever had, and the guarantees of `docs/sync.md` that every client's record is held against.

use super::storage::Disk;
use crate::{
    model::Fleet,
    server::storage::ledger::Head,
    sync::{
        Position, Scope, Token,
        journal::{Chain, Entry},
    },
};
use std::{cell::RefCell, collections::HashMap, fmt, sync::Arc};

/// The guarantees, as `docs/sync.md` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guarantee {
    Ordered,
    Unique,
    Atomic,
    Reliable,
    Resumable,
    Bookmarkable,
    Durable,
    NeverBackwards,
    Scoped,
    Converged,
    NeverSilentlyStale,
    Moderate,
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Guarantee::Ordered => "ordered",
            Guarantee::Unique => "unique",
            Guarantee::Atomic => "atomic",
            Guarantee::Reliable => "reliable",
            Guarantee::Resumable => "resumable",
            Guarantee::Bookmarkable => "bookmarkable",
            Guarantee::Durable => "visible only when durable",
            Guarantee::NeverBackwards => "never backwards",
            Guarantee::Scoped => "scoped",
            Guarantee::Converged => "converged",
            Guarantee::NeverSilentlyStale => "never silently stale",
            Guarantee::Moderate => "moderate",
        })
    }
}

/// A guarantee that did not hold, and how.
#[derive(Clone, Debug)]
pub struct Violation {
    pub guarantee: Guarantee,
    pub what: String,
}

pub fn violated<T>(guarantee: Guarantee, what: impl Into<String>) -> Result<T, Violation> {
    Err(Violation { guarantee, what: what.into() })
}

struct Moment {
    parent: Option<Chain>,
    version: u64,
    fleet: Arc<Fleet>,
    durable: bool,
}

/// Every version that any timeline of the database ever had.
pub struct History {
    moments: HashMap<Chain, Moment>,
    by_number: HashMap<(u64, u64), Chain>,
    seen: RefCell<HashMap<(Chain, u64), Arc<Fleet>>>,
}

impl History {
    pub fn new() -> History {
        let mut history =
            History { moments: HashMap::new(), by_number: HashMap::new(), seen: RefCell::default() };
        history.insert(Chain::default(), None, 0, Arc::default());
        history.durable(Chain::default());
        history
    }

    pub fn staged(&mut self, before: Chain, entry: &Entry, fleet: Arc<Fleet>) {
        self.insert(entry.chain, Some(before), entry.version, fleet);
    }

    fn insert(&mut self, chain: Chain, parent: Option<Chain>, version: u64, fleet: Arc<Fleet>) {
        self.moments.insert(chain, Moment { parent, version, fleet, durable: false });
        self.by_number.insert((version, chain.short()), chain);
    }

    /// `head` and all before it cannot be taken away by a crash any more.
    pub fn durable(&mut self, head: Chain) {
        let mut at = Some(head);
        while let Some(moment) = at.and_then(|chain| self.moments.get_mut(&chain)) {
            if std::mem::replace(&mut moment.durable, true) {
                break;
            }
            at = moment.parent;
        }
    }

    /// Whether `old` is `new` or one of the versions that led to it.
    pub fn leads_to(&self, old: Chain, new: Chain) -> bool {
        let Some(version) = self.moments.get(&old).map(|moment| moment.version) else { return false };
        let mut at = new;
        loop {
            let Some(moment) = self.moments.get(&at) else { return false };
            match moment.parent {
                _ if moment.version <= version => return at == old,
                Some(parent) => at = parent,
                None => return false,
            }
        }
    }

    /// The version that a token names, if the server ever had it and it was durable.
    pub fn find(&self, token: &Token) -> Result<(Position, Chain), Violation> {
        let Ok(position) = token.0.parse::<Position>() else {
            return violated(Guarantee::Bookmarkable, format!("{token} is not a position"));
        };
        match self.by_number.get(&(position.version, position.chain)) {
            Some(chain) if self.moments[chain].durable => Ok((position, *chain)),
            Some(_) => violated(
                Guarantee::Durable,
                format!("version {} is shown before it is durable", position.version),
            ),
            None => violated(
                Guarantee::Bookmarkable,
                format!("version {} with that chain never existed", position.version),
            ),
        }
    }

    /// The fleet at a version, as a scope sees it.
    pub fn fleet(&self, chain: Chain, scope: &Scope) -> Arc<Fleet> {
        let mut seen = self.seen.borrow_mut();
        let moment = &self.moments[&chain];
        match scope {
            Scope::Fleet => moment.fleet.clone(),
            _ => seen
                .entry((chain, scope.revision()))
                .or_insert_with(|| Arc::new(scope.of_fleet(&moment.fleet)))
                .clone(),
        }
    }

    /// What callers were told is done is still there.
    pub fn kept(&self, answered: &[Head], disk: &Disk) -> Result<(), Violation> {
        let head = disk.content().head.chain;
        match answered.iter().find(|answer| !self.leads_to(answer.chain, head)) {
            Some(lost) => violated(
                Guarantee::Durable,
                format!("version {} was answered as done, and a crash took it away", lost.version),
            ),
            None => Ok(()),
        }
    }
}

/// In which rows two fleets differ, for the story.
pub fn difference(expected: &Fleet, seen: &Fleet) -> String {
    let mut out = Vec::new();
    let mut list = |kind: &str, expected: Vec<String>, seen: Vec<String>| {
        let missing: Vec<_> = expected.iter().filter(|row| !seen.contains(row)).collect();
        let extra: Vec<_> = seen.iter().filter(|row| !expected.contains(row)).collect();
        if !missing.is_empty() || !extra.is_empty() {
            out.push(format!("{kind}: expected {missing:?}, saw {extra:?}"));
        }
    };
    let short = |id: String, revision: u64| format!("{}@{revision}", &id[..8]);
    let rows = |fleet: &Fleet| {
        (
            fleet.workers().map(|row| short(row.id.to_string(), row.revision)).collect::<Vec<_>>(),
            fleet.nets().map(|row| short(row.id.to_string(), row.revision)).collect::<Vec<_>>(),
            fleet.projects().map(|row| row.name.to_string()).collect::<Vec<_>>(),
            fleet.events().map(|row| row.id.to_string()).collect::<Vec<_>>(),
        )
    };
    let (expected, seen) = (rows(expected), rows(seen));
    list("workers", expected.0, seen.0);
    list("nets", expected.1, seen.1);
    list("projects", expected.2, seen.2);
    list("events", expected.3, seen.3);
    if out.is_empty() { "rows differ in their content".to_owned() } else { out.join("; ") }
}
