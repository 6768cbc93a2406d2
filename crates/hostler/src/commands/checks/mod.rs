//! Whether this machine can be what it is to be: one list of things to look at,
//! and two views of it. `hostler node doctor` asks for VMs of users and changes
//! nothing; `hostler node preflight` asks for a node that runs work, and mends
//! what can be mended, after it has asked.

mod doctor;
mod finding;
mod list;
mod machine;
mod mend;
mod nats;
mod preflight;
mod sandbox;

use std::path::PathBuf;

use hostler_node::{MachineConfig, NatsOptions};

use crate::args::Programs;

pub(super) use doctor::doctor;
pub(crate) use preflight::preflight;

/// What is looked at, and with what in mind.
struct Ground {
    /// Where the node would keep everything.
    data: PathBuf,
    /// What the node is told.
    config: MachineConfig,
    /// The control NATS; absent: a node's control plane will name it.
    nats: Option<NatsOptions>,
    programs: Programs,
    /// A folder with what may be missing.
    from: Option<PathBuf>,
}
