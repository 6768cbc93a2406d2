//! A VM as the API shows it. Its status is computed; what its guest was told
//! is not shown.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hostler_core::id::NodeId;
use hostler_core::node::availability;
use hostler_core::vm::{SeatSight, VmStatus, vm_status};
use hostler_store::{NodeRow, StoreError, VmRow, VmSeenReport};
use hostler_wire::convert::datetime;
use hostler_wire::node_api::{Network, Nic, VmEntry};
use hostler_wire::rest;

use crate::state::App;
use crate::vms::Shape;

const GIB: u64 = 1 << 30;

/// What is shown of the nodes that VMs sit on.
pub(super) struct Seats(BTreeMap<NodeId, (String, SeatSight)>);

impl Seats {
    /// Of all nodes, for lists.
    pub(super) async fn all(app: &App) -> Result<Self, StoreError> {
        Ok(Self::of(app, app.store.node_list().await?))
    }

    /// Of the one node that this VM sits on.
    pub(super) async fn of_one(app: &App, row: &VmRow) -> Result<Self, StoreError> {
        let node = match row.facts.seat {
            Some(id) => app.store.node_get(id).await?,
            None => None,
        };
        Ok(Self::of(app, node))
    }

    fn of(app: &App, rows: impl IntoIterator<Item = NodeRow>) -> Self {
        let now = app.now();
        let seat = |row: NodeRow| {
            let sight = SeatSight {
                availability: availability(row.facts.last_heard, now, &app.timing),
                is_lost: row.facts.is_lost(now, &app.timing),
            };
            (row.facts.id, (row.name.to_string(), sight))
        };
        Self(rows.into_iter().map(seat).collect())
    }

    /// The status of a VM.
    pub(super) fn status(&self, row: &VmRow) -> VmStatus {
        let seat = row.facts.seat.and_then(|id| self.0.get(&id));
        vm_status(&row.facts, seat.map(|(_, sight)| *sight))
    }

    /// The VM as it is shown.
    pub(super) fn show(&self, row: VmRow) -> rest::Vm {
        let status = self.status(&row);
        let seat = row.facts.seat.and_then(|id| self.0.get(&id));
        let shape = Shape::of(&row);
        let (facts, size, spec) = (row.facts, row.spec.size, row.spec);
        let seen = row.seen.map(seen);
        let addresses = seen.iter().flat_map(|seen| &seen.addresses);
        let ipv4 = addresses.copied().find(IpAddr::is_ipv4);
        let placement: hostler_core::placement::Rules =
            serde_json::from_value(spec.rules).unwrap_or_default();
        rest::Vm {
            id: facts.id,
            name: spec.name.to_string(),
            project: spec.project.to_string(),
            status,
            reason: reason(status, row.reason, seen.as_ref()),
            goal: facts.goal,
            generation: facts.generation.number(),
            slave_id: facts.seat,
            slave_name: seat.map(|(name, _)| name.clone()),
            seen,
            image_id: spec.image,
            os: shape.os,
            cpus: size.cpus,
            memory_bytes: size.memory.get(),
            disk_bytes: size.disk.get(),
            vcpus: size.cpus,
            mem: size.memory.get().div_ceil(GIB),
            disk_size: size.disk.get().div_ceil(GIB),
            state: word(status),
            ipv4: ipv4.map(|address| address.to_string()),
            keyboard_layout: shape.keyboard,
            firmware: shape.firmware,
            disks: shape.disks.into_iter().map(disk).collect(),
            nics: shape.nics.into_iter().map(nic).collect(),
            labels: spec.labels,
            placement: placement.into(),
            on_node_loss: spec.on_node_loss,
            disk_on_loss: spec.disk_on_loss,
            autostart: shape.autostart,
            stop_deadline_ms: shape.stop_deadline_ms,
            protected: spec.is_protected,
            trashed_at: facts.trashed_at.map(datetime),
            description: spec.description,
            created_at: datetime(row.created_at),
        }
    }
}

/// The status with a capital, as the original's users read it.
fn word(status: VmStatus) -> String {
    let text = serde_json::to_value(status).unwrap_or_default();
    let text = text.as_str().unwrap_or_default();
    let (first, rest) = text.split_at(text.len().min(1));
    format!("{}{rest}", first.to_uppercase())
}

fn disk(disk: hostler_wire::node_api::Disk) -> rest::VmDisk {
    rest::VmDisk {
        name: disk.name,
        bytes: disk.size.get(),
    }
}

fn nic(nic: Nic) -> rest::VmNic {
    rest::VmNic {
        bridge: match nic.network {
            Network::Nat => None,
            Network::Bridge { bridge } => Some(bridge),
        },
        mac: Some(nic.mac),
        incoming: nic.incoming,
    }
}

/// Why it waits, or what its node says is wrong or is busy with.
fn reason(
    status: VmStatus,
    waits: Option<String>,
    seen: Option<&rest::VmSeenInfo>,
) -> Option<String> {
    let problem = seen.and_then(|seen| seen.problem.clone());
    match status {
        VmStatus::Queued => waits,
        VmStatus::Unknown => Some("its node is silent".to_owned()),
        VmStatus::Lost => Some("its node is lost, and its disk with it".to_owned()),
        VmStatus::Preparing => problem.or_else(|| {
            let progress = seen?.progress.as_ref()?;
            Some(progress.what.clone())
        }),
        _ => problem,
    }
}

fn seen(report: VmSeenReport) -> rest::VmSeenInfo {
    let entry = serde_json::from_value::<VmEntry>(report.details).ok();
    let rollback = entry.as_ref().and_then(|entry| entry.rollback.clone());
    let mut info = rest::VmSeenInfo {
        generation: report.generation.number(),
        state: report.state,
        problem: None,
        progress: None,
        addresses: Vec::new(),
        disk_used: 0,
        wants_restart: Vec::new(),
        reboots: 0,
        rollback_problem: rollback.and_then(|done| done.problem),
        at: datetime(report.at),
    };
    if let Some(entry) = entry {
        info.problem = entry.problem;
        info.progress = entry.progress;
        info.addresses = entry.addresses;
        info.disk_used = entry.disk_used;
        info.wants_restart = entry.wants_restart;
        info.reboots = entry.reboots;
    }
    info
}
