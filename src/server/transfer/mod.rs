//! The fleet as one file: `muster export` writes it, `muster import` reads it into a console that has nothing yet.
//!
//! [`file`] is the format and what must hold of it, [`import`] the one transaction that makes it so, [`command`] the command line. What is in
//! the file is what operators decided: clusters, projects with their quotas, workers' records, nets with their definitions and assignments,
//! the rules for events. What is not: machines, what is loaded and runs (the file cannot bring them along), hosts (a host is its agent and
//! a token), users and members, secrets, and history.

pub mod command;
pub mod file;
pub mod import;
#[cfg(test)]
mod tests;

pub use file::{FleetFile, NotAFleet};
