//! A pipeline: the same commands over several hosts, stage after stage, a few hosts at a time, and no further once too many fail.
//!
//! What comes next is a function of the row and of how its commands stand, so a console that starts again goes on where the last one was.

#[cfg(test)]
mod tests;

use super::{Actor, Command, CommandId, CommandKind, CommandStatus, HostId, PipelineId, Timestamp};
use serde::{Deserialize, Serialize};
use std::{ops::RangeInclusive, sync::Arc, time::Duration};

/// A command of a pipeline waits no longer than this for a host that is offline: others wait for its lane, and an operator who looks at
/// a deployment the next morning expects it over, not a switch to what was merged yesterday.
pub const QUEUED_FOR: Duration = Duration::from_secs(3600);
/// Hosts of one pipeline.
pub const HOSTS: RangeInclusive<usize> = 1..=5_000;
/// Stages of one pipeline.
pub const STAGES: RangeInclusive<usize> = 1..=16;
/// How many ended pipelines the snapshot holds.
pub const PIPELINES_IN_SNAPSHOT: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PipelineStatus {
    Running,
    /// Nothing new begins; what runs goes on.
    Paused,
    /// Asked to end: what waited is skipped, what runs is cancelled.
    Cancelling,
    /// Too many hosts failed: nothing new begins, what runs goes on to its end.
    Stopping,
    Succeeded,
    Failed,
    Cancelled,
}

impl PipelineStatus {
    pub fn is_over(self) -> bool {
        matches!(self, PipelineStatus::Succeeded | PipelineStatus::Failed | PipelineStatus::Cancelled)
    }

    pub fn word(self) -> &'static str {
        match self {
            PipelineStatus::Running => "running",
            PipelineStatus::Paused => "paused",
            PipelineStatus::Cancelling => "cancelling",
            PipelineStatus::Stopping => "stopping",
            PipelineStatus::Succeeded => "succeeded",
            PipelineStatus::Failed => "failed",
            PipelineStatus::Cancelled => "cancelled",
        }
    }
}

/// A host in a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Cell {
    Waiting,
    /// Its command is queued or running.
    Active {
        command: CommandId,
    },
    /// Its command ended so. `command` is `None` where none could be made (the host was deleted).
    Ended {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command: Option<CommandId>,
        status: CommandStatus,
    },
    /// It never began, because an earlier stage failed or the pipeline was stopped.
    Skipped,
}

/// One host's way through the stages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Lane {
    pub host_id: HostId,
    /// One a stage.
    pub cells: Vec<Cell>,
}

/// What a pipeline is asked to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Plan {
    pub host_ids: Vec<HostId>,
    pub stages: Vec<CommandKind>,
    /// Hosts worked on at once.
    pub concurrency: u32,
    /// So many hosts go through all stages first, and every one of them must succeed before the others begin. 0: none.
    #[serde(default)]
    pub canary: u32,
    /// Nothing new begins once so many hosts have failed.
    #[serde(default = "one")]
    pub stop_after_failures: u32,
}

fn one() -> u32 {
    1
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("No host was named. Choose at least one: an empty list never means all hosts.")]
    NoHosts,
    #[error("{0} hosts are too many for one pipeline. Choose at most 5000.")]
    TooManyHosts(usize),
    #[error("A host is named twice.")]
    HostTwice,
    #[error("A pipeline has 1 to 16 stages; this one has {0}.")]
    Stages(usize),
    #[error("The concurrency is 0: nothing would ever begin. Give 1 or more.")]
    NoConcurrency,
    #[error(
        "{0} canaries are more than there are hosts. Give at most as many as there are hosts, or 0 for none."
    )]
    Canaries(u32),
    #[error("The pipeline would stop after 0 failures: nothing would ever begin. Give 1 or more.")]
    NoFailures,
}

