//! What the runner writes.

use super::reader::segments;
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// While there is no room it is looked for this often.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Appends output to segments, within a limit; what does not fit, or what the disk does not take, is counted and dropped. It never waits
/// for anybody, so that no command waits for its log.
pub struct Writer {
    folder: PathBuf,
    /// Bytes of all segments together.
    limit: u64,
    /// Bytes of one segment, after which another is begun, so that what is stored can be let go of.
    segment: u64,
    /// The segment that is written to, and its length.
    open: Option<(File, u64)>,
    /// Bytes kept, at most: the agent lets go of segments without telling.
    kept: u64,
    /// Bytes written by the command.
    total: u64,
    full_until: Option<Instant>,
}

impl Writer {
    pub fn new(folder: &Path, limit: u64) -> Writer {
        let segment = (limit / 16).clamp(16 << 10, 4 << 20);
        Writer { folder: folder.to_owned(), limit, segment, open: None, kept: 0, total: 0, full_until: None }
    }

    pub fn total(&self) -> u64 {
        self.total
    }

    /// Takes what the command wrote, whatever becomes of it.
    pub fn write(&mut self, bytes: &[u8]) {
        let (mut rest, segment) = (bytes, self.segment);
        while !rest.is_empty() {
            let Some((file, length)) = self.segment() else {
                self.total += rest.len() as u64;
                return;
            };
            let room = usize::try_from(segment - *length).unwrap_or(usize::MAX);
            let piece = &rest[..rest.len().min(room)];
            match file.write(piece) {
                Ok(written) if written > 0 => {
                    *length += written as u64;
                    self.kept += written as u64;
                    self.total += written as u64;
                    rest = &rest[written..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The disk is full, or worse. What follows once it takes something again begins another segment: the gap shows by itself.
                Ok(_) | Err(_) => {
                    self.open = None;
                    self.full_until = Some(Instant::now() + LOOK_AGAIN);
                }
            }
        }
    }

    /// A segment with room in it; `None` while there is none.
    fn segment(&mut self) -> Option<&mut (File, u64)> {
        if self.open.as_ref().is_some_and(|(_, length)| *length >= self.segment) {
            self.open = None;
        }
        if self.open.is_none() {
            if self.full_until.is_some_and(|until| Instant::now() < until) {
                return None;
            }
            self.full_until = None;
            if self.kept + self.segment > self.limit {
                self.kept =
                    segments(&self.folder).map_or(self.kept, |found| found.iter().map(|s| s.length).sum());
            }
            let path = self.folder.join(format!("out.{:020}", self.total));
            let opened = (self.kept + self.segment <= self.limit)
                .then(|| OpenOptions::new().append(true).create(true).mode(0o600).open(path));
            match opened {
                Some(Ok(file)) => self.open = Some((file, 0)),
                Some(Err(_)) | None => {
                    self.full_until = Some(Instant::now() + LOOK_AGAIN);
                    return None;
                }
            }
        }
        self.open.as_mut()
    }
}
