//! Workers that run in the page: each holds nets as a real worker does ([`Hosted`]), and all of them share one timer.

use super::fleet::{Demo, Stream, now, send};
use crate::{
    model::{
        Actor, Incarnation, LoadId, Machine, NetCause, NetId, RunState, Telemetry, Timestamp, WorkerId,
        WorkerMetrics,
    },
    petri::PetriNet,
    worker::{
        hosted::{Hosted, Notice},
        protocol::NetEvent,
    },
};
use gloo_timers::callback::Interval;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use uuid::Uuid;
use web_time::Instant;

/// Nets move, and are watched, this often.
const TURN_MS: u32 = 50;
/// Figures are told every so many turns: once a second.
const TELEMETRY_EVERY: u32 = 1_000 / TURN_MS;

/// Every machine that runs.
#[derive(Default)]
pub struct Machines {
    running: BTreeMap<WorkerId, Running>,
    watchers: Vec<Watcher>,
    turns: u32,
}

pub struct Running {
    started: Timestamp,
    /// It takes no calls and says nothing, although it is there.
    pub hangs: bool,
    pub nets: HashMap<NetId, Hosted>,
}

struct Watcher {
    net: NetId,
    stream: Stream,
    /// It has been told the whole marking.
    greeted: bool,
}

/// What a turn has to tell.
struct News {
    states: Vec<(NetId, RunState, u32)>,
    figures: Vec<Telemetry>,
}

