//! The server.

pub mod clock;
pub mod providers;
pub mod storage;
pub mod supervise;
pub mod workers;
