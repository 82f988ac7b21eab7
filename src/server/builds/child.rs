//! The process of a build: started, fed, heard, and ended when it takes too long.

use crate::{
    model::{BuildError, BuildPhase},
    netcheck::build::{Found, Said},
};
use std::{
    convert::Infallible,
    io,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, ChildStdout, Command},
    sync::watch,
    time::timeout,
};

/// How nets are built.
#[derive(Clone, Debug)]
pub struct BuildConfig {
    /// The program to start as `<program> net build`.
    pub program: PathBuf,
    pub at_once: usize,
    /// Seconds and megabytes that a build may take.
    pub seconds: u64,
    pub memory_mb: u64,
    /// How long a process may take to end by itself after that.
    pub late: Duration,
}

impl BuildConfig {
    /// Starts this very program, also after its file was replaced by that of the next release.
    pub fn new(at_once: u64, seconds: u64, memory_mb: u64) -> io::Result<BuildConfig> {
        let program = match cfg!(target_os = "linux") {
            true => PathBuf::from("/proc/self/exe"),
            false => std::env::current_exe()?,
        };
        let at_once = usize::try_from(at_once).unwrap_or(usize::MAX);
        Ok(BuildConfig { program, at_once, seconds, memory_mb, late: Duration::from_secs(5) })
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(self.seconds) + self.late
    }
}

/// What a process gets of the console's environment. The rest may hold secrets.
const ENVIRONMENT_KEPT: [&str; 5] = ["PATH", "RUST_BACKTRACE", "LANG", "TZ", "TMPDIR"];
/// A report is far below this.
const MOST_SAID: u64 = 256 << 20;
/// How much is kept of what the process complains of.
const MOST_COMPLAINED: usize = 16 << 10;

/// Has a net built. Whoever drops this ends the process.
pub async fn build(
    config: &BuildConfig,
    pnml: Vec<u8>,
    phase: &watch::Sender<BuildPhase>,
) -> Result<Found, BuildError> {
    let failed = |text: String| BuildError { text, at: None };
    let no_process = |cause: &dyn std::fmt::Display| {
        failed(format!("No process could be started to build it ({}: {cause}).", config.program.display()))
    };
    let mut child = start(config, pnml.len()).map_err(|error| no_process(&error))?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(no_process(&"it cannot be talked to"));
    };
    // It stays open afterwards: its end is what tells the process that nobody waits for it any more, should this console be killed.
    let pipe = &mut stdin;
    let feed = async move {
        // A process that does not want it all says so itself.
        _ = pipe.write_all(&pnml).await;
        drop(pnml);
        std::future::pending::<Infallible>().await
    };
    let complaints = tokio::spawn(listen_to(stderr));
    let heard = timeout(config.deadline(), async {
        let last = tokio::select! {
            last = hear(stdout, phase) => last,
            never = feed => match never {},
        };
        match last {
            Some(last) => Ok(last),
            None => Err(child.wait().await),
        }
    })
    .await;
    _ = child.start_kill();
    match heard {
        Ok(Ok(Said::Found(found))) => Ok(*found),
        Ok(Ok(Said::Broken(error))) => Err(error),
        Ok(Ok(Said::Phase(_))) => Err(failed("Its process ended before it was done.".to_owned())),
        Ok(Err(status)) => {
            let complaint = timeout(config.late, complaints).await.ok().and_then(Result::ok);
            Err(failed(how_it_ended(config, status, &complaint.unwrap_or_default())))
        }
        Err(_) => {
            complaints.abort();
            Err(failed(format!(
                "Its process was ended: it may take {} s (--build-seconds), and did not end by itself.",
                config.seconds
            )))
        }
    }
}

fn start(config: &BuildConfig, bytes: usize) -> io::Result<Child> {
    Command::new(&config.program)
        .args(["net", "build", "--seconds", &config.seconds.to_string()])
        .args(["--memory", &config.memory_mb.to_string(), "--bytes", &bytes.to_string()])
        .env_clear()
        .envs(ENVIRONMENT_KEPT.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))))
        // Ctrl-C in the console's terminal goes to its group; how a build ends is the console's to say.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// Follows what it says, up to its last word.
async fn hear(stdout: ChildStdout, phase: &watch::Sender<BuildPhase>) -> Option<Said> {
    let mut lines = BufReader::new(stdout.take(MOST_SAID)).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Said::Phase(now)) => _ = phase.send_replace(now),
            Ok(last) => return Some(last),
            // How it ends tells what is wrong with it.
            Err(error) => tracing::warn!(%error, "a build says what is not understood"),
        }
    }
    None
}

/// All of it is taken, lest the process waits; the beginning is kept.
async fn listen_to(mut stderr: ChildStderr) -> String {
    let (mut kept, mut piece) = (Vec::new(), [0; 1024]);
    while let Ok(read @ 1..) = stderr.read(&mut piece).await {
        let wanted = MOST_COMPLAINED.saturating_sub(kept.len()).min(read);
        kept.extend_from_slice(&piece[..wanted]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

fn how_it_ended(config: &BuildConfig, status: io::Result<ExitStatus>, complaint: &str) -> String {
    // What the standard library says before it ends the process.
    if complaint.contains("memory allocation of") {
        return format!(
            "It needs more than the {} MB that a build may take (--build-memory).",
            config.memory_mb
        );
    }
    let how = match status {
        Err(error) => error.to_string(),
        Ok(status) => match (status.signal(), status.code()) {
            (Some(9), _) => {
                "killed by signal 9: by somebody on its machine, or by the system for want of memory"
                    .to_owned()
            }
            (Some(signal), _) => format!("killed by signal {signal}"),
            (None, code) => format!("exit code {}", code.unwrap_or_default()),
        },
    };
    let last = complaint.lines().rev().find(|line| !line.trim().is_empty());
    let last =
        last.map(|line| format!(" Its last words: {}", line.trim().chars().take(300).collect::<String>()));
    format!("Its process came to a bad end ({how}).{}", last.unwrap_or_default())
}
