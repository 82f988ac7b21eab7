//! Starting and stopping the console.

use super::{
    App, Args, actions,
    agents::{self, Agents, Keep, outputs::Outputs},
    api,
    app::Parts,
    assets,
    auth::{self, Setup, Throttle, access},
    builds::{self, BuildConfig},
    clock::Clock,
    config::Config,
    events::{retention, tickets::Tickets},
    graphs::Graphs,
    labs,
    limit::{self, ListLimit},
    pages, pipelines,
    providers::{LocalConfig, ProviderError, Providers},
    remotes::Remotes,
    samples, security,
    socket::{self, Impatient, Peer},
    sse::{
        cutter::Cutter,
        hub::{Hub, SYNC_EVERY, Settings},
        queue::Limits,
    },
    storage::{News, StorageError, Store, definitions, idempotency},
    supervise::{Pace, Supervisor, TelemetryBoard},
    workers::{KeyError, Keys, Timing, WorkerClient},
};
use axum::{
    Router,
    http::{HeaderName, Request},
    middleware,
};
use socket2::{Domain, Socket, Type};
use std::{
    future::IntoFuture,
    io::{self, Write},
    net::{SocketAddr, TcpListener},
    path::Path,
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    trace::TraceLayer,
};

/// Why the console could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the directory {path} cannot be used: {cause}. Give another one with --data.")]
    Data { path: String, cause: io::Error },
    #[error("another console uses the directory {0}. Stop it, or give another directory with --data.")]
    InUse(String),
    #[error("cannot listen on {address}: {cause}. Give another address with --listen.")]
    Listen { address: SocketAddr, cause: io::Error },
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error("a client for HTTP could not be made: {0}")]
    Client(#[from] reqwest::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A burst of clients that come back at once must not lose their connection attempts.
const BACKLOG: i32 = 4096;
/// Entries between follower and hub.
const NEWS_WAITING: usize = 1024;
/// Figures are gathered for this long and sent as one frame.
const TELEMETRY_EVERY: Duration = Duration::from_secs(1);
/// How long open requests may take after the signal to stop.
const DRAIN: Duration = Duration::from_secs(2);
/// How long actions under way may take after that; what is cut off is settled at the next start.
const FINISH: Duration = Duration::from_secs(5);

/// Runs the console until it is told to stop.
pub async fn serve(args: Args) -> Result<(), ServeError> {
    let config = Config::from(&args);
    // A connection each to thousands of workers and browsers.
    let descriptors = crate::descriptors::raise();
    tracing::debug!(descriptors, "files and sockets that may be open");
    make_private_dir(&args.data)
        .map_err(|cause| ServeError::Data { path: args.data.display().to_string(), cause })?;
    // Held until the process ends: two consoles on one directory would fight over its workers.
    let _lock = lock(&args.data)?;
    let listener = listen(args.listen).map_err(|cause| ServeError::Listen { address: args.listen, cause })?;
    let address = listener.local_addr()?;

    let (shutdown, storage_shutdown) = (CancellationToken::new(), CancellationToken::new());
    let (tasks, storage_tasks) = (TaskTracker::new(), TaskTracker::new());

    let (news, mut inbox) = mpsc::channel(NEWS_WAITING);
    let (store, beginning) =
        Store::open(&args.data.join("muster.db"), news, &storage_tasks, storage_shutdown.clone()).await?;
    idempotency::forget_unanswered(store.pool()).await?;
    definitions::remove_unused(store.pool()).await?;
    auth::forget_expired(store.pool()).await?;
    samples::add(&store, args.samples).await?;

    let settings = Settings {
        instance: uuid::Uuid::now_v7().to_string(),
        digest_every: config.digest_every,
        limits: Limits::default(),
        clock: Clock::default(),
    };
    let board = TelemetryBoard::default();
    let hub = Hub::new(beginning.fleet, beginning.head, settings, board.clone());
    storage_tasks.spawn({
        let hub = hub.clone();
        async move {
            while let Some(news) = inbox.recv().await {
                let news: News = news;
                hub.on_news(news);
            }
        }
    });

    let keys = Keys::load(&args.data)?;
    let client = WorkerClient::new(keys.clone(), Timing::default())?;
    let (providers, exits) = Providers::new(LocalConfig::new(&args.data, keys, client.clone())?)?;
    let supervisor = Supervisor::start(
        store.clone(),
        client.clone(),
        providers.clone(),
        exits,
        board,
        Pace::default(),
        shutdown.clone(),
    );

    let outputs = args.data.join("outputs");
    let agents = Agents::start(
        store.clone(),
        hub.hosts().clone(),
        Outputs::new(&outputs, args.output_limit << 20)
            .map_err(|cause| ServeError::Data { path: outputs.display().to_string(), cause })?,
        agents::Pace::default(),
        Keep { within: Duration::from_secs(args.keep_days * 24 * 3600), most: args.keep_commands },
        shutdown.clone(),
    );

    let setup = match auth::needs_setup(store.pool()).await? {
        true => {
            let (setup, token) = Setup::open();
            Some((setup, token))
        }
        false => None,
    };
    let (setup, setup_token) = setup.map_or((Setup::default(), None), |(setup, token)| (setup, Some(token)));

    let access_changes = auth::changes::beginning(store.pool()).await?;
    let remotes = Remotes::new(&args.remotes)?;
    let app = App::new(Parts {
        config,
        store,
        hub: hub.clone(),
        cutter: Cutter::default(),
        access_changed: Default::default(),
        setup,
        throttle: Throttle::default(),
        tickets: Tickets::default(),
        list_limit: ListLimit::default(),
        graphs: Graphs::default(),
        providers,
        client,
        supervisor,
        agents,
        remotes: remotes.clone(),
        tasks: tasks.clone(),
        shutdown: shutdown.clone(),
    });
    tasks.spawn(beat(hub.clone(), shutdown.clone()));
    tasks.spawn(actions::carry_out_deletions(app.clone()));
    tasks.spawn(labs::run(app.clone()));
    tasks.spawn(retention::run(
        app.store().clone(),
        retention::Keep {
            within: Duration::from_secs(args.keep_event_days * 24 * 3600),
            most: args.keep_events,
        },
        Clock::default(),
        shutdown.clone(),
    ));
    tasks.spawn(auth::changes::follow(app.clone(), access_changes));
    let building = BuildConfig::new(args.builds_at_once, args.build_seconds, args.build_memory)?;
    tasks.spawn(builds::run(app.store().clone(), building, shutdown.clone()));
    tasks.spawn(pipelines::run(app.store().clone(), shutdown.clone()));
    actions::settle_merges(&app).await;
    remotes.start(&args.remotes, &args.data, app.store(), &tasks, &shutdown);

    // Whoever started it may have read the first line and gone; that is no reason not to serve.
    if let Err(error) = announce(&app, address, setup_token.as_deref()) {
        tracing::warn!(%error, "the address could not be printed");
    }
    let listener =
        Impatient { listener: tokio::net::TcpListener::from_std(listener)?, patience: socket::PATIENCE };
    let served = axum::serve(listener, router(app.clone()).into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(shutdown.clone().cancelled_owned())
        .into_future();
    let mut served = tokio::spawn(served);
    tokio::select! {
        () = told_to_stop() => {}
        ended = &mut served => tracing::error!(?ended, "the listener ended by itself"),
    }
    tracing::info!("shutting down");
    // Streams first: an open one would hold the listener for ever.
    hub.shut_down();
    shutdown.cancel();
    if tokio::time::timeout(DRAIN, served).await.is_err() {
        tracing::warn!("some requests were cut off");
    }
    tasks.close();
    if tokio::time::timeout(FINISH, tasks.wait()).await.is_err() {
        tracing::warn!("some actions were cut off; they are settled at the next start");
    }
    if tokio::time::timeout(FINISH, app.supervisor().ended()).await.is_err() {
        tracing::warn!("supervision did not end in time");
    }
    if tokio::time::timeout(FINISH, app.agents().ended()).await.is_err() {
        tracing::warn!("the connections of agents did not end in time");
    }
    storage_shutdown.cancel();
    storage_tasks.close();
    drop(app);
    let _ = tokio::time::timeout(FINISH, storage_tasks.wait()).await;
    tracing::info!("stopped");
    Ok(())
}

/// Every route of the console, behind the middleware that every request passes. Outermost first: the request gets its id, is logged,
/// cannot take the process down, gets its headers, and is let through or not.
pub(super) fn router(app: App) -> Router {
    let request_id = HeaderName::from_static("x-request-id");
    Router::new()
        .merge(api::routes())
        .merge(assets::routes())
        .with_state(app.clone())
        .fallback_service(pages::routes(app.clone()))
        .layer(
            ServiceBuilder::new()
                .layer(SetRequestIdLayer::new(request_id.clone(), MakeRequestUuid))
                .layer(TraceLayer::new_for_http().make_span_with(|request: &Request<_>| {
                    // The path alone: what comes after it may be a secret.
                    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
                    tracing::info_span!("request", method = %request.method(), path = %redacted(request.uri().path()), id)
                }))
                .layer(PropagateRequestIdLayer::new(request_id))
                .layer(CatchPanicLayer::new())
                .layer(middleware::from_fn(security::headers))
                // Streams of events are left alone by it.
                .layer(CompressionLayer::new())
                .layer(middleware::from_fn_with_state(app.clone(), access::guard))
                .layer(middleware::from_fn_with_state(app, limit::lists)),
        )
}

/// A path as it may be logged: the token of a setup link or an invitation is not.
fn redacted(path: &str) -> &str {
    match path {
        path if path.starts_with("/setup/") => "/setup/…",
        path if path.starts_with("/join/") => "/join/…",
        path => path,
    }
}

/// The beacon, and the figures.
async fn beat(hub: Hub, shutdown: CancellationToken) {
    let mut beat = tokio::time::interval(SYNC_EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut figures = tokio::time::interval(TELEMETRY_EVERY);
    figures.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = beat.tick() => hub.beacon(),
            _ = figures.tick() => hub.telemetry(),
        }
    }
}

async fn told_to_stop() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        },
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be awaited; only Ctrl-C stops the console cleanly");
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

/// What the operator who started it needs to know, on standard output: programs read the first line.
fn announce(app: &App, address: SocketAddr, setup_token: Option<&str>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let host = if address.ip().is_unspecified() {
        format!("127.0.0.1:{}", address.port())
    } else {
        address.to_string()
    };
    writeln!(out, "Muster is at http://{host}")?;
    if let Some(token) = setup_token {
        writeln!(out, "Set it up at http://{host}/setup/{token} (this link works once)")?;
    }
    if assets::missing() {
        writeln!(
            out,
            "This build has no frontend: pages work without live updates. Build it with: cargo xtask run"
        )?;
    }
    if app.config().cookie_style == auth::CookieStyle::Https {
        writeln!(
            out,
            "Cookies are marked Secure: sign in over https. For plain http on a trusted network use --https false."
        )?;
    }
    out.flush()
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// The data directory: the database, sessions and keys in it are nobody else's business.
fn make_private_dir(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn lock(data: &Path) -> Result<std::fs::File, ServeError> {
    let failed = |cause| ServeError::Data { path: data.display().to_string(), cause };
    let file = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(data.join("lock"))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(ServeError::InUse(data.display().to_string())),
        Err(std::fs::TryLockError::Error(cause)) => Err(failed(cause)),
    }
}
