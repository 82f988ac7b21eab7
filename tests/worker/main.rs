//! The worker process as a console meets it: the real binary, real sockets.
//!
//! No test sleeps: each waits for what it wants to see, with a deadline.
#![cfg(feature = "ssr")]

mod commands;
mod ending;
mod harness;
mod labs;
mod loading;
mod shared_nets;
mod streams;
