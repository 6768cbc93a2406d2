//! Starting one machine: what the guest is told, and the monitor.

use std::path::Path;

use hostler_core::id::SlotId;
use hostler_wire::agent::{AgentMetadata, GuestMetadata, Message as _};
use sha2::{Digest as _, Sha256};

use super::Machine;
use super::arguments::{NATS_HOST, NATS_PORT, One, TOLD, arguments};
use crate::hypervisor::process::{Start, secret_write};
use crate::hypervisor::{BootError, BootSpec};

/// The largest file a monitor may write: its log of the guest's console, which a
/// hostile guest writes without end. It is ended then.
const LOG_MOST: u64 = 4 << 20;

/// Users that belong to nobody, of the range that is free for such use.
const USERS: (u32, u32) = (61_184, 4_000);

impl Machine {
    /// What is to be started for this slot; `work` is the machine's own folder.
    pub(super) fn start(
        &self,
        slot: SlotId,
        spec: &BootSpec,
        work: &Path,
    ) -> Result<Start, BootError> {
        let told = told(slot, spec).encode();
        secret_write(&work.join(TOLD), &told)?;
        let one = One {
            slot,
            nats_port: spec.nats_port,
            user: rustix::process::geteuid().is_root().then(|| user(slot)),
        };
        Ok(Start {
            file: self.options.program.clone(),
            arguments: arguments(self, &one),
            environment: vec![("PATH", "/usr/local/bin:/usr/bin:/bin".into())],
            largest_file: Some(LOG_MOST),
            guest: Some(self.size),
        })
    }
}

fn told(slot: SlotId, spec: &BootSpec) -> GuestMetadata {
    GuestMetadata {
        metadata: AgentMetadata {
            slot: slot.to_string(),
            host: NATS_HOST.to_owned(),
            port: NATS_PORT,
            message: "Host-supplied metadata".to_owned(),
            creds: None,
        },
        credentials: spec.credentials.clone(),
    }
}

/// Slots have different users as a rule, so that one monitor that a guest has
/// broken out into may do nothing to the others.
fn user(slot: SlotId) -> u32 {
    let digest = Sha256::digest(slot.to_string());
    let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    USERS.0 + number % USERS.1
}
