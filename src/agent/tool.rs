//! Programs that are run to find something out: git, and what the owner configured. Never through a shell, never without a limit.

use rustix::process::{Pid, Signal, kill_process_group};
use std::{ffi::OsStr, io, path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
};

/// More is read and dropped.
const MOST_OUTPUT: usize = 1 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub success: bool,
    pub stdout: String,
    /// The last line of standard error that says something.
    pub complaint: String,
}

/// Runs it in `cwd`, for `within` at most. The error is a sentence.
pub async fn run<A: AsRef<OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = A>,
    cwd: &Path,
    within: Duration,
) -> Result<Output, String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(cwd);
    // Answers that can be read, and no questions that nobody would answer.
    command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").env("GIT_PAGER", "cat").env("PAGER", "cat");
    command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_SSH_COMMAND", ssh_command());
    for inherited in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(inherited);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let not_started = |error: io::Error| format!("{program} could not be started: {error}");
    let mut child = command.spawn().map_err(not_started)?;
    // Whatever ends this future ends the program and what it started.
    let group = Group(child.id().and_then(|id| Pid::from_raw(id as i32)));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let all = async { tokio::join!(read(stdout), read(stderr), child.wait()) };
    let (stdout, stderr, status) = tokio::time::timeout(within, all)
        .await
        .map_err(|_| format!("{program} took longer than {} s", within.as_secs()))?;
    let status = status.map_err(|error| format!("{program} could not be waited for: {error}"))?;
    group.has_ended();
    let complaint = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Ok(Output { success: status.success(), stdout, complaint: complaint.trim().to_owned() })
}

/// Without questions, unless the owner has set it up otherwise.
fn ssh_command() -> std::ffi::OsString {
    std::env::var_os("GIT_SSH_COMMAND").unwrap_or_else(|| "ssh -o BatchMode=yes".into())
}

async fn read(from: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut from) = from else { return String::new() };
    let (mut kept, mut piece) = (Vec::new(), vec![0; 16 << 10]);
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        kept.extend_from_slice(&piece[..length.min(MOST_OUTPUT - kept.len())]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// A process group that is ended when this is dropped.
struct Group(Option<Pid>);

impl Group {
    fn has_ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = self.0.map(|group| kill_process_group(group, Signal::KILL));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_hangs_is_ended_and_so_is_what_it_started() {
        let script = "sleep 600 & echo $! > child; wait";
        let folder = tempfile::tempdir().unwrap();
        let run = run("sh", ["-c", script], folder.path(), Duration::from_millis(500));
        assert_eq!(run.await.unwrap_err(), "sh took longer than 0 s");
        let child: u32 =
            std::fs::read_to_string(folder.path().join("child")).unwrap().trim().parse().unwrap();
        if let Some(child) = crate::process::ProcessId::of(child) {
            tokio::time::timeout(Duration::from_secs(10), child.ended()).await.expect("it is ended too");
        }
    }

    #[tokio::test]
    async fn it_says_what_was_printed_and_what_was_complained_of() {
        let script = "echo out; echo first >&2; echo last >&2; echo >&2; exit 3";
        let output = run("sh", ["-c", script], Path::new("/"), Duration::from_secs(60)).await.unwrap();
        assert_eq!(
            output,
            Output { success: false, stdout: "out\n".to_owned(), complaint: "last".to_owned() }
        );
        let missing = run("no-such-program", [""; 0], Path::new("/"), Duration::from_secs(60)).await;
        assert!(missing.unwrap_err().starts_with("no-such-program could not be started"));
    }
}
