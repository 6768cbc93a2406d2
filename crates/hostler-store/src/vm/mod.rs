//! VMs: what was asked for, the seat each was given, and what the node there
//! said last.
//!
//! One writer per column, as with workloads: owners write what is wanted, the
//! scheduler writes the seat, nodes write what is seen. Every change of what
//! is wanted raises the generation, names and protection included, so that a
//! decision on an older row is always refused. Room is taken and given back in
//! the transaction that makes the difference: disk with the seat, processor
//! and memory with the goal. What makes a project's usage grow holds the project's row first,
//! as everything does that makes something for a project.
//!
//! What must never happen: a seat without its room, room without its seat, a
//! password or a user's data in clear in a column.

mod adopt;
mod change;
mod erase;
mod insert;
mod list;
mod room;
pub(crate) mod row;
mod seat;
mod seen;
mod snapshot;
mod unseat;

pub use adopt::VmAdoption;

use hostler_core::access::Usage;
use hostler_core::id::{ImageId, NodeId, SnapshotId, VmId};
use hostler_core::vm::{DiskOnLoss, SnapshotState, VmFacts, VmGoal, VmRoom, VmSeenState, VmSize};
use hostler_core::workload::OnNodeLoss;
use hostler_core::{Bytes, Generation, Labels, Name, Timestamp};
use serde_json::Value;

use crate::{Limits, QuotaExceeded, StoreError};

/// What an owner says of a VM, beside its goal.
#[derive(Clone, Debug, PartialEq)]
pub struct VmSpec {
    /// Its project.
    pub project: Name,
    /// Its name, unique in its project.
    pub name: Name,
    /// Keys and values for others to select by.
    pub labels: Labels,
    /// Where it may run, as its owner wrote it.
    pub rules: Value,
    /// The only node it may sit on.
    pub pinned: Option<NodeId>,
    /// What it may use.
    pub size: VmSize,
    /// Bytes of its further disks.
    pub extra_disk: Bytes,
    /// The image its first disk is made from.
    pub image: Option<ImageId>,
    /// The rest of its order: firmware, disks, network cards and so on.
    pub shape: Value,
    /// What to do when its node is lost.
    pub on_node_loss: OnNodeLoss,
    /// What to do when its disk is lost.
    pub disk_on_loss: DiskOnLoss,
    /// Text for people.
    pub description: String,
    /// Whether deleting it is refused.
    pub is_protected: bool,
}

/// A VM to be made.
#[derive(Clone)]
pub struct NewVm {
    /// What it is.
    pub spec: VmSpec,
    /// What its guest is told; sealed, and never part of a [`VmRow`].
    pub seed: Value,
    /// What its owner wants at first.
    pub goal: VmGoal,
}

impl std::fmt::Debug for NewVm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewVm")
            .field("spec", &self.spec)
            .field("goal", &self.goal)
            .finish_non_exhaustive()
    }
}

/// A VM, as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct VmRow {
    /// What decisions are made of.
    pub facts: VmFacts,
    /// What it is.
    pub spec: VmSpec,
    /// How often a reboot was asked for.
    pub reboots: u64,
    /// The number of the newest rollback asked for, and where to.
    pub rollback: Option<(u64, SnapshotId)>,
    /// What its node last said, in full.
    pub seen: Option<VmSeenReport>,
    /// Why it waits for a seat, in words.
    pub reason: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl VmRow {
    /// What its seat takes, or would take.
    pub fn room(&self) -> VmRoom {
        VmRoom::of(self.facts.goal, self.spec.size, self.spec.extra_disk)
    }

    /// What it counts for in its project's quota.
    pub fn usage(&self) -> Usage {
        Usage::of_vm(self.room(), self.facts.trashed_at.is_some())
    }
}

/// A node's last word about a VM, with the particulars.
#[derive(Clone, Debug, PartialEq)]
pub struct VmSeenReport {
    /// The generation it speaks of.
    pub generation: Generation,
    /// What it says.
    pub state: VmSeenState,
    /// The rest of it, as the node wrote it.
    pub details: Value,
    /// When the node said so.
    pub at: Timestamp,
}

/// One entry of what a node says it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct VmSeenEntry {
    /// The VM.
    pub id: VmId,
    /// The generation it speaks of.
    pub generation: Generation,
    /// What it says.
    pub state: VmSeenState,
    /// What is wrong with it.
    pub problem: Option<String>,
    /// The rest of it, the problem included, as the node wrote it.
    pub details: Value,
    /// Its snapshots.
    pub snapshots: Vec<SnapshotSeen>,
}

/// What a node says of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotSeen {
    /// Which.
    pub id: SnapshotId,
    /// How far it is.
    pub state: SnapshotState,
    /// When it was taken.
    pub taken_at: Option<Timestamp>,
    /// Why it could not be taken.
    pub problem: Option<String>,
}

