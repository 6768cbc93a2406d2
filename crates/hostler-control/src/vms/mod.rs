//! VMs as this process handles them, beside rows and requests: what the rest
//! of an order looks like in its column, orders to nodes, open consoles.

mod calls;
mod order;
mod sessions;
mod shape;

pub(crate) use calls::VmCalls;
pub(crate) use order::seen_entry;
pub(crate) use sessions::Sessions;
pub(crate) use shape::Shape;
