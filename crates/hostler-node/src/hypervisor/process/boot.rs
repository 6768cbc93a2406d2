//! Starting an agent: its folder, its credentials, its process, its groups,
//! and last its record.
//!
//! Cut short at any point, it leaves only what is found by the slot's folder.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use hostler_core::id::SlotId;
use hostler_daemon::process::ProcessId;
use hostler_wire::agent::AgentMetadata;
use tokio::process::Child;

use super::record::MachineRecord;
use super::spawn::{Program, spawn_detached};
use super::{Machine, State, folder_make, slot_folder};
use crate::hypervisor::{BootError, BootSpec};

impl State {
    /// Starts the slot's agent.
    pub(super) fn boot(&self, slot: SlotId, spec: &BootSpec) -> Result<(), BootError> {
        let folder = slot_folder(&self.slots, slot);
        let work = folder.join("work");
        folder_make(&work)?;
        let credentials = folder.join("agent.creds");
        secret_write(&credentials, &spec.credentials)?;
        let child = spawn_detached(Program {
            file: &self.agent,
            arguments: Vec::new(),
            environment: environment(slot, spec, &credentials),
            folder: &work,
            complaints: &folder.join("agent.log"),
        })
        .map_err(|source| BootError::Spawn {
            program: self.agent.clone(),
            source,
        })?;
        let booted = self.settle(slot, &folder, &child);
        let id = booted.map_err(|source| {
            // Whatever was started is found by its folder.
            let _ = self.kill(slot);
            BootError::Group(source)
        })?;
        let machine = Machine {
            id,
            groups: self.groups.folders(slot),
            child: Some(child),
        };
        self.machines().insert(slot, machine);
        Ok(())
    }

    /// Puts a process just started into its groups and writes its record.
    fn settle(&self, slot: SlotId, folder: &Path, child: &Child) -> io::Result<ProcessId> {
        let id = child
            .id()
            .and_then(|pid| ProcessId::of(pid.cast_signed()))
            .ok_or_else(|| io::Error::other("the agent ended at once"))?;
        self.groups.enter(slot, id)?;
        MachineRecord::new(id, self.groups.folders(slot))?.write(folder)?;
        Ok(id)
    }
}

/// All that the agent is told (protocol, 6.2).
fn environment(slot: SlotId, spec: &BootSpec, credentials: &Path) -> Vec<(&'static str, OsString)> {
    let metadata = AgentMetadata {
        slot: slot.to_string(),
        host: spec.nats_host.clone(),
        port: spec.nats_port,
        message: String::new(),
        creds: Some(credentials.to_string_lossy().into_owned()),
    };
    let variables = metadata.to_env().into_iter();
    variables
        .map(|(name, value)| (name, value.into()))
        .collect()
}

/// Writes a file that only its owner may read. Without a sync: it is of no
/// use once the agent it is for is dead.
fn secret_write(path: &Path, text: &str) -> Result<(), BootError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|source| BootError::Files {
            path: path.to_path_buf(),
            source,
        })
}
