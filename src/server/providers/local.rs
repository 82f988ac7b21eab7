//! Machines that are processes on the console's own machine: `muster worker`, each in a process group of its own.
//!
//! They survive the console. What is known of each is in its run file, which is written before anything is awaited, so that there is no
//! moment at which a console that dies leaves a process that the next one cannot find.

use super::{
    MachineState, ProcessId, ProviderError, WorkerExit,
    run_file::{RunFile, Up},
};
use crate::{
    model::{Category, Machine, Worker, WorkerId},
    server::workers::{Keys, WorkerClient},
    worker::protocol::Ready,
};
use rustix::process::Signal;
use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    net::SocketAddr,
    os::unix::{fs::OpenOptionsExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{ChildStdout, Command},
    sync::mpsc,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

#[derive(Clone, Debug)]
pub struct LocalConfig {
    /// The program to start as `<program> worker`.
    pub program: PathBuf,
    /// The console's data folder; run files and logs are in `workers/` below it.
    pub data: PathBuf,
    pub keys: Keys,
    pub client: WorkerClient,
    /// How long a process may take until it listens.
    pub ready_within: Duration,
    /// How long a process may take to end when asked, before it is made to.
    pub end_within: Duration,
}

impl LocalConfig {
    /// Starts this very program.
    pub fn new(data: &Path, keys: Keys, client: WorkerClient) -> io::Result<LocalConfig> {
        Ok(LocalConfig {
            program: std::env::current_exe()?,
            // The process is handed this path, and has a working directory of its own.
            data: std::path::absolute(data)?,
            keys,
            client,
            ready_within: Duration::from_secs(10),
            end_within: Duration::from_secs(3),
        })
    }
}

/// A log is begun anew at a start once it is this large, and the old one is kept beside it.
const LARGEST_LOG: u64 = 10 << 20;
/// The one line a worker prints is far below this.
const LONGEST_READY_LINE: u64 = 16 << 10;
/// How much of a failed start's log is shown.
const LOG_LINES_SHOWN: usize = 5;
/// After `SIGKILL` only the kernel can keep a process.
const KILL_WITHIN: Duration = Duration::from_secs(5);
/// What a worker gets of the console's environment. The rest may hold secrets.
const ENVIRONMENT_KEPT: [&str; 6] = ["PATH", "RUST_LOG", "RUST_BACKTRACE", "LANG", "TZ", "TMPDIR"];

#[derive(Clone)]
pub struct LocalProvider(Arc<Inner>);

struct Inner {
    config: LocalConfig,
    folder: PathBuf,
    /// One at a time is done to a worker's process; giving up what is being made does not wait for its turn.
    turns: Mutex<HashMap<WorkerId, Arc<Turn>>>,
    /// The processes whose end somebody waits for.
    watched: Mutex<HashSet<ProcessId>>,
    exits: mpsc::Sender<WorkerExit>,
}

#[derive(Default)]
struct Turn {
    taken: tokio::sync::Mutex<()>,
    /// Cancelled to give up the start that is under way.
    starting: Mutex<CancellationToken>,
}

impl LocalProvider {
    pub(super) fn new(
        config: LocalConfig,
        exits: mpsc::Sender<WorkerExit>,
    ) -> Result<LocalProvider, ProviderError> {
        let folder = config.data.join("workers");
        fs::create_dir_all(&folder).map_err(|cause| file_error(&folder, cause))?;
        let (turns, watched) = Default::default();
        Ok(LocalProvider(Arc::new(Inner { config, folder, turns, watched, exits })))
    }

    /// Starts a process and waits until it answers. One that runs for this worker already is ended first.
    pub async fn start(&self, worker: &Worker) -> Result<Machine, ProviderError> {
        let turn = self.turn(worker.id);
        let _taken = turn.taken.lock().await;
        let given_up = CancellationToken::new();
        *lock(&turn.starting) = given_up.clone();

        self.end(worker).await?;
        let (process, stdout, log_start) = self.spawn(worker)?;
        let made = tokio::select! {
            made = self.bring_up(worker.id, process, stdout, log_start) => made,
            () = given_up.cancelled() => Err(ProviderError::GivenUp),
        };
        if made.is_err() {
            self.end(worker).await?;
        }
        made
    }

    pub async fn stop(&self, worker: &Worker) -> Result<(), ProviderError> {
        let turn = self.turn(worker.id);
        lock(&turn.starting).cancel();
        let _taken = turn.taken.lock().await;
        self.end(worker).await
    }

    pub async fn destroy(&self, worker: &Worker) -> Result<(), ProviderError> {
        self.stop(worker).await?;
        for path in [self.log_path(worker.id), self.old_log_path(worker.id)] {
            match fs::remove_file(&path) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                    return Err(file_error(&path, cause));
                }
                _ => {}
            }
        }
        // Unless somebody waits for a turn, nobody will ask for one again.
        lock(&self.0.turns).retain(|id, turn| *id != worker.id || Arc::strong_count(turn) > 1);
        Ok(())
    }

    pub fn inspect(&self, worker: &Worker) -> Result<MachineState, ProviderError> {
        let run = RunFile::read(&self.0.folder, worker.id).filter(|run| run.process().is_alive());
        // The row knows the process too, should its run file be lost.
        let machine = run.and_then(|run| run.machine()).or_else(|| {
            let machine = worker.machine.clone()?;
            process_of(&machine).filter(|process| process.is_alive()).map(|_| machine)
        });
        Ok(match machine {
            Some(machine) => MachineState::Running { machine },
            None if worker.category == Category::Persistent && worker.machine.is_some() => {
                MachineState::Stopped
            }
            None => MachineState::Gone,
        })
    }

    /// Makes sure somebody waits for the end of this worker's process, also if an earlier console started it.
    pub fn watch(&self, worker: &Worker) {
        let Some(process) = worker.machine.as_ref().and_then(process_of) else { return };
        if !lock(&self.0.watched).insert(process) {
            return;
        }
        let (provider, worker_id) = (self.clone(), worker.id);
        tokio::spawn(async move {
            tokio::select! {
                () = process.ended() => provider.ended(worker_id, process, "ended".to_owned()).await,
                () = provider.0.exits.closed() => {}
            }
        });
    }

    /// Starts the process, writes its run file and has somebody wait for its end, in one go.
    fn spawn(&self, worker: &Worker) -> Result<(ProcessId, ChildStdout, u64), ProviderError> {
        let config = &self.0.config;
        let spawn_error = |cause: String| ProviderError::Spawn { program: config.program.clone(), cause };
        let (log, log_start) = self.open_log(worker.id)?;

        let mut command = Command::new(&config.program);
        command
            .args(["worker", "--threads", &worker.cpus.clamp(1, 256).to_string()])
            .env_clear()
            .envs(ENVIRONMENT_KEPT.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))))
            .env("MUSTER_WORKER_ID", worker.id.to_string())
            .env("MUSTER_WORKER_TOKEN", config.keys.worker_token(worker.id).as_str())
            .env("MUSTER_DATA_DIR", &config.data)
            // Ctrl-C in the console's terminal goes to its group; the workers are not in it.
            .process_group(0)
            .current_dir(&config.data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(false);
        let mut child = command.spawn().map_err(|error| spawn_error(error.to_string()))?;

        let started = child.id().and_then(ProcessId::of).zip(child.stdout.take());
        let Some((process, stdout)) = started else {
            // We have not waited for it, so it is there even if it ended: the system does not let us look.
            let _ = child.start_kill();
            return Err(spawn_error("the system does not say when it started".to_owned()));
        };
        let run = RunFile::new(process, None);
        let written = run.write(&self.0.folder, worker.id);
        lock(&self.0.watched).insert(process);
        let (provider, worker_id) = (self.clone(), worker.id);
        tokio::spawn(async move {
            tokio::select! {
                status = child.wait() => {
                    let how = status.map_or_else(|error| format!("ended ({error})"), how_it_ended);
                    provider.ended(worker_id, process, how).await;
                }
                () = provider.0.exits.closed() => {}
            }
        });
        if let Err(cause) = written {
            process.signal_group(Signal::KILL);
            return Err(file_error(&RunFile::path(&self.0.folder, worker.id), cause));
        }
        Ok((process, stdout, log_start))
    }

    /// Waits until the process listens and answers as the worker it was started for.
    async fn bring_up(
        &self,
        worker: WorkerId,
        process: ProcessId,
        stdout: ChildStdout,
        log_start: u64,
    ) -> Result<Machine, ProviderError> {
        let config = &self.0.config;
        let not_ready = |what: String| ProviderError::NotReady {
            what,
            log: last_lines(&self.log_path(worker), log_start),
        };
        let mut line = String::new();
        let mut stdout = BufReader::new(stdout.take(LONGEST_READY_LINE));
        match timeout(config.ready_within, stdout.read_line(&mut line)).await {
            Err(_) => {
                let within = humantime::format_duration(config.ready_within);
                return Err(not_ready(format!("was not ready within {within}")));
            }
            Ok(Err(error)) => return Err(not_ready(format!("could not be heard ({error})"))),
            Ok(Ok(0)) => return Err(not_ready("ended before it was ready".into())),
            Ok(Ok(_)) => {}
        }
        let ready: Ready = serde_json::from_str(&line)
            .map_err(|error| not_ready(format!("said something else than that it is ready ({error})")))?;
        if ready.pid != process.pid || !is_loopback(&ready.endpoint) {
            let what = format!("says that it is process {} at {}", ready.pid, ready.endpoint);
            return Err(not_ready(what));
        }

        let probe = config.client.timing().probe;
        let health = config
            .client
            .health_within(&ready.endpoint, worker, probe)
            .await
            .map_err(ProviderError::NoHealth)?;
        if health.incarnation != ready.incarnation {
            return Err(not_ready("is not the one that answers at its address".into()));
        }
        let up = Up {
            endpoint: ready.endpoint.clone(),
            incarnation: health.incarnation,
            software_version: health.version.clone(),
        };
        RunFile::new(process, Some(up))
            .write(&self.0.folder, worker)
            .map_err(|cause| file_error(&RunFile::path(&self.0.folder, worker), cause))?;
        Ok(Machine {
            provider_ref: process.to_string(),
            endpoint: ready.endpoint,
            incarnation: health.incarnation,
            software_version: health.version,
        })
    }

    /// Ends every process known for this worker: asked first, made to if it takes too long. Then the run file goes.
    async fn end(&self, worker: &Worker) -> Result<(), ProviderError> {
        let ran = RunFile::read(&self.0.folder, worker.id).map(|run| run.process());
        let known = worker.machine.as_ref().and_then(process_of);
        for process in ran.into_iter().chain(known) {
            process.signal_group(Signal::TERM);
            // A stopped process takes the signal once it goes on.
            process.signal_group(Signal::CONT);
            if timeout(self.0.config.end_within, process.ended()).await.is_ok() {
                continue;
            }
            process.signal_group(Signal::KILL);
            if timeout(KILL_WITHIN, process.ended()).await.is_err() {
                return Err(ProviderError::WontEnd(process.pid.to_string()));
            }
        }
        RunFile::remove(&self.0.folder, worker.id)
            .map_err(|cause| file_error(&RunFile::path(&self.0.folder, worker.id), cause))
    }

    async fn ended(&self, worker_id: WorkerId, process: ProcessId, how: String) {
        lock(&self.0.watched).remove(&process);
        let exit = WorkerExit { worker_id, provider_ref: process.to_string(), how };
        // Nobody listens once the console shuts down.
        let _ = self.0.exits.send(exit).await;
    }

    fn turn(&self, worker: WorkerId) -> Arc<Turn> {
        lock(&self.0.turns).entry(worker).or_default().clone()
    }

    fn open_log(&self, worker: WorkerId) -> Result<(File, u64), ProviderError> {
        let path = self.log_path(worker);
        let open = || {
            if fs::metadata(&path).is_ok_and(|log| log.len() > LARGEST_LOG) {
                fs::rename(&path, self.old_log_path(worker))?;
            }
            let log = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
            let length = log.metadata()?.len();
            Ok((log, length))
        };
        open().map_err(|cause| file_error(&path, cause))
    }

    fn log_path(&self, worker: WorkerId) -> PathBuf {
        self.0.folder.join(format!("{worker}.log"))
    }

    fn old_log_path(&self, worker: WorkerId) -> PathBuf {
        self.0.folder.join(format!("{worker}.log.old"))
    }
}

