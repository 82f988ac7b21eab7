//! What is tried.

use serde::{Deserialize, Serialize};

use crate::petri::net::{PetriNet, PlaceIx};

/// Runs of one experiment at most, and firings of one run.
pub const MAX_RUNS: u64 = 10_000_000;
pub const MAX_FIRINGS: u64 = 1_000_000_000_000;

/// An experiment: so many runs from the initial marking, each until the goal is reached, nothing is enabled, or a limit is met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    pub runs: u64,
    pub seed: u64,
    /// `None`: each run goes to its limit.
    pub goal: Option<Goal>,
    /// Firings of a run at most.
    pub firings: u64,
    /// Firings at the start of a run that the averages leave out, for what is not yet as it will be.
    #[serde(default)]
    pub warm_up: u64,
    /// By transition: how often it fires a unit of time while it is enabled (its delay is exponential, and the fastest fires). `None`: one
    /// of the enabled is picked with equal chances, as the engine does, and each firing takes a unit of time.
    #[serde(default)]
    pub rates: Option<Vec<f64>>,
    /// Units of time of a run at most; with rates only.
    #[serde(default)]
    pub time: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// This place holds so many tokens, or more.
    Tokens { place: PlaceIx, at_least: u64 },
    /// Nothing is enabled.
    Deadlock,
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExperimentError {
    #[error("{runs} runs cannot be made; 1 to {MAX_RUNS} can")]
    Runs { runs: u64 },
    #[error("a run of {firings} firings cannot be made; 1 to {MAX_FIRINGS} can")]
    Firings { firings: u64 },
    #[error("the warm-up of {warm_up} firings leaves nothing of a run of {firings}")]
    WarmUp { warm_up: u64, firings: u64 },
    #[error("the net has no place number {}", .0.0)]
    NoSuchPlace(PlaceIx),
    #[error("there are {given} rates for {wanted} transitions")]
    RateCount { given: usize, wanted: usize },
    #[error("the rate {rate} of transition number {transition} is not a positive number")]
    Rate { transition: usize, rate: f64 },
    #[error("a limit of time needs rates: without them time is counted in firings")]
    TimeWithoutRates,
    #[error("the limit of time {0} is not a positive number")]
    Time(f64),
}

impl Experiment {
    /// So many runs of at most so many firings; the rest can be set.
    pub fn new(runs: u64, firings: u64, seed: u64) -> Self {
        Self { runs, seed, goal: None, firings, warm_up: 0, rates: None, time: None }
    }

    pub(super) fn check(&self, net: &PetriNet) -> Result<(), ExperimentError> {
        use ExperimentError::*;
        // Neither zero nor less, nor infinite, nor no number at all.
        let positive = |number: f64| number.is_finite() && number > 0.0;
        if !(1..=MAX_RUNS).contains(&self.runs) {
            return Err(Runs { runs: self.runs });
        }
        if !(1..=MAX_FIRINGS).contains(&self.firings) {
            return Err(Firings { firings: self.firings });
        }
        if self.warm_up >= self.firings {
            return Err(WarmUp { warm_up: self.warm_up, firings: self.firings });
        }
        if let Some(Goal::Tokens { place, .. }) = self.goal
            && place.index() >= net.places.len()
        {
            return Err(NoSuchPlace(place));
        }
        if let Some(rates) = &self.rates {
            if rates.len() != net.transitions.len() {
                return Err(RateCount { given: rates.len(), wanted: net.transitions.len() });
            }
            if let Some(transition) = rates.iter().position(|&rate| !positive(rate)) {
                return Err(Rate { transition, rate: rates[transition] });
            }
        }
        match self.time {
            Some(_) if self.rates.is_none() => Err(TimeWithoutRates),
            Some(time) if !positive(time) => Err(Time(time)),
            _ => Ok(()),
        }
    }

    /// The seed of one run: neighbouring numbers give seeds that have nothing to do with each other (SplitMix64's finaliser).
    pub(super) fn seed_of(&self, run: u64) -> u64 {
        let mut seed = self.seed.wrapping_add((run + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        seed ^ (seed >> 31)
    }
}
