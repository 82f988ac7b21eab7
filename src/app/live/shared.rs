//! The driver's part in sharing one stream among the tabs: carries out what [`Tabs`] decides.

use super::{
    browser::{jitter, monotonic, wall, window},
    channel::Channel,
    driver::Driver,
    lock::{Fate, Lock},
};
use crate::{
    model::{Fleet, Timestamp},
    sync::{
        FullState, Status, Sync, Token,
        message::TelemetryBatch,
        tabs::{self, Board, CatchUp, Frame, Note, Order, Recent, TabId, Tabs},
    },
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// This tab among those of the same user and scope.
pub struct Shared {
    name: String,
    lock: Lock,
    channel: Channel,
    tabs: RefCell<Tabs>,
    recent: RefCell<Recent>,
    /// Tabs that wait to be welcomed until this one is where they are.
    joining: RefCell<Vec<(TabId, Option<Token>)>>,
    board: RefCell<Board>,
    /// The status that the others know of.
    said: RefCell<Option<Status>>,
    alive: Cell<bool>,
}

impl Shared {
    /// `None` where the browser cannot: the tab has a stream of its own then.
    pub fn open(driver: &Rc<Driver>, user: &str, position: &Token) -> Option<Rc<Shared>> {
        let name = tabs::name(user, position);
        let weak = Rc::downgrade(driver);
        let channel = Channel::open(&name, move |note: Note, texts| {
            if let Some(driver) = weak.upgrade() {
                driver.on_note(note, texts);
            }
        })?;
        let me = TabId((jitter() * f64::from(u32::MAX)) as u32);
        Some(Rc::new(Shared {
            lock: Lock::new(name.clone())?,
            name,
            channel,
            tabs: RefCell::new(Tabs::new(me, jitter(), monotonic())),
            recent: RefCell::default(),
            joining: RefCell::default(),
            board: RefCell::default(),
            said: RefCell::default(),
            alive: Cell::new(true),
        }))
    }

    pub fn leads(&self) -> bool {
        self.tabs.borrow().leads()
    }

    pub fn next_tick(&self) -> u64 {
        self.tabs.borrow().next_tick()
    }

    /// The replica wants a stream, and this tab has none: the leader is asked.
    pub fn join(&self, since: Option<Token>) {
        let note = self.tabs.borrow_mut().join(since, monotonic());
        self.channel.post(&note, &[]);
    }

    pub fn leave(&self) {
        self.tabs.borrow_mut().leave();
    }

    /// A frame of our stream, on its way to the replica.
    pub fn pass_on(&self, frame: &Frame) {
        if let Some(note) = self.tabs.borrow().frame() {
            self.channel.post(&note, &[&frame.event, &frame.data]);
        }
    }

    /// What the frame did to our replica.
    pub fn keep(&self, before: Option<&Token>, after: Option<&Token>, continues: Option<u64>, frame: &Frame) {
        if self.leads() {
            self.recent.borrow_mut().push(before, after, continues, frame);
        }
    }

    /// The latest figures, for tabs that will join.
    pub fn keep_figures(&self, batch: &TelemetryBatch, fleet: &Fleet) {
        if self.leads() {
            self.board.borrow_mut().push(batch, fleet);
        }
    }

    /// Tells the others when the link changed.
    pub fn tell_link(&self, status: &Status) {
        let changed = self.leads() && self.said.borrow().as_ref() != Some(status);
        if changed && let Some(note) = self.tabs.borrow_mut().link(status, monotonic()) {
            *self.said.borrow_mut() = Some(status.clone());
            self.channel.post(&note, &[]);
        }
    }

    pub fn ask_retry(&self) {
        if !self.leads() {
            self.channel.post(&Note::RetryNow, &[]);
        }
    }

    /// Ends the part of this tab: the next in line leads.
    pub fn close(&self) {
        self.alive.set(false);
        self.lock.give_up();
    }
}

impl Driver {
    /// Joins the other tabs, and stands in line for the lead.
    pub(super) fn share(self: &Rc<Self>) {
        let position = self.replica.borrow().position().cloned();
        let shared = position.and_then(|position| Shared::open(self, &self.email, &position));
        *self.shared.borrow_mut() = shared;
        self.carry_out(Order::Queue, Vec::new());
    }

    /// What this user may see changed, and with it whom the stream may be shared with.
    pub(super) fn share_anew_if_scope_changed(self: &Rc<Self>) {
        let Some(shared) = self.shared() else { return };
        let position = self.replica.borrow().position().cloned();
        if position.is_some_and(|position| tabs::name(&self.email, &position) != shared.name) {
            shared.close();
            self.share();
            let effects = self.replica.borrow_mut().reconnect(monotonic());
            self.run(effects);
        }
    }

    pub(super) fn shared(&self) -> Option<Rc<Shared>> {
        self.shared.borrow().clone()
    }

    pub(super) fn tick_tabs(self: &Rc<Self>) {
        let Some(shared) = self.shared() else { return };
        let status = self.replica.borrow().status().clone();
        let orders = shared.tabs.borrow_mut().tick(&status, monotonic());
        orders.into_iter().for_each(|order| self.carry_out(order, Vec::new()));
    }

    fn on_note(self: &Rc<Self>, note: Note, texts: Vec<String>) {
        let Some(shared) = self.shared() else { return };
        let now = monotonic();
        let silence = self.replica.borrow().silence(now);
        let stands_down = shared.tabs.borrow_mut().stands_down(silence, now);
        stands_down.into_iter().for_each(|order| self.carry_out(order, Vec::new()));
        let status = self.replica.borrow().status().clone();
        let orders = shared.tabs.borrow_mut().on_note(note, &status, now);
        for order in orders {
            self.carry_out(order, texts.clone());
        }
        self.schedule();
    }

    /// The browser is about to freeze this tab: another one can hold the stream.
    pub(super) fn freezes(self: &Rc<Self>) {
        let Some(shared) = self.shared() else { return };
        let orders = shared.tabs.borrow_mut().freezes(monotonic());
        orders.into_iter().for_each(|order| self.carry_out(order, Vec::new()));
    }

    fn on_fate(self: &Rc<Self>, fate: Fate) {
        let Some(shared) = self.shared() else { return };
        let orders = match fate {
            Fate::Granted => shared.tabs.borrow_mut().granted(wall(), monotonic()),
            Fate::Stolen => shared.tabs.borrow_mut().robbed(monotonic()),
        };
        *shared.said.borrow_mut() = None;
        *shared.recent.borrow_mut() = Recent::default();
        *shared.board.borrow_mut() = Board::default();
        shared.joining.borrow_mut().clear();
        orders.into_iter().for_each(|order| self.carry_out(order, Vec::new()));
    }

    fn carry_out(self: &Rc<Self>, order: Order, texts: Vec<String>) {
        let Some(shared) = self.shared() else { return };
        let now = monotonic();
        match order {
            Order::Post(note) => shared.channel.post(&note, &[]),
            Order::Queue | Order::Steal => {
                let (driver, asked_by) = (Rc::downgrade(self), Rc::downgrade(&shared));
                shared.lock.ask(order == Order::Steal, move |fate| {
                    let alive = asked_by.upgrade().is_some_and(|shared| shared.alive.get());
                    if let Some(driver) = driver.upgrade().filter(|_| alive) {
                        driver.on_fate(fate);
                    }
                });
            }
            Order::Lead if !window().navigator().on_line() => self.offline(),
            Order::Lead | Order::Follow | Order::Join => {
                let effects = self.replica.borrow_mut().reconnect(now);
                self.run(effects);
            }
            Order::Feed => {
                if let [event, data] = &texts[..] {
                    let frame = Frame { event: event.clone(), data: data.clone() };
                    // What the leader could read, this tab can: it is the same build.
                    _ = self.frame(&frame);
                }
            }
            Order::Wait(link) => {
                let effects = self.replica.borrow_mut().led(link.status(now));
                self.run(effects);
            }
            Order::Welcome { tab, since } => {
                // A tab that asks again means its last word.
                shared.joining.borrow_mut().retain(|(other, _)| *other != tab);
                self.welcome(&shared, tab, since);
            }
            Order::RetryNow => self.wake(),
        }
    }

    /// This tab has come further: those that waited for it may be where it is.
    pub(super) fn welcome_those_who_wait(&self) {
        let Some(shared) = self.shared() else { return };
        for (tab, since) in shared.joining.take() {
            self.welcome(&shared, tab, since);
        }
    }

    fn welcome(&self, shared: &Shared, tab: TabId, since: Option<Token>) {
        let replica = self.replica.borrow();
        let (Some(position), Some(version), Status::Connected) =
            (replica.position(), replica.version(), replica.status())
        else {
            if let Some(note) = shared.tabs.borrow_mut().link(replica.status(), monotonic()) {
                shared.channel.post(&note, &[]);
            }
            return;
        };
        let Some(reign) = shared.tabs.borrow().reign() else { return };
        let catch_up = shared.recent.borrow().catch_up(position, since.as_ref());
        // What is passed on next must continue what is sent now: not while this tab knows more than its stream has brought.
        if catch_up == CatchUp::Later || !replica.in_step() {
            return shared.joining.borrow_mut().push((tab, since));
        }
        let send = |event: &str, data: &str| {
            shared.channel.post(&Note::Frame { reign, to: Some(tab) }, &[event, data]);
        };
        shared.channel.post(&Note::Welcome { reign, tab }, &[]);
        match catch_up {
            CatchUp::Nothing | CatchUp::Later => {}
            CatchUp::Replay(frames) => frames.iter().for_each(|frame| send(&frame.event, &frame.data)),
            CatchUp::Snapshot => {
                let full = FullState { position: position.clone(), version, state: replica.fleet().clone() };
                if let Ok(full) = serde_json::to_string(&full) {
                    send("init", &full);
                }
            }
        }
        // "You now have everything": what proves a stream proves this.
        let server_time = replica.as_of().unwrap_or(Timestamp(0));
        let sync = Sync { prev: version, version, position: position.clone(), server_time, digest: None };
        if let Ok(sync) = serde_json::to_string(&sync) {
            send("sync", &sync);
        }
        let figures = shared.board.borrow().batch(self.server_time());
        if let Some(Ok(figures)) = figures.map(|figures| serde_json::to_string(&figures)) {
            send("telemetry", &figures);
        }
    }
}
