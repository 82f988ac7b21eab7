//! Runs the [`Replica`]: its effects become fetches and timers, their outcomes its inputs, its changes the store's.

use super::{
    browser::{Abort, Listener, before_paint, jitter, monotonic, window},
    http, stream,
};
use crate::{
    app::{
        snapshot::Opening,
        store::{Link, Store},
    },
    model::{EntityRef, Timestamp},
    sync::{Close, Effect, FullState, Message, Replica},
};
use gloo_timers::callback::{Interval, Timeout};
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    rc::Rc,
};

thread_local! {
    /// The one driver of this page.
    static CURRENT: RefCell<Option<Rc<Driver>>> = const { RefCell::new(None) };
}

pub struct Driver {
    store: Store,
    replica: RefCell<Replica>,
    /// The open stream, or the one being opened.
    abort: RefCell<Option<Abort>>,
    /// Counts streams: what a stream that was given up still delivers is ignored.
    stream: Cell<u64>,
    timer: RefCell<Option<Timeout>>,
    /// Changes not yet in the store: they are put there at most once a frame.
    pending: RefCell<Pending>,
    /// Server time less monotonic time, milliseconds, as last heard.
    clock: Cell<i64>,
    listeners: RefCell<Vec<Listener>>,
    ticker: RefCell<Option<Interval>>,
}

#[derive(Default)]
struct Pending {
    replaced: bool,
    rows: HashSet<EntityRef>,
    scheduled: bool,
}

impl Driver {
    /// Starts following the server; ends the driver that ran before, if any.
    pub fn start(store: Store, opening: &Opening) {
        Driver::stop();
        let now = monotonic();
        let snapshot = opening.snapshot.full.clone();
        let driver = Rc::new(Driver {
            store,
            replica: RefCell::new(Replica::from_snapshot(snapshot, opening.snapshot.server_time, now)),
            abort: RefCell::default(),
            stream: Cell::new(0),
            timer: RefCell::default(),
            pending: RefCell::default(),
            clock: Cell::new(opening.snapshot.server_time.0 as i64 - now as i64),
            listeners: RefCell::default(),
            ticker: RefCell::default(),
        });
        driver.listen();
        driver.show_time();
        let minutes_behind = js_sys::Date::new_0().get_timezone_offset();
        store.utc_offset.set(Some(-minutes_behind as i32));
        CURRENT.with_borrow_mut(|current| *current = Some(driver.clone()));
        driver.show_link();
        driver.tick();
        on_cleanup(Driver::stop);
    }

    pub fn stop() {
        if let Some(driver) = CURRENT.with_borrow_mut(Option::take) {
            driver.stream.set(driver.stream.get() + 1);
            driver.timer.borrow_mut().take();
            driver.ticker.borrow_mut().take();
            driver.listeners.borrow_mut().clear();
            if let Some(abort) = driver.abort.borrow_mut().take() {
                abort.abort();
            }
        }
    }

    pub fn retry_now() {
        if let Some(driver) = CURRENT.with_borrow(Clone::clone) {
            driver.wake();
        }
    }

    fn listen(self: &Rc<Self>) {
        let on = |target: web_sys::EventTarget, event, run: fn(&Rc<Driver>)| {
            let driver = Rc::downgrade(self);
            Listener::on(target, event, move || {
                if let Some(driver) = driver.upgrade() {
                    run(&driver);
                }
            })
        };
        let window = window();
        let mut listeners = vec![
            on(window.clone().into(), "online", Driver::wake),
            on(window.clone().into(), "offline", Driver::offline),
            on(window.clone().into(), "pageshow", Driver::wake),
        ];
        if let Some(document) = window.document() {
            listeners.push(on(document.into(), "visibilitychange", |driver| {
                if !super::browser::hidden() {
                    driver.wake();
                }
            }));
        }
        *self.listeners.borrow_mut() = listeners;
        let driver = Rc::downgrade(self);
        *self.ticker.borrow_mut() = Some(Interval::new(1_000, move || {
            if let Some(driver) = driver.upgrade() {
                driver.show_time();
            }
        }));
    }

    fn wake(self: &Rc<Self>) {
        self.show_time();
        let effects = self.replica.borrow_mut().retry_now(monotonic());
        self.run(effects);
    }

    fn offline(self: &Rc<Self>) {
        let effects = self.replica.borrow_mut().offline();
        self.run(effects);
    }

    fn tick(self: &Rc<Self>) {
        let effects = self.replica.borrow_mut().tick(monotonic(), jitter());
        self.run(effects);
    }

