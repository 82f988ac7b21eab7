//! `muster agent`: starts everything, dials for as long as that makes sense, and says with its exit code whether it is worth starting
//! again.

use super::{
    checks::Checks,
    commands::Commands,
    config::{Config, ConfigError},
    metrics::{Probe, measure},
    protocol::Goodbye,
    session::{Agent, Over, hold, machine_name},
    state::{State, StateError, usual_folder},
    wire::{Address, ConnectError, NotAnAddress, connect},
};
use crate::{model::host::HEARTBEAT, sync::backoff::Backoff};
use std::{
    collections::HashSet,
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

/// The console refuses this agent: starting it again changes nothing (EX_NOPERM of sysexits.h).
pub const EXIT_REFUSED: u8 = 77;
/// What its owner wrote cannot be used (EX_CONFIG).
pub const EXIT_CONFIG: u8 = 78;

/// A connection that held for so long was a good one: the next try comes soon again.
const GOOD_AFTER: Duration = Duration::from_secs(10);
/// Between tries while another agent speaks for this host; as much again is added by chance.
const WHILE_TAKEN: Duration = Duration::from_secs(30);

/// Run the agent of a host: it dials the console, reports what the host is like, and runs the commands of its own configuration.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Address of the console: https://console.example
    #[arg(long, env = "MUSTER_SERVER")]
    server: String,
    /// File that holds the host's token.
    #[arg(long, env = "MUSTER_TOKEN_FILE")]
    token_file: PathBuf,
    /// Configuration: the repository, and the commands that may be run. Without it the host is only looked at.
    #[arg(long, env = "MUSTER_AGENT_CONFIG")]
    config: Option<PathBuf>,
    /// Where the agent keeps its id and the commands that it holds [default: $STATE_DIRECTORY, /var/lib/muster-agent for root,
    /// ~/.local/state/muster-agent for others].
    #[arg(long, env = "MUSTER_AGENT_STATE")]
    state_dir: Option<PathBuf>,
}

/// Why an agent does not go on.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Address(#[from] NotAnAddress),
    #[error("the token file {path} cannot be used: {why}")]
    Token { path: PathBuf, why: String },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error(
        "{0}. Give this host a new token in the console, write it into the token file and start the agent again."
    )]
    Refused(String),
    #[error(
        "the console speaks another version of the agent protocol: {0}. Install the agent of the console's version."
    )]
    Protocol(String),
}

impl Error {
    fn code(&self) -> ExitCode {
        match self {
            Error::Refused(_) | Error::Protocol(_) => EXIT_REFUSED.into(),
            Error::Address(_) | Error::Token { .. } | Error::Config(_) => EXIT_CONFIG.into(),
            Error::State(_) | Error::Io(_) => ExitCode::FAILURE,
        }
    }
}

/// Runs until SIGTERM, Ctrl-C, or a console that does not want this agent. Commands go on without it.
pub async fn run(args: Args) -> ExitCode {
    match serve(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            error.code()
        }
    }
}

async fn serve(args: Args) -> Result<(), Error> {
    let end = CancellationToken::new();
    end_on_signal(end.clone())?;
    let address = Address::of_console(&args.server)?;
    if address.is_open_to_listeners() {
        tracing::warn!(
            server = args.server,
            "the token and all output travel in the open: use https:// between machines"
        );
    }
    warn_of_readers(&args.token_file);
    let token = Token { value: read_token(&args.token_file)?, file: args.token_file };
    let config = Arc::new(Config::read(args.config.as_deref(), &machine_name()?)?);
    let folder = args.state_dir.unwrap_or_else(usual_folder);
    let state = State::open(&folder)?;
    let commands = Commands::find(config.clone(), state)?;
    let (tell_figures, figures) = watch::channel(None);
    tokio::spawn(measure(Probe::new(config.disk.clone()), HEARTBEAT, tell_figures));
    tracing::info!(
        server = args.server,
        state = %folder.display(),
        commands = config.commands.len(),
        version = env!("CARGO_PKG_VERSION"),
        "agent starts"
    );
    let checks = Checks::start(config.clone());
    let agent = Agent { config, commands, checks, figures, findings: None, unsaid: HashSet::new() };
    let ended = dial(agent, &address, token, &end).await;
    tracing::info!("agent ends; commands that run go on without it");
    ended
}

