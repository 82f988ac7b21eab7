//! Short messages at the edge of the page: one place for all of them, and a history of the last fifty.
//!
//! Equal ones are one with a count. What is no error goes by itself, unless it is being looked at; errors stay until they are dismissed,
//! or until what they tell of is well again: then they say so and go. [`Toasts`] is the state, [`ToastRegion`] and [`ToastHistory`] show
//! it.

mod history;
mod region;

pub use history::ToastHistory;
pub use region::ToastRegion;

use super::Tone;
use crate::model::Timestamp;
use leptos::prelude::*;
use std::time::Duration;

/// How long one that is not an error stays.
const SHOWN: Duration = Duration::from_secs(6);
/// How long one stays whose time came while it was being looked at.
const LINGERS: Duration = Duration::from_secs(2);
/// The history holds so many, those that are shown included.
const KEPT: usize = 50;

/// What a message tells of, in the words of whoever sends it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Matter {
    /// Tells one matter from another.
    pub key: String,
    /// Where it can be seen.
    pub href: String,
    pub name: String,
    /// What several such matters are, after their number: `workers in trouble`. They share one message.
    pub many: &'static str,
}

/// What a message says of one of its matters.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    matter: Matter,
    text: String,
    /// How often it was said.
    count: u32,
    /// What became of it since.
    settled: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Toast {
    id: u64,
    tone: Tone,
    /// What was said last.
    text: String,
    /// How often it, or something of the same kind, was said.
    count: u32,
    /// When it was last said.
    at: Timestamp,
    /// What it tells of, newest first; nothing where it is about nothing that can be followed.
    told: Vec<Told>,
    shown: bool,
    /// Its time is over, and it is only there because it is being looked at.
    due: bool,
}

impl Toast {
    /// Whether it waits to be dismissed.
    fn stays(&self) -> bool {
        self.tone == Tone::Bad && self.settled().is_none()
    }

    /// What became of all that it tells of, once that is known.
    fn settled(&self) -> Option<String> {
        match &self.told[..] {
            [] => None,
            [one] => one.settled.clone(),
            all => all
                .iter()
                .all(|told| told.settled.is_some())
                .then(|| "Since then none of them is in trouble any more.".to_owned()),
        }
    }

    /// How often what it shows now was said; of several matters their number says it.
    fn times(&self) -> u32 {
        match self.open()[..] {
            [] => self.count,
            [one] => one.count,
            _ => 1,
        }
    }

    /// Those it tells of that are not settled; all of them once they are.
    fn open(&self) -> Vec<&Told> {
        let open: Vec<&Told> = self.told.iter().filter(|told| told.settled.is_none()).collect();
        if open.is_empty() { self.told.iter().collect() } else { open }
    }
}

/// Every message of the last while, newest first. Pure: no timers.
#[derive(Clone, Debug, Default, PartialEq)]
struct Log {
    toasts: Vec<Toast>,
    next: u64,
}

impl Log {
    /// Adds a message, or counts one that is being shown already and says the same, or the same kind of thing of others; its id, and how
    /// often it was said.
    fn push(&mut self, tone: Tone, text: String, matter: Option<Matter>, at: Timestamp) -> (u64, u32) {
        let same = |toast: &Toast| {
            let alike = match (&matter, toast.told.first()) {
                (None, None) => toast.text == text,
                (Some(matter), Some(told)) => matter.many == told.matter.many,
                _ => false,
            };
            toast.shown && toast.settled().is_none() && toast.tone == tone && alike
        };
        let told = matter.clone().map(|matter| Told { matter, text: text.clone(), count: 1, settled: None });
        if let Some(i) = self.toasts.iter().position(same) {
            let mut toast = self.toasts.remove(i);
            toast.count += 1;
            (toast.at, toast.due, toast.text) = (at, false, text);
            if let Some(mut told) = told {
                let before = toast.told.iter().find(|other| other.matter.key == told.matter.key);
                // What was over meanwhile is said for the first time again.
                told.count +=
                    before.filter(|before| before.settled.is_none()).map_or(0, |before| before.count);
                toast.told.retain(|other| other.matter.key != told.matter.key);
                toast.told.insert(0, told);
                toast.told.truncate(KEPT);
            }
            let said = (toast.id, toast.count);
            self.toasts.insert(0, toast);
            return said;
        }
        let id = self.next;
        self.next += 1;
        let told = told.into_iter().collect();
        let toast = Toast { id, tone, text, count: 1, at, told, shown: true, due: false };
        self.toasts.insert(0, toast);
        if self.toasts.len() > KEPT {
            // What waits to be dismissed goes last.
            let oldest = self.toasts.iter().rposition(|toast| !toast.shown).unwrap_or(KEPT);
            self.toasts.remove(oldest);
        }
        (id, 1)
    }

