//! One run of an experiment.

use std::sync::Arc;

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::experiment::{Experiment, Goal};
use crate::petri::engine::{Engine, Step};
use crate::petri::net::{PetriNet, TransitionIx};

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Goal,
    Dead,
    Limit,
    Overflow,
}

/// What a run had on the average.
pub(super) struct Averages {
    pub throughput: Vec<f64>,
    pub tokens: Vec<f64>,
}

#[derive(Clone, Debug)]
pub(super) struct Run {
    engine: Engine,
    /// For delays and picks by rate; the engine has its own for picks with equal chances.
    random: Xoshiro256PlusPlus,
    /// Units of time since the start.
    now: f64,
    /// When the warm-up was over, and the firings by then. `None`: it is not.
    measured_from: Option<(f64, Vec<u64>)>,
    /// By place: tokens times time, up to `since`.
    weighted: Vec<f64>,
    since: Vec<f64>,
}

impl Run {
    pub fn new(net: Arc<PetriNet>, experiment: &Experiment, number: u64) -> Self {
        let places = net.places.len();
        let mut run = Self {
            engine: Engine::new(net, 0),
            random: Xoshiro256PlusPlus::seed_from_u64(0),
            now: 0.0,
            measured_from: None,
            weighted: vec![0.0; places],
            since: vec![0.0; places],
        };
        run.restart(experiment, number);
        run
    }

    /// Begins the run with this number.
    pub fn restart(&mut self, experiment: &Experiment, number: u64) {
        let seed = experiment.seed_of(number);
        self.engine.restart(seed);
        self.random = Xoshiro256PlusPlus::seed_from_u64(!seed);
        self.now = 0.0;
        self.measured_from = None;
        self.warm(experiment);
    }

    pub fn firings(&self) -> u64 {
        self.engine.total_fired()
    }

    pub fn time(&self) -> f64 {
        self.now
    }

    /// Goes on for at most so many firings. `None`: the run is not over.
    pub fn go_on(&mut self, experiment: &Experiment, firings: u64) -> Option<End> {
        for _ in 0..firings {
            if let Some(end) = self.end(experiment) {
                return Some(end);
            }
            if let Some(end) = self.step(experiment) {
                return Some(end);
            }
            self.warm(experiment);
        }
        self.end(experiment)
    }

    fn end(&self, experiment: &Experiment) -> Option<End> {
        let dead = self.engine.is_dead();
        match experiment.goal {
            Some(Goal::Tokens { place, at_least })
                if self.engine.marking().get(place).is_some_and(|tokens| tokens >= at_least) =>
            {
                Some(End::Goal)
            }
            Some(Goal::Deadlock) if dead => Some(End::Goal),
            _ if dead => Some(End::Dead),
            _ if self.firings() >= experiment.firings => Some(End::Limit),
            _ => None,
        }
    }

    /// Fires once. Something is enabled.
    fn step(&mut self, experiment: &Experiment) -> Option<End> {
        let Some(rates) = &experiment.rates else {
            // What the engine will pick is not known beforehand, but what it changes can be told from the arcs afterwards.
            return match self.engine.step() {
                Step::Fired(t) => {
                    self.now += 1.0;
                    self.account_for(t);
                    None
                }
                Step::Overflow { .. } => Some(End::Overflow),
                Step::Dead => Some(End::Dead),
            };
        };
        let rate_of = |t: TransitionIx| rates[t.index()];
        let total: f64 = self.engine.enabled().map(rate_of).sum();
        let next = self.now + exponential(&mut self.random) / total;
        if let Some(limit) = experiment.time.filter(|&limit| next > limit) {
            self.now = limit;
            return Some(End::Limit);
        }
        self.now = next;
        let mut left = unit(&mut self.random) * total;
        let mut picked = None;
        for t in self.engine.enabled() {
            picked = Some(t);
            left -= rate_of(t);
            // Rounding may leave a little at the end: then it is the last.
            if left < 0.0 {
                break;
            }
        }
        let t = picked?;
        if self.engine.fire(t).is_err() {
            return Some(End::Overflow);
        }
        self.account_for(t);
        None
    }

    /// Adds up what the places around a transition held until now, when it fired.
    fn account_for(&mut self, t: TransitionIx) {
        let net = self.engine.net();
        let tokens = self.engine.marking().as_slice();
        let mut add = |place: usize, before: u64| {
            self.weighted[place] += before as f64 * (self.now - self.since[place]);
            self.since[place] = self.now;
        };
        for arc in net.outputs(t) {
            // A place that is an input too is settled here, both arcs at once.
            let taken = net.inputs(t).iter().find(|input| input.place == arc.place);
            let place = arc.place.index();
            add(place, tokens[place] - arc.weight + taken.map_or(0, |input| input.weight));
        }
        for arc in net.inputs(t) {
            let place = arc.place.index();
            // Nothing is added again for a place that was settled above: no time has passed since.
            add(place, tokens[place] + arc.weight);
        }
    }

    /// Begins to measure once the warm-up is over.
    fn warm(&mut self, experiment: &Experiment) {
        if self.measured_from.is_none() && self.firings() >= experiment.warm_up {
            self.measured_from = Some((self.now, self.engine.fired().to_vec()));
            self.weighted.fill(0.0);
            self.since.fill(self.now);
        }
    }

    /// `None`: no time has passed since the warm-up.
    pub fn averages(&self) -> Option<Averages> {
        let (from, fired_by_then) = self.measured_from.as_ref()?;
        let time = self.now - from;
        if time <= 0.0 {
            return None;
        }
        let fired = self.engine.fired().iter().zip(fired_by_then);
        let held = self.weighted.iter().zip(&self.since).zip(self.engine.marking().as_slice());
        Some(Averages {
            throughput: fired.map(|(now, then)| (now - then) as f64 / time).collect(),
            tokens: held
                .map(|((weighted, since), &tokens)| (weighted + tokens as f64 * (self.now - since)) / time)
                .collect(),
        })
    }
}

/// Uniform in `[0, 1)`, with 53 bits.
fn unit(random: &mut Xoshiro256PlusPlus) -> f64 {
    (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Exponential with rate 1.
fn exponential(random: &mut Xoshiro256PlusPlus) -> f64 {
    // 1 - u is never zero.
    -(1.0 - unit(random)).ln()
}
