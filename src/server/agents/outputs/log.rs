//! The output of one command on disk: the bytes that were kept, one after another, and beside them the gaps.
//!
//! `<id>.log` holds the bytes, `<id>.gaps` a line `offset size` for each gap, offsets counted over everything that the command wrote. A gap
//! is on the disk before any byte after it is written, so that the two files agree however the machine goes down.

use bytes::Bytes;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Output that was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub offset: u64,
    pub size: u64,
}

impl Gap {
    pub fn end(self) -> u64 {
        self.offset.saturating_add(self.size)
    }
}

/// More gaps than this in one output are not told apart: what comes after is one.
const MOST_GAPS: usize = 1_000;

/// What is stored of an output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Bytes that the command wrote and that are here or in a gap.
    pub end: u64,
    /// In order; none touches the next.
    pub gaps: Arc<[Gap]>,
}

/// What lies at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lies {
    /// So many bytes, at this position of the file.
    Bytes { position: u64, size: u64 },
    /// In a gap, which goes on for so many bytes.
    Gap { size: u64 },
    /// Nothing yet.
    End,
}

impl Extent {
    /// `kept` bytes with these gaps among them. A gap behind the last byte that made it to the disk does not count: what is before it comes
    /// again.
    fn of(kept: u64, gaps: &[Gap]) -> Extent {
        let (mut end, mut left, mut counted) = (0, kept, Vec::with_capacity(gaps.len()));
        for gap in gaps {
            let run = gap.offset.saturating_sub(end);
            if run > left {
                break;
            }
            (left, end) = (left - run, gap.end());
            counted.push(*gap);
        }
        Extent { end: end.saturating_add(left), gaps: counted.into() }
    }

    pub fn at(&self, offset: u64) -> Lies {
        if offset >= self.end {
            return Lies::End;
        }
        let before = self.gaps.partition_point(|gap| gap.end() <= offset);
        let missing: u64 = self.gaps[..before].iter().map(|gap| gap.size).sum();
        match self.gaps.get(before) {
            Some(gap) if gap.offset <= offset => Lies::Gap { size: gap.end() - offset },
            next => {
                let end = next.map_or(self.end, |gap| gap.offset);
                Lies::Bytes { position: offset - missing, size: end - offset }
            }
        }
    }

    /// The gaps from an offset on.
    pub fn gaps_from(&self, offset: u64) -> impl Iterator<Item = Gap> {
        let cut =
            move |gap: &Gap| Gap { offset: gap.offset.max(offset), size: gap.end() - gap.offset.max(offset) };
        self.gaps.iter().filter(move |gap| gap.end() > offset).map(cut)
    }

    /// Bytes that are here from an offset on.
    pub fn kept_from(&self, offset: u64) -> u64 {
        let missing: u64 = self.gaps_from(offset).map(|gap| gap.size).sum();
        self.end.saturating_sub(offset).saturating_sub(missing)
    }
}

/// What became of pieces that were handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Everything before is stored: what the agent is told.
    pub end: u64,
    /// Bytes written to the disk.
    pub written: u64,
}

/// The writer of one output. Blocking.
pub(super) struct Log {
    bytes: PathBuf,
    gaps_path: PathBuf,
    /// Opened with the first byte.
    file: Option<File>,
    limit: u64,
    kept: u64,
    gaps: Vec<Gap>,
    /// A piece that came too early. If the very same comes again, what is between is lost.
    refused: Option<u64>,
    /// The end was announced once, and output was missing.
    is_incomplete: bool,
}

impl Log {
    /// Takes up what is on the disk; creates nothing.
    pub fn open(dir: &Path, name: &str, limit: u64) -> io::Result<Log> {
        let (bytes, gaps_path) = (dir.join(format!("{name}.log")), dir.join(format!("{name}.gaps")));
        let OnDisk { kept, gaps, is_torn } = on_disk(&bytes, &gaps_path)?;
        if is_torn {
            let whole = gaps.iter().map(|gap| format!("{} {}\n", gap.offset, gap.size)).collect::<String>();
            fs::write(&gaps_path, whole)?;
        }
        Ok(Log { bytes, gaps_path, file: None, limit, kept, gaps, refused: None, is_incomplete: false })
    }

    pub fn extent(&self) -> Extent {
        Extent::of(self.kept, &self.gaps)
    }

