//! How a cluster or a project is, derived from its rows and stored nowhere: a level, a word, and the reasons that an operator can act on.

use super::{Connection, Quotas};

/// More rows than this are not named in a reason, but counted.
pub const NAMED_IN_A_REASON: usize = 3;

/// The higher, the sooner somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Good,
    /// Nothing is wrong, and nothing is going on.
    Idle,
    Warn,
    Bad,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub level: Level,
    pub word: &'static str,
    /// A sentence each, the worst first; empty only where all is good.
    pub reasons: Vec<String>,
}

/// A row that a reason names, with what is the matter with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub why: String,
}

/// Workers of a cluster, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerShare {
    pub all: usize,
    pub ready: usize,
    /// In `error`.
    pub broken: usize,
}

/// Nets of a project, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetShare {
    pub all: usize,
    pub loaded: usize,
    pub running: usize,
    /// With a load error.
    pub failed: usize,
    /// Different workers that they are assigned to.
    pub workers: usize,
}

/// `silent`: workers are ready, and none of them was heard for longer than they ever are quiet. `broken` names the first of the workers in
/// error.
pub fn cluster(connection: Connection, workers: WorkerShare, silent: bool, broken: &[Named]) -> Health {
    let mut found = Findings::default();
    if connection == Connection::Disconnected {
        found.add(Level::Bad, "disconnected", "Its provider does not answer.".to_owned());
    }
    if workers.broken > 0 {
        let (level, word) = if workers.ready == 0 { (Level::Bad, "down") } else { (Level::Warn, "degraded") };
        let reason = format!(
            "{} in error{}",
            share(workers.broken, workers.all, "worker", "workers"),
            naming(workers.broken, broken)
        );
        found.add(level, word, reason);
    }
    if silent {
        found.add(Level::Warn, "silent", "None of its workers was heard lately.".to_owned());
    }
    if connection == Connection::Unknown && workers.all > 0 {
        found.add(Level::Idle, "not reached", "None of its workers was ever reached.".to_owned());
    } else if workers.all == 0 {
        found.add(Level::Idle, "empty", "It has no workers.".to_owned());
    } else if workers.ready == 0 && workers.broken == 0 {
        found.add(Level::Idle, "not running", "None of its workers is running.".to_owned());
    }
    found.health("healthy")
}

/// `failed` names the first of the nets with a load error.
pub fn project(nets: NetShare, quotas: Quotas, failed: &[Named]) -> Health {
    let mut found = Findings::default();
    if nets.failed > 0 {
        let reason = format!(
            "{} with a load error{}",
            share(nets.failed, nets.all, "net", "nets"),
            naming(nets.failed, failed)
        );
        found.add(Level::Bad, "failing", reason);
    }
    for (used, quota, one, many, so) in [
        (nets.all, quotas.nets, "net", "nets", "no net can be added"),
        (nets.workers, quotas.workers, "worker", "workers", "its nets cannot be assigned to another"),
    ] {
        let Some(quota) = quota.map(|quota| quota as usize).filter(|quota| used >= *quota) else { continue };
        let allowed = format!("{quota} {}", if quota == 1 { one } else { many });
        if used > quota {
            found.add(
                Level::Warn,
                "over quota",
                format!("Over its quota: it has {used} of {allowed}; {so}."),
            );
        } else {
            found.add(Level::Warn, "at quota", format!("At its quota of {allowed}: {so}."));
        }
    }
    if nets.all == 0 {
        found.add(Level::Idle, "empty", "It has no nets.".to_owned());
    } else if nets.loaded == 0 && nets.failed == 0 {
        found.add(Level::Idle, "idle", "None of its nets is loaded.".to_owned());
    }
    found.health(if nets.running > 0 { "running" } else { "loaded" })
}