/// The machine of a worker that is made anew.
pub fn machine(worker: WorkerId) -> Machine {
    Machine {
        provider_ref: format!("demo-{}", &worker.to_string()[..8]),
        endpoint: "http://worker.demo.invalid".to_owned(),
        incarnation: Incarnation(Uuid::new_v4()),
        software_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Lets the machines run for as long as the page lives.
pub fn turn(demo: &Demo) {
    let demo = demo.clone();
    Interval::new(TURN_MS, move || {
        let news = demo.machines.borrow_mut().turn();
        for (net, run_state, rate) in news.states {
            // A net that left its worker meanwhile has no row to tell of.
            _ = demo.transact(Actor::System, |draft| {
                draft.edit_net(net, NetCause::RunState, |row| {
                    if row.is_loaded() {
                        row.run_state = run_state;
                        if run_state == RunState::Running {
                            row.rate = rate;
                        }
                    }
                })
            });
        }
        if !news.figures.is_empty() {
            for figures in &news.figures {
                demo.histories.borrow_mut().entry(figures.worker_id).or_default().put(figures);
            }
            let latest = news.figures.iter().map(|figures| (figures.worker_id, figures.clone()));
            demo.telemetry.borrow_mut().extend(latest);
            demo.tell_telemetry(news.figures);
        }
    })
    .forget();
}

impl Machines {
    pub fn boot(&mut self, worker: WorkerId, started: Timestamp) {
        let running = Running { started, hangs: false, nets: HashMap::new() };
        self.running.insert(worker, running);
    }

    /// The machine dies, and its nets with it.
    pub fn kill(&mut self, worker: WorkerId) {
        if let Some(running) = self.running.remove(&worker) {
            for net in running.nets.keys() {
                self.gone(*net);
            }
        }
    }

    /// The machine, if it answers.
    pub fn answering(&mut self, worker: WorkerId) -> Option<&mut Running> {
        self.running.get_mut(&worker).filter(|running| !running.hangs)
    }

    pub fn get_mut(&mut self, worker: WorkerId) -> Option<&mut Running> {
        self.running.get_mut(&worker)
    }

    /// Loads a net, and runs it if a rate is given; whether it runs.
    pub fn load(
        &mut self,
        worker: WorkerId,
        id: NetId,
        load_id: LoadId,
        net: Arc<PetriNet>,
        rate: Option<u32>,
    ) -> bool {
        let Some(running) = self.answering(worker) else { return false };
        let seed = id.0.as_u64_pair().1;
        let mut hosted = Hosted::new(id, load_id, net, seed, Instant::now());
        let runs = rate.is_some_and(|rate| hosted.run(rate, Instant::now(), &mut Vec::new()).is_ok());
        running.nets.insert(id, hosted);
        for watcher in self.watchers.iter_mut().filter(|watcher| watcher.net == id) {
            watcher.greeted = false;
        }
        runs
    }

    pub fn unload(&mut self, worker: WorkerId, net: NetId) {
        if let Some(running) = self.running.get_mut(&worker) {
            running.nets.remove(&net);
        }
        self.gone(net);
    }

    /// The net wherever it is loaded.
    pub fn net(&mut self, net: NetId) -> Option<&mut Hosted> {
        self.running.values_mut().find_map(|running| running.nets.get_mut(&net))
    }

    pub fn marking(&mut self, net: NetId) -> Option<NetEvent> {
        self.net(net).map(|hosted| hosted.marking())
    }

    /// Tells `stream` every change of a net's marking until the page gives it up.
    pub fn watch(&mut self, net: NetId, stream: Stream) {
        if let Some(hosted) = self.net(net) {
            hosted.watch(true);
        }
        self.watchers.push(Watcher { net, stream, greeted: false });
    }

    fn gone(&mut self, net: NetId) {
        for watcher in self.watchers.iter_mut().filter(|watcher| watcher.net == net) {
            send(&watcher.stream, "net", &NetEvent::Gone);
            watcher.greeted = false;
        }
    }

    fn turn(&mut self) -> News {
        self.turns = self.turns.wrapping_add(1);
        let mut news = News { states: Vec::new(), figures: Vec::new() };
        for running in self.running.values_mut().filter(|running| !running.hangs) {
            for (id, hosted) in &mut running.nets {
                let mut notices = Vec::new();
                hosted.slice(Instant::now, &mut notices);
                let last = notices.iter().rev().find_map(|notice| match notice {
                    Notice::RunState(state) => Some(*state),
                    Notice::Log(..) | Notice::Jumped => None,
                });
                news.states.extend(last.map(|state| (*id, state, hosted.describe().rate)));
            }
        }
        self.tell_watchers();
        if self.turns.is_multiple_of(TELEMETRY_EVERY) {
            let at = now();
            let heard = self.running.iter_mut().filter(|(_, running)| !running.hangs);
            news.figures = heard.map(|(worker, running)| running.figures(*worker, at)).collect();
        }
        news
    }

    fn tell_watchers(&mut self) {
        self.watchers.retain(|watcher| !watcher.stream.is_closed());
        let mut watched: Vec<NetId> = self.watchers.iter().map(|watcher| watcher.net).collect();
        watched.sort_unstable();
        watched.dedup();
        for net in watched {
            let Some(hosted) = self.running.values_mut().find_map(|running| running.nets.get_mut(&net))
            else {
                continue;
            };
            hosted.watch(true);
            let (marking, state, changes) = (hosted.marking(), hosted.run_state_event(), hosted.changes());
            for watcher in self.watchers.iter_mut().filter(|watcher| watcher.net == net) {
                if !std::mem::replace(&mut watcher.greeted, true) {
                    send(&watcher.stream, "net", &marking);
                    send(&watcher.stream, "net", &state);
                } else if let Some(changes) = &changes {
                    send(&watcher.stream, "net", changes);
                }
            }
        }
    }

    /// The marking of a net jumped, or what it does changed: whoever watches is told anew.
    pub fn greet_again(&mut self, net: NetId) {
        for watcher in self.watchers.iter_mut().filter(|watcher| watcher.net == net) {
            watcher.greeted = false;
        }
    }
}

impl Running {
    fn figures(&mut self, worker: WorkerId, at: Timestamp) -> Telemetry {
        let now = Instant::now();
        let nets: Vec<_> = self.nets.values_mut().map(|hosted| hosted.measure(now)).collect();
        let rate: f64 = nets.iter().map(|net| net.rate).sum();
        // There is no machine to measure: the figures follow from what its nets do.
        let busy = (rate / 10.0).min(160.0) as f32;
        let ripple = ((at.0 / 1_000 + u64::from(worker.0.as_fields().0)) % 7) as f32;
        let worker_metrics = WorkerMetrics {
            cpu_percent: 2.0 + busy + ripple,
            memory_bytes: (64 << 20) + nets.len() as u64 * (9 << 20) + (ripple as u64) * (1 << 18),
            uptime_s: at.since(self.started).as_secs(),
            nets: nets.len() as u32,
        };
        Telemetry { worker_id: worker, at, worker: worker_metrics, nets, labs: Vec::new() }
    }
}
