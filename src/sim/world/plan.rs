//! What is run, and what comes of it.

use crate::sim::{check::Violation, plant::Break};
use crate::sync::Scope;
use std::{collections::BTreeSet, fmt, ops::AddAssign};

/// What can go wrong from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    Cut,
    HalfOpen,
    Slow,
    Frames,
    Sleep,
    Offline,
    Membership,
    Leave,
    Lag,
    Kill,
    Stop,
    Restore,
    WallClock,
}

impl Fault {
    pub const ALL: [Fault; 13] = [
        Fault::Cut,
        Fault::HalfOpen,
        Fault::Slow,
        Fault::Frames,
        Fault::Sleep,
        Fault::Offline,
        Fault::Membership,
        Fault::Leave,
        Fault::Lag,
        Fault::Kill,
        Fault::Stop,
        Fault::Restore,
        Fault::WallClock,
    ];
}

/// What is run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub plant: Option<Break>,
    pub faults: Vec<Fault>,
    pub clients: usize,
    /// Faults that do not happen, by their number in the run.
    pub spared: BTreeSet<u32>,
    /// Whether to tell what happened.
    pub tell: bool,
    /// Whether to keep the bytes of every stream.
    pub record: bool,
}

impl Plan {
    pub fn new(seed: u64) -> Plan {
        Plan {
            seed,
            plant: None,
            faults: Fault::ALL.to_vec(),
            clients: 4,
            spared: BTreeSet::new(),
            tell: false,
            record: false,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Failure {
    pub violation: Violation,
    pub client: Option<usize>,
    pub at: u64,
    /// How many faults had come up by then.
    pub faults: u32,
    /// The last of what happened, oldest first; empty unless the plan asks for it.
    pub story: Vec<String>,
}

/// What a run did, to see that it went to the edges.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub versions: u64,
    pub shown: u64,
    pub inits: u64,
    pub resumed: u64,
    pub fetches: u64,
    pub kills: u64,
    pub restores: u64,
    /// Faults that came up, spared ones included.
    pub faults: u32,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Figures) {
        self.versions += other.versions;
        self.shown += other.shown;
        self.inits += other.inits;
        self.resumed += other.resumed;
        self.fetches += other.fetches;
        self.kills += other.kills;
        self.restores += other.restores;
        self.faults += other.faults;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { versions, shown, inits, resumed, fetches, kills, restores, faults } = self;
        write!(
            f,
            "{versions} commits, {shown} messages, {inits} inits, {resumed} resumed, {fetches} states fetched, {faults} faults, {kills} kills, {restores} restores"
        )
    }
}

/// The bytes of a stream, whole frames, and who it was for.
pub type Recording = (Scope, Vec<u8>);
