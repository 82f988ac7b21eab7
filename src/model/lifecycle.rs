//! THE table: which actions each state permits, how states follow each other, and the words of every refusal.
//!
//! The server asks it inside the transaction, the guards in the browser ask it before sending, the views ask it which buttons to show.
//! There is no second place that knows.

use super::{
    Category, Command, CommandKind, CommandStatus, ErrorDetail, Host, LastAction, LoadState, Net, Operation,
    Pipeline, PipelineStatus, Provider, RunState, Timestamp, Worker, WorkerStatus, time::age,
};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A deletion waits this long before it begins, to be undone.
pub const UNDO_FOR: Duration = Duration::from_secs(10);

/// What an operator can do to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WorkerAction {
    Provision,
    Start,
    Stop,
    Destroy,
    Delete,
    /// Takes back a deletion that has not begun yet.
    UndoDelete,
    Refresh,
}

/// What an operator can do to a net.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NetAction {
    Assign,
    Unassign,
    Load,
    Unload,
    Step,
    Run,
    Stop,
    Reset,
    Inject,
    Delete,
    /// Takes back a deletion that has not begun yet.
    UndoDelete,
}

/// What an operator can do to a host, besides running the commands that it offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HostAction {
    /// Asks it for a fresh report.
    Refresh,
    /// Makes a new token; the old one is good for nothing then.
    IssueToken,
    RevokeToken,
    Delete,
}

/// The forms of an action's verb: on the button, while it runs, in an event.
pub trait Verb: Copy {
    /// On a button: `Stop`.
    fn label(self) -> &'static str;
    /// While it runs: `Stopping`.
    fn doing(self) -> &'static str;
    /// Within a sentence: `stop`.
    fn verb(self) -> &'static str;
    /// Once it was done: `stopped`.
    fn done(self) -> &'static str;
}

// The order is the one in which the console offers actions: what mends comes first, what destroys last.
macro_rules! verbs {
    ($type:ident { $($variant:ident: $label:literal, $doing:literal, $verb:literal, $done:literal;)* }) => {
        impl $type {
            pub const ALL: &[$type] = &[$($type::$variant),*];
        }
        impl Verb for $type {
            fn label(self) -> &'static str { match self { $($type::$variant => $label),* } }
            fn doing(self) -> &'static str { match self { $($type::$variant => $doing),* } }
            fn verb(self) -> &'static str { match self { $($type::$variant => $verb),* } }
            fn done(self) -> &'static str { match self { $($type::$variant => $done),* } }
        }
    };
}

mod labs;

pub use labs::{lab_action, lab_worker};

verbs!(WorkerAction {
    UndoDelete: "Undo", "Undoing", "undo the deletion of", "undid the deletion of";
    Provision: "Provision", "Provisioning", "provision", "provisioned";
    Start: "Start", "Starting", "start", "started";
    Stop: "Stop", "Stopping", "stop", "stopped";
    Refresh: "Check", "Checking", "check", "checked";
    Destroy: "Destroy", "Destroying", "destroy", "destroyed the machine of";
    Delete: "Delete", "Deleting", "delete", "deleted";
});

verbs!(HostAction {
    Refresh: "Refresh", "Refreshing", "refresh", "refreshed";
    IssueToken: "New token", "Making a token for", "make a token for", "made a token for";
    RevokeToken: "Revoke token", "Revoking the token of", "revoke the token of", "revoked the token of";
    Delete: "Delete", "Deleting", "delete", "deleted";
});

verbs!(NetAction {
    UndoDelete: "Undo", "Undoing", "undo the deletion of", "undid the deletion of";
    Assign: "Assign", "Assigning", "assign", "assigned";
    Unassign: "Unassign", "Unassigning", "unassign", "unassigned";
    Load: "Load", "Loading", "load", "loaded";
    Unload: "Unload", "Unloading", "unload", "unloaded";
    Step: "Step", "Stepping", "step", "stepped";
    Run: "Run", "Starting", "run", "started";
    Stop: "Stop", "Stopping", "stop", "stopped";
    Reset: "Reset", "Resetting", "reset", "reset";
    Inject: "Inject", "Injecting", "inject tokens into", "injected tokens into";
    Delete: "Delete", "Deleting", "delete", "deleted";
});

