//! A machine with an agent: its folders, its repository, its processes.

use super::console::{Console, TOKEN, within};
use muster::process::ProcessId;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
};
use tokio::process::{Child, Command};

pub struct Host {
    pub folder: tempfile::TempDir,
    pub agent: Option<Child>,
    server: String,
}

impl Host {
    /// A host whose agent is not started yet.
    pub fn new(console: &Console, config: &str) -> Host {
        let host = Host { folder: tempfile::tempdir().unwrap(), agent: None, server: console.url.clone() };
        fs::write(host.path("agent.toml"), config.replace("$HOST", host.folder.path().to_str().unwrap()))
            .unwrap();
        host.set_token(TOKEN);
        host
    }

    /// With its agent.
    pub fn start(console: &Console, config: &str) -> Host {
        let mut host = Host::new(console, config);
        host.start_agent();
        host
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn set_token(&self, token: &str) {
        fs::write(self.path("token"), format!("{token}\n")).unwrap();
        fs::set_permissions(self.path("token"), fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.args(["agent", "--server", &self.server]);
        for (option, file) in
            [("--token-file", "token"), ("--config", "agent.toml"), ("--state-dir", "state")]
        {
            command.arg(option).arg(self.path(file));
        }
        let log = fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        command.env("RUST_LOG", "info").env("GIT_CONFIG_GLOBAL", "/dev/null").env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        command
    }

    pub fn start_agent(&mut self) {
        self.agent = Some(self.command().spawn().expect("the binary starts"));
    }

    pub fn agent_pid(&self) -> u32 {
        self.agent.as_ref().and_then(Child::id).expect("the agent runs")
    }

    pub fn signal_agent(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.agent_pid() as i32).unwrap(), signal).unwrap();
    }

    pub async fn kill_agent(&mut self) {
        self.signal_agent(Signal::KILL);
        self.agent_ended().await;
    }

    pub async fn agent_ended(&mut self) -> ExitStatus {
        let mut agent = self.agent.take().expect("the agent was started");
        within("the end of the agent", agent.wait()).await.unwrap()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The folders of the commands that the agent holds.
    pub fn held(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("state/commands")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        for folder in self.held() {
            let child =
                fs::read_to_string(folder.join("child")).ok().and_then(|text| text.parse::<ProcessId>().ok());
            if let Some(child) = child {
                child.signal_group(Signal::KILL);
            }
        }
        if std::thread::panicking() {
            eprintln!("--- the agent's log\n{}", self.log());
        }
    }
}
