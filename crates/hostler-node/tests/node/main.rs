//! The whole node from outside, above agents that are tasks of the test, and once
//! above real guests: a
//! real control NATS with `JetStream`, a real inner `nats-server`, and a
//! control plane that is a few lines of the test.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is not as it must be"
)]

mod deploys;
mod deploys_late;
mod events;
mod fences;
mod fleet;
mod garbage;
mod guests;
mod hostile;
#[path = "../kit/mod.rs"]
mod kit;
mod lame_ducks;
mod leases;
mod looks;
mod restarts;
mod stops;
mod support;
mod triggers;
mod vms;