/// Why an action is not permitted now. Each names the state that stands in the way and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("Cannot {verb} {name}: it is {status}.{hint}")]
    Worker { verb: &'static str, name: String, status: WorkerStatus, hint: &'static str },

    #[error(
        "Cannot {verb} {name}: it is ephemeral ({status}), and an ephemeral worker lives once. Destroy it instead."
    )]
    Ephemeral { verb: &'static str, name: String, status: WorkerStatus },

    #[error(
        "Cannot {verb} {name}: its machine is somebody else's ({status}). {verb_there} it where it runs; destroying it here only disconnects it."
    )]
    NotOurs { verb: &'static str, verb_there: &'static str, name: String, status: WorkerStatus },

    #[error("Cannot {verb} {name}: its worker {worker} is {status}.{hint}")]
    NetWorker { verb: &'static str, name: String, worker: String, status: WorkerStatus, hint: &'static str },

    #[error("Cannot {verb} {name}: it is {load_state} and assigned to no worker. Assign it first.")]
    Unassigned { verb: &'static str, name: String, load_state: &'static str },

    #[error("Cannot {verb} {name}: it is {state}.{hint}")]
    Net { verb: &'static str, name: String, state: &'static str, hint: &'static str },

    #[error("Cannot {verb} {name}: {actor} is already {doing} {what}. Wait for it to end.")]
    InFlight {
        verb: &'static str,
        name: String,
        what: String,
        doing: String,
        actor: String,
        since: Timestamp,
    },

    #[error("Cannot {verb} {name}: {actor} is deleting {what}. Undo that first.")]
    Leaving { verb: &'static str, name: String, what: String, actor: String, until: Timestamp },

    #[error("Cannot {verb} {name}: it is {state}.{hint}")]
    Host { verb: &'static str, name: String, state: &'static str, hint: &'static str },

    #[error(
        "Cannot run {kind} on {name}: its agent offers {offers}. Add it to the agent's configuration, or choose one of these."
    )]
    NotOffered { kind: String, name: String, offers: String },

    #[error("Cannot cancel {kind} on {name}: it is {status} already.")]
    CommandOver { kind: String, name: String, status: CommandStatus },

    #[error("Cannot {verb} lab {name}: it is {state}.{hint}")]
    Lab { verb: &'static str, name: String, state: &'static str, hint: &'static str },

    #[error("Cannot {verb} pipeline {title}: it is {status}.")]
    Pipeline { verb: &'static str, title: String, status: &'static str },

    #[error("Cannot undo the deletion of {name}: it is {state}, and no deletion of it is waiting.")]
    NothingToUndo { name: String, state: String },
}

impl Refusal {
    /// The sentence, with the ages that the clock adds to it.
    pub fn tell(&self, now: Timestamp) -> String {
        match self {
            Refusal::InFlight { verb, name, what, doing, actor, since } => format!(
                "Cannot {verb} {name}: {actor} has been {doing} {what} for {}. Wait for it to end.",
                age(now.since(*since))
            ),
            Refusal::Leaving { verb, name, what, actor, until } => format!(
                "Cannot {verb} {name}: {actor} is deleting {what}, in {}. Undo that first.",
                age(until.since(now))
            ),
            other => other.to_string(),
        }
    }

    /// Whether something that happens now stands in the way, rather than the state.
    pub fn is_passing(&self) -> bool {
        matches!(self, Refusal::InFlight { .. } | Refusal::Leaving { .. })
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Worker { .. } | Refusal::Ephemeral { .. } => "worker_state",
            Refusal::NotOurs { .. } => "worker_not_ours",
            Refusal::NetWorker { .. } => "net_worker_state",
            Refusal::Unassigned { .. } => "net_unassigned",
            Refusal::Net { .. } => "net_state",
            Refusal::InFlight { .. } => "operation_in_flight",
            Refusal::Leaving { .. } => "deletion_waiting",
            Refusal::Host { .. } => "host_state",
            Refusal::NotOffered { .. } => "command_not_offered",
            Refusal::CommandOver { .. } => "command_over",
            Refusal::Lab { .. } => "lab_state",
            Refusal::Pipeline { .. } => "pipeline_state",
            Refusal::NothingToUndo { .. } => "nothing_to_undo",
        }
    }
}

