//! `muster swarm`: a simulated fleet for load tests and rehearsals. One process that is thousands of workers, for a console that cannot
//! tell: real sockets, the real worker protocol, and records made through the console's own API, never inserted.
//!
//! [`host`] is the workers, [`fleet`] their records at the console, `console` the way there, [`script`] what goes wrong and when. What must
//! not come in: the server. A swarm knows of a console what any integration may know.

mod agents;
mod config;
mod console;
mod fleet;
mod host;
pub mod script;

pub use config::{Args, Credentials, CredentialsError, Error};
pub use console::{Console, ConsoleError};

use self::{
    agents::Agents,
    fleet::{Fleet, Took},
    host::Host,
    script::{Fault, Happening, Script, Timeline},
};
use crate::descriptors;
use std::{
    fs, io,
    io::Write,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{MissedTickBehavior, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// Beside its workers' streams a process has files open, and connections to the console.
const OTHER_DESCRIPTORS: u64 = 600;
const STATUS_EVERY: Duration = Duration::from_secs(30);

/// Builds the swarm and keeps it until SIGTERM, Ctrl-C or the end of its time.
pub async fn run(args: Args) -> Result<(), Error> {
    let credentials = Credentials::find(args.credentials.as_deref())?;
    let script = read_script(&args)?;
    let seed = args.seed.unwrap_or_else(rand::random);
    enough_descriptors(args.workers + args.agents)?;
    if args.listen.ip().is_unspecified() && args.host.is_none() && args.workers > 0 {
        return Err(Error::Unspecified(args.listen));
    }
    let told_to_stop = told_to_stop()?;
    let console = Console::sign_in(&args.console, credentials).await?;
    if args.workers == 0 && args.agents == 0 {
        return remove(&console, &args).await;
    }

    let end = CancellationToken::new();
    let threads = usize::from(args.threads);
    let host = Host::start(args.workers, args.listen, args.host.clone(), threads, end.clone());
    let host = host.await.map_err(|cause| Error::Listen { address: args.listen, cause })?;
    say(&format!(
        "Seed {seed}: {} workers, {} nets and {} agents for {}",
        args.workers,
        args.nets,
        args.agents,
        console.url()
    ))?;
    let timeline = Timeline::new(script, args.chaos, args.workers + args.agents, seed);
    let outcome = tokio::select! {
        outcome = live(&console, &args, &host, timeline, &end) => outcome,
        () = told_to_stop => Ok(()),
    };
    // While the workers still answer: the console unloads what they hold.
    let removed = if args.remove { remove(&console, &args).await } else { Ok(()) };
    end.cancel();
    if tokio::task::spawn_blocking(move || host.end_threads()).await.is_err() {
        tracing::error!("the threads that run nets did not end well");
    }
    outcome.and(removed)
}

async fn live(
    console: &Console,
    args: &Args,
    host: &Host,
    timeline: Timeline,
    end: &CancellationToken,
) -> Result<(), Error> {
    let mut took = Took::default();
    if args.workers > 0 {
        // Made where it is missing, so there is one.
        let Some(fleet) = Fleet::find(console, args, true).await? else { return Ok(()) };
        took = fleet.raise(host).await?;
    }
    let (agents, agents_took) = Agents::raise(console, args, end).await?;
    let (workers_s, nets_s) = (took.workers.as_secs_f64(), took.nets.as_secs_f64());
    say(&format!(
        "The swarm is up: {} workers after {workers_s:.1} s, {} nets after {nets_s:.1} s more, {} agents after {:.1} s more",
        args.workers,
        args.nets,
        args.agents,
        agents_took.as_secs_f64()
    ))?;
    let up = Instant::now();
    let cast = Cast { host, workers: args.workers, agents: &agents };
    let troubles = trouble(&cast, timeline, up);
    let status = status(host, &agents);
    let time_is_up = async {
        match args.lasts {
            Some(lasts) => tokio::time::sleep(lasts).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        done = troubles => done?,
        never = status => match never {},
        () = time_is_up => {}
    }
    Ok(())
}

/// Who something may happen to: the workers from 1 on, and after them the agents.
struct Cast<'a> {
    host: &'a Host,
    workers: usize,
    agents: &'a Agents,
}

impl Cast<'_> {
    fn agent(&self, n: usize) -> Option<usize> {
        n.checked_sub(self.workers).filter(|n| *n > 0)
    }

    fn begin(&self, n: usize, fault: Fault) {
        match self.agent(n) {
            Some(agent) => self.agents.begin(agent, fault),
            None => self.host.begin(n, fault),
        }
    }

    fn recover(&self, n: usize) {
        match self.agent(n) {
            Some(agent) => self.agents.recover(agent),
            None => self.host.recover(n),
        }
    }

    fn name(&self, n: usize) -> String {
        match self.agent(n) {
            Some(agent) => format!("agent {agent}"),
            None => format!("worker {n}"),
        }
    }
}

/// Makes happen what the timeline says. Does not end: where nothing happens any more, the swarm stays.
async fn trouble(cast: &Cast<'_>, mut timeline: Timeline, up: Instant) -> Result<(), Error> {
    while let Some((at, happening)) = timeline.next() {
        sleep_until((up + at).into()).await;
        let when = at.as_secs_f64();
        match happening {
            Happening::Begins { worker, fault, lasts } => {
                cast.begin(worker, fault);
                let does = match fault {
                    Fault::Crash => "crashes".to_owned(),
                    Fault::Hang => "hangs".to_owned(),
                    Fault::Slow(late) => format!("answers {} late", humantime::format_duration(late)),
                };
                let lasts = lasts.map(|lasts| format!(" for {}", humantime::format_duration(lasts)));
                say(&format!("{when:.1} s: {} {does}{}", cast.name(worker), lasts.unwrap_or_default()))?;
            }
            Happening::Ends { worker, fault } => {
                cast.recover(worker);
                let again = match fault {
                    Fault::Crash => "is back as a new process",
                    Fault::Hang => "goes on",
                    Fault::Slow(_) => "is as quick as before",
                };
                say(&format!("{when:.1} s: {} {again}", cast.name(worker)))?;
            }
        }
    }
    std::future::pending().await
}

/// Says now and then what the console has open here.
async fn status(host: &Host, agents: &Agents) -> std::convert::Infallible {
    let mut ticks = interval(STATUS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let counts = host.counts();
        tracing::info!(
            streams = counts.streams.load(Relaxed),
            connections = counts.connections.load(Relaxed),
            requests = counts.requests.load(Relaxed),
            agents = agents.counts().connected.load(Relaxed),
            heartbeats = agents.counts().heartbeats.load(Relaxed),
            "the console's connections to the swarm"
        );
    }
}

async fn remove(console: &Console, args: &Args) -> Result<(), Error> {
    if !args.remove {
        return say("Nothing to do: there are no workers and no agents to run, and --remove was not given");
    }
    let hosts = agents::remove(console, args).await?;
    if hosts > 0 {
        say(&format!("Removed {hosts} hosts"))?;
    }
    if args.agents > 0 && args.workers == 0 {
        return Ok(());
    }
    match Fleet::find(console, args, false).await? {
        Some(fleet) => {
            let count = fleet.remove().await?;
            say(&format!("Removed {count} workers and nets, and the cluster {}", args.name))
        }
        None => say(&format!("There is no cluster {} to remove", args.name)),
    }
}

fn read_script(args: &Args) -> Result<Script, Error> {
    let Some(path) = &args.script else { return Ok(Script::default()) };
    let text = fs::read_to_string(path).map_err(|cause| Error::ScriptFile { path: path.clone(), cause })?;
    Script::read(&text, args.workers + args.agents)
        .map_err(|error| Error::Script { path: path.clone(), error })
}

/// Each worker has one connection open for its stream, and sometimes others for a moment.
fn enough_descriptors(workers: usize) -> Result<(), Error> {
    let may = descriptors::raise();
    let needed = workers as u64;
    if needed + OTHER_DESCRIPTORS > may {
        let fewer = may.saturating_sub(OTHER_DESCRIPTORS);
        return Err(Error::Descriptors { needed, may, wanted: needed + OTHER_DESCRIPTORS, fewer });
    }
    Ok(())
}

/// Standard output is what happens, line by line; whoever reads it may have gone.
fn say(line: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// From now on SIGTERM and Ctrl-C end the swarm in order.
fn told_to_stop() -> Result<impl Future<Output = ()>, Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("asked to end");
    })
}
