//! What the console counts about itself, and `/metrics`, where Prometheus reads it.
//!
//! Counters of this process, in atomics: whoever has something to count says so in one line and never waits. What is a state rather than
//! a count (clients, queues, versions) is asked for when it is read.

use super::{App, clock::now, sse::hub::Depth};
use crate::model::{
    BuildStatus, CommandStatus, Connection, Fleet, Host, HostId, LabState, LoadState, Presence, RunState,
    Timestamp,
};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Why a client was sent the whole state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resync {
    /// It came without a position, or with one that this build cannot read.
    New,
    /// Its position is of another database or another scope.
    Foreign,
    /// Its position is ahead of the database: that was restored.
    Ahead,
    /// It is so far behind that the whole state is shorter.
    Behind,
    /// The journal no longer has, or never had, what it saw.
    NotInJournal,
    /// It was too slow, and its queue overflowed.
    Overflow,
    /// The journal did not continue what everybody was told.
    Reset,
    /// It found a gap or a wrong digest itself, and asked `/api/state`.
    Asked,
}

const REASONS: [(Resync, &str); 8] = [
    (Resync::New, "new"),
    (Resync::Foreign, "foreign"),
    (Resync::Ahead, "ahead"),
    (Resync::Behind, "behind"),
    (Resync::NotInJournal, "not_in_journal"),
    (Resync::Overflow, "overflow"),
    (Resync::Reset, "reset"),
    (Resync::Asked, "asked"),
];

/// Upper bounds of the delta lag's buckets.
const LAG_BOUNDS: [(Duration, &str); 8] = [
    (Duration::from_micros(500), "0.0005"),
    (Duration::from_millis(1), "0.001"),
    (Duration::from_micros(2_500), "0.0025"),
    (Duration::from_millis(5), "0.005"),
    (Duration::from_millis(10), "0.01"),
    (Duration::from_millis(50), "0.05"),
    (Duration::from_millis(250), "0.25"),
    (Duration::from_secs(1), "1"),
];

/// Commits whose entries the hub has not pushed yet; beyond them, the oldest is not measured.
const MOST_COMMITS: usize = 1_024;

pub struct Metrics {
    resyncs: [AtomicU64; REASONS.len()],
    frames_sent: AtomicU64,
    bytes_sent: AtomicU64,
    pruned: AtomicU64,
    lists_refused: AtomicU64,
    lag: [AtomicU64; LAG_BOUNDS.len()],
    lag_count: AtomicU64,
    lag_nanos: AtomicU64,
    commits: Mutex<VecDeque<(u64, Instant)>>,
    swept: AtomicU64,
    sweep_nanos: AtomicU64,
    output_bytes: AtomicU64,
}

/// The counters of this process.
pub static METRICS: Metrics = Metrics {
    resyncs: [const { AtomicU64::new(0) }; REASONS.len()],
    frames_sent: AtomicU64::new(0),
    bytes_sent: AtomicU64::new(0),
    pruned: AtomicU64::new(0),
    lists_refused: AtomicU64::new(0),
    lag: [const { AtomicU64::new(0) }; LAG_BOUNDS.len()],
    lag_count: AtomicU64::new(0),
    lag_nanos: AtomicU64::new(0),
    commits: Mutex::new(VecDeque::new()),
    swept: AtomicU64::new(0),
    sweep_nanos: AtomicU64::new(0),
    output_bytes: AtomicU64::new(0),
};

impl Metrics {
    pub fn resync(&self, why: Resync) {
        self.resyncs[why as usize].fetch_add(1, Relaxed);
    }

    /// Frames that a client's connection took from its queue.
    pub fn frames_sent(&self, frames: usize) {
        self.frames_sent.fetch_add(frames as u64, Relaxed);
    }

    /// Bytes of streams handed to connections.
    pub fn bytes_sent(&self, bytes: usize) {
        self.bytes_sent.fetch_add(bytes as u64, Relaxed);
    }

