//! Workloads: what is asked, and what is shown.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use hostler_core::id::{NodeId, WorkloadId};
use hostler_core::workload::{Goal, Kind, OnNodeLoss, SeenState, WorkloadStatus};
use serde::{Deserialize, Serialize};

/// Amounts, without units to guess.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Resources {
    /// Thousandths of a core.
    pub cpu_millis: u64,
    /// Bytes of memory.
    pub memory_bytes: u64,
}

/// A wish to be near to, or far from, workloads with these labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Affinity {
    /// Workloads that carry all of these labels are meant.
    pub labels: BTreeMap<String, String>,
    /// The node label that says what counts as one place; absent: one node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<String>,
    /// Refuse a place that does not fulfil it, instead of preferring others.
    #[serde(default)]
    pub required: bool,
}

/// A wish to be spread evenly over the values of a node label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Spread {
    /// The node label; absent: over nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<String>,
    /// Workloads that carry all of these labels are counted.
    pub labels: BTreeMap<String, String>,
}

/// Where a workload may run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlacementRules {
    /// Node labels it needs, all of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_labels: BTreeMap<String, String>,
    /// Near to these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affinity: Vec<Affinity>,
    /// Far from these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anti_affinity: Vec<Affinity>,
    /// Evenly over these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Spread>,
}

/// `POST /workloads`. With an `Idempotency-Key` header, the same request sent
/// again answers the same workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkloadCreate {
    /// Its name, unique in its project: letters, digits, `-` and `_`.
    pub name: String,
    /// Its project, also the namespace of its subjects; `default` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// `elf`, `wasm` or `v8`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub kind: Kind,
    /// The SHA-256 of an uploaded artifact, in lower-case hex.
    pub artifact: String,
    /// Arguments after the program's name; services only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub argv: Vec<String>,
    /// Its whole environment; sealed at rest, shown to nobody again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// NATS subjects that trigger it; functions only, at least one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<String>,
    /// Start it again when it fails; services only.
    #[serde(default)]
    pub essential: bool,
    /// What it needs; a tenth of a core and 64 MiB if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// How many processes it may have; 64 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pids: Option<u32>,
    /// Keys and values for others to select by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Where it may run.
    #[serde(default)]
    pub placement: PlacementRules,
    /// `restart` (elsewhere, after the lease) or `wait`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub on_node_loss: OnNodeLoss,
    /// `running` or `stopped`; `running` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub goal: Option<Goal>,
    /// Text for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// A node's last word about a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Seen {
    /// The generation it speaks of.
    pub generation: u64,
    /// `absent`, `starting`, `running`, `stopping`, `ended`, `failed`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: SeenState,
    /// The slot it runs in; its id on the NATS control API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<String>,
    /// How often it was started again in a row.
    #[serde(default)]
    pub restarts: u32,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// When the node said so.
    pub at: DateTime<Utc>,
}

/// A workload, as `/workloads` shows it. Its environment is never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Workload {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: WorkloadId,
    /// Its name.
    pub name: String,
    /// Its project.
    pub project: String,
    /// `elf`, `wasm` or `v8`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub kind: Kind,
    /// Computed: `queued`, `starting`, `running`, `stopping`, `stopped`,
    /// `unknown`, `failed`, `deleting`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub status: WorkloadStatus,
    /// Why it is not running, where something is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What its owner wants: `running`, `stopped`, `gone`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub goal: Goal,
    /// How often goal or seat have changed.
    pub generation: u64,
    /// The node it was given.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub slave_id: Option<NodeId>,
    /// That node's name.
    pub slave_name: Option<String>,
    /// What that node last said.
    pub seen: Option<Seen>,
    /// SHA-256 of its artifact.
    pub artifact: String,
    /// Arguments after the program's name.
    pub argv: Vec<String>,
    /// Names of the variables in its environment, without their values.
    pub environment_names: Vec<String>,
    /// Subjects that trigger it.
    pub triggers: Vec<String>,
    /// Whether it is started again when it fails.
    pub essential: bool,
    /// What it needs.
    pub resources: Resources,
    /// How many processes it may have.
    pub pids: u32,
    /// Keys and values for others to select by.
    pub labels: BTreeMap<String, String>,
    /// Where it may run.
    pub placement: PlacementRules,
    /// `restart` or `wait`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub on_node_loss: OnNodeLoss,
    /// Text for people.
    pub description: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// Filters and paging of `GET /workloads`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct WorkloadQuery {
    /// Only this project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only the one of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only those with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>))]
    pub status: Option<WorkloadStatus>,
    /// Only those seated on this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<uuid::Uuid>))]
    pub slave_id: Option<NodeId>,
    /// At most so many; 100 if absent, 1000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Continue after this id: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// What to pass as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Why one node was chosen or refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeVerdict {
    /// The node.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub slave_id: NodeId,
    /// Its name.
    pub slave_name: String,
    /// Whether it is the one chosen.
    pub chosen: bool,
    /// Whether it could be.
    pub possible: bool,
    /// Why, in words.
    pub reasons: Vec<String>,
}

/// `GET /workloads/{id}/explain`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// The policy by which nodes were compared.
    pub policy: String,
    /// One sentence.
    pub summary: String,
    /// Every node, best first.
    pub nodes: Vec<NodeVerdict>,
}

/// One line of `GET /workloads/{id}/logs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// When it was published.
    pub at: DateTime<Utc>,
    /// `DEBUG`, `INFO`, `WARN`, `ERROR`.
    pub level: String,
    /// The workload's slot.
    pub slot: String,
    /// What was written, trailing newline included.
    pub text: String,
}
