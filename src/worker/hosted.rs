//! One loaded net: what it is doing and what may be asked of it. Told the time, knows no threads.

use std::sync::Arc;
use std::time::Duration;

use web_time::Instant;

use super::pace::Pace;
use super::protocol::{HostedNet, LogLevel, NetEvent};
use super::refusal::Refusal;
use crate::model::{LoadId, NetId, NetMetrics, RunState};
use crate::petri::engine::InjectError;
use crate::petri::net::MAX_COUNT;
use crate::petri::{Engine, PetriNet, PlaceIx, RunEnd, Step};

/// The longest a net may hold a thread, so that all nets move and commands are answered quickly.
pub const SLICE: Duration = Duration::from_millis(2);
/// Firings between looks at the clock: few at first, because one firing may touch a million places.
const FIRST_CHUNK: u64 = 16;
const LARGEST_CHUNK: u64 = 8_192;

/// Something to be told beyond the answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    RunState(RunState),
    Log(LogLevel, String),
    /// The marking jumped: a watcher needs all of it anew.
    Jumped,
}

#[derive(Debug)]
enum Doing {
    Idle,
    Running(Pace),
    Dead,
}

/// A loaded net.
#[derive(Debug)]
pub struct Hosted {
    id: NetId,
    load_id: LoadId,
    engine: Engine,
    doing: Doing,
    /// A bug of ours stopped it. It stays, so that it can be looked at, and takes no more commands.
    failed: bool,
    measured: (Instant, u64),
    rate: f64,
    #[cfg(test)]
    pub panic_next: bool,
}

impl Hosted {
    pub fn new(id: NetId, load_id: LoadId, net: Arc<PetriNet>, seed: u64, now: Instant) -> Self {
        let mut hosted = Self {
            id,
            load_id,
            engine: Engine::new(net, seed),
            doing: Doing::Idle,
            failed: false,
            measured: (now, 0),
            rate: 0.0,
            #[cfg(test)]
            panic_next: false,
        };
        hosted.doing = hosted.at_rest();
        hosted
    }

    pub fn run_state(&self) -> RunState {
        match self.doing {
            Doing::Idle => RunState::Idle,
            Doing::Running(_) => RunState::Running,
            Doing::Dead => RunState::Dead,
        }
    }

    pub fn seed(&self) -> u64 {
        self.engine.seed()
    }

    pub fn describe(&self) -> HostedNet {
        HostedNet {
            id: self.id,
            load_id: self.load_id,
            run_state: self.run_state(),
            rate: self.pace().map_or(0, Pace::rate),
            firings: self.engine.total_fired(),
        }
    }

    fn pace(&self) -> Option<&Pace> {
        match &self.doing {
            Doing::Running(pace) => Some(pace),
            Doing::Idle | Doing::Dead => None,
        }
    }

    /// What a net does that does not run.
    fn at_rest(&self) -> Doing {
        if self.engine.is_dead() { Doing::Dead } else { Doing::Idle }
    }

    fn usable(&self) -> Result<(), Refusal> {
        if self.failed { Err(Refusal::Failed) } else { Ok(()) }
    }

    /// Changes what it does, and says so where that is news.
    fn set(&mut self, doing: Doing, notices: &mut Vec<Notice>) {
        let before = (self.run_state(), self.pace().map(Pace::rate));
        self.doing = doing;
        if before != (self.run_state(), self.pace().map(Pace::rate)) {
            notices.push(Notice::RunState(self.run_state()));
        }
    }

    /// Fires one transition, and names it.
    pub fn step(&mut self, notices: &mut Vec<Notice>) -> Result<String, Refusal> {
        self.usable()?;
        self.maybe_panic();
        if let Doing::Running(_) = self.doing {
            return Err(Refusal::Running);
        }
        match self.engine.step() {
            Step::Fired(fired) => {
                self.set(self.at_rest(), notices);
                let net = self.engine.net();
                Ok(net.transitions.get(fired.index()).map(|fired| fired.name.clone()).unwrap_or_default())
            }
            Step::Dead => Err(Refusal::Dead),
            Step::Overflow { place, .. } => Err(Refusal::Overflow(self.overflow(place, "nothing fired"))),
        }
    }

    /// Starts to run, or changes the rate. Firings per second; 0 is as fast as possible.
    pub fn run(&mut self, rate: u32, now: Instant, notices: &mut Vec<Notice>) -> Result<(), Refusal> {
        self.usable()?;
        if self.engine.is_dead() {
            return Err(Refusal::Dead);
        }
        self.set(Doing::Running(Pace::new(rate, now)), notices);
        Ok(())
    }

    /// A net that does not run is stopped already.
    pub fn stop(&mut self, notices: &mut Vec<Notice>) -> Result<(), Refusal> {
        self.usable()?;
        self.set(self.at_rest(), notices);
        Ok(())
    }

