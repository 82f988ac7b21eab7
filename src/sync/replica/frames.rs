//! What comes on the stream, and how it becomes the state that is shown.

use super::{At, Effect, Fetch, Instant, Link, Replica, link::Reached};
use crate::{
    model::{Change, EntityRef},
    sync::{
        digest::Digest,
        message::{Delta, FullState, Message, Sync},
        position::Token,
    },
};

/// Deltas kept while the whole state is fetched. More than this, and a new stream is the shorter way.
const MOST_WAITING: usize = 10_000;

impl Replica {
    /// A message of the open stream.
    pub fn on_message(&mut self, message: Message, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        let Link::Up { last_frame, reached, .. } = &mut self.link else { return effects };
        *last_frame = now;
        let before = *reached;
        let (goes_on, after) = match &message {
            Message::Init(state) => (true, Reached::Version(state.version)),
            Message::Delta(delta) => before.then(delta.prev, delta.version),
            Message::Sync(sync) => before.then(sync.prev, sync.version),
            Message::Connected(_) | Message::Telemetry(_) | Message::Shutdown(_) => (true, before),
        };
        *reached = after;
        if !goes_on {
            self.give_up(now, 1.0, &mut effects);
            return effects;
        }
        let first = matches!(before, Reached::OpenedAt(_));
        match message {
            Message::Connected(_) => self.leaving = None,
            // Back, in the middle of a stream: the database was restored, or this process is behind the one that our state came from.
            // The server finds out when it is shown our position.
            Message::Init(state) if !first && self.version() > Some(state.version) => {
                self.connect(now, &mut effects);
            }
            Message::Init(state) => {
                // At the beginning of a stream the server has compared our position: its word is final, even where its number is lower.
                self.replace(state, &mut effects);
                (self.fetch, self.as_of_seen) = (Fetch::Idle, now);
            }
            Message::Delta(delta) => self.on_delta(delta, now, &mut effects),
            Message::Sync(sync) => self.on_sync(sync, now, &mut effects),
            Message::Telemetry(batch) => effects.push(Effect::Telemetry(batch)),
            Message::Shutdown(shutdown) => self.leaving = Some(shutdown.spread_ms),
        }
        effects
    }

    pub(super) fn on_delta(&mut self, delta: Delta, now: Instant, effects: &mut Vec<Effect>) {
        let Some(version) = self.goes_with(delta.version, &delta.position, now, effects) else { return };
        if delta.version <= version {
            return;
        }
        if delta.prev > version {
            if self.waiting.len() < MOST_WAITING {
                self.waiting.push_back(delta);
            }
            return self.want_full_state(now);
        }
        self.fleet.apply_all(&delta.changes);
        effects.push(Effect::Changed(delta.changes.iter().flat_map(touched).collect()));
        self.at = Some(At { position: delta.position.clone(), version: delta.version });
        self.as_of = self.as_of.max(Some(delta.at));
        if matches!(self.fetch, Fetch::InFlight { .. }) {
            self.meanwhile.push(delta);
        }
    }

    fn on_sync(&mut self, sync: Sync, now: Instant, effects: &mut Vec<Effect>) {
        let Some(version) = self.goes_with(sync.version, &sync.position, now, effects) else { return };
        if sync.version < version {
            // What we hold came from elsewhere and is newer. The next beacon will agree; if it does not, the stream is given up.
            return;
        }
        if sync.prev > version {
            return self.want_full_state(now);
        }
        if sync.digest.is_some_and(|digest| digest != Digest::of(&self.fleet)) {
            return self.want_full_state(now);
        }
        self.at = Some(At { position: sync.position, version: sync.version });
        (self.as_of, self.as_of_seen) = (Some(sync.server_time), now);
        self.proven(now, effects);
    }

    /// This replica's version, if a frame at `position` goes with what it holds. If not, the two are of different histories or scopes, or
    /// the `init` between them was lost: only the server can say which one holds, so a new stream is opened.
    fn goes_with(
        &mut self,
        version: u64,
        position: &Token,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) -> Option<u64> {
        let ours = self.at.as_ref().filter(|at| match at.version == version {
            true => at.position == *position,
            false => at.position.kin(position),
        });
        let version = ours.map(|at| at.version);
        // While deltas that waited are applied, an earlier one of them may have ended the stream.
        if version.is_none() && matches!(self.link, Link::Up { .. }) {
            self.give_up(now, 1.0, effects);
        }
        version
    }

    fn replace(&mut self, state: FullState, effects: &mut Vec<Effect>) {
        self.waiting.clear();
        self.replace_keeping_waiting(state, effects);
    }

    pub(super) fn replace_keeping_waiting(&mut self, state: FullState, effects: &mut Vec<Effect>) {
        self.fleet = state.state;
        self.at = Some(At { position: state.position, version: state.version });
        effects.push(Effect::Replaced);
    }
}

impl Reached {
    /// Whether a frame may come now, and how far the stream has come with it. A stream begins with an `init` or where the replica was, and
    /// goes back only by an `init`; if not, an `init` was lost on the way, and what came since may be of another history.
    fn then(self, prev: u64, version: u64) -> (bool, Reached) {
        let goes_on = match self {
            Reached::OpenedAt(since) => since == Some(prev),
            Reached::Version(reached) => version >= reached,
        };
        (goes_on, Reached::Version(version))
    }
}

/// The rows whose view a change alters.
fn touched(change: &Change) -> Vec<EntityRef> {
    match change {
        Change::ClusterPut { cluster, .. } => vec![EntityRef::Cluster(cluster.id)],
        Change::ClusterDeleted { id } => vec![EntityRef::Cluster(*id)],
        Change::ProjectPut { project, .. } => vec![EntityRef::Project(project.id)],
        Change::ProjectDeleted { id } => vec![EntityRef::Project(*id)],
        Change::WorkerPut { worker, .. } => vec![EntityRef::Worker(worker.id)],
        Change::WorkerDeleted { id } => vec![EntityRef::Worker(*id)],
        Change::NetPut { net, .. } => vec![EntityRef::Net(net.id)],
        Change::NetDeleted { id, .. } => vec![EntityRef::Net(*id)],
        Change::HostPut { host, .. } => vec![EntityRef::Host(host.id)],
        Change::HostDeleted { id } => vec![EntityRef::Host(*id)],
        Change::CommandPut { command, .. } => vec![EntityRef::Command(command.id)],
        Change::CommandTrimmed { id } => vec![EntityRef::Command(*id)],
        Change::PipelinePut { pipeline } => vec![EntityRef::Pipeline(pipeline.id)],
        Change::PipelineTrimmed { id } => vec![EntityRef::Pipeline(*id)],
        Change::BuildPut { build, .. } => vec![EntityRef::Build(build.id)],
        Change::BuildTrimmed { id } => vec![EntityRef::Build(*id)],
        Change::LabPut { lab } => vec![EntityRef::Lab(lab.id)],
        Change::LabDeleted { id, .. } => vec![EntityRef::Lab(*id)],
        Change::PullRequestPut { pull_request } => vec![EntityRef::PullRequest(pull_request.number)],
        Change::PullRequestGone { number } => vec![EntityRef::PullRequest(*number)],
        Change::RepositoryPut { .. } => vec![EntityRef::Repository],
        Change::RulesPut { .. } => vec![EntityRef::Rules],
        Change::EventLogged { event } | Change::EventAcknowledged { event } => {
            vec![EntityRef::Event(event.id)]
        }
        // The list of events is read as a whole; any id of it will do.
        Change::EventsTrimmed { before } => vec![EntityRef::Event(*before)],
    }
}
