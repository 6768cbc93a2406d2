//! The passes: what the control plane does by itself, without being asked.
//!
//! | Pass | What it sees to |
//! |---|---|
//! | [`Workloads`] | every workload is as wanted: seated, ordered, cleared, erased |
//! | [`Vms`] | every VM is as wanted, and the trash is emptied |
//! | [`StrayPass`] | what heartbeats remarked: entries to drop, work that was lost |
//! | [`Nodes`] | silence is noticed |
//! | [`NodeKeys`] | whoever keeps the control NATS knows the nodes' keys |
//! | [`Operations`] | drains and removals go on |
//! | [`Scaling`] | the fleet has as many machines as its work needs |
//! | [`Housekeeping`] | what nobody needs is thrown away |
//! | [`crate::logs::LogStream`] | the stream of logs is there |

mod fleet;
mod framework;
mod housekeeping;
mod lease;
mod node_keys;
mod nodes;
mod operations;
mod scaling;
mod stray;
mod strays;
mod vms;
mod workloads;

pub(crate) use fleet::{load_fleet, load_vm_fleet, unit_of, vm_unit};
pub(crate) use framework::{Outcome, Pass, PassError, Passes};
pub(crate) use housekeeping::Housekeeping;
pub(crate) use lease::holder_name;
pub(crate) use node_keys::NodeKeys;
pub(crate) use nodes::Nodes;
pub(crate) use operations::Operations;
pub(crate) use scaling::Scaling;
pub(crate) use stray::StrayPass;
pub(crate) use strays::{Stray, Strays};
pub(crate) use vms::{Vms, limits_of};
pub(crate) use workloads::Workloads;