    /// Back to the initial marking, stopped.
    pub fn reset(&mut self, notices: &mut Vec<Notice>) -> Result<(), Refusal> {
        self.usable()?;
        self.engine.reset();
        self.measured.1 = 0;
        notices.push(Notice::Jumped);
        self.set(self.at_rest(), notices);
        Ok(())
    }

    /// Puts tokens on a place, named by its id in the file, and says how many it holds then. A running net runs on; a dead one may come
    /// to life.
    pub fn inject(&mut self, place: &str, tokens: u64, notices: &mut Vec<Notice>) -> Result<u64, Refusal> {
        self.usable()?;
        let ix = self.engine.net().place_by_id(place);
        let ix = ix.ok_or_else(|| Refusal::UnknownPlace(place.to_string()))?;
        match self.engine.inject(ix, tokens) {
            Ok(()) => {}
            Err(InjectError::Overflow(place)) => {
                return Err(Refusal::Overflow(self.overflow(place, "none were added")));
            }
            Err(InjectError::Unknown(_)) => return Err(Refusal::UnknownPlace(place.to_string())),
        }
        if let Doing::Dead = self.doing {
            self.set(self.at_rest(), notices);
        }
        Ok(self.engine.marking().get(ix).unwrap_or_default())
    }

    /// Fires what is due, for at most [`SLICE`]. Gives the time to be called again, or `None` when it does not run.
    pub fn slice(&mut self, clock: impl Fn() -> Instant, notices: &mut Vec<Notice>) -> Option<Instant> {
        self.maybe_panic();
        let Doing::Running(pace) = &mut self.doing else { return None };
        let start = clock();
        let mut left = pace.due(start);
        let mut chunk = FIRST_CHUNK;
        while left > 0 {
            let outcome = self.engine.run(left.min(chunk));
            pace.fired(outcome.fired);
            left -= outcome.fired;
            match outcome.end {
                RunEnd::Limit => {}
                RunEnd::Dead => {
                    self.set(Doing::Dead, notices);
                    return None;
                }
                RunEnd::Overflow { place, .. } => {
                    let then = "the firing was not done and the net is stopped";
                    notices.push(Notice::Log(LogLevel::Error, self.overflow(place, then)));
                    self.set(Doing::Idle, notices);
                    return None;
                }
            }
            let now = clock();
            if now.saturating_duration_since(start) >= SLICE {
                return Some(now);
            }
            chunk = (chunk * 2).min(LARGEST_CHUNK);
        }
        // Fired all that was due. It may have died of that; nobody needs to wait for the next firing to know.
        if self.engine.is_dead() {
            self.set(Doing::Dead, notices);
            return None;
        }
        let now = clock();
        self.pace().map(|pace| pace.next(now).max(now))
    }

    /// After a panic: whatever it did is not to be trusted.
    pub fn fail(&mut self, notices: &mut Vec<Notice>) {
        self.failed = true;
        let text = "The net failed inside the worker and was stopped; load it again.";
        notices.push(Notice::Log(LogLevel::Error, text.to_string()));
        self.set(Doing::Idle, notices);
    }

    fn overflow(&self, place: PlaceIx, then: &str) -> String {
        let id = self.engine.net().places.get(place.index()).map_or("?", |place| place.id.as_str());
        format!("Place \"{id}\" would hold more than {MAX_COUNT} tokens; {then}.")
    }

    /// Figures for the console; `rate` is over the time since the last call.
    pub fn measure(&mut self, now: Instant) -> NetMetrics {
        let (then, before) = self.measured;
        let firings = self.engine.total_fired();
        let elapsed = now.saturating_duration_since(then).as_secs_f64();
        if elapsed > 0.0 {
            self.rate = firings.saturating_sub(before) as f64 / elapsed;
            self.measured = (now, firings);
        }
        NetMetrics {
            id: self.id,
            run_state: self.run_state(),
            firings,
            rate: self.rate,
            tokens: self.engine.marking().total(),
            enabled: self.engine.enabled_count() as u32,
        }
    }

    pub fn watch(&mut self, on: bool) {
        self.engine.watch(on);
    }

    /// The whole marking for somebody who knows nothing yet.
    pub fn marking(&self) -> NetEvent {
        NetEvent::Marking {
            load_id: self.load_id,
            firings: self.engine.total_fired(),
            tokens: self.engine.marking().as_slice().to_vec(),
            enabled: self.engine.enabled().map(|t| t.0).collect(),
        }
    }

    pub fn run_state_event(&self) -> NetEvent {
        NetEvent::RunState { run_state: self.run_state(), rate: self.pace().map_or(0, Pace::rate) }
    }

