//! The agent: runs on a host, dials in, reports what the host is like, and runs the commands that its owner allowed.

pub mod protocol;
pub mod wire;