/// How one status may follow another. Anything may be deleted; that is not a status.
pub fn may_follow(before: WorkerStatus, after: WorkerStatus) -> bool {
    use WorkerStatus::*;
    match (before, after) {
        (Pending, Provisioning) => true,
        (Provisioning, Ready | Error(_)) => true,
        (Ready, Stopped | Error(_) | Pending) => true,
        (Stopped, Ready | Error(_) | Pending) => true,
        (Error(_), Provisioning | Ready | Pending) => true,
        // What is wrong can turn out to be something else, or be understood to be a stop on purpose.
        (Error(a), Error(b)) => a != b,
        _ => false,
    }
}

/// Whether `action` is permitted on `worker` as it is now.
pub fn worker_action(worker: &Worker, action: WorkerAction) -> Result<(), Refusal> {
    use WorkerStatus::*;
    let persistent = worker.category == Category::Persistent;
    let refused = |hint| {
        Err(Refusal::Worker {
            verb: action.verb(),
            name: worker.name.to_string(),
            status: worker.status,
            hint,
        })
    };
    let ephemeral = || {
        Err(Refusal::Ephemeral { verb: action.verb(), name: worker.name.to_string(), status: worker.status })
    };

    if let Some(operation) = &worker.operation {
        if action == WorkerAction::UndoDelete && operation.is_waiting() {
            return Ok(());
        }
        // A machine that takes too long to be made may be given up: deleting destroys the half-made one.
        let gives_up = action == WorkerAction::Delete
            && worker.status == Provisioning
            && operation.action != WorkerAction::Delete;
        if !gives_up {
            return Err(in_flight(action.verb(), worker.name.as_str(), "it", operation));
        }
    }

    // For a machine that somebody else runs, provisioning is connecting and destroying is disconnecting; the machine itself is theirs.
    if worker.provider == Provider::External && matches!(action, WorkerAction::Start | WorkerAction::Stop) {
        return Err(Refusal::NotOurs {
            verb: action.verb(),
            verb_there: action.label(),
            name: worker.name.to_string(),
            status: worker.status,
        });
    }

    match (action, worker.status) {
        (WorkerAction::UndoDelete, status) => {
            Err(Refusal::NothingToUndo { name: worker.name.to_string(), state: status.to_string() })
        }

        (WorkerAction::Provision, Pending) => Ok(()),
        (WorkerAction::Provision, Error(ErrorDetail::MachineDestroyed | ErrorDetail::ProvisionFailed)) => {
            Ok(())
        }
        (WorkerAction::Provision, Error(ErrorDetail::MachineStopped)) if !persistent => Ok(()),
        (WorkerAction::Provision, Error(ErrorDetail::MachineStopped)) => refused(" Start it instead."),
        (WorkerAction::Provision, Error(ErrorDetail::Unreachable)) => {
            refused(" Check whether it answers again, or destroy it first.")
        }
        (WorkerAction::Provision, Provisioning | Ready | Stopped) => refused(" It has a machine already."),

        (WorkerAction::Start, Stopped) => Ok(()),
        (WorkerAction::Start, Error(ErrorDetail::MachineStopped)) if persistent => Ok(()),
        (WorkerAction::Start, Error(ErrorDetail::MachineStopped)) => ephemeral(),
        (
            WorkerAction::Start,
            Pending | Error(ErrorDetail::MachineDestroyed | ErrorDetail::ProvisionFailed),
        ) => refused(" Provision it instead."),
        (WorkerAction::Start, Error(ErrorDetail::Unreachable)) => refused(" Check whether it answers again."),
        (WorkerAction::Start, Provisioning) => refused(" Wait until it is ready."),
        (WorkerAction::Start, Ready) => refused(" It is running already."),

        (WorkerAction::Stop, Ready) if persistent => Ok(()),
        (WorkerAction::Stop, Ready) => ephemeral(),
        (WorkerAction::Stop, _) => refused(" Only a ready worker can be stopped."),

        (WorkerAction::Destroy, Ready | Stopped | Error(_)) => Ok(()),
        (WorkerAction::Destroy, Pending) => refused(" It has no machine."),
        (WorkerAction::Destroy, Provisioning) => refused(" Delete it to give up the half-made machine."),

        (WorkerAction::Delete, _) => Ok(()),

        (WorkerAction::Refresh, Ready | Stopped | Error(_)) => Ok(()),
        (WorkerAction::Refresh, Pending) => refused(" There is no machine to check."),
        (WorkerAction::Refresh, Provisioning) => refused(" Its machine is still being made."),
    }
}

