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
#[cfg(test)]
pub(crate) use dice::Dice;
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
    let mut world = World::new(plan.clone());
    let ran = catch_unwind(AssertUnwindSafe(|| world.run()));
    ran.unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic".to_owned());
        // From the end: an assertion says last what was wrong.
        let end = what.char_indices().rev().nth(300).map_or(0, |(at, _)| at);
        let what = format!("panicked: {}", &what[end..]);
        Err(world.failure(Violation { guarantee: Guarantee::Atomic, what }, None))
    })?;
    Ok(world)
}

/// The story as it is printed: what happened to the client that saw it, and to the server, up to the violation; its last `most` lines.
pub fn story(plan: &Plan, failure: &Failure, most: usize) -> String {
    let who = failure.client.map_or_else(|| "the server".to_owned(), |client| format!("client {client}"));
    let other = |line: &&String| {
        // Where no client is to blame, all of them may be.
        let mut others = (0..plan.clients).filter(|client| failure.client.is_some_and(|who| who != *client));
        !others.any(|client| line.contains(&format!(" client {client} "))) && !line.contains("sends beacons")
    };
    let lines: Vec<&String> = failure.story.iter().filter(other).collect();
    let last = lines.iter().skip(lines.len().saturating_sub(most)).map(|line| format!("{line}\n"));
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
