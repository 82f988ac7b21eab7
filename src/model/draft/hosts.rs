//! Hosts, their commands and pipelines in a transaction.
//!
//! `Host::pending_command` is written here and nowhere else, with the change of the command that it names.

use super::{Draft, Gone};
use crate::model::{
    Change, Command, CommandCause, CommandId, CommandStatus, CompartmentStatus, Happening, Host, HostCause,
    HostId, Name, Pipeline, PipelineId, PostCheck, PullRequest, Repository,
    command::{COMMANDS_IN_SNAPSHOT, POST_CHECK_WITHIN},
    pipeline::PIPELINES_IN_SNAPSHOT,
};
use std::{collections::BTreeMap, sync::Arc};

impl Draft<'_> {
    pub fn host(&self, id: HostId) -> Result<&Arc<Host>, Gone> {
        self.hosts.get(&id).map_or_else(|| self.fleet.host(id), Option::as_ref).ok_or(Gone("host"))
    }

    pub fn host_named(&self, name: &Name) -> Option<&Host> {
        self.fleet.hosts().map(Arc::as_ref).find(|host| host.name.reads_as(name))
    }

    /// A command of the snapshot.
    pub fn command(&self, id: CommandId) -> Result<&Arc<Command>, Gone> {
        self.commands.get(&id).or_else(|| self.fleet.command(id)).ok_or(Gone("command"))
    }

    /// The commands of a host that are not over, oldest first.
    pub fn commands_on(&self, host: HostId) -> Vec<Arc<Command>> {
        let kept = self.fleet.commands().filter(|command| !self.commands.contains_key(&command.id));
        let mut open: Vec<_> = kept
            .chain(self.commands.values())
            .filter(|command| command.host_id == host && !command.status.is_over())
            .cloned()
            .collect();
        open.sort_by_key(|command| (command.queued_at, command.id));
        open
    }

    pub fn create_host(&mut self, mut host: Host) {
        (host.revision, host.state_revision) = (1, 1);
        (host.created_at, host.updated_at, host.online_since) = (self.now, self.now, self.now);
        let host = Arc::new(host);
        self.hosts.insert(host.id, Some(host.clone()));
        self.record(Change::HostPut { cause: HostCause::Added, host });
    }

    pub fn edit_host(
        &mut self,
        id: HostId,
        cause: HostCause,
        edit: impl FnOnce(&mut Host),
    ) -> Result<(), Gone> {
        let before = self.host(id)?.clone();
        let mut host = Host::clone(&before);
        edit(&mut host);
        host.pending_command = before.pending_command;
        self.put_host(&before, host, cause);
        Ok(())
    }

    /// Deletes a host; its commands end with it.
    pub fn delete_host(&mut self, id: HostId) -> Result<(), Gone> {
        self.host(id)?;
        for command in self.commands_on(id) {
            self.happens(command.id, &Happening::HostDeleted)?;
        }
        self.record(Change::HostDeleted { id });
        self.hosts.insert(id, None);
        Ok(())
    }

    /// Queues a command.
    pub fn queue_command(&mut self, mut command: Command) -> Result<(), Gone> {
        self.host(command.host_id)?;
        command.revision = 1;
        let command = Arc::new(command);
        self.commands.insert(command.id, command.clone());
        self.record(Change::CommandPut { cause: CommandCause::Queued, command });
        Ok(())
    }

    /// What happens to a command, with what it means for its host. Returns whether it changed anything.
    pub fn happens(&mut self, id: CommandId, happening: &Happening) -> Result<bool, Gone> {
        let before = self.command(id)?.clone();
        let Some(mut after) = before.after(happening, self.now) else { return Ok(false) };
        let cause = match happening {
            _ if after.status.is_over() => CommandCause::Finished,
            Happening::Started { .. } => CommandCause::Started,
            _ => CommandCause::Progress,
        };
        if after.status == CommandStatus::Succeeded {
            let checks =
                self.host(after.host_id)?.offer(&after.kind).is_some_and(|offer| !offer.checks.is_empty());
            let until = self.now.plus(POST_CHECK_WITHIN);
            after.post_check = checks.then_some(PostCheck::Awaited { until });
        }
        self.put_command(&before, after, cause);
        self.settle_host(&before, id)?;
        Ok(true)
    }

    /// Writes what the look afterwards found.
    pub fn post_checked(&mut self, id: CommandId, found: PostCheck) -> Result<(), Gone> {
        let before = self.command(id)?.clone();
        let after = Command { post_check: Some(found), ..Command::clone(&before) };
        self.put_command(&before, after, CommandCause::Progress);
        Ok(())
    }

    /// Puts a pipeline; its revision is counted here.
    pub fn put_pipeline(&mut self, mut pipeline: Pipeline) {
        pipeline.revision =
            self.fleet.pipeline(pipeline.id).map_or(0, |before| before.revision).max(pipeline.revision) + 1;
        self.record(Change::PipelinePut { pipeline: Arc::new(pipeline) });
    }

    /// The pipeline as it was before this draft.
    pub fn pipeline(&self, id: PipelineId) -> Result<&Arc<Pipeline>, Gone> {
        self.fleet.pipeline(id).ok_or(Gone("pipeline"))
    }

    /// Puts a pull request, if anything of it changed.
    pub fn put_pull_request(&mut self, mut row: PullRequest) {
        let before = self.fleet.pull_request(row.number);
        if let Some(before) = before {
            (row.revision, row.updated_at) = (before.revision, before.updated_at);
            if row == **before {
                return;
            }
        }
        row.revision = before.map_or(1, |before| before.revision + 1);
        row.updated_at = self.now;
        self.record(Change::PullRequestPut { pull_request: Arc::new(row) });
    }

    pub fn pull_request_gone(&mut self, number: u64) {
        if self.fleet.pull_request(number).is_some() {
            self.record(Change::PullRequestGone { number });
        }
    }

    /// Puts what is expected of the hosts. Where the lock file expected is another one, every host is compared anew.
    pub fn put_repository(&mut self, mut row: Repository) {
        let before = self.fleet.repository().cloned();
        row.revision = before.as_ref().map_or(1, |before| before.revision + 1);
        let expected = row.lock_hash.clone();
        self.record(Change::RepositoryPut { repository: Arc::new(row) });
        if before.and_then(|before| before.lock_hash.clone()) == expected {
            return;
        }
        let ids: Vec<HostId> =
            self.fleet.hosts().filter(|host| host.lock_hash.is_some()).map(|host| host.id).collect();
        for id in ids {
            // The row was there a moment ago; a draft that deleted it has nothing to compare.
            _ = self.edit_host(id, HostCause::Reported, |host| {
                let at = host.compartments.lock.checked_at;
                host.compartments.lock =
                    Host::lock_against(host.lock_hash.as_deref(), expected.as_deref(), at);
            });
        }
    }

    fn put_host(&mut self, before: &Arc<Host>, mut host: Host, cause: HostCause) {
        if host == **before {
            return;
        }
        host.revision = before.revision + 1;
        host.state_revision = before.state_revision + u64::from(host.state_differs(before));
        host.updated_at = self.now;
        let host = Arc::new(host);
        self.hosts.insert(host.id, Some(host.clone()));
        self.record(Change::HostPut { cause, host });
    }

    fn put_command(&mut self, before: &Command, mut after: Command, cause: CommandCause) {
        after.revision = before.revision + 1;
        let command = Arc::new(after);
        self.commands.insert(command.id, command.clone());
        self.record(Change::CommandPut { cause, command });
    }

    /// A command that was sent or ended is, or is no more, the pending one of its host; what it changes is worked on meanwhile.
    fn settle_host(&mut self, before: &Command, id: CommandId) -> Result<(), Gone> {
        let after = self.command(id)?.clone();
        if before.is_pending() == after.is_pending() && before.status == after.status {
            return Ok(());
        }
        let Ok(row) = self.host(after.host_id).cloned() else { return Ok(()) };
        let mut host = Host::clone(&row);
        host.pending_command = match after.is_pending() {
            true => Some(id),
            false => host.pending_command.filter(|pending| *pending != id),
        };
        let checks = host.offer(&after.kind).map(|offer| offer.checks.clone()).unwrap_or_default();
        for kind in checks {
            let compartment = host.compartments.get_mut(kind);
            match after.status {
                CommandStatus::Running => {
                    compartment.status = CompartmentStatus::Working;
                    compartment.message = format!("{} is running", after.kind);
                    compartment.working_until = after.deadline;
                }
                // Its report follows: until then nobody knows.
                CommandStatus::Succeeded => {
                    compartment.status = CompartmentStatus::Working;
                    compartment.message = format!("{} has ended; waiting for a report", after.kind);
                    compartment.working_until = Some(self.now.plus(POST_CHECK_WITHIN));
                }
                status if status.is_over() && compartment.status == CompartmentStatus::Working => {
                    compartment.status = CompartmentStatus::Unknown;
                    compartment.message = format!("{} {status}; waiting for a report", after.kind);
                    compartment.working_until = None;
                }
                _ => {}
            }
        }
        self.put_host(&row, host, HostCause::Command);
        Ok(())
    }

    /// Keeps the snapshot small: of what is over, the newest stay.
    pub(super) fn trim_commands_and_pipelines(&mut self) {
        if !self.commands.is_empty() {
            let mut over: BTreeMap<CommandId, bool> =
                self.fleet.commands().map(|command| (command.id, command.status.is_over())).collect();
            over.extend(self.commands.values().map(|command| (command.id, command.status.is_over())));
            let over: Vec<CommandId> = over.into_iter().filter(|(_, over)| *over).map(|(id, _)| id).collect();
            let surplus = over.len().saturating_sub(COMMANDS_IN_SNAPSHOT);
            // A pipeline that is not over still asks for the commands of its cells.
            let awaited: Vec<CommandId> = self
                .fleet
                .pipelines()
                .filter(|row| !row.status.is_over())
                .flat_map(|row| row.active().collect::<Vec<_>>())
                .collect();
            let leave = over.into_iter().take(surplus).filter(|id| !awaited.contains(id));
            self.changes.extend(leave.map(|id| Change::CommandTrimmed { id }));
        }
        let mut pipelines: BTreeMap<PipelineId, bool> = BTreeMap::new();
        for change in &self.changes {
            if let Change::PipelinePut { pipeline } = change {
                pipelines.insert(pipeline.id, pipeline.status.is_over());
            }
        }
        if !pipelines.is_empty() {
            for row in self.fleet.pipelines() {
                pipelines.entry(row.id).or_insert(row.status.is_over());
            }
            let over: Vec<PipelineId> =
                pipelines.into_iter().filter(|(_, over)| *over).map(|(id, _)| id).collect();
            let surplus = over.len().saturating_sub(PIPELINES_IN_SNAPSHOT);
            self.changes.extend(over.into_iter().take(surplus).map(|id| Change::PipelineTrimmed { id }));
        }
    }
}
