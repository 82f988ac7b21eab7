//! A command on disk, one folder each: what lets a command outlive the agent that began it, and an agent find it again.
//!
//! ```text
//! commands/<id>/command.json      what is run: written before anything is begun
//!               runner.lock       locked for as long as the runner lives, which inherits it from the agent
//!               begun             written before the program is started
//!               child             the program's process, pid@start
//!               out.<offset>      output from that offset on; where one ends before the next begins, the bytes between were not kept
//!               stored            up to where the console has stored the output
//!               cancel            somebody asked for its end
//!               abandoned         the console does not want to hear of it any more
//!               outcome.json      how it ended: the last thing written
//! ```
//!
//! The lock decides who may write the end: the runner while it lives, else whoever finds it dead.

mod reader;
mod writer;

pub use reader::Next;
pub use writer::Writer;

use super::state::{private_folder, replace, take};
use crate::{
    model::{CommandId, CommandKind, CompartmentKind, Outcome},
    process::ProcessId,
};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

/// How long a program has between SIGTERM and SIGKILL.
pub const GRACE: Duration = Duration::from_secs(5);
/// An end fits into so many bytes, whose room on the disk is taken before the command begins.
const OUTCOME_ROOM: usize = 4096;

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub command_id: CommandId,
    pub kind: CommandKind,
    pub argv: Vec<String>,
    pub cwd: PathBuf,
    pub env: BTreeMap<String, String>,
    pub timeout: Duration,
    pub max_output: u64,
    pub checks: Vec<CompartmentKind>,
    /// Which start of the machine it belongs to.
    pub boot: String,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    #[serde(flatten)]
    pub outcome: Outcome,
    #[serde(default)]
    pub reason: Option<String>,
    /// Bytes that it wrote in all, kept or not.
    pub output_bytes: u64,
    /// The machine went down under it.
    #[serde(default)]
    pub interrupted: bool,
}

/// Where a command stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Running,
    Ended(Ending),
    /// It has a record, and its program was never started nor will be.
    NeverBegun,
}

/// The folder of one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spool {
    folder: PathBuf,
    pub record: Record,
}

impl Spool {
    /// Writes the record of a command that is about to be begun.
    pub fn create(commands: &Path, record: Record) -> io::Result<Spool> {
        let folder = commands.join(record.command_id.to_string());
        private_folder(&folder)?;
        let spool = Spool { folder, record };
        let written = spool.take_room_for_the_end().and_then(|()| {
            replace(&spool.path("command.json"), &serde_json::to_vec(&spool.record)?)?;
            File::open(commands)?.sync_all()
        });
        if let Err(error) = written {
            let _ = fs::remove_dir_all(&spool.folder);
            return Err(error);
        }
        Ok(spool)
    }

