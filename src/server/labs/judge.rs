//! What follows for the rows from what a worker says of its labs: pure rules.
//!
//! What the worker has is as the worker says. What it has not is lost, unless it was over: that stays over, with what it found.

use crate::{
    model::{Actor, Incarnation, Lab, LabCounts, LabEntry, LabId, LabProgress, LabState, Timestamp},
    worker::protocol::HostedLab,
};
use std::sync::Arc;

/// A sentence each: why a lab is lost.
pub const NOT_THERE: &str = "Its worker does not have it any more. Start it to make it anew.";
pub const FORGOTTEN: &str =
    "The process that had it is gone. What was known of it is kept; start it to make it anew.";

/// Why what a lab has found is not here, though its worker was asked.
pub const UNREADABLE: &str = "Its results cannot be read: its worker and this console may be of different versions. Wipe it and start it again, or make a new one.";

/// What the rows must become.
#[derive(Debug, PartialEq)]
pub struct Judgement {
    /// Rows that differ from what they were.
    pub rows: Vec<Lab>,
    /// Labs that the worker has and no row knows there.
    pub strays: Vec<LabId>,
    pub counts: LabCounts,
}

/// `rows` are the labs of the worker whose process is `incarnation` and says that it has `held`.
pub fn judge(
    rows: &[Arc<Lab>],
    incarnation: Option<Incarnation>,
    worker: &str,
    held: &[HostedLab],
    at: Timestamp,
) -> Judgement {
    let is_ours = |held: &HostedLab| rows.iter().any(|row| row.id == held.id);
    let changed = rows.iter().filter_map(|row| {
        let said = held.iter().find(|held| held.id == row.id);
        let mut lab = match said {
            Some(held) => found(row, held, incarnation, worker, at),
            None => missing(row, incarnation, at),
        };
        let differs = lab != **row;
        if differs {
            lab.synced_at = at;
        }
        differs.then_some(lab)
    });
    let ours = held.iter().filter(|held| is_ours(held));
    let active = ours.clone().filter(|held| held.state.is_active()).count();
    Judgement {
        rows: changed.collect(),
        strays: held.iter().filter(|held| !is_ours(held)).map(|held| held.id).collect(),
        counts: LabCounts { total: ours.count() as u32, active: active as u32, synced_at: at },
    }
}

fn found(row: &Lab, held: &HostedLab, incarnation: Option<Incarnation>, worker: &str, at: Timestamp) -> Lab {
    let mut lab = row.clone();
    (lab.state, lab.progress, lab.incarnation) = (held.state, held.progress, incarnation);
    let unreadable = row.error.as_ref().filter(|error| *error == UNREADABLE);
    lab.error = held.error.as_ref().or(unreadable).cloned();
    let text = match (row.state, held.state) {
        (before, now) if before == now => None,
        (LabState::Lost, now) => Some(format!("Found again on {worker}; it is {now}")),
        (_, LabState::Done) => Some(format!("Done: {}", counted(&held.progress))),
        (_, LabState::Failed) => {
            let why = held.error.as_deref().unwrap_or("its worker gives no reason");
            Some(format!("Failed: {}", why.trim_end_matches('.')))
        }
        // What an action did is written down by the action.
        _ => None,
    };
    if let Some(text) = text {
        lab.remember(by_itself(at, text));
    }
    lab
}

/// Notes of a lab whether its results could be read; `None` where that is known.
pub fn read(lab: &Lab, readable: bool, at: Timestamp) -> Option<Lab> {
    let known = lab.error.as_deref() == Some(UNREADABLE);
    // Another error says more.
    if known != readable || (!readable && lab.error.is_some()) {
        return None;
    }
    let mut lab = Lab { synced_at: at, error: (!readable).then(|| UNREADABLE.to_owned()), ..lab.clone() };
    if !readable {
        lab.remember(by_itself(at, "Its results cannot be read".to_owned()));
    }
    Some(lab)
}

fn missing(row: &Lab, incarnation: Option<Incarnation>, at: Timestamp) -> Lab {
    let mut lab = row.clone();
    lab.incarnation = None;
    if row.state.is_over() {
        return lab;
    }
    let known = row.error.as_deref().is_some_and(|error| error == NOT_THERE || error == FORGOTTEN);
    if row.state == LabState::Lost && known {
        return lab;
    }
    let (why, text) = match row.incarnation == incarnation {
        true => (NOT_THERE, "Lost: its worker does not have it any more"),
        false => (FORGOTTEN, "Lost: the process that had it is gone"),
    };
    (lab.state, lab.error) = (LabState::Lost, Some(why.to_owned()));
    lab.remember(by_itself(at, text.to_owned()));
    lab
}

fn by_itself(at: Timestamp, text: String) -> LabEntry {
    LabEntry { at, actor: Actor::System, action: None, text }
}

/// How far it came, in words.
fn counted(progress: &LabProgress) -> String {
    let of = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    match progress.states {
        0 => format!("{}, {}", of(progress.runs, "run"), of(progress.firings, "firing")),
        states => of(states, "marking"),
    }
}

/// Whether what a lab has found is worth asking for: `kept` is when it was last, `row` is the row as it will be.
pub fn is_wanted(row: &Lab, held: &HostedLab, kept: Option<Timestamp>, all: bool) -> bool {
    let has_found = held.state == LabState::Done || held.progress != LabProgress::default();
    match held.state.is_active() {
        true => all && has_found,
        false => has_found && kept.is_none_or(|at| at < row.synced_at),
    }
}
