//! Real git, against bare repositories that the tests make and break.

use super::*;
use std::{path::Path, process::Command};

struct Origin {
    dir: tempfile::TempDir,
}

impl Origin {
    /// A bare remote with one commit on `main`, and a checkout to push from.
    fn new() -> Origin {
        let origin = Origin { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(origin.dir.path().join("work")).unwrap();
        git(origin.dir.path(), &["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"]);
        git(&origin.work(), &["init", "--quiet", "--initial-branch=main"]);
        origin.push("flake.lock", "one");
        origin
    }

    fn work(&self) -> std::path::PathBuf {
        self.dir.path().join("work")
    }

    fn bare(&self) -> std::path::PathBuf {
        self.dir.path().join("remote.git")
    }

    /// Commits a file; the commit.
    fn push(&self, file: &str, content: &str) -> String {
        std::fs::write(self.work().join(file), content).unwrap();
        git(&self.work(), &["add", "."]);
        let who = ["-c", "user.name=A", "-c", "user.email=a@b.example"];
        git(&self.work(), &[&who[..], &["commit", "--quiet", "-m", content]].concat());
        git(&self.work(), &["push", "--quiet", self.bare().to_str().unwrap(), "main"]);
        git(&self.work(), &["rev-parse", "HEAD"])
    }

    fn remote(&self) -> Remote {
        Remote {
            // Through the transport that a remote elsewhere uses; a plain path ignores --depth.
            url: format!("file://{}", self.bare().display()),
            branch: None,
            lock_file: "flake.lock".to_owned(),
            cache: self.dir.path().join("cache.git"),
        }
    }
}

fn git(dir: &Path, args: &[&str]) -> String {
    let ran = Command::new("git").args(args).current_dir(dir).output().unwrap();
    assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}

fn sha256(text: &str) -> Option<String> {
    use sha2::{Digest, Sha256};
    Some(Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect())
}

#[tokio::test]
async fn the_head_and_its_lock_file_are_read_and_only_a_new_head_is_fetched() {
    let origin = Origin::new();
    let remote = origin.remote();
    let first = look(&remote, None).await.unwrap();
    assert_eq!((first.branch.as_str(), &first.lock_hash), ("main", &sha256("one")));

    // Without the cache, only asking for the head can succeed: nothing is fetched for a head that is known.
    let unusable = Remote { cache: "/dev/null/cache.git".into(), ..remote.clone() };
    assert_eq!(look(&unusable, Some(&first)).await.unwrap(), first);

    let head = origin.push("flake.lock", "two");
    let second = look(&remote, Some(&first)).await.unwrap();
    assert_eq!((&second.head, &second.lock_hash), (&head, &sha256("two")));
    let count = git(&remote.cache, &["rev-list", "--count", "--all"]);
    assert_eq!(count, "1", "no history is kept");
}

#[tokio::test]
async fn history_that_was_rewritten_a_lock_file_that_went_and_another_branch_are_all_seen() {
    let origin = Origin::new();
    let remote = origin.remote();
    let first = look(&remote, None).await.unwrap();
    git(&origin.work(), &["checkout", "--quiet", "--orphan", "again"]);
    git(&origin.work(), &["rm", "--quiet", "-rf", "."]);
    git(&origin.work(), &["branch", "-D", "main"]);
    git(&origin.work(), &["checkout", "--quiet", "-b", "main"]);
    git(&origin.bare(), &["update-ref", "-d", "refs/heads/main"]);
    origin.push("README", "no lock file");
    let second = look(&remote, Some(&first)).await.unwrap();
    assert_eq!(second.lock_hash, None);

    git(&origin.work(), &["push", "--quiet", origin.bare().to_str().unwrap(), "main:refs/heads/next"]);
    let next = Remote { branch: Some("next".to_owned()), ..remote.clone() };
    assert_eq!(look(&next, None).await.unwrap().branch, "next");
    let none = Remote { branch: Some("nowhere".to_owned()), ..remote };
    assert_eq!(look(&none, None).await, Err(GitError::NoBranch("nowhere".to_owned())));
}

#[tokio::test]
async fn a_broken_cache_is_made_anew_and_a_remote_that_is_gone_is_said() {
    let origin = Origin::new();
    let remote = origin.remote();
    look(&remote, None).await.unwrap();
    // As a fetch that was killed leaves it.
    std::fs::write(remote.cache.join("shallow.lock"), "").unwrap();
    std::fs::write(remote.cache.join("config"), "[core\n").unwrap();
    assert!(look(&remote, None).await.is_err());
    assert_eq!(look(&remote, None).await.unwrap().lock_hash, sha256("one"));

    let gone = Remote { url: format!("file://{}/gone.git", origin.dir.path().display()), ..remote };
    let Err(GitError::Failed { what, said }) = look(&gone, None).await else { panic!("it is gone") };
    assert_eq!(what, "ls-remote");
    assert!(said.starts_with("fatal:"), "{said}");
}

#[test]
fn the_row_is_written_for_news_and_now_and_then_for_its_age() {
    let remote = Remote {
        url: "https://me:secret@git.example/hosts".to_owned(),
        branch: None,
        lock_file: "flake.lock".to_owned(),
        cache: "cache".into(),
    };
    let found = |head: &str, lock: Option<&str>| {
        Ok(Look { branch: "main".to_owned(), head: head.to_owned(), lock_hash: lock.map(str::to_owned) })
    };
    let at = |s: u64| Timestamp(s * 1000);
    let first = row_after(None, &remote, found("a", Some("1")), at(0)).unwrap();
    assert_eq!((first.url.as_str(), first.error.as_ref()), ("https://git.example/hosts", None));
    let after = |looked, s| row_after(Some(&first), &remote, looked, at(s));
    assert_eq!(after(found("a", Some("1")), 60), None, "nothing new");
    assert_eq!(after(found("a", Some("1")), 600).unwrap().checked_at, Some(at(600)), "its age");
    assert_eq!(after(found("b", Some("1")), 60).unwrap().head.as_deref(), Some("b"));

    let failed = after(Err(GitError::Empty), 60).unwrap();
    assert_eq!(
        (failed.checked_at, failed.head.as_deref()),
        (Some(at(0)), Some("a")),
        "the figures are as old as they were"
    );
    assert_eq!(failed.error.as_deref(), Some("the remote has no commits"));
    assert_eq!(row_after(Some(&failed), &remote, Err(GitError::Empty), at(6000)), None, "said once");
    let back = row_after(Some(&failed), &remote, found("a", Some("1")), at(120)).unwrap();
    assert_eq!((back.error, back.checked_at), (None, Some(at(120))));

    let missing = after(found("b", None), 60).unwrap();
    assert!(missing.error.unwrap().contains("no file flake.lock"));
    let other = Remote { url: "https://git.example/others".to_owned(), ..remote.clone() };
    let fresh = row_after(Some(&first), &other, Err(GitError::Empty), at(60)).unwrap();
    assert_eq!((fresh.head, fresh.checked_at), (None, None), "figures of another repository are not kept");
}