/// Whether `action` is permitted on `net`, which is assigned to `worker`. For assigning also ask [`assign_target`].
pub fn net_action(net: &Net, worker: Option<&Worker>, action: NetAction) -> Result<(), Refusal> {
    let verb = action.verb();
    let name = || net.name.to_string();
    let refused = |state, hint| Err(Refusal::Net { verb, name: name(), state, hint });

    if let Some(operation) = &net.operation {
        return match action {
            NetAction::UndoDelete if operation.is_waiting() => Ok(()),
            _ => Err(in_flight(verb, net.name.as_str(), "it", operation)),
        };
    }
    if action == NetAction::UndoDelete {
        return Err(Refusal::NothingToUndo { name: name(), state: NetWord(net).to_string() });
    }
    if action == NetAction::Delete {
        return match net.load_state {
            LoadState::Loaded => refused("loaded", " Unload it first."),
            LoadState::Unloaded | LoadState::Error => Ok(()),
        };
    }

    // Where the net is decides first: what the worker's state forbids, no state of the net permits.
    match worker {
        None if action == NetAction::Assign => return Ok(()),
        None => return Err(Refusal::Unassigned { verb, name: name(), load_state: net.load_state.as_str() }),
        Some(worker) => {
            if let Some(operation) = &worker.operation
                && operation.action != WorkerAction::Refresh
            {
                return Err(in_flight(verb, net.name.as_str(), worker.name.as_str(), operation));
            }
            let permitted = match worker.status {
                WorkerStatus::Ready => true,
                WorkerStatus::Stopped => matches!(action, NetAction::Assign | NetAction::Unassign),
                WorkerStatus::Pending | WorkerStatus::Provisioning | WorkerStatus::Error(_) => false,
            };
            if !permitted {
                let (worker, status) = (worker.name.to_string(), worker.status);
                return Err(Refusal::NetWorker {
                    verb,
                    name: name(),
                    worker,
                    status,
                    hint: worker_hint(status),
                });
            }
        }
    }

    match (action, net.load_state) {
        (NetAction::Assign | NetAction::Unassign, _) => Ok(()),
        (NetAction::Load, LoadState::Unloaded | LoadState::Error) if net.build_failed() => {
            refused("broken (its build failed)", " Give it a version that can be read, or load an older one.")
        }
        (NetAction::Load, LoadState::Unloaded | LoadState::Error) => Ok(()),
        (NetAction::Load, LoadState::Loaded) => refused("loaded", " Unload it first to load it anew."),
        (NetAction::Unload, LoadState::Loaded | LoadState::Error) => Ok(()),
        (_, LoadState::Unloaded) => refused("unloaded", " Load it first."),
        (_, LoadState::Error) => refused("not loaded (load error)", " Load it again first."),
        (NetAction::Reset | NetAction::Inject, LoadState::Loaded) => Ok(()),
        (NetAction::Step, LoadState::Loaded) => match net.run_state {
            RunState::Idle => Ok(()),
            RunState::Running => refused("running", " Stop it first to step."),
            RunState::Dead => refused("dead", " No transition is enabled. Reset it or inject tokens."),
        },
        (NetAction::Run, LoadState::Loaded) => match net.run_state {
            // Running again changes the rate.
            RunState::Idle | RunState::Running => Ok(()),
            RunState::Dead => refused("dead", " No transition is enabled. Reset it or inject tokens."),
        },
        (NetAction::Stop, LoadState::Loaded) => match net.run_state {
            RunState::Running => Ok(()),
            RunState::Idle => refused("idle", " It is not running."),
            RunState::Dead => refused("dead", " It is not running."),
        },
        (NetAction::Delete | NetAction::UndoDelete, _) => unreachable!("answered above"),
    }
}

