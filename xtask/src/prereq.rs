//! What a machine must have. Each check adds what it can and otherwise says in one sentence what to install.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::process;

pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The compiler's standard library for the browser; added with rustup when it is missing.
pub fn wasm_target() -> Result<()> {
    if has_wasm_target() {
        return Ok(());
    }
    println!("      adding the Rust target {WASM_TARGET}");
    let added = Command::new("rustup").args(["target", "add", WASM_TARGET]).status();
    if !added.is_ok_and(|status| status.success()) || !has_wasm_target() {
        bail!(
            "the Rust target {WASM_TARGET} is missing and could not be added: run `rustup target add {WASM_TARGET}`, \
             or install it with the package manager that installed Rust"
        );
    }
    Ok(())
}

fn has_wasm_target() -> bool {
    process::output(Command::new("rustc").args(["--print", "target-libdir", "--target", WASM_TARGET]))
        .is_ok_and(|folder| Path::new(&folder).is_dir())
}

/// A component of the Rust toolchain, by the subcommand that shows it is there.
pub fn component(subcommand: &str, component: &str) -> Result<()> {
    if process::output(crate::cargo::cargo().args([subcommand, "--version"])).is_err() {
        bail!("`cargo {subcommand}` is missing: run `rustup component add {component}`");
    }
    Ok(())
}

pub fn has_nextest() -> bool {
    process::output(crate::cargo::cargo().args(["nextest", "--version"])).is_ok()
}

/// True when Node.js and npm can be run: without them the frontend is built, but neither optimised nor tested in a browser.
pub fn has_node() -> bool {
    find_program("node").is_some() && find_program("npm").is_some()
}

/// Node.js 20 or later with npm.
pub fn node() -> Result<()> {
    const WANTED: u32 = 20;
    let found = process::output(Command::new("node").arg("--version")).ok();
    match found.as_deref().and_then(node_major) {
        Some(major) if major >= WANTED && has_node() => Ok(()),
        Some(major) if major < WANTED => {
            bail!(
                "the browser tests need Node.js {WANTED} or later and this is {major}: install a newer one from your package manager or nodejs.org"
            )
        }
        _ => bail!(
            "the browser tests need Node.js {WANTED} or later with npm: install `nodejs` and `npm` from your package manager or nodejs.org"
        ),
    }
}

fn node_major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// A Chromium or Chrome: `MUSTER_CHROMIUM`, one on the `PATH`, or Debian's, which is installed where that is possible.
pub fn chromium() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("MUSTER_CHROMIUM").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        if !path.is_file() {
            bail!("MUSTER_CHROMIUM says {}, and there is no such file", path.display());
        }
        return Ok(path);
    }
    if let Some(path) = find_chromium() {
        return Ok(path);
    }
    install_chromium();
    match find_chromium() {
        Some(path) => Ok(path),
        None => bail!(
            "the browser tests need Chromium: install `chromium` from your package manager, or set MUSTER_CHROMIUM to the path of a Chrome or Chromium"
        ),
    }
}

fn find_chromium() -> Option<PathBuf> {
    let mac = PathBuf::from("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
        .into_iter()
        .find_map(find_program)
        .or_else(|| mac.is_file().then_some(mac))
}

fn install_chromium() {
    install(&["chromium", "fonts-dejavu-core"]);
}

/// A reverse proxy that some browser tests run behind, installed where that is possible. `None`: those tests are skipped, and say so.
pub fn reverse_proxy(name: &str, package: &str) -> Option<PathBuf> {
    // Where Debian puts it is not on everybody's `PATH`.
    let find = || {
        let system = Path::new("/usr/sbin").join(name);
        find_program(name).or_else(|| system.is_file().then_some(system))
    };
    find().or_else(|| {
        install(&[package]);
        find()
    })
}

/// Installs Debian packages, where there are such and we may; else, and when that fails, nothing happens.
fn install(packages: &[&str]) {
    let root = process::output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0");
    if !root || find_program("apt-get").is_none() {
        return;
    }
    println!("      installing {} with apt-get", packages.join(", "));
    let install = [&["install", "-y", "-q", "--no-install-recommends"], packages].concat();
    for args in [&["update", "-q"][..], &install] {
        let mut apt = Command::new("apt-get");
        apt.args(args).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
        // A service that comes with a package is not to be started: the run level says that the system is not up.
        apt.env("RUNLEVEL", "1");
        if let Err(error) = process::run(&mut apt) {
            eprintln!("warning: {error:#}");
        }
    }
}

/// The first file of this name in the `PATH`.
fn find_program(name: &str) -> Option<PathBuf> {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(&name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_node_is_read() {
        assert_eq!(node_major("v20.20.2"), Some(20));
        assert_eq!(node_major("deno 2"), None);
    }
}
