//! `muster export` and `muster import`: over the API, with the credentials of an administrator, so that open pages see it and the log tells
//! of it.

use super::{FleetFile, NotAFleet, file::MAX_BYTES};
use crate::swarm::{Console, ConsoleError, Credentials, CredentialsError};
use clap::Args;
use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// The console, and who asks it.
#[derive(Clone, Debug, Args)]
pub struct Where {
    /// The console's address.
    #[arg(long, env = "MUSTER_CONSOLE", default_value = "http://127.0.0.1:3000")]
    console: String,

    /// A file that only its owner can read, with an administrator's email address on its first line and the password on its second. Without
    /// it MUSTER_SWARM_EMAIL and MUSTER_SWARM_PASSWORD.
    #[arg(long, env = "MUSTER_CREDENTIALS")]
    credentials: Option<PathBuf>,
}

/// Write the fleet to one file: clusters, projects, workers' records, nets with their definitions, rules for events. No machines, hosts,
/// users, secrets or history (docs/operating.md).
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    console: Where,

    /// The file to write; one that is there is replaced, once the export is whole. Without it: standard output.
    file: Option<PathBuf>,
}

/// Read a file that `muster export` wrote into a console that was just set up. It is imported whole or not at all.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    #[command(flatten)]
    console: Where,

    /// The file to read; - is standard input.
    file: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error(transparent)]
    Console(#[from] ConsoleError),
    #[error("the console answered with something that is no export: {0}")]
    NotAnExport(serde_json::Error),
    #[error(transparent)]
    NotAFleet(#[from] NotAFleet),
    #[error("{path}: {cause}")]
    File { path: PathBuf, cause: io::Error },
    #[error("{0} is larger than {mib} MiB, which is the most that is taken", mib = MAX_BYTES >> 20)]
    TooLarge(PathBuf),
    #[error("{0}")]
    Io(#[from] io::Error),
}

async fn sign_in(to: &Where) -> Result<Console, TransferError> {
    let credentials = Credentials::find(to.credentials.as_deref())?;
    Ok(Console::sign_in(&to.console, credentials).await?)
}

pub async fn export(args: ExportArgs) -> Result<(), TransferError> {
    let console = sign_in(&args.console).await?;
    let answer = console.get("/api/export").await?;
    let file: FleetFile = serde_json::from_value(answer).map_err(TransferError::NotAnExport)?;
    let text = file.to_text();
    match &args.file {
        None => io::stdout().lock().write_all(text.as_bytes())?,
        Some(path) => {
            replace(path, &text).map_err(|cause| TransferError::File { path: path.clone(), cause })?;
        }
    }
    Ok(())
}

/// An export that breaks off leaves the one that was there.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = fs::File::create(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(part, path)
}

pub async fn import(args: ImportArgs) -> Result<(), TransferError> {
    let failed = |cause| TransferError::File { path: args.file.clone(), cause };
    let mut bytes = Vec::new();
    let most = MAX_BYTES as u64 + 1;
    match args.file.as_os_str() == "-" {
        true => io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(failed)?,
        false => fs::File::open(&args.file)
            .and_then(|file| file.take(most).read_to_end(&mut bytes))
            .map_err(failed)?,
    };
    if bytes.len() > MAX_BYTES {
        return Err(TransferError::TooLarge(args.file));
    }
    // What is wrong with the file is said before anybody is asked, with the line it is in.
    let file = FleetFile::read(&bytes)?;
    file.check()?;
    let console = sign_in(&args.console).await?;
    let body = serde_json::to_value(&file).map_err(TransferError::NotAnExport)?;
    let done = console.post("/api/import", body).await?;
    writeln!(io::stdout().lock(), "{}", done["message"].as_str().unwrap_or("Imported."))?;
    Ok(())
}