    fn run(self: &Rc<Self>, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Changed(rows) => self.changed(false, rows),
                Effect::Replaced => self.changed(true, Vec::new()),
                Effect::Telemetry(batch) => {
                    self.heard_time(batch.server_time);
                    self.store.telemetry_arrived(&batch.workers);
                }
                Effect::Status => {}
                Effect::FetchFullState { request, at_least } => self.fetch_full_state(request, at_least),
                Effect::Connect => self.connect(),
                Effect::Disconnect => self.disconnect(),
            }
        }
        self.show_link();
        self.schedule();
    }

    fn schedule(self: &Rc<Self>) {
        let due = self.replica.borrow().next_tick();
        let driver = Rc::downgrade(self);
        *self.timer.borrow_mut() = due.map(|due| {
            let wait = due.saturating_sub(monotonic()).min(i32::MAX as u64) as u32;
            Timeout::new(wait, move || {
                if let Some(driver) = driver.upgrade() {
                    driver.tick();
                }
            })
        });
    }

    fn disconnect(&self) {
        self.stream.set(self.stream.get() + 1);
        if let Some(abort) = self.abort.borrow_mut().take() {
            abort.abort();
        }
    }

    fn connect(self: &Rc<Self>) {
        self.disconnect();
        let Some(abort) = Abort::new() else { return };
        *self.abort.borrow_mut() = Some(abort.clone());
        let stream = self.stream.get();
        let url = match self.replica.borrow().position() {
            Some(position) => format!("/api/sync?since={position}"),
            None => "/api/sync".to_owned(),
        };
        let driver = self.clone();
        leptos::task::spawn_local(async move {
            let current = |driver: &Rc<Driver>| driver.stream.get() == stream;
            let close = stream::read(&url, &abort, |event| {
                if !current(&driver) {
                    return Err(Close::Broken);
                }
                match Message::parse(&event.event, &event.data) {
                    None => Ok(()),
                    Some(Err(error)) => Err(Close::Nonsense(error.to_string())),
                    Some(Ok(message)) => {
                        driver.message(message);
                        Ok(())
                    }
                }
            })
            .await;
            if current(&driver) {
                driver.disconnect();
                let effects = driver.replica.borrow_mut().on_close(close, monotonic(), jitter());
                driver.run(effects);
            }
        });
    }

    fn message(self: &Rc<Self>, message: Message) {
        match &message {
            Message::Connected(connected) => self.heard_time(connected.server_time),
            Message::Sync(sync) => self.heard_time(sync.server_time),
            _ => {}
        }
        let effects = self.replica.borrow_mut().on_message(message, monotonic());
        self.run(effects);
    }

    fn fetch_full_state(self: &Rc<Self>, request: u64, at_least: u64) {
        let driver = self.clone();
        leptos::task::spawn_local(async move {
            let since = driver.replica.borrow().position().map(|position| format!("&since={position}"));
            let url = format!("/api/state?at_least={at_least}{}", since.unwrap_or_default());
            let answer = http::get_json::<FullState>(&url).await.ok();
            let effects = driver.replica.borrow_mut().on_full_state(request, answer, monotonic());
            driver.run(effects);
        });
    }

    fn changed(self: &Rc<Self>, replaced: bool, rows: Vec<EntityRef>) {
        let mut pending = self.pending.borrow_mut();
        pending.replaced |= replaced;
        pending.rows.extend(rows);
        if !std::mem::replace(&mut pending.scheduled, true) {
            let driver = Rc::downgrade(self);
            before_paint(move || {
                if let Some(driver) = driver.upgrade() {
                    driver.flush();
                }
            });
        }
    }

    fn flush(&self) {
        let pending = self.pending.take();
        let replica = self.replica.borrow();
        if pending.replaced {
            self.store.replace(replica.fleet());
        } else {
            self.store.apply(replica.fleet(), &pending.rows);
        }
    }

    fn heard_time(&self, server_time: Timestamp) {
        self.clock.set(server_time.0 as i64 - monotonic() as i64);
    }

    fn show_time(&self) {
        let now = monotonic();
        self.store.now.set(Timestamp((self.clock.get() + now as i64).max(0) as u64));
        self.store.ticks.set(now);
    }

    fn show_link(&self) {
        let replica = self.replica.borrow();
        let now = monotonic();
        let link = Link {
            status: replica.status().clone(),
            as_of: replica.as_of().unwrap_or_default(),
            seen: now.saturating_sub(replica.age(now).as_millis() as u64),
        };
        if self.store.link.with_untracked(|before| *before != link) {
            self.store.link.set(link);
        }
    }
}
