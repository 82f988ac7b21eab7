//! What a report means for its host and for the commands that wait for one. Pure.

use crate::{
    agent::protocol::{Found, FoundLock, Report},
    model::{
        Command, Compartment, CompartmentKind, CompartmentStatus, Compartments, Draft, Gone, Host, HostCause,
        HostId, PostCheck, Timestamp,
    },
};
use std::{sync::Arc, time::Duration};

/// A sentence of an agent may have this many characters.
const SENTENCE: usize = 500;

/// Writes what a host reported; decides the commands that waited for it.
pub fn apply(draft: &mut Draft, id: HostId, report: &Report) -> Result<(), Gone> {
    let now = draft.now();
    let host = draft.host(id)?.clone();
    let expected = draft.before().repository().and_then(|repository| repository.lock_hash.clone());
    let awaiting: Vec<Arc<Command>> = draft
        .before()
        .commands()
        .filter(|command| command.host_id == id && awaits(command))
        .cloned()
        .collect();
    let running = host.pending_command.and_then(|id| draft.command(id).ok().cloned());
    let found = found(report, expected.as_deref(), now);
    draft.edit_host(id, HostCause::Reported, |host| {
        for (kind, compartment) in &found {
            // What a command is changing now is known once it has ended and a report came after.
            let is_changing = running.as_ref().is_some_and(|command| checks(host, command).contains(kind));
            let not_before = awaiting
                .iter()
                .filter(|command| checks(host, command).contains(kind))
                .filter(|command| report.after != Some(command.id))
                .filter_map(|command| command.finished_at)
                .chain(host.compartments.get(*kind).checked_at)
                // A clock that was set back must not make every report from now on an old one.
                .filter(|at| *at <= now)
                .max();
            if !is_changing && compartment.checked_at >= not_before {
                *host.compartments.get_mut(*kind) = compartment.clone();
            }
        }
        if let Some(head) = &report.git_head {
            host.git_head = Some(short(head));
        }
        if let Some(generation) = &report.generation {
            host.generation = Some(short(generation));
        }
        if let Some(lock) = &report.lock {
            host.lock_hash = lock.hash.as_deref().map(short);
        }
    })?;
    let host = draft.host(id)?.clone();
    for command in awaiting {
        let wanted = checks(&host, &command);
        let is_new = |kind: &CompartmentKind| {
            let reported = found.iter().find(|(of, _)| of == kind);
            reported.is_some_and(|(_, it)| {
                report.after == Some(command.id) || it.checked_at >= command.finished_at
            })
        };
        if !wanted.is_empty() && wanted.iter().all(is_new) {
            draft.post_checked(command.id, verdict(&wanted, &host.compartments))?;
        }
    }
    Ok(())
}

fn awaits(command: &Command) -> bool {
    matches!(command.post_check, Some(PostCheck::Awaited { .. }))
}

fn checks(host: &Host, command: &Command) -> Vec<CompartmentKind> {
    host.offer(&command.kind).map(|offer| offer.checks.clone()).unwrap_or_default()
}

/// Whether a command brought about what it was meant to.
fn verdict(wanted: &[CompartmentKind], compartments: &Compartments) -> PostCheck {
    let with = |wrong: &[CompartmentStatus]| {
        wanted.iter().map(|kind| (kind, compartments.get(*kind))).find(|(_, it)| wrong.contains(&it.status))
    };
    if let Some((kind, it)) = with(&[CompartmentStatus::Outdated, CompartmentStatus::Error]) {
        let message = format!("{} is {} afterwards: {}", kind.label(), it.status.as_str(), it.message);
        return PostCheck::Failed { message };
    }
    match with(&[CompartmentStatus::Unknown, CompartmentStatus::Working]) {
        Some(_) => PostCheck::Unknown,
        None => PostCheck::Passed,
    }
}

/// The compartments that a report tells of, each as old as it says.
fn found(report: &Report, expected: Option<&str>, now: Timestamp) -> Vec<(CompartmentKind, Compartment)> {
    let one = |kind, found: &Option<Found>| {
        let Found { status, message, age_ms } = found.as_ref()?;
        let status = match status {
            // Only the console knows of the command that works on it.
            CompartmentStatus::Working => CompartmentStatus::Unknown,
            status => *status,
        };
        let checked_at = Some(ago(now, *age_ms));
        Some((kind, Compartment { status, message: sentence(message), checked_at, working_until: None }))
    };
    let lock = report.lock.as_ref().map(|FoundLock { hash, error, age_ms }| {
        let checked_at = Some(ago(now, *age_ms));
        let compartment = match (hash, error) {
            (None, Some(error)) => Compartment {
                status: CompartmentStatus::Error,
                message: sentence(error),
                checked_at,
                working_until: None,
            },
            (hash, _) => Host::lock_against(hash.as_deref(), expected, checked_at),
        };
        (CompartmentKind::Lock, compartment)
    });
    let git = one(CompartmentKind::Git, &report.git);
    let system = one(CompartmentKind::System, &report.system);
    [git, lock, system].into_iter().flatten().collect()
}

fn ago(now: Timestamp, age_ms: u64) -> Timestamp {
    Timestamp(now.0.saturating_sub(age_ms))
}

/// One line, not too long: it comes from outside.
pub fn sentence(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SENTENCE).collect();
    line.trim().trim_end_matches('.').to_owned()
}

/// A hash, a name, a version.
pub fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect::<String>().trim().to_owned()
}

