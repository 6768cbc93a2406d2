//! Between the control plane and a node, over HTTP with `X-Slave-Token` in
//! both directions.
//!
//! The control plane says `PUT /workloads/{id}` with an [`Ensure`]; the node
//! answers with an [`Entry`]. The node says `POST /slaves/heartbeat` with a
//! [`Heartbeat`] that carries its whole ledger, tombstones included. VMs go the
//! same way, by `PUT /vms/{id}` with a [`VmEnsure`].

mod vm;

use std::collections::BTreeMap;

use hostler_core::Generation;
use hostler_core::id::{VmId, WorkloadId};
use hostler_core::node::Beat;
use hostler_core::workload::{Kind, NodeGoal, OnNodeLoss, SeenState};
use serde::{Deserialize, Serialize};

pub use vm::{
    Disk, DiskSource, FirewallRule, Network, Nic, Progress, Protocol, Rollback, Seed,
    SnapshotEntry, SnapshotOrder, UnclaimedVm, VmDefinition, VmEnsure, VmEntry, VmOrder,
};

use crate::rest::Resources;

/// The header that carries a node's key, in both directions (seed, 5).
pub const TOKEN_HEADER: &str = "x-slave-token";

/// What a node needs to run a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its project and namespace.
    pub project: String,
    /// Its name.
    pub name: String,
    /// What kind of artifact it is.
    pub kind: Kind,
    /// SHA-256 of the artifact, in lower-case hex.
    pub artifact: String,
    /// Size of the artifact in bytes.
    pub artifact_size: u64,
    /// Arguments after the program's name.
    #[serde(default)]
    pub argv: Vec<String>,
    /// Its whole environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Subjects that trigger it.
    #[serde(default)]
    pub triggers: Vec<String>,
    /// Whether it is started again when it fails.
    pub essential: bool,
    /// What it may use.
    pub resources: Resources,
    /// How many processes it may have.
    pub pids: u32,
    /// Whether the node's lease binds it.
    pub on_node_loss: OnNodeLoss,
    /// Text for people.
    #[serde(default)]
    pub description: String,
}

/// `PUT /workloads/{id}` on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ensure {
    /// The generation of this order; an older one than the node holds is refused.
    pub generation: Generation,
    /// What is wanted.
    pub goal: NodeGoal,
    /// The newest heartbeat of this node that was known when this was decided,
    /// read together with the row. An order to run without one, or with an old
    /// one, is not followed (409, code `stale`); an order to drop always is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Beat>,
    /// How, when it should run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
}

/// What a node holds of one workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The workload.
    pub id: WorkloadId,
    /// The highest generation the node was told.
    pub generation: Generation,
    /// `absent` is a tombstone.
    pub state: SeenState,
    /// The slot it runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<String>,
    /// How often it was started again in a row.
    #[serde(default)]
    pub restarts: u32,
    /// What is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Work on a node that did not come from the control plane: deployed over NATS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unclaimed {
    /// Its slot, which is its id on the NATS control API.
    pub slot: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What it may use; the control plane gives this room to nobody.
    pub resources: Resources,
}

/// `POST /slaves/heartbeat`. The first six are the seed's; a heartbeat with
/// only them is accepted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Processors, whole.
    pub total_cpu: u64,
    /// Memory in MB.
    pub total_mem: u64,
    /// Disk in GB.
    pub total_disk: u64,
    /// Processors free.
    #[serde(default)]
    pub available_cpu: f64,
    /// Memory free, in MB.
    #[serde(default)]
    pub available_mem: f64,
    /// Disk free, in GB.
    #[serde(default)]
    pub available_disk: f64,
    /// Everything below; absent from a client that knows only the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

/// What our nodes add to the seed's heartbeat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// This start of the daemon, and the number of this heartbeat in it; an
    /// older one that arrives late is ignored.
    #[serde(flatten)]
    pub beat: Beat,
    /// Milliseconds without an answer after which this node stops leased work,
    /// as it has it on disk; absent: never. The control plane moves no work
    /// before the node has named a span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence_after_ms: Option<u64>,
    /// The node's version.
    pub version: String,
    /// What the machine has for work.
    pub capacity: Resources,
    /// How many workloads it may hold.
    pub slots: u32,
    /// Tags it found out about itself, such as `nex.arch`.
    pub tags: BTreeMap<String, String>,
    /// The whole ledger, tombstones included.
    pub ledger: Vec<Entry>,
    /// Work the control plane did not order.
    pub unclaimed: Vec<Unclaimed>,
    /// Bytes that the node gives to the disks of VMs; zero: it holds no VMs.
    #[serde(default)]
    pub vm_disk_bytes: u64,
    /// The whole ledger of VMs, tombstones included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vms: Vec<VmEntry>,
    /// Machines and disks of the node that nobody here ordered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unclaimed_vms: Vec<UnclaimedVm>,
}

/// The answer to a heartbeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatReply {
    /// Milliseconds until the next heartbeat is wanted.
    pub heartbeat_ms: u64,
    /// Milliseconds without an answer after which the node must stop leased
    /// work by itself; absent: never. The node says in its next report that it
    /// will, once that is on its disk, and never takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence_after_ms: Option<u64>,
    /// Tombstones the control plane no longer needs the node to keep.
    #[serde(default)]
    pub forget: Vec<(WorkloadId, Generation)>,
    /// The same, for VMs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forget_vms: Vec<(VmId, Generation)>,
}

/// `GET /host/info` on a node (seed, slave API).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostInfo {
    /// Processors, whole.
    pub cpu_count: u64,
    /// One-minute load average.
    pub load: f64,
    /// Bytes of memory.
    pub memory_total: u64,
    /// Bytes of memory free for use.
    pub memory_available: u64,
    /// Bytes of disk where the node keeps its data.
    pub disk_total: u64,
    /// Bytes of disk free there.
    pub disk_available: u64,
}
