//! Cargo inside Cargo.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{process, project};

/// `cargo` in the workspace's root.
///
/// `cargo xtask` itself runs under Cargo, which sets variables about the `xtask` package; build scripts that ask to be run again when
/// such a variable changes would be rebuilt each time a developer alternates between `cargo xtask` and plain `cargo`.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(project::root());
    for (name, _) in std::env::vars_os() {
        let of_xtask = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_")
                || name.starts_with("CARGO_MANIFEST_")
                || name.starts_with("CARGO_BIN_")
        });
        if of_xtask {
            command.env_remove(name);
        }
    }
    command.env_remove("CARGO_CRATE_NAME").env_remove("CARGO_PRIMARY_PACKAGE").env_remove("OUT_DIR");
    command
}

/// One line of `--message-format json`, as far as it matters here.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact {
        target: Target,
        filenames: Vec<PathBuf>,
        executable: Option<PathBuf>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Runs a `cargo build` or `cargo rustc` and returns the files made for the target `name` of this `kind` (`bin`, `cdylib`).
pub fn artifacts(command: &mut Command, name: &str, kind: &str) -> Result<Vec<PathBuf>> {
    command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped()).stderr(Stdio::inherit());
    let child = command.spawn().context("cannot start cargo")?;
    let out = child.wait_with_output()?;
    process::succeeded(command, out.status)?;
    let mut files = Vec::new();
    for line in String::from_utf8_lossy(&out.stdout).lines() {
        if let Ok(Message::CompilerArtifact { target, filenames, executable }) = serde_json::from_str(line)
            && target.name == name
            && target.kind.iter().any(|it| it == kind)
        {
            files.extend(filenames);
            files.extend(executable);
        }
    }
    Ok(files)
}

/// Builds the program and returns its path.
pub fn build_program(profile: crate::profile::Profile) -> Result<PathBuf> {
    artifacts(cargo().args(["build", "--bin", "muster", "--profile", profile.native()]), "muster", "bin")?
        .into_iter()
        .next()
        .context("cargo built no program `muster`")
}

/// Builds an example of the package and returns its path: a program that only tests use.
pub fn build_example(name: &str, profile: crate::profile::Profile) -> Result<PathBuf> {
    artifacts(cargo().args(["build", "--example", name, "--profile", profile.native()]), name, "example")?
        .into_iter()
        .next()
        .with_context(|| format!("cargo built no example `{name}`"))
}
