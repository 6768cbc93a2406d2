//! INFO (protocol 1.5): what a node is, and what it runs for one namespace.
//! The reply does not hold the node's id; who asked knows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::go_json::Message;

/// Answer to `$NEX.INFO.{ns}.{node}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InfoReply {
    /// The node's version.
    pub version: String,
    /// Since the API was opened, as [`super::uptime_text`].
    pub uptime: String,
    /// The node's curve key: recipient of sealed environments.
    pub public_xkey: String,
    /// Effective tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The machine's memory, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryStat>,
    /// Workloads of the namespace asked for.
    pub machines: Vec<Machine>,
    /// Workload types the node accepts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub supported_workload_types: Vec<String>,
}

impl Message for InfoReply {}

/// Memory as in `/proc/meminfo`, in kB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryStat {
    /// All of it.
    pub total: u64,
    /// Unused.
    pub free: u64,
    /// Unused or quickly freed.
    pub available: u64,
}

/// One workload of an [`InfoReply`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// The workload's id.
    pub id: String,
    /// Whether it is well. The original always says so.
    pub healthy: bool,
    /// Since the agent accepted it; `unknown` before.
    pub uptime: String,
    /// Its namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// What it is.
    pub workload: MachineWorkload,
}

/// What runs on a [`Machine`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MachineWorkload {
    /// Its name.
    pub name: String,
    /// Text for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The uptime of a service; of a function the time it has computed, as
    /// [`super::uptime::runtime_text`].
    pub runtime: String,
    /// `elf`, `wasm`.
    pub r#type: String,
    /// SHA-256 of the artifact as the node measured it, in lower-case hex.
    pub hash: String,
}
