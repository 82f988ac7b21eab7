//! What the agent keeps on its host: `<state>/agent-id`, `<state>/lock`, `<state>/commands/`, `<state>/settled.json`.

use crate::model::{AgentId, CommandId};
use rustix::fs::{FlockOperation, flock};
use std::{
    collections::VecDeque,
    env,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// A console that says `run` again for one of these is not obeyed a second time.
const REMEMBERED: usize = 512;

#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("another agent uses {0}: one runs per state directory")]
    Taken(PathBuf),
    #[error("the state directory {path} cannot be used: {source}")]
    Io { path: PathBuf, source: io::Error },
}

/// The state directory, this process's for as long as it lives.
#[derive(Debug)]
pub struct State {
    pub folder: PathBuf,
    pub agent_id: AgentId,
    settled: VecDeque<CommandId>,
    _lock: File,
}

impl State {
    pub fn open(folder: &Path) -> Result<State, StateError> {
        let failed = |source| StateError::Io { path: folder.to_owned(), source };
        private_folder(&folder.join("commands")).map_err(failed)?;
        let lock = take(&folder.join("lock")).map_err(failed)?;
        let lock = lock.ok_or_else(|| StateError::Taken(folder.to_owned()))?;
        let settled = match fs::read(folder.join("settled.json")) {
            // It is written whole or not at all; what cannot be read was written by nobody here.
            Ok(json) => serde_json::from_slice(&json).map_err(|error| failed(error.into()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => VecDeque::new(),
            Err(error) => return Err(failed(error)),
        };
        let agent_id = agent_id(&folder.join("agent-id")).map_err(failed)?;
        Ok(State { folder: folder.to_owned(), agent_id, settled, _lock: lock })
    }

    pub fn commands(&self) -> PathBuf {
        self.folder.join("commands")
    }

    /// Whether this command has been through here: it was run, and its end is stored.
    pub fn was_settled(&self, command: CommandId) -> bool {
        self.settled.contains(&command)
    }

    /// Remembers that a command is over and done with, across restarts.
    pub fn remember(&mut self, command: CommandId) -> io::Result<()> {
        if self.was_settled(command) {
            return Ok(());
        }
        self.settled.push_back(command);
        while self.settled.len() > REMEMBERED {
            self.settled.pop_front();
        }
        replace(&self.folder.join("settled.json"), &serde_json::to_vec(&self.settled)?)
    }
}

fn agent_id(path: &Path) -> io::Result<AgentId> {
    match fs::read_to_string(path) {
        Ok(text) => text.trim().parse().map_err(|_| {
            io::Error::other(format!("{} holds no id; remove it to get a new one", path.display()))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let id = AgentId(Uuid::new_v4());
            replace(path, id.to_string().as_bytes())?;
            Ok(id)
        }
        Err(error) => Err(error),
    }
}

/// Takes the lock of this file, or finds it taken. It is let go of when the file is closed, however the process ends.
pub fn take(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Puts a whole file in place of the old one, readable by this user only, and sees it to the disk.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(draft, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Makes it and what is above it, for this user only.
pub fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Where an agent keeps its state unless it is told: what systemd made for it, or the system's or the user's usual place.
pub fn usual_folder() -> PathBuf {
    let from = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = from("STATE_DIRECTORY") {
        return folder;
    }
    if rustix::process::geteuid().is_root() {
        return "/var/lib/muster-agent".into();
    }
    let user = from("XDG_STATE_HOME").or_else(|| from("HOME").map(|home| home.join(".local/state")));
    user.unwrap_or_else(|| ".".into()).join("muster-agent")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_agent_at_a_time_and_it_stays_itself() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = State::open(folder.path()).unwrap();
        assert!(matches!(State::open(folder.path()), Err(StateError::Taken(_))));
        let (id, command) = (state.agent_id, CommandId(Uuid::from_u128(1)));
        state.remember(command).unwrap();
        drop(state);
        let state = State::open(folder.path()).unwrap();
        assert_eq!(state.agent_id, id);
        assert!(state.was_settled(command) && !state.was_settled(CommandId(Uuid::from_u128(2))));
    }

    #[test]
    fn it_remembers_a_number_of_commands_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = State::open(folder.path()).unwrap();
        state.settled = (0..REMEMBERED as u128).map(|n| CommandId(Uuid::from_u128(n))).collect();
        state.remember(CommandId(Uuid::from_u128(9_999))).unwrap();
        assert_eq!(state.settled.len(), REMEMBERED);
        assert!(!state.was_settled(CommandId(Uuid::from_u128(0))));
    }
}
