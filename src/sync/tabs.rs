//! One stream per browser: which tab holds it, and what the others do with what it passes on.
//!
//! A lock of the browser names the leader; notes between the tabs carry its stream. Every tab has a [`Replica`](super::Replica) of its
//! own: for a follower, "connect" is [`Note::Join`], and what the leader sends is its stream.

use super::{
    message::Message,
    position::{Position, Token},
    replica::{Instant, Status},
};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, time::Duration};

/// Another number wherever a tab could not read what another build of this program posts.
pub const WIRE: u32 = 1;
/// The leader speaks at least this often.
pub const BEAT: Duration = Duration::from_millis(2_500);
/// A leader silent for this long is asked whether it is there: it may only be slow, or everybody slept with the machine.
const ASK_AFTER: Duration = Duration::from_secs(5);
/// A leader that does not answer within this, and up to [`SPREAD`] more, is given up.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// Drawn by each tab, so that they do not all take over in the same moment.
const SPREAD: Duration = Duration::from_secs(2);
/// Frames kept for tabs that come, or come back.
const MOST_RECENT: usize = 512;

/// Names the lock and the channel: tabs share only with tabs of the same user who may see the same.
pub fn name(user: &str, position: &Token) -> String {
    let scope = position.0.rsplit('-').next().unwrap_or_default();
    let tag = xxhash_rust::xxh3::xxh3_64(format!("{user}\n{scope}").as_bytes());
    format!("muster-{WIRE}-{tag:016x}")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TabId(pub u32);

/// Who leads since when: of two that think they do, the greater is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reign {
    /// Grows with each leader: the wall clock, milliseconds, or more.
    pub term: u64,
    pub tab: TabId,
}

/// [`Status`] without anybody's clock in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    Connecting,
    Connected,
    Reconnecting { attempt: u32, in_ms: u64 },
    Disconnected { in_ms: u64 },
    SignedOut,
    SwitchedOff,
    Offline,
    Error(String),
}

impl Stands {
    pub fn of(status: &Status, now: Instant) -> Stands {
        match status {
            Status::Connecting => Stands::Connecting,
            Status::Connected => Stands::Connected,
            Status::Reconnecting { attempt, retry_at } => {
                Stands::Reconnecting { attempt: *attempt, in_ms: retry_at.saturating_sub(now) }
            }
            Status::Disconnected { retry_at } => Stands::Disconnected { in_ms: retry_at.saturating_sub(now) },
            Status::SignedOut => Stands::SignedOut,
            Status::SwitchedOff => Stands::SwitchedOff,
            Status::Offline => Stands::Offline,
            Status::Error(reason) => Stands::Error(reason.clone()),
        }
    }

    pub fn status(self, now: Instant) -> Status {
        match self {
            Stands::Connecting => Status::Connecting,
            Stands::Connected => Status::Connected,
            Stands::Reconnecting { attempt, in_ms } => {
                Status::Reconnecting { attempt, retry_at: now + in_ms }
            }
            Stands::Disconnected { in_ms } => Status::Disconnected { retry_at: now + in_ms },
            Stands::SignedOut => Status::SignedOut,
            Stands::SwitchedOff => Status::SwitchedOff,
            Stands::Offline => Status::Offline,
            Stands::Error(reason) => Status::Error(reason),
        }
    }
}

