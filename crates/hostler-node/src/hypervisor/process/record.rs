//! What the driver keeps of a machine, in `machine.json` of its folder.
//!
//! Written once, right after the start, by renaming and without a sync: a
//! process that could be found by it is gone when the machine loses power, so
//! the file needs to survive our death only. A folder without a readable file
//! is that of a boot cut short; its processes are found by folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hostler_core::microvm::GuestSize;
use hostler_daemon::process::ProcessId;
use serde::{Deserialize, Serialize};

const FILE: &str = "machine.json";

/// A machine as another life of the driver finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MachineRecord {
    /// The kernel's boot id; pids of another boot mean nothing.
    pub(super) boot: String,
    /// The agent's pid.
    pub(super) pid: i32,
    /// Its start time in clock ticks since boot.
    pub(super) started: u64,
    /// Its control groups, one folder for each hierarchy.
    pub(super) groups: Vec<PathBuf>,
    /// The size of the guest, if it is a machine of its own. The next life of
    /// the node may have another driver, and has to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) guest: Option<GuestSize>,
}

impl MachineRecord {
    /// The record of an agent just started.
    pub(super) fn new(
        id: ProcessId,
        groups: Vec<PathBuf>,
        guest: Option<GuestSize>,
    ) -> io::Result<Self> {
        Ok(Self {
            guest,
            boot: boot_id()?,
            pid: id.pid,
            started: id.started,
            groups,
        })
    }

    /// The agent, unless it is of an earlier boot of the machine.
    pub(super) fn agent(&self) -> Option<ProcessId> {
        let id = ProcessId {
            pid: self.pid,
            started: self.started,
        };
        boot_id().is_ok_and(|boot| boot == self.boot).then_some(id)
    }

    /// The record in a slot's folder, if there is a whole one.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()
    }

    /// Writes it into a slot's folder, whole or not at all.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let draft = folder.join("machine.draft");
        fs::write(&draft, serde_json::to_vec(self)?)?;
        fs::rename(draft, folder.join(FILE))
    }
}

fn boot_id() -> io::Result<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_of_an_earlier_boot_is_nobody() {
        let folder = tempfile::tempdir().expect("a folder");
        let id = ProcessId {
            pid: 7,
            started: 42,
        };
        let record = MachineRecord::new(id, vec!["/a/b".into()], None).expect("a boot id");
        record.write(folder.path()).expect("written");
        assert_eq!(MachineRecord::read(folder.path()), Some(record.clone()));
        assert_eq!(record.agent(), Some(id));
        let earlier = MachineRecord {
            boot: "another".into(),
            ..record
        };
        assert_eq!(earlier.agent(), None);
        fs::write(folder.path().join(FILE), "{\"boot\":").expect("written");
        assert_eq!(MachineRecord::read(folder.path()), None);
    }
}
