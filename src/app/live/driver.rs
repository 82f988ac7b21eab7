//! Runs the [`Replica`]: its effects become fetches and timers, their outcomes its inputs, its changes the store's.

use super::{
    browser::{Abort, Listener, before_paint, jitter, monotonic, window},
    channel::Channel,
    http,
    session::browser::wants_realtime,
    shared::Shared,
    stream,
};
use crate::{
    app::{
        error::ApiError,
        snapshot::Opening,
        store::{Link, Store},
    },
    model::{EntityRef, HostId, HostTelemetry, Roles, Timestamp},
    sync::{Close, Effect, FullState, Message, Replica, Status, Token, Unanswered, poll::Poll, tabs::Frame},
};
use gloo_timers::{
    callback::{Interval, Timeout},
    future::TimeoutFuture,
};
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
    rc::Rc,
    time::Duration,
};

thread_local! {
    /// The one driver of this page.
    static CURRENT: RefCell<Option<Rc<Driver>>> = const { RefCell::new(None) };
}

pub struct Driver {
    pub(super) store: Store,
    pub(super) replica: RefCell<Replica>,
    /// The user whose page this is.
    pub(super) email: String,
    /// This tab among the others; `None` where it has a stream of its own, or wants none.
    pub(super) shared: RefCell<Option<Rc<Shared>>>,
    /// What holds for every tab, whoever is signed in.
    pub(super) session: RefCell<Option<Channel>>,
    pub(super) poll: RefCell<Poll>,
    pub(super) poll_timer: RefCell<Option<Timeout>>,
    /// The ETags of the polled lists.
    pub(super) tags: [http::Tag; 2],
    /// Unset while the page holds only its first screen, and the rest is being fetched.
    whole: Cell<bool>,
    /// The open stream, or the one being opened.
    abort: RefCell<Option<Abort>>,
    /// Counts streams: what a stream that was given up still delivers is ignored.
    stream: Cell<u64>,
    timer: RefCell<Option<Timeout>>,
    /// Changes not yet in the store: they are put there at most once a frame.
    pending: RefCell<Pending>,
    /// Server time less monotonic time, milliseconds, as last heard.
    clock: Cell<i64>,
    pub(super) listeners: RefCell<Vec<Listener>>,
    ticker: RefCell<Option<Interval>>,
}

#[derive(Default)]
struct Pending {
    replaced: bool,
    rows: HashSet<EntityRef>,
    /// Figures that are newer than those in the store.
    hosts: HashMap<HostId, HostTelemetry>,
    scheduled: bool,
}

