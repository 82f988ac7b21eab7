//! `wasm-opt`, from the npm package `binaryen`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::{prereq, process, project};

const VERSION: &str = "132.0.0";

/// What the compiler emits for `wasm32-unknown-unknown`; `wasm-opt` assumes less.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Shrinks the module in place; without node it stays as it is, about twice as large.
pub fn optimise(module: &Path) -> Result<()> {
    if !prereq::has_node() {
        eprintln!(
            "warning: Node.js is missing, so the frontend is not optimised and about twice as large: install `nodejs` and `npm`"
        );
        return Ok(());
    }
    let tool = install()?;
    let smaller = module.with_extension("opt.wasm");
    let mut command = Command::new("node");
    command.arg(tool).args(FEATURES).args(["-Oz", "--strip-debug"]).arg(module).arg("-o").arg(&smaller);
    process::run(&mut command)?;
    std::fs::rename(&smaller, module).context("cannot replace the module by its optimised form")
}

fn install() -> Result<PathBuf> {
    let folder = project::tools().join(format!("binaryen-{VERSION}"));
    let tool = folder.join("node_modules/binaryen/bin/wasm-opt");
    if !tool.is_file() {
        std::fs::create_dir_all(&folder)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"])
            .arg(&folder)
            .arg(format!("binaryen@{VERSION}"))
            .stdin(Stdio::null());
        process::run(&mut npm).context("cannot install wasm-opt from npm")?;
    }
    Ok(tool)
}
