//! What fake machines are, and how they are told to fail.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hostler_core::id::{SnapshotId, VmId};
use hostler_core::vm::{Power, VmSize};
use serde::{Deserialize, Serialize};

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Call {
    /// A look at all machines.
    Look,
    /// A definition.
    Define,
    /// A start.
    Start,
    /// A request to shut down.
    ShutDown,
    /// Switching off.
    Off,
    /// Holding.
    Pause,
    /// Going on.
    Resume,
    /// Taking a snapshot.
    Take,
    /// Removing a snapshot.
    Drop,
    /// Going back to a snapshot.
    Back,
    /// Having a machine see its disk grow.
    GrowLive,
    /// Forgetting a machine.
    Remove,
    /// Making a disk.
    MakeDisk,
    /// Growing a disk.
    GrowDisk,
    /// A look at a machine's files.
    LookFiles,
    /// Removing a machine's files.
    RemoveFiles,
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// Nothing happens, and it says so.
    Fail,
    /// Nothing happens, and nothing ever will.
    Refuse,
    /// Nothing happens, and it never ends.
    Hang,
    /// It happens, and says that it did not.
    LoseAnswer,
}

/// A machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Guest {
    pub(super) power: Power,
    pub(super) starts: u64,
    /// What it was started with.
    pub(super) size: Option<VmSize>,
    /// What it is defined as.
    pub(super) defined: VmSize,
    pub(super) snapshots: BTreeMap<SnapshotId, Snapshot>,
}

/// A moment of a machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub(super) power: Power,
    pub(super) disks: BTreeMap<String, Disk>,
}

/// A disk, with a number for all that is on it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Disk {
    pub(super) bytes: u64,
    pub(super) content: u64,
}

/// All there is.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) guests: BTreeMap<VmId, Guest>,
    pub(super) disks: BTreeMap<VmId, BTreeMap<String, Disk>>,
    #[serde(default)]
    pub(super) deaf: BTreeSet<VmId>,
    #[serde(default)]
    pub(super) strangers: Vec<String>,
    #[serde(skip)]
    pub(super) calls: Vec<(Call, VmId)>,
    #[serde(skip)]
    pub(super) faults: BTreeMap<Call, VecDeque<Fault>>,
}

impl State {
    /// How this call goes wrong, if it does.
    pub(super) fn fault(&mut self, call: Call, vm: VmId) -> Option<Fault> {
        if !matches!(call, Call::Look | Call::LookFiles) {
            self.calls.push((call, vm));
        }
        self.faults.get_mut(&call)?.pop_front()
    }
}
