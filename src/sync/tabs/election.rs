//! Which tab leads, and what each does with what it hears.

use super::note::{Note, Reign, Stands, TabId};
use crate::sync::{
    position::Token,
    replica::{Instant, Status},
};
use std::time::Duration;

/// The leader speaks at least this often.
const BEAT: Duration = Duration::from_millis(2_500);
/// A leader silent for this long is asked whether it is there: it may only be slow, or everybody slept with the machine.
const ASK_AFTER: Duration = Duration::from_secs(5);
/// A leader that does not answer within this, and up to [`SPREAD`] more, is given up.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// A leader that is there and does not welcome who joins cannot: it is behind, or of a history that a restore took away. Only the server can
/// say which, to a stream of our own. One beacon and a little more.
const WELCOME_WITHIN: Duration = Duration::from_secs(7);
/// A leader whose timers have not run for this long is frozen, or slowed down by the browser …
const NOT_RUNNING: Duration = Duration::from_secs(6);
/// … and if its stream has brought nothing for this long, a beacon and a half, it is not woken by that either.
const NOT_FED: Duration = Duration::from_millis(7_500);
/// Drawn by each tab, so that they do not all take over in the same moment.
const SPREAD: Duration = Duration::from_secs(2);

/// What the caller has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    Post(Note),
    /// Stand in line for the lock.
    Queue,
    /// Take the lock from who has it.
    Steal,
    /// This tab leads: open the stream.
    Lead,
    /// This tab does not lead any more: close its stream, and join.
    Follow,
    /// Join the leader (again).
    Join,
    /// Hand the frame that came with the note to the replica.
    Feed,
    /// The leader has no stream; this is how it stands.
    Wait(Stands),
    /// A tab joins: answer with [`Note::Welcome`] and frames, or with [`Note::Lead`] where there is no stream.
    Welcome {
        tab: TabId,
        since: Option<Token>,
    },
    RetryNow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// `beat` is when it last said so, `ran` when its timer last did.
    Leader {
        reign: Reign,
        beat: Instant,
        ran: Instant,
    },
    Follower {
        leader: Option<Reign>,
        heard: Instant,
        asked: Option<Instant>,
        joined: Joined,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joined {
    No,
    Asked { at: Instant },
    Yes,
}

#[derive(Clone, Debug)]
pub struct Tabs {
    me: TabId,
    role: Role,
    /// The highest term that anybody mentioned.
    term: u64,
    patience: u64,
    /// Whether any tab ever joined this one: without any, nothing is posted frame by frame.
    followed: bool,
}

impl Tabs {
    /// A tab that knows nobody yet. `jitter` is drawn evenly from 0 to 1.
    pub fn new(me: TabId, jitter: f64, now: Instant) -> Tabs {
        let spread = SPREAD.mul_f64(jitter.clamp(0.0, 1.0)).as_millis() as u64;
        Tabs {
            me,
            role: follower(None, now),
            term: 0,
            patience: ANSWER_WITHIN.as_millis() as u64 + spread,
            followed: false,
        }
    }

    pub fn leads(&self) -> bool {
        matches!(self.role, Role::Leader { .. })
    }

    /// What a frame of the stream is posted with, if anybody listens.
    pub fn frame(&self) -> Option<Note> {
        match self.role {
            Role::Leader { reign, .. } if self.followed => Some(Note::Frame { reign, to: None }),
            _ => None,
        }
    }

    /// The reign of this tab, while it leads.
    pub fn reign(&self) -> Option<Reign> {
        match self.role {
            Role::Leader { reign, .. } => Some(reign),
            Role::Follower { .. } => None,
        }
    }

    /// The replica wants a stream, and another tab has it.
    pub fn join(&mut self, since: Option<Token>, now: Instant) -> Note {
        if let Role::Follower { joined, .. } = &mut self.role {
            *joined = Joined::Asked { at: now };
        }
        Note::Join { tab: self.me, since }
    }

    /// The replica gave its stream up.
    pub fn leave(&mut self) {
        if let Role::Follower { joined, .. } = &mut self.role {
            *joined = Joined::No;
        }
    }

    /// The lock is ours. `wall` is the wall clock, milliseconds.
    pub fn granted(&mut self, wall: u64, now: Instant) -> Vec<Order> {
        self.term = wall.max(self.term + 1);
        let reign = Reign { term: self.term, tab: self.me };
        self.role = Role::Leader { reign, beat: now, ran: now };
        vec![Order::Post(Note::Lead { reign, link: Stands::Connecting }), Order::Lead]
    }

    /// The browser is about to freeze this tab.
    pub fn freezes(&mut self, now: Instant) -> Vec<Order> {
        self.robbed(now)
    }

    /// To be asked before each note; the stream has brought nothing for `silence`. A browser may freeze a tab so that its timers and its
    /// stream stand still and it is not told, while it goes on to hear notes: it would answer for ever that all is well.
    pub fn stands_down(&mut self, silence: Duration, now: Instant) -> Vec<Order> {
        match self.role {
            Role::Leader { ran, .. }
                if silence >= NOT_FED && now.saturating_sub(ran) >= NOT_RUNNING.as_millis() as u64 =>
            {
                self.robbed(now)
            }
            Role::Leader { .. } | Role::Follower { .. } => Vec::new(),
        }
    }

    /// Another tab took the lock.
    pub fn robbed(&mut self, now: Instant) -> Vec<Order> {
        if !self.leads() {
            return Vec::new();
        }
        self.role = follower(None, now);
        vec![Order::Queue, Order::Follow]
    }

    /// How this tab's link stands, if it leads: to be posted when it changes.
    pub fn link(&mut self, status: &Status, now: Instant) -> Option<Note> {
        let Role::Leader { reign, beat, .. } = &mut self.role else { return None };
        *beat = now;
        Some(Note::Lead { reign: *reign, link: Stands::of(status, now) })
    }

    pub fn next_tick(&self) -> Instant {
        match self.role {
            Role::Leader { beat, .. } => beat + BEAT.as_millis() as u64,
            Role::Follower { heard, asked, joined, .. } => {
                let silent = match asked {
                    Some(asked) => asked + self.patience,
                    None => heard + ASK_AFTER.as_millis() as u64,
                };
                silent.min(self.not_welcome(joined).unwrap_or(silent))
            }
        }
    }

    /// When a tab that asked to join and was not welcomed gives up on the leader.
    fn not_welcome(&self, joined: Joined) -> Option<Instant> {
        match joined {
            Joined::Asked { at } => Some(at + WELCOME_WITHIN.as_millis() as u64 + self.patience),
            Joined::No | Joined::Yes => None,
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, status: &Status, now: Instant) -> Vec<Order> {
        if now < self.next_tick() {
            return Vec::new();
        }
        let not_welcome = match self.role {
            Role::Follower { joined, .. } => self.not_welcome(joined).is_some_and(|at| at <= now),
            Role::Leader { .. } => false,
        };
        match &mut self.role {
            Role::Follower { heard, asked, joined, .. } if not_welcome => {
                (*heard, *asked, *joined) = (now, None, Joined::No);
                vec![Order::Steal]
            }
            Role::Leader { ran, .. } => {
                *ran = now;
                self.link(status, now).map(Order::Post).into_iter().collect()
            }
            Role::Follower { asked: asked @ None, .. } => {
                *asked = Some(now);
                vec![Order::Post(Note::Ping)]
            }
            Role::Follower { heard, asked, .. } => {
                // Patience begins anew: the lock comes by a message of its own.
                (*heard, *asked) = (now, None);
                vec![Order::Steal]
            }
        }
    }

    /// Another tab says something.
    pub fn on_note(&mut self, note: Note, status: &Status, now: Instant) -> Vec<Order> {
        let said = match &note {
            Note::Lead { reign, .. } | Note::Welcome { reign, .. } | Note::Frame { reign, .. } => {
                Some(*reign)
            }
            Note::Join { .. } | Note::Ping | Note::RetryNow => None,
        };
        self.term = self.term.max(said.map_or(0, |reign| reign.term));
        match (&mut self.role, said) {
            (Role::Leader { reign, .. }, Some(other)) if other > *reign => {
                // It took over while this tab was frozen.
                self.role = follower(Some(other), now);
                vec![Order::Queue, Order::Follow]
            }
            (Role::Leader { .. }, Some(_)) => self.link(status, now).map(Order::Post).into_iter().collect(),
            (Role::Leader { .. }, None) => match note {
                Note::Join { tab, since } => {
                    self.followed = true;
                    vec![Order::Welcome { tab, since }]
                }
                Note::Ping => self.link(status, now).map(Order::Post).into_iter().collect(),
                _ => vec![Order::RetryNow],
            },
            (Role::Follower { leader, heard, asked, joined }, Some(reign)) => {
                if leader.is_some_and(|leader| leader > reign) {
                    return Vec::new();
                }
                if leader.is_some_and(|leader| leader != reign) {
                    *joined = Joined::No;
                }
                (*leader, *heard, *asked) = (Some(reign), now, None);
                match note {
                    Note::Lead { link: Stands::Connected, .. } if *joined == Joined::No => vec![Order::Join],
                    Note::Lead { link: Stands::Connected, .. } => Vec::new(),
                    Note::Lead { link, .. } => {
                        *joined = Joined::No;
                        vec![Order::Wait(link)]
                    }
                    Note::Welcome { tab, .. } if tab == self.me => {
                        *joined = Joined::Yes;
                        Vec::new()
                    }
                    Note::Frame { to, .. } if *joined == Joined::Yes && to.is_none_or(|to| to == self.me) => {
                        vec![Order::Feed]
                    }
                    _ => Vec::new(),
                }
            }
            (Role::Follower { .. }, None) => Vec::new(),
        }
    }
}

fn follower(leader: Option<Reign>, now: Instant) -> Role {
    Role::Follower { leader, heard: now, asked: None, joined: Joined::No }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tab(n: u32) -> Tabs {
        Tabs::new(TabId(n), 0.5, 0)
    }

    fn leader(n: u32, term: u64) -> Tabs {
        let mut tabs = tab(n);
        tabs.granted(term, 0);
        tabs
    }

    fn reign(tab: u32, term: u64) -> Reign {
        Reign { term, tab: TabId(tab) }
    }

    fn lead(tab: u32, term: u64, link: Stands) -> Note {
        Note::Lead { reign: reign(tab, term), link }
    }

    fn frame(tab: u32, term: u64) -> Note {
        Note::Frame { reign: reign(tab, term), to: None }
    }

    const UP: &Status = &Status::Connected;

    #[test]
    fn whoever_gets_the_lock_leads_and_says_so() {
        let mut tabs = tab(1);
        let said = Note::Lead { reign: reign(1, 7), link: Stands::Connecting };
        assert_eq!(tabs.granted(7, 0), [Order::Post(said), Order::Lead]);
        assert!(tabs.leads());
        assert_eq!(tabs.frame(), None, "nobody listens yet");
        let join = Note::Join { tab: TabId(2), since: None };
        assert_eq!(tabs.on_note(join, UP, 1), [Order::Welcome { tab: TabId(2), since: None }]);
        assert_eq!(tabs.frame(), Some(frame(1, 7)));
    }

    #[test]
    fn a_follower_takes_frames_only_after_its_welcome_and_only_its_own() {
        let mut tabs = tab(2);
        tabs.join(None, 0);
        assert_eq!(tabs.on_note(frame(1, 7), UP, 1), [], "the welcome will cover it");
        tabs.on_note(Note::Welcome { reign: reign(1, 7), tab: TabId(3) }, UP, 2);
        assert_eq!(tabs.on_note(frame(1, 7), UP, 3), [], "somebody else's welcome");
        tabs.on_note(Note::Welcome { reign: reign(1, 7), tab: TabId(2) }, UP, 4);
        assert_eq!(tabs.on_note(frame(1, 7), UP, 5), [Order::Feed]);
        let for_another = Note::Frame { reign: reign(1, 7), to: Some(TabId(3)) };
        assert_eq!(tabs.on_note(for_another, UP, 6), []);
    }

    #[test]
    fn a_follower_waits_while_the_leader_has_no_stream_and_joins_when_it_has() {
        let mut tabs = tab(2);
        tabs.join(None, 0);
        tabs.on_note(Note::Welcome { reign: reign(1, 7), tab: TabId(2) }, UP, 1);
        assert_eq!(tabs.on_note(lead(1, 7, Stands::SignedOut), UP, 2), [Order::Wait(Stands::SignedOut)]);
        assert_eq!(tabs.on_note(lead(1, 7, Stands::Connected), UP, 3), [Order::Join]);
        tabs.join(None, 0);
        assert_eq!(tabs.on_note(lead(1, 7, Stands::Connected), UP, 4), [], "asked once");
    }

    #[test]
    fn a_silent_leader_is_asked_and_then_robbed_within_twelve_seconds() {
        let mut tabs = tab(2);
        tabs.on_note(lead(1, 7, Stands::Connected), UP, 1_000);
        assert_eq!(tabs.tick(UP, 5_999), []);
        assert_eq!(tabs.tick(UP, 6_000), [Order::Post(Note::Ping)]);
        assert_eq!(tabs.tick(UP, 10_999), []);
        assert_eq!(tabs.tick(UP, 11_000), [Order::Steal]);
        assert_eq!(tabs.tick(UP, 11_001), [], "once");
    }

    #[test]
    fn a_leader_that_is_there_and_welcomes_nobody_is_robbed() {
        let mut tabs = tab(2);
        tabs.join(None, 1_000);
        for at in (2_000..=12_000).step_by(2_500) {
            tabs.on_note(lead(1, 7, Stands::Connected), UP, at);
            assert_eq!(tabs.tick(UP, at), [], "it is there, and may be about to");
        }
        // The way of a beacon, and this tab's share of the spread.
        assert_eq!(tabs.tick(UP, 13_000), [Order::Steal]);
        let mut welcomed = tab(2);
        welcomed.join(None, 1_000);
        welcomed.on_note(Note::Welcome { reign: reign(1, 7), tab: TabId(2) }, UP, 11_000);
        assert_eq!(welcomed.tick(UP, 13_000), []);
    }

    #[test]
    fn a_leader_that_answers_stays() {
        let mut tabs = tab(2);
        tabs.tick(UP, 6_000);
        tabs.on_note(lead(1, 7, Stands::Connected), UP, 9_000);
        assert_eq!(tabs.tick(UP, 13_999), []);
        let mut leader = leader(1, 7);
        assert_eq!(leader.on_note(Note::Ping, UP, 1), [Order::Post(lead(1, 7, Stands::Connected))]);
    }

    #[test]
    fn a_leader_that_wakes_and_finds_another_follows_it() {
        let mut old = leader(1, 7);
        assert_eq!(old.on_note(lead(2, 9, Stands::Connected), UP, 1), [Order::Queue, Order::Follow]);
        assert!(!old.leads());
        let mut robbed = leader(1, 7);
        assert_eq!(robbed.robbed(1), [Order::Queue, Order::Follow]);
        assert_eq!(robbed.robbed(2), []);
    }

    #[test]
    fn a_leader_that_hears_notes_and_nothing_else_stands_down() {
        let (fed, silent) = (Duration::from_secs(7), Duration::from_secs(8));
        let mut tabs = leader(1, 7);
        assert_eq!(tabs.stands_down(silent, 5_999), [], "its timer may be late");
        // Answering is not running.
        tabs.on_note(Note::Ping, UP, 5_999);
        assert_eq!(
            tabs.stands_down(fed, 60_000),
            [],
            "slowed down in the background, and its stream goes on"
        );
        tabs.tick(UP, 60_000);
        assert_eq!(tabs.stands_down(silent, 65_999), [], "it runs: the stream is its replica's business");
        assert_eq!(tabs.stands_down(silent, 66_000), [Order::Queue, Order::Follow]);
        assert!(!tabs.leads());
        assert_eq!(tabs.stands_down(silent, 90_000), []);
    }

    #[test]
    fn a_tab_that_will_be_frozen_hands_the_lead_on() {
        assert_eq!(leader(1, 7).freezes(1), [Order::Queue, Order::Follow]);
        assert_eq!(tab(2).freezes(1), []);
    }

    #[test]
    fn what_a_deposed_leader_still_says_is_ignored() {
        let mut tabs = tab(3);
        tabs.on_note(lead(2, 9, Stands::Connected), UP, 1);
        tabs.join(None, 0);
        tabs.on_note(Note::Welcome { reign: reign(2, 9), tab: TabId(3) }, UP, 2);
        assert_eq!(tabs.on_note(frame(1, 7), UP, 3), []);
        assert_eq!(tabs.on_note(frame(2, 9), UP, 4), [Order::Feed]);
        let mut new = leader(2, 9);
        let answer = Order::Post(lead(2, 9, Stands::Connected));
        assert_eq!(new.on_note(frame(1, 7), UP, 5), [answer], "and it is told");
    }

    #[test]
    fn a_later_leader_has_a_greater_term_even_if_the_clock_went_back() {
        let mut tabs = tab(3);
        tabs.on_note(lead(2, 9, Stands::Connected), UP, 1);
        tabs.granted(4, 2);
        assert_eq!(tabs.reign(), Some(reign(3, 10)));
    }
}
