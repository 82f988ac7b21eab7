//! What the console asks of the world beyond its hosts, and tells it: their repository's remote, GitHub, and webhooks. Each is configured here.

use super::{
    github::{self, GitHub, MergeMethod, Target},
    repository::{
        self, Wake,
        git::{Remote, cache_in},
    },
    storage::Store,
    webhooks::{self, WebhookArgs, Webhooks},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The repository that the hosts are built from.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "The hosts' repository")]
pub struct RemoteArgs {
    /// The repository that the hosts are built from, as git takes it: what they should be is read from there. It is read with `git`, which
    /// must be able to without asking for a password.
    #[arg(long, env = "MUSTER_REPOSITORY", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub repository: Option<String>,

    /// Its branch. Without it, the one that the remote's HEAD names.
    #[arg(long, env = "MUSTER_REPOSITORY_BRANCH", value_parser = branch)]
    pub repository_branch: Option<String>,

    /// The lock file within the repository.
    #[arg(long, env = "MUSTER_REPOSITORY_LOCK_FILE", default_value = "flake.lock", value_parser = path_within)]
    pub repository_lock_file: String,

    /// Seconds between looks at the repository.
    #[arg(long, env = "MUSTER_REPOSITORY_POLL", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub repository_poll: u64,

    /// The repository at GitHub, as owner/name: its open pull requests are shown and can be merged.
    #[arg(long, env = "MUSTER_GITHUB_REPO", value_parser = owner_and_name)]
    pub github_repo: Option<String>,

    /// The address of GitHub's API; for a GitHub Enterprise Server https://HOST/api/v3.
    #[arg(long, env = "MUSTER_GITHUB_URL", default_value = "https://api.github.com", value_parser = web_address)]
    pub github_url: String,

    /// A file with the token for GitHub on one line. Without it, only public repositories can be read, and nothing merged.
    #[arg(long, env = "MUSTER_GITHUB_TOKEN_FILE")]
    pub github_token_file: Option<PathBuf>,

    /// Seconds between looks at the pull requests.
    #[arg(long, env = "MUSTER_GITHUB_POLL", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub github_poll: u64,

    /// How pull requests are merged.
    #[arg(long, env = "MUSTER_GITHUB_MERGE_METHOD", value_enum, default_value_t)]
    pub github_merge_method: MergeMethod,

    #[command(flatten)]
    pub webhooks: WebhookArgs,
}

/// The handles that actions need.
#[derive(Clone, Debug)]
pub struct Remotes {
    pub github: Option<GitHub>,
    /// Has the repository looked at before its time.
    pub repository: Wake,
    pub webhooks: Webhooks,
}

impl Remotes {
    pub fn new(args: &RemoteArgs) -> Result<Remotes, reqwest::Error> {
        let target = args.github_repo.as_ref().map(|repo| Target {
            url: args.github_url.clone(),
            repo: repo.clone(),
            base: args.repository_branch.clone(),
            token_file: args.github_token_file.clone(),
            merge_method: args.github_merge_method,
        });
        Ok(Remotes {
            github: target.map(GitHub::new).transpose()?,
            repository: Wake::default(),
            webhooks: Webhooks::new(args.webhooks)?,
        })
    }

    /// Starts looking.
    pub fn start(
        &self,
        args: &RemoteArgs,
        data: &Path,
        store: &Store,
        tasks: &TaskTracker,
        shutdown: &CancellationToken,
    ) {
        let pace = webhooks::Pace::default();
        tasks.spawn(self.webhooks.clone().run(store.clone(), pace, shutdown.clone()));
        let every = Duration::from_secs(args.repository_poll);
        let (store, shutdown) = (store.clone(), shutdown.clone());
        match args.repository.clone() {
            Some(url) => {
                let remote = Remote {
                    url,
                    branch: args.repository_branch.clone(),
                    lock_file: args.repository_lock_file.clone(),
                    cache: cache_in(data),
                };
                let wake = self.repository.clone();
                tasks.spawn(repository::watch(remote, every, store.clone(), wake, shutdown.clone()));
            }
            None => {
                let store = store.clone();
                tasks.spawn(async move { repository::let_go(&store).await });
            }
        }
        match self.github.clone() {
            Some(github) => {
                tasks.spawn(github.poll(store, Duration::from_secs(args.github_poll), shutdown));
            }
            None => {
                tasks.spawn(async move { github::let_go(&store).await });
            }
        }
    }
}

fn branch(text: &str) -> Result<String, String> {
    let bad = |char: char| char.is_control() || char.is_whitespace() || "~^:?*[\\".contains(char);
    match text.is_empty() || text.starts_with(['-', '/']) || text.contains("..") || text.contains(bad) {
        true => Err("it is not the name of a branch".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn path_within(text: &str) -> Result<String, String> {
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    match text.split('/').all(plain) && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => {
            Err("it must be a path within the repository, such as flake.lock or nix/flake.lock".to_owned())
        }
    }
}

fn owner_and_name(text: &str) -> Result<String, String> {
    let part = |part: &str| {
        let plain = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
        !part.is_empty() && part != "." && part != ".." && part.chars().all(plain)
    };
    match text.split_once('/') {
        Some((owner, name)) if part(owner) && part(name) => Ok(text.to_owned()),
        _ => Err("it must be owner/name".to_owned()),
    }
}

fn web_address(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text).map_err(|error| error.to_string())?;
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match matches!(url.scheme(), "https" | "http") && plain {
        true => Ok(text.trim_end_matches('/').to_owned()),
        false => Err("it must be an http or https address, without user or query".to_owned()),
    }
}
