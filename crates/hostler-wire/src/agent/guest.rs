//! What the agent is told that is its machine's first program. It comes by a
//! channel that only the machine's monitor and the guest's superuser can read,
//! never by the kernel line, which everybody on the host can.

use serde::{Deserialize, Serialize};

use super::AgentMetadata;
use crate::nats::go_json::Message;

/// The name under which the monitor's firmware hands it in.
pub const GUEST_FILE: &str = "opt/io.hostler/slot";
/// The key of the kernel line that holds the guest's address with its prefix.
pub const GUEST_ADDRESS: &str = "hostler.address";

/// What an agent must know at its start that has a machine of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GuestMetadata {
    /// As for any other agent.
    #[serde(flatten)]
    pub metadata: AgentMetadata,
    /// The text of its credentials, which it has no file for yet.
    pub credentials: String,
}

impl Message for GuestMetadata {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_of_the_original_stand_beside_ours() {
        let told = GuestMetadata {
            metadata: AgentMetadata {
                slot: "s".into(),
                host: "10.0.2.100".into(),
                port: 4222,
                ..AgentMetadata::default()
            },
            credentials: "secret".into(),
        };
        let text = String::from_utf8(told.encode()).unwrap();
        let expected = "{\"vmid\":\"s\",\"node_nats_host\":\"10.0.2.100\",\
             \"node_nats_port\":4222,\"message\":\"\",\"credentials\":\"secret\"}";
        assert_eq!(text, expected);
        assert_eq!(GuestMetadata::decode(text.as_bytes()).unwrap(), told);
    }
}
