//! That a slot is claimed, on disk: a file named by the slot, which holds what
//! the slot may use.
//!
//! The file is there or not in a single step; it is filled in a second one,
//! and an empty one is a claim cut short, before anything was deployed. There
//! is no sync: the file must survive our own death, and when the machine loses
//! power the agents die with it, so that a lost file speaks of a lost slot.
//! What runs in a slot is the ledger's to know, not ours.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use hostler_core::id::SlotId;
use hostler_core::{Bytes, Cpu};
use serde::{Deserialize, Serialize};

use crate::hypervisor::Limits;

/// The folder of claims.
#[derive(Debug)]
pub(crate) struct Claims {
    folder: PathBuf,
}

/// The limits of a claimed slot, so that the next life can put them on again.
#[derive(Serialize, Deserialize)]
struct Record {
    cpu: Cpu,
    memory: Bytes,
    pids: u32,
}

impl Claims {
    /// Opens the folder, and makes it if it is missing.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&folder)?;
        Ok(Self { folder })
    }

    /// Notes a claim.
    pub(crate) fn insert(&self, slot: SlotId, limits: Limits) -> io::Result<()> {
        let record = Record {
            cpu: limits.cpu,
            memory: limits.memory,
            pids: limits.pids,
        };
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(self.path(slot))?;
        file.write_all(&serde_json::to_vec(&record)?)
    }

    /// Removes a claim, if there is one.
    pub(crate) fn remove(&self, slot: SlotId) -> io::Result<()> {
        match fs::remove_file(self.path(slot)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Every claim, with its limits if they were written down.
    pub(crate) fn list(&self) -> io::Result<BTreeMap<SlotId, Option<Limits>>> {
        let names = fs::read_dir(&self.folder)?;
        Ok(names
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let slot = entry.file_name().to_str()?.parse().ok()?;
                Some((slot, read(&entry.path())))
            })
            .collect())
    }

    fn path(&self, slot: SlotId) -> PathBuf {
        self.folder.join(slot.to_string())
    }
}

fn read(path: &Path) -> Option<Limits> {
    let record: Record = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    Some(Limits {
        cpu: record.cpu,
        memory: record.memory,
        pids: record.pids,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_found_again_with_their_limits_until_they_are_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Claims::open(folder.path().join("claims")).expect("opened");
        let slot = |number| SlotId::from_parts(number, [2; 8]);
        let limits = Limits {
            cpu: Cpu::millis(100),
            memory: Bytes::mib(64),
            pids: 8,
        };
        open().insert(slot(1), limits).expect("inserted");
        open().insert(slot(1), limits).expect("inserted again");
        fs::write(folder.path().join("claims").join(slot(2).to_string()), "").expect("written");
        let expected = BTreeMap::from([(slot(1), Some(limits)), (slot(2), None)]);
        assert_eq!(open().list().expect("listed"), expected);
        for number in [1, 2, 2] {
            open().remove(slot(number)).expect("removed");
        }
        assert!(open().list().expect("listed").is_empty());
    }
}
