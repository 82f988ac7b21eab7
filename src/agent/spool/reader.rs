//! What the agent reads, while the runner may be writing.

use crate::agent::protocol::MAX_OUTPUT;
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// What comes after an offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// At most [`MAX_OUTPUT`] bytes.
    Bytes(Vec<u8>),
    /// So many bytes were not kept.
    Gap(u64),
    /// Nothing yet; or nothing more, if the command has ended and its end says that this is all.
    Nothing,
}

/// Output that lies in one file.
pub struct Segment {
    pub offset: u64,
    pub length: u64,
    path: PathBuf,
}

impl Segment {
    fn end(&self) -> u64 {
        self.offset + self.length
    }
}

/// In order. The names are listed before the lengths are looked at, so that a segment which has a successor here has its whole length.
pub fn segments(folder: &Path) -> io::Result<Vec<Segment>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let offset = name.to_str().and_then(|name| name.strip_prefix("out.")).and_then(|n| n.parse().ok());
        if let Some(offset) = offset {
            found.push(Segment { offset, length: 0, path: folder.join(&name) });
        }
    }
    found.sort_by_key(|segment| segment.offset);
    for segment in &mut found {
        match fs::metadata(&segment.path) {
            Ok(metadata) => segment.length = metadata.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Up to where output is known to have been written.
pub fn end_of_output(folder: &Path) -> io::Result<u64> {
    Ok(segments(folder)?.last().map_or(0, Segment::end))
}

pub fn next(folder: &Path, offset: u64) -> io::Result<Next> {
    let segments = segments(folder)?;
    // The last that begins at or before the offset, and the one behind it.
    let after = segments.partition_point(|segment| segment.offset <= offset);
    let here = after.checked_sub(1).map(|at| &segments[at]).filter(|segment| offset < segment.end());
    if let Some(segment) = here {
        let mut file = match File::open(&segment.path) {
            // Let go of since it was listed.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Next::Nothing),
            opened => opened?,
        };
        file.seek(SeekFrom::Start(offset - segment.offset))?;
        let mut bytes = Vec::new();
        file.take(MAX_OUTPUT as u64).read_to_end(&mut bytes)?;
        return Ok(if bytes.is_empty() { Next::Nothing } else { Next::Bytes(bytes) });
    }
    Ok(segments.get(after).map_or(Next::Nothing, |behind| Next::Gap(behind.offset - offset)))
}

/// Removes what lies before `offset` as a whole, and is written to by nobody.
pub fn let_go(folder: &Path, offset: u64, ended: bool) -> io::Result<()> {
    let segments = segments(folder)?;
    for (at, segment) in segments.iter().enumerate() {
        let has_successor = at + 1 < segments.len();
        if segment.end() <= offset && (has_successor || ended) {
            fs::remove_file(&segment.path)?;
        }
    }
    Ok(())
}
