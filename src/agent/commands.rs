//! The commands that this agent holds: one that runs, and those that ended and whose end the console has not stored.

use super::{
    config::Config,
    protocol::{Held, MAX_OUTPUT},
    spool::{Record, Spool, Standing, boot},
    state::State,
};
use crate::model::{CommandId, CommandKind};
use std::{
    collections::HashMap,
    env,
    ffi::OsStr,
    fs, io,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::Stdio,
    sync::Arc,
};
use tokio::{process::Command, sync::watch};

/// A console that stores no ends gets no more commands run.
const MOST_HELD: usize = 64;

/// A command that is held, shared with who sends its output.
#[derive(Clone, Debug)]
pub struct Holding {
    pub spool: Arc<Spool>,
    /// Up to where the console has stored its output.
    pub stored: Arc<watch::Sender<u64>>,
    /// How it was found when the agent began to hold it.
    pub interrupted: bool,
}

pub struct Commands {
    config: Arc<Config>,
    state: State,
    held: HashMap<CommandId, Holding>,
}

/// What became of `run`.
#[derive(Debug)]
pub enum Run {
    Begun(Holding),
    /// It is held, or it was run before.
    Known,
    Refused(String),
}

impl Commands {
    /// Finds again what an earlier agent left: what runs goes on, what ended is told.
    pub fn find(config: Arc<Config>, state: State) -> io::Result<Commands> {
        let mut commands = Commands { config, state, held: HashMap::new() };
        for entry in fs::read_dir(commands.state.commands())? {
            let folder = entry?.path();
            if let Err(error) = commands.find_in(&folder) {
                // Kept for its owner to look at; the console hears that nobody holds it.
                tracing::error!(folder = %folder.display(), %error, "a command cannot be read and is left alone");
            }
        }
        Ok(commands)
    }

    fn find_in(&mut self, folder: &Path) -> io::Result<()> {
        let Some(spool) = Spool::open(folder)? else {
            // Its making was cut short before anything could be begun.
            return fs::remove_dir_all(folder);
        };
        let id = spool.record.command_id;
        if self.state.was_settled(id) {
            return spool.remove();
        }
        let standing = spool.standing()?;
        let interrupted = match &standing {
            Standing::NeverBegun => return spool.remove(),
            Standing::Running => false,
            Standing::Ended(_) if spool.is_abandoned() => {
                self.state.remember(id)?;
                return spool.remove();
            }
            Standing::Ended(ending) => ending.interrupted,
        };
        tracing::info!(command_id = %id, kind = %spool.record.kind, ?standing, "a command is found again");
        self.hold(spool, interrupted);
        Ok(())
    }

    fn hold(&mut self, spool: Spool, interrupted: bool) -> Holding {
        let stored = Arc::new(watch::Sender::new(spool.stored()));
        let id = spool.record.command_id;
        let holding = Holding { spool: Arc::new(spool), stored, interrupted };
        self.held.insert(id, holding.clone());
        holding
    }

    pub fn held(&self) -> Vec<Held> {
        let wanted = self.wanted();
        wanted.map(|h| Held { command_id: h.spool.record.command_id, interrupted: h.interrupted }).collect()
    }

    /// Those whose output and end the console wants to hear of.
    pub fn wanted(&self) -> impl Iterator<Item = &Holding> {
        self.held.values().filter(|holding| !holding.spool.is_abandoned())
    }

    /// Begins a command of the configuration.
    pub fn run(&mut self, id: CommandId, kind: &CommandKind) -> Run {
        if self.held.contains_key(&id) || self.state.was_settled(id) {
            return Run::Known;
        }
        match self.begin(id, kind) {
            Ok(holding) => Run::Begun(holding),
            Err(why) => Run::Refused(why),
        }
    }

    fn begin(&mut self, id: CommandId, kind: &CommandKind) -> Result<Holding, String> {
        let config = self.config.clone();
        let command = config.commands.get(kind).ok_or_else(|| format!("This host has no command {kind}"))?;
        self.forget_what_is_over();
        if let Some(other) = self.held.values().find(|holding| is_running(&holding.spool)) {
            return Err(format!("This host is still running {}", other.spool.record.kind));
        }
        if self.held.len() >= MOST_HELD {
            return Err(format!("This host holds {MOST_HELD} commands whose end the console has not stored"));
        }
        let cwd = config.cwd_of(command);
        let path =
            command.env.get("PATH").map(OsStr::new).map_or_else(|| env::var_os("PATH"), |p| Some(p.into()));
        let program = command.argv.first().map(String::as_str).unwrap_or_default();
        if !cwd.is_dir() {
            return Err(format!("Its folder {} is not there", cwd.display()));
        }
        if !is_there(program, &cwd, path.as_deref()) {
            return Err(format!("Its program {program} is not there, or may not be run"));
        }
        let record = Record {
            command_id: id,
            kind: kind.clone(),
            argv: command.argv.clone(),
            cwd,
            env: command.env.clone(),
            timeout: command.timeout,
            max_output: command.max_output.max(MAX_OUTPUT as u64),
            checks: command.checks.clone(),
            boot: boot(),
        };
        let spool = Spool::create(&self.state.commands(), record)
            .map_err(|error| format!("It could not be written down before it began: {error}"))?;
        if let Err(error) = start_runner(&spool) {
            let _ = spool.remove();
            return Err(format!("The process that would run it could not be started: {error}"));
        }
        tracing::info!(command_id = %id, %kind, "a command begins");
        Ok(self.hold(spool, false))
    }

