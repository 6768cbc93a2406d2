//! The scheduler's fleet, filled from the store.

use std::collections::BTreeMap;

use hostler_core::id::{NodeId, VmId, WorkloadId};
use hostler_core::placement::{Fleet, Place, Rules, Unit};
use hostler_core::{Bytes, Resources};
use hostler_store::{NodeRow, StoreError, VmFilter, VmRow, WorkloadFilter, WorkloadRow};

use crate::state::App;

/// How many rows are read at once.
pub(super) const PAGE: u64 = 1_000;

/// A fleet as the store has it now, for one question.
pub(crate) struct Loaded {
    pub(crate) fleet: Fleet,
    pub(crate) names: BTreeMap<NodeId, String>,
}

/// Reads everything the scheduler looks at.
pub(crate) async fn load_fleet(app: &App) -> Result<Loaded, StoreError> {
    let nodes = app.store.node_list().await?;
    let names = nodes.iter().map(|row| (row.facts.id, row.name.to_string()));
    let names = names.collect();
    let mut fleet = Fleet::new(app.placing.policy, app.placing.overcommits.clone());
    for node in &nodes {
        put_node(app, &mut fleet, node);
    }
    seat_all(app, &mut fleet).await?;
    Ok(Loaded { fleet, names })
}

/// Takes in a node, and the room of VMs and of unclaimed work there.
pub(super) fn put_node(app: &App, fleet: &mut Fleet, node: &NodeRow) {
    let facts = &node.facts;
    fleet.node_put(Place {
        id: facts.id,
        capacity: facts.capacity,
        slots: facts.slots,
        disk: Bytes::default(),
        labels: facts.labels.clone(),
        open: facts.takes_seats(app.now(), &app.timing),
    });
    fleet.room_clear(facts.id);
    fleet.room_hold(facts.id, node.vms.resources, Bytes::default());
    // One call takes a slot; the first takes all the room, the others none.
    for number in 0..node.unclaimed_slots {
        let room = if number == 0 {
            node.unclaimed_room
        } else {
            Resources::default()
        };
        fleet.room_take(facts.id, room);
    }
}

/// Everything the scheduler looks at for VMs.
pub(crate) async fn load_vm_fleet(app: &App) -> Result<Loaded, StoreError> {
    let nodes = app.store.node_list().await?;
    let names = nodes.iter().map(|row| (row.facts.id, row.name.to_string()));
    let names = names.collect();
    let fleet = vm_fleet(app, nodes.iter()).await?;
    Ok(Loaded { fleet, names })
}

/// The fleet as VMs see it: with disks, without slots, and with the room that
/// workloads and unclaimed work take as taken.
pub(super) async fn vm_fleet(
    app: &App,
    nodes: impl Iterator<Item = &NodeRow>,
) -> Result<Fleet, StoreError> {
    let mut fleet = Fleet::new(app.placing.policy, app.placing.overcommits.clone());
    for node in nodes {
        let facts = &node.facts;
        let mut labels = facts.labels.clone();
        labels.insert(NODE_LABEL.to_owned(), facts.id.to_string());
        fleet.node_put(Place {
            id: facts.id,
            capacity: facts.capacity,
            slots: u32::MAX,
            disk: node.vm_disk,
            labels,
            open: facts.takes_seats(app.now(), &app.timing),
        });
        let others = facts.reserved.minus(node.vms.resources);
        fleet.room_hold(facts.id, others, Bytes::default());
    }
    vm_seat_all(app, &mut fleet).await?;
    Ok(fleet)
}

async fn vm_seat_all(app: &App, fleet: &mut Fleet) -> Result<(), StoreError> {
    let all = VmFilter::default();
    let mut after: Option<VmId> = None;
    loop {
        let rows = app.store.vm_list(&all, after, PAGE).await?;
        for row in &rows {
            if let Some(node) = row.facts.seat {
                fleet.unit_seat(&vm_unit(row), node);
            }
        }
        match rows.last() {
            Some(last) if rows.len() as u64 == PAGE => after = Some(last.facts.id),
            _ => return Ok(()),
        }
    }
}

/// The label by which a VM is held to one node.
const NODE_LABEL: &str = "hostler.node-id";

/// The VM as the scheduler sees it.
pub(crate) fn vm_unit(row: &VmRow) -> Unit {
    let mut rules: Rules = serde_json::from_value(row.spec.rules.clone()).unwrap_or_default();
    if let Some(node) = row.spec.pinned {
        rules
            .node_labels
            .insert(NODE_LABEL.to_owned(), node.to_string());
    }
    let room = row.room();
    Unit {
        id: WorkloadId::from_uuid(row.facts.id.uuid()),
        project: row.spec.project.clone(),
        resources: room.resources,
        disk: room.disk,
        labels: row.spec.labels.clone(),
        rules,
    }
}

/// Seats everything that has a seat.
pub(super) async fn seat_all(app: &App, fleet: &mut Fleet) -> Result<(), StoreError> {
    let all = WorkloadFilter::default();
    let mut after: Option<WorkloadId> = None;
    loop {
        let rows = app.store.workload_list(&all, after, PAGE).await?;
        for row in &rows {
            if let Some(node) = row.facts.seat {
                fleet.unit_seat(&unit_of(row), node);
            }
        }
        match rows.last() {
            Some(last) if rows.len() as u64 == PAGE => after = Some(last.facts.id),
            _ => return Ok(()),
        }
    }
}

/// The workload as the scheduler sees it. Rules that cannot be read any more
/// bind nothing.
pub(crate) fn unit_of(row: &WorkloadRow) -> Unit {
    let rules: Rules = serde_json::from_value(row.spec.rules.clone()).unwrap_or_default();
    Unit {
        id: row.facts.id,
        project: row.spec.project.clone(),
        resources: row.spec.resources,
        disk: Bytes::default(),
        labels: row.spec.labels.clone(),
        rules,
    }
}