/// What tabs tell each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// A tab wants the stream from here on.
    Join { tab: TabId, since: Option<Token> },
    /// "I lead": at least every [`BEAT`], and whenever the link changes.
    Lead { reign: Reign, link: Stands },
    /// What follows is for `tab`, from where it said it is; then everything.
    Welcome { reign: Reign, tab: TabId },
    /// A frame of the stream comes with this note: for everybody, or for one tab that joins.
    Frame { reign: Reign, to: Option<TabId> },
    /// Is the leader there?
    Ping,
    /// The operator pressed "Retry now" in a tab that has no stream.
    RetryNow,
}

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
    Leader { reign: Reign, beat: Instant },
    Follower { leader: Option<Reign>, heard: Instant, asked: Option<Instant>, joined: Joined },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joined {
    No,
    Asked,
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
    pub fn join(&mut self, since: Option<Token>) -> Note {
        if let Role::Follower { joined, .. } = &mut self.role {
            *joined = Joined::Asked;
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
        self.role = Role::Leader { reign, beat: now };
        vec![Order::Post(Note::Lead { reign, link: Stands::Connecting }), Order::Lead]
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
        let Role::Leader { reign, beat } = &mut self.role else { return None };
        *beat = now;
        Some(Note::Lead { reign: *reign, link: Stands::of(status, now) })
    }

    pub fn next_tick(&self) -> Instant {
        match self.role {
            Role::Leader { beat, .. } => beat + BEAT.as_millis() as u64,
            Role::Follower { asked: Some(asked), .. } => asked + self.patience,
            Role::Follower { heard, .. } => heard + ASK_AFTER.as_millis() as u64,
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, status: &Status, now: Instant) -> Vec<Order> {
        if now < self.next_tick() {
            return Vec::new();
        }
        match &mut self.role {
            Role::Leader { .. } => self.link(status, now).map(Order::Post).into_iter().collect(),
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

/// A frame of the stream as it came: the name of the event and its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub event: String,
    pub data: String,
}

/// How a tab that joins gets to where the leader is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatchUp {
    /// It is there already, or ahead: its page was rendered a moment ago.
    Nothing,
    Replay(Vec<Frame>),
    /// The leader's whole state.
    Snapshot,
}

/// The last frames of the stream with the position after each.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    /// The position before the first of them.
    before: Option<Token>,
    frames: VecDeque<(Token, Frame)>,
}

impl Recent {
    /// Keeps a frame that was applied to a replica that was at `before` and is now at `after`.
    pub fn push(&mut self, before: Option<&Token>, after: Option<&Token>, message: &Message, frame: &Frame) {
        let Some(after) = after else { return };
        match message {
            Message::Delta(delta) if *after == delta.position && before != Some(after) => {
                if self.frames.back().is_none_or(|(token, _)| Some(token) != before) {
                    *self = Recent { before: before.cloned(), frames: VecDeque::new() };
                }
                self.frames.push_back((after.clone(), frame.clone()));
                if self.frames.len() > MOST_RECENT
                    && let Some((token, _)) = self.frames.pop_front()
                {
                    self.before = Some(token);
                }
            }
            // Where the position moves in another way, what was kept leads to the old one.
            _ if before != Some(after) => *self = Recent::default(),
            _ => {}
        }
    }

    /// How a tab at `since` gets to `ours`, where this one is.
    pub fn catch_up(&self, ours: &Token, since: Option<&Token>) -> CatchUp {
        let Some(since) = since else { return CatchUp::Snapshot };
        if since == ours || is_ahead(since, ours) {
            return CatchUp::Nothing;
        }
        let leads_here = self.frames.back().is_some_and(|(token, _)| token == ours);
        let from = match &self.before {
            Some(before) if before == since => Some(0),
            _ => self.frames.iter().position(|(token, _)| token == since).map(|at| at + 1),
        };
        match from {
            Some(from) if leads_here => {
                CatchUp::Replay(self.frames.iter().skip(from).map(|(_, frame)| frame.clone()).collect())
            }
            _ => CatchUp::Snapshot,
        }
    }
}

fn is_ahead(theirs: &Token, ours: &Token) -> bool {
    match (theirs.0.parse::<Position>(), ours.0.parse::<Position>()) {
        (Ok(theirs), Ok(ours)) => {
            (theirs.epoch, theirs.scope) == (ours.epoch, ours.scope) && theirs.version > ours.version
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Actor, Timestamp},
        sync::Delta,
    };

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
        tabs.join(None);
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
        tabs.join(None);
        tabs.on_note(Note::Welcome { reign: reign(1, 7), tab: TabId(2) }, UP, 1);
        assert_eq!(tabs.on_note(lead(1, 7, Stands::SignedOut), UP, 2), [Order::Wait(Stands::SignedOut)]);
        assert_eq!(tabs.on_note(lead(1, 7, Stands::Connected), UP, 3), [Order::Join]);
        tabs.join(None);
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
    fn what_a_deposed_leader_still_says_is_ignored() {
        let mut tabs = tab(3);
        tabs.on_note(lead(2, 9, Stands::Connected), UP, 1);
        tabs.join(None);
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

    fn token(version: u64) -> Token {
        Position { epoch: 1, version, chain: version, scope: 0 }.token()
    }

    fn recent(versions: std::ops::RangeInclusive<u64>) -> Recent {
        let mut recent = Recent::default();
        for version in versions {
            let delta = Delta {
                prev: version - 1,
                version,
                position: token(version),
                at: Timestamp(0),
                actor: Actor::System,
                changes: Vec::new(),
            };
            let frame = Frame { event: "delta".to_owned(), data: version.to_string() };
            recent.push(Some(&token(version - 1)), Some(&token(version)), &Message::Delta(delta), &frame);
        }
        recent
    }

    #[test]
    fn a_tab_that_joins_gets_what_it_missed() {
        let recent = recent(11..=14);
        let replayed = |since| match recent.catch_up(&token(14), Some(&token(since))) {
            CatchUp::Replay(frames) => frames.into_iter().map(|frame| frame.data).collect(),
            other => vec![format!("{other:?}")],
        };
        assert_eq!(replayed(10), ["11", "12", "13", "14"]);
        assert_eq!(replayed(13), ["14"]);
        assert_eq!(replayed(14), ["Nothing"]);
        assert_eq!(replayed(20), ["Nothing"], "its page is newer than what came here so far");
        assert_eq!(replayed(9), ["Snapshot"]);
        let elsewhere = Position { epoch: 2, version: 20, chain: 20, scope: 0 }.token();
        assert_eq!(recent.catch_up(&token(14), Some(&elsewhere)), CatchUp::Snapshot);
        assert_eq!(recent.catch_up(&token(14), None), CatchUp::Snapshot);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let recent = recent(1..=MOST_RECENT as u64 + 5);
        assert_eq!(recent.frames.len(), MOST_RECENT);
        let newest = token(MOST_RECENT as u64 + 5);
        assert!(matches!(recent.catch_up(&newest, Some(&token(5))), CatchUp::Replay(_)));
        assert_eq!(recent.catch_up(&newest, Some(&token(4))), CatchUp::Snapshot);
    }

    #[test]
    fn another_user_or_scope_is_another_name() {
        let at = |scope| Position { epoch: 1, version: 1, chain: 1, scope }.token();
        assert_eq!(name("a@x", &at(0)), name("a@x", &at(0)));
        assert_ne!(name("a@x", &at(0)), name("b@x", &at(0)));
        assert_ne!(name("a@x", &at(0)), name("a@x", &at(1)));
        assert!(!name("a@x", &at(0)).contains("a@x"));
    }
}