    /// What changed since the last call while watched, if anything.
    pub fn changes(&mut self) -> Option<NetEvent> {
        let changes = self.engine.take_changes();
        if changes.is_empty() {
            return None;
        }
        let plain =
            |transitions: Vec<crate::petri::TransitionIx>| transitions.into_iter().map(|t| t.0).collect();
        Some(NetEvent::Changed {
            firings: self.engine.total_fired(),
            tokens: changes.tokens.into_iter().map(|(place, tokens)| (place.0, tokens)).collect(),
            enabled: plain(changes.enabled),
            disabled: plain(changes.disabled),
            fired: plain(changes.fired),
            skipped: changes.skipped,
        })
    }

    #[cfg(test)]
    fn maybe_panic(&mut self) {
        if std::mem::take(&mut self.panic_next) {
            panic!("a test asked for it");
        }
    }

    #[cfg(not(test))]
    fn maybe_panic(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::petri::pnml::{self, Limits};
    use crate::petri::samples::sample;
    use uuid::Uuid;

    fn hosted(id: &str, now: Instant) -> Hosted {
        let pnml = sample(id).expect("a sample").pnml;
        let net = pnml::read(pnml.as_bytes(), &Limits::default()).expect("reads");
        Hosted::new(NetId(Uuid::nil()), LoadId(Uuid::nil()), Arc::new(net), 1, now)
    }

    #[test]
    fn a_net_that_dies_says_so_once_and_refuses_to_run_until_it_is_reset() {
        let now = Instant::now();
        let mut net = hosted("dining-philosophers", now);
        let mut notices = Vec::new();
        net.run(0, now, &mut notices).expect("it may");
        assert_eq!(std::mem::take(&mut notices), [Notice::RunState(RunState::Running)]);
        assert_eq!(net.slice(|| now, &mut notices), None, "dead within its first slice");
        assert_eq!(std::mem::take(&mut notices), [Notice::RunState(RunState::Dead)]);
        assert_eq!(net.step(&mut notices), Err(Refusal::Dead));
        assert_eq!(net.run(5, now, &mut notices), Err(Refusal::Dead));
        net.stop(&mut notices).expect("a dead net is stopped");
        assert_eq!(notices, []);
        net.reset(&mut notices).expect("it may");
        assert_eq!(notices, [Notice::Jumped, Notice::RunState(RunState::Idle)]);
        assert_eq!(net.describe().firings, 0);
    }

    #[test]
    fn tokens_bring_a_dead_net_back_to_idle() {
        let now = Instant::now();
        let mut net = hosted("dining-philosophers", now);
        net.run(0, now, &mut Vec::new()).expect("it may");
        net.slice(|| now, &mut Vec::new());
        let mut notices = Vec::new();
        net.inject("fork1", 1, &mut notices).expect("it may");
        assert_eq!(notices, [Notice::RunState(RunState::Idle)]);
        assert_eq!(net.inject("spoon", 1, &mut notices), Err(Refusal::UnknownPlace("spoon".into())));
        assert!(matches!(net.inject("fork1", u64::MAX, &mut notices), Err(Refusal::Overflow(_))));
    }

    #[test]
    fn a_slice_ends_in_time_and_asks_to_be_called_again() {
        let now = Instant::now();
        let mut net = hosted("producer-consumer", now);
        net.run(0, now, &mut Vec::new()).expect("it may");
        let looks = std::cell::Cell::new(0u32);
        // A clock on which each look is a millisecond later.
        let clock = || {
            looks.set(looks.get() + 1);
            now + Duration::from_millis(u64::from(looks.get()))
        };
        assert!(net.slice(clock, &mut Vec::new()).is_some());
        assert!(looks.get() <= 4, "{}", looks.get());
    }

    #[test]
    fn running_refuses_a_step_and_takes_another_rate() {
        let now = Instant::now();
        let mut net = hosted("producer-consumer", now);
        let mut notices = Vec::new();
        net.run(10, now, &mut notices).expect("it may");
        assert_eq!(net.step(&mut notices), Err(Refusal::Running));
        net.run(10, now, &mut notices).expect("it may");
        net.run(20, now, &mut notices).expect("it may");
        assert_eq!(
            notices,
            [Notice::RunState(RunState::Running), Notice::RunState(RunState::Running)],
            "told when the rate changes, and only then"
        );
        assert_eq!(net.describe().rate, 20);
    }

    #[test]
    fn the_measured_rate_is_of_the_time_since_the_last_look() {
        let now = Instant::now();
        let mut net = hosted("producer-consumer", now);
        for _ in 0..30 {
            net.step(&mut Vec::new()).expect("live");
        }
        let figures = net.measure(now + Duration::from_secs(2));
        assert_eq!((figures.rate, figures.firings), (15.0, 30));
        assert_eq!(net.measure(now + Duration::from_secs(3)).rate, 0.0);
    }
}