    /// A connection took nothing for so long that it was closed.
    pub fn pruned(&self) {
        self.pruned.fetch_add(1, Relaxed);
    }

    pub fn list_refused(&self) {
        self.lists_refused.fetch_add(1, Relaxed);
    }

    /// A pass of supervision over so many workers ended.
    pub fn swept(&self, workers: usize, took: Duration) {
        self.swept.store(workers as u64, Relaxed);
        self.sweep_nanos.store(took.as_nanos() as u64, Relaxed);
    }

    /// So many bytes of the output of commands are on the disk.
    pub fn output_stored(&self, bytes: u64) {
        self.output_bytes.fetch_add(bytes, Relaxed);
    }

    /// Everything up to `version` has just become durable.
    pub fn committed(&self, version: u64) {
        let mut commits = self.commits();
        if commits.back().is_some_and(|(last, _)| *last >= version) {
            return;
        }
        if commits.len() == MOST_COMMITS {
            commits.pop_front();
        }
        commits.push_back((version, Instant::now()));
    }

    /// The delta of `version` is in the queue of its last client. Commits of other processes are not timed.
    pub fn pushed(&self, version: u64) {
        let mut commits = self.commits();
        while commits.front().is_some_and(|(last, _)| *last < version) {
            commits.pop_front();
        }
        let Some((last, at)) = commits.front().copied() else { return };
        if last == version {
            commits.pop_front();
        }
        drop(commits);
        self.lagged(at.elapsed());
    }

    fn lagged(&self, lag: Duration) {
        self.lag_count.fetch_add(1, Relaxed);
        self.lag_nanos.fetch_add(lag.as_nanos() as u64, Relaxed);
        if let Some(bucket) = LAG_BOUNDS.iter().position(|(bound, _)| lag <= *bound) {
            self.lag[bucket].fetch_add(1, Relaxed);
        }
    }

