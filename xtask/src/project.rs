//! Where things are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The workspace's root: `xtask/` is a folder in it.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The files the server serves, as `src/server/assets.rs` expects them.
pub fn site() -> PathBuf {
    root().join("target/site")
}

/// Tools that are installed for this checkout only.
pub fn tools() -> PathBuf {
    root().join("target/tools")
}

/// Playwright's tests.
pub fn end2end() -> PathBuf {
    root().join("end2end")
}

/// The version of `package` in `Cargo.lock`.
pub fn locked_version(package: &str) -> Result<String> {
    let path = root().join("Cargo.lock");
    let lock = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    find_version(&lock, package).with_context(|| format!("Cargo.lock has no package `{package}`"))
}

fn find_version(lock: &str, package: &str) -> Option<String> {
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{package}\""));
    lines.next()?;
    Some(lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_version_is_that_of_the_very_package() {
        let lock = "[[package]]\nname = \"ab\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\nversion = \"2.0.0\"\n";
        assert_eq!(find_version(lock, "a").as_deref(), Some("2.0.0"));
        assert_eq!(find_version(lock, "b"), None);
    }
}