impl Driver {
    /// Starts following the server; ends the driver that ran before, if any.
    pub fn start(store: Store, opening: &Opening) {
        Driver::stop();
        let now = monotonic();
        let (full, as_of) = (&opening.snapshot.full, opening.snapshot.server_time);
        let whole = opening.snapshot.part.is_none();
        let replica = match whole {
            true => Replica::from_snapshot(full.clone(), as_of, now),
            false => Replica::awaiting(as_of, now),
        };
        let driver = Rc::new(Driver {
            store,
            email: opening.snapshot.user.email.clone(),
            shared: RefCell::default(),
            session: RefCell::default(),
            poll: RefCell::new(Poll::new(now)),
            poll_timer: RefCell::default(),
            tags: Default::default(),
            replica: RefCell::new(replica),
            whole: Cell::new(whole),
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
        driver.share_session();
        store.realtime.set(wants_realtime());
        if whole {
            driver.begin();
        } else {
            driver.fetch_rest(full.position.clone());
        }
        on_cleanup(Driver::stop);
    }

    fn begin(self: &Rc<Self>) {
        if wants_realtime() {
            self.share();
            self.tick();
        } else {
            let effects = self.replica.borrow_mut().switch_off();
            self.run(effects);
        }
        self.poll();
    }

    /// Fetches what the page at `position` was not sent with, then follows. Where there is no answer, the stream brings it, or says why
    /// not.
    fn fetch_rest(self: &Rc<Self>, position: Token) {
        let driver = self.clone();
        let current =
            |driver: &Rc<Driver>| Driver::current().is_some_and(|current| Rc::ptr_eq(&current, driver));
        leptos::task::spawn_local(async move {
            let url = format!("/api/state?since={position}");
            let (asked, answer) = loop {
                let asked = (driver.server_time(), monotonic());
                match http::get_json::<FullState>(&url).await {
                    Err(ApiError::TooMany { retry_after_s }) => {
                        TimeoutFuture::new((retry_after_s.min(600) * 1_000) as u32).await;
                    }
                    answer => break (asked, answer),
                }
                if !current(&driver) {
                    return;
                }
            };
            if !current(&driver) {
                return;
            }
            driver.whole.set(true);
            // The stream may have been switched on meanwhile, and brought it.
            let empty = driver.replica.borrow().position().is_none();
            if let Ok(full) = answer
                && empty
            {
                *driver.replica.borrow_mut() = Replica::from_snapshot(full, asked.0, asked.1);
                driver.changed(true, Vec::new());
            }
            driver.begin();
            // The browser may have lost its network meanwhile, and found it again.
            if *driver.replica.borrow().status() == Status::Offline {
                driver.wake();
            }
        });
    }

    pub fn stop() {
        if let Some(driver) = CURRENT.with_borrow_mut(Option::take) {
            driver.stream.set(driver.stream.get() + 1);
            driver.timer.borrow_mut().take();
            driver.poll_timer.borrow_mut().take();
            driver.session.borrow_mut().take();
            if let Some(shared) = driver.shared.borrow_mut().take() {
                shared.close();
            }
            driver.ticker.borrow_mut().take();
            driver.listeners.borrow_mut().clear();
            if let Some(abort) = driver.abort.borrow_mut().take() {
                abort.abort();
            }
        }
    }

    pub fn current() -> Option<Rc<Driver>> {
        CURRENT.with_borrow(Clone::clone)
    }

    pub fn retry_now() {
        if let Some(driver) = Driver::current() {
            driver.wake();
        }
    }

    /// An answer of the REST API said where the server is.
    pub fn heard_of(position: &Token) {
        if let Some(driver) = Driver::current() {
            let server_time = driver.server_time();
            driver.replica.borrow_mut().heard_of(position, server_time, monotonic());
            driver.run(Vec::new());
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
            listeners.push(on(document.clone().into(), "freeze", Driver::freezes));
            listeners.push(on(document.clone().into(), "resume", Driver::wake));
            listeners.push(on(document.into(), "visibilitychange", |driver| {
                if !super::browser::hidden() {
                    driver.wake();
                }
                driver.poll();
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

    pub(super) fn wake(self: &Rc<Self>) {
        self.show_time();
        if !self.whole.get() {
            return;
        }
        if let Some(shared) = self.shared() {
            shared.ask_retry();
        }
        let effects = self.replica.borrow_mut().retry_now(monotonic());
        self.run(effects);
    }

    pub(super) fn offline(self: &Rc<Self>) {
        let effects = self.replica.borrow_mut().offline();
        self.run(effects);
    }

    fn tick(self: &Rc<Self>) {
        let effects = self.replica.borrow_mut().tick(monotonic(), jitter());
        self.run(effects);
        self.tick_tabs();
        self.schedule();
    }

    pub(super) fn run(self: &Rc<Self>, effects: Vec<Effect>) {
        // How far the state reaches is shown with the rows, in the same frame: a storm of changes does not redraw it for each of them.
        let shown_with_rows =
            !effects.is_empty() && effects.iter().all(|effect| matches!(effect, Effect::Changed(_)));
        for effect in effects {
            match effect {
                Effect::Changed(rows) => self.changed(false, rows),
                Effect::Replaced => self.changed(true, Vec::new()),
                Effect::Telemetry(batch) => {
                    self.heard_time(batch.server_time);
                    if let Some(shared) = self.shared() {
                        shared.keep_figures(&batch, self.replica.borrow().fleet());
                    }
                    self.store.telemetry_arrived(&batch.workers);
                    self.figures_of_hosts(batch.hosts);
                }
                Effect::Status => {}
                Effect::FetchFullState { request, at_least } => self.fetch_full_state(request, at_least),
                Effect::Connect => self.connect(),
                Effect::Disconnect => self.disconnect(),
            }
        }
        if !shown_with_rows {
            self.show_link();
        }
        self.schedule();
    }

    pub(super) fn schedule(self: &Rc<Self>) {
        let tabs = self.shared().map(|shared| shared.next_tick());
        let due = self.replica.borrow().next_tick().into_iter().chain(tabs).min();
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
        if let Some(shared) = self.shared() {
            shared.leave();
        }
    }

    fn connect(self: &Rc<Self>) {
        self.disconnect();
        if let Some(shared) = self.shared()
            && !shared.leads()
        {
            let since = self.replica.borrow().position().cloned();
            return shared.join(since);
        }
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
                let frame = Frame { event: event.event, data: event.data };
                if let Some(shared) = driver.shared() {
                    shared.pass_on(&frame);
                }
                driver.frame(&frame)
            })
            .await;
            if current(&driver) {
                driver.disconnect();
                let effects = driver.replica.borrow_mut().on_close(close, monotonic(), jitter());
                driver.run(effects);
            }
        });
    }

    /// A frame, of our own stream or of the leader's.
    pub(super) fn frame(self: &Rc<Self>, frame: &Frame) -> Result<(), Close> {
        let message = match Message::parse(&frame.event, &frame.data) {
            None => return Ok(()),
            Some(Err(error)) => return Err(Close::Nonsense(error.to_string())),
            Some(Ok(message)) => message,
        };
        match &message {
            Message::Connected(connected) => {
                self.heard_time(connected.server_time);
                self.has_roles(&connected.roles);
            }
            Message::Sync(sync) => self.heard_time(sync.server_time),
            _ => {}
        }
        let scope_may_change = matches!(message, Message::Init(_));
        let continues = if let Message::Delta(delta) = &message { Some(delta.prev) } else { None };
        let effects = {
            let mut replica = self.replica.borrow_mut();
            let before = replica.position().cloned();
            let effects = replica.on_message(message, monotonic());
            if let Some(shared) = self.shared() {
                shared.keep(before.as_ref(), replica.position(), continues, frame);
            }
            effects
        };
        self.run(effects);
        self.welcome_those_who_wait();
        if scope_may_change {
            self.share_anew_if_scope_changed();
        }
        Ok(())
    }

    /// What this page offers was decided by the roles it was made with: with others it is made anew.
    fn has_roles(&self, roles: &Roles) {
        if self.store.me.with_untracked(|me| me.as_ref().is_some_and(|me| me.roles != *roles)) {
            Driver::stop();
            _ = window().location().reload();
        }
    }

    fn fetch_full_state(self: &Rc<Self>, request: u64, at_least: u64) {
        let driver = self.clone();
        leptos::task::spawn_local(async move {
            // Without a stream nobody announces a restore: then any state is an answer.
            let off = *driver.replica.borrow().status() == Status::SwitchedOff;
            let since = driver
                .replica
                .borrow()
                .position()
                .filter(|_| !off)
                .map(|position| format!("&since={position}"));
            let url = format!("/api/state?at_least={at_least}{}", since.unwrap_or_default());
            let answer = http::get_json::<FullState>(&url).await.map_err(|error| match error {
                ApiError::TooMany { retry_after_s } => {
                    Unanswered::TooSoon(Duration::from_secs(retry_after_s))
                }
                ApiError::Conflict { .. } => Unanswered::Foreign,
                _ => Unanswered::Failed,
            });
            let effects = driver.replica.borrow_mut().on_full_state(request, answer, monotonic());
            driver.run(effects);
        });
    }

    fn changed(self: &Rc<Self>, replaced: bool, rows: Vec<EntityRef>) {
        let mut pending = self.pending.borrow_mut();
        pending.replaced |= replaced;
        pending.rows.extend(rows);
        self.schedule_flush(&mut pending);
    }

    /// Thousands of hosts are heard one by one: what they say is shown with the next frame, the latest of each.
    fn figures_of_hosts(self: &Rc<Self>, hosts: Vec<HostTelemetry>) {
        if !hosts.is_empty() {
            let mut pending = self.pending.borrow_mut();
            pending.hosts.extend(hosts.into_iter().map(|figures| (figures.host_id, figures)));
            self.schedule_flush(&mut pending);
        }
    }

    fn schedule_flush(self: &Rc<Self>, pending: &mut Pending) {
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
        } else if !pending.rows.is_empty() {
            self.store.apply(replica.fleet(), &pending.rows);
        }
        drop(replica);
        self.store.host_telemetry_arrived(&pending.hosts.into_values().collect::<Vec<_>>());
        self.show_link();
    }

    fn heard_time(&self, server_time: Timestamp) {
        self.clock.set(server_time.0 as i64 - monotonic() as i64);
    }

    /// The server's time, as far as it is known here.
    pub(super) fn server_time(&self) -> Timestamp {
        Timestamp((self.clock.get() + monotonic() as i64).max(0) as u64)
    }

    fn show_time(&self) {
        let now = monotonic();
        self.store.now.set(self.server_time());
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
        if let Some(shared) = self.shared() {
            shared.tell_link(&link.status);
        }
        if self.store.link.with_untracked(|before| *before != link) {
            self.store.link.set(link);
        }
    }
}