/// Whether a net may be changed, built or moved, which no state of it forbids: only that it is about to be deleted does.
pub fn net_stays(net: &Net, verb: &'static str) -> Result<(), Refusal> {
    match &net.operation {
        Some(operation) if operation.action == NetAction::Delete => {
            Err(in_flight(verb, net.name.as_str(), "it", operation))
        }
        _ => Ok(()),
    }
}

/// Whether a net may be assigned to `target`.
pub fn assign_target(net: &Net, target: &Worker) -> Result<(), Refusal> {
    let verb = NetAction::Assign.verb();
    if net.worker_id == Some(target.id) {
        return Err(Refusal::Net {
            verb,
            name: net.name.to_string(),
            state: "assigned to this worker already",
            hint: "",
        });
    }
    if let Some(operation) = &target.operation
        && operation.action != WorkerAction::Refresh
    {
        return Err(in_flight(verb, net.name.as_str(), target.name.as_str(), operation));
    }
    match target.status {
        WorkerStatus::Ready | WorkerStatus::Stopped => Ok(()),
        status => Err(Refusal::NetWorker {
            verb,
            name: net.name.to_string(),
            worker: target.name.to_string(),
            status,
            hint: worker_hint(status),
        }),
    }
}

/// Whether `action` is permitted on `host` as it is now.
pub fn host_action(host: &Host, action: HostAction) -> Result<(), Refusal> {
    let refused =
        |state, hint| Err(Refusal::Host { verb: action.verb(), name: host.name.to_string(), state, hint });
    match action {
        HostAction::Refresh if host.online => Ok(()),
        HostAction::Refresh if host.agent.is_none() => {
            refused("new, and no agent of it ever came", " Start its agent.")
        }
        HostAction::Refresh => refused("offline", " Its agent has to come back first."),
        HostAction::RevokeToken if host.revoked => refused("revoked already", ""),
        HostAction::IssueToken | HostAction::RevokeToken | HostAction::Delete => Ok(()),
    }
}

/// Whether a command of this kind may be queued for `host`. One that is offline gets it when it comes back.
pub fn run_on_host(host: &Host, kind: &CommandKind) -> Result<(), Refusal> {
    let refused = |state, hint| {
        Err(Refusal::Host { verb: "run a command on", name: host.name.to_string(), state, hint })
    };
    if host.revoked {
        return refused("without a token", " Make a new token, and give it to its agent.");
    }
    if host.agent.is_none() {
        return refused("new, and no agent of it ever came", " Start its agent.");
    }
    if host.offer(kind).is_none() {
        let offers: Vec<&str> = host.commands.iter().map(|offer| offer.kind.as_str()).collect();
        let offers = if offers.is_empty() { "no commands".to_owned() } else { offers.join(", ") };
        return Err(Refusal::NotOffered { kind: kind.to_string(), name: host.name.to_string(), offers });
    }
    Ok(())
}

/// Whether a command may be cancelled.
pub fn cancel_command(command: &Command, host: Option<&Host>) -> Result<(), Refusal> {
    match command.status.is_over() {
        false => Ok(()),
        true => Err(Refusal::CommandOver {
            kind: command.kind.to_string(),
            name: host.map_or_else(|| "a host that is gone".to_owned(), |host| host.name.to_string()),
            status: command.status,
        }),
    }
}

/// What an operator can do to a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PipelineAction {
    Pause,
    Resume,
    Cancel,
}

verbs!(PipelineAction {
    Resume: "Resume", "Resuming", "resume", "resumed";
    Pause: "Pause", "Pausing", "pause", "paused";
    Cancel: "Cancel", "Cancelling", "cancel", "cancelled";
});

/// The status that `action` brings a pipeline to, if it is permitted.
pub fn pipeline_action(pipeline: &Pipeline, action: PipelineAction) -> Result<PipelineStatus, Refusal> {
    use PipelineStatus::*;
    match (action, pipeline.status) {
        (PipelineAction::Pause, Running) => Ok(Paused),
        (PipelineAction::Resume, Paused) => Ok(Running),
        (PipelineAction::Cancel, Running | Paused | Stopping) => Ok(Cancelling),
        _ => Err(Refusal::Pipeline {
            verb: action.verb(),
            title: pipeline.title.clone(),
            status: pipeline.status.word(),
        }),
    }
}

