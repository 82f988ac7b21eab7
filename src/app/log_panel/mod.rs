//! What commands write: a panel docked at the foot of every page, a tab for each command that was opened.
//!
//! [`ansi`], [`buffer`], [`search`], [`wrap`] and [`pieces`] are pure; a [`tab`] holds them for one command and reads its stream while
//! somebody looks; [`dock`], [`tools`] and [`lines`] show it. Only the lines that are seen are in the page, and what arrives is taken over
//! at most once a frame. Tabs outlive going from page to page.

pub mod ansi;
pub mod buffer;
mod dock;
mod lines;
pub mod pieces;
pub mod search;
mod tab;
mod tools;
pub mod wrap;

pub use dock::LogDock;
pub use tab::{Feed, Tab};

use crate::model::{Command, CommandId};
use leptos::prelude::*;
use std::sync::Arc;

/// More tabs than this and the oldest that is not looked at goes.
const MOST_TABS: usize = 20;

/// An open tab, and its command as it was when it was opened.
#[derive(Clone, PartialEq)]
pub struct Opened {
    pub tab: Tab,
    pub command: Arc<Command>,
}

/// The panel, wherever something is opened in it.
#[derive(Clone, Copy)]
pub struct LogPanel {
    opened: RwSignal<Vec<Opened>>,
    active: RwSignal<Option<CommandId>>,
    /// Whether the log under the tabs is shown.
    unfolded: RwSignal<bool>,
}

impl LogPanel {
    pub fn new() -> LogPanel {
        LogPanel {
            opened: RwSignal::new(Vec::new()),
            active: RwSignal::new(None),
            unfolded: RwSignal::new(true),
        }
    }

    /// Shows what `command` writes.
    pub fn open(self, command: Arc<Command>) {
        let id = command.id;
        if self.opened.with_untracked(|all| all.iter().all(|opened| opened.tab.id() != id)) {
            self.opened.update(|all| {
                if all.len() >= MOST_TABS {
                    let active = self.active.get_untracked();
                    let oldest = all.iter().position(|opened| Some(opened.tab.id()) != active);
                    all.remove(oldest.unwrap_or(0));
                }
                all.push(Opened { tab: Tab::new(id), command });
            });
        }
        self.active.set(Some(id));
        self.unfolded.set(true);
    }

    pub fn select(self, id: CommandId) {
        self.active.set(Some(id));
        self.unfolded.set(true);
    }

    /// Closes a tab; its neighbour is shown then.
    pub fn close(self, id: CommandId) {
        let Some(at) = self.opened.with_untracked(|all| all.iter().position(|opened| opened.tab.id() == id))
        else {
            return;
        };
        self.opened.update(|all| _ = all.remove(at));
        if self.active.get_untracked() == Some(id) {
            let next = self.opened.with_untracked(|all| {
                all.get(at.min(all.len().saturating_sub(1))).map(|opened| opened.tab.id())
            });
            self.active.set(next);
        }
    }

    pub fn close_all(self) {
        self.opened.set(Vec::new());
        self.active.set(None);
    }

    /// The tab beside the one that is shown; around the ends.
    fn beside(self, by: isize) -> Option<CommandId> {
        let active = self.active.get_untracked();
        self.opened.with_untracked(|all| {
            let at = all.iter().position(|opened| Some(opened.tab.id()) == active)?;
            let next = (at as isize + by).rem_euclid(all.len() as isize) as usize;
            all.get(next).map(|opened| opened.tab.id())
        })
    }

    fn shown(self) -> Option<Opened> {
        let active = self.active.get()?;
        self.opened.with(|all| all.iter().find(|opened| opened.tab.id() == active).cloned())
    }
}

impl Default for LogPanel {
    fn default() -> LogPanel {
        LogPanel::new()
    }
}