impl Plan {
    pub fn check(&self) -> Result<(), PlanError> {
        let mut hosts = self.host_ids.clone();
        hosts.sort_unstable();
        hosts.dedup();
        if self.host_ids.is_empty() {
            Err(PlanError::NoHosts)
        } else if !HOSTS.contains(&self.host_ids.len()) {
            Err(PlanError::TooManyHosts(self.host_ids.len()))
        } else if hosts.len() != self.host_ids.len() {
            Err(PlanError::HostTwice)
        } else if !STAGES.contains(&self.stages.len()) {
            Err(PlanError::Stages(self.stages.len()))
        } else if self.concurrency == 0 {
            Err(PlanError::NoConcurrency)
        } else if self.canary as usize > self.host_ids.len() {
            Err(PlanError::Canaries(self.canary))
        } else if self.stop_after_failures == 0 {
            Err(PlanError::NoFailures)
        } else {
            Ok(())
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Pipeline {
    pub id: PipelineId,
    /// A sentence without a final full stop: `Deploy #42 Update the lock file`.
    pub title: String,
    pub actor: Actor,
    pub status: PipelineStatus,
    /// A sentence on why it has this status, where that needs saying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub stages: Vec<CommandKind>,
    pub lanes: Vec<Lane>,
    pub concurrency: u32,
    pub canary: u32,
    pub stop_after_failures: u32,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    pub revision: u64,
}

/// What to do next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Next {
    /// The row as it is to be written.
    pub changed: Option<Pipeline>,
    /// Commands to queue, each for the active cell that `id` gave it in `changed`.
    pub queue: Vec<(CommandId, HostId, CommandKind)>,
    /// Commands to cancel.
    pub cancel: Vec<CommandId>,
}

impl Lane {
    fn has_failed(&self) -> bool {
        self.cells
            .iter()
            .any(|cell| matches!(cell, Cell::Ended { status, .. } if *status != CommandStatus::Succeeded))
    }

    fn has_succeeded(&self) -> bool {
        self.cells.iter().all(|cell| matches!(cell, Cell::Ended { status: CommandStatus::Succeeded, .. }))
    }

    fn is_active(&self) -> bool {
        self.cells.iter().any(|cell| matches!(cell, Cell::Active { .. }))
    }

    fn is_under_way(&self) -> bool {
        !self.is_settled() && self.cells.iter().any(|cell| *cell != Cell::Waiting)
    }

    /// Nothing of it is to come.
    fn is_settled(&self) -> bool {
        self.cells.iter().all(|cell| matches!(cell, Cell::Ended { .. } | Cell::Skipped))
    }

    /// Its next command can never be: there is no host for it.
    fn lose_next(&mut self) {
        if let Some(cell) = self.cells.iter_mut().find(|cell| **cell == Cell::Waiting) {
            *cell = Cell::Ended { command: None, status: CommandStatus::Lost };
        }
    }

    fn skip_waiting(&mut self) {
        let waiting = self.cells.iter_mut().filter(|cell| **cell == Cell::Waiting);
        waiting.for_each(|cell| *cell = Cell::Skipped);
    }
}

impl Pipeline {
    /// A pipeline as it begins. `plan` was checked.
    pub fn begin(id: PipelineId, title: String, plan: Plan, actor: Actor, now: Timestamp) -> Pipeline {
        let cells = vec![Cell::Waiting; plan.stages.len()];
        Pipeline {
            id,
            title,
            actor,
            status: PipelineStatus::Running,
            reason: None,
            stages: plan.stages,
            lanes: plan.host_ids.into_iter().map(|host_id| Lane { host_id, cells: cells.clone() }).collect(),
            concurrency: plan.concurrency,
            canary: plan.canary,
            stop_after_failures: plan.stop_after_failures,
            created_at: now,
            finished_at: None,
            revision: 0,
        }
    }

    /// The commands it waits for.
    pub fn active(&self) -> impl Iterator<Item = CommandId> {
        self.lanes.iter().flat_map(|lane| &lane.cells).filter_map(|cell| match cell {
            Cell::Active { command } => Some(*command),
            _ => None,
        })
    }

    pub fn failures(&self) -> usize {
        self.lanes.iter().filter(|lane| lane.has_failed()).count()
    }

    /// What comes next. `command` finds one that a cell names (`None`: it is gone), `is_there` says whether a host still exists, `fresh`
    /// draws the id of a new command. Called again after `changed` was written and what it queues and cancels was done, it gives nothing
    /// until a command ends, a host is deleted, or somebody pauses, resumes or cancels.
    pub fn next(
        &self,
        command: impl Fn(CommandId) -> Option<Arc<Command>>,
        is_there: impl Fn(HostId) -> bool,
        mut fresh: impl FnMut() -> CommandId,
        now: Timestamp,
    ) -> Next {
        if self.status.is_over() {
            return Next::default();
        }
        let mut after = self.clone();
        let mut next = Next::default();
        let goes_on = matches!(self.status, PipelineStatus::Running | PipelineStatus::Paused);
        for lane in &mut after.lanes {
            for cell in &mut lane.cells {
                let Cell::Active { command: id } = *cell else { continue };
                let status = command(id).map_or(CommandStatus::Lost, |command| command.status);
                if status.is_over() {
                    *cell = Cell::Ended { command: Some(id), status };
                }
            }
            // What waits for a host that was deleted has failed, whenever its turn would have come.
            if goes_on && !lane.is_active() && !lane.has_failed() && !is_there(lane.host_id) {
                lane.lose_next();
            }
            if lane.has_failed() {
                lane.skip_waiting();
            }
        }
        let canaries = (after.canary as usize).min(after.lanes.len());
        if goes_on {
            let failures = after.failures();
            if after.lanes[..canaries].iter().any(Lane::has_failed) {
                (after.status, after.reason) = (PipelineStatus::Stopping, Some("A canary failed".to_owned()));
            } else if failures >= after.stop_after_failures as usize {
                let hosts = if failures == 1 {
                    "1 host failed".to_owned()
                } else {
                    format!("{failures} hosts failed")
                };
                (after.status, after.reason) = (PipelineStatus::Stopping, Some(hosts));
            }
        }
        match after.status {
            PipelineStatus::Running => after.start(canaries, &mut fresh, &mut next),
            PipelineStatus::Stopping => after.lanes.iter_mut().for_each(Lane::skip_waiting),
            PipelineStatus::Cancelling => {
                after.lanes.iter_mut().for_each(Lane::skip_waiting);
                let asked = |id: &CommandId| command(*id).is_some_and(|command| command.cancel.is_some());
                next.cancel = after.active().filter(|id| !asked(id)).collect();
            }
            _ => {}
        }
        if after.lanes.iter().all(Lane::is_settled) {
            after.status = match after.status {
                _ if after.lanes.iter().all(Lane::has_succeeded) => PipelineStatus::Succeeded,
                PipelineStatus::Cancelling => PipelineStatus::Cancelled,
                _ => PipelineStatus::Failed,
            };
            // It may have been paused, or asked to end, too late to matter.
            if after.status == PipelineStatus::Succeeded {
                after.reason = None;
            }
            after.finished_at = Some(now);
        }
        next.changed = (after != *self).then_some(after);
        next
    }

    /// Gives commands to as many lanes as may work at once: those under way first, canaries before the others.
    fn start(&mut self, canaries: usize, fresh: &mut impl FnMut() -> CommandId, next: &mut Next) {
        let canaries_done = self.lanes[..canaries].iter().all(Lane::has_succeeded);
        let reachable = if canaries_done { self.lanes.len() } else { canaries };
        let under_way = self.lanes.iter().filter(|lane| lane.is_under_way()).count();
        let mut free = (self.concurrency as usize).saturating_sub(under_way);
        for lane in &mut self.lanes[..reachable] {
            if lane.is_active() {
                continue;
            }
            // None waits in a lane that has failed or succeeded.
            let Some(stage) = lane.cells.iter().position(|cell| *cell == Cell::Waiting) else { continue };
            if !lane.is_under_way() {
                if free == 0 {
                    continue;
                }
                free -= 1;
            }
            let command = fresh();
            lane.cells[stage] = Cell::Active { command };
            next.queue.push((command, lane.host_id, self.stages[stage].clone()));
        }
    }
}
