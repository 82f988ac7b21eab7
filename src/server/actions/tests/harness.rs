//! A console with its doors, and without a socket.

use crate::{
    model::{
        Actor, DefinitionHash, Fleet, Gone, Net, OperationId, Project, Role, Timestamp, UserId, Waiting,
        Worker, lifecycle::UNDO_FOR,
    },
    server::{
        App,
        actions::carry_out_deletions,
        agents::{self, Agents, Keep, outputs::Outputs},
        app::Parts,
        auth::{self, CookieStyle, Setup, Throttle},
        clock::{Clock, now},
        config::Config,
        events::tickets::Tickets,
        github::{GitHub, Target},
        graphs::Graphs,
        limit::ListLimit,
        providers::{LocalConfig, Providers},
        remotes::Remotes,
        repository::Wake,
        serve::router,
        socket::{Impatient, Peer},
        sse::{
            cutter::Cutter,
            hub::{Hub, Settings},
            queue::Limits,
        },
        storage::{SideWrite, Store, ledger::Head},
        supervise::{Pace, Supervisor, TelemetryBoard, tests::fixtures::*},
        webhooks::{WebhookArgs, Webhooks},
        workers::{Keys, Timing, WorkerClient, fake::FakeWorker},
    },
    worker::protocol::{Health, Ready},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
    response::Response,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    future::IntoFuture,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use uuid::Uuid;

/// Long enough for a busy machine; nothing waits this long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const ANA: &str = "Ana";
pub const BEN: &str = "Ben";
/// An administrator.
pub const EVA: &str = "Eva";

pub struct Console {
    pub data: Arc<tempfile::TempDir>,
    pub app: App,
    pub fake: FakeWorker,
    /// The repository at GitHub that it was told of.
    github: Option<Target>,
    router: Router,
    /// How far the clock of tickets and streams is set forward, milliseconds.
    pub ahead: Arc<AtomicU64>,
    pace: agents::Pace,
    storage: TaskTracker,
    storage_shutdown: CancellationToken,
}

/// Everything that an action may change, but for the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    fleet: Arc<Fleet>,
    head: Head,
    journal: i64,
    keys: i64,
}

pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }

    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

impl Console {
    /// With this worker and more like it, and these nets. The worker's machine is one that answers `health`.
    pub async fn with(health: Health, row: Worker, more: Vec<Worker>, nets: Vec<Net>) -> Console {
        Console::with_github(None, health, row, more, nets).await
    }

    /// The same, with more projects.
    pub async fn with_projects(
        health: Health,
        row: Worker,
        more: Vec<Worker>,
        nets: Vec<Net>,
        projects: Vec<Project>,
    ) -> Console {
        Console::with_all(None, health, row, more, nets, projects).await
    }

    /// The same, told of a repository at GitHub.
    pub async fn with_github(
        github: Option<Target>,
        health: Health,
        row: Worker,
        more: Vec<Worker>,
        nets: Vec<Net>,
    ) -> Console {
        Console::with_all(github, health, row, more, nets, Vec::new()).await
    }

    async fn with_all(
        github: Option<Target>,
        health: Health,
        mut row: Worker,
        more: Vec<Worker>,
        nets: Vec<Net>,
        projects: Vec<Project>,
    ) -> Console {
        let data = Arc::new(tempfile::tempdir().unwrap());
        let keys = Keys::load(data.path()).unwrap();
        let fake = FakeWorker::start(&keys, health).await;
        if row.machine.is_some() {
            row.machine = Some(fake.machine.clone());
        }
        let console = Console::begin(data, fake, agents::Pace::default(), github).await;
        let definition = SideWrite::Definition { hash: DefinitionHash::of(PNML), pnml: PNML.into() };
        let rows = console.app.store().transact_with(Actor::System, None, move |draft, _| {
            draft.put_cluster(cluster());
            draft.put_project(project());
            projects.into_iter().for_each(|row| _ = draft.put_project(row));
            draft.create_worker(row);
            more.into_iter().for_each(|row| draft.create_worker(row));
            nets.into_iter().for_each(|net| draft.create_net(net));
            Ok::<_, Gone>(((), vec![definition]))
        });
        rows.await.unwrap();
        console.add_users().await;
        console
    }

    /// Without workers, and with this pace for agents.
    pub async fn for_agents(pace: agents::Pace) -> Console {
        let data = Arc::new(tempfile::tempdir().unwrap());
        let keys = Keys::load(data.path()).unwrap();
        let fake = FakeWorker::start(&keys, health([])).await;
        let console = Console::begin(data, fake, pace, None).await;
        console.add_users().await;
        console
    }

