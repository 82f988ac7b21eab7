//! The worker's command line and environment.

use std::net::SocketAddr;
use std::time::Duration;

use crate::model::WorkerId;

/// Where the token comes from. Never from argv, which every user of the machine can read.
pub const TOKEN_VARIABLE: &str = "MUSTER_WORKER_TOKEN";

/// Run a worker: a process that loads nets, runs them and reports to a console. The token that the console must show
/// is read from the environment variable MUSTER_WORKER_TOKEN.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", env = "MUSTER_WORKER_LISTEN")]
    pub listen: SocketAddr,
    /// The id of this worker's record in the console.
    #[arg(long, env = "MUSTER_WORKER_ID")]
    pub worker_id: WorkerId,
    /// Threads that run nets [default: as many as cores, at most 4].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Seconds without a console after which the worker ends by itself; 0 is never.
    #[arg(long, default_value_t = 600)]
    pub orphan_timeout: u64,
}

/// All that a worker needs to know.
#[derive(Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub worker_id: WorkerId,
    pub token: String,
    pub threads: usize,
    /// `None` is never.
    pub orphan_timeout: Option<Duration>,
}

/// Why a worker could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "the environment variable {TOKEN_VARIABLE} is not set; it must hold the token that the console will show"
    )]
    NoToken,
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("cannot say on standard output that the worker is ready: {0}")]
    Ready(std::io::Error),
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
    #[error("the server ended: {0}")]
    Serve(std::io::Error),
}

impl Config {
    /// The command line and the token of the environment.
    pub fn from_args(args: Args) -> Result<Self, Error> {
        let token = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.trim().is_empty());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            listen: args.listen,
            worker_id: args.worker_id,
            token: token.ok_or(Error::NoToken)?.trim().to_string(),
            threads: args.threads.map_or(cores.min(4), usize::from),
            orphan_timeout: (args.orphan_timeout > 0).then(|| Duration::from_secs(args.orphan_timeout)),
        })
    }
}
