//! What the tests of this crate stand on: a control plane without a port and
//! with a clock of its own, whose passes run when a test says so; and a node
//! that obeys, remembers and says what it holds.

pub(crate) mod elf;
mod house;
mod machine;
mod nats;
mod provider;
mod request;
mod vms;

pub(crate) use house::{ADMIN, House, digest_of, eventually, on_both};
pub(crate) use machine::Machine;
pub(crate) use nats::NatsServer;
pub(crate) use provider::{Lie, Person, Provider};
pub(crate) use request::{Answer, Ask};
