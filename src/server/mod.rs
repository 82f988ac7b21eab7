//! The server.

pub mod assets;
pub mod clock;
pub mod storage;
