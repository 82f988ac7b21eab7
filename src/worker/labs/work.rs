//! What a lab counts and explores, and how far it is. Knows no states and no queue: it works until it is told to stop.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::plan::{Task, bad};
use crate::model::LabProgress;
use crate::petri::analysis::{Budget, analyse_telling};
use crate::petri::lab::{Lab, Tally};
use crate::petri::{NetReport, PetriNet};
use crate::worker::protocol::LabResults;
use crate::worker::refusal::Refusal;

/// Firings between looks at the clock: few at first, because one firing may touch a million places.
const FIRST_CHUNK: u64 = 16;
const LARGEST_CHUNK: u64 = 1 << 20;
/// A chunk that took less is doubled, one that took more is halved.
const SHORT: Duration = Duration::from_millis(2);
const LONG: Duration = Duration::from_millis(10);
/// How long the work is left alone for somebody who waits for its results.
const YIELD: Duration = Duration::from_micros(100);

/// Work upon a task, from nothing to its end. To forget what was counted, begin another.
pub struct Work {
    kind: Kind,
    /// Those who wait for results. A thread that works would take the lock again before they wake.
    waiting: AtomicU32,
    // What was counted, where it can be read without waiting.
    runs: AtomicU64,
    firings: AtomicU64,
    states: AtomicU64,
    #[cfg(test)]
    pub panic_next: std::sync::atomic::AtomicBool,
}

#[allow(clippy::large_enum_variant, reason = "a worker has few labs, and each lives behind a pointer")]
enum Kind {
    MonteCarlo(Mutex<Lab>),
    Explore { net: Arc<PetriNet>, time: Duration, memory: usize, report: Mutex<Option<Box<NetReport>>> },
}

/// How a stretch of work ended, with what is not kept yet.
pub enum Stretch {
    Finished(Option<Box<NetReport>>),
    Stopped(Option<Box<NetReport>>),
}

impl Work {
    /// Refuses numbers that are out of range.
    pub fn new(task: &Task, net: &Arc<PetriNet>) -> Result<Self, Refusal> {
        let kind = match task {
            Task::MonteCarlo(experiment) => {
                let lab = Lab::new(net.clone(), experiment.clone()).map_err(|e| bad(e.to_string()))?;
                Kind::MonteCarlo(Mutex::new(lab))
            }
            &Task::Explore { time, memory } => {
                Kind::Explore { net: net.clone(), time, memory, report: Mutex::default() }
            }
        };
        Ok(Self {
            kind,
            waiting: AtomicU32::default(),
            runs: AtomicU64::default(),
            firings: AtomicU64::default(),
            states: AtomicU64::default(),
            #[cfg(test)]
            panic_next: Default::default(),
        })
    }

    pub fn progress(&self) -> LabProgress {
        LabProgress {
            runs: self.runs.load(Ordering::Relaxed),
            firings: self.firings.load(Ordering::Relaxed),
            states: self.states.load(Ordering::Relaxed),
        }
    }

    /// A thread takes it up. Runs go on where they were; an exploration begins anew.
    pub fn take_up(&self) {
        if let Kind::Explore { report, .. } = &self.kind {
            *locked(report) = None;
            self.states.store(0, Ordering::Relaxed);
        }
    }

    /// Works until all is done or `stop` says so.
    pub fn go_on(&self, stop: &dyn Fn() -> bool) -> Stretch {
        #[cfg(test)]
        assert!(!self.panic_next.swap(false, Ordering::SeqCst), "asked to, by a test");
        match &self.kind {
            Kind::MonteCarlo(lab) => self.make_runs(lab, stop),
            Kind::Explore { net, time, memory, .. } => {
                let start = Instant::now();
                let elapsed = || if stop() { Duration::MAX } else { start.elapsed() };
                let seen = |states| self.states.store(states, Ordering::Relaxed);
                let budget = Budget { time: *time, memory: *memory, elapsed: &elapsed };
                let report = Box::new(NetReport::from(&analyse_telling(net, &budget, &seen)));
                if stop() { Stretch::Stopped(Some(report)) } else { Stretch::Finished(Some(report)) }
            }
        }
    }

    fn make_runs(&self, lab: &Mutex<Lab>, stop: &dyn Fn() -> bool) -> Stretch {
        let mut chunk = FIRST_CHUNK;
        loop {
            let awaited = || self.waiting.load(Ordering::SeqCst) > 0;
            while awaited() && !stop() {
                std::thread::sleep(YIELD);
            }
            let mut lab = locked(lab);
            while !awaited() || stop() {
                if lab.is_done() {
                    return Stretch::Finished(None);
                }
                if stop() {
                    return Stretch::Stopped(None);
                }
                let start = Instant::now();
                lab.advance(chunk, || stop() || awaited());
                self.publish(lab.tally());
                let took = start.elapsed();
                if took < SHORT {
                    chunk = (chunk * 2).min(LARGEST_CHUNK);
                } else if took > LONG {
                    chunk = (chunk / 2).max(FIRST_CHUNK);
                }
            }
        }
    }

    fn publish(&self, tally: &Tally) {
        self.runs.store(tally.runs, Ordering::Relaxed);
        self.firings.store(tally.firings, Ordering::Relaxed);
    }

    /// Keeps what a stretch found.
    pub fn keep(&self, found: Option<Box<NetReport>>) {
        if let (Kind::Explore { report, .. }, Some(found)) = (&self.kind, found) {
            self.states.store(found.explored.states, Ordering::Relaxed);
            *locked(report) = Some(found);
        }
    }

    /// What was found up to now. Waits for those who work on it to let go.
    pub fn results(&self) -> LabResults {
        match &self.kind {
            Kind::MonteCarlo(lab) => {
                self.waiting.fetch_add(1, Ordering::SeqCst);
                let lab = locked(lab);
                self.waiting.fetch_sub(1, Ordering::SeqCst);
                LabResults::MonteCarlo { results: lab.results() }
            }
            Kind::Explore { report, .. } => LabResults::Explore { report: locked(report).clone() },
        }
    }
}

/// What a panic left is not gone on with (`held`), so that the lock alone counts.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
