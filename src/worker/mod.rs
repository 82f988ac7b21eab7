//! The worker's side.

pub mod protocol;
