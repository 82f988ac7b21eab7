//! The console's side of the worker protocol (docs/worker-protocol.md): tokens, calls and streams.
//!
//! What a worker says comes in here and is checked here: bounded in size, in time and in shape. Nothing in here knows the fleet's rows
//! or decides what an answer means for them; that is `supervise`.

pub mod client;
#[cfg(test)]
pub mod fake;
mod frames;
pub mod token;

pub use client::{CallError, Timing, WorkerClient};
pub use frames::Frames;
pub use token::{KeyError, Keys, WorkerToken};