    /// Abandoned commands that have ended since, and those whose runner never came to begin them.
    fn forget_what_is_over(&mut self) {
        let over = |spool: &Spool| match spool.standing() {
            Ok(Standing::Ended(_)) => spool.is_abandoned(),
            Ok(Standing::NeverBegun | Standing::Running) | Err(_) => false,
        };
        let over: Vec<CommandId> =
            self.held.iter().filter(|(_, h)| over(&h.spool)).map(|(id, _)| *id).collect();
        over.into_iter().for_each(|id| self.forget(id));
    }

    /// Asks its runner to end it. What is not held, or has ended, is left alone.
    pub fn cancel(&self, id: CommandId) {
        let Some(holding) = self.held.get(&id) else { return };
        tracing::info!(command_id = %id, "the console asks for its end");
        if let Err(error) = holding.spool.cancel() {
            tracing::error!(command_id = %id, %error, "the wish to cancel could not be written down");
        }
    }

    /// The console has stored all output before `offset`.
    pub fn stored(&self, id: CommandId, offset: u64) {
        let Some(holding) = self.held.get(&id) else { return };
        match holding.spool.store(offset) {
            Ok(true) => _ = holding.stored.send_replace(offset),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(command_id = %id, %error, "what is stored could not be let go of");
            }
        }
    }

    /// The console has stored its end, or does not want to hear of it any more. Returns whether it was held and has ended.
    pub fn settled(&mut self, id: CommandId) -> bool {
        let Some(holding) = self.held.get(&id) else { return false };
        if is_running(&holding.spool) {
            tracing::warn!(command_id = %id, "the console gave up on a command that goes on");
            if let Err(error) = holding.spool.abandon() {
                tracing::error!(command_id = %id, %error, "that could not be written down");
            }
            return false;
        }
        self.forget(id);
        true
    }

    fn forget(&mut self, id: CommandId) {
        // In this order: one that is gone and not remembered might be run a second time.
        let done = self.state.remember(id).and_then(|()| match self.held.get(&id) {
            Some(holding) => holding.spool.remove(),
            None => Ok(()),
        });
        match done {
            Ok(()) => _ = self.held.remove(&id),
            Err(error) => tracing::error!(command_id = %id, %error, "a command could not be forgotten"),
        }
    }

    pub fn state(&self) -> &State {
        &self.state
    }
}

fn is_running(spool: &Spool) -> bool {
    // Where it cannot be found out, a second one is not begun beside it.
    !matches!(spool.standing(), Ok(Standing::Ended(_) | Standing::NeverBegun))
}

/// Whether a program of this name would be found, as `execvp` looks for it.
fn is_there(program: &str, cwd: &Path, path: Option<&OsStr>) -> bool {
    let runs =
        |file: &Path| fs::metadata(file).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    if program.contains('/') {
        return runs(&cwd.join(program));
    }
    path.is_some_and(|path| env::split_paths(path).any(|folder| runs(&cwd.join(folder).join(program))))
}

/// The runner is this program, also when its file has been replaced since. It is given the lock that says it lives as its standard input:
/// taken here, so that there is no moment at which it was started and does not hold it.
fn start_runner(spool: &Spool) -> io::Result<()> {
    let lock = spool.lock()?.ok_or_else(|| io::Error::other("another process holds its lock"))?;
    #[cfg(target_os = "linux")]
    let program = "/proc/self/exe";
    #[cfg(not(target_os = "linux"))]
    let program = env::current_exe()?;
    let mut command = std::process::Command::new(program);
    command.arg0("muster").arg("agent-runner").arg(spool.folder());
    // Its standard error may be a pipe that ends with the agent; what goes wrong is said in the command's end.
    command.stdin(lock).stdout(Stdio::null()).stderr(Stdio::null());
    let mut runner = Command::from(command).kill_on_drop(false).spawn()?;
    // Waited for, so that it does not stay as a zombie; what became of the command is in the spool.
    tokio::spawn(async move { runner.wait().await });
    Ok(())
}
