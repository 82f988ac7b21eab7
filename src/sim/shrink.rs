//! A failure with as little around it as can be.
//!
//! Every try is a whole run: what is left out changes what the dice mean after it, so a smaller plan is taken only if it fails by itself.

use super::{Failure, Fault, Plan, run};
use std::cell::Cell;

/// Leaves out the faults, kinds of them first, then single ones, and the clients that do not matter, and tells the story of what is left.
pub fn shrink(plan: &Plan, failure: &Failure) -> (Plan, Box<Failure>) {
    let fails = |plan: &Plan| {
        run(plan).err().filter(|other| other.violation.guarantee == failure.violation.guarantee)
    };
    let mut least = Plan { tell: false, ..plan.clone() };
    let faults = Cell::new(failure.faults);
    let attempt = |smaller: Plan| {
        let failure = fails(&smaller)?;
        faults.set(failure.faults);
        Some(smaller)
    };
    for fault in Fault::ALL {
        let without = least.faults.iter().copied().filter(|kept| *kept != fault).collect();
        least = attempt(Plan { faults: without, ..least.clone() }).unwrap_or(least);
    }
    while least.clients > 1
        && let Some(smaller) = attempt(Plan { clients: least.clients - 1, ..least.clone() })
    {
        least = smaller;
    }
    // The last ones first: with each that is left out, the run after it is another one.
    for number in (1..=faults.get()).rev() {
        let mut spared = least.spared.clone();
        spared.insert(number);
        least = attempt(Plan { spared, ..least.clone() }).unwrap_or(least);
    }
    let told = Plan { tell: true, ..least };
    let failure = fails(&told).unwrap_or_else(|| Box::new(failure.clone()));
    (told, failure)
}
