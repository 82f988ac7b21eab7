//! `GET /api/watch?command=<id>:<offset>`: what a command writes, from an offset on, while somebody looks at it.

use crate::model::CommandId;

/// What a reader is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Text, where it begins, and where the next byte is.
    Text { offset: u64, next: u64, text: String },
    /// So many bytes from `offset` on were not kept.
    Gap { offset: u64, size: u64 },
    /// There is no more.
    End,
    /// There is no stream at the moment; it is tried again.
    Lost,
    /// It is not tried again; why.
    Refused(String),
}

/// A stream that ends when dropped. Outside a browser it is one in name only.
pub struct Output {
    #[cfg(feature = "browser")]
    _inner: browser::Handle,
}

impl Output {
    /// Reads what `command` writes, handing it over at most once a frame, in order. `offset` says where to go on, each time it connects.
    #[cfg_attr(not(feature = "browser"), expect(unused_variables))]
    pub fn of(
        command: CommandId,
        offset: impl Fn() -> u64 + 'static,
        on: impl Fn(Vec<Heard>) + 'static,
    ) -> Output {
        Output {
            #[cfg(feature = "browser")]
            _inner: browser::Handle::open(command, offset, on),
        }
    }
}

#[cfg(feature = "browser")]
mod browser {
    use super::{CommandId, Heard};
    use crate::{
        app::live::{
            SIGNED_IN,
            browser::{Abort, Listener, before_paint, hidden, jitter, window},
            stream,
        },
        sync::{Close, backoff::Backoff, sse::SseEvent},
    };
    use gloo_timers::callback::Timeout;
    use serde::Deserialize;
    use std::{
        cell::{Cell, RefCell},
        rc::Rc,
    };

    pub struct Handle {
        reader: Rc<Reader>,
        _listeners: Vec<Listener>,
    }

    impl Drop for Handle {
        fn drop(&mut self) {
            self.reader.close();
        }
    }

    struct Reader {
        command: CommandId,
        offset: Box<dyn Fn() -> u64>,
        on: Box<dyn Fn(Vec<Heard>)>,
        abort: RefCell<Option<Abort>>,
        stream: Cell<u64>,
        backoff: Cell<Backoff>,
        retry: RefCell<Option<Timeout>>,
        waiting: RefCell<Vec<Heard>>,
        ended: Cell<bool>,
    }

    #[derive(Deserialize)]
    struct TextFrame {
        offset: u64,
        text: String,
        /// Bytes as they were written; the text may be longer, where they are no UTF-8.
        size: u64,
    }

    #[derive(Deserialize)]
    struct GapFrame {
        offset: u64,
        size: u64,
    }

    fn heard(event: &SseEvent) -> Option<Heard> {
        match event.event.as_str() {
            "output" => {
                let TextFrame { offset, text, size } = serde_json::from_str(&event.data).ok()?;
                Some(Heard::Text { offset, next: offset + size, text })
            }
            "gap" => {
                let GapFrame { offset, size } = serde_json::from_str(&event.data).ok()?;
                Some(Heard::Gap { offset, size })
            }
            "end" => Some(Heard::End),
            // Other kinds are for newer browsers than this.
            _ => None,
        }
    }

    impl Handle {
        pub fn open(
            command: CommandId,
            offset: impl Fn() -> u64 + 'static,
            on: impl Fn(Vec<Heard>) + 'static,
        ) -> Handle {
            let reader = Rc::new(Reader {
                command,
                offset: Box::new(offset),
                on: Box::new(on),
                abort: RefCell::default(),
                stream: Cell::new(0),
                backoff: Cell::default(),
                retry: RefCell::default(),
                waiting: RefCell::default(),
                ended: Cell::new(false),
            });
            let mut listeners = Vec::new();
            if let Some(document) = window().document() {
                let weak = Rc::downgrade(&reader);
                listeners.push(Listener::on(document, "visibilitychange", move || {
                    if let Some(reader) = weak.upgrade() {
                        if hidden() { reader.close() } else { reader.connect() }
                    }
                }));
            }
            let weak = Rc::downgrade(&reader);
            listeners.push(Listener::on(window(), SIGNED_IN, move || {
                if let Some(reader) = weak.upgrade().filter(|_| !hidden()) {
                    reader.connect();
                }
            }));
            if !hidden() {
                reader.connect();
            }
            Handle { reader, _listeners: listeners }
        }
    }

    impl Reader {
        fn connect(self: &Rc<Self>) {
            self.close();
            if self.ended.get() {
                return;
            }
            let Some(abort) = Abort::new() else { return };
            *self.abort.borrow_mut() = Some(abort.clone());
            let stream = self.stream.get();
            let reader = Rc::downgrade(self);
            // What waits to be handed over is on its way: it counts.
            let waiting = self.waiting.borrow().iter().rev().find_map(|heard| match heard {
                Heard::Text { next, .. } => Some(*next),
                Heard::Gap { offset, size } => Some(offset + size),
                _ => None,
            });
            let from = waiting.unwrap_or_else(|| (self.offset)());
            let url = format!("/api/watch?command={}:{from}", self.command);
            leptos::task::spawn_local(async move {
                let close = stream::read(&url, &abort, |event| {
                    let Some(reader) = reader.upgrade().filter(|reader| reader.stream.get() == stream) else {
                        return Err(Close::Broken);
                    };
                    if let Some(heard) = heard(&event) {
                        reader.backoff.set(Backoff::default());
                        if heard == Heard::End {
                            reader.ended.set(true);
                        }
                        reader.say(heard);
                    }
                    if reader.ended.get() { Err(Close::Broken) } else { Ok(()) }
                })
                .await;
                if let Some(reader) = reader.upgrade().filter(|reader| reader.stream.get() == stream) {
                    reader.lost(close);
                }
            });
        }

        fn lost(self: &Rc<Self>, close: Close) {
            self.close();
            if self.ended.get() {
                return;
            }
            let refused = match close {
                Close::Refused { status: 401, .. } => Some("You are signed out."),
                Close::Refused { status: 403, .. } => Some("Your role does not show it."),
                Close::Refused { status: 400 | 404 | 410, .. } => {
                    Some("The console does not have it any more.")
                }
                _ => None,
            };
            if let Some(why) = refused {
                return self.say(Heard::Refused(why.to_owned()));
            }
            self.say(Heard::Lost);
            let mut backoff = self.backoff.get();
            // At least half a second: a stream that ends at once each time must not become a loop.
            let wait = backoff.next(jitter()).as_millis().max(500) as u32;
            self.backoff.set(backoff);
            let reader = Rc::downgrade(self);
            *self.retry.borrow_mut() = Some(Timeout::new(wait, move || {
                if let Some(reader) = reader.upgrade() {
                    reader.connect();
                }
            }));
        }

        fn close(&self) {
            self.stream.set(self.stream.get() + 1);
            self.retry.borrow_mut().take();
            if let Some(abort) = self.abort.borrow_mut().take() {
                abort.abort();
            }
        }

        fn say(self: &Rc<Self>, what: Heard) {
            let mut waiting = self.waiting.borrow_mut();
            waiting.push(what);
            if waiting.len() == 1 {
                let reader = Rc::downgrade(self);
                before_paint(move || {
                    let Some(reader) = reader.upgrade() else { return };
                    let waiting = reader.waiting.take();
                    (reader.on)(waiting);
                });
            }
        }
    }
}
