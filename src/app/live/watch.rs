//! `GET /api/watch?net=`: one net, watched closely while its page is visible.

use crate::{model::NetId, worker::protocol::NetEvent};

/// What a watcher is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Watched {
    /// A frame of the net.
    Event(NetEvent),
    /// There is no stream at the moment; it is tried again.
    Lost,
}

/// A watch that ends when dropped. Outside a browser it is one in name only.
pub struct Watch {
    #[cfg(feature = "browser")]
    _inner: browser::Handle,
}

impl Watch {
    /// Watches `net`, handing over what it does at most once a frame, in order.
    #[cfg_attr(not(feature = "browser"), expect(unused_variables))]
    pub fn net(net: NetId, on: impl Fn(Vec<Watched>) + 'static) -> Watch {
        Watch {
            #[cfg(feature = "browser")]
            _inner: browser::watch(net, on),
        }
    }
}

#[cfg(feature = "browser")]
mod browser {
    use super::{NetEvent, NetId, Watched};
    use crate::{
        app::live::{
            SIGNED_IN,
            browser::{Abort, Listener, before_paint, hidden, jitter, window},
            stream,
        },
        sync::{Close, backoff::Backoff},
    };
    use gloo_timers::callback::Timeout;
    use std::{
        cell::{Cell, RefCell},
        rc::Rc,
    };

    pub struct Handle {
        watcher: Rc<Watcher>,
        _visibility: Option<Listener>,
        _signed_in: Listener,
    }

    impl Drop for Handle {
        fn drop(&mut self) {
            self.watcher.close();
        }
    }

    struct Watcher {
        net: NetId,
        on: Box<dyn Fn(Vec<Watched>)>,
        abort: RefCell<Option<Abort>>,
        stream: Cell<u64>,
        backoff: Cell<Backoff>,
        retry: RefCell<Option<Timeout>>,
        waiting: RefCell<Vec<Watched>>,
    }

    pub fn watch(net: NetId, on: impl Fn(Vec<Watched>) + 'static) -> Handle {
        let watcher = Rc::new(Watcher {
            net,
            on: Box::new(on),
            abort: RefCell::default(),
            stream: Cell::new(0),
            backoff: Cell::default(),
            retry: RefCell::default(),
            waiting: RefCell::default(),
        });
        let weak = Rc::downgrade(&watcher);
        let visibility = window().document().map(|document| {
            Listener::on(document, "visibilitychange", move || {
                if let Some(watcher) = weak.upgrade() {
                    if hidden() { watcher.close() } else { watcher.open() }
                }
            })
        });
        let weak = Rc::downgrade(&watcher);
        let signed_in = Listener::on(window(), SIGNED_IN, move || {
            if let Some(watcher) = weak.upgrade().filter(|_| !hidden()) {
                watcher.open();
            }
        });
        if !hidden() {
            watcher.open();
        }
        Handle { watcher, _visibility: visibility, _signed_in: signed_in }
    }

    impl Watcher {
        fn open(self: &Rc<Self>) {
            self.close();
            let Some(abort) = Abort::new() else { return };
            *self.abort.borrow_mut() = Some(abort.clone());
            let stream = self.stream.get();
            let watcher = self.clone();
            leptos::task::spawn_local(async move {
                let url = format!("/api/watch?net={}", watcher.net);
                let close = stream::read(&url, &abort, |event| {
                    if watcher.stream.get() != stream {
                        return Err(Close::Broken);
                    }
                    // Other kinds of event than a net's frames are for newer browsers than this.
                    if let Ok(frame) = serde_json::from_str::<NetEvent>(&event.data) {
                        watcher.backoff.set(Backoff::default());
                        watcher.say(Watched::Event(frame));
                    }
                    Ok(())
                })
                .await;
                if watcher.stream.get() == stream {
                    watcher.lost(close);
                }
            });
        }

        fn lost(self: &Rc<Self>, close: Close) {
            self.close();
            self.say(Watched::Lost);
            // Signed out: the page's own stream says so and asks to sign in.
            if matches!(close, Close::Refused { status: 401 | 403 | 404, .. }) {
                return;
            }
            let mut backoff = self.backoff.get();
            // At least half a second: a stream that ends at once each time must not become a loop.
            let wait = backoff.next(jitter()).as_millis().max(500) as u32;
            self.backoff.set(backoff);
            let watcher = Rc::downgrade(self);
            *self.retry.borrow_mut() = Some(Timeout::new(wait, move || {
                if let Some(watcher) = watcher.upgrade() {
                    watcher.open();
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

        fn say(self: &Rc<Self>, what: Watched) {
            let mut waiting = self.waiting.borrow_mut();
            waiting.push(what);
            if waiting.len() == 1 {
                let (watcher, stream) = (Rc::downgrade(self), self.stream.get());
                before_paint(move || {
                    let Some(watcher) = watcher.upgrade() else { return };
                    let waiting = watcher.waiting.take();
                    // What a stream said is still true after it was lost, but not after the watch was given up.
                    if watcher.stream.get() <= stream + 1 {
                        (watcher.on)(waiting);
                    }
                });
            }
        }
    }
}
