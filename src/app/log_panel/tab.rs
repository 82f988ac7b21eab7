//! One command's log: what is kept of it, and how it is looked at.

use super::{buffer::Buffer, search::Search, wrap::Wrap};
#[cfg(feature = "browser")]
use crate::app::live::output::Output;
use crate::{app::live::output::Heard, model::CommandId};
use leptos::prelude::*;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a log stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Feed {
    /// Nothing was heard yet.
    #[default]
    Waiting,
    Live,
    /// The stream broke, and is tried again.
    Lost,
    /// All of it is here.
    Ended,
    Refused(String),
}

#[derive(Debug, Default)]
pub struct Log {
    pub buffer: Buffer,
    pub search: Search,
    pub wrap: Wrap,
}

/// A tab, shared by whoever shows it; gone with the last of them.
#[derive(Clone)]
pub struct Tab(Arc<Inner>);

struct Inner {
    id: CommandId,
    log: Mutex<Log>,
    /// Counts what changed in `log`: at most once a frame.
    version: ArcRwSignal<u64>,
    feed: ArcRwSignal<Feed>,
    follow: ArcRwSignal<bool>,
    wraps: ArcRwSignal<bool>,
    query: ArcRwSignal<String>,
    /// The line that the search is at.
    current: ArcRwSignal<Option<u64>>,
    /// Where it was scrolled to, pixels.
    scrolled: Mutex<f64>,
    #[cfg(feature = "browser")]
    output: Mutex<Option<send_wrapper::SendWrapper<Output>>>,
}

impl Tab {
    pub fn new(id: CommandId) -> Tab {
        Tab(Arc::new(Inner {
            id,
            log: Mutex::default(),
            version: ArcRwSignal::new(0),
            feed: ArcRwSignal::default(),
            follow: ArcRwSignal::new(true),
            wraps: ArcRwSignal::new(false),
            query: ArcRwSignal::default(),
            current: ArcRwSignal::new(None),
            scrolled: Mutex::default(),
            #[cfg(feature = "browser")]
            output: Mutex::default(),
        }))
    }

    pub fn id(&self) -> CommandId {
        self.0.id
    }

    pub fn version(&self) -> ArcRwSignal<u64> {
        self.0.version.clone()
    }

    pub fn feed(&self) -> ArcRwSignal<Feed> {
        self.0.feed.clone()
    }

    pub fn follow(&self) -> ArcRwSignal<bool> {
        self.0.follow.clone()
    }

    pub fn wraps(&self) -> ArcRwSignal<bool> {
        self.0.wraps.clone()
    }

    pub fn query(&self) -> ArcRwSignal<String> {
        self.0.query.clone()
    }

    pub fn current(&self) -> ArcRwSignal<Option<u64>> {
        self.0.current.clone()
    }

    pub fn scrolled(&self) -> f64 {
        *self.0.scrolled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn scrolled_to(&self, top: f64) {
        *self.0.scrolled.lock().unwrap_or_else(PoisonError::into_inner) = top;
    }

    /// The log as it is; not tracked.
    pub fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what was heard.
    pub fn take(&self, heard: Vec<Heard>) {
        let mut feed = self.0.feed.get_untracked();
        {
            let mut log = self.log();
            for heard in heard {
                feed = match heard {
                    Heard::Text { offset, next, text } => {
                        log.buffer.push(offset, next, &text);
                        Feed::Live
                    }
                    Heard::Gap { offset, size } => {
                        let known = log.buffer.offset();
                        let missing = (offset + size).saturating_sub(known);
                        if missing > 0 {
                            log.buffer.gap(missing);
                        }
                        Feed::Live
                    }
                    Heard::End => Feed::Ended,
                    Heard::Lost => Feed::Lost,
                    Heard::Refused(why) => Feed::Refused(why),
                };
            }
        }
        if self.0.feed.with_untracked(|before| *before != feed) {
            self.0.feed.set(feed);
        }
        self.0.version.update(|version| *version += 1);
    }

    /// Reads on, until [`Tab::rest`]. What has ended is not read again.
    pub fn listen(&self) {
        #[cfg(feature = "browser")]
        {
            let mut output = self.0.output.lock().unwrap_or_else(PoisonError::into_inner);
            let over = self.0.feed.with_untracked(|feed| matches!(feed, Feed::Ended));
            if output.is_some() || over {
                return;
            }
            let (from, to) = (Arc::downgrade(&self.0), Arc::downgrade(&self.0));
            let offset = move || from.upgrade().map_or(0, |inner| Tab(inner).log().buffer.offset());
            let on = move |heard| {
                if let Some(inner) = to.upgrade() {
                    Tab(inner).take(heard);
                }
            };
            *output = Some(send_wrapper::SendWrapper::new(Output::of(self.0.id, offset, on)));
        }
    }

    /// Reads no more for now: nobody looks.
    pub fn rest(&self) {
        #[cfg(feature = "browser")]
        drop(self.0.output.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl PartialEq for Tab {
    fn eq(&self, other: &Tab) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
