//! Deploy and undeploy, between node and agent. By now the node has checked
//! the token, opened the environment and measured the artifact.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::nats::go_json::{self, Message};

/// Request on `agentint.{slot}.deploy`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentDeployRequest {
    /// Arguments after the program's name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub argv: Vec<String>,
    /// Text for people.
    pub description: Option<String>,
    /// The whole environment, in clear.
    pub environment: Option<BTreeMap<String, String>>,
    /// Whether the node starts it again when it fails.
    pub essential: bool,
    /// SHA-256 of the artifact in lower-case hex; also its digest in
    /// [`super::ArtifactRequest`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hash: String,
    /// The workload's namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// When the node last started it again.
    #[serde(
        skip_serializing_if = "Option::is_none",
        with = "go_json::time::option"
    )]
    pub retried_at: Option<DateTime<Utc>>,
    /// How often the node has started it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_count: Option<u64>,
    /// The artifact's size.
    #[serde(skip_serializing_if = "is_zero")]
    pub total_bytes: u64,
    /// Subjects that trigger it.
    pub trigger_subjects: Option<Vec<String>>,
    /// The workload's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub workload_name: String,
    /// `elf`, `wasm`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub workload_type: String,
    /// The generation of the control plane's order (ours).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// What it may use (ours).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<AgentLimits>,
    /// When it must have ended, if a lease binds it (ours).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<super::AgentLease>,
}

impl Message for AgentDeployRequest {}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a workload may use; what is absent is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentLimits {
    /// Memory, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<u32>,
    /// Instructions of one function call, in the engine's units of fuel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Milliseconds that one function call may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_limit_ms: Option<u64>,
}

/// Why an agent refuses a deployment (protocol 2.6, second table).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgentRefusal {
    /// The payload is no deploy request.
    #[error("Failed to unmarshal deploy request: {0}")]
    Unreadable(String),
    /// Members are missing or contradict each other; one line for each.
    #[error("{}", .0.join("\n"))]
    Invalid(Vec<&'static str>),
    /// The artifact could not be had.
    #[error("Failed to write workload artifact to temp dir: {0}")]
    Artifact(String),
    /// The artifact could not be made executable.
    #[error("Failed to set workload artifact as executable: {0}")]
    Executable(String),
    /// Nothing runs this type here.
    #[error("Failed to initialize workload execution provider; {0}")]
    Provider(String),
    /// The artifact is not what its type says.
    #[error("Failed to validate workload: {0}")]
    Validate(String),
    /// The process could not be started. The original never answers then.
    #[error("Failed to start workload: {0}")]
    Start(String),
    /// The agent has had its workload.
    #[error("this agent already has a workload")]
    Occupied,
}

impl AgentDeployRequest {
    /// What an agent checks before it fetches anything; every mistake at once.
    pub fn check(&self) -> Result<(), AgentRefusal> {
        let is = |kind: &str| self.workload_type.eq_ignore_ascii_case(kind);
        let service = is("elf") || is("native") || is("oci");
        let function = is("v8") || is("wasm");
        let triggered = self
            .trigger_subjects
            .as_ref()
            .is_some_and(|list| !list.is_empty());
        let rules = [
            (self.namespace.is_empty(), "namespace is required"),
            (self.workload_name.is_empty(), "workload name is required"),
            (self.hash.is_empty(), "hash is required"),
            (self.workload_type.is_empty(), "workload type is required"),
            (self.total_bytes == 0, "total bytes is required"),
            (
                self.essential && !service,
                "essential flag is not supported for workload type",
            ),
            (
                function && !triggered,
                "at least one trigger subject is required for this workload type",
            ),
        ];
        let broken: Vec<_> = rules
            .into_iter()
            .filter_map(|(broken, text)| broken.then_some(text))
            .collect();
        if broken.is_empty() {
            Ok(())
        } else {
            Err(AgentRefusal::Invalid(broken))
        }
    }
}

/// Answer to a deploy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeployResponse {
    /// Whether the workload runs.
    pub accepted: bool,
    /// Why not.
    pub message: Option<String>,
}

impl Message for DeployResponse {}

impl DeployResponse {
    /// The workload runs.
    pub fn accepted() -> Self {
        Self {
            accepted: true,
            message: Some("Workload deployed".to_owned()),
        }
    }

    /// It does not.
    pub fn refused(refusal: &AgentRefusal) -> Self {
        Self {
            accepted: false,
            message: Some(refusal.to_string()),
        }
    }
}

/// Request on `agentint.{slot}.undeploy`. The original sends no payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UndeployRequest {
    /// Milliseconds between the polite signal and the hard one; the agent's
    /// own default if absent (ours).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_ms: Option<u64>,
}

impl Message for UndeployRequest {
    /// No payload is the default.
    fn decode(payload: &[u8]) -> Result<Self, go_json::DecodeError> {
        if payload.is_empty() {
            return Ok(Self::default());
        }
        go_json::from_slice(payload)
    }
}
