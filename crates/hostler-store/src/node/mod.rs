//! Nodes: the fleet's machines, what they say of themselves, and what their
//! seats have taken.
//!
//! `reserved_*` and `seated` are written by seating and unseating only, in
//! the transaction that moves the workload; a heartbeat never touches them.

mod heartbeat;
mod list;
mod nats;
mod register;
mod remove;
pub(crate) mod row;
pub(crate) mod update;

use hostler_core::id::{BootId, NodeId};
use hostler_core::node::{Beat, NodeFacts, Scheduling, StillSeated};
use hostler_core::runner::RunnerId;
use hostler_core::vm::VmRoom;
use hostler_core::{Bytes, Labels, Name, Resources, Timestamp};
use serde_json::Value;

use crate::{Secret, StoreError};

/// A node, as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeRow {
    /// What decisions are made of. `reserved` and `seated` count what is taken:
    /// seats and unclaimed work. `labels` are its tags under its operator's labels.
    pub facts: NodeFacts,
    /// Its name, unique in the fleet.
    pub name: Name,
    /// The runner whose machine it is, if it is one's.
    pub runner: Option<RunnerId>,
    /// Where it can be reached: an address or host name.
    pub hostname: String,
    /// The port of its API.
    pub port: u16,
    /// The version it runs; empty until it was heard.
    pub version: String,
    /// What it found out about itself.
    pub tags: Labels,
    /// What its operator says of it.
    pub labels: Labels,
    /// Work found there that the control plane did not order, as reported.
    pub unclaimed: Value,
    /// Bytes it gives to the disks of VMs; none: it holds no VMs.
    pub vm_disk: Bytes,
    /// What the VMs seated there have taken.
    pub vms: VmRoom,
    /// Machines found there that the control plane did not order, as reported.
    pub unclaimed_vms: Value,
    /// What that work takes; given to nobody else.
    pub unclaimed_room: Resources,
    /// How many slots it takes.
    pub unclaimed_slots: u32,
    /// The start of its daemon that was last heard.
    pub boot: Option<BootId>,
    /// The heartbeat that was last heard, for orders to name.
    pub beat: Option<Beat>,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// A node to be registered.
#[derive(Clone, Debug)]
pub struct NewNode {
    /// Its name, unique in the fleet.
    pub name: Name,
    /// The runner whose machine it is, if it is one's.
    pub runner: Option<RunnerId>,
    /// Where it can be reached.
    pub hostname: String,
    /// The port of its API.
    pub port: u16,
    /// Its operator's labels.
    pub labels: Labels,
    /// The secret that both sides will present; kept as a digest to be found
    /// by, and sealed to be presented to the node.
    pub key: Secret,
}

/// What came of a registration.
#[derive(Clone, Debug)]
pub struct NodeRegistration {
    /// The node.
    pub node: NodeRow,
    /// Whether it is one only since then: one that registers again with its own
    /// key, because the answer was lost, is the node that it was.
    pub is_new: bool,
}

/// What an operator may change of a node; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct NodeChange {
    /// Whether it takes new work.
    pub scheduling: Option<Scheduling>,
    /// Its operator's labels, as a whole.
    pub labels: Option<Labels>,
}

/// What a heartbeat says of the node itself.
#[derive(Clone, Debug)]
pub struct NodeReport {
    /// This start of its daemon.
    pub boot: BootId,
    /// Counts up within a boot.
    pub sequence: u64,
    /// The version it runs.
    pub version: String,
    /// What the machine has for work.
    pub capacity: Resources,
    /// How many workloads it may hold.
    pub slots: u32,
    /// What it found out about itself.
    pub tags: Labels,
    /// Work that the control plane did not order.
    pub unclaimed: Value,
    /// What that work takes.
    pub unclaimed_room: Resources,
    /// How many slots it takes.
    pub unclaimed_slots: u32,
    /// Bytes it gives to the disks of VMs.
    pub vm_disk: Bytes,
    /// Machines that the control plane did not order, a list.
    pub unclaimed_vms: Value,
    /// Until when the answer grants the node its work.
    pub lease_until: Timestamp,
}

/// What became of a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeartbeatOutcome {
    /// Written down.
    Accepted,
    /// Older than one that was heard already; nothing was changed.
    Stale,
    /// No such node is registered.
    Unknown,
}

/// Why a node was not registered.
#[derive(Debug, thiserror::Error)]
pub enum NodeRegisterError {
    /// Another node has this name.
    #[error("a node named '{0}' is registered already")]
    NameTaken(Name),
    /// The join token is unknown, expired or used up.
    #[error("the join token is unknown, expired or used up")]
    JoinRefused,
    /// No job answers for the runner, or it is being given back for good.
    #[error("runner {0} is not wanted: no job asked for it, or it is being given back")]
    Unwanted(RunnerId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a node was not removed.
#[derive(Debug, thiserror::Error)]
pub enum NodeLeaveError {
    /// Something sits there.
    #[error(transparent)]
    Seated(#[from] StillSeated),
    /// VMs have their disks there.
    #[error("{0} VMs have their disks there")]
    Vms(u64),
    /// No such node is registered.
    #[error("no node {0} is registered")]
    Unknown(NodeId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
