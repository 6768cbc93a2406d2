//! The words of VMs, as they are on the wire.

use serde::{Deserialize, Serialize};

use crate::{Bytes, Generation};

/// What the owner wants of a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VmGoal {
    /// It should run.
    Running,
    /// It should be in memory, and its processors stand still.
    Paused,
    /// It should be off, and keep its disks.
    Stopped,
    /// It should be off, and its disks and all that is known of it removed.
    Gone,
}

/// How a node sees a VM that it was ordered to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VmSeenState {
    /// Not here, disks neither, by an order followed or never received; said,
    /// not inferred.
    Absent,
    /// Its image is fetched or its disks are made.
    Preparing,
    /// Defined, and being started.
    Starting,
    /// Running.
    Running,
    /// In memory, standing still.
    Paused,
    /// Asked to shut down, within its deadline.
    Stopping,
    /// Off, with its disks. Also after the guest shut itself down.
    Stopped,
    /// Given up, with a problem beside it; only a new generation tries again.
    Failed,
    /// Ended because the node's lease did: waits for a fresh order.
    Fenced,
}

/// A node's last word about a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VmSeen {
    /// The generation of the order it speaks of.
    pub generation: Generation,
    /// What it says.
    pub state: VmSeenState,
}

/// What starts a VM's system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Firmware {
    /// The BIOS of a PC.
    #[default]
    Bios,
    /// UEFI, without secure boot.
    Uefi,
}

/// What a VM may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VmSize {
    /// Virtual processors, at least one.
    pub cpus: u32,
    /// Memory.
    pub memory: Bytes,
    /// The first disk, at least as large as its image. Never shrinks.
    pub disk: Bytes,
}

/// What of its size a running VM takes over only at its next start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WantsRestart {
    /// Its processors.
    Cpus,
    /// Its memory.
    Memory,
    /// Its devices: disks, networks, firmware.
    Devices,
}

/// How far a snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SnapshotState {
    /// Wanted or being taken.
    Taking,
    /// Can be gone back to.
    Ready,
    /// Could not be taken; is not tried again.
    Failed,
}

/// The newest rollback that a node has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackDone {
    /// Its number, as ordered.
    pub number: u64,
    /// Why it was not done, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}
