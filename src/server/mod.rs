//! The server.

pub mod clock;
pub mod storage;
