//! How the server is configured: flags, each also as `MUSTER_*` in the environment.

use super::{auth::CookieStyle, remotes::RemoteArgs};
use clap::Args as ClapArgs;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Run the console: user interface, API, streams and supervision.
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// Address to listen on. Port 0 takes a free one.
    #[arg(long, env = "MUSTER_LISTEN", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,

    /// Directory for the database, the key file and what local workers write.
    #[arg(long, env = "MUSTER_DATA", default_value = "data")]
    pub data: PathBuf,

    /// The console is reached over https (through a proxy that ends TLS): cookies are marked Secure. Assumed for every address but loopback.
    #[arg(long, env = "MUSTER_HTTPS")]
    pub https: Option<bool>,

    /// Seconds between digests, by which a replica notices that it differs from the server.
    #[arg(long, env = "MUSTER_SYNC_BEACON", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub sync_beacon: u64,

    /// An empty database begins with a local cluster, a project and two sample nets; with false, without the nets.
    #[arg(long, env = "MUSTER_SAMPLES", default_value_t = true, action = clap::ArgAction::Set)]
    pub samples: bool,

    /// Let anyone read /metrics, as a scraper without a session must. Otherwise it needs the role admin: the figures name
    /// the clusters, count what is in the fleet, and tell how busy the console is.
    #[arg(long, env = "MUSTER_METRICS_PUBLIC")]
    pub metrics_public: bool,

    /// Mebibytes that are kept of the output of one command; what comes after is a gap.
    #[arg(long, env = "MUSTER_OUTPUT_LIMIT", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    pub output_limit: u64,

    /// Days that commands which are over are kept, with their output.
    #[arg(long, env = "MUSTER_KEEP_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=36_500))]
    pub keep_days: u64,

    /// The newest so many of them are kept.
    #[arg(long, env = "MUSTER_KEEP_COMMANDS", default_value_t = 10_000)]
    pub keep_commands: u32,

    /// Days that events are kept in the log.
    #[arg(long, env = "MUSTER_KEEP_EVENT_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=36_500))]
    pub keep_event_days: u64,

    /// The newest so many of them are kept. A million take about one gigabyte.
    #[arg(long, env = "MUSTER_KEEP_EVENTS", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(100..))]
    pub keep_events: u64,

    /// Nets that are built at a time: each in a process of its own, after everything else on the machine.
    #[arg(long, env = "MUSTER_BUILDS_AT_ONCE", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=64))]
    pub builds_at_once: u64,

    /// Seconds that the build of a net may take. What is not found out by then is "not decided".
    #[arg(long, env = "MUSTER_BUILD_SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub build_seconds: u64,

    /// Megabytes that the process of a build may take.
    #[arg(long, env = "MUSTER_BUILD_MEMORY", default_value_t = 512, value_parser = clap::value_parser!(u64).range(64..=1_000_000))]
    pub build_memory: u64,

    #[command(flatten)]
    pub remotes: RemoteArgs,

    /// Write the log as JSON lines. What is logged follows RUST_LOG.
    #[arg(long, env = "MUSTER_LOG_JSON")]
    pub log_json: bool,
}

/// What the rest of the server needs to know of it.
#[derive(Clone, Debug)]
pub struct Config {
    pub data: PathBuf,
    pub cookie_style: CookieStyle,
    pub digest_every: Duration,
    pub metrics_public: bool,
}

impl From<&Args> for Config {
    fn from(args: &Args) -> Config {
        let https = args.https.unwrap_or(!args.listen.ip().is_loopback());
        Config {
            data: args.data.clone(),
            cookie_style: if https { CookieStyle::Https } else { CookieStyle::Loopback },
            digest_every: Duration::from_secs(args.sync_beacon),
            metrics_public: args.metrics_public,
        }
    }
}