    async fn add_users(&self) {
        for (n, name, role) in [(1, ANA, Role::Operator), (2, BEN, Role::Operator), (3, EVA, Role::Admin)] {
            self.add_user(n, name, role).await;
        }
    }

    /// Serves this console on a socket, until it shuts down.
    pub async fn listen(&self) -> std::net::SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let listener = Impatient { listener, patience: PATIENCE };
        let service = self.router.clone().into_make_service_with_connect_info::<Peer>();
        let served = axum::serve(listener, service)
            .with_graceful_shutdown(self.app.shutdown().clone().cancelled_owned());
        tokio::spawn(served.into_future());
        address
    }

    /// On a folder that is there already.
    async fn begin(
        data: Arc<tempfile::TempDir>,
        fake: FakeWorker,
        pace: agents::Pace,
        github: Option<Target>,
    ) -> Console {
        let keys = Keys::load(data.path()).unwrap();
        // The system's, as long as a test does not set it forward.
        let ahead = Arc::new(AtomicU64::new(0));
        let clock = Clock::new({
            let ahead = ahead.clone();
            move || Timestamp(now().0 + ahead.load(Ordering::Relaxed))
        });
        let (news, mut inbox) = mpsc::channel(64);
        let (storage, storage_shutdown) = (TaskTracker::new(), CancellationToken::new());
        let (store, beginning) =
            Store::open(&data.path().join("db"), news, &storage, storage_shutdown.clone()).await.unwrap();
        let settings = Settings {
            instance: "test".to_owned(),
            digest_every: Duration::from_secs(30),
            limits: Limits::default(),
            clock: clock.clone(),
        };
        let (board, shutdown) = (TelemetryBoard::default(), CancellationToken::new());
        let hub = Hub::new(beginning.fleet, beginning.head, settings, board.clone());
        tokio::spawn({
            let hub = hub.clone();
            async move {
                while let Some(news) = inbox.recv().await {
                    hub.on_news(news);
                }
            }
        });
        let short = Duration::from_secs(5);
        let timing = Timing { connect: short, probe: short, call: short, load: short, silence: short };
        let client = WorkerClient::new(keys.clone(), timing).unwrap();
        let mut local = LocalConfig::new(data.path(), keys, client.clone()).unwrap();
        local.program = program(data.path(), &fake);
        let (providers, _) = Providers::new(local).unwrap();
        let supervisor =
            Supervisor::idle(store.clone(), client.clone(), providers.clone(), board, Pace::default());
        let outputs = Outputs::new(&data.path().join("outputs"), 1 << 20).unwrap();
        let hosts = hub.hosts().clone();
        let agents = Agents::start(store.clone(), hosts, outputs, pace, Keep::default(), shutdown.clone());
        let app = App::new(Parts {
            config: Config {
                data: data.path().to_owned(),
                cookie_style: CookieStyle::Loopback,
                digest_every: Duration::from_secs(30),
                metrics_public: false,
            },
            store,
            hub,
            cutter: Cutter::default(),
            access_changed: Default::default(),
            setup: Setup::default(),
            throttle: Throttle::default(),
            tickets: Tickets::new(clock.clone()),
            list_limit: ListLimit::default(),
            graphs: Graphs::default(),
            providers,
            client,
            supervisor,
            agents,
            remotes: Remotes {
                github: github.clone().map(|target| GitHub::new(target).unwrap()),
                repository: Wake::default(),
                webhooks: Webhooks::new(WebhookArgs::default()).unwrap(),
            },
            tasks: TaskTracker::new(),
            shutdown,
        });
        let changes = auth::changes::beginning(app.store().pool()).await.unwrap();
        app.tasks().spawn(auth::changes::follow(app.clone(), changes));
        Console {
            data,
            router: router(app.clone()),
            app,
            fake,
            ahead,
            pace,
            github,
            storage,
            storage_shutdown,
        }
    }

    /// Ends as at Ctrl-C, and begins anew with what is on the disk.
    pub async fn restarted(self) -> Console {
        let Console { data, app, fake, github, router, pace, storage, storage_shutdown, .. } = self;
        app.shutdown().cancel();
        app.tasks().close();
        tokio::time::timeout(PATIENCE, app.tasks().wait()).await.unwrap();
        tokio::time::timeout(PATIENCE, app.agents().ended()).await.unwrap();
        drop((app, router));
        storage_shutdown.cancel();
        storage.close();
        tokio::time::timeout(PATIENCE, storage.wait()).await.unwrap();
        Console::begin(data, fake, pace, github).await
    }

    /// From here on deletions whose time has come are carried out.
    pub fn carry_out_deletions(&self) {
        self.app.tasks().spawn(carry_out_deletions(self.app.clone()));
    }

    /// Who signs in with their name as the session's token.
    pub async fn add_user(&self, n: u128, name: &str, role: impl Into<Option<Role>>) {
        let role = role.into();
        let id = UserId(Uuid::from_u128(n)).to_string();
        let pool = self.app.store().pool();
        let add =
            "INSERT INTO users (id, email, name, password_hash, role, created_at) VALUES (?, ?, ?, '', ?, 0)";
        let add = sqlx::query(add)
            .bind(&id)
            .bind(format!("{name}@example.org"))
            .bind(name)
            .bind(role.map(Role::as_str));
        add.execute(pool).await.unwrap();
        let token: [u8; 32] = Sha256::digest(name.as_bytes()).into();
        let begin = "INSERT INTO sessions (token_hash, user_id, created_at, expires_at) VALUES (?, ?, 0, ?)";
        let begin = sqlx::query(begin).bind(&token[..]).bind(&id).bind(i64::MAX);
        begin.execute(pool).await.unwrap();
    }

    /// A request of `user`, with a JSON body for the API and a form for server functions.
    pub async fn ask(&self, user: &str, method: Method, path: &str, body: &str) -> Answer {
        self.ask_with(user, method, path, body, &[]).await
    }

    pub async fn ask_with(
        &self,
        user: &str,
        method: Method,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let answer = self.open(user, method, path, body, headers).await;
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), 64 << 20).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
    }

    /// The same, with the answer's body still to be read: it may be a stream. A `user` that begins with `mt_` is a token; nobody is "".
    pub async fn open(
        &self,
        user: &str,
        method: Method,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Response {
        let kind = match path.starts_with("/do/") {
            true => "application/x-www-form-urlencoded",
            false => "application/json",
        };
        let mut request =
            Request::builder().method(method).uri(path).header(header::ACCEPT, "application/json");
        request = match user.starts_with("mt_") {
            true => request.header(header::AUTHORIZATION, format!("Bearer {user}")),
            false => request.header(header::COOKIE, format!("muster={user}")),
        };
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let answer = tokio::time::timeout(PATIENCE, self.router.clone().oneshot(request)).await;
        answer.expect("an answer in time").unwrap()
    }

    pub fn fleet(&self) -> Arc<Fleet> {
        self.app.store().fleet()
    }

    pub fn row(&self) -> Arc<Worker> {
        self.fleet().worker(WORKER).unwrap().clone()
    }

    pub async fn picture(&self) -> Picture {
        let pool = self.app.store().pool();
        let followed = self.app.store().followed();
        Picture {
            fleet: followed.fleet,
            head: followed.head,
            journal: sqlx::query_scalar("SELECT count(*) FROM journal").fetch_one(pool).await.unwrap(),
            keys: sqlx::query_scalar("SELECT count(*) FROM idempotency").fetch_one(pool).await.unwrap(),
        }
    }

    /// Waits until the fleet is as wanted.
    pub async fn until(&self, what: &str, is_so: impl Fn(&Fleet) -> bool) {
        let mut rows = self.app.store().watch();
        let waited = tokio::time::timeout(PATIENCE, rows.wait_for(|now| is_so(&now.fleet))).await;
        assert!(waited.is_ok(), "{what}: {:#?}", self.fleet());
    }

    /// Ends what the test started.
    pub async fn close(self) {
        if let Some(row) = self.fleet().worker(WORKER) {
            self.app.providers().destroy(row).await.unwrap();
        }
    }
}

