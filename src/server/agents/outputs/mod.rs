//! The output of commands: files under `data/outputs/`, written by the connections of agents, read by whoever looks.
//!
//! A piece is confirmed to its agent once it is on the disk, and is shown to nobody before. All I/O is off the async threads.

mod log;

pub use log::{Appended, Extent, Gap, Lies};

use self::log::Log;
use crate::{model::CommandId, server::metrics::METRICS};
use bytes::Bytes;
use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// Every output. A clone is a handle on the same ones.
#[derive(Clone)]
pub struct Outputs(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    /// Bytes that are kept of one output.
    limit: u64,
    open: Mutex<HashMap<CommandId, Arc<Open>>>,
}

/// An output that is being written or waited for.
struct Open {
    /// One writer at a time; nobody who reads waits for it. Empty before the first write, and after one that failed: then what is on the
    /// disk counts.
    log: Arc<tokio::sync::Mutex<Option<Log>>>,
    /// What is stored. `None`: not written since this process started, so what is on the disk counts.
    extent: watch::Sender<Option<Extent>>,
}

/// What was read at an offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Bytes(Bytes),
    Gap { size: u64 },
    End,
}

impl Outputs {
    pub fn new(dir: &Path, limit: u64) -> io::Result<Outputs> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        Ok(Outputs(Arc::new(Inner { dir: dir.to_owned(), limit, open: Mutex::default() })))
    }

    /// Stores pieces `(offset, bytes)`; returns once they are on the disk.
    pub async fn append(&self, command: CommandId, pieces: Vec<(u64, Bytes)>) -> io::Result<Appended> {
        let appended = self.write(command, move |log| log.append(&pieces)).await?;
        METRICS.output_stored(appended.written);
        Ok(appended)
    }

    /// Notes output that the agent did not keep.
    pub async fn gap(&self, command: CommandId, gap: Gap) -> io::Result<Appended> {
        self.write(command, move |log| log.gap(gap)).await
    }

    /// Whether all `size` bytes of a command that has ended are stored or known to be lost. False at most once: then they are to be asked
    /// for again.
    pub async fn completes(&self, command: CommandId, size: u64) -> io::Result<bool> {
        self.write(command, move |log| log.completes(size)).await
    }

    /// What is stored now.
    pub async fn extent(&self, command: CommandId) -> io::Result<Extent> {
        let known = self.open().get(&command).and_then(|open| open.extent.borrow().clone());
        if let Some(extent) = known {
            return Ok(extent);
        }
        let dir = self.0.dir.clone();
        blocking(move || log::extent(&dir, &command.to_string())).await
    }

    /// Changes when more of the output of this command is stored.
    pub fn changes(&self, command: CommandId) -> watch::Receiver<Option<Extent>> {
        self.entry(command).extent.subscribe()
    }

    /// At most `most` bytes from `offset` on, or the gap that is there.
    pub async fn read(
        &self,
        command: CommandId,
        extent: &Extent,
        offset: u64,
        most: usize,
    ) -> io::Result<Piece> {
        let (position, size) = match extent.at(offset) {
            Lies::Bytes { position, size } => (position, size),
            Lies::Gap { size } => return Ok(Piece::Gap { size }),
            Lies::End => return Ok(Piece::End),
        };
        let dir = self.0.dir.clone();
        let most = most.min(usize::try_from(size).unwrap_or(usize::MAX));
        let bytes = blocking(move || log::read(&dir, &command.to_string(), position, most)).await?;
        match bytes.is_empty() {
            true => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the output is shorter than it was")),
            false => Ok(Piece::Bytes(bytes)),
        }
    }

    /// Lets go of outputs that are not written any more.
    pub fn close(&self, is_open: impl Fn(CommandId) -> bool) {
        self.open().retain(|id, open| is_open(*id) || Arc::strong_count(open) > 1);
    }

    /// The commands of which something is on the disk.
    pub async fn stored(&self) -> io::Result<Vec<CommandId>> {
        let dir = self.0.dir.clone();
        let list = move || {
            let mut found = Vec::new();
            for file in std::fs::read_dir(dir)? {
                let path = file?.path();
                let name = path.file_stem().and_then(|name| name.to_str());
                found.extend(name.and_then(|name| name.parse::<CommandId>().ok()));
            }
            found.sort();
            found.dedup();
            Ok(found)
        };
        blocking(list).await
    }

    pub async fn remove(&self, command: CommandId) -> io::Result<()> {
        self.open().remove(&command);
        let dir = self.0.dir.clone();
        blocking(move || log::remove(&dir, &command.to_string())).await
    }

    async fn write<T: Send + 'static>(
        &self,
        command: CommandId,
        act: impl FnOnce(&mut Log) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let open = self.entry(command);
        let mut held = open.log.clone().lock_owned().await;
        let (dir, limit) = (self.0.dir.clone(), self.0.limit);
        let (outcome, extent) = blocking(move || {
            let mut log = match held.take() {
                Some(log) => log,
                None => Log::open(&dir, &command.to_string(), limit)?,
            };
            let outcome = act(&mut log)?;
            let extent = log.extent();
            *held = Some(log);
            Ok((outcome, extent))
        })
        .await?;
        open.extent.send_if_modified(|known| {
            let grows = known.as_ref().is_none_or(|known| extent.end > known.end);
            if grows {
                *known = Some(extent);
            }
            grows
        });
        Ok(outcome)
    }

    fn entry(&self, command: CommandId) -> Arc<Open> {
        let new = || Arc::new(Open { log: Arc::default(), extent: watch::Sender::new(None) });
        self.open().entry(command).or_insert_with(new).clone()
    }

    fn open(&self) -> MutexGuard<'_, HashMap<CommandId, Arc<Open>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn blocking<T: Send + 'static>(act: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(act).await.map_err(io::Error::other)?
}
