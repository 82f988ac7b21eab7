//! Ends streams: those of a session that ended, of a user whose role or membership changed, of a token that was revoked or expired.

use crate::{
    model::Timestamp,
    server::auth::{SessionHash, Who},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio_util::sync::CancellationToken;

/// Changes that are remembered, for requests that were let in before one and open their stream after it.
const REMEMBERED: usize = 256;

/// Open streams by the session or token that let them in. A clone is a handle on the same one.
#[derive(Clone, Default)]
pub struct Cutter(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    open: HashMap<SessionHash, Vec<Open>>,
    /// The last change of access that was heard of.
    heard: i64,
    /// The newest changes with whose they were.
    recent: VecDeque<(i64, String)>,
    /// The last change that is not in `recent` any more.
    forgotten: i64,
}

/// The streams of a session that know the same.
struct Open {
    subjects: Vec<String>,
    expires_at: Option<Timestamp>,
    /// The last change of access that the lookup of their user saw.
    as_of: i64,
    end: CancellationToken,
}

impl Cutter {
    /// The last change of access that was heard of.
    pub fn heard(&self) -> i64 {
        self.lock().heard
    }

    /// The token that ends the streams of `who`. It has ended them already if their access changed since they were looked up.
    pub fn token(&self, who: &Who) -> CancellationToken {
        let mut state = self.lock();
        let subjects = who.subjects();
        let is_over = |(change, subject): &(i64, String)| *change > who.as_of && subjects.contains(subject);
        if who.as_of < state.forgotten || state.recent.iter().any(is_over) {
            let ended = CancellationToken::new();
            ended.cancel();
            return ended;
        }
        let heard = state.heard;
        let of_session = state.open.entry(who.session).or_default();
        // What is open lived through all that was heard of: so did who comes now. What is not heard of yet may be told from what they know.
        let alike = |open: &&Open| open.as_of == who.as_of || open.as_of.max(who.as_of) <= heard;
        if let Some(open) = of_session.iter().find(alike) {
            return open.end.clone();
        }
        let end = CancellationToken::new();
        of_session.push(Open { subjects, expires_at: who.expires_at, as_of: who.as_of, end: end.clone() });
        end
    }

    /// Ends the streams of a subject whose access changed (the id of a user or a token, or the hash of a session in hexadecimal digits),
    /// but for those that know of this change.
    pub fn cut(&self, change: i64, subject: &str) {
        let mut state = self.lock();
        state.heard = change;
        state.recent.push_back((change, subject.to_owned()));
        if state.recent.len() > REMEMBERED {
            state.forgotten = state.recent.pop_front().map_or(0, |(change, _)| change);
        }
        state.end(|open| open.as_of < change && open.subjects.iter().any(|one| one == subject));
    }

    /// Ends the streams of sessions and tokens whose time is over.
    pub fn cut_expired(&self, now: Timestamp) {
        self.lock().end(|open| open.expires_at.is_some_and(|end| end <= now));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&mut self, is_over: impl Fn(&Open) -> bool) {
        self.open.retain(|_, of_session| {
            of_session.retain(|open| {
                let over = is_over(open);
                if over {
                    open.end.cancel();
                }
                !over
            });
            !of_session.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Roles, UserId},
        sync::Scope,
    };
    use uuid::Uuid;

    fn who(n: u8, as_of: i64) -> Who {
        Who {
            user_id: UserId(Uuid::from_u128(u128::from(n))),
            email: String::new(),
            name: String::new(),
            roles: Roles::default(),
            scope: Scope::Fleet,
            session: [n; 32],
            token: None,
            expires_at: Some(Timestamp(1_000)),
            as_of,
        }
    }

    #[test]
    fn a_stream_ends_with_its_session_its_user_and_its_time() {
        let cutter = Cutter::default();
        let (ours, theirs) = (cutter.token(&who(1, 0)), cutter.token(&who(2, 0)));
        cutter.cut(1, &who(1, 0).user_id.to_string());
        assert!(ours.is_cancelled() && !theirs.is_cancelled());
        cutter.cut(2, &"02".repeat(32));
        assert!(theirs.is_cancelled());
        let late = cutter.token(&who(3, 2));
        cutter.cut_expired(Timestamp(999));
        assert!(!late.is_cancelled());
        cutter.cut_expired(Timestamp(1_000));
        assert!(late.is_cancelled());
    }

    #[test]
    fn who_was_looked_up_before_a_change_gets_no_stream_after_it() {
        let cutter = Cutter::default();
        let before = who(1, 0);
        cutter.cut(1, &before.user_id.to_string());
        assert!(cutter.token(&before).is_cancelled());
        assert!(!cutter.token(&who(1, 1)).is_cancelled(), "looked up again");
        assert!(!cutter.token(&who(2, 0)).is_cancelled(), "somebody else");
        for change in 2..=REMEMBERED as i64 + 2 {
            cutter.cut(change, "another");
        }
        assert!(cutter.token(&who(2, 0)).is_cancelled(), "so long ago that nobody knows");
    }

    #[test]
    fn who_knows_of_a_change_already_goes_on_when_it_is_heard_of() {
        let cutter = Cutter::default();
        let (before, after) = (cutter.token(&who(1, 6)), cutter.token(&who(1, 7)));
        cutter.cut(7, &who(1, 0).user_id.to_string());
        assert!(before.is_cancelled() && !after.is_cancelled());
        assert!(!cutter.token(&who(1, 7)).is_cancelled(), "one more of the same");
        cutter.cut(8, &who(1, 0).user_id.to_string());
        assert!(after.is_cancelled());
    }
}
