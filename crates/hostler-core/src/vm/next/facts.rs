//! What the next act depends on, and what it can be. Plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::SnapshotId;
use crate::vm::VmGoal;

/// How far a VM's present life is, by the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Life {
    /// Not started.
    #[default]
    Off,
    /// A start has begun and was not seen to succeed.
    Starting,
    /// Was seen on.
    On,
    /// Is being ended by us.
    Ending,
    /// Was on, and then seen off without our doing.
    Left,
}

/// Whether a machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Power {
    /// Not in memory.
    Off,
    /// Running.
    Running,
    /// In memory, standing still.
    Paused,
}

/// A disk that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskFact {
    /// Its name, unique within its VM.
    pub name: String,
    /// At least this large.
    pub bytes: u64,
    /// Whether it is made from an image.
    pub needs_image: bool,
}

/// What is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmWanted {
    /// In a word.
    pub goal: VmGoal,
    /// Its disks, in order.
    pub disks: Vec<DiskFact>,
    /// Stands for everything that its definition says; another number is
    /// another definition.
    pub definition: u64,
    /// How long a guest may take to shut down.
    pub stop_deadline: Duration,
    /// Whether it is started after a start of its machine without being told.
    pub autostart: bool,
    /// How many reboots were asked for.
    pub reboots: u64,
    /// Which snapshots there should be.
    pub snapshots: Vec<SnapshotId>,
    /// The newest rollback: its number, and where to.
    pub rollback: Option<(u64, SnapshotId)>,
}

/// What the ledger says was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmDone {
    /// Names of disks that were made.
    #[serde(default)]
    pub disks: BTreeSet<String>,
    /// The definition that the hypervisor took.
    #[serde(default)]
    pub defined: Option<u64>,
    /// How far its life is.
    #[serde(default)]
    pub life: Life,
    /// Reboots done, or begun.
    #[serde(default)]
    pub reboots: u64,
    /// The newest rollback that has begun.
    #[serde(default)]
    pub rollback_begun: u64,
    /// The newest rollback that has ended.
    #[serde(default)]
    pub rollback_ended: u64,
    /// Snapshots that were seen.
    #[serde(default)]
    pub snapshots_taken: BTreeSet<SnapshotId>,
    /// Snapshots that could not be taken, and are not tried again.
    #[serde(default)]
    pub snapshots_failed: BTreeSet<SnapshotId>,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The machine, if it is defined.
    pub power: Option<Power>,
    /// Whether the image is at hand.
    pub image: bool,
    /// Disks by name, with their sizes.
    pub disks: BTreeMap<String, u64>,
    /// Whether any file of it is left.
    pub files: bool,
    /// Snapshots that can be gone back to.
    pub snapshots: BTreeSet<SnapshotId>,
}

impl Shown {
    /// Whether it is in memory.
    pub fn is_on(&self) -> bool {
        matches!(self.power, Some(Power::Running | Power::Paused))
    }
}

/// A shutdown under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopping {
    /// Since when.
    pub since: Duration,
    /// When the guest was last asked.
    pub asked: Option<Duration>,
}

/// Everything that the next act depends on.
#[derive(Clone, Copy, Debug)]
pub struct VmNow<'a> {
    /// What is ordered.
    pub wanted: &'a VmWanted,
    /// What was done.
    pub done: &'a VmDone,
    /// What was seen; nothing if the hypervisor does not answer.
    pub shown: Option<&'a Shown>,
    /// Whether the lease forbids it to run, or has ended it.
    pub fenced: bool,
    /// Whether it was given up.
    pub failed: bool,
    /// Whether it was last seen on before the machine under it was started.
    pub other_boot: bool,
    /// The shutdown under way.
    pub stopping: Option<Stopping>,
    /// The present moment.
    pub now: Duration,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nothing, until something changes.
    Rest,
    /// Nothing before this moment.
    Wait(Duration),
    /// See what the hypervisor has.
    Look,
    /// Write something down.
    Note(Note),
    /// Get the image.
    FetchImage,
    /// Make a disk.
    MakeDisk(String),
    /// Make a disk as large as ordered.
    GrowDisk(String),
    /// Tell the hypervisor what the machine is, by the definition of this number.
    Define(u64),
    /// Start it.
    Start,
    /// Ask the guest to shut down.
    ShutDown,
    /// Switch it off.
    Off,
    /// Have its processors stand still.
    Pause,
    /// Have them go on.
    Resume,
    /// Take a snapshot.
    TakeSnapshot(SnapshotId),
    /// Remove a snapshot.
    RemoveSnapshot(SnapshotId),
    /// Go back to a snapshot, by the rollback of this number.
    RollBack(u64, SnapshotId),
    /// Remove it with all its files.
    Remove,
    /// Give it up, for this reason.
    GiveUp(String),
}

/// What is to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Its life is this far.
    Life(Life),
    /// A reboot of this number begins.
    Reboot(u64),
    /// Reboots up to this number need no doing.
    RebootSkipped(u64),
    /// A disk was made.
    DiskMade(String),
    /// A snapshot is there.
    SnapshotTaken(SnapshotId),
    /// A rollback begins.
    RollbackBegun(u64),
    /// A rollback has nowhere to go.
    RollbackRefused(u64),
}