    fn find(&self, id: u64) -> Option<&Toast> {
        self.toasts.iter().find(|toast| toast.id == id)
    }

    fn change(&mut self, id: u64, with: impl FnOnce(&mut Toast)) {
        if let Some(toast) = self.toasts.iter_mut().find(|toast| toast.id == id) {
            with(toast);
        }
    }

    /// Oldest first.
    fn shown(&self) -> Vec<u64> {
        self.toasts.iter().rev().filter(|toast| toast.shown).map(|toast| toast.id).collect()
    }

    /// The matters of errors of which nothing is known since.
    fn open_matters(&self) -> Vec<Matter> {
        let open = self.toasts.iter().filter(|toast| toast.shown && toast.stays());
        let told = open.flat_map(|toast| &toast.told).filter(|told| told.settled.is_none());
        let mut matters: Vec<Matter> = told.map(|told| told.matter.clone()).collect();
        matters.sort_by(|a, b| a.key.cmp(&b.key));
        matters.dedup();
        matters
    }

    /// Says what became of `matter`; the ids of the messages that this settles.
    fn settle(&mut self, matter: &Matter, words: &str) -> Vec<u64> {
        let open = self.toasts.iter_mut().filter(|toast| toast.tone == Tone::Bad);
        open.filter_map(|toast| {
            let told =
                toast.told.iter_mut().find(|told| told.matter.key == matter.key && told.settled.is_none())?;
            told.settled = Some(words.to_owned());
            toast.settled().map(|_| toast.id)
        })
        .collect()
    }
}

#[derive(Clone, Copy)]
pub struct Toasts {
    log: RwSignal<Log>,
    /// The server's time.
    now: RwSignal<Timestamp>,
    /// Whether somebody is reading: the pointer or the focus is there.
    held: RwSignal<bool>,
    /// Warnings and errors since the history was last looked at.
    unseen: RwSignal<u32>,
    /// Whether the history is open.
    reading: RwSignal<bool>,
    /// Said to those who do not see the page change: when they have time, and at once.
    polite: RwSignal<String>,
    assertive: RwSignal<String>,
}

impl Toasts {
    pub fn new(now: RwSignal<Timestamp>) -> Toasts {
        Toasts {
            log: RwSignal::default(),
            now,
            held: RwSignal::new(false),
            unseen: RwSignal::new(0),
            reading: RwSignal::new(false),
            polite: RwSignal::default(),
            assertive: RwSignal::default(),
        }
    }

    /// For what the page itself already shows: read out, not shown a second time.
    pub fn announce(&self, text: impl Into<String>) {
        say(self.polite, text.into());
    }

    pub fn success(&self, text: impl Into<String>) {
        self.push(Tone::Good, text.into(), None);
    }

    pub fn warning(&self, text: impl Into<String>) {
        self.push(Tone::Warn, text.into(), None);
    }

    pub fn error(&self, text: impl Into<String>) {
        self.push(Tone::Bad, text.into(), None);
    }

