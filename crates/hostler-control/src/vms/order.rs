//! What a node is told of a VM, from the rows as they are now, and what it
//! says, as the store takes it.

use hostler_core::Generation;
use hostler_core::Timestamp;
use hostler_core::node::Timing;
use hostler_core::vm::{VmGoal, VmStep, vm_next_step};
use hostler_core::workload::SeatView;
use hostler_store::{NodeRow, SnapshotSeen, StoreError, VmRow, VmSeenEntry};
use hostler_wire::convert::timestamp;
use hostler_wire::node_api::{Rollback, Seed, SnapshotOrder, VmEnsure, VmEntry, VmOrder};

use super::Shape;
use crate::nodes::Order;
use crate::state::App;

/// What a node is to be told.
pub(super) type Told = (Generation, VmGoal);

/// What to tell the node about the VM now; `None` when there is nothing.
pub(super) fn decide(
    order: Order,
    node: &NodeRow,
    row: Option<&VmRow>,
    (now, timing): (Timestamp, &Timing),
) -> Option<Told> {
    let seated = row.filter(|row| row.facts.seat == Some(node.facts.id));
    let view = SeatView::of(&node.facts, now, timing);
    match (order, seated) {
        (Order::Retire(generation), None) => {
            let known = row.map_or(generation, |row| row.facts.generation);
            Some((generation.max(known), VmGoal::Gone))
        }
        (Order::Step, Some(row)) => match vm_next_step(&row.facts, Some(view)) {
            VmStep::Ensure(_) => Some((row.facts.generation, row.facts.goal)),
            _ => None,
        },
        (Order::Again, Some(row)) => view
            .reachable
            .then_some((row.facts.generation, row.facts.goal)),
        // Seated there again since, or not there any more.
        (Order::Retire(_), Some(_)) | (Order::Step | Order::Again, None) => None,
    }
}

/// The body of an order.
pub(super) async fn ensure(
    app: &App,
    node: &NodeRow,
    row: Option<&VmRow>,
    (generation, goal): Told,
) -> Result<VmEnsure, StoreError> {
    let order = match row.filter(|_| goal != VmGoal::Gone) {
        Some(row) => Some(vm_order(app, row).await?),
        None => None,
    };
    Ok(VmEnsure {
        generation,
        goal,
        heartbeat: node.beat,
        order,
    })
}

/// Everything that is wanted of a VM.
async fn vm_order(app: &App, row: &VmRow) -> Result<VmOrder, StoreError> {
    let id = row.facts.id;
    let shape = Shape::of(row);
    let seed = app.store.vm_seed(id).await?.unwrap_or_default();
    let seed: Seed = serde_json::from_value(seed).unwrap_or_default();
    let snapshots = app.store.vm_snapshots(&[id]).await?;
    let wanted = snapshots.into_iter().filter(|snapshot| snapshot.is_wanted);
    Ok(VmOrder {
        project: row.spec.project.to_string(),
        name: row.spec.name.to_string(),
        size: row.spec.size,
        firmware: shape.firmware,
        root: shape.root,
        disks: shape.disks,
        nics: shape.nics,
        seed,
        autostart: shape.autostart,
        on_node_loss: row.spec.on_node_loss,
        stop_deadline_ms: if shape.is_forced {
            0
        } else {
            shape.stop_deadline_ms
        },
        reboots: row.reboots,
        snapshots: wanted
            .map(|snapshot| SnapshotOrder {
                id: snapshot.id,
                memory: snapshot.memory,
            })
            .collect(),
        rollback: row.rollback.map(|(number, to)| Rollback { number, to }),
    })
}

/// An entry of a node's ledger of VMs, as the store takes it.
pub(crate) fn seen_entry(entry: VmEntry) -> VmSeenEntry {
    let snapshots = entry.snapshots.iter().map(|snapshot| SnapshotSeen {
        id: snapshot.id,
        state: snapshot.state,
        taken_at: snapshot.taken_at.map(timestamp),
        problem: snapshot.problem.clone(),
    });
    VmSeenEntry {
        id: entry.id,
        generation: entry.generation,
        state: entry.state,
        problem: entry.problem.clone(),
        snapshots: snapshots.collect(),
        details: serde_json::to_value(entry).unwrap_or_default(),
    }
}
