//! The agent as a console meets it: the real binary, real git repositories, real processes, and a console made of a WebSocket.
//!
//! No test sleeps: each waits for what it wants to see, with a deadline.
#![cfg(all(feature = "ssr", unix))]

mod checks;
mod commands;
mod console;
mod host;
mod refusals;
mod repository;
mod survival;
