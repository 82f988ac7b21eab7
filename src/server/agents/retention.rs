//! What is kept of commands that are over, and for how long.

use super::Agents;
use crate::{
    model::{Timestamp, command::COMMANDS_IN_SNAPSHOT},
    server::{clock::now, storage::hosts},
};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How much of the past is kept: commands with their output.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    pub within: Duration,
    /// The newest so many; those in the snapshot stay in any case.
    pub most: u32,
}

impl Default for Keep {
    fn default() -> Keep {
        Keep { within: Duration::from_secs(90 * 24 * 3600), most: 10_000 }
    }
}

pub async fn run(agents: Agents) {
    let mut every = interval(agents.0.pace.sweep);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = agents.0.shutdown.cancelled() => return,
            _ = every.tick() => {}
            () = agents.0.sweep.notified() => {}
        }
        tokio::select! {
            () = agents.0.shutdown.cancelled() => return,
            outcome = sweep(&agents) => {
                if let Err(error) = outcome {
                    tracing::warn!(%error, "old commands could not be forgotten; it is tried again");
                }
            }
        }
    }
}

async fn sweep(agents: &Agents) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let pool = agents.0.store.pool();
    let before = Timestamp(now().0.saturating_sub(agents.0.keep.within.as_millis() as u64));
    let kept = COMMANDS_IN_SNAPSHOT as u32;
    let forgotten = hosts::forget_commands(pool, before, agents.0.keep.most, kept).await?;
    let mut removed = 0;
    for command in agents.0.outputs.stored().await? {
        if !hosts::has_host(pool, command).await? {
            agents.0.outputs.remove(command).await?;
            removed += 1;
        }
    }
    if forgotten + removed > 0 {
        tracing::info!(forgotten, removed, "old commands and their output were forgotten");
    }
    Ok(())
}
