//! Nodes, called slaves on the wire because the seed does.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use hostler_core::id::{NodeId, TokenId};
use hostler_core::node::{NodeStatus, Scheduling};
use serde::{Deserialize, Serialize};

use super::Resources;

/// A node, as `/slaves` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Node {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: NodeId,
    /// Its name, unique in the fleet.
    pub name: String,
    /// Where it can be reached: an address or host name.
    pub hostname: String,
    /// The port of its API.
    pub port: u16,
    /// Computed from its silence and its operator's wish: `pending`, `online`,
    /// `suspect`, `offline`, `maintenance`, `draining`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub status: NodeStatus,
    /// Its operator's wish: `open`, `draining`, `closed`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub scheduling: Scheduling,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When it was last heard.
    pub last_heartbeat: Option<DateTime<Utc>>,
    /// Processors it has, whole (seed).
    pub total_cpu: u64,
    /// Memory it has, in MB (seed).
    pub total_mem: u64,
    /// Disk it has, in GB (seed).
    pub total_disk: u64,
    /// What it has, exactly.
    pub capacity: Resources,
    /// What its seats have taken.
    pub reserved: Resources,
    /// How many workloads it may hold.
    pub slots: u32,
    /// How many it holds.
    pub seated: u32,
    /// Keys and values to select by: its own tags and its operator's labels.
    pub labels: BTreeMap<String, String>,
    /// The version it runs.
    pub version: String,
    /// Workloads found there that the control plane does not know.
    pub unclaimed: Vec<String>,
}

/// `POST /slaves`: with an admin's bearer token by hand, or by the node itself
/// with a join token as bearer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeRegister {
    /// Its name, unique in the fleet: letters, digits, `-` and `_`.
    pub name: String,
    /// Where the control plane reaches it.
    pub hostname: String,
    /// The port of its API.
    pub port: u16,
    /// Its operator's labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The secret that both sides shall put into `X-Slave-Token`, if the machine
    /// has made one: whoever registers again with it, because the answer was
    /// lost, is the same node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
}

/// The answer to a registration; the only time the key is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeRegistered {
    /// The node.
    #[serde(flatten)]
    pub node: Node,
    /// The secret both sides put into `X-Slave-Token`.
    pub api_key: String,
    /// Milliseconds between two heartbeats.
    pub heartbeat_ms: u64,
}

/// `PUT /slaves/nats`, as a node: with which key it will prove itself to the
/// control NATS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeNatsKey {
    /// The public half (`U...`) of a pair whose seed never leaves the node.
    pub public_key: String,
}

/// The answer: where the control NATS is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeNats {
    /// Its address, without anybody's secret; absent when the control plane
    /// was not told one that nodes can use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// `PATCH /slaves/{id}`; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeUpdate {
    /// `open`, `draining` or `closed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub scheduling: Option<Scheduling>,
    /// Its operator's labels, as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
}

/// `POST /join-tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JoinTokenCreate {
    /// Seconds until it expires; an hour if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u64>,
    /// How many nodes may join with it; one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
}

/// A join token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JoinToken {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: TokenId,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
    /// How many nodes may still join with it.
    pub uses_left: u32,
}

/// The answer to making a join token; the only time the secret is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JoinTokenCreated {
    /// The token, without its secret.
    #[serde(flatten)]
    pub join_token: JoinToken,
    /// The secret, to be given to `hostler node up`.
    pub secret: String,
    /// Where machines reach the control plane, if it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
}
