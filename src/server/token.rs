//! `muster token`: what whoever starts a worker by hand must hand to it.

use super::workers::{KeyError, Keys};
use crate::model::WorkerId;
use clap::{Args, Subcommand};
use std::{
    io::{self, Write},
    path::PathBuf,
};

/// Print a token, on the console's machine.
#[derive(Debug, Args)]
pub struct TokenArgs {
    #[command(subcommand)]
    of: Of,
}

#[derive(Debug, Subcommand)]
enum Of {
    /// The token of a worker that you run yourself (provider external): its process reads it from MUSTER_WORKER_TOKEN.
    Worker {
        /// The id of the worker's record; its page shows it.
        id: WorkerId,
        /// Directory of the console, where its key is.
        #[arg(long, env = "MUSTER_DATA", default_value = "data")]
        data: PathBuf,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the token could not be printed: {0}")]
    Print(#[from] io::Error),
}

/// Prints the token on standard output, and nothing else.
pub fn token(args: TokenArgs) -> Result<(), TokenError> {
    let Of::Worker { id, data } = args.of;
    let token = Keys::existing(&data)?.worker_token(id);
    writeln!(io::stdout().lock(), "{}", token.as_str())?;
    Ok(())
}
