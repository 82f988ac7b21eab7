//! A process of this machine, told apart from a later one under the same number by when it started.

use rustix::process::{Pid, Signal, kill_process_group};
use std::{fmt, str::FromStr, time::Duration};

/// A process, as `pid@start` in a worker's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProcessId {
    pub pid: u32,
    /// Linux: clock ticks after boot (field 22 of `/proc/<pid>/stat`). Elsewhere: seconds since 1970.
    pub start_time: u64,
}

impl ProcessId {
    /// The process that has this number now, also if it has ended and waits for its parent.
    pub fn of(pid: u32) -> Option<ProcessId> {
        look(pid).map(|seen| ProcessId { pid, start_time: seen.start_time })
    }

    /// One that has ended and waits for its parent is not alive.
    pub fn is_alive(self) -> bool {
        look(self.pid).is_some_and(|seen| seen.start_time == self.start_time && !seen.ended)
    }

    /// Signals the process group that this process leads, if it is still this process.
    pub fn signal_group(self, signal: Signal) {
        if self.is_alive()
            && let Some(pid) = Pid::from_raw(self.pid as i32)
            && let Err(error) = kill_process_group(pid, signal)
        {
            // It ended between the look and the signal; whoever waits for its end sees that.
            tracing::debug!(process = %self, %error, "a signal was not delivered");
        }
    }

    /// Returns once the process has ended.
    pub async fn ended(self) {
        #[cfg(target_os = "linux")]
        if self.ended_by_pidfd().await.is_ok() {
            return;
        }
        while self.is_alive() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    #[cfg(target_os = "linux")]
    async fn ended_by_pidfd(self) -> std::io::Result<()> {
        use rustix::process::{PidfdFlags, pidfd_open};
        use tokio::io::{Interest, unix::AsyncFd};

        let pid = Pid::from_raw(self.pid as i32).ok_or(std::io::ErrorKind::InvalidInput)?;
        let fd = match pidfd_open(pid, PidfdFlags::empty()) {
            Err(rustix::io::Errno::SRCH) => return Ok(()),
            opened => opened?,
        };
        // Only now is it sure which process the descriptor stands for.
        if self.is_alive() {
            // SAFETY: an owned descriptor stays open, and the same, for as long as the registration holds it.
            let fd = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }?;
            fd.readable().await?.retain_ready();
        }
        Ok(())
    }
}

/// What the system says of the process under a number.
struct Seen {
    start_time: u64,
    ended: bool,
}

#[cfg(target_os = "linux")]
fn look(pid: u32) -> Option<Seen> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Field 2 is the program's name in parentheses, and may hold spaces and parentheses itself (proc_pid_stat(5)).
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X" | "x");
    Some(Seen { start_time: fields.nth(18)?.parse().ok()?, ended })
}

#[cfg(not(target_os = "linux"))]
fn look(pid: u32) -> Option<Seen> {
    use sysinfo::{Pid, ProcessStatus, ProcessesToUpdate, System};
    let pid = Pid::from_u32(pid);
    let mut system = System::new();
    system.refresh_processes(ProcessesToUpdate::Some(&[pid]), true);
    let process = system.process(pid)?;
    Some(Seen { start_time: process.start_time(), ended: process.status() == ProcessStatus::Zombie })
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.pid, self.start_time)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a process is written pid@start")]
pub struct NotAProcess;

impl FromStr for ProcessId {
    type Err = NotAProcess;
    fn from_str(text: &str) -> Result<ProcessId, NotAProcess> {
        let (pid, start_time) = text.split_once('@').ok_or(NotAProcess)?;
        Ok(ProcessId {
            pid: pid.parse().map_err(|_| NotAProcess)?,
            start_time: start_time.parse().map_err(|_| NotAProcess)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{os::unix::process::CommandExt, process::Command};

    fn sleeper() -> std::process::Child {
        Command::new("sleep").arg("60").process_group(0).spawn().unwrap()
    }

    #[test]
    fn a_process_is_told_apart_from_a_later_one_under_its_number() {
        let mut child = sleeper();
        let process = ProcessId::of(child.id()).unwrap();
        assert_eq!(process.to_string().parse::<ProcessId>().unwrap(), process);
        assert!(process.is_alive());

        let earlier = ProcessId { start_time: process.start_time - 1, ..process };
        assert!(!earlier.is_alive());
        earlier.signal_group(Signal::KILL);
        assert!(process.is_alive(), "a signal for the earlier process does not reach the later one");

        process.signal_group(Signal::KILL);
        child.wait().unwrap();
        assert!(!process.is_alive());
    }

    #[tokio::test]
    async fn the_end_of_a_process_is_noticed_before_anybody_waits_for_it() {
        let mut child = sleeper();
        let process = ProcessId::of(child.id()).unwrap();
        process.signal_group(Signal::KILL);
        tokio::time::timeout(Duration::from_secs(10), process.ended()).await.unwrap();
        assert!(!process.is_alive(), "one that waits for its parent is not alive");
        child.wait().unwrap();
    }
}
