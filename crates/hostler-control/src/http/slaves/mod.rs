//! `/slaves`: the machines of the fleet. Users manage them, a node registers
//! itself with a join token and then says every few seconds what it holds.

mod heartbeat;
mod manage;
mod nats;
mod register;
mod remove;
mod show;
mod vm_ledger;

pub(crate) use heartbeat::*;
pub(crate) use manage::*;
pub(crate) use nats::*;
pub(crate) use register::*;
pub(crate) use remove::*;
