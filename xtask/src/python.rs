//! Programs from PyPI that tests hold ours against, each set of them in an environment of its own under `target`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::{process, project};

/// What the nets are held against. Another version may say other things: they are raised by hand.
pub const PETRI: Environment =
    Environment { name: "petri-oracles", packages: &["SNAKES==0.9.33", "pm4py==2.7.23.11"] };

/// What holds a running console against its OpenAPI document.
pub const SCHEMATHESIS: Environment =
    Environment { name: "schemathesis", packages: &["schemathesis==4.32.5"] };

pub struct Environment {
    /// Its folder under `target`.
    name: &'static str,
    packages: &'static [&'static str],
}

impl Environment {
    /// The Python that has the packages; installed once. `Err` says what is missing.
    pub fn python(&self) -> Result<PathBuf> {
        let folder = project::root().join("target").join(self.name);
        let (python, stamp) = (folder.join("bin/python"), folder.join("installed"));
        let wanted = self.packages.join(" ");
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(python);
        }
        process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder).stdin(Stdio::null()))
            .context("there is no Python 3 with venv")?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(self.packages);
        process::run(pip.stdin(Stdio::null()))
            .with_context(|| format!("{wanted} cannot be installed from PyPI"))?;
        std::fs::write(&stamp, wanted).context("cannot note what was installed")?;
        Ok(python)
    }
}
