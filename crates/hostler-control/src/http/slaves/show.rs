//! A node as the API shows it: facts from the store, status from silence.

use hostler_core::Timestamp;
use hostler_core::node::{Timing, availability, node_status};
use hostler_store::NodeRow;
use hostler_wire::rest;

use hostler_wire::convert::datetime;

/// The tag in which a heartbeat's disk size is kept.
pub(super) const DISK_TAG: &str = "hostler.disk-gb";

/// The node, as seen at `now`.
pub(super) fn show_node(row: NodeRow, now: Timestamp, timing: &Timing) -> rest::Node {
    let facts = row.facts;
    let status = node_status(
        availability(facts.last_heard, now, timing),
        facts.scheduling,
    );
    let disk = facts.labels.get(DISK_TAG).and_then(|gb| gb.parse().ok());
    rest::Node {
        id: facts.id,
        name: row.name.to_string(),
        hostname: row.hostname,
        port: row.port,
        status,
        scheduling: facts.scheduling,
        created_at: datetime(row.created_at),
        last_heartbeat: facts.last_heard.map(datetime),
        total_cpu: facts.capacity.cpu.as_millis() / 1_000,
        total_mem: facts.capacity.memory.get() >> 20,
        total_disk: disk.unwrap_or_default(),
        capacity: facts.capacity.into(),
        reserved: facts.reserved.into(),
        slots: facts.slots,
        seated: facts.seated,
        labels: facts.labels,
        version: row.version,
        unclaimed: serde_json::from_value(row.unclaimed).unwrap_or_default(),
    }
}