    /// A message about `matter`; once that is well again, [`Self::settle`] says so on it.
    pub fn about(&self, tone: Tone, text: impl Into<String>, matter: Matter) {
        self.push(tone, text.into(), Some(matter));
    }

    /// The matters of errors that are shown and of which nothing is known since, tracked.
    pub fn open_matters(&self) -> Vec<Matter> {
        self.log.with(Log::open_matters)
    }

    /// What became of `matter`: it is said on its errors, which then go by themselves.
    pub fn settle(&self, matter: &Matter, words: &str) {
        let settled = self.log.try_update(|log| log.settle(matter, words)).unwrap_or_default();
        settled.into_iter().for_each(|id| self.goes_after(id, SHOWN));
    }

    /// Opens or closes the history.
    pub fn read_history(&self, open: bool) {
        self.reading.set(open);
        self.unseen.set(0);
    }

    fn push(&self, tone: Tone, text: String, matter: Option<Matter>) {
        let now = self.now.get_untracked();
        let aloud = if tone == Tone::Bad { self.assertive } else { self.polite };
        say(aloud, text.clone());
        if matches!(tone, Tone::Bad | Tone::Warn) && !self.reading.get_untracked() {
            self.unseen.update(|unseen| *unseen += 1);
        }
        let said = self.log.try_update(|log| log.push(tone, text, matter, now));
        if let (Some((id, _)), true) = (said, tone != Tone::Bad) {
            self.goes_after(id, SHOWN);
        }
    }

    fn goes_after(&self, id: u64, time: Duration) {
        let toasts = *self;
        let said = self.log.with_untracked(|log| log.find(id).map(|toast| toast.count));
        set_timeout(
            move || {
                // The page may be gone by then; said again meanwhile, it has a later time.
                let current =
                    toasts.log.try_with_untracked(|log| log.find(id).map(|toast| toast.count)).flatten();
                if current.is_none() || current != said {
                    return;
                }
                if toasts.held.try_get_untracked() == Some(true) {
                    _ = toasts.log.try_update(|log| log.change(id, |toast| toast.due = true));
                } else {
                    toasts.dismiss(id);
                }
            },
            time,
        );
    }

    fn dismiss(&self, id: u64) {
        let left = self.log.try_update(|log| {
            log.change(id, |toast| toast.shown = false);
            log.toasts.iter().any(|toast| toast.shown)
        });
        // A button that goes away under the focus tells nobody that it lost it.
        if left == Some(false) {
            self.held.set(false);
        }
    }

    fn dismiss_all(&self) {
        self.log.update(|log| log.toasts.iter_mut().for_each(|toast| toast.shown = false));
        self.held.set(false);
    }

    fn hold(&self, held: bool) {
        if self.held.try_get_untracked().is_none_or(|before| before == held) {
            return;
        }
        self.held.set(held);
        if !held {
            let due = self.log.with_untracked(|log| {
                let due = log.toasts.iter().filter(|toast| toast.shown && toast.due);
                due.map(|toast| toast.id).collect::<Vec<_>>()
            });
            due.into_iter().for_each(|id| self.goes_after(id, LINGERS));
        }
    }
}

/// The same words twice would not be read out twice: a space that nobody sees makes them others.
fn say(aloud: RwSignal<String>, text: String) {
    aloud.update(|said| *said = if *said == text { text + "\u{a0}" } else { text });
}

