//! The slots of a node from outside: with agents that are tasks of the test
//! (`fake`), and with the real agent program in processes (`process`). The
//! inner `nats-server` is real in both.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where something is not as it must be"
)]

mod fake;
mod guest;
mod process;
mod support;