    /// Stores pieces. What is there already is skipped; one that comes too early is refused, once.
    pub fn append(&mut self, pieces: &[(u64, Bytes)]) -> io::Result<Appended> {
        let mut end = self.extent().end;
        let (mut written, mut grown) = (0, false);
        for (offset, bytes) in pieces {
            if *offset > end {
                if self.refused != Some(*offset) {
                    self.refused = Some(*offset);
                    continue;
                }
                self.put_gap(Gap { offset: end, size: offset - end })?;
                end = *offset;
            }
            let size = bytes.len() as u64;
            let skipped = end - offset;
            if skipped >= size {
                continue;
            }
            self.refused = None;
            let new = &bytes[skipped as usize..];
            let room = if self.gaps.len() < MOST_GAPS { self.limit.saturating_sub(self.kept) } else { 0 };
            let (fits, rest) = new.split_at(new.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            if !fits.is_empty() {
                self.file()?.write_all(fits)?;
                self.kept += fits.len() as u64;
                written += fits.len() as u64;
                end += fits.len() as u64;
            }
            if !rest.is_empty() {
                self.grow_gap(Gap { offset: end, size: rest.len() as u64 });
                end += rest.len() as u64;
                grown = true;
            }
        }
        if let Some(file) = self.file.as_ref().filter(|_| written > 0) {
            file.sync_data()?;
        }
        // Nothing is kept behind the limit, so that gap may be written last, once for all that it grew by.
        if grown {
            self.write_gap()?;
        }
        Ok(Appended { end, written })
    }

    /// Its agent did not keep these.
    pub fn gap(&mut self, gap: Gap) -> io::Result<Appended> {
        let end = self.extent().end;
        if gap.offset > end && self.refused != Some(gap.offset) {
            self.refused = Some(gap.offset);
        } else if gap.end() > end {
            self.refused = None;
            self.put_gap(Gap { offset: end, size: gap.end() - end })?;
        }
        Ok(Appended { end: self.extent().end, written: 0 })
    }

    /// Whether all of `size` bytes is stored. What is missing is asked for once; the second time it is a gap.
    pub fn completes(&mut self, size: u64) -> io::Result<bool> {
        let end = self.extent().end;
        if end >= size {
            return Ok(true);
        }
        if !std::mem::replace(&mut self.is_incomplete, true) {
            return Ok(false);
        }
        self.put_gap(Gap { offset: end, size: size - end })?;
        Ok(true)
    }

    fn file(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            let new = !self.bytes.exists();
            let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.bytes)?;
            if new {
                sync_dir(&self.bytes)?;
            }
            self.file = Some(file);
        }
        self.file.as_mut().ok_or_else(|| io::Error::other("the file was just opened"))
    }

    fn put_gap(&mut self, gap: Gap) -> io::Result<()> {
        if let Some(file) = &self.file {
            file.sync_data()?;
        }
        self.grow_gap(gap);
        self.write_gap()
    }

    fn grow_gap(&mut self, gap: Gap) {
        match self.gaps.last_mut().filter(|last| last.end() == gap.offset) {
            Some(last) => last.size = last.size.saturating_add(gap.size),
            None => self.gaps.push(gap),
        }
    }

    /// The last gap; one that grew is written again, and the later line counts.
    fn write_gap(&mut self) -> io::Result<()> {
        let Some(Gap { offset, size }) = self.gaps.last().copied() else { return Ok(()) };
        let new = !self.gaps_path.exists();
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.gaps_path)?;
        file.write_all(format!("{offset} {size}\n").as_bytes())?;
        file.sync_data()?;
        if new { sync_dir(&self.gaps_path) } else { Ok(()) }
    }
}

/// What is stored, for who only reads.
pub(super) fn extent(dir: &Path, name: &str) -> io::Result<Extent> {
    let found = on_disk(&dir.join(format!("{name}.log")), &dir.join(format!("{name}.gaps")))?;
    Ok(Extent::of(found.kept, &found.gaps))
}