    /// The command in this folder; `None` if no record of one is there.
    pub fn open(folder: &Path) -> io::Result<Option<Spool>> {
        let json = match fs::read(folder.join("command.json")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        Ok(Some(Spool { folder: folder.to_owned(), record: serde_json::from_slice(&json)? }))
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Where it stands. A command whose runner is gone is ended here, and its program with it.
    pub fn standing(&self) -> io::Result<Standing> {
        if let Some(ending) = self.ending()? {
            return Ok(Standing::Ended(ending));
        }
        // Held until the end is written, so that it is written once.
        let Some(_lock) = self.lock()? else { return Ok(Standing::Running) };
        if let Some(ending) = self.ending()? {
            return Ok(Standing::Ended(ending));
        }
        if !self.has("begun") {
            return Ok(Standing::NeverBegun);
        }
        let interrupted = self.record.boot != boot();
        let reason = if interrupted {
            "The machine went down while it ran"
        } else {
            self.end_orphan();
            "The process that watched over it is gone; its program was ended"
        };
        let ending = Ending {
            outcome: Outcome::Failed,
            reason: Some(reason.to_owned()),
            output_bytes: reader::end_of_output(&self.folder)?,
            interrupted,
        };
        self.end(&ending)?;
        Ok(Standing::Ended(ending))
    }

    /// The lock that the runner holds; `None` while another process holds it.
    pub fn lock(&self) -> io::Result<Option<File>> {
        take(&self.path("runner.lock"))
    }

    /// Whether this open file is the lock, which whoever opened it holds.
    pub fn lock_is(&self, file: &File) -> io::Result<bool> {
        let (given, lock) = (file.metadata()?, fs::metadata(self.path("runner.lock"))?);
        Ok((given.dev(), given.ino()) == (lock.dev(), lock.ino()))
    }

    pub fn ending(&self) -> io::Result<Option<Ending>> {
        match fs::read(self.path("outcome.json")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => Ok(Some(serde_json::from_slice(&read?)?)),
        }
    }

    /// Ends the program of a runner that is gone: nobody would read what it says.
    fn end_orphan(&self) {
        let child = fs::read_to_string(self.path("child")).ok();
        let Some(child) = child.and_then(|text| text.parse::<ProcessId>().ok()) else { return };
        child.signal_group(Signal::TERM);
        let until = Instant::now() + GRACE;
        while child.is_alive() && Instant::now() < until {
            sleep(Duration::from_millis(20));
        }
        child.signal_group(Signal::KILL);
    }

    /// From here on the program may have been started.
    pub fn begin(&self) -> io::Result<()> {
        replace(&self.path("begun"), b"")
    }

    pub fn started(&self, child: ProcessId) -> io::Result<()> {
        replace(&self.path("child"), child.to_string().as_bytes())
    }

    fn take_room_for_the_end(&self) -> io::Result<()> {
        let mut file = private_file(&self.path("outcome.new"))?;
        file.write_all(&[b' '; OUTCOME_ROOM])?;
        file.sync_all()
    }

    /// Writes the end into the room that was kept for it, so that a full disk does not swallow it.
    pub fn end(&self, ending: &Ending) -> io::Result<()> {
        let mut json = serde_json::to_vec(ending)?;
        // White space after the value is JSON all the same.
        json.resize(json.len().max(OUTCOME_ROOM), b' ');
        let draft = self.path("outcome.new");
        let mut file = private_file(&draft)?;
        file.write_all(&json)?;
        file.sync_all()?;
        fs::rename(draft, self.path("outcome.json"))?;
        File::open(&self.folder)?.sync_all()
    }

    pub fn cancel(&self) -> io::Result<()> {
        private_file(&self.path("cancel")).map(drop)
    }

    pub fn is_cancelled(&self) -> bool {
        self.has("cancel")
    }

    /// It goes on, and nobody wants to know how it ends.
    pub fn abandon(&self) -> io::Result<()> {
        private_file(&self.path("abandoned")).map(drop)
    }

    pub fn is_abandoned(&self) -> bool {
        self.has("abandoned")
    }

    /// The piece of output at `offset`.
    pub fn next(&self, offset: u64) -> io::Result<Next> {
        reader::next(&self.folder, offset)
    }

    /// Up to where the console has stored the output.
    pub fn stored(&self) -> u64 {
        let mut text = String::new();
        let read = File::open(self.path("stored")).and_then(|file| file.take(32).read_to_string(&mut text));
        read.ok().and_then(|_| text.trim().parse().ok()).unwrap_or(0)
    }

    /// The console has stored everything before `offset`: remembers it and lets go of it. An offset beyond what was written, and one that
    /// was passed already, change nothing.
    pub fn store(&self, offset: u64) -> io::Result<bool> {
        let written = match self.ending()? {
            Some(ending) => ending.output_bytes,
            None => reader::end_of_output(&self.folder)?,
        };
        if offset <= self.stored() || offset > written {
            return Ok(false);
        }
        // As wide each time, so that a write in place leaves nothing of the old one behind. Not to the disk each time: sending output
        // again does no harm.
        private_file(&self.path("stored"))?.write_all(format!("{offset:020}").as_bytes())?;
        reader::let_go(&self.folder, offset, self.has("outcome.json"))?;
        Ok(true)
    }

    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

/// For writing from its beginning, what is there staying until it is written over.
fn private_file(path: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Which start of the machine this is.
pub fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.map_or_else(|_| sysinfo::System::boot_time().to_string(), |id| id.trim().to_owned())
}

#[cfg(test)]
mod tests;
