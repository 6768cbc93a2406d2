//! What the control plane keeps of a VM, and what of a node it needs for it.

use serde::{Deserialize, Serialize};

use super::{VmGoal, VmSeen, VmSeenState, VmSize};
use crate::id::{NodeId, VmId};
use crate::workload::OnNodeLoss;
use crate::{Bytes, Cpu, Generation, Resources, Timestamp};

/// What becomes of a VM whose disk is lost with its node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskOnLoss {
    /// The disk is worth more than the VM: it is lost until its node returns.
    #[default]
    Keep,
    /// It may begin again from its image; what it wrote is gone then.
    Fresh,
}

/// What the control plane keeps of a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VmFacts {
    /// Its id.
    pub id: VmId,
    /// What its owner wants.
    pub goal: VmGoal,
    /// How often what is wanted or its seat have changed.
    pub generation: Generation,
    /// The node where its disk is, with room reserved there.
    pub seat: Option<NodeId>,
    /// What that node last said of it.
    pub seen: Option<VmSeen>,
    /// What to do when that node is lost.
    pub on_node_loss: OnNodeLoss,
    /// What to do when its disk is lost.
    pub disk_on_loss: DiskOnLoss,
    /// Whether it had a disk and has lost it, with its seat.
    pub is_disk_lost: bool,
    /// When it was put into the trash, if it is there.
    pub trashed_at: Option<Timestamp>,
}

impl VmFacts {
    /// The seen state, if it speaks of the present generation.
    pub fn seen_now(&self) -> Option<VmSeenState> {
        self.seen
            .filter(|seen| seen.generation == self.generation)
            .map(|seen| seen.state)
    }

    /// Whether it may begin anew elsewhere, without its disk.
    pub const fn may_begin_anew(&self) -> bool {
        matches!(self.on_node_loss, OnNodeLoss::Restart)
            && matches!(self.disk_on_loss, DiskOnLoss::Fresh)
    }

    /// Whether it must stay without a seat: its disk is gone, and nobody said
    /// that a new one will do.
    pub const fn waits_for_its_disk(&self) -> bool {
        self.is_disk_lost && matches!(self.disk_on_loss, DiskOnLoss::Keep)
    }
}

impl VmGoal {
    /// Whether a VM with this goal is in memory.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

/// What a seated VM takes of its node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VmRoom {
    /// Processor and memory, while it is in memory.
    pub resources: Resources,
    /// Disk, as long as it is seated.
    pub disk: Bytes,
}

impl VmRoom {
    /// The room of a VM of this size: its first disk, and further ones of
    /// `extra` bytes in all.
    pub fn of(goal: VmGoal, size: VmSize, extra: Bytes) -> Self {
        let active = Resources {
            cpu: Cpu::cores(size.cpus.into()),
            memory: size.memory,
        };
        Self {
            resources: if goal.is_active() {
                active
            } else {
                Resources::default()
            },
            disk: Bytes::new(size.disk.get().saturating_add(extra.get())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_is_taken_always_and_the_rest_while_it_is_in_memory() {
        let size = VmSize {
            cpus: 2,
            memory: Bytes::mib(512),
            disk: Bytes::mib(10),
        };
        let check = |goal, resources| {
            let room = VmRoom::of(goal, size, Bytes::mib(5));
            assert_eq!((room.resources, room.disk), (resources, Bytes::mib(15)));
        };
        check(VmGoal::Running, Resources::of(2_000, 512));
        check(VmGoal::Paused, Resources::of(2_000, 512));
        check(VmGoal::Stopped, Resources::default());
        check(VmGoal::Gone, Resources::default());
    }
}