/// Dials again and again.
async fn dial(
    mut agent: Agent,
    address: &Address,
    mut token: Token,
    end: &CancellationToken,
) -> Result<(), Error> {
    let mut backoff = Backoff::default();
    loop {
        let mut wait = None;
        match try_to_connect(&mut agent, address, token.latest(), end).await? {
            None => return Ok(()),
            Some(Err(error)) => {
                tracing::warn!(why = %with_sources(&error), tries = backoff.tries() + 1, "no connection to the console");
            }
            Some(Ok((sender, receiver))) => {
                let (over, welcomed) = hold(&mut agent, sender, receiver, end).await;
                if welcomed.is_some_and(|since| since.elapsed() >= GOOD_AFTER) {
                    backoff.reset();
                }
                wait = after(over)?.map(|rest| rest.mul_f64(1.0 + rand::random::<f64>()));
            }
        }
        if end.is_cancelled() {
            return Ok(());
        }
        let wait = wait.unwrap_or_else(|| backoff.next(rand::random()));
        tracing::info!(seconds = wait.as_secs_f32(), "dials again after a while");
        let rest = tokio::time::sleep(wait);
        tokio::pin!(rest);
        loop {
            tokio::select! {
                () = &mut rest => break,
                () = end.cancelled() => return Ok(()),
                Some(round) = agent.checks.rounds.recv() => agent.keep(round),
            }
        }
    }
}

type Connected = Result<(super::wire::Sender, super::wire::Receiver), ConnectError>;

/// `None`: this agent was asked to end.
async fn try_to_connect(
    agent: &mut Agent,
    address: &Address,
    token: &str,
    end: &CancellationToken,
) -> Result<Option<Connected>, Error> {
    let connecting = connect(address, token);
    tokio::pin!(connecting);
    loop {
        tokio::select! {
            connected = &mut connecting => return match connected {
                Err(error @ ConnectError::Refused(_)) => Err(Error::Refused(error.to_string())),
                connected => Ok(Some(connected)),
            },
            () = end.cancelled() => return Ok(None),
            Some(round) = agent.checks.rounds.recv() => agent.keep(round),
        }
    }
}

/// What the end of a connection means: stop, dial again after a rest, or dial again as after any failure.
fn after(over: Over) -> Result<Option<Duration>, Error> {
    match over {
        Over::Ended => {}
        Over::Broken(broken) => tracing::warn!(why = %broken, "the connection is over"),
        Over::Silent => tracing::warn!("the console says nothing any more; the connection is over"),
        Over::NotWelcome => {
            tracing::warn!("the console does not answer a registration; the connection is over")
        }
        Over::Goodbye(Goodbye::Revoked, detail) => {
            return Err(Error::Refused(format!(
                "the console took this host's token back: {}",
                detail.trim_end_matches('.')
            )));
        }
        Over::Goodbye(Goodbye::Protocol, detail) => return Err(Error::Protocol(detail)),
        Over::Goodbye(Goodbye::Taken, detail) => {
            tracing::warn!(detail, "another agent speaks for this host; this one waits until it is gone");
            return Ok(Some(WHILE_TAKEN));
        }
        Over::Goodbye(why @ (Goodbye::Malformed | Goodbye::Closing), detail) => {
            tracing::warn!(?why, detail, "the console ends the connection");
        }
    }
    Ok(None)
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// The host's token, and where a new one would appear.
struct Token {
    value: String,
    file: PathBuf,
}

impl Token {
    /// Read each time: a new token is used without a restart. A file that is gone for a moment takes the old one from nobody.
    fn latest(&mut self) -> &str {
        match read_token(&self.file) {
            Ok(token) => self.value = token,
            Err(error) => tracing::warn!("{error}; the token read before is used"),
        }
        &self.value
    }
}

fn read_token(path: &Path) -> Result<String, Error> {
    let wrong = |why: String| Error::Token { path: path.to_owned(), why };
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let token = text.trim();
    match token.len() {
        0 => Err(wrong("it is empty".to_owned())),
        1..=512 if token.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(token.to_owned()),
        _ => Err(wrong("it must hold one token and nothing else".to_owned())),
    }
}

/// Whoever reads the token can speak for this host.
fn warn_of_readers(path: &Path) {
    if let Ok(metadata) = fs::metadata(path)
        && metadata.permissions().mode() & 0o044 != 0
    {
        tracing::warn!(path = %path.display(), "other users can read the token: chmod 600 it, and consider a new one");
    }
}

fn end_on_signal(end: CancellationToken) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("asked to end");
        end.cancel();
    });
    Ok(())
}
