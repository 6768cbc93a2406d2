//! How an agent gets its artifact (ours): piece by piece, by request, so that
//! the node may refuse what was not assigned to that slot.
//!
//! The answer is raw bytes, at most [`ARTIFACT_CHUNK`]; none means that the
//! offset is the end. A refusal is the header [`super::ERROR_HEADER`] without
//! bytes. The agent checks size and SHA-256 of the whole.

use serde::{Deserialize, Serialize};

use crate::nats::go_json::Message;

/// The most bytes of one answer.
pub const ARTIFACT_CHUNK: usize = 512 * 1024;

/// Request on `agentint.{slot}.artifact`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ArtifactRequest {
    /// SHA-256 of the artifact, in lower-case hex.
    pub digest: String,
    /// The first byte wanted.
    pub offset: u64,
}

impl Message for ArtifactRequest {}
