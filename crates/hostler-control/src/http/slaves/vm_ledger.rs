//! What a node's ledger of VMs comes to, as for workloads.

use std::collections::BTreeMap;

use hostler_core::id::{NodeId, VmId, WorkloadId};
use hostler_core::vm::{VmSeenState, VmSize, vm_claim, vm_is_missing, vm_wants_forgotten};
use hostler_core::workload::Claim;
use hostler_core::{Bytes, Cpu, Generation, Resources, Timestamp};
use hostler_store::{HeartbeatOrder, StoreError, Tombstone, VmRow, VmSeenEntry};
use hostler_wire::node_api::{UnclaimedVm, VmEntry};

use crate::passes::Stray;
use crate::state::App;
use crate::vms::seen_entry;

/// What the entries come to.
#[derive(Default)]
pub(super) struct VmLedger {
    seen: Vec<VmSeenEntry>,
    strays: Vec<(WorkloadId, Stray)>,
    /// Erased VMs that the node still holds.
    needed: Vec<WorkloadId>,
    pub(super) forget: Vec<(VmId, Generation)>,
    /// What the node was ordered by somebody, and nobody here remembers.
    pub(super) orphans: Vec<UnclaimedVm>,
}

impl VmLedger {
    /// Claims every entry, by what the store says now.
    pub(super) async fn look(
        app: &App,
        node: NodeId,
        entries: &[VmEntry],
    ) -> Result<Self, StoreError> {
        let ids: Vec<VmId> = entries.iter().map(|entry| entry.id).collect();
        let rows = app.store.vm_many(&ids).await?;
        let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.facts.id, row)).collect();
        let erased = |id: &&VmId| !rows.contains_key(*id);
        let erased: Vec<_> = ids.iter().filter(erased).copied().collect();
        let graves = app.store.vm_tombstones(&erased).await?;
        let graves: BTreeMap<_, _> = graves.into_iter().map(|grave| (grave.id, grave)).collect();
        let mut ledger = Self::default();
        for entry in entries {
            let grave = graves.get(&key(entry.id));
            ledger.sort(node, entry, rows.get(&entry.id), grave);
        }
        let seated = app.store.vm_on_node(&[node]).await?;
        ledger.strays.extend(missing(entries, &seated));
        Ok(ledger)
    }

    fn sort(
        &mut self,
        node: NodeId,
        entry: &VmEntry,
        row: Option<&VmRow>,
        grave: Option<&Tombstone>,
    ) {
        let facts = row.map(|row| &row.facts);
        if entry.state == VmSeenState::Absent && vm_wants_forgotten(node, facts) {
            self.forget.push((entry.id, entry.generation));
            return;
        }
        let buried = grave.map(|grave| grave.generation);
        match vm_claim(node, entry.generation, facts, buried) {
            Claim::Seated => self.seen.push(seen_entry(entry.clone())),
            Claim::Retire(generation) => {
                self.needed.extend(grave.map(|grave| grave.id));
                self.strays.push((key(entry.id), Stray::Retire(generation)));
            }
            // Of another control plane, or of this one before its database was
            // brought back from a copy: listed, and left alone.
            Claim::Unclaimed => self.orphans.push(orphan(entry)),
        }
    }

    /// Writes down what is seen; whether passes should look.
    pub(super) async fn write(
        &mut self,
        app: &App,
        (node, order): (NodeId, HeartbeatOrder),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let turned = app
            .store
            .vm_seen(now, node, &self.seen, Some(order))
            .await?;
        app.store.tombstone_needed(now, &self.needed).await?;
        let strays = app.vm_strays.note(node, std::mem::take(&mut self.strays));
        if strays || !turned.is_empty() {
            app.passes.wake();
        }
        Ok(())
    }
}

fn key(vm: VmId) -> WorkloadId {
    WorkloadId::from_uuid(vm.uuid())
}

/// VMs that were seen on the node and are missing in its ledger.
fn missing<'a>(
    entries: &[VmEntry],
    seated: &'a [VmRow],
) -> impl Iterator<Item = (WorkloadId, Stray)> + use<'a> {
    let listed = entries.iter().map(|entry| (entry.id, entry.generation));
    let listed: BTreeMap<VmId, Generation> = listed.collect();
    seated
        .iter()
        .filter(move |row| vm_is_missing(&row.facts, listed.get(&row.facts.id).copied()))
        .map(|row| (key(row.facts.id), Stray::Missing(row.facts.generation)))
}

/// What is known of a machine by its entry alone.
fn orphan(entry: &VmEntry) -> UnclaimedVm {
    let told = ("ordered_by".to_owned(), "another control plane".to_owned());
    UnclaimedVm {
        name: entry.id.to_string(),
        uuid: Some(entry.id.to_string()),
        id: Some(entry.id),
        generation: Some(entry.generation),
        running: matches!(
            entry.state,
            VmSeenState::Running | VmSeenState::Paused | VmSeenState::Stopping
        ),
        size: entry.size.unwrap_or(VmSize {
            cpus: 0,
            memory: Bytes::new(0),
            disk: Bytes::new(entry.disk_used),
        }),
        details: [told].into(),
    }
}

/// The processor and memory that machines take which nobody here ordered.
pub(super) fn unclaimed_room(machines: &[UnclaimedVm]) -> Resources {
    let running = machines.iter().filter(|machine| machine.running);
    let room = running.map(|machine| Resources {
        cpu: Cpu::cores(machine.size.cpus.into()),
        memory: Bytes::new(machine.size.memory.get()),
    });
    room.fold(Resources::default(), Resources::plus)
}
