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

/// Cuts that are remembered, for requests that were let in before one and open their stream after it.
const REMEMBERED: usize = 256;

/// Open streams by the session or token that let them in. A clone is a handle on the same one.
#[derive(Clone, Default)]
pub struct Cutter(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    open: HashMap<SessionHash, Open>,
    /// Counts the cuts.
    cuts: u64,
    /// The newest cuts with what they were of.
    recent: VecDeque<(u64, String)>,
}

struct Open {
    subjects: Vec<String>,
    expires_at: Option<Timestamp>,
    end: CancellationToken,
}

impl Cutter {
    /// The cuts so far: to be read before a user is looked up, and kept with what was found.
    pub fn cuts(&self) -> u64 {
        self.lock().cuts
    }

    /// The token that ends the streams of `who`. It has ended them already if their access changed since they were looked up.
    pub fn token(&self, who: &Who) -> CancellationToken {
        let mut state = self.lock();
        let subjects = who.subjects();
        let forgotten = state.cuts.saturating_sub(state.recent.len() as u64) > who.cuts;
        let is_cut = |(n, subject): &(u64, String)| *n > who.cuts && subjects.contains(subject);
        if forgotten || state.recent.iter().any(is_cut) {
            let ended = CancellationToken::new();
            ended.cancel();
            return ended;
        }
        let open = state.open.entry(who.session).or_insert_with(|| Open {
            subjects,
            expires_at: who.expires_at,
            end: CancellationToken::new(),
        });
        open.end.clone()
    }

    /// Ends the streams of a subject: the id of a user or a token, or the hash of a session in hexadecimal digits.
    pub fn cut(&self, subject: &str) {
        let mut state = self.lock();
        state.cuts += 1;
        let cut = (state.cuts, subject.to_owned());
        state.recent.push_back(cut);
        if state.recent.len() > REMEMBERED {
            state.recent.pop_front();
        }
        state.end(|open| open.subjects.iter().any(|one| one == subject));
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
        self.open.retain(|_, open| {
            let over = is_over(open);
            if over {
                open.end.cancel();
            }
            !over
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

    fn who(n: u8, cuts: u64) -> Who {
        Who {
            user_id: UserId(Uuid::from_u128(u128::from(n))),
            email: String::new(),
            name: String::new(),
            roles: Roles::default(),
            scope: Scope::Fleet,
            session: [n; 32],
            token: None,
            expires_at: Some(Timestamp(1_000)),
            cuts,
        }
    }

    #[test]
    fn a_stream_ends_with_its_session_its_user_and_its_time() {
        let cutter = Cutter::default();
        let (ours, theirs) = (cutter.token(&who(1, 0)), cutter.token(&who(2, 0)));
        cutter.cut(&who(1, 0).user_id.to_string());
        assert!(ours.is_cancelled() && !theirs.is_cancelled());
        cutter.cut(&"02".repeat(32));
        assert!(theirs.is_cancelled());
        let late = cutter.token(&who(3, cutter.cuts()));
        cutter.cut_expired(Timestamp(999));
        assert!(!late.is_cancelled());
        cutter.cut_expired(Timestamp(1_000));
        assert!(late.is_cancelled());
    }

    #[test]
    fn who_was_looked_up_before_a_cut_gets_no_stream_after_it() {
        let cutter = Cutter::default();
        let before = who(1, cutter.cuts());
        cutter.cut(&before.user_id.to_string());
        assert!(cutter.token(&before).is_cancelled());
        assert!(!cutter.token(&who(1, cutter.cuts())).is_cancelled(), "looked up again");
        assert!(!cutter.token(&who(2, 0)).is_cancelled(), "somebody else");
        for _ in 0..=REMEMBERED {
            cutter.cut("another");
        }
        assert!(cutter.token(&who(2, 0)).is_cancelled(), "so long ago that nobody knows");
    }
}
