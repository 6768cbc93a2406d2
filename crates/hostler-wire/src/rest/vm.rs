//! VMs: what is asked, and what is shown. Beside ours, the fields of the
//! original's API are taken and shown: `os`, `mem` and `disk_size` in GiB,
//! `vcpus`, `keyboard_layout`, `activate_at_start`, `state`, `ipv4`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use hostler_core::id::{ImageId, NodeId, VmId};
use hostler_core::vm::{DiskOnLoss, Firmware, VmGoal, VmSeenState, VmStatus, WantsRestart};
use hostler_core::workload::OnNodeLoss;
use serde::{Deserialize, Serialize};

use super::PlacementRules;
use crate::node_api::{FirewallRule, Progress};

/// A network card that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VmNic {
    /// A bridge of the node's administrator; the node's own network behind
    /// address translation if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<String>,
    /// Its hardware address; chosen if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// What may come in; absent: everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Object>>))]
    pub incoming: Option<Vec<FirewallRule>>,
}

/// A further disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VmDisk {
    /// Its name, unique within its VM.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// `POST /vms`. With an `Idempotency-Key` header, the same request sent again
/// answers the same VM; with `?dry_run=1` nothing is made.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VmCreate {
    /// Its name, unique in its project.
    pub name: String,
    /// Its project; `default` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The image of its first disk: `NAME`, `NAME:VERSION` or an id; an empty
    /// disk if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The same; also the name of the file that an image came as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// Virtual processors; 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<u32>,
    /// The same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vcpus: Option<u32>,
    /// Memory; 1 GiB if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// The same, in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mem: Option<u64>,
    /// Its first disk; as large as its image if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_bytes: Option<u64>,
    /// The same, in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_size: Option<u64>,
    /// `bios` or `uefi`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub firmware: Firmware,
    /// Further disks, empty at first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<VmDisk>,
    /// Network cards; one behind address translation if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nics: Option<Vec<VmNic>>,
    /// The guest's host name; its own name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The guest's user; the image's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Public keys that may log in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh_keys: Vec<String>,
    /// The user's password; kept as a hash only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// A `#cloud-config` or a script, merged after ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_data: Option<String>,
    /// A network configuration of version 2, as YAML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_config: Option<String>,
    /// The guest's keyboard, such as `de`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyboard: Option<String>,
    /// The same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyboard_layout: Option<String>,
    /// Keys and values for others to select by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Where it may run.
    #[serde(default)]
    pub placement: PlacementRules,
    /// The only node it may run on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub slave_id: Option<NodeId>,
    /// `wait` (for its node) or `restart` (elsewhere, after the lease); `wait`
    /// if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub on_node_loss: Option<OnNodeLoss>,
    /// `keep` or `fresh`: whether it may begin anew from its image.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub disk_on_loss: DiskOnLoss,
    /// Whether its node starts it after its own start; true if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autostart: Option<bool>,
    /// Milliseconds the guest has to shut down; 60 000 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_deadline_ms: Option<u64>,
    /// Whether deleting it is refused.
    #[serde(default)]
    pub protected: bool,
    /// Whether it is started at once; true if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activate_at_start: Option<bool>,
    /// Text for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

impl fmt::Debug for VmCreate {
    /// Without what the guest is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmCreate")
            .field("project", &self.project)
            .field("name", &self.name)
            .field("image", &self.image)
            .finish_non_exhaustive()
    }
}

/// `PATCH /vms/{id}`; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VmUpdate {
    /// Virtual processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<u32>,
    /// Memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Its first disk; never smaller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_bytes: Option<u64>,
    /// Labels, as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Whether deleting it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
    /// `wait` or `restart`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub on_node_loss: Option<OnNodeLoss>,
    /// `keep` or `fresh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub disk_on_loss: Option<DiskOnLoss>,
    /// Whether its node starts it after its own start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autostart: Option<bool>,
    /// Milliseconds the guest has to shut down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_deadline_ms: Option<u64>,
    /// Text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// `POST /vms/{id}/rename`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VmRename {
    /// Its new name.
    #[serde(default)]
    pub name: String,
}

/// `POST /vms/{id}/duplicate`; also without a body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VmDuplicate {
    /// The clone's name; made from the original's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A node's last word about a VM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VmSeenInfo {
    /// The generation it speaks of.
    pub generation: u64,
    /// What it says.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: VmSeenState,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What its node is busy with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub progress: Option<Progress>,
    /// Addresses of the guest.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub addresses: Vec<IpAddr>,
    /// Bytes its disks take on the node.
    pub disk_used: u64,
    /// What it takes over only at its next start.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub wants_restart: Vec<WantsRestart>,
    /// How often it was rebooted, as ordered.
    pub reboots: u64,
    /// Why the newest rollback was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_problem: Option<String>,
    /// When the node said so.
    pub at: DateTime<Utc>,
}

/// A VM, as `/vms` shows it. What its guest was told is never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Vm {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: VmId,
    /// Its name.
    pub name: String,
    /// Its project.
    pub project: String,
    /// Computed: `queued`, `preparing`, `starting`, `running`, `paused`,
    /// `stopping`, `stopped`, `unknown`, `failed`, `lost`, `deleting`, `trashed`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub status: VmStatus,
    /// Why it is not as wanted, where something is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What its owner wants: `running`, `paused`, `stopped`, `gone`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub goal: VmGoal,
    /// How often what is wanted or its seat have changed.
    pub generation: u64,
    /// The node where its disk is.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub slave_id: Option<NodeId>,
    /// That node's name.
    pub slave_name: Option<String>,
    /// What that node last said.
    pub seen: Option<VmSeenInfo>,
    /// The image of its first disk.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub image_id: Option<ImageId>,
    /// That image, as `NAME:VERSION`.
    pub os: Option<String>,
    /// Virtual processors.
    pub cpus: u32,
    /// Memory.
    pub memory_bytes: u64,
    /// Its first disk.
    pub disk_bytes: u64,
    /// The same as `cpus`.
    pub vcpus: u32,
    /// Memory in GiB, rounded up.
    pub mem: u64,
    /// Its first disk in GiB, rounded up.
    pub disk_size: u64,
    /// The same as `status`, as the original's users read it.
    pub state: String,
    /// Its first address of version 4.
    pub ipv4: Option<String>,
    /// The guest's keyboard.
    pub keyboard_layout: Option<String>,
    /// `bios` or `uefi`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub firmware: Firmware,
    /// Further disks.
    pub disks: Vec<VmDisk>,
    /// Network cards.
    pub nics: Vec<VmNic>,
    /// Keys and values.
    pub labels: BTreeMap<String, String>,
    /// Where it may run.
    pub placement: PlacementRules,
    /// `wait` or `restart`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub on_node_loss: OnNodeLoss,
    /// `keep` or `fresh`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub disk_on_loss: DiskOnLoss,
    /// Whether its node starts it after its own start.
    pub autostart: bool,
    /// Milliseconds the guest has to shut down.
    pub stop_deadline_ms: u64,
    /// Whether deleting it is refused.
    pub protected: bool,
    /// When it was put into the trash.
    pub trashed_at: Option<DateTime<Utc>>,
    /// Text for people.
    pub description: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// Filters and paging of `GET /vms`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct VmQuery {
    /// Only this project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only the one of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only those with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>))]
    pub status: Option<VmStatus>,
    /// Only those seated on this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<uuid::Uuid>))]
    pub slave_id: Option<NodeId>,
    /// Only those in the trash, or only the others; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trashed: Option<bool>,
    /// At most so many; 100 if absent, 1000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Continue after this id: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
