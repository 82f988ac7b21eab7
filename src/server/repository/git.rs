//! Reading a remote with git: one program, its arguments as a list, a limit on its time and its output, and nobody to ask for a password.

use rustix::process::{Pid, Signal, kill_process_group};
use sha2::{Digest, Sha256};
use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
};

/// Asking for the head is a few hundred bytes either way.
const LS_REMOTE_WITHIN: Duration = Duration::from_secs(20);
/// Fetching one commit, without its history.
const FETCH_WITHIN: Duration = Duration::from_secs(120);
/// What needs no network.
const LOCAL_WITHIN: Duration = Duration::from_secs(20);
/// A lock file is text of some kilobytes.
const LARGEST_LOCK_FILE: u64 = 16 << 20;
const LARGEST_ANSWER: u64 = 64 << 10;
/// As much of what git says of a failure as helps.
const LONGEST_SENTENCE: usize = 300;
/// Where a fetched head stands in the cache.
const FETCHED: &str = "refs/muster/head";

/// A repository elsewhere, and which part of it is read.
#[derive(Clone, Debug)]
pub struct Remote {
    /// As git takes it: a URL, `user@host:path`, a path of this machine.
    pub url: String,
    /// `None`: the one that the remote's HEAD names.
    pub branch: Option<String>,
    /// Path of the lock file within the repository.
    pub lock_file: String,
    /// A bare repository of ours, made where it is missing, and thrown away when anything is wrong with it.
    pub cache: PathBuf,
}

/// A branch's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub branch: String,
    pub commit: String,
}

/// The lock file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The commit that was fetched; newer than the one asked for, if somebody pushed meanwhile.
    pub commit: String,
    /// SHA-256, hexadecimal; `None` where the commit has no such file.
    pub hash: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    #[error("git could not be started: {0}")]
    Start(String),
    #[error("git {what} took longer than {} s and was ended", .within.as_secs())]
    TooLong { what: String, within: Duration },
    #[error("git {what} failed: {said}")]
    Failed { what: String, said: String },
    #[error("git {what} said more than {limit} bytes")]
    TooMuch { what: String, limit: u64 },
    #[error("the remote has no branch {0}")]
    NoBranch(String),
    #[error("the remote has no commits")]
    Empty,
}

impl Remote {
    /// The head of the branch, as the remote says it now.
    pub async fn head(&self) -> Result<Head, GitError> {
        let wanted = self.branch.as_ref().map_or("HEAD".to_owned(), |branch| format!("refs/heads/{branch}"));
        let args = ["ls-remote", "--symref", "--", &self.url, &wanted];
        let said = self.git("ls-remote", &args, LS_REMOTE_WITHIN, LARGEST_ANSWER).await?;
        read_heads(&String::from_utf8_lossy(&said), self.branch.as_deref(), &wanted)
    }

    /// The lock file at the head. Fetches that one commit. What goes wrong with the cache goes with it: the next time makes it anew.
    pub async fn lock(&self, head: &Head) -> Result<Lock, GitError> {
        let read = self.fetch_and_read(head).await;
        if read.is_err()
            && self.cache.exists()
            && let Err(error) = tokio::fs::remove_dir_all(&self.cache).await
        {
            tracing::warn!(%error, path = %self.cache.display(), "the cache of the repository could not be removed");
        }
        read
    }

    async fn fetch_and_read(&self, head: &Head) -> Result<Lock, GitError> {
        let cache = self.cache.display().to_string();
        if !self.cache.join("HEAD").exists() {
            self.git("init", &["init", "--quiet", "--bare", "--", &cache], LOCAL_WITHIN, LARGEST_ANSWER)
                .await?;
        }
        let dir = format!("--git-dir={cache}");
        let from =
            if head.branch == "HEAD" { "HEAD".to_owned() } else { format!("refs/heads/{}", head.branch) };
        let refspec = format!("+{from}:{FETCHED}");
        // Its housekeeping runs within our time, not behind our back.
        let fetch = [
            &dir,
            "-c",
            "gc.autoDetach=false",
            "-c",
            "maintenance.autoDetach=false",
            "fetch",
            "--quiet",
            "--depth=1",
            "--no-tags",
            "--no-write-fetch-head",
            "--",
            &self.url,
            &refspec,
        ];
        self.git("fetch", &fetch, FETCH_WITHIN, LARGEST_ANSWER).await?;
        let args = [dir.as_str(), "rev-parse", "--verify", FETCHED];
        let commit = self.git("rev-parse", &args, LOCAL_WITHIN, LARGEST_ANSWER).await?;
        let commit = String::from_utf8_lossy(&commit).trim().to_owned();
        let args = [dir.as_str(), "ls-tree", "--name-only", &commit, "--", &self.lock_file];
        if self.git("ls-tree", &args, LOCAL_WITHIN, LARGEST_ANSWER).await?.is_empty() {
            return Ok(Lock { commit, hash: None });
        }
        let object = format!("{commit}:{}", self.lock_file);
        let args = [dir.as_str(), "cat-file", "blob", &object];
        let file = self.git("cat-file", &args, LOCAL_WITHIN, LARGEST_LOCK_FILE).await?;
        let hash = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Lock { commit, hash: Some(hash) })
    }

    async fn git<A: AsRef<OsStr>>(
        &self,
        what: &str,
        args: &[A],
        within: Duration,
        limit: u64,
    ) -> Result<Vec<u8>, GitError> {
        let what = what.to_owned();
        let mut command = Command::new("git");
        command.args(args);
        // A console started from within a checkout, or a hook, must not read that one.
        for variable in
            ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"]
        {
            command.env_remove(variable);
        }
        command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|error| GitError::Start(error.to_string()))?;
        // Whatever cuts this short, the helpers that git starts go with it.
        let mut group = Group(child.id().and_then(|pid| Pid::from_raw(pid as i32)));
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let ended = async {
            let (out, err) = tokio::try_join!(read(out, limit + 1), read(err, LARGEST_ANSWER))?;
            if out.len() as u64 > limit {
                return Ok((None, out, err));
            }
            Ok::<_, io::Error>((Some(child.wait().await?), out, err))
        };
        let (status, out, err) = match tokio::time::timeout(within, ended).await {
            Err(_) => return Err(GitError::TooLong { what, within }),
            Ok(ended) => ended.map_err(|error| GitError::Start(error.to_string()))?,
        };
        let Some(status) = status else { return Err(GitError::TooMuch { what, limit }) };
        group.0 = None;
        if status.success() {
            return Ok(out);
        }
        Err(GitError::Failed { what, said: said(&String::from_utf8_lossy(&err), &self.url) })
    }
}

