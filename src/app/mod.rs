//! The console's user interface.

pub mod error;
pub mod snapshot;
