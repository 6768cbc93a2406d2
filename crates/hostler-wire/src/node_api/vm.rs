//! VMs between the control plane and a node.
//!
//! The control plane tells the whole of what is wanted ([`VmOrder`]) and never
//! a change to it; the node answers and reports the whole of what it sees
//! ([`VmEntry`]). Images travel by digest: the node fetches
//! `GET /artifacts/{digest}/content` from the control plane, with `Range`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use hostler_core::id::{SnapshotId, VmId};
use hostler_core::node::Beat;
use hostler_core::vm::{
    Firmware, RollbackDone, SnapshotState, VmGoal, VmSeenState, VmSize, WantsRestart,
};
use hostler_core::workload::OnNodeLoss;
use hostler_core::{Bytes, Generation};
use serde::{Deserialize, Serialize};

/// `PUT /vms/{id}` on a node. Answered with a [`VmEntry`], at once: what takes
/// long is seen in later answers and heartbeats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmEnsure {
    /// The generation of this order; an older one than the node holds is refused.
    pub generation: Generation,
    /// What is wanted.
    pub goal: VmGoal,
    /// As in [`super::Ensure`]: an order that may start a VM or make its disks
    /// is followed only if it names a young heartbeat of this boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Beat>,
    /// How, for every goal but *gone*.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<VmOrder>,
}

/// `GET /vms/{id}/definition` on a node: what a machine of ours is, whoever
/// ordered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmDefinition {
    /// The highest generation the node was told; zero if it was told of none.
    pub generation: Generation,
    /// What it does.
    pub goal: VmGoal,
    /// By what it was made.
    pub order: VmOrder,
}

/// Everything that is wanted of a VM, beside its goal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmOrder {
    /// Its project.
    pub project: String,
    /// Its name, for people; may change at any time.
    pub name: String,
    /// What it may use.
    #[serde(flatten)]
    pub size: VmSize,
    /// What starts its system.
    #[serde(default)]
    pub firmware: Firmware,
    /// What its first disk is made from, once.
    pub root: DiskSource,
    /// Further disks, empty at first.
    #[serde(default)]
    pub disks: Vec<Disk>,
    /// Its network cards, in order.
    pub nics: Vec<Nic>,
    /// What the guest is told at its first start.
    pub seed: Seed,
    /// Whether the node starts it after the node's own start without being told.
    pub autostart: bool,
    /// Whether the node's lease binds it.
    pub on_node_loss: OnNodeLoss,
    /// Milliseconds a guest has to shut down before it is switched off; zero
    /// switches it off at once.
    pub stop_deadline_ms: u64,
    /// How often a reboot was asked for; only grows.
    #[serde(default)]
    pub reboots: u64,
    /// The snapshots it should have; others of ours are removed.
    #[serde(default)]
    pub snapshots: Vec<SnapshotOrder>,
    /// The newest rollback asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
}

/// What a disk is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "from")]
pub enum DiskSource {
    /// A layer over an image.
    Image {
        /// SHA-256 of the image file, in lower-case hex.
        digest: String,
        /// Its size in bytes, as a file.
        bytes: u64,
        /// `qcow2` or `raw`.
        format: String,
    },
    /// A copy of the first disk of another VM on the same node, as it is then.
    Clone {
        /// Which.
        vm: VmId,
    },
    /// Nothing.
    Blank,
}

/// A further disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Its name, unique within its VM.
    pub name: String,
    /// Its size; never shrinks.
    pub size: Bytes,
}

/// A network card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nic {
    /// What it is connected to.
    #[serde(flatten)]
    pub network: Network,
    /// Its hardware address, `52:54:00:` and three bytes of the control
    /// plane's choice.
    pub mac: String,
    /// What may come in; absent: everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incoming: Option<Vec<FirewallRule>>,
}

/// What a network card is connected to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "network")]
pub enum Network {
    /// The node's own network behind address translation.
    Nat,
    /// A bridge that the node's administrator made.
    Bridge {
        /// The name of its interface.
        bridge: String,
    },
}

/// Something that may come in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirewallRule {
    /// Of which kind.
    pub protocol: Protocol,
    /// The first port; absent for ICMP and for all ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_port: Option<u16>,
    /// The last port; the first if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_port: Option<u16>,
    /// The network it comes from, such as `10.0.0.0/8`; any if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP, of the version of the address.
    Icmp,
}

/// What the guest is told (cloud-init, `NoCloud`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed {
    /// Its host name.
    pub hostname: String,
    /// The user to make or to use; the image's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Public keys that may log in as this user.
    #[serde(default)]
    pub ssh_keys: Vec<String>,
    /// The user's password as `crypt(3)` writes it; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
    /// More user data, merged after ours: a `#cloud-config` or a script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_data: Option<String>,
    /// A network configuration of version 2, as YAML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_config: Option<String>,
    /// The keyboard, such as `de`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyboard: Option<String>,
}

/// A snapshot that a VM should have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotOrder {
    /// Which.
    pub id: SnapshotId,
    /// With the guest's memory, if it runs then.
    pub memory: bool,
}

/// Going back to a snapshot, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// Which rollback of this VM this is; only grows.
    pub number: u64,
    /// Where to.
    pub to: SnapshotId,
}

/// What a node holds of one VM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmEntry {
    /// The VM.
    pub id: VmId,
    /// The highest generation the node was told.
    pub generation: Generation,
    /// `absent` is a tombstone.
    pub state: VmSeenState,
    /// What it was ordered to have; absent when it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<VmSize>,
    /// What is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What it is busy with, while it is *preparing*.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Addresses the guest or its network's DHCP server told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
    /// Bytes its disks take on the node.
    #[serde(default)]
    pub disk_used: u64,
    /// What it takes over only at its next start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wants_restart: Vec<WantsRestart>,
    /// How often it was rebooted, as ordered.
    #[serde(default)]
    pub reboots: u64,
    /// Its snapshots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<SnapshotEntry>,
    /// The newest rollback that ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<RollbackDone>,
}

/// How far something long is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done, in a few words.
    pub what: String,
    /// Bytes done.
    pub done: u64,
    /// Bytes in all; zero if not known.
    pub total: u64,
}

/// A snapshot on the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotEntry {
    /// Which.
    pub id: SnapshotId,
    /// How far it is.
    pub state: SnapshotState,
    /// When it was taken, by the node's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<DateTime<Utc>>,
    /// Why it could not be taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A machine on the node that nobody here ordered. It is never touched unless
/// somebody asks for it by this name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnclaimedVm {
    /// What its hypervisor calls it, or the name of its folder.
    pub name: String,
    /// Its UUID there, if it is defined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Which VM it is, if it carries our mark; only then can it be adopted, or
    /// removed from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<VmId>,
    /// The highest generation the node was told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
    /// Whether it runs.
    pub running: bool,
    /// What it has.
    #[serde(flatten)]
    pub size: VmSize,
    /// Its real definition: disks by path, networks, firmware.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}
