//! Experiments on a net: many independent runs, and what they say on the average (Monte Carlo).
//!
//! What lives here: [`experiment`] (what is tried), `run` (one run of it), [`estimate`] (averages and their confidence intervals), and
//! [`Lab`], which works through the runs a slice at a time. What may come in: a net, an experiment, what was counted before. What must not:
//! clocks, threads, files. How long a slice may take is decided outside.
//!
//! **Determined by the seed.** Each run has a seed of its own, made from the experiment's and its number. However the work is sliced, broken
//! off and taken up again, the same net and experiment give the same figures.

pub mod estimate;
pub mod experiment;
mod run;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use estimate::{Estimate, Moments};
pub use experiment::{Experiment, ExperimentError, Goal};

use super::net::PetriNet;
use estimate::share;
use run::{End, Run};

/// Firings between two questions whether to stop.
const ASK: u64 = 1_024;

/// An experiment under way. To keep it, keep its [`Tally`]; a run that was under way begins anew then, and comes out the same.
#[derive(Clone, Debug)]
pub struct Lab {
    net: Arc<PetriNet>,
    experiment: Experiment,
    tally: Tally,
    run: Run,
}

/// What the finished runs came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Finished runs.
    pub runs: u64,
    /// How many of them reached the goal, ended in a deadlock that was not the goal, came to a limit, or had a place that could hold no
    /// more.
    pub reached: u64,
    pub dead: u64,
    pub limited: u64,
    pub overflowed: u64,
    /// Firings of all of them.
    pub firings: u64,
    firings_to_goal: Moments,
    time_to_goal: Moments,
    /// By transition and by place; empty before the first run.
    throughput: Vec<Moments>,
    tokens: Vec<Moments>,
}

/// What an experiment says so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    pub runs: u64,
    /// Of these runs, those that reached the goal; without a goal nothing reaches it.
    pub reached: Estimate,
    pub dead: u64,
    pub limited: u64,
    pub overflowed: u64,
    /// Of the runs that reached the goal. Where others came to a limit, the mean over all runs would be larger.
    pub firings_to_goal: Option<Estimate>,
    /// In units of time, where the experiment has rates.
    pub time_to_goal: Option<Estimate>,
    /// By transition: firings a unit of time; without rates, a firing is a unit of time.
    pub throughput: Vec<Estimate>,
    /// By place: tokens on it on the average over the time of a run.
    pub tokens: Vec<Estimate>,
}

/// What is kept belongs to another net.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was counted before is of a net with other places or transitions")]
pub struct OtherNet;

impl Lab {
    pub fn new(net: Arc<PetriNet>, experiment: Experiment) -> Result<Self, ExperimentError> {
        experiment.check(&net)?;
        let run = Run::new(net.clone(), &experiment, 0);
        Ok(Self { net, experiment, tally: Tally::default(), run })
    }

    /// Goes on from what was counted before.
    pub fn resume(&mut self, tally: Tally) -> Result<(), OtherNet> {
        let fits = |moments: &[Moments], wanted: usize| moments.is_empty() || moments.len() == wanted;
        if !fits(&tally.throughput, self.net.transitions.len()) || !fits(&tally.tokens, self.net.places.len())
        {
            return Err(OtherNet);
        }
        self.run.restart(&self.experiment, tally.runs);
        self.tally = tally;
        Ok(())
    }

    /// Forgets all that was counted.
    pub fn wipe(&mut self) {
        self.tally = Tally::default();
        self.run.restart(&self.experiment, 0);
    }

    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    pub fn is_done(&self) -> bool {
        self.tally.runs >= self.experiment.runs
    }

    /// Works for at most so many firings, or until `stop` says so; it is asked about every thousand firings. Returns the firings made.
    pub fn advance(&mut self, firings: u64, mut stop: impl FnMut() -> bool) -> u64 {
        let mut made = 0;
        while made < firings && !self.is_done() && !stop() {
            let mut left = ASK.min(firings - made);
            // A run may end without a firing; it counts as one, so that this comes to an end.
            while left > 0 && !self.is_done() {
                let before = self.run.firings();
                let end = self.run.go_on(&self.experiment, left);
                let done = self.run.firings() - before;
                made += done;
                left = left.saturating_sub(done.max(1));
                if let Some(end) = end {
                    self.tally.add(&self.run, end, self.experiment.rates.is_some());
                    self.run.restart(&self.experiment, self.tally.runs);
                }
            }
        }
        made
    }

    pub fn results(&self) -> Results {
        let mut results = self.tally.results(&self.net);
        if self.experiment.goal.is_none() {
            // None could be reached: that is not a share of 0.
            (results.reached.mean, results.reached.interval) = (None, None);
        }
        results
    }
}

impl Tally {
    fn add(&mut self, run: &Run, end: End, timed: bool) {
        self.runs += 1;
        self.firings += run.firings();
        match end {
            End::Goal => {
                self.reached += 1;
                self.firings_to_goal.add(run.firings() as f64);
                if timed {
                    self.time_to_goal.add(run.time());
                }
            }
            End::Dead => self.dead += 1,
            End::Limit => self.limited += 1,
            End::Overflow => self.overflowed += 1,
        }
        let Some(averages) = run.averages() else { return };
        self.throughput.resize(averages.throughput.len(), Moments::default());
        self.tokens.resize(averages.tokens.len(), Moments::default());
        self.throughput.iter_mut().zip(averages.throughput).for_each(|(moments, value)| moments.add(value));
        self.tokens.iter_mut().zip(averages.tokens).for_each(|(moments, value)| moments.add(value));
    }

    fn results(&self, net: &PetriNet) -> Results {
        let all = |moments: &[Moments], wanted: usize| {
            let none = Moments::default();
            (0..wanted).map(|at| moments.get(at).unwrap_or(&none).estimate()).collect()
        };
        let some = |moments: &Moments| (moments.count() > 0).then(|| moments.estimate());
        Results {
            runs: self.runs,
            reached: share(self.reached, self.runs),
            dead: self.dead,
            limited: self.limited,
            overflowed: self.overflowed,
            firings_to_goal: some(&self.firings_to_goal),
            time_to_goal: some(&self.time_to_goal),
            throughput: all(&self.throughput, net.transitions.len()),
            tokens: all(&self.tokens, net.places.len()),
        }
    }
}
