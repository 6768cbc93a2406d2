//! LAMEDUCK (protocol 1.8): from now on the node takes no new work. Saying it
//! again changes nothing; there is no way back.

use serde::{Deserialize, Serialize};

use super::go_json::Message;

/// Answer to `$NEX.LAMEDUCK.{node}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LameDuckReply {
    /// The node's public key.
    pub node_id: String,
    /// Always true.
    pub success: bool,
}

impl Message for LameDuckReply {}

/// Why a node did not enter lame duck mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Failed to enter lame duck mode")]
pub struct LameDuckRefusal;
