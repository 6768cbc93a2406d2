//! The slots of a node from outside: with agents that are tasks of the test
//! (`fake`), with the real agent program in processes (`process`), and with it in
//! guests (`qemu`). The inner `nats-server` is real in all of them.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where something is not as it must be"
)]

mod fake;
mod guest;
#[path = "../kit/mod.rs"]
mod kit;
mod process;
mod qemu;
mod support;