#[derive(Default)]
struct Findings(Vec<(Level, &'static str, String)>);

impl Findings {
    fn add(&mut self, level: Level, word: &'static str, reason: String) {
        self.0.push((level, word, reason));
    }

    /// The worst names it; `good` where there is none.
    fn health(mut self, good: &'static str) -> Health {
        self.0.sort_by_key(|(level, ..)| std::cmp::Reverse(*level));
        let (level, word) = self.0.first().map_or((Level::Good, good), |(level, word, _)| (*level, *word));
        Health { level, word, reasons: self.0.into_iter().map(|(.., reason)| reason).collect() }
    }
}

/// `2 of 14 workers`, `the only worker`.
fn share(some: usize, all: usize, one: &str, many: &str) -> String {
    match (some, all) {
        (1, 1) => format!("Its only {one}"),
        (some, all) if some == all => format!("All {all} {many}"),
        (some, all) => format!("{some} of {all} {many}"),
    }
}

/// `: a (why), b (why) and 3 more.`
fn naming(all: usize, named: &[Named]) -> String {
    let shown = &named[..named.len().min(NAMED_IN_A_REASON)];
    if shown.is_empty() {
        return ".".to_owned();
    }
    let words = |row: &Named| match row.why.is_empty() {
        true => row.name.clone(),
        false => format!("{} ({})", row.name, row.why),
    };
    let list = shown.iter().map(words).collect::<Vec<_>>().join(", ");
    match all.saturating_sub(shown.len()) {
        0 => format!(": {list}."),
        more => format!(": {list} and {more} more."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(name: &str, why: &str) -> Named {
        Named { name: name.to_owned(), why: why.to_owned() }
    }

    #[test]
    fn workers_in_error_are_counted_and_named() {
        let workers = WorkerShare { all: 14, ready: 11, broken: 2 };
        let broken = [named("worker-eu-18", "unreachable"), named("worker-eu-19", "machine stopped")];
        let health = cluster(Connection::Connected, workers, false, &broken);
        assert_eq!((health.level, health.word), (Level::Warn, "degraded"));
        assert_eq!(
            health.reasons,
            ["2 of 14 workers in error: worker-eu-18 (unreachable), worker-eu-19 (machine stopped)."]
        );
    }

    #[test]
    fn of_many_the_first_are_named() {
        let broken: Vec<_> = ["a", "b", "c", "d"].map(|name| named(name, "unreachable")).to_vec();
        let workers = WorkerShare { all: 9, ready: 0, broken: 9 };
        let health = cluster(Connection::Disconnected, workers, false, &broken);
        assert_eq!((health.level, health.word), (Level::Bad, "disconnected"));
        assert_eq!(health.reasons[0], "Its provider does not answer.");
        assert!(health.reasons[1].ends_with("c (unreachable) and 6 more."), "{}", health.reasons[1]);
    }

    #[test]
    fn a_project_says_how_full_it_is() {
        let nets = NetShare { all: 5, loaded: 5, running: 2, failed: 0, workers: 2 };
        let quotas = |nets, workers| Quotas { nets, workers };
        assert_eq!(project(nets, quotas(None, None), &[]).word, "running");
        assert_eq!(project(nets, quotas(Some(6), Some(3)), &[]).level, Level::Good);
        assert_eq!(project(nets, quotas(Some(5), None), &[]).word, "at quota");
        let over = project(nets, quotas(Some(5), Some(1)), &[]);
        assert_eq!(over.reasons.len(), 2);
        assert!(over.reasons[1].contains("2 of 1 worker"), "{:?}", over.reasons);
        let failing =
            project(NetShare { failed: 1, ..nets }, quotas(Some(5), None), &[named("prod", "line 3")]);
        assert_eq!((failing.level, failing.reasons.len()), (Level::Bad, 2));
        assert_eq!(failing.reasons[0], "1 of 5 nets with a load error: prod (line 3).");
    }

    proptest! {
        #[test]
        fn a_cluster_is_good_exactly_if_nothing_speaks_against_it(all in 0..20usize, ready in 0..20usize, broken in 0..20usize, connected: bool, silent: bool) {
            let (ready, broken) = (ready.min(all), broken.min(all - ready.min(all)));
            let connection = if connected { Connection::Connected } else { Connection::Disconnected };
            let health = cluster(connection, WorkerShare { all, ready, broken }, silent, &[]);
            prop_assert_eq!(health.level == Level::Good, connected && !silent && broken == 0 && ready > 0);
            prop_assert_eq!(health.level == Level::Good, health.reasons.is_empty());
            prop_assert!(connected || health.level == Level::Bad);
        }

        #[test]
        fn a_project_is_good_exactly_if_nothing_speaks_against_it(all in 0..20usize, loaded in 0..20usize, failed in 0..20usize, quota in proptest::option::of(0..20u32)) {
            let (loaded, failed) = (loaded.min(all), failed.min(all - loaded.min(all)));
            let nets = NetShare { all, loaded, running: 0, failed, workers: 0 };
            let health = project(nets, Quotas { nets: quota, workers: None }, &[]);
            let room = quota.is_none_or(|quota| all < quota as usize);
            prop_assert_eq!(health.level == Level::Good, loaded > 0 && failed == 0 && room);
            prop_assert_eq!(health.level == Level::Good, health.reasons.is_empty());
        }
    }
}
