//! A repository as hosts have it, made with git.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A checkout with a bare remote, and another checkout from which others push.
pub struct Repository {
    pub folder: PathBuf,
    pub checkout: PathBuf,
}

impl Repository {
    pub fn new(folder: &Path) -> Repository {
        let repository = Repository { folder: folder.to_owned(), checkout: folder.join("checkout") };
        git(folder, &["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"]);
        git(folder, &["clone", "--quiet", "remote.git", "elsewhere"]);
        fs::write(folder.join("elsewhere/flake.lock"), "{}\n").unwrap();
        repository.push("a beginning");
        git(folder, &["clone", "--quiet", "remote.git", "checkout"]);
        repository
    }

    /// Somebody else commits and pushes.
    pub fn push(&self, message: &str) {
        let elsewhere = self.folder.join("elsewhere");
        commit(&elsewhere, message);
        git(&elsewhere, &["push", "--quiet", "origin", "HEAD:main"]);
    }

    pub fn head(&self) -> String {
        git(&self.checkout, &["rev-parse", "HEAD"])
    }
}

pub fn commit(checkout: &Path, message: &str) {
    fs::write(checkout.join(message.replace(' ', "-")), message).unwrap();
    git(checkout, &["add", "--all"]);
    git(checkout, &["commit", "--quiet", "--message", message]);
}

pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = std::process::Command::new("git");
    command.current_dir(folder).args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "A test").env(format!("GIT_{who}_EMAIL"), "test@example.org");
    }
    let output = command.output().expect("git is there");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