/// The actions that `worker` permits now, in the order the console offers them.
pub fn worker_actions(worker: &Worker) -> impl Iterator<Item = WorkerAction> {
    WorkerAction::ALL.iter().copied().filter(|&action| worker_action(worker, action).is_ok())
}

/// The actions that `net` permits now, in the order the console offers them.
pub fn net_actions(net: &Net, worker: Option<&Worker>) -> impl Iterator<Item = NetAction> {
    NetAction::ALL.iter().copied().filter(move |&action| net_action(net, worker, action).is_ok())
}

fn worker_hint(status: WorkerStatus) -> &'static str {
    match status {
        WorkerStatus::Pending => " Provision the worker first.",
        WorkerStatus::Provisioning => " Wait until the worker is ready.",
        WorkerStatus::Ready => "",
        WorkerStatus::Stopped => " Start the worker first.",
        WorkerStatus::Error(_) => " Repair the worker first.",
    }
}

fn in_flight<A: Verb>(verb: &'static str, name: &str, what: &str, operation: &Operation<A>) -> Refusal {
    if let Some(waiting) = &operation.waiting {
        let (name, what, actor) = (name.to_owned(), what.to_owned(), operation.actor.to_string());
        return Refusal::Leaving { verb, name, what, actor, until: waiting.until };
    }
    Refusal::InFlight {
        verb,
        name: name.to_owned(),
        what: what.to_owned(),
        doing: doing_to(operation.action).to_lowercase(),
        actor: operation.actor.to_string(),
        since: operation.since,
    }
}

/// What brings a worker that is not ready nearer to it: the action that its button offers first.
pub fn remedy(worker: &Worker) -> Option<WorkerAction> {
    let mends = |action: &WorkerAction| {
        matches!(action, WorkerAction::Provision | WorkerAction::Start | WorkerAction::Refresh)
    };
    worker_actions(worker).next().filter(mends).filter(|_| !worker.is_ready())
}

/// What an action does, before the name of what it does it to: `Stopping`, `Injecting tokens into`.
pub fn doing_to(action: impl Verb) -> String {
    match action.verb().split_once(' ') {
        Some((_, object)) => format!("{} {object}", action.doing()),
        None => action.doing().to_owned(),
    }
}

/// Who brought a row to its state, where an action did: `Ana stopped it 3 s ago.`
pub fn who_did<A: Verb>(last: Option<&LastAction<A>>, now: Timestamp) -> Option<String> {
    let LastAction { action, actor, at } = last?;
    Some(format!("{} {} it {} ago.", initial(&actor.to_string()), action.done(), age(now.since(*at))))
}

/// The text as a sentence begins.
pub fn initial(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What the guard says when the state changed between render and click (seed 000).
pub fn worker_changed(worker: &Worker) -> String {
    format!("Worker state has changed — it is now {}. Please review before retrying.", worker.status)
}

/// The same for a net.
pub fn net_changed(net: &Net, worker: Option<&Worker>) -> String {
    let at = match worker {
        Some(worker) if !worker.is_ready() => format!(" (its worker is {})", worker.status),
        _ => String::new(),
    };
    format!("Net state has changed — it is now {}{at}. Please review before retrying.", NetWord(net))
}

/// The one word for a net: its load state, or what it does once loaded.
pub struct NetWord<'a>(pub &'a Net);

impl fmt::Display for NetWord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.load_state, self.0.run_state) {
            (LoadState::Loaded, RunState::Running) => f.write_str("loaded and running"),
            (LoadState::Loaded, RunState::Dead) => f.write_str("loaded and dead"),
            (LoadState::Loaded, RunState::Idle) => f.write_str("loaded"),
            (LoadState::Error, _) => f.write_str("not loaded (load error)"),
            (LoadState::Unloaded, _) => f.write_str("unloaded"),
        }
    }
}

/// An operation in flight as its row shows it: `Stopping 3 s`; one that has not begun, `Deleting in 8 s`.
pub fn in_progress<A: Verb>(operation: &Operation<A>, now: Timestamp) -> String {
    let doing = operation.action.doing();
    match &operation.waiting {
        Some(waiting) => format!("{doing} in {}", age(waiting.until.since(now))),
        None => format!("{doing} {}", age(now.since(operation.since))),
    }
}
