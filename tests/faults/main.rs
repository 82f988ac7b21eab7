//! Faults for real: the binary, sockets, signals, and replicas that follow it over HTTP.
//!
//! `MUSTER_ROUNDS` sets how often the kill loop kills (5 without it). Figures are printed; see them with `--no-capture`.

mod harness;
mod headers;
mod kill_loop;
mod limits;
mod reads_nothing;
mod replica;
mod shutdown;
