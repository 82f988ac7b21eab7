//! The frontend: Rust to WebAssembly, then the JavaScript that loads it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::profile::Profile;
use crate::{binaryen, cargo, prereq, project};

/// The wasm file and its JavaScript, in a folder of their own: `muster.js`, `muster_bg.wasm` and perhaps `snippets/`.
pub struct Frontend {
    pub folder: PathBuf,
}

/// Builds the library with feature `hydrate` for the browser.
pub fn build(profile: Profile) -> Result<Frontend> {
    finish(profile, "frontend", compile)
}

/// Builds the demo without a server (feature `csr`) for the browser.
pub fn build_demo(profile: Profile) -> Result<Frontend> {
    finish(profile, "demo-frontend", compile_demo)
}

fn finish(profile: Profile, name: &str, compile: fn(Profile) -> Result<PathBuf>) -> Result<Frontend> {
    versions_agree()?;
    prereq::wasm_target()?;
    let module = compile(profile)?;
    let folder = project::root().join("target").join(name).join(profile.wasm());
    bind(&module, &folder, profile)?;
    if profile == Profile::Release {
        binaryen::optimise(&folder.join("muster_bg.wasm"))?;
    }
    Ok(Frontend { folder })
}

/// `cargo rustc --crate-type cdylib` rather than a `crate-type` in `Cargo.toml`: natively nobody wants a shared library, and linking one
/// costs time in every build of the server.
fn compile(profile: Profile) -> Result<PathBuf> {
    let mut command = cargo::cargo();
    command.args(["rustc", "--lib", "--crate-type", "cdylib", "--target", prereq::WASM_TARGET]);
    command.args(["--no-default-features", "--features", "hydrate", "--profile", profile.wasm()]);
    cargo::artifacts(&mut command, "muster", "cdylib")?
        .into_iter()
        .find(|file| file.extension().is_some_and(|it| it == "wasm"))
        .context("cargo built no wasm file")
}

fn compile_demo(profile: Profile) -> Result<PathBuf> {
    let mut command = cargo::cargo();
    command.args(["build", "--bin", "muster-demo", "--target", prereq::WASM_TARGET]);
    command.args(["--no-default-features", "--features", "csr", "--profile", profile.wasm()]);
    cargo::artifacts(&mut command, "muster-demo", "bin")?
        .into_iter()
        .find(|file| file.extension().is_some_and(|it| it == "wasm"))
        .context("cargo built no wasm file")
}

fn bind(module: &Path, folder: &Path, profile: Profile) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .out_name("muster")
        .web(true)?
        .typescript(false)
        // File names carry a hash of their content, so the page names the wasm file itself.
        .omit_default_module_path(true)
        .remove_name_section(profile == Profile::Release)
        .remove_producers_section(profile == Profile::Release);
    bindgen.generate(folder).with_context(|| format!("wasm-bindgen refuses {}", module.display()))
}

/// `wasm-bindgen` in the frontend and the one in this tool speak a private format that changes between versions.
fn versions_agree() -> Result<()> {
    let frontend = project::locked_version("wasm-bindgen")?;
    let tool = project::locked_version("wasm-bindgen-cli-support")?;
    if frontend != tool {
        bail!(
            "Cargo.lock has wasm-bindgen {frontend} and wasm-bindgen-cli-support {tool}, and they must be equal: \
             set the same `=` version in Cargo.toml and xtask/Cargo.toml"
        );
    }
    Ok(())
}