/// What the local provider starts: a process that says it is the fake worker.
fn program(data: &Path, fake: &FakeWorker) -> std::path::PathBuf {
    let ready =
        Ready { endpoint: fake.machine.endpoint.clone(), pid: 0, incarnation: fake.machine.incarnation };
    let ready = serde_json::to_string(&ready).unwrap().replace("\"pid\":0", "\"pid\":'$$'");
    let path = data.join("worker.sh");
    std::fs::write(&path, format!("#!/bin/sh\necho '{ready}'\nexec sleep 600\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// An operation of Ben's that began just now, however long the test takes.
pub fn in_flight<A>(action: A) -> crate::model::Operation<A> {
    let actor = Actor::User { id: UserId(Uuid::from_u128(2)), name: BEN.to_owned() };
    let since = now().plus(Duration::from_secs(3600));
    let id = OperationId(Uuid::new_v4());
    crate::model::Operation { id, action, actor, since, deadline: since.plus(UNDO_FOR), waiting: None }
}

/// A deletion by Ben that waits until `until`, and that nobody carries out.
pub fn waiting<A>(action: A, until: Timestamp) -> crate::model::Operation<A> {
    let waiting = Some(Box::new(Waiting { until, gives_up: None }));
    crate::model::Operation { waiting, ..in_flight(action) }
}
