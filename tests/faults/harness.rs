//! A real `muster serve` with a folder of its own, and its administrator's session.

use muster::sync::FullState;
use reqwest::{Client, Method, RequestBuilder, Response, header};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Long enough for a loaded machine; nothing waits for it when all is well.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("timed out waiting for {what}"))
}

/// Waits until `is_so` holds, looking often.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    within(what, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

pub struct Server {
    pub data: tempfile::TempDir,
    /// `http://127.0.0.1:<port>`; the same after a restart.
    pub url: String,
    pub cookie: String,
    pub http: Client,
    args: Vec<String>,
    child: Option<Child>,
}

impl Server {
    /// Starts it and creates the administrator through the setup link.
    pub async fn start(args: &[&str]) -> Server {
        let mut server = Server {
            data: tempfile::tempdir().unwrap(),
            url: "http://127.0.0.1:0".to_owned(),
            cookie: String::new(),
            http: Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            child: None,
        };
        let setup = server.launch().expect("an empty console prints its setup link");
        let token = setup.rsplit('/').next().unwrap().to_owned();
        let body = format!("token={token}&name=Ada&email=a%40b.example&password=a+long+enough+passphrase");
        let answer = server
            .http
            .post(format!("{}/do/set-up", server.url))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body)
            .send();
        let answer = within("the setup", answer).await.unwrap();
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        server.cookie = cookie.split(';').next().unwrap().to_owned();
        server
    }

    /// Starts the process again, on the same port and data. Returns once it listens.
    pub async fn restart(&mut self) {
        self.launch();
    }

    /// Starts the process; the setup link, if it prints one.
    fn launch(&mut self) -> Option<String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.args(["serve", "--listen", self.url.trim_start_matches("http://"), "--data"]);
        command.arg(self.data.path()).args(&self.args);
        command.env("RUST_LOG", "warn").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        self.child = Some(child);
        let first = lines.next().expect("the console starts").unwrap();
        self.url = first.strip_prefix("Muster is at ").unwrap().to_owned();
        match self.cookie.is_empty() {
            true => {
                let line = lines.next().unwrap().unwrap();
                let link = line.strip_prefix("Set it up at ")?.split(' ').next()?;
                Some(link.to_owned())
            }
            false => None,
        }
    }

    pub fn pid(&self) -> i32 {
        self.child.as_ref().unwrap().id() as i32
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM; how long until the process was gone.
    pub async fn terminate(&mut self) -> Duration {
        let mut child = self.child.take().unwrap();
        let began = Instant::now();
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        let status = tokio::task::spawn_blocking(move || child.wait());
        assert!(within("the end of the process", status).await.unwrap().unwrap().success());
        began.elapsed()
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).header(header::COOKIE, &self.cookie)
    }

    pub async fn get(&self, path: &str) -> Response {
        within(path, self.request(Method::GET, path).send()).await.unwrap()
    }

    pub async fn get_json(&self, path: &str) -> Value {
        self.get(path).await.json().await.unwrap()
    }

    /// A request that must succeed.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let answer = within(path, self.request(Method::POST, path).json(&body).send()).await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub async fn state(&self) -> FullState {
        self.get("/api/state").await.json().await.unwrap()
    }

    /// Creates a worker; its id.
    pub async fn create_worker(&self, name: &str) -> String {
        let cluster = &self.get_json("/api/clusters").await[0]["id"];
        let done = self.post("/api/workers", new_worker(name, cluster)).await;
        done["worker"]["id"].as_str().unwrap().to_owned()
    }

    /// The value of a metric without labels, or of one with them as written.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} in\n{text}")).parse().unwrap()
    }

    /// Kibibytes resident now, and at most so far.
    pub fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        (field("VmRSS:"), field("VmHWM:"))
    }

    /// The processes of this console's workers.
    pub fn worker_pids(&self) -> Vec<i32> {
        let wanted = format!("MUSTER_DATA_DIR={}", self.data.path().canonicalize().unwrap().display());
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let mut pids: Vec<i32> = processes
            .filter_map(|entry| {
                let pid = entry.file_name().to_str()?.parse().ok()?;
                let environment = std::fs::read(entry.path().join("environ")).ok()?;
                environment.split(|byte| *byte == 0).any(|pair| pair == wanted.as_bytes()).then_some(pid)
            })
            .collect();
        pids.sort_unstable();
        pids
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        for pid in self.worker_pids() {
            let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
        }
    }
}

pub fn new_worker(name: &str, cluster: &Value) -> Value {
    json!({ "name": name, "cluster_id": cluster, "category": "ephemeral", "cpus": 1, "memory_mb": 64 })
}

/// Two places and two transitions that pass one token round for ever.
pub const RING: &str = r#"<pnml xmlns="http://www.pnml.org/version-2009/grammar/pnml">
<net id="ring" type="http://www.pnml.org/version-2009/grammar/ptnet"><page id="page">
<place id="a"><initialMarking><text>1</text></initialMarking></place><place id="b"/>
<transition id="s"/><transition id="t"/>
<arc id="1" source="a" target="s"/><arc id="2" source="s" target="b"/>
<arc id="3" source="b" target="t"/><arc id="4" source="t" target="a"/>
</page></net></pnml>"#;
