//! PING and WPING (protocol 1.3, 1.4). A node answers WPING only when one of
//! its workloads matches; otherwise it stays silent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::go_json::Message;

/// Answer to `$NEX.PING` and `$NEX.PING.{node}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PingReply {
    /// The node's public key.
    pub node_id: String,
    /// The node's version.
    pub version: String,
    /// Since the API was opened, as [`super::uptime_text`].
    pub uptime: String,
    /// Effective tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Agents that have a workload, over all namespaces.
    pub running_machines: u64,
}

impl Message for PingReply {}

/// Answer to `$NEX.WPING.{ns}` and `$NEX.WPING.{ns}.{workload}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkloadPingReply {
    /// The node's public key.
    pub node_id: String,
    /// The node's version.
    pub version: String,
    /// Effective tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The node's uptime, as [`super::uptime_text`].
    pub uptime: String,
    /// The workloads that match.
    pub running_machines: Vec<PingedWorkload>,
}

impl Message for WorkloadPingReply {}

/// One workload of a [`WorkloadPingReply`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PingedWorkload {
    /// Its id.
    pub id: String,
    /// Its namespace, in its own case.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// `elf`, `wasm`.
    pub r#type: String,
}

/// Which workloads a WPING asks for; an empty text asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkloadFilter {
    /// The namespace, in any case.
    pub namespace: String,
    /// The id exactly, or the name in any case.
    pub workload: String,
}

impl WorkloadFilter {
    /// Whether the filter asks for this workload.
    pub fn matches(&self, namespace: &str, id: &str, name: &str) -> bool {
        let in_namespace = self.namespace.is_empty() || same_word(&self.namespace, namespace);
        let asked =
            self.workload.is_empty() || self.workload == id || same_word(&self.workload, name);
        in_namespace && asked
    }
}

/// Whether two words are the same but for the case of their letters.
pub fn same_word(one: &str, other: &str) -> bool {
    let lower = |word: &str| {
        word.chars()
            .flat_map(char::to_lowercase)
            .collect::<Vec<_>>()
    };
    one == other || lower(one) == lower(other)
}
