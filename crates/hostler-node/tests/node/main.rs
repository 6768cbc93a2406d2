//! The whole node from outside, above agents that are tasks of the test: a
//! real control NATS with `JetStream`, a real inner `nats-server`, and a
//! control plane that is a few lines of the test.

mod deploys;
mod events;
mod fences;
mod fleet;
mod garbage;
mod lame_ducks;
mod looks;
mod restarts;
mod stops;
mod support;
mod triggers;
