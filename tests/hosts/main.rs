//! A console and five hosts, all of them real: `muster serve`, five `muster agent`, repositories made with git, and the processes of their
//! commands. What is asked is asked through the API, what is seen is seen there.
//!
//! No test sleeps: each waits for what it wants to see, with a deadline.
#![cfg(all(feature = "ssr", unix))]

#[allow(dead_code, reason = "each test binary uses its part")]
#[path = "../faults/harness.rs"]
mod harness;
#[allow(dead_code, reason = "each test binary uses its part")]
#[path = "../agent/repository.rs"]
mod repository;

mod cancelling;
mod compartments;
mod console;
mod deaths;
mod machine;
mod output;
mod pipelines;
mod proxy;
mod tokens;
