//! A machine with an agent: its folder, its token, its processes.

use super::harness::{Server, within};
use muster::process::ProcessId;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
};
use tokio::process::{Child, Command};

pub struct Machine {
    pub id: String,
    pub token: String,
    /// Where its agent dials.
    pub console: String,
    pub folder: tempfile::TempDir,
    agent: Option<Child>,
}

impl Machine {
    /// Makes the host in the console and writes its token; its agent is not started. `$HOST` in `config` is its folder.
    pub async fn new(console: &Server, name: &str, config: &str) -> Machine {
        let done = console.post("/api/hosts", json!({ "name": name })).await;
        let machine = Machine {
            id: done["host"]["id"].as_str().unwrap().to_owned(),
            token: done["token"].as_str().unwrap().to_owned(),
            console: console.url.clone(),
            folder: tempfile::tempdir().unwrap(),
            agent: None,
        };
        machine.write(config);
        machine
    }

    /// Another machine with the token of this one.
    pub fn twin(&self, config: &str) -> Machine {
        let (folder, agent) = (tempfile::tempdir().unwrap(), None);
        let (id, token, console) = (self.id.clone(), self.token.clone(), self.console.clone());
        let twin = Machine { id, token, console, folder, agent };
        twin.write(config);
        twin
    }

    fn write(&self, config: &str) {
        fs::write(self.path("agent.toml"), config.replace("$HOST", self.folder.path().to_str().unwrap()))
            .unwrap();
        self.write_token(&self.token);
    }

    pub fn write_token(&self, token: &str) {
        fs::write(self.path("token"), format!("{token}\n")).unwrap();
        fs::set_permissions(self.path("token"), fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub fn start_agent(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.args(["agent", "--server", &self.console]);
        for (option, file) in
            [("--token-file", "token"), ("--config", "agent.toml"), ("--state-dir", "state")]
        {
            command.arg(option).arg(self.path(file));
        }
        let log = fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        command.env("RUST_LOG", "info").env("GIT_CONFIG_GLOBAL", "/dev/null").env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        self.agent = Some(command.spawn().expect("the binary starts"));
    }

    pub fn signal_agent(&self, signal: Signal) {
        let pid = self.agent.as_ref().and_then(Child::id).expect("the agent runs");
        kill_process(Pid::from_raw(pid as i32).unwrap(), signal).unwrap();
    }

    /// SIGKILL.
    pub async fn kill_agent(&mut self) {
        self.signal_agent(Signal::KILL);
        self.agent_ended().await;
    }

    pub async fn agent_ended(&mut self) -> ExitStatus {
        let mut agent = self.agent.take().expect("the agent was started");
        within("the end of the agent", agent.wait()).await.unwrap()
    }

    /// The program of a command, as long as the agent holds it.
    pub fn program(&self, command: &str) -> Option<ProcessId> {
        fs::read_to_string(self.path(&format!("state/commands/{command}/child"))).ok()?.parse().ok()
    }

    /// The commands that its agent holds.
    pub fn held(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("state/commands")).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for command in self.held() {
            if let Some(program) = self.program(&command) {
                program.signal_group(Signal::KILL);
            }
        }
        if std::thread::panicking() {
            eprintln!("--- the log of the agent of {}\n{}", self.id, self.read("log"));
        }
    }
}

/// Commands that are scripts of a test.
pub fn scripts(scripts: &[(&str, &str)]) -> String {
    let one = |(name, script): &(&str, &str)| {
        format!("[commands.{name}]\nargv = [\"sh\", \"-c\", '''{script}''']\ncwd = \"$HOST\"\n")
    };
    scripts.iter().map(one).collect()
}

/// Counts until the file `go` is there, and then a little further.
pub const COUNTS: &str =
    "n=0; until [ -e go ]; do n=$((n+1)); echo $n; sleep 0.01; done; echo $((n+1)); exit 4";

/// The lines are 1, 2, 3, … and none is missing.
pub fn assert_counted(text: &str) {
    let numbers: Vec<u64> = text.lines().map(|line| line.parse().unwrap()).collect();
    assert!(numbers.len() > 1 && numbers.iter().copied().eq(1..=numbers.len() as u64), "{text}");
}
