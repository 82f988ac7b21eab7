//! A console and workers it did not make: a swarm of them in a process of their own, and one by hand.

#[allow(dead_code, reason = "each test binary uses its part")]
#[path = "../faults/harness.rs"]
mod harness;

mod external;
mod swarm;