/// A snapshot, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRow {
    /// Its id.
    pub id: SnapshotId,
    /// Its VM.
    pub vm: VmId,
    /// Its name, unique among those of its VM.
    pub name: Name,
    /// Whether it is to hold the guest's memory.
    pub memory: bool,
    /// Whether it should be there; if not, it is until its node has removed it.
    pub is_wanted: bool,
    /// How far it is.
    pub state: SnapshotState,
    /// Why it could not be taken.
    pub problem: Option<String>,
    /// When it was taken.
    pub taken_at: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// A snapshot to be taken.
#[derive(Clone, Debug)]
pub struct NewSnapshot {
    /// Of which VM.
    pub vm: VmId,
    /// The generation the decision was made on.
    pub expected: Generation,
    /// Its name.
    pub name: Name,
    /// With the guest's memory, if it runs then.
    pub memory: bool,
}

/// What came of an insert.
#[derive(Clone, Debug, PartialEq)]
pub enum VmInserted {
    /// It was made now.
    New(VmRow),
    /// The same request made it before.
    Replayed(VmRow),
}

/// Why a VM was not made.
#[derive(Debug, thiserror::Error)]
pub enum VmInsertError {
    /// Another VM of the project has this name.
    #[error("the project '{project}' has a VM named '{name}' already")]
    NameTaken {
        /// The project.
        project: Name,
        /// The name.
        name: Name,
    },
    /// The project would have more than it may.
    #[error(transparent)]
    QuotaExceeded(#[from] QuotaExceeded),
    /// The project has no such image any more.
    #[error("the project '{0}' has no such image any more")]
    ImageGone(Name),
    /// The key was used for another request.
    #[error("the idempotency key '{key}' was used for another request")]
    KeyReused {
        /// The key.
        key: String,
    },
    /// The same request was carried out, and what it made is gone since.
    #[error("there was a VM {0}, which was deleted since")]
    Erased(VmId),
    /// The node it should be on is not registered any more.
    #[error("there is no node {0} any more")]
    NodeGone(NodeId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which VMs to list; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct VmFilter {
    /// Only this project's.
    pub project: Option<Name>,
    /// Only of this name.
    pub name: Option<Name>,
    /// Only seated on this node.
    pub node: Option<NodeId>,
    /// Only those in the trash, or only the others.
    pub trashed: Option<bool>,
}

/// A seat to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VmSeat {
    /// The VM.
    pub vm: VmId,
    /// The generation the decision was made on.
    pub expected: Generation,
    /// The node chosen.
    pub node: NodeId,
    /// How far that node may be filled; its disk never further than it goes.
    pub limits: Limits,
}

/// A seat to be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VmUnseat<'a> {
    /// The VM.
    pub vm: VmId,
    /// The generation the decision was made on.
    pub expected: Generation,
    /// The node it sits on.
    pub node: NodeId,
    /// What must still be so of that node.
    pub provided: crate::UnseatIf,
    /// Why, for the event.
    pub why: &'a str,
}

/// What is to be wanted of a VM from now on; what is `None` stays. Done only
/// if the VM still is of the generation that was looked at.
#[derive(Clone, Debug, Default)]
pub struct VmChange {
    /// What is done, for the event: `vm.` and this word.
    pub kind: &'static str,
    /// The goal.
    pub goal: Option<VmGoal>,
    /// Into the trash, or out of it.
    pub trashed_at: Option<Option<Timestamp>>,
    /// The name.
    pub name: Option<Name>,
    /// The labels, as a whole.
    pub labels: Option<Labels>,
    /// The size.
    pub size: Option<VmSize>,
    /// What to do when its node is lost.
    pub on_node_loss: Option<OnNodeLoss>,
    /// What to do when its disk is lost.
    pub disk_on_loss: Option<DiskOnLoss>,
    /// Text for people.
    pub description: Option<String>,
    /// Whether deleting it is refused.
    pub is_protected: Option<bool>,
    /// The rest of its order, as a whole.
    pub shape: Option<Value>,
    /// Reboot once more.
    pub reboot: bool,
    /// Go back to this snapshot.
    pub rollback_to: Option<SnapshotId>,
    /// How far its node may be filled, if it needs more room there.
    pub limits: Limits,
}

/// What came of a change.
#[derive(Clone, Debug, PartialEq)]
pub enum VmChanged {
    /// Done; the VM as it is now.
    Changed(Box<VmRow>),
    /// Its node has no room for that much more.
    NoRoom,
    /// Its project would have more than it may.
    QuotaExceeded(QuotaExceeded),
    /// Another VM of the project has that name.
    NameTaken,
    /// The VM is gone or has changed since the decision: look again.
    Stale,
}
