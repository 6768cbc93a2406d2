//! What belongs to VMs: snapshots, shares, and machines that are found.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use hostler_core::id::{NodeId, SnapshotId, VmId};
use hostler_core::vm::SnapshotState;
use serde::{Deserialize, Serialize};

/// `POST /vms/{id}/snapshots`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SnapshotCreate {
    /// Its name, unique among those of its VM.
    #[serde(default)]
    pub name: String,
    /// With the guest's memory, if it runs then.
    #[serde(default)]
    pub memory: bool,
}

/// A snapshot, as `/vms/{id}/snapshots` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: SnapshotId,
    /// Its name.
    pub name: String,
    /// Whether it is to hold the guest's memory.
    pub memory: bool,
    /// `taking`, `ready` or `failed`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: SnapshotState,
    /// Whether it is being removed.
    pub removing: bool,
    /// Why it could not be taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// When it was taken, by its node's clock.
    pub taken_at: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

/// `POST /vms/{id}/shares`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShareCreate {
    /// What it is for.
    #[serde(default)]
    pub name: String,
    /// Seconds until it opens nothing any more; an hour if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u64>,
}

/// A link to a console, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Share {
    /// Its id.
    pub id: uuid::Uuid,
    /// What it is for.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From when on it opens nothing.
    pub expires_at: DateTime<Utc>,
}

/// A new share. The secret is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShareCreated {
    /// The share.
    #[serde(flatten)]
    pub share: Share,
    /// The secret: a console is opened with it instead of a token, as
    /// WebSocket subprotocol `hostler.share.SECRET`.
    pub secret: String,
}

impl fmt::Debug for ShareCreated {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.share.fmt(f)
    }
}

/// A machine on a node that nobody here ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnclaimedMachine {
    /// The node it is on.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub slave_id: NodeId,
    /// That node's name.
    pub slave_name: String,
    /// What its hypervisor calls it.
    pub name: String,
    /// By what it is adopted or removed; absent if it does not carry our mark,
    /// and so is not ours to touch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub id: Option<VmId>,
    /// Whether it runs.
    pub running: bool,
    /// Virtual processors.
    pub cpus: u32,
    /// Memory.
    pub memory_bytes: u64,
    /// Its first disk.
    pub disk_bytes: u64,
    /// Its real definition.
    pub details: BTreeMap<String, String>,
}

/// `POST /vms/unclaimed/{id}/adopt`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VmAdopt {
    /// The node it is on; needed if several have one of this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub slave_id: Option<NodeId>,
    /// The project it is to belong to; the one it was made for if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// What to call it; as it was made if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