/// A time that an agent gives; a week at most.
pub fn timeout(seconds: u64) -> Duration {
    Duration::from_secs(seconds.min(7 * 24 * 3600))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Actor, Change, CommandId, CommandOffer, Fleet, Happening, Name, Outcome, Repository};
    use uuid::Uuid;

    const HOST: HostId = HostId(Uuid::from_u128(1));
    const PULL: CommandId = CommandId(Uuid::from_u128(7));

    fn write(fleet: &mut Fleet, at: u64, act: impl FnOnce(&mut Draft) -> Result<(), Gone>) {
        let mut draft = Draft::new(fleet, Actor::System, Timestamp(at));
        act(&mut draft).unwrap();
        let changes = draft.finish();
        fleet.apply_all(&changes);
    }

    fn git(status: CompartmentStatus, age_ms: u64) -> Report {
        let found = Found { status, message: "3 commits behind.".to_owned(), age_ms };
        Report { git: Some(found), ..Report::default() }
    }

    /// A host on which `pull`, which changes git, succeeded at 1,000.
    fn pulled() -> Fleet {
        let mut fleet = Fleet::default();
        let kind: crate::model::CommandKind = "pull".parse().unwrap();
        write(&mut fleet, 1, |draft| {
            let mut host = Host::unseen(HOST, Name::new("a").unwrap());
            host.commands =
                vec![CommandOffer { kind: kind.clone(), timeout_s: 60, checks: vec![CompartmentKind::Git] }];
            draft.create_host(host);
            draft.queue_command(Command::queued(PULL, HOST, kind, Actor::System, Timestamp(1)))?;
            draft.happens(PULL, &Happening::Dispatched)?;
            draft.happens(PULL, &Happening::Started { timeout: Duration::from_secs(60) }).map(drop)
        });
        write(&mut fleet, 1_000, |draft| {
            let outcome = Outcome::Exited { code: 0 };
            draft.happens(PULL, &Happening::Finished { outcome, reason: None, output_bytes: 0 }).map(drop)
        });
        fleet
    }

    fn state(fleet: &Fleet) -> (CompartmentStatus, Option<PostCheck>) {
        let status = fleet.host(HOST).unwrap().compartments.git.status;
        (status, fleet.command(PULL).unwrap().post_check.clone())
    }

    #[test]
    fn what_was_found_before_the_command_ended_decides_nothing() {
        let mut fleet = pulled();
        let before = state(&fleet);
        assert!(matches!(before, (CompartmentStatus::Working, Some(PostCheck::Awaited { .. }))));
        write(&mut fleet, 2_000, |draft| apply(draft, HOST, &git(CompartmentStatus::Ok, 1_500)));
        assert_eq!(state(&fleet), before);
        write(&mut fleet, 2_000, |draft| apply(draft, HOST, &git(CompartmentStatus::Ok, 500)));
        assert_eq!(state(&fleet), (CompartmentStatus::Ok, Some(PostCheck::Passed)));
        assert_eq!(fleet.host(HOST).unwrap().compartments.git.checked_at, Some(Timestamp(1_500)));
    }

    #[test]
    fn a_report_after_the_command_says_whether_it_did_what_it_was_meant_to() {
        for (found, expected) in [
            (CompartmentStatus::Ok, PostCheck::Passed),
            (CompartmentStatus::Unknown, PostCheck::Unknown),
            (
                CompartmentStatus::Outdated,
                PostCheck::Failed { message: "Git is outdated afterwards: 3 commits behind".to_owned() },
            ),
        ] {
            let mut fleet = pulled();
            let report = Report { after: Some(PULL), ..git(found, 0) };
            write(&mut fleet, 1_000, |draft| apply(draft, HOST, &report));
            assert_eq!(state(&fleet), (found, Some(expected)));
        }
    }

    #[test]
    fn a_report_that_does_not_tell_of_everything_leaves_the_command_waiting() {
        let mut fleet = pulled();
        let before = state(&fleet);
        let report = Report { after: Some(PULL), ..Report::default() };
        write(&mut fleet, 2_000, |draft| apply(draft, HOST, &report));
        assert_eq!(state(&fleet), before);
    }

    #[test]
    fn an_older_finding_does_not_take_the_place_of_a_newer() {
        let mut fleet = pulled();
        write(&mut fleet, 3_000, |draft| apply(draft, HOST, &git(CompartmentStatus::Ok, 0)));
        write(&mut fleet, 3_001, |draft| apply(draft, HOST, &git(CompartmentStatus::Error, 900)));
        assert_eq!(state(&fleet).0, CompartmentStatus::Ok);
    }

    #[test]
    fn the_lock_file_is_held_against_the_one_expected() {
        let mut fleet = pulled();
        let repository = Repository { lock_hash: Some("abc".to_owned()), ..Repository::default() };
        fleet.apply(&Change::RepositoryPut { repository: Arc::new(repository) });
        let mut lock = |hash: Option<&str>, error: Option<&str>| {
            let lock =
                FoundLock { hash: hash.map(str::to_owned), error: error.map(str::to_owned), age_ms: 0 };
            let report = Report { lock: Some(lock), ..Report::default() };
            write(&mut fleet, 2_000, |draft| apply(draft, HOST, &report));
            let host = fleet.host(HOST).unwrap();
            (host.compartments.lock.status, host.lock_hash.clone())
        };
        assert_eq!(lock(Some("abc"), None), (CompartmentStatus::Ok, Some("abc".to_owned())));
        assert_eq!(lock(Some("def"), None).0, CompartmentStatus::Outdated);
        assert_eq!(lock(None, Some("flake.lock cannot be read")), (CompartmentStatus::Error, None));
        assert_eq!(lock(None, None).0, CompartmentStatus::Unknown);
    }

    #[test]
    fn words_from_outside_are_one_line_and_not_too_long() {
        assert_eq!(sentence("a\nb\x1b[0m. "), "a b [0m");
        assert_eq!(sentence(&"x".repeat(1_000)).len(), SENTENCE);
    }
}
