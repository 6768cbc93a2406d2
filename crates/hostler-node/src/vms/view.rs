//! What there is to see of the VMs of this node. Published by the tasks that
//! own them, read by everybody else without waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hostler_core::id::VmId;
use hostler_core::vm::{VmSeenState, VmSize};
use hostler_wire::node_api::{UnclaimedVm, VmEntry};

use super::eyes::Seen;
use crate::hypervisor::machines::{Sight, Usage};
use hostler_core::vm::Power;

/// One VM, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmView {
    /// What the node says of it.
    pub entry: VmEntry,
    /// Whether it is the node's own, which the control plane may adopt.
    pub is_local: bool,
    /// Its name.
    pub name: String,
    /// What it may use.
    pub size: Option<VmSize>,
    /// Images that it needs; nothing while that is not known.
    pub images: Option<BTreeSet<String>>,
    /// What it uses.
    pub usage: Option<Usage>,
}

/// All VMs of this node.
#[derive(Clone, Debug, Default)]
pub struct VmRoster {
    /// Those of the ledger, tombstones included.
    pub views: BTreeMap<VmId, Arc<VmView>>,
    /// Machines that nobody here ordered.
    pub strangers: Vec<UnclaimedVm>,
}

impl VmRoster {
    /// What the control plane ordered.
    pub fn entries(&self) -> Vec<VmEntry> {
        let fleet = self.views.values().filter(|view| !view.is_local);
        fleet.map(|view| view.entry.clone()).collect()
    }

    /// Images that any of them needs; nothing while that is not known of each.
    pub fn images(&self) -> Option<BTreeSet<String>> {
        let each = self.views.values().map(|view| view.images.clone());
        let all: Option<Vec<_>> = each.collect();
        all.map(|all| all.into_iter().flatten().collect())
    }

    /// What it did not.
    pub fn unclaimed(&self) -> Vec<UnclaimedVm> {
        let own = self.views.values().filter_map(|view| own(view));
        own.chain(self.strangers.iter().cloned()).collect()
    }
}

fn own(view: &VmView) -> Option<UnclaimedVm> {
    let here = view.is_local && view.entry.state != VmSeenState::Absent;
    let running = matches!(
        view.entry.state,
        VmSeenState::Running | VmSeenState::Paused | VmSeenState::Stopping
    );
    let size = view.size.filter(|_| here)?;
    Some(UnclaimedVm {
        name: view.name.clone(),
        uuid: Some(view.entry.id.to_string()),
        id: Some(view.entry.id),
        generation: Some(view.entry.generation),
        running,
        size,
        details: [("made_by".to_owned(), "this node".to_owned())].into(),
    })
}

/// Machines that are not ours, or that are and the ledger does not know.
pub(super) fn unclaimed(seen: &Seen, known: &BTreeSet<VmId>) -> Vec<UnclaimedVm> {
    let lost = seen.ours.iter().filter(|(vm, _)| !known.contains(vm));
    let lost = lost.map(|(_, sight)| sight);
    lost.chain(&seen.others).map(stranger).collect()
}

fn stranger(sight: &Sight) -> UnclaimedVm {
    UnclaimedVm {
        name: sight.name.clone(),
        uuid: sight.uuid.clone(),
        id: sight.vm,
        generation: None,
        running: sight.power != Power::Off,
        size: sight.size,
        details: sight.details.clone(),
    }
}
