//! The handshake: an agent says that it is there and listens.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::nats::go_json::{self, Message};

/// Request on `agentint.{slot}.handshake`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandshakeRequest {
    /// The slot.
    pub id: String,
    /// When the agent started.
    #[serde(with = "go_json::time")]
    pub start_time: DateTime<Utc>,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What the agent's clock shows, if it knows of leases (ours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ms: Option<u64>,
}

impl Message for HandshakeRequest {}

/// Its answer: the empty object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandshakeReply {}

impl Message for HandshakeReply {}
