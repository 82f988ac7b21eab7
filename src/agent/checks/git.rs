//! The checked out commit against the branch of the remote. The remote's commits are fetched, into a reference of our own; neither the
//! work tree nor the owner's references nor the index are touched.

use super::Verdict;
use crate::{
    agent::{config::Repository, tool},
    model::{CompartmentStatus, host::short},
};
use std::time::{Duration, Instant};

const FETCH_WITHIN: Duration = Duration::from_secs(60);
const LOOK_WITHIN: Duration = Duration::from_secs(30);

pub struct Look {
    pub verdict: Verdict,
    pub head: Option<String>,
    pub since: Instant,
}

pub async fn look(repository: &Repository) -> Look {
    let head = head(repository).await;
    let verdict = match &head {
        Ok(head) => against_remote(repository, head).await.unwrap_or_else(Verdict::error),
        Err(why) => Verdict::error(why.clone()),
    };
    Look { verdict, head: head.ok(), since: Instant::now() }
}

async fn git<const N: usize>(
    repository: &Repository,
    arguments: [&str; N],
    within: Duration,
) -> Result<tool::Output, String> {
    let quiet = ["-c", "core.fsmonitor=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false"];
    tool::run("git", quiet.into_iter().chain(arguments), &repository.path, within).await
}

/// One line of an answer, or nothing where git has none.
async fn line<const N: usize>(
    repository: &Repository,
    arguments: [&str; N],
) -> Result<Option<String>, String> {
    let output = git(repository, arguments, LOOK_WITHIN).await?;
    let line = output.stdout.lines().next().unwrap_or_default().trim();
    Ok((output.success && !line.is_empty()).then(|| line.to_owned()))
}

/// The commit that is checked out.
async fn head(repository: &Repository) -> Result<String, String> {
    let path = repository.path.display();
    if !repository.path.is_dir() {
        return Err(format!("There is no folder {path}"));
    }
    let inside = git(repository, ["rev-parse", "--is-inside-work-tree"], LOOK_WITHIN).await?;
    if !inside.success || inside.stdout.trim() != "true" {
        return Err(match inside.complaint.contains("not a git repository") || inside.complaint.is_empty() {
            true => format!("There is no repository in {path}"),
            false => format!("The repository in {path} cannot be read: {}", inside.complaint),
        });
    }
    let commit = line(repository, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).await?;
    commit.ok_or_else(|| format!("The repository in {path} has no commit"))
}

async fn against_remote(repository: &Repository, head: &str) -> Result<Verdict, String> {
    let remote = &repository.remote;
    let branch = match &repository.branch {
        Some(branch) => branch.clone(),
        None => followed_branch(repository).await?,
    };
    let ours = format!("refs/muster/{remote}/{branch}");
    let refspec = format!("+refs/heads/{branch}:{ours}");
    let fetch = [
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-recurse-submodules",
        "--no-write-fetch-head",
        // Without this git would move the owner's own reference along.
        "--refmap=",
        remote,
        &refspec,
    ];
    let fetched = git(repository, fetch, FETCH_WITHIN).await;
    let fetched = fetched.map_err(|why| format!("The remote {remote} cannot be reached: {why}"))?;
    if !fetched.success {
        let why = fetched.complaint;
        return Err(match why.contains("couldn't find remote ref") {
            true => format!("The remote {remote} has no branch {branch}"),
            false => format!("The remote {remote} cannot be reached: {}", why.trim_start_matches("fatal: ")),
        });
    }
    let theirs = line(repository, ["rev-parse", "--verify", "--quiet", &ours]).await?;
    let theirs = theirs.ok_or("What was fetched is not there")?;
    let range = format!("{head}...{theirs}");
    let counts = line(repository, ["rev-list", "--left-right", "--count", &range]).await?;
    let (ahead, behind) = counts
        .as_deref()
        .and_then(|counts| counts.split_once('\t'))
        .and_then(|(ahead, behind)| Some((ahead.parse().ok()?, behind.parse().ok()?)))
        .ok_or("The commits between it and its remote cannot be counted")?;
    let status = git(repository, ["status", "--porcelain", "--untracked-files=normal"], LOOK_WITHIN).await?;
    if !status.success {
        return Err(format!("Its work tree cannot be read: {}", status.complaint));
    }
    let upstream = format!("{remote}/{branch}");
    Ok(verdict(&upstream, (head, &theirs), (ahead, behind), status.stdout.lines().count()))
}

/// The branch of the remote that the checked out branch follows.
async fn followed_branch(repository: &Repository) -> Result<String, String> {
    let detached = "No branch is checked out: say which one it should follow in repository.branch";
    let current = line(repository, ["symbolic-ref", "--quiet", "--short", "HEAD"]).await?.ok_or(detached)?;
    let key = format!("branch.{current}.merge");
    let followed = line(repository, ["config", "--get", &key]).await?;
    let followed = followed.and_then(|name| name.strip_prefix("refs/heads/").map(str::to_owned));
    followed.ok_or_else(|| format!("The branch {current} follows no branch of a remote"))
}

fn verdict(
    upstream: &str,
    (head, theirs): (&str, &str),
    (ahead, behind): (u64, u64),
    changed: usize,
) -> Verdict {
    let (head, theirs) = (short(head), short(theirs));
    let commits = |n: u64| if n == 1 { "1 commit".to_owned() } else { format!("{n} commits") };
    let mut message = match (ahead, behind) {
        (0, 0) => format!("Up to date with {upstream} ({head})"),
        (0, _) => format!("{} behind {upstream} ({head}, there {theirs})", commits(behind)),
        (_, 0) => format!("{} ahead of {upstream} ({head}, there {theirs})", commits(ahead)),
        (..) => {
            format!("Diverged from {upstream}: {ahead} ahead, {behind} behind ({head}, there {theirs})")
        }
    };
    match changed {
        0 => {}
        1 => message.push_str("; dirty: 1 file differs from the commit"),
        n => message.push_str(&format!("; dirty: {n} files differ from the commit")),
    }
    let status = match (ahead, behind, changed) {
        (0, 0, 0) => CompartmentStatus::Ok,
        _ => CompartmentStatus::Outdated,
    };
    Verdict::new(status, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_differ_has_its_sentence() {
        let of = |counts, changed| verdict("origin/main", ("aaaaaaaaaaaa", "bbbbbbbbbbbb"), counts, changed);
        assert_eq!(of((0, 0), 0).status, CompartmentStatus::Ok);
        assert_eq!(of((0, 0), 0).message, "Up to date with origin/main (aaaaaaaaaa)");
        assert_eq!(of((0, 1), 0).message, "1 commit behind origin/main (aaaaaaaaaa, there bbbbbbbbbb)");
        assert_eq!(of((2, 0), 0).message, "2 commits ahead of origin/main (aaaaaaaaaa, there bbbbbbbbbb)");
        let diverged = "Diverged from origin/main: 2 ahead, 3 behind (aaaaaaaaaa, there bbbbbbbbbb)";
        assert_eq!(of((2, 3), 0).message, diverged);
        let dirty = of((0, 0), 2);
        assert_eq!(dirty.status, CompartmentStatus::Outdated);
        assert!(dirty.message.ends_with("; dirty: 2 files differ from the commit"));
    }
}
