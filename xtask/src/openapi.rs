//! A running console against its own OpenAPI document: schemathesis.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::tally::Tally;
use crate::{project, python};

/// Cases of each operation, beside those that cover its document. A number, not a time: a faster machine tries the same.
const EXAMPLES: &str = "8";
const SEED: &str = "1";

/// Runs it against `program`. Where Python or its package cannot be had this is skipped, and says so.
pub fn run(program: &Path) -> Result<Tally> {
    let python = match python::SCHEMATHESIS.python() {
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
        .args(["--examples", EXAMPLES, "--seed", SEED])
        .stdin(Stdio::null())
        .status()
        .context("cannot start the tests of the OpenAPI document")?;
    Ok(if status.success() { Tally::ONE_PASSED } else { Tally::ONE_FAILED })
}