/// At most so many bytes from a position of the file.
pub(super) fn read(dir: &Path, name: &str, position: u64, most: usize) -> io::Result<Bytes> {
    let file = File::open(dir.join(format!("{name}.log")))?;
    let mut bytes = vec![0; most];
    let mut read = 0;
    while read < most {
        match file.read_at(&mut bytes[read..], position + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(read);
    Ok(bytes.into())
}

pub(super) fn remove(dir: &Path, name: &str) -> io::Result<()> {
    for end in ["log", "gaps"] {
        match fs::remove_file(dir.join(format!("{name}.{end}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

struct OnDisk {
    kept: u64,
    gaps: Vec<Gap>,
    /// The last line of the gaps was cut off: nothing after it was ever written, and it will come again.
    is_torn: bool,
}

fn on_disk(bytes: &Path, gaps: &Path) -> io::Result<OnDisk> {
    let kept = if_there(fs::metadata(bytes))?.map_or(0, |file| file.len());
    let text = if_there(fs::read_to_string(gaps))?.unwrap_or_default();
    let mut found: Vec<Gap> = Vec::new();
    for line in text.split_inclusive('\n') {
        let parsed = line
            .strip_suffix('\n')
            .and_then(|line| line.split_once(' '))
            .and_then(|(offset, size)| Some(Gap { offset: offset.parse().ok()?, size: size.parse().ok()? }));
        let Some(gap) = parsed else { return Ok(OnDisk { kept, gaps: found, is_torn: true }) };
        match found.last_mut().filter(|last| last.offset == gap.offset) {
            Some(last) => *last = gap,
            None => found.push(gap),
        }
    }
    Ok(OnDisk { kept, gaps: found, is_torn: false })
}

fn if_there<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        outcome => outcome.map(Some),
    }
}

fn sync_dir(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(offset: u64, text: &str) -> (u64, Bytes) {
        (offset, Bytes::copy_from_slice(text.as_bytes()))
    }

    fn kept(dir: &Path) -> String {
        fs::read_to_string(dir.join("a.log")).unwrap_or_default()
    }

    #[test]
    fn a_piece_that_comes_again_is_not_stored_again_and_one_that_overlaps_only_in_part() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path(), "a", 100).unwrap();
        assert_eq!(
            log.append(&[piece(0, "one\n"), piece(4, "two\n")]).unwrap(),
            Appended { end: 8, written: 8 }
        );
        assert_eq!(log.append(&[piece(0, "one\n")]).unwrap(), Appended { end: 8, written: 0 });
        assert_eq!(log.append(&[piece(4, "two\nthree\n")]).unwrap(), Appended { end: 14, written: 6 });
        assert_eq!(kept(dir.path()), "one\ntwo\nthree\n");
        let mut again = Log::open(dir.path(), "a", 100).unwrap();
        assert_eq!(again.extent(), log.extent());
        assert_eq!(again.append(&[piece(8, "three\nfour")]).unwrap(), Appended { end: 18, written: 4 });
    }

    #[test]
    fn a_piece_too_early_is_asked_for_once_and_then_what_is_before_it_is_a_gap() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path(), "a", 100).unwrap();
        log.append(&[piece(0, "ab")]).unwrap();
        assert_eq!(log.append(&[piece(5, "f"), piece(6, "g")]).unwrap().end, 2);
        assert_eq!(log.append(&[piece(2, "cde"), piece(5, "f")]).unwrap().end, 6, "it came");
        assert_eq!(log.append(&[piece(9, "j")]).unwrap().end, 6);
        assert_eq!(log.append(&[piece(9, "j")]).unwrap().end, 10, "it does not come");
        assert_eq!(*log.extent().gaps, [Gap { offset: 6, size: 3 }]);
        assert_eq!(kept(dir.path()), "abcdefj");
    }

    #[test]
    fn beyond_the_limit_one_gap_grows() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path(), "a", 4).unwrap();
        assert_eq!(log.append(&[piece(0, "abcdef")]).unwrap(), Appended { end: 6, written: 4 });
        assert_eq!(log.append(&[piece(6, "ghi"), piece(9, "j")]).unwrap(), Appended { end: 10, written: 0 });
        let extent = extent(dir.path(), "a").unwrap();
        assert_eq!(extent, log.extent());
        assert_eq!((extent.end, &*extent.gaps), (10, &[Gap { offset: 4, size: 6 }][..]));
        assert_eq!(extent.kept_from(0), 4);
        assert_eq!(extent.gaps_from(7).collect::<Vec<_>>(), [Gap { offset: 7, size: 3 }]);
    }

    #[test]
    fn every_offset_is_bytes_a_gap_or_the_end() {
        let extent = Extent::of(5, &[Gap { offset: 2, size: 10 }, Gap { offset: 14, size: 1 }]);
        assert_eq!(extent.end, 16);
        assert_eq!(extent.at(0), Lies::Bytes { position: 0, size: 2 });
        assert_eq!(extent.at(2), Lies::Gap { size: 10 });
        assert_eq!(extent.at(11), Lies::Gap { size: 1 });
        assert_eq!(extent.at(13), Lies::Bytes { position: 3, size: 1 });
        assert_eq!(extent.at(15), Lies::Bytes { position: 4, size: 1 });
        assert_eq!(extent.at(16), Lies::End);
    }

    #[test]
    fn a_gap_whose_bytes_before_it_did_not_reach_the_disk_does_not_count_yet() {
        let gap = Gap { offset: 10, size: 10 };
        assert_eq!(Extent::of(5, &[gap]), Extent { end: 5, gaps: Arc::default() });
        assert_eq!(Extent::of(10, &[gap]).end, 20);
        assert_eq!(Extent::of(12, &[gap]).end, 22);
    }

    #[test]
    fn a_line_of_the_gaps_that_was_cut_off_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.log"), "ab").unwrap();
        fs::write(dir.path().join("a.gaps"), "2 3\n2 5\n9 1").unwrap();
        let mut log = Log::open(dir.path(), "a", 100).unwrap();
        assert_eq!(log.extent().end, 7);
        log.append(&[piece(7, "xy")]).unwrap();
        log.gap(Gap { offset: 9, size: 1 }).unwrap();
        assert_eq!(extent(dir.path(), "a").unwrap().end, 10);
    }

    #[test]
    fn what_is_missing_at_the_end_is_asked_for_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path(), "a", 100).unwrap();
        assert!(log.completes(0).unwrap());
        assert!(!log.completes(3).unwrap());
        log.append(&[piece(0, "a")]).unwrap();
        assert!(log.completes(3).unwrap());
        assert_eq!(*log.extent().gaps, [Gap { offset: 1, size: 2 }]);
    }
}