    fn commits(&self) -> std::sync::MutexGuard<'_, VecDeque<(u64, Instant)>> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text that Prometheus reads (exposition format 0.0.4).
pub fn text(app: &App) -> String {
    let streams = app.supervisor().streams();
    let text = render(&METRICS, app.hub().depth(), app.hub().head().version, app.store().head().version);
    let text = supervision(&METRICS, streams, text);
    let fleet = app.store().fleet();
    let commands = CommandStatus::ALL
        .map(|status| (status, fleet.commands().filter(|command| command.status == status).count() as u64));
    let text = hosts(&METRICS, app.agents().connected(), &commands, text);
    let heard = app.hub().hosts().latest().into_iter().map(|heard| (heard.host_id, heard.at)).collect();
    contents(&fleet, &heard, now(), text)
}

const STATUSES: [&str; 5] = ["pending", "provisioning", "ready", "stopped", "error"];
/// What a net can be: one that is not loaded is idle.
const NETS: [(LoadState, RunState); 5] = [
    (LoadState::Unloaded, RunState::Idle),
    (LoadState::Error, RunState::Idle),
    (LoadState::Loaded, RunState::Idle),
    (LoadState::Loaded, RunState::Running),
    (LoadState::Loaded, RunState::Dead),
];

const LABS: [LabState; 6] =
    [LabState::Idle, LabState::Queued, LabState::Running, LabState::Done, LabState::Failed, LabState::Lost];
const BUILDS: [BuildStatus; 4] =
    [BuildStatus::Queued, BuildStatus::Running, BuildStatus::Succeeded, BuildStatus::Failed];

/// What is in the fleet. Every combination of labels is there, also when it counts nothing: a series that comes and goes cannot be alerted on.
fn contents(fleet: &Fleet, heard: &BTreeMap<HostId, Timestamp>, now: Timestamp, text: String) -> String {
    let mut text = Text(text);
    text.head("muster_workers", "gauge", "Workers by cluster and status.");
    for cluster in fleet.clusters() {
        let mut counts = [0_u64; STATUSES.len()];
        for worker in fleet.workers().filter(|worker| worker.cluster_id == cluster.id) {
            if let Some(at) = STATUSES.iter().position(|status| *status == worker.status.word()) {
                counts[at] += 1;
            }
        }
        let name = label(cluster.name.as_str());
        for (status, count) in STATUSES.iter().zip(counts) {
            text.line(&format!("muster_workers{{cluster=\"{name}\",status=\"{status}\"}}"), count);
        }
    }
    text.head("muster_cluster_connected", "gauge", "1 while the provider of a cluster answers, else 0.");
    for cluster in fleet.clusters() {
        let connected = cluster.connection == Connection::Connected;
        let name = label(cluster.name.as_str());
        text.line(&format!("muster_cluster_connected{{cluster=\"{name}\"}}"), u8::from(connected));
    }
    text.gauge("muster_projects", "Projects.", fleet.projects().len() as u64);
    text.head("muster_nets", "gauge", "Nets by load state and run state.");
    for (load, run) in NETS {
        let count = fleet.nets().filter(|net| (net.load_state, net.run_state) == (load, run)).count();
        let (load, run) = (load.as_str(), run.as_str());
        text.line(&format!("muster_nets{{load_state=\"{load}\",run_state=\"{run}\"}}"), count);
    }
    text.head("muster_labs", "gauge", "Labs by state.");
    for state in LABS {
        let count = fleet.labs().filter(|lab| lab.state == state).count();
        text.line(&format!("muster_labs{{state=\"{state}\"}}"), count);
    }
    text.head(
        "muster_builds",
        "gauge",
        "Builds of nets in the snapshot by status: all that are not over, and the newest 100 of the others.",
    );
    for status in BUILDS {
        let count = fleet.builds().filter(|build| build.status == status).count();
        text.line(&format!("muster_builds{{status=\"{}\"}}", status.word()), count);
    }
    text.head(
        "muster_hosts",
        "gauge",
        "Hosts by presence: online, stale (connected and not heard), offline.",
    );
    for presence in [Presence::Online, Presence::Stale, Presence::Offline] {
        let is = |host: &&Arc<Host>| host.presence(heard.get(&host.id).copied(), now) == presence;
        let count = fleet.hosts().filter(is).count();
        text.line(&format!("muster_hosts{{presence=\"{}\"}}", presence.word()), count);
    }
    text.head(
        "muster_events_logged_total",
        "counter",
        "Entries of the event log over the life of the database.",
    );
    text.line("muster_events_logged_total", fleet.events().next_back().map_or(0, |event| event.id.0));
    text.0
}

/// A label's value, escaped as the format wants it.
fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// What the console knows of hosts.
fn hosts(metrics: &Metrics, agents: usize, commands: &[(CommandStatus, u64)], text: String) -> String {
    let mut text = Text(text);
    text.gauge("muster_agents", "Agents that are connected.", agents as u64);
    text.head(
        "muster_commands",
        "gauge",
        "Commands in the snapshot by status: all that are not over, and the newest 200 of the others.",
    );
    for (status, count) in commands {
        text.line(&format!("muster_commands{{status=\"{}\"}}", status.word()), count);
    }
    text.counter(
        "muster_command_output_bytes_total",
        "Bytes of the output of commands written to the disk.",
        &metrics.output_bytes,
    );
    text.0
}

/// What the console knows of its own watching over workers.
fn supervision(metrics: &Metrics, streams: usize, text: String) -> String {
    let mut text = Text(text);
    text.gauge("muster_worker_streams", "Workers whose stream of events is open.", streams as u64);
    text.gauge(
        "muster_supervision_pass_workers",
        "Workers looked at in the last pass: those without a stream.",
        metrics.swept.load(Relaxed),
    );
    text.head("muster_supervision_pass_seconds", "gauge", "How long the last pass took.");
    text.line("muster_supervision_pass_seconds", metrics.sweep_nanos.load(Relaxed) as f64 / 1e9);
    text.0
}

fn render(metrics: &Metrics, depth: Depth, hub: u64, journal: u64) -> String {
    let mut text = Text(String::new());
    text.gauge("muster_stream_clients", "Streams of /api/sync open now.", depth.clients as u64);
    text.gauge("muster_stream_queue_frames", "Frames waiting for all clients.", depth.frames as u64);
    text.gauge(
        "muster_stream_queue_frames_max",
        "Frames waiting for the slowest client.",
        depth.most_frames as u64,
    );
    text.gauge("muster_stream_queue_bytes", "Bytes waiting for all clients.", depth.bytes as u64);
    text.gauge(
        "muster_stream_queue_bytes_max",
        "Bytes waiting for the slowest client.",
        depth.most_bytes as u64,
    );
    text.head(
        "muster_stream_resyncs_total",
        "counter",
        "Whole states sent because a client could not go on, by reason.",
    );
    for (reason, name) in REASONS {
        let count = metrics.resyncs[reason as usize].load(Relaxed);
        text.line(&format!("muster_stream_resyncs_total{{reason=\"{name}\"}}"), count);
    }
    text.counter(
        "muster_stream_frames_sent_total",
        "Frames taken by the connections of clients.",
        &metrics.frames_sent,
    );
    text.counter(
        "muster_stream_bytes_sent_total",
        "Bytes of streams handed to connections.",
        &metrics.bytes_sent,
    );
    text.counter(
        "muster_connections_pruned_total",
        "Connections closed because they took nothing for 60 s.",
        &metrics.pruned,
    );
    text.counter(
        "muster_lists_refused_total",
        "Requests for lists answered with 429.",
        &metrics.lists_refused,
    );
    let lag = "muster_delta_lag_seconds";
    text.head(
        lag,
        "histogram",
        "Time from a commit of this process to its delta in the queue of the last client.",
    );
    let mut below = 0;
    for ((_, bound), bucket) in LAG_BOUNDS.iter().zip(&metrics.lag) {
        below += bucket.load(Relaxed);
        text.line(&format!("{lag}_bucket{{le=\"{bound}\"}}"), below);
    }
    let count = metrics.lag_count.load(Relaxed);
    text.line(&format!("{lag}_bucket{{le=\"+Inf\"}}"), count.max(below));
    text.line(&format!("{lag}_sum"), metrics.lag_nanos.load(Relaxed) as f64 / 1e9);
    text.line(&format!("{lag}_count"), count.max(below));
    text.gauge("muster_journal_version", "Version of the last transaction this process has read.", journal);
    text.gauge("muster_stream_version", "Version of the last transaction handed to clients.", hub);
    text.0
}

struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, value: impl std::fmt::Display) {
        _ = writeln!(self.0, "{name} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, "gauge", help);
        self.line(name, value);
    }

    fn counter(&mut self, name: &str, help: &str, value: &AtomicU64) {
        self.head(name, "counter", help);
        self.line(name, value.load(Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> Metrics {
        Metrics {
            resyncs: Default::default(),
            frames_sent: AtomicU64::default(),
            bytes_sent: AtomicU64::default(),
            pruned: AtomicU64::default(),
            lists_refused: AtomicU64::default(),
            lag: Default::default(),
            lag_count: AtomicU64::default(),
            lag_nanos: AtomicU64::default(),
            commits: Mutex::default(),
            swept: AtomicU64::default(),
            sweep_nanos: AtomicU64::default(),
            output_bytes: AtomicU64::default(),
        }
    }

    /// A family of the exposition format: its type and its samples, names with labels.
    type Families = BTreeMap<String, (String, Vec<(String, f64)>)>;

    /// Reads the text as strictly as Prometheus' own parser: HELP, TYPE, then the samples of that family and of no other, each once.
    fn read(text: &str) -> Families {
        assert!(text.ends_with('\n'), "the last line ends like every other");
        let mut families = Families::new();
        let (mut name, mut helped) = (String::new(), String::new());
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (of, said) = help.split_once(' ').unwrap();
                assert!(said.ends_with('.') && !said.contains('\\'), "{line}");
                helped = of.to_owned();
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (of, kind) = kind.split_once(' ').unwrap();
                assert_eq!(of, helped, "HELP comes before TYPE");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                name = of.to_owned();
                assert!(families.insert(name.clone(), (kind.to_owned(), Vec::new())).is_none(), "{of} twice");
            } else {
                let (sample, value) = line.rsplit_once(' ').unwrap();
                let value: f64 = value.parse().unwrap();
                let bare = sample.split('{').next().unwrap();
                let (kind, samples) = families.get_mut(&name).unwrap();
                let suffixes: &[&str] =
                    if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
                assert!(suffixes.iter().any(|suffix| *bare == format!("{name}{suffix}")), "{line} in {name}");
                assert!(samples.iter().all(|(other, _)| other != sample), "{sample} twice");
                labels(&sample[bare.len()..]);
                samples.push((sample.to_owned(), value));
            }
        }
        families
    }

    /// `{name="value",…}`, or nothing.
    fn labels(text: &str) {
        let Some(mut rest) = text.strip_prefix('{') else { return assert_eq!(text, "") };
        loop {
            let (name, after) = rest.split_once("=\"").unwrap();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{text}");
            let mut escaped = false;
            let end = after.find(|sign| {
                let ends = sign == '"' && !escaped;
                escaped = sign == '\\' && !escaped;
                ends
            });
            rest = &after[end.unwrap() + 1..];
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => return assert_eq!(rest, "}", "{text}"),
            }
        }
    }

    /// A worker that is ready, one that is not, and a net on each.
    fn fleet() -> Fleet {
        use crate::{
            model::{Change, LoadId, WorkerStatus},
            server::supervise::tests::fixtures as some,
        };
        let mut fleet = Fleet::default();
        let mut odd = some::cluster();
        odd.name = crate::model::Name::new(r#"a "quoted\" name"#).unwrap();
        fleet.apply(&Change::ClusterPut { created: true, cluster: Arc::new(odd) });
        fleet.apply(&Change::ProjectPut { created: true, project: Arc::new(some::project()) });
        for (n, status) in [(1, WorkerStatus::Ready), (2, WorkerStatus::Pending)] {
            let id = crate::model::WorkerId(uuid::Uuid::from_u128(n));
            let name = crate::model::Name::new(&format!("worker-{n}")).unwrap();
            let row = crate::model::Worker::pending(
                id,
                name.clone(),
                some::cluster().id,
                crate::model::Provider::Local,
            );
            let worker = Arc::new(crate::model::Worker { status, ..row });
            fleet.apply(&Change::WorkerPut { cause: crate::model::WorkerCause::Created, worker });
            let hash = crate::model::DefinitionHash::of(b"");
            let net_id = crate::model::NetId(uuid::Uuid::from_u128(n));
            let mut net =
                crate::model::Net::unassigned(net_id, name, some::project().id, hash, Default::default());
            net.worker_id = Some(id);
            if status == WorkerStatus::Ready {
                (net.load_state, net.run_state) = (LoadState::Loaded, RunState::Running);
                net.load_id = Some(LoadId(uuid::Uuid::from_u128(n)));
            }
            let net = Arc::new(net);
            fleet.apply(&Change::NetPut { cause: crate::model::NetCause::Created, net, moved_from: None });
        }
        let lab = Arc::new(crate::model::Lab { state: LabState::Running, ..some::lab(1, 1) });
        fleet.apply(&Change::LabPut { lab });
        fleet
    }

    #[test]
    fn the_text_is_what_prometheus_reads_and_its_names_follow_its_conventions() {
        let metrics = metrics();
        metrics.lagged(Duration::from_millis(7));
        let text = render(&metrics, Depth::default(), 1, 2);
        let text = supervision(&metrics, 3, text);
        let text = hosts(&metrics, 4, &CommandStatus::ALL.map(|status| (status, 5)), text);
        let families = read(&contents(&fleet(), &BTreeMap::new(), Timestamp(0), text));
        for (name, (kind, samples)) in &families {
            assert!(name.starts_with("muster_"), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name} is a {kind}");
            for unit in ["_ms", "_millis", "_kb", "_mb", "_percent", "_minutes"] {
                assert!(!name.contains(unit), "{name} is not in a base unit");
            }
            assert!(!samples.is_empty(), "{name} has no samples");
        }
        let (_, buckets) = &families["muster_delta_lag_seconds"];
        let counts: Vec<f64> =
            buckets.iter().filter(|(name, _)| name.contains("_bucket")).map(|(_, count)| *count).collect();
        assert!(counts.is_sorted() && counts.len() == LAG_BOUNDS.len() + 1, "{buckets:?}");
    }

    #[test]
    fn the_fleet_is_counted_by_status_and_state_and_nothing_is_left_out_for_being_none() {
        let families = read(&contents(&fleet(), &BTreeMap::new(), Timestamp(0), String::new()));
        let value = |family: &str, sample: &str| {
            families[family].1.iter().find(|(name, _)| name == sample).map(|(_, value)| *value)
        };
        let worker = |status: &str| {
            value(
                "muster_workers",
                &format!(r#"muster_workers{{cluster="a \"quoted\\\" name",status="{status}"}}"#),
            )
        };
        assert_eq!(STATUSES.map(worker), [Some(1.0), Some(0.0), Some(1.0), Some(0.0), Some(0.0)]);
        let net = |load: &str, run: &str| {
            value("muster_nets", &format!("muster_nets{{load_state=\"{load}\",run_state=\"{run}\"}}"))
        };
        assert_eq!(net("loaded", "running"), Some(1.0));
        assert_eq!(net("unloaded", "idle"), Some(1.0));
        assert_eq!(net("error", "idle"), Some(0.0));
        assert_eq!(families["muster_nets"].1.iter().map(|(_, count)| count).sum::<f64>(), 2.0);
        assert_eq!(value("muster_hosts", "muster_hosts{presence=\"stale\"}"), Some(0.0));
        assert_eq!(value("muster_labs", "muster_labs{state=\"running\"}"), Some(1.0));
        assert_eq!(value("muster_labs", "muster_labs{state=\"lost\"}"), Some(0.0));
        assert_eq!(value("muster_builds", "muster_builds{status=\"failed\"}"), Some(0.0));
    }

    #[test]
    fn each_reason_has_a_counter_of_its_own() {
        let metrics = metrics();
        for (at, (reason, name)) in REASONS.into_iter().enumerate() {
            assert_eq!(reason as usize, at);
            metrics.resync(reason);
            let line = format!("muster_stream_resyncs_total{{reason=\"{name}\"}} 1\n");
            assert!(render(&metrics, Depth::default(), 0, 0).contains(&line), "{line}");
        }
    }

    #[test]
    fn versions_of_one_commit_share_its_time_and_those_of_other_processes_are_not_timed() {
        let metrics = metrics();
        metrics.pushed(1);
        assert_eq!(metrics.lag_count.load(Relaxed), 0, "somebody else's");
        metrics.committed(4);
        for version in 2..=4 {
            metrics.pushed(version);
        }
        assert_eq!(metrics.lag_count.load(Relaxed), 3);
        assert!(metrics.commits().is_empty());
        metrics.pushed(5);
        assert_eq!(metrics.lag_count.load(Relaxed), 3);
    }

    #[test]
    fn buckets_are_cumulative_and_end_with_all() {
        let metrics = metrics();
        for lag in [Duration::from_micros(100), Duration::from_millis(7), Duration::from_secs(9)] {
            metrics.lagged(lag);
        }
        let text = render(&metrics, Depth::default(), 0, 0);
        for line in [
            "_bucket{le=\"0.0005\"} 1",
            "_bucket{le=\"0.01\"} 2",
            "_bucket{le=\"1\"} 2",
            "_bucket{le=\"+Inf\"} 3",
            "_count 3",
        ] {
            assert!(text.contains(&format!("muster_delta_lag_seconds{line}\n")), "{line} in\n{text}");
        }
    }
}