/// A process group that is killed when this goes.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0
            && let Err(error) = kill_process_group(pid, Signal::KILL)
        {
            tracing::debug!(%error, "git had ended");
        }
    }
}

async fn read(pipe: Option<impl AsyncRead + Unpin>, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(limit).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// Lines of `git ls-remote --symref`: `ref: refs/heads/main<TAB>HEAD` and `<commit><TAB>HEAD`.
fn read_heads(said: &str, branch: Option<&str>, wanted: &str) -> Result<Head, GitError> {
    let (mut named, mut commit) = (None, None);
    for (what, name) in said.lines().filter_map(|line| line.split_once('\t')) {
        match what.strip_prefix("ref: refs/heads/") {
            Some(branch) if name == wanted => named = Some(branch.to_owned()),
            None if name == wanted && is_commit(what) => commit = Some(what.to_owned()),
            _ => {}
        }
    }
    let branch = branch.map(str::to_owned);
    match (commit, branch) {
        (Some(commit), branch) => Ok(Head { branch: branch.or(named).unwrap_or("HEAD".to_owned()), commit }),
        (None, Some(branch)) => Err(GitError::NoBranch(branch)),
        (None, None) => Err(GitError::Empty),
    }
}

/// The name of a commit: 40 hexadecimal digits, or 64.
pub fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What git said last of a failure, without what the URL keeps secret.
fn said(stderr: &str, url: &str) -> String {
    let stderr = stderr.replace(url, &shown_url(url));
    let mut lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let fatal = lines.clone().find(|line| line.starts_with("fatal:") || line.starts_with("ERROR:"));
    let line = fatal.or_else(|| lines.next_back()).unwrap_or("it said nothing");
    line.chars().filter(|char| !char.is_control()).take(LONGEST_SENTENCE).collect()
}

/// A URL as it may be shown: without user and password.
pub fn shown_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        // The user of an ssh URL is part of the address, and no secret.
        Some((user, host)) if scheme.starts_with("http") || user.contains(':') => {
            format!("{scheme}://{host}{path}")
        }
        _ => url.to_owned(),
    }
}

/// Where the cache of a console's data directory is.
pub fn cache_in(data: &Path) -> PathBuf {
    data.join("repository.git")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_url_are_not_shown() {
        assert_eq!(shown_url("https://me:secret@git.example/a/b@c"), "https://git.example/a/b@c");
        assert_eq!(shown_url("https://secret@git.example"), "https://git.example");
        assert_eq!(shown_url("ssh://git@git.example/a"), "ssh://git@git.example/a");
        assert_eq!(shown_url("git@git.example:a"), "git@git.example:a");
        assert_eq!(shown_url("/srv/a.git"), "/srv/a.git");
        let stderr = "warning: x\nfatal: unable to access 'https://me:secret@git.example/': no\n";
        assert_eq!(
            said(stderr, "https://me:secret@git.example/"),
            "fatal: unable to access 'https://git.example/': no"
        );
    }

    #[test]
    fn the_head_of_the_branch_is_found_among_what_the_remote_says() {
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let head = |branch: &str, commit: &str| Head { branch: branch.to_owned(), commit: commit.to_owned() };
        let said = format!("ref: refs/heads/trunk\tHEAD\n{a}\tHEAD\n{b}\trefs/remotes/origin/HEAD\n");
        assert_eq!(read_heads(&said, None, "HEAD"), Ok(head("trunk", &a)));
        assert_eq!(read_heads(&format!("{a}\tHEAD\n"), None, "HEAD"), Ok(head("HEAD", &a)));
        let said = format!("{b}\trefs/heads/x/refs/heads/main\n{a}\trefs/heads/main\n");
        assert_eq!(read_heads(&said, Some("main"), "refs/heads/main"), Ok(head("main", &a)));
        assert_eq!(
            read_heads("", Some("main"), "refs/heads/main"),
            Err(GitError::NoBranch("main".to_owned()))
        );
        assert_eq!(read_heads("", None, "HEAD"), Err(GitError::Empty));
        assert_eq!(read_heads("garbage\tHEAD\n", None, "HEAD"), Err(GitError::Empty));
    }
}
