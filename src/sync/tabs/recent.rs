//! What a tab that joins needs of the stream so far.

use crate::sync::position::Token;
use std::collections::VecDeque;

/// Frames kept for tabs that come, or come back.
const MOST_RECENT: usize = 512;

/// A frame of the stream as it came: the name of the event and its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub event: String,
    pub data: String,
}

/// How a tab that joins gets to where the leader is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatchUp {
    /// It is there already.
    Nothing,
    /// It is ahead: its page was rendered a moment ago. No stream can begin there before this tab is there, too.
    Later,
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
    /// Keeps a frame that came when a replica was at `before`, and after which it is at `after`. `continues` is the version that the delta
    /// in it continues, if it is one.
    pub fn push(
        &mut self,
        before: Option<&Token>,
        after: Option<&Token>,
        continues: Option<u64>,
        frame: &Frame,
    ) {
        if before == after {
            return;
        }
        match after {
            // Only what leads exactly from there to here can begin another tab's stream.
            Some(after) if continues.is_some() && continues == before.and_then(Token::version) => {
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
            _ => *self = Recent::default(),
        }
    }

    /// How a tab at `since` gets to `ours`, where this one is.
    pub fn catch_up(&self, ours: &Token, since: Option<&Token>) -> CatchUp {
        let Some(since) = since else { return CatchUp::Snapshot };
        if since == ours {
            return CatchUp::Nothing;
        }
        if since.ahead_of(ours) {
            return CatchUp::Later;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Position;

    fn token(version: u64) -> Token {
        Position { epoch: 1, version, chain: version, scope: 0 }.token()
    }

    fn recent(versions: std::ops::RangeInclusive<u64>) -> Recent {
        let mut recent = Recent::default();
        for version in versions {
            let frame = Frame { event: "delta".to_owned(), data: version.to_string() };
            let after = token(version);
            recent.push(Some(&token(version - 1)), Some(&after), Some(version - 1), &frame);
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
        assert_eq!(replayed(20), ["Later"], "its page is newer than what came here so far");
        assert_eq!(replayed(9), ["Snapshot"]);
        let elsewhere = Position { epoch: 2, version: 20, chain: 20, scope: 0 }.token();
        assert_eq!(recent.catch_up(&token(14), Some(&elsewhere)), CatchUp::Snapshot);
        assert_eq!(recent.catch_up(&token(14), None), CatchUp::Snapshot);
    }

    #[test]
    fn what_is_kept_has_no_gap() {
        let mut recent = recent(11..=14);
        let frame = Frame { event: "delta".to_owned(), data: "20".to_owned() };
        // A fetched state took the replica from 14 to 19, past what came as frames.
        recent.push(Some(&token(19)), Some(&token(20)), Some(19), &frame);
        assert_eq!(recent.catch_up(&token(20), Some(&token(12))), CatchUp::Snapshot);
        assert_eq!(recent.catch_up(&token(20), Some(&token(19))), CatchUp::Replay(vec![frame.clone()]));
        // One that reaches further back than the position it was taken at is no beginning.
        recent.push(Some(&token(20)), Some(&token(21)), Some(18), &frame);
        assert_eq!(recent.catch_up(&token(21), Some(&token(20))), CatchUp::Snapshot);
        let init = Frame { event: "init".to_owned(), data: String::new() };
        recent.push(Some(&token(20)), Some(&token(30)), None, &init);
        assert_eq!(recent.catch_up(&token(30), Some(&token(19))), CatchUp::Snapshot);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let recent = recent(1..=MOST_RECENT as u64 + 5);
        assert_eq!(recent.frames.len(), MOST_RECENT);
        let newest = token(MOST_RECENT as u64 + 5);
        assert!(matches!(recent.catch_up(&newest, Some(&token(5))), CatchUp::Replay(_)));
        assert_eq!(recent.catch_up(&newest, Some(&token(4))), CatchUp::Snapshot);
    }
}
