//! `<data>/workers/<id>.json`: which process runs a worker. Written right after it was started, so that one half made when the console
//! died is found again.

use super::ProcessId;
use crate::model::{Incarnation, Machine, WorkerId};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    pub pid: u32,
    pub start_time: u64,
    /// What the process said of itself once it was up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<Up>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Up {
    pub endpoint: String,
    pub incarnation: Incarnation,
    pub software_version: String,
}

impl RunFile {
    pub fn new(process: ProcessId, up: Option<Up>) -> RunFile {
        RunFile { pid: process.pid, start_time: process.start_time, up }
    }

    pub fn process(&self) -> ProcessId {
        ProcessId { pid: self.pid, start_time: self.start_time }
    }

    /// The machine, once it is known how to reach it.
    pub fn machine(&self) -> Option<Machine> {
        let up = self.up.clone()?;
        Some(Machine {
            provider_ref: self.process().to_string(),
            endpoint: up.endpoint,
            incarnation: up.incarnation,
            software_version: up.software_version,
        })
    }

    pub fn path(folder: &Path, worker: WorkerId) -> PathBuf {
        folder.join(format!("{worker}.json"))
    }

    /// `None` if there is none. One that cannot be read says nothing about any process, which is the same.
    pub fn read(folder: &Path, worker: WorkerId) -> Option<RunFile> {
        let path = RunFile::path(folder, worker);
        let text = fs::read(&path).ok()?;
        serde_json::from_slice(&text)
            .inspect_err(|error| tracing::warn!(path = %path.display(), %error, "a run file cannot be read"))
            .ok()
    }

    /// Puts the whole file in place of the old one, readable by the console's user only.
    pub fn write(&self, folder: &Path, worker: WorkerId) -> io::Result<()> {
        let path = RunFile::path(folder, worker);
        let draft = path.with_extension("json.new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        fs::rename(draft, path)
    }

    pub fn remove(folder: &Path, worker: WorkerId) -> io::Result<()> {
        match fs::remove_file(RunFile::path(folder, worker)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use uuid::Uuid;

    #[test]
    fn what_is_written_is_read_back_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let (folder, worker) = (folder.path(), WorkerId(Uuid::from_u128(7)));
        assert_eq!(RunFile::read(folder, worker), None);

        let process = ProcessId { pid: 4242, start_time: 99 };
        let half = RunFile::new(process, None);
        half.write(folder, worker).unwrap();
        assert_eq!(RunFile::read(folder, worker), Some(half.clone()));
        assert_eq!(half.machine(), None, "nobody knows yet where it listens");

        let up = Up {
            endpoint: "http://127.0.0.1:40123".into(),
            incarnation: Incarnation(Uuid::from_u128(9)),
            software_version: "1.2.3".into(),
        };
        let whole = RunFile::new(process, Some(up));
        whole.write(folder, worker).unwrap();
        let read = RunFile::read(folder, worker).unwrap();
        assert_eq!(read, whole);
        assert_eq!(read.machine().unwrap().provider_ref, "4242@99");
        let mode = fs::metadata(RunFile::path(folder, worker)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        RunFile::remove(folder, worker).unwrap();
        RunFile::remove(folder, worker).unwrap();
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "no draft is left behind");
    }

    #[test]
    fn a_damaged_run_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let worker = WorkerId(Uuid::from_u128(7));
        fs::write(RunFile::path(folder.path(), worker), b"{\"pid\":").unwrap();
        assert_eq!(RunFile::read(folder.path(), worker), None);
    }
}
