//! A running console against its own OpenAPI document: schemathesis, in an environment of its own under `target`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::tally::Tally;
use crate::{process, project};

/// Another version may find other things: it is raised by hand.
const PACKAGE: &str = "schemathesis==4.32.5";
/// How long it looks, at most.
const SECONDS: &str = "75";
const SEED: &str = "1";

/// Runs it against `program`. Where Python or its package cannot be had this is skipped, and says so.
pub fn run(program: &Path) -> Result<Tally> {
    let python = match environment() {
        Ok(python) => python,
        Err(why) => {
            println!("      skipped: {why:#}");
            return Ok(Tally::default());
        }
    };
    let status = Command::new(python)
        .arg(project::root().join("tests/openapi/run.py"))
        .arg("--program")
        .arg(program)
        .args(["--seconds", SECONDS, "--seed", SEED])
        .stdin(Stdio::null())
        .status()
        .context("cannot start the tests of the OpenAPI document")?;
    Ok(if status.success() { Tally::ONE_PASSED } else { Tally::ONE_FAILED })
}

/// The Python of an environment that has the package; made once.
fn environment() -> Result<PathBuf> {
    let folder = project::root().join("target/schemathesis");
    let (python, stamp) = (folder.join("bin/python"), folder.join("installed"));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == PACKAGE) {
        return Ok(python);
    }
    process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder).stdin(Stdio::null()))
        .context("there is no Python 3 with venv")?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE])
        .stdin(Stdio::null());
    process::run(&mut pip).with_context(|| format!("{PACKAGE} cannot be installed from PyPI"))?;
    std::fs::write(&stamp, PACKAGE).context("cannot note what was installed")?;
    Ok(python)
}
