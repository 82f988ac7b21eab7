//! A simulation of the whole system: real transaction code, real hub, real [`crate::sync::Replica`], over a simulated disk, network and
//! clock.
//!
//! One seed decides everything, so what failed once fails again. Every client's record is held against the guarantees of `docs/sync.md`.
//! Only builds with debug assertions contain this: [`plant::Break`] holds bugs that no release may have within reach.

mod check;
mod client;
mod dice;
pub mod plant;
mod process;
mod shrink;
mod storage;
#[cfg(test)]
mod tests;
mod work;
mod world;

pub use check::{Guarantee, Violation};
pub use plant::Break;
pub use shrink::shrink;
#[cfg(test)]
pub(crate) use storage::Content as SimulatedContent;
#[cfg(test)]
pub(crate) use work::definition;
pub use world::{Failure, Fault, Figures, Plan};

use std::panic::{AssertUnwindSafe, catch_unwind};
use world::World;

/// Runs one seed.
pub fn run(plan: &Plan) -> Result<Figures, Box<Failure>> {
    live(plan).map(|world| world.figures)
}

/// The same, and the world it ends with. A panic is a failure like any other.
fn live(plan: &Plan) -> Result<World, Box<Failure>> {
    let run = AssertUnwindSafe(|| World::new(plan.clone()).run());
    catch_unwind(run).unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic".to_owned());
        let what = format!("panicked: {}", what.chars().take(200).collect::<String>());
        let violation = Violation { guarantee: Guarantee::Atomic, what };
        Err(Box::new(Failure { violation, client: None, at: 0, faults: 0, story: Vec::new() }))
    })
}

/// The story as it is printed: what happened to the client that saw it, and to the server, up to the violation.
pub fn story(plan: &Plan, failure: &Failure) -> String {
    const LINES: usize = 40;
    let who = failure.client.map_or_else(|| "the server".to_owned(), |client| format!("client {client}"));
    let other = |line: &&String| {
        let mut others = (0..plan.clients).filter(|client| Some(*client) != failure.client);
        !others.any(|client| line.contains(&format!(" client {client} "))) && !line.contains("sends beacons")
    };
    let lines: Vec<&String> = failure.story.iter().filter(other).collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LINES)).map(|line| format!("{line}\n"));
    format!(
        "seed {}: not \"{}\": {who}, {:.3} s: {}\nfaults: {:?}, clients: {}\n{}",
        plan.seed,
        failure.violation.guarantee,
        failure.at as f64 / 1_000.0,
        failure.violation.what,
        plan.faults,
        plan.clients,
        last.collect::<String>()
    )
}
