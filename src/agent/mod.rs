//! The agent: runs on a host, dials in, reports what the host is like, and runs the commands that its owner allowed.
//!
//! What lives here: [`protocol`], what is said; [`wire`], the connection; `config` and `state`, what its owner wrote and what it keeps;
//! `metrics` and `checks`, what the host is like; `spool`, a command on disk (its record, its output, its end); `runner`, the process that
//! runs one and outlives the agent; `commands`, those that it holds; `session`, one connection from `register` to its end; `service`, the
//! program. What may come in: names of commands from a console that took the host's token. What must not: programs, arguments or
//! paths from it, and a shell.

mod checks;
mod commands;
mod config;
mod feed;
mod metrics;
pub mod protocol;
mod runner;
mod service;
mod session;
mod spool;
mod state;
mod tool;
pub mod wire;

pub use runner::{RunnerArgs, run as run_runner};
pub use service::{Args, run};
