//! The swarm's command line, and where it gets its credentials: never from argv, which every user of the machine can read.

use super::{console::ConsoleError, script::ScriptError};
use clap::builder::ArgPredicate;
use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

const EMAIL_VARIABLE: &str = "MUSTER_SWARM_EMAIL";
const PASSWORD_VARIABLE: &str = "MUSTER_SWARM_PASSWORD";

/// Run a simulated fleet against a console: one process that is many workers, over real sockets and the worker protocol. It signs in as an
/// administrator, whose email address and password come from --credentials or from MUSTER_SWARM_EMAIL and MUSTER_SWARM_PASSWORD.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The console's address.
    #[arg(long, env = "MUSTER_CONSOLE", default_value = "http://127.0.0.1:3000")]
    pub console: String,

    /// A file with the email address on its first line and the password on its second.
    #[arg(long, env = "MUSTER_SWARM_CREDENTIALS")]
    pub credentials: Option<PathBuf>,

    /// How many workers; none where --agents is given without this. With 0 of both, and --remove, it removes what an earlier run of this
    /// name left behind.
    #[arg(long, default_value_t = 20, default_value_if("agents", ArgPredicate::IsPresent, "0"))]
    pub workers: usize,

    /// How many nets, assigned to the workers in turn and loaded.
    #[arg(long, default_value_t = 40, default_value_if("agents", ArgPredicate::IsPresent, "0"))]
    pub nets: usize,

    /// How many hosts, each with an agent that is connected to the console.
    #[arg(long, default_value_t = 0)]
    pub agents: usize,

    /// Lines a second that a command on a host writes.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub lines_per_second: u32,

    /// The share of the nets that run, 0 to 1.
    #[arg(long, default_value_t = 0.1, value_parser = share)]
    pub running: f64,

    /// Firings a second of each net that runs.
    #[arg(long, default_value_t = 1)]
    pub rate: u32,

    /// Names the cluster, and begins the names of its workers and nets.
    #[arg(long, default_value = "swarm")]
    pub name: String,

    /// The project of the nets, by name. Without it, the first.
    #[arg(long)]
    pub project: Option<String>,

    /// Address to listen on. Port 0 takes free ones; 2,000 workers share a port, the next ones take the next port.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,

    /// The host name or address by which the console reaches this machine, where that is not the one to listen on.
    #[arg(long)]
    pub host: Option<String>,

    /// A script of what goes wrong and when, one line each: at 10s crash 3 for 5s (docs/swarm.md).
    #[arg(long)]
    pub script: Option<PathBuf>,

    /// The share of the workers, 0 to 1, that something happens to each minute: crashes, hanging, slow answers.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    pub chaos: f64,

    /// Decides what chance decides. Without it one is drawn; it is printed.
    #[arg(long)]
    pub seed: Option<u64>,

    /// End by itself so long after the swarm is up, for example 90s or 10m.
    #[arg(long = "for", value_parser = humantime::parse_duration)]
    pub lasts: Option<Duration>,

    /// When it ends, delete the workers, nets and the cluster of this name from the console.
    #[arg(long)]
    pub remove: bool,

    /// Requests to the console under way at a time.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub width: u16,

    /// Threads that run nets.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("it must be a number from 0 to 1".to_owned()),
    }
}

/// Why the swarm could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error("the script {path} cannot be read: {cause}")]
    ScriptFile { path: PathBuf, cause: io::Error },
    #[error("the script {path}: {error}")]
    Script { path: PathBuf, error: ScriptError },
    #[error(
        "{needed} connections are needed, and this process may only have {may} files and sockets open; raise the limit (ulimit -n {wanted}, as far as the system lets you), or ask for at most {fewer} workers"
    )]
    Descriptors { needed: u64, may: u64, wanted: u64, fewer: u64 },
    #[error("cannot listen on {address}: {cause}")]
    Listen { address: SocketAddr, cause: io::Error },
    #[error("{0} is every address of this machine, but the console needs one to call: give it with --host")]
    Unspecified(SocketAddr),
    #[error("{0}")]
    Console(#[from] ConsoleError),
    #[error("there is no project {0:?}; the console has: {1}")]
    NoProject(String, String),
    #[error(
        "the cluster {0} exists and is not one of machines that somebody else runs; choose another --name"
    )]
    OtherCluster(String),
    #[error(
        "the cluster {0} has {1} workers of an earlier run; remove them with: muster swarm --name {0} --workers 0 --nets 0 --remove"
    )]
    LeftBehind(String, usize),
    #[error(
        "the console has {1} hosts of an earlier run; remove them with: muster swarm --name {0} --agents 0 --remove"
    )]
    HostsLeftBehind(String, usize),
    #[error("{0}")]
    Agents(String),
    #[error("{0} {1} were deleted and are still there; look at the console's events for the reason")]
    Remain(usize, String),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{failed} of the steps to build the swarm failed; the first: {first}")]
    Incomplete { failed: usize, first: String },
}

#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    #[error(
        "no credentials: give a file with --credentials, or set {EMAIL_VARIABLE} and {PASSWORD_VARIABLE}"
    )]
    None,
    #[error("the credentials file {path} cannot be used: {reason}")]
    File { path: PathBuf, reason: String },
}

/// How the swarm signs in.
#[derive(Clone)]
pub struct Credentials {
    pub email: String,
    pub password: String,
}

impl Credentials {
    /// Those in the file, or in the environment.
    pub fn find(file: Option<&Path>) -> Result<Credentials, CredentialsError> {
        let Some(path) = file else {
            let from = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
            return match (from(EMAIL_VARIABLE), from(PASSWORD_VARIABLE)) {
                (Some(email), Some(password)) => Ok(Credentials { email, password }),
                _ => Err(CredentialsError::None),
            };
        };
        let unusable = |reason: String| CredentialsError::File { path: path.to_owned(), reason };
        let metadata = fs::metadata(path).map_err(|error| unusable(error.to_string()))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(unusable("others could read it; close it to them: chmod 600".to_owned()));
        }
        let text = fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
        let mut lines = text.lines().map(str::trim_end);
        match (lines.next(), lines.next()) {
            (Some(email), Some(password)) if !email.is_empty() && !password.is_empty() => {
                Ok(Credentials { email: email.to_owned(), password: password.to_owned() })
            }
            _ => Err(unusable(
                "it must hold the email address on its first line and the password on its second".to_owned(),
            )),
        }
    }
}
