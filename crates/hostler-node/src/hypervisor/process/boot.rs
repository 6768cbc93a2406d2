//! Starting a slot: its folder, what it is told in secret, its process, its
//! groups, and last its record.
//!
//! Cut short at any point, it leaves only what is found by the slot's folder.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hostler_core::id::SlotId;
use hostler_core::microvm::GuestSize;
use hostler_core::{Bytes, Cpu};
use hostler_daemon::process::ProcessId;
use hostler_wire::agent::AgentMetadata;
use tokio::process::Child;

use super::record::MachineRecord;
use super::spawn::{Program, spawn_detached};
use super::{Machine, State, folder_make, slot_folder};
use crate::hypervisor::{BootError, BootSpec, Limits};

/// A program that is to be a slot.
pub(in crate::hypervisor) struct Start {
    /// Its file.
    pub(in crate::hypervisor) file: PathBuf,
    /// Its arguments.
    pub(in crate::hypervisor) arguments: Vec<OsString>,
    /// Its whole environment.
    pub(in crate::hypervisor) environment: Vec<(&'static str, OsString)>,
    /// The largest file it may write.
    pub(in crate::hypervisor) largest_file: Option<u64>,
    /// The size of its guest, if it is the monitor of one.
    pub(in crate::hypervisor) guest: Option<GuestSize>,
}

impl State {
    /// Starts the slot's program; `make` says which, given the folder it will
    /// run in.
    pub(super) fn boot(
        &self,
        slot: SlotId,
        make: impl FnOnce(&Path) -> Result<Start, BootError>,
    ) -> Result<(), BootError> {
        let folder = slot_folder(&self.slots, slot);
        let work = folder.join("work");
        folder_make(&work)?;
        let start = make(&work)?;
        let child = spawn_detached(Program {
            file: &start.file,
            arguments: start.arguments,
            environment: start.environment,
            folder: &work,
            complaints: &folder.join("agent.log"),
            largest_file: start.largest_file,
        })
        .map_err(|source| BootError::Spawn {
            program: start.file,
            source,
        })?;
        let booted = self.settle(slot, &child, start.guest);
        let id = booted.map_err(|source| {
            // Whatever was started is found by its folder.
            let _ = self.kill(slot);
            BootError::Group(source)
        })?;
        let machine = Machine {
            id,
            groups: self.groups.folders(slot),
            guest: start.guest,
            child: Some(child),
        };
        self.machines().insert(slot, machine);
        Ok(())
    }

    /// Puts a process just started into its groups and writes its record. A
    /// guest is held to its size at once, whatever runs in it.
    fn settle(
        &self,
        slot: SlotId,
        child: &Child,
        guest: Option<GuestSize>,
    ) -> io::Result<ProcessId> {
        let id = child
            .id()
            .and_then(|pid| ProcessId::of(pid.cast_signed()))
            .ok_or_else(|| io::Error::other("the agent ended at once"))?;
        self.groups.enter(slot, id)?;
        if let Some(whole) = guest.and_then(|guest| guest.limit(Bytes::new(0)).ok()) {
            let limits = Limits {
                cpu: Cpu::millis(0),
                memory: whole.host,
                pids: 0,
            };
            let limited = self.groups.limit(slot, limits);
            limited.map_err(io::Error::other)?;
        }
        let record = MachineRecord::new(id, self.groups.folders(slot), guest)?;
        record.write(&slot_folder(&self.slots, slot))?;
        Ok(id)
    }

    /// The agent as a program of this machine.
    pub(super) fn agent_start(
        &self,
        slot: SlotId,
        spec: &BootSpec,
        work: &Path,
    ) -> Result<Start, BootError> {
        let credentials = work.with_file_name("agent.creds");
        secret_write(&credentials, spec.credentials.as_bytes())?;
        Ok(Start {
            file: self.agent.clone(),
            arguments: Vec::new(),
            environment: environment(slot, spec, &credentials),
            largest_file: None,
            guest: None,
        })
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
pub(in crate::hypervisor) fn secret_write(path: &Path, text: &[u8]) -> Result<(), BootError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text))
        .map_err(|source| BootError::Files {
            path: path.to_path_buf(),
            source,
        })
}
