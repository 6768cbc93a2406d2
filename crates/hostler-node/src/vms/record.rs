//! What the ledger remembers of one VM.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use hostler_core::Generation;
use hostler_core::id::{SnapshotId, VmId};
use hostler_core::vm::{RollbackDone, VmDone, VmGoal, VmHeld, VmSize};
use hostler_core::workload::OnNodeLoss;
use hostler_wire::node_api::VmOrder;
use serde::{Deserialize, Serialize};

/// Who ordered a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// The control plane.
    Fleet,
    /// Somebody who asked this node; the control plane may adopt it.
    Local,
}

/// Everything known of one VM, tombstones included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VmRecord {
    /// Which.
    pub(crate) id: VmId,
    /// The highest generation it was ordered with.
    pub(crate) generation: Generation,
    /// What was ordered then.
    pub(crate) goal: VmGoal,
    /// Who ordered it.
    pub(crate) origin: Origin,
    /// How; absent in a tombstone.
    pub(crate) order: Option<VmOrder>,
    /// What was done.
    #[serde(default)]
    pub(crate) done: VmDone,
    /// Whether the end of the lease switched it off.
    #[serde(default)]
    pub(crate) fenced: bool,
    /// Why it was given up.
    #[serde(default)]
    pub(crate) failed: Option<String>,
    /// The start of the machine during which it was last seen on.
    #[serde(default)]
    pub(crate) boot: Option<String>,
    /// Size and devices that it was started with.
    #[serde(default)]
    pub(crate) started: Option<(VmSize, u64)>,
    /// When each snapshot was taken, or why it was not.
    #[serde(default)]
    pub(crate) snapshots: BTreeMap<SnapshotId, SnapshotNote>,
    /// The newest rollback that ended.
    #[serde(default)]
    pub(crate) rollback: Option<RollbackDone>,
}

/// What is remembered of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SnapshotNote {
    /// When it was seen to be there.
    #[serde(default)]
    pub(crate) taken_at: Option<DateTime<Utc>>,
    /// Why it could not be taken.
    #[serde(default)]
    pub(crate) problem: Option<String>,
}

impl VmRecord {
    /// A VM that nobody has ordered: older than any order.
    pub(crate) fn unknown(id: VmId) -> Self {
        Self {
            id,
            generation: Generation::new(0),
            goal: VmGoal::Gone,
            origin: Origin::Fleet,
            order: None,
            done: VmDone::default(),
            fenced: false,
            failed: None,
            boot: None,
            started: None,
            snapshots: BTreeMap::new(),
            rollback: None,
        }
    }

    /// What an order is compared with.
    pub(crate) fn held(&self) -> VmHeld {
        VmHeld {
            generation: self.generation,
            goal: self.goal,
            fenced: self.fenced,
        }
    }

    /// Whether the node's lease binds it.
    pub(crate) fn is_bound(&self) -> bool {
        let order = self.order.as_ref();
        order.is_some_and(|order| order.on_node_loss == OnNodeLoss::Restart)
    }

    /// Nothing is left of it: a tombstone.
    pub(crate) fn bury(&mut self) {
        *self = Self {
            generation: self.generation,
            origin: self.origin,
            ..Self::unknown(self.id)
        };
    }
}
