//! `muster agent-runner`: the process that runs one command and outlives the agent. It starts the program, writes what it says into the
//! spool, ends it when it is asked to or its time is over, and writes how it ended.

use super::spool::{Ending, GRACE, Spool, Writer};
use crate::{model::Outcome, process::ProcessId};
use rustix::process::{Pid, Signal, kill_process_group, setsid, test_kill_process_group};
use std::{
    future, io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::AsyncReadExt,
    net::unix::pipe,
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until},
};

/// How soon a wish to cancel is noticed.
const LOOK: Duration = Duration::from_millis(50);
/// What a program left behind may hold its output open; so long after its end the command is over anyway.
const LINGER: Duration = Duration::from_secs(1);
/// Bytes read at once.
const BUFFER: usize = 64 << 10;

/// Run one command for the agent. It is started by `muster agent` and by nobody else.
#[derive(Clone, Debug, clap::Args)]
pub struct RunnerArgs {
    /// The folder of the command.
    folder: PathBuf,
}

/// Runs the command of this folder to its end, unless somebody else does or did.
pub async fn run(args: RunnerArgs) -> io::Result<()> {
    // Away from the agent's terminal and its process group: what ends the agent does not end the command. It fails only where this
    // process has a session of its own already.
    let _ = setsid();
    let Some(spool) = Spool::open(&args.folder)? else { return Ok(()) };
    if !spool.lock_is(&io::stdin().as_fd().try_clone_to_owned()?.into())? {
        return Err(io::Error::other("agent-runner is started by muster agent, which hands it a lock"));
    }
    if spool.ending()?.is_some() {
        return Ok(());
    }
    let mut writer = Writer::new(spool.folder(), spool.record.max_output);
    let (outcome, reason) = match begin(&spool) {
        Ok((child, output)) => watch(&spool, child, output, &mut writer).await,
        Err(reason) => (Outcome::Failed, Some(reason)),
    };
    let ending = Ending { outcome, reason, output_bytes: writer.total(), interrupted: false };
    // Nothing else tells what became of the command: this goes on until the disk takes it.
    while spool.end(&ending).is_err() {
        sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// Starts the program. On failure: why there is none.
fn begin(spool: &Spool) -> Result<(Child, pipe::Receiver), String> {
    let record = &spool.record;
    let cannot = |what: &str, error: io::Error| format!("{what}: {error}");
    let (program, arguments) = record.argv.split_first().ok_or("It names no program")?;
    let (output, input) = io::pipe().map_err(|error| cannot("No pipe could be made", error))?;
    let output = pipe::Receiver::from_owned_fd(OwnedFd::from(output))
        .map_err(|error| cannot("Its output could not be read", error))?;
    let again = input.try_clone().map_err(|error| cannot("No pipe could be made", error))?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&record.cwd).envs(&record.env);
    command.env("MUSTER_COMMAND_ID", record.command_id.to_string());
    command.stdin(Stdio::null()).stdout(input).stderr(again).process_group(0);
    spool.begin().map_err(|error| cannot("Its beginning could not be written down", error))?;
    let child = command.spawn().map_err(|error| cannot(&format!("{program} could not be started"), error))?;
    let id = child.id().and_then(ProcessId::of);
    // Without it a runner that is killed leaves the program to itself; that is no reason to end it now.
    let _ = id.map(|id| spool.started(id)).transpose();
    Ok((child, output))
}

/// Why the program is being ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Cancelled,
    TimedOut,
    /// Somebody sent this process a signal.
    Told,
}

/// Reads and waits until it is over.
async fn watch(
    spool: &Spool,
    mut child: Child,
    mut output: pipe::Receiver,
    writer: &mut Writer,
) -> (Outcome, Option<String>) {
    let group = child.id().and_then(|id| Pid::from_raw(id as i32));
    let to_group = |with: Signal| {
        // Where it is gone already there is nobody to reach.
        let _ = group.map(|group| kill_process_group(group, with));
    };
    let mut told = signal(SignalKind::terminate()).ok();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let time_is_over = sleep_until(Instant::now() + spool.record.timeout);
    tokio::pin!(time_is_over);

    let mut buffer = vec![0; BUFFER];
    let (mut reading, mut ended, mut ending): (_, Option<(ExitStatus, Instant)>, _) = (true, None, None);
    let mut kill_at: Option<Instant> = None;
    loop {
        let why = tokio::select! {
            read = output.read(&mut buffer), if reading => {
                match read {
                    Ok(0) | Err(_) => reading = false,
                    Ok(length) => writer.write(&buffer[..length]),
                }
                None
            }
            status = child.wait(), if ended.is_none() => {
                // Waiting fails only for a child that somebody else has waited for, and there is nobody.
                let status = status.unwrap_or(ExitStatus::from_raw(0xff00));
                ended = Some((status, Instant::now() + LINGER));
                None
            }
            _ = looks.tick() => spool.is_cancelled().then_some(Why::Cancelled),
            () = &mut time_is_over, if ending.is_none() && ended.is_none() => Some(Why::TimedOut),
            _ = told_to_end(&mut told), if ending.is_none() => Some(Why::Told),
        };
        if let Some(why) = why
            && ending.is_none()
            && ended.is_none()
        {
            ending = Some(why);
            kill_at = Some(Instant::now() + GRACE);
            to_group(Signal::TERM);
        }
        if kill_at.is_some_and(|at| Instant::now() >= at) {
            kill_at = None;
            to_group(Signal::KILL);
        }
        if let Some((status, until)) = ended {
            // What was asked to end has ended once the whole group has.
            let group_lives =
                kill_at.is_some() && group.is_some_and(|group| test_kill_process_group(group).is_ok());
            if !group_lives && (!reading || Instant::now() >= until) {
                return outcome(status, ending);
            }
        }
    }
}

async fn told_to_end(signals: &mut Option<tokio::signal::unix::Signal>) {
    match signals {
        Some(signals) => _ = signals.recv().await,
        None => future::pending().await,
    }
}

fn outcome(status: ExitStatus, ending: Option<Why>) -> (Outcome, Option<String>) {
    let by_itself = match (status.code(), status.signal()) {
        (Some(code), _) => Outcome::Exited { code },
        (None, signal) => Outcome::Signalled { signal: signal.unwrap_or_default() },
    };
    match ending {
        Some(Why::Cancelled) => (Outcome::Cancelled, None),
        Some(Why::TimedOut) => (Outcome::TimedOut, None),
        Some(Why::Told) => (by_itself, Some("The process that ran it was told to end".to_owned())),
        None => (by_itself, None),
    }
}