pub fn use_toasts() -> Toasts {
    expect_context()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matter(key: &str) -> Option<Matter> {
        Some(of_kind(key, "workers in trouble"))
    }

    fn of_kind(key: &str, many: &'static str) -> Matter {
        Matter { key: key.to_owned(), href: format!("/{key}"), name: key.to_owned(), many }
    }

    fn push(log: &mut Log, tone: Tone, text: &str, about: Option<Matter>) -> (u64, u32) {
        log.push(tone, text.to_owned(), about, Timestamp(0))
    }

    #[test]
    fn equal_messages_are_one_with_a_count() {
        let mut log = Log::default();
        let (first, _) = push(&mut log, Tone::Bad, "no", None);
        push(&mut log, Tone::Bad, "other", None);
        assert_eq!(push(&mut log, Tone::Bad, "no", None), (first, 2));
        assert_eq!(log.toasts[0].id, first, "what was said last is newest");
        assert_eq!(log.shown().len(), 2);
        log.change(first, |toast| toast.shown = false);
        assert_eq!(push(&mut log, Tone::Bad, "no", None).1, 1, "a dismissed one is history");
    }

    #[test]
    fn the_history_forgets_what_is_not_shown_first() {
        let mut log = Log::default();
        push(&mut log, Tone::Bad, "stays", None);
        for i in 0..KEPT + 5 {
            let (id, _) = push(&mut log, Tone::Good, &format!("{i}"), None);
            log.change(id, |toast| toast.shown = false);
        }
        assert_eq!(log.toasts.len(), KEPT);
        assert_eq!(log.toasts.last().map(|toast| toast.text.as_str()), Some("stays"));
    }

    #[test]
    fn a_fleet_that_flaps_is_one_message_of_the_newest() {
        let mut log = Log::default();
        let (id, _) = push(&mut log, Tone::Bad, "a is down", matter("a"));
        assert_eq!(push(&mut log, Tone::Bad, "b is down", matter("b")), (id, 2));
        assert_eq!(push(&mut log, Tone::Bad, "a is down again", matter("a")), (id, 3));
        let open = |log: &Log| log.toasts[0].open().iter().map(|told| told.text.clone()).collect::<Vec<_>>();
        assert_eq!(open(&log), ["a is down again", "b is down"]);
        assert_eq!(log.settle(&matter("a").unwrap(), "ready"), Vec::<u64>::new(), "b is still down");
        assert_eq!(
            (open(&log), log.open_matters()),
            (vec!["b is down".to_owned()], vec![matter("b").unwrap()])
        );
        assert_eq!(push(&mut log, Tone::Bad, "a is down", matter("a")), (id, 4), "down again");
        assert_eq!(log.settle(&matter("a").unwrap(), "ready"), Vec::<u64>::new());
        assert_eq!(log.settle(&matter("b").unwrap(), "ready"), [id]);
    }

    #[test]
    fn of_two_of_which_one_is_well_again_the_other_was_said_once() {
        let mut log = Log::default();
        push(&mut log, Tone::Bad, "a is down", matter("a"));
        push(&mut log, Tone::Bad, "b is down", matter("b"));
        assert_eq!(log.toasts[0].times(), 1, "two matters are counted as such");
        log.settle(&matter("a").unwrap(), "ready");
        assert_eq!(log.toasts[0].times(), 1);
        push(&mut log, Tone::Bad, "b is down again", matter("b"));
        assert_eq!(log.toasts[0].times(), 2);
        push(&mut log, Tone::Bad, "a is down", matter("a"));
        log.settle(&matter("b").unwrap(), "ready");
        assert_eq!(log.toasts[0].times(), 1, "a was well in between");
    }

    #[test]
    fn an_error_is_settled_once_by_its_own_matter() {
        let mut log = Log::default();
        let (id, _) = push(&mut log, Tone::Bad, "a is down", matter("a"));
        push(&mut log, Tone::Bad, "b is down", Some(of_kind("b", "nets in trouble")));
        push(&mut log, Tone::Bad, "no matter", None);
        assert_eq!(log.open_matters(), [matter("a").unwrap(), of_kind("b", "nets in trouble")]);
        assert_eq!(log.settle(&matter("a").unwrap(), "ready"), [id]);
        assert_eq!(log.settle(&matter("a").unwrap(), "ready"), Vec::<u64>::new());
        assert_eq!(log.open_matters(), [of_kind("b", "nets in trouble")]);
        let (again, count) = push(&mut log, Tone::Bad, "a is down", matter("a"));
        assert!(again != id && count == 1, "down again is another message");
    }
}