fn process_of(machine: &Machine) -> Option<ProcessId> {
    machine.provider_ref.parse().ok()
}

fn file_error(path: &Path, cause: io::Error) -> ProviderError {
    ProviderError::File { path: path.to_owned(), cause: Arc::new(cause) }
}

/// The token is sent there: it must be this machine.
fn is_loopback(endpoint: &str) -> bool {
    endpoint
        .strip_prefix("http://")
        .and_then(|address| address.parse::<SocketAddr>().ok())
        .is_some_and(|address| address.ip().is_loopback())
}

fn how_it_ended(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        // SIGKILL leaves no word behind: whoever reads this should know who sends it.
        (Some(9), _) => {
            "was killed by signal 9: by somebody on its machine, or by the system for want of memory"
                .to_owned()
        }
        (Some(signal), _) => format!("was killed by signal {signal}"),
        (None, Some(0)) => "ended by itself".to_owned(),
        (None, code) => format!("failed with exit code {}", code.unwrap_or_default()),
    }
}

/// The last lines of a log that were written after `start`.
fn last_lines(path: &Path, start: u64) -> Vec<String> {
    const READ: u64 = 4096;
    let read = || -> io::Result<String> {
        let mut log = File::open(path)?;
        let length = log.metadata()?.len();
        log.seek(SeekFrom::Start(start.max(length.saturating_sub(READ))))?;
        let mut bytes = Vec::new();
        log.take(READ).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let shown = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
    shown.iter().map(|line| crate::server::workers::client::sentence(line)).collect()
}

/// What these locks hold is whole at every moment, whoever panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
