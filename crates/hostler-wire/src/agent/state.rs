//! The pulse of an agent (ours): asked by the node, above all after the node
//! was restarted, when agents have outlived it and it must learn what they run.

use serde::{Deserialize, Serialize};

use crate::nats::go_json::Message;

/// Where an agent stands. It only ever moves forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentPhase {
    /// It has no workload yet.
    #[default]
    Idle,
    /// It fetches, checks or starts its workload.
    Starting,
    /// Its workload runs.
    Running,
    /// Its workload has ended, or did not start.
    Exited,
}

/// Answer to a request without payload on `agentint.{slot}.ping`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentState {
    /// The slot.
    pub id: String,
    /// Where it stands.
    pub state: AgentPhase,
    /// The version of the agent.
    pub version: String,
    /// Milliseconds since the workload started; until it ended, once it has.
    pub uptime_ms: u64,
    /// The workload's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The workload's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload_name: Option<String>,
    /// `elf`, `wasm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload_type: Option<String>,
    /// SHA-256 of the artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// The generation that came with the deploy request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// How often the agent has started a process or compiled a module for the
    /// workload: 0 before, 1 after. More would be a defect.
    pub starts: u32,
    /// How it ended: the exit code, -1 after a signal or a failed start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The id of the workload's process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Calls of the function so far.
    pub calls: u64,
    /// Nanoseconds that they took together.
    pub runtime_ns: u64,
    /// Log entries dropped because the node did not keep up.
    pub dropped_logs: u64,
    /// What the agent's clock shows, if it knows of leases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_ms: Option<u64>,
}

impl Message for AgentState {}
